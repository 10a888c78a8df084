"""From AU logits to probabilities, and classes; the same for every classifier."""

from typing import Any

import numpy as np
from sklearn.utils import Tags

from ..metrics._classifier import MultiAUMixin
from ..utils._pages import PagesMixin

__all__ = ["AUClassifierMixin"]


class AUClassifierMixin(PagesMixin, MultiAUMixin):
    """Predict from ``decision_function``, which the classifier writes itself."""

    classes_: np.ndarray
    au_names_: np.ndarray
    _unlearned: np.ndarray  # (n_aus,) bool: which had no label in training

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
        logits = self.decision_function(X, groups)
        return self._decide(logits > 0, logits)

    def _squeeze(self, logits: np.ndarray) -> np.ndarray:
        """Finish logits (n, n_aus): NaN where nothing was learned, (n, 1) -> (n,) of one AU."""
        logits = np.where(self._unlearned, np.nan, logits)
        return logits[:, 0] if self._single else logits

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
