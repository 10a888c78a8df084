"""The parameter ``centres`` of the methods that look at the AUs' places on the face."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import StrOptions

from ..modules.au_centres import TEMPLATE_CENTRES

__all__ = ["CENTRES_CONSTRAINT", "Centres", "check_centres"]

Centres = str | ArrayLike
CENTRES_CONSTRAINT: list[Any] = [StrOptions({"template"}), "array-like"]


def check_centres(centres: Centres) -> tuple[tuple[float, float], ...]:
    """Return ``x, y`` pairs from 0 to 1."""
    if isinstance(centres, str):
        return TEMPLATE_CENTRES
    array = np.asarray(centres, dtype=float)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise ValueError(f"centres must have shape (k, 2): x, y of k places; got {array.shape}")
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError(
            "centres must lie between 0 and 1, in fractions of the crop's sides: divide pixels "
            "by the width and the height"
        )
    return tuple((float(x), float(y)) for x, y in array)
