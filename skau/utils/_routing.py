"""Pass the subjects on to what a meta-estimator holds, with metadata routing or without."""

from inspect import signature
from typing import Any

from sklearn import get_config
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from ._sklearn import BaseSearchCV


def fit_groups(estimator: Any, groups: Any) -> dict[str, Any]:
    """Name ``groups`` as the ``fit`` of an estimator wants them; nothing if it takes none.

    Without metadata routing a search gives them to its splitter alone.
    """
    if groups is None:
        return {}
    routing = get_config()["enable_metadata_routing"]
    if isinstance(estimator, Pipeline) and not routing:
        return {
            f"{name}__{inner}": value
            for name, step in estimator.steps
            for inner, value in (fit_groups(step, groups) if hasattr(step, "fit") else {}).items()
        }
    if routing:
        taken = get_routing_for_object(estimator).consumes("fit", ["groups"])
    else:
        taken = isinstance(estimator, BaseSearchCV)
    return {"groups": groups} if taken or has_fit_parameter(estimator, "groups") else {}


def predict_groups(model: Any, method: str, X: Any, groups: Any) -> Any:
    """Call a method of a fitted model with ``groups``.

    A pipeline passes them on only where metadata routing is on, a search never; here the best
    model, the last step, and the steps before it whose ``transform`` takes them, always get them.
    """
    if groups is None:
        return getattr(model, method)(X)
    if isinstance(model, FrozenEstimator):
        return predict_groups(model.estimator, method, X, groups)
    if hasattr(model, "best_estimator_"):
        return predict_groups(model.best_estimator_, method, X, groups)
    if isinstance(model, Pipeline):
        X = _through(model.steps[:-1], X, groups)
        return predict_groups(model[-1], method, X, groups)
    return getattr(model, method)(X, groups=groups)


def _through(steps: list[tuple[str, Any]], X: Any, groups: Any) -> Any:
    """Transform X by one step after the other, with ``groups`` where they are taken."""
    for name, step in steps:
        if isinstance(step, Pipeline):
            X = _through(step.steps, X, groups)
        elif isinstance(step, FrozenEstimator):
            X = _through([(name, step.estimator)], X, groups)
        elif step not in (None, "passthrough"):
            taken = "groups" in signature(step.transform).parameters
            X = step.transform(X, **({"groups": groups} if taken else {}))
    return X
