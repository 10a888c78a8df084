"""What every classifier here knows of its AUs: their names, and which were not learned."""

from typing import Any

import numpy as np
from sklearn.utils import Tags

from ..metrics._scorers import AccuracyMixin
from ..utils._classifier import MultiAUMixin
from ..utils._docs import substitute
from ._docstrings import docstring_parts


class AUClassifierMixin(AccuracyMixin, MultiAUMixin):
    """Predict from ``decision_function``, which ends in ``_squeeze``.

    Lines such as ``{au_attributes}`` in the docstrings of subclasses stand for `docstring_parts`.
    """

    classes_: np.ndarray
    au_names_: np.ndarray
    _unlearned: np.ndarray  # (n_aus,) bool: which had no label in training

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        substitute(docstring_parts(cls.__name__))(cls)

    def _squeeze(self, logits: np.ndarray) -> np.ndarray:
        """Finish logits (n, n_aus): NaN where nothing was learned, (n, 1) -> (n,) of one AU."""
        logits = np.where(self._unlearned, np.nan, logits)
        return logits[:, 0] if self._single else logits

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
