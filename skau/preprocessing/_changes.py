"""What has changed in a film since it was last searched for faces."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._face_boxes import Box, whole

GRAIN = 4  # pixels that are looked at together: much smaller than a face, larger than noise
LEVELS = 8  # of 255 by which a place must change: more than what compression adds
AROUND = 0.5  # a change may be a part of a face: so much of its side is searched around it, ...
LEAST = 32  # ... and at least so many pixels


def grey_levels(image: Image.Image) -> NDArray[np.uint8]:
    """Return what is compared of a frame, of shape (height / 4, width / 4)."""
    return np.array(image.convert("L").reduce(GRAIN))


def changed_part(before: NDArray[np.uint8] | None, image: Image.Image) -> Box:
    """Return the edges ``x1, y1, x2, y2`` of what is not as before; empty where all is.

    ``before`` are the `grey_levels` of the last frame that was searched as a whole.
    """
    now = grey_levels(image)
    if before is None or before.shape != now.shape:
        return whole(image)
    other = np.abs(now.astype(int) - before) >= LEVELS
    if not other.any():
        return (0, 0, 0, 0)
    edges = []
    for axis, length in ((0, image.width), (1, image.height)):
        where = np.flatnonzero(other.any(axis=axis))
        low, high = GRAIN * int(where[0]), GRAIN * (int(where[-1]) + 1)
        around = max(LEAST, round(AROUND * (high - low)))
        edges.append((max(0, low - around), min(length, high + around)))
    (x1, x2), (y1, y2) = edges
    return x1, y1, x2, y2
