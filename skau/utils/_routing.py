"""Pass the subjects on to what a meta-estimator holds, with metadata routing or without."""

from typing import Any

from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


def fit_groups(estimator: Any, groups: Any) -> dict[str, Any]:
    """Name ``groups`` as the ``fit`` of an estimator wants them; nothing if it takes none."""
    if groups is None:
        return {}
    if isinstance(estimator, Pipeline) and not get_config()["enable_metadata_routing"]:
        return {
            f"{name}__{inner}": value
            for name, step in estimator.steps
            for inner, value in (fit_groups(step, groups) if hasattr(step, "fit") else {}).items()
        }
    if hasattr(estimator, "steps") or has_fit_parameter(estimator, "groups"):
        return {"groups": groups}
    return {}


def predict_groups(model: Any, method: str, X: Any, groups: Any) -> Any:
    """Call a method of a fitted model with ``groups``.

    A pipeline passes them on only where metadata routing is on; here its last step always gets
    them.
    """
    if groups is None:
        return getattr(model, method)(X)
    if isinstance(model, Pipeline):
        X = model[:-1].transform(X) if len(model) > 1 else X
        return predict_groups(model[-1], method, X, groups)
    return getattr(model, method)(X, groups=groups)
