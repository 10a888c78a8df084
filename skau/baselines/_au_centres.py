"""Where in an aligned crop each AU shows."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from ..preprocessing._alignment import EYE_LINE, EYE_TO_MOUTH

_EYE = 0.45
# From the mid-point of the eyes, in units of the distance to the mouth: how far to each side,
# how far down. After the rules of EAC-Net, which measures from 68 landmarks.
_OFFSETS = (
    (0.20, -0.42),  # AU1: above the inner end of the brow
    (0.65, -0.40),  # AU2: above its outer end
    (0.40, -0.25),  # AU4: below its middle
    (0.50, 0.35),  # AU6: cheek
    (_EYE, 0.00),  # AU7: eye
    (0.20, 0.80),  # AU10: above the upper lip
    (0.37, 1.00),  # AU12, AU14, AU15: corner of the lips
    (0.20, 1.35),  # AU17: chin
    (0.12, 1.00),  # AU23, AU24: middle of the lips
)

# The same by 68 points: which ones on either side, and how far below their mean.
_IBUG = (
    (((21,), (22,)), -1 / 2),  # AU1
    (((17,), (26,)), -1 / 3),  # AU2
    (((19,), (24,)), 1 / 3),  # AU4
    (((40, 41), (46, 47)), 1),  # AU6
    ((range(36, 42), range(42, 48)), 0),  # AU7
    (((50,), (52,)), 0),  # AU10
    (((48,), (54,)), 0),  # AU12, AU14, AU15
    (((58,), (56,)), 1 / 2),  # AU17
    (((61, 67), (63, 65)), 0),  # AU23, AU24
)

TEMPLATE_CENTRES = tuple(
    (0.5 + side * across * EYE_TO_MOUTH, EYE_LINE + down * EYE_TO_MOUTH)
    for across, down in _OFFSETS
    for side in (-1, 1)
)
"""``x, y`` of 18 AU centres, 0 to 1, in a crop aligned at the eyes (``FaceCropper``)."""

RADIUS = 0.1  # of the attention about a centre, in fractions of the sides


def centres_from_points(points: np.ndarray) -> np.ndarray:
    """Place the AU centres by five points of the face, or by 68.

    Five points, those of ``FaceCropper``, span the face: its width by the eyes, its height from
    their mid-point to that of the mouth's corners. The template's centres are moved with them.
    With 68 points, in the order of iBUG, the places are those of EAC-Net, in units of the
    distance between the inner corners of the eyes.

    Parameters
    ----------
    points : ndarray of shape (n, 5, 2) or (n, 68, 2)

    Returns
    -------
    ndarray of shape (n, 18, 2), in the same coordinates
    """
    if points.shape[1] == 5:
        middle, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
        across, down = (points[:, 1] - points[:, 0]) / (2 * _EYE), mouth - middle
        sided = np.array([(side * x, y) for x, y in _OFFSETS for side in (-1, 1)])
        frame = np.stack([across, down], axis=1)
        return middle[:, None] + sided @ frame
    inner = points[:, 42] - points[:, 39]
    below = np.stack([-inner[:, 1], inner[:, 0]], axis=1)  # as long as it
    places = [
        points[:, list(rows)].mean(axis=1) + down * below for both, down in _IBUG for rows in both
    ]
    return np.stack(places, axis=1)


def attention_maps(centres: Tensor, height: int, width: int, radius: float = RADIUS) -> Tensor:
    """1 at every AU centre, falling to 0 linearly, in city-block distance, within ``radius``.

    Parameters
    ----------
    centres : Tensor of shape (..., k, 2)
        ``x, y`` in fractions of the sides.
    height, width : int
    radius : float
        In fractions of the sides.

    Returns
    -------
    Tensor of shape (..., height, width)
    """
    x = (torch.arange(width, device=centres.device, dtype=centres.dtype) + 0.5) / width
    y = (torch.arange(height, device=centres.device, dtype=centres.dtype) + 0.5) / height
    cx, cy = centres[..., 0, None], centres[..., 1, None]
    distance = (x - cx).abs()[..., None, :] + (y - cy).abs()[..., :, None]
    return F.relu(1 - distance / radius).amax(dim=-3)


Centres = str | ArrayLike


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
