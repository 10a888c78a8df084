"""What scikit-learn asks of every classifier of AUs: its default score, tags, and routing."""

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags

from ._scorers import accuracy_scorer

__all__ = ["MultiAUMixin"]


class MultiAUMixin(ClassifierMixin):
    """Default score, tags, groups that reach the predictions, and the form of probabilities.

    It is for classifiers that train a network and for those that wrap another classifier.
    """

    _single: bool  # one AU: y was (n,) or (n, 1)

    # groups reach these methods through pipelines and searches without set_*_request
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__decision_function: ClassVar[dict[str, bool]] = {"groups": True}

    def _to_proba(self, logits: np.ndarray) -> np.ndarray:
        """Turn logits (n, n_aus), or (n,) of a single AU, into what ``predict_proba`` returns."""
        p = expit(logits)
        return np.column_stack([expit(-logits), p]) if logits.ndim == 1 else p

    def _decide(self, present: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Give decisions the form in which ``predict`` returns them; unknown by NaN in scores."""
        if self._single:
            return self.classes_[present.ravel().astype(int)]
        unknown = np.isnan(scores)
        return np.where(unknown, np.nan, present) if unknown.any() else present.astype(int)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy over the annotated labels.

        For one AU this is scikit-learn's accuracy; for several, the mean of each AU's. Present
        AUs are rare, so compare methods by ``skau.metrics.f1_frame_scorer`` instead.

        Parameters
        ----------
        X : array-like
            As at ``fit``.
        y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
            Labels; NaN is not counted. The columns of a DataFrame are matched by name.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        float
        """
        return accuracy_scorer(self, X, y, sample_weight=sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
