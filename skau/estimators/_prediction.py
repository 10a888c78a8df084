"""From AU logits to probabilities, classes and a score; the same for every classifier."""

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags

from ..utils._pages import PagesMixin

__all__ = ["AUClassifierMixin"]


class AUClassifierMixin(PagesMixin, ClassifierMixin):
    """Predict from ``decision_function``, which the classifier writes itself."""

    classes_: np.ndarray
    au_names_: np.ndarray
    _single: bool  # one AU: Y was (n,) or (n, 1)
    _unlearned: np.ndarray  # (n_aus,) bool: which had no label in training

    # groups reach these methods through pipelines and searches without set_*_request
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__decision_function: ClassVar[dict[str, bool]] = {"groups": True}

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits: (n, n_aus), or (n,) of a single AU."""
        raise NotImplementedError

    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the probability of each AU.

        Parameters
        ----------
        X, groups
            As in ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n, 2) of a single AU
            Probability that the AU is present, NaN for an AU that had no label in ``fit``; of a
            single AU (``y`` of shape (n,) or (n, 1)) that of the two ``classes_``, in their
            order, as scikit-learn's binary classifiers give it.
        """
        return self._to_proba(self.decision_function(X, groups))

    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Say which AUs are present: probability above one half.

        Parameters
        ----------
        X, groups
            As in ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), int, or (n,) of the two classes of a single AU
            Float, with columns of NaN, if an AU had no label in ``fit``.
        """
        return self._to_labels(self.decision_function(X, groups))

    def _squeeze(self, logits: np.ndarray) -> np.ndarray:
        """Finish logits (n, n_aus): NaN where nothing was learned, (n, 1) -> (n,) of one AU."""
        logits = np.where(self._unlearned, np.nan, logits)
        return logits[:, 0] if self._single else logits

    def _to_proba(self, logits: np.ndarray) -> np.ndarray:
        p = expit(logits)
        return np.column_stack([expit(-logits), p]) if self._single else p

    def _to_labels(self, logits: np.ndarray) -> np.ndarray:
        present = (logits > 0).astype(np.int64)
        if self._single:
            return self.classes_[present]
        return np.where(np.isnan(logits), np.nan, present) if self._unlearned.any() else present

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy over the annotated labels.

        For one AU this is scikit-learn's accuracy; for several, the mean of each AU's. Present
        AUs are rare, so compare methods by ``skau.metrics.f1_frame_scorer`` instead.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.
        y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
            Labels; NaN is not counted. The columns of a DataFrame are matched by name.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        float
        """
        from ..metrics import accuracy_scorer

        return accuracy_scorer(self, X, y, sample_weight=sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
