"""A list of all estimators, for tests and documentation."""

import inspect
from importlib import import_module

from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

_ROOMS = ("skau", "skau.baselines", "skau.model_selection", "skau.preprocessing")
_KINDS = {"classifier": ClassifierMixin, "transformer": TransformerMixin}


def all_estimators(type_filter: str | None = None) -> list[tuple[str, type[BaseEstimator]]]:
    """List skau's estimators, as :func:`sklearn.utils.discovery.all_estimators` does its own.

    Parameters
    ----------
    type_filter : {"classifier", "transformer"} or None, default=None
        Keep estimators of this kind alone.

    Returns
    -------
    list of (name, class)
        In the order of their names.

    Examples
    --------
    >>> from skau.utils import all_estimators
    >>> "DSNClassifier" in dict(all_estimators("classifier"))
    True
    """
    if type_filter is not None and type_filter not in _KINDS:
        raise ValueError(f"type_filter must be None or one of {list(_KINDS)}, got {type_filter!r}")
    kind = BaseEstimator if type_filter is None else _KINDS[type_filter]
    found = {}
    for room in _ROOMS:
        module = import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            if (
                inspect.isclass(thing)
                and issubclass(thing, BaseEstimator)
                and issubclass(thing, kind)
            ):
                found[name] = thing
    return sorted(found.items())
