"""What a fitted pipeline says of face crops: one column of probabilities for each AU."""

from copy import copy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy.special import expit, logit
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from .._version import __version__
from ..datasets import load_sample_faces
from ..preprocessing import FaceCropper
from ..preprocessing._worker import Worker
from ..utils._cache import Cache
from ..utils._labels import default_names, fitted_names, present_proba
from ..utils._unwrap import classifier_of
from ._prediction import AUClassifierMixin

# as our own TunedThresholdsClassifier, they leave probabilities and logits as they are
_DECIDING = (FixedThresholdClassifier, TunedThresholdClassifierCV)
_SURE = 1e-9  # probabilities nearer to 0 or 1 are not told apart


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
    learned : ndarray of bool, (n_aus,)
        Which have scores; an AU without a label in training is NaN.

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
        faces = _faces(size).copy()
        try:
            self._single = np.ndim(self._rest.predict(faces[:2])) == 1
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"model: what follows its cropper takes no crops of {size} x {size}: {error}"
            ) from error
        # as log-odds, in which rare AUs and sure models differ, too; -0.0 is another key than 0.0
        said = np.round(logit(np.clip(self.proba(faces), _SURE, 1 - _SURE)), 2) + 0.0
        self.learned = ~np.isnan(said).all(axis=0)
        # NaN, of an AU that was not learned, does not equal itself
        self._print = [[None if np.isnan(p) else p for p in row] for row in said.tolist()]
        names, n = fitted_names(self._rest), said.shape[1]
        self.names = default_names(n) if names is None or len(names) != n else names

    def proba(self, crops: np.ndarray) -> np.ndarray:
        """Compute the probability of each AU, (n, n_aus), of crops (n, size, size, 3)."""
        proba = self._rest.predict_proba(crops)
        table = present_proba(proba, self._single, self._rest.classes_)
        if len(table) != len(crops):
            raise ValueError(f"model predicts {len(table)} rows of {len(crops)} crops")
        return table

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """Compute the logit of each AU, (n, n_aus)."""
        return np.asarray(self._rest.decision_function(crops)).reshape(len(crops), -1)

    def run(self) -> dict[str, Any]:
        """Return what tells the model from others; ``model`` is its word on a dozen faces."""
        population = self.known_population()
        return {
            "cropper": vars(replace(Worker.of(self.cropper), device="")),
            "aus": self.names,
            "model": self._print,
            "thresholds": self.thresholds(),
            "population": None if population is None else Cache.key(population.values.tolist()),
            "version": __version__,
        }

    def story(self) -> dict[str, Any]:
        """Say what the model is."""
        classifier = classifier_of(self._rest)
        return {"classifier": type(classifier).__name__, "pipeline": _short(self._rest, 2000)}

    def thresholds(self) -> dict[str, float]:
        """Return from which probability on each AU counts as present."""
        last = classifier_of(self._rest)
        own = getattr(last, "thresholds_", 0.5)
        if isinstance(last, _DECIDING):
            own = getattr(last, "best_threshold_", getattr(last, "threshold", "auto"))
            if last.response_method == "decision_function":
                own = expit(0.0 if own == "auto" else own)
            own = 0.5 if own == "auto" else own
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
        if hasattr(model, "thresholds_") or isinstance(model, _DECIDING):
            model = model.estimator_
        if not isinstance(model, AUClassifierMixin):
            return None
        population = getattr(getattr(model, "estimator_", model), "population_", None)
        known = population is not None and population["frames"].notna().all()
        return population if known else None


@cache
def _faces(size: int) -> np.ndarray:
    """Return faces of a dozen people, (12, size, size, 3)."""
    faces = load_sample_faces().images[5::41]
    return np.stack([np.asarray(Image.fromarray(face).resize((size, size))) for face in faces])


def _halves(model: Any) -> tuple[FaceCropper, Any]:
    cropper, *rest = _steps(model)
    if not rest or not isinstance(cropper, FaceCropper):
        raise ValueError(
            f"model is {_short(model)}; expected a fitted pipeline of a FaceCropper and a "
            "classifier, make_pipeline(FaceCropper(size=...), classifier), or a search around one"
        )
    return cropper, _joined(rest)


def _joined(steps: list[Any]) -> Any:
    return steps[0] if len(steps) == 1 else make_pipeline(*steps)


def _steps(model: Any) -> list[Any]:
    """Return the steps of a pipeline, those of pipelines inside it among them.

    What stands around pipelines with a cropper comes to stand around what follows the cropper.
    """
    if isinstance(model, FrozenEstimator):
        return _steps(model.estimator)
    if hasattr(model, "best_estimator_"):  # of a search, which predicts by it alone
        return _steps(model.best_estimator_)
    if isinstance(model, Pipeline):
        steps: list[Any] = []
        for _, step in model.steps:
            if step is None or step == "passthrough":
                continue
            step = step.estimator if isinstance(step, FrozenEstimator) else step
            steps += _steps(step) if isinstance(step, Pipeline) else [step]
        return steps
    for name in ("estimator_", "calibrated_classifiers_", "estimators_"):
        if hasattr(model, name):
            return _around(model, name)
    return [model]


def _around(model: Any, name: str) -> list[Any]:
    """Take the croppers of the pipelines that a fitted attribute holds out of it."""
    held = getattr(model, name)
    parts = held if isinstance(held, list) else [held]
    of_sklearn = name == "calibrated_classifiers_"  # pairs of a classifier and its curve
    halves = [
        None if part is None else _steps(part.estimator if of_sklearn else part) for part in parts
    ]
    found = [half for half in halves if half is not None]
    croppers = [half[0] for half in found if len(half) > 1 and isinstance(half[0], FaceCropper)]
    if not croppers:
        return [model]
    if len(croppers) < len(found) or len({Worker.of(cropper) for cropper in croppers}) > 1:
        raise ValueError(
            f"model: what {type(model).__name__} holds does not all look at the same crop of a "
            "face, and films and photos are cut once; model.predict_proba scores images, or the "
            "frames of read_video, by each one's own"
        )
    rests: list[Any] = [half and _joined(half[1:]) for half in halves]
    if of_sklearn:
        for i, part in enumerate(parts):
            pair = copy(part)
            pair.estimator, rests[i] = rests[i], pair
    around = copy(model)
    setattr(around, name, rests if isinstance(held, list) else rests[0])
    return [croppers[0], around]


def _short(model: Any, most: int = 80) -> str:
    return " ".join(repr(model).split())[:most]
