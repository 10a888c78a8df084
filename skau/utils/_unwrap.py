"""What a fitted model holds: the steps of pipelines, the best of searches, what is wrapped."""

from collections.abc import Iterator
from typing import Any


def _layers(model: Any) -> Iterator[Any]:
    """Yield a fitted model, what it holds, what that holds, ..."""
    while model is not None:
        yield model
        model = _held(model)


def _held(model: Any) -> Any:
    if hasattr(model, "steps"):
        return model.steps[-1][1]
    if hasattr(model, "calibrated_classifiers_"):
        return model.calibrated_classifiers_[0]
    for name in ("best_estimator_", "estimator_"):
        if hasattr(model, name):
            return getattr(model, name)
    if hasattr(model, "estimators_"):  # several, of which none speaks for all
        return None
    return getattr(model, "estimator", None)  # frozen, or fitted beforehand


def classifier_of(model: Any) -> Any:
    """Return the classifier at the end of a pipeline, or inside a fitted search."""
    around = ("steps", "best_estimator_")
    return next(
        layer for layer in _layers(model) if not any(hasattr(layer, name) for name in around)
    )


def fitted_attribute(model: Any, attribute: str) -> Any:
    """Return an attribute of a fitted model or of what it holds, None where none has it."""
    values = (getattr(layer, attribute, None) for layer in _layers(model))
    return next((value for value in values if value is not None), None)
