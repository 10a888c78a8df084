"""From AU logits to probabilities, classes and a score; the same for every classifier."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags

__all__ = ["AUClassifierMixin"]


class AUClassifierMixin(ClassifierMixin):
    """Predict from ``decision_function``, which the classifier writes itself."""

    classes_: np.ndarray
    au_names_: np.ndarray
    _single: bool  # Y was 1-D

    # groups reach these methods through pipelines and searches without set_*_request
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__decision_function: ClassVar[dict[str, bool]] = {"groups": True}

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits: (n, n_aus), or (n,) after a 1-D ``y``."""
        raise NotImplementedError

    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the probability of each AU.

        Parameters
        ----------
        X, groups
            As in ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n, 2) after a 1-D ``y``
            Probability that the AU is present; after a 1-D ``y`` the two classes' in the order
            of ``classes_``.
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
        ndarray of shape (n, n_aus), int, or (n,) of the two classes after a 1-D ``y``
        """
        return self._to_labels(self.decision_function(X, groups))

    def _squeeze(self, logits: np.ndarray) -> np.ndarray:
        """(n, 1) -> (n,) after a 1-D ``y``."""
        return logits[:, 0] if self._single else logits

    def _to_proba(self, logits: np.ndarray) -> np.ndarray:
        p = expit(logits)
        return np.column_stack([expit(-logits), p]) if self._single else p

    def _to_labels(self, logits: np.ndarray) -> np.ndarray:
        present = (logits > 0).astype(np.int64)
        return self.classes_[present] if self._single else present

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy over the annotated labels.

        For one AU this is scikit-learn's accuracy; for several, the mean of each AU's. Present
        AUs are rare, so compare methods by ``skau.metrics.f1_frame_scorer`` instead.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.
        y : array-like of shape (n, n_aus) or (n,)
            Labels; NaN is not counted.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        float
        """
        from ..metrics import accuracy

        if self._single:
            known = ~pd.isna(np.asarray(y))
            weight = None if sample_weight is None else np.asarray(sample_weight)[known]
            hits = (self.predict(X) == np.asarray(y))[known]
            return float(np.average(hits, weights=weight))
        return float(np.nanmean(accuracy(y, self.predict(X), sample_weight=sample_weight)))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
