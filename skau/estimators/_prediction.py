"""What every classifier here knows of its AUs: their names, and which were not learned."""

import numpy as np
from sklearn.utils import Tags

from ..metrics._scorers import AccuracyMixin
from ..utils._classifier import MultiAUMixin
from ..utils._pages import PagesMixin

__all__ = ["AUClassifierMixin"]


class AUClassifierMixin(PagesMixin, AccuracyMixin, MultiAUMixin):
    """Predict from ``decision_function``, which ends in ``_squeeze``."""

    classes_: np.ndarray
    au_names_: np.ndarray
    _unlearned: np.ndarray  # (n_aus,) bool: which had no label in training

    def _squeeze(self, logits: np.ndarray) -> np.ndarray:
        """Finish logits (n, n_aus): NaN where nothing was learned, (n, 1) -> (n,) of one AU."""
        logits = np.where(self._unlearned, np.nan, logits)
        return logits[:, 0] if self._single else logits

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
