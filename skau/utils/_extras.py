"""Optional packages: one place that says how they are installed."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

__all__ = ["import_extra", "require_extra"]


def require_extra(package: str, extra: str, what: str) -> None:
    """Raise before any work if an optional package is not installed.

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
    if find_spec(package) is None:
        raise ImportError(_how_to_install(extra, what))


def import_extra(package: str, extra: str, what: str) -> ModuleType:
    """Import an optional package; see `require_extra`."""
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(_how_to_install(extra, what)) from error


def _how_to_install(extra: str, what: str) -> str:
    return f'{what}: pip install "skau[{extra}]", or, in a clone, pip install ".[{extra}]"'
