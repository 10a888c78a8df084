"""Optional packages: one place that says how they are installed."""

from importlib import import_module
from types import ModuleType


def import_extra(package: str, extra: str, what: str) -> ModuleType:
    """Import an optional package.

    Parameters
    ----------
    package : str
        The name that is imported.
    extra : str
        The extra of skau that installs it.
    what : str
        What needs it, as the beginning of a sentence: "Parquet files need pyarrow".

    Raises
    ------
    ImportError
        If there is no such package; the message names the extra.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(f'{what}: pip install ".[{extra}]" in a clone of skau') from error
