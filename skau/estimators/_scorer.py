"""What a fitted pipeline says of face crops: one column of probabilities for each AU."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..preprocessing import FaceCropper
from ..utils._unwrap import classifier_of
from ._prediction import AUClassifierMixin

__all__ = ["Scorer"]


class Scorer:
    """The two halves of a pipeline: what cuts faces, and what scores them.

    Parameters
    ----------
    model : estimator
        A fitted pipeline that begins with a FaceCropper, or a search around one. Whatever follows
        must have ``predict_proba``; nested pipelines and meta-estimators are welcome.

    Attributes
    ----------
    cropper : FaceCropper
    names : list of str
        The AUs; ``y0, y1, ...`` where the model does not name them.

    Raises
    ------
    ValueError
        If ``model`` is anything else, is not fitted, or predicts more than two classes.
    """

    def __init__(self, model: Any) -> None:
        self.cropper, self._rest = _halves(model)
        if not hasattr(self._rest, "predict_proba"):
            raise ValueError(
                f"model ends in {_short(self._rest)}, which has no predict_proba; choose a "
                "classifier that has"
            )
        check_is_fitted(self._rest[-1] if isinstance(self._rest, Pipeline) else self._rest)
        size = self.cropper.size
        noise = np.random.RandomState(0).randint(0, 256, (2, size, size, 3)).astype(np.uint8)
        self._single = np.ndim(self._rest.predict(noise)) == 1
        self.print = np.round(self.proba(noise), 4).tolist()
        """What the model says of two fixed images: other models say something else."""
        n = len(self.print[0])
        names = getattr(classifier_of(self._rest), "au_names_", None)
        if names is None or len(names) != n:
            names = [f"y{j}" for j in range(n)]
        self.names = [str(name) for name in names]

    def proba(self, crops: np.ndarray) -> np.ndarray:
        """Compute the probability of each AU, (n, n_aus), of crops (n, size, size, 3)."""
        proba = self._rest.predict_proba(crops)
        if not isinstance(proba, list):
            return _present(proba, self._rest.classes_) if self._single else np.asarray(proba)
        classes = self._rest.classes_
        return np.hstack([_present(p, c) for p, c in zip(proba, classes, strict=True)])

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """Compute the logit of each AU, (n, n_aus)."""
        return np.asarray(self._rest.decision_function(crops)).reshape(len(crops), -1)

    def story(self) -> dict[str, Any]:
        """Say what the model is."""
        classifier = classifier_of(self._rest)
        return {"classifier": type(classifier).__name__, "pipeline": _short(self._rest, 2000)}

    def thresholds(self) -> dict[str, float]:
        """Return from which probability on each AU counts as present."""
        last = classifier_of(self._rest)
        own = getattr(last, "thresholds_", getattr(last, "best_threshold_", 0.5))
        values = np.broadcast_to(np.asarray(own, float), len(self.names)).tolist()
        return dict(zip(self.names, values, strict=True))

    def population(self, argument: str) -> pd.DataFrame:
        """Return how people's logits differ; the error names the argument that needs it."""
        population = self.known_population()
        if population is None:
            raise ValueError(
                f"{argument} needs a model that knows how people differ, fitted with groups that "
                "name several people with several frames of each: a FaceCropper and a skau "
                f"classifier; this one ends in {_short(self._rest)}"
            )
        return population

    def known_population(self) -> pd.DataFrame | None:
        """Return how people's logits differ; None where the model does not know."""
        model = self._rest
        if hasattr(model, "thresholds_"):  # they leave the logits as they are
            model = model.estimator_
        if not isinstance(model, AUClassifierMixin):
            return None
        population = getattr(getattr(model, "estimator_", model), "population_", None)
        known = population is not None and population["frames"].notna().all()
        return population if known else None


def _halves(model: Any) -> tuple[FaceCropper, Any]:
    steps = _steps(model)
    if len(steps) < 2 or not isinstance(steps[0][1], FaceCropper):
        raise ValueError(
            f"model is {_short(model)}; expected a fitted pipeline of a FaceCropper and a "
            "classifier, make_pipeline(FaceCropper(size=...), classifier), or a search around one"
        )
    rest = steps[1:]
    return steps[0][1], rest[0][1] if len(rest) == 1 else Pipeline(rest)


def _steps(model: Any) -> list[tuple[str, Any]]:
    """Return the steps of a pipeline, those of pipelines inside it among them."""
    # a fitted search predicts by its best pipeline, a threshold classifier by its only one
    inner = getattr(model, "best_estimator_", getattr(model, "estimator_", None))
    if inner is not None and isinstance(inner, Pipeline) and _begins_with_cropper(inner):
        return _steps(inner)
    if not isinstance(model, Pipeline):
        return [("model", model)]
    steps: list[tuple[str, Any]] = []
    for name, step in model.steps:
        if step is None or step == "passthrough":
            continue
        inside = _steps(step) if isinstance(step, Pipeline) else [(name, step)]
        steps += [(f"{name}-{own}" if len(inside) > 1 else name, one) for own, one in inside]
    return steps


def _begins_with_cropper(pipeline: Pipeline) -> bool:
    return isinstance(_steps(pipeline)[0][1], FaceCropper)


def _present(proba: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the column of the larger of two classes, (n, 1); absent is the smaller."""
    if len(classes) > 2:
        raise ValueError(
            f"model predicts {len(classes)} classes of one output; an AU has two: absent, present"
        )
    if len(classes) == 2:
        return np.asarray(proba)[:, 1:]
    return np.full((len(proba), 1), float(classes[0] == 1))  # only one class was seen


def _short(model: Any, most: int = 80) -> str:
    return " ".join(repr(model).split())[:most]
