"""Corpora, all as the same Bunch, and a generator of rendered faces.

Every loader returns a :class:`~sklearn.utils.Bunch` with `images`, `target` (a DataFrame ``AUn``
of 1, 0 and NaN), `groups` (the subject of every row), `frame`, `au_names`, `folds` where some are
published, `name` and `DESCR`. The corpora themselves come from their owners: each loader says
where to ask.
"""

from importlib import import_module
from typing import Any

# The generator brings a renderer along, so nothing is imported before it is asked for.
_HOMES = {
    "load_bp4d": "_bp4d",
    "load_celeba": "_celeba",
    "load_disfa": "_disfa",
    "load_faces": "_faces",
    "load_london": "_london",
    "load_sample_faces": "_sample",
    "load_unbc": "_unbc",
    "make_au_faces": "_au_faces",
    "stack_corpora": "_stack",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
