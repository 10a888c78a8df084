"""What has changed in a film since it was last searched for faces."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._face_boxes import Box, whole

__all__ = ["Changes"]

GRAIN = 4  # pixels that are looked at together: much smaller than a face, larger than noise
LEVELS = 8  # of 255 by which a place must change: more than what compression adds
AROUND = 0.5  # a change may be a part of a face: so much of its side is searched around it, ...
LEAST = 32  # ... and at least so many pixels


class Changes:
    """Compare frames with the last one that was searched as a whole, without finding anybody.

    Attributes
    ----------
    searched : ndarray of shape (height / 4, width / 4) or None
        The grey levels of that frame.
    """

    def __init__(self) -> None:
        self.searched: NDArray[np.uint8] | None = None

    def box(self, image: Image.Image) -> Box:
        """Return the edges ``x1, y1, x2, y2`` of what has changed; empty where nothing has."""
        now, before = _small(image), self.searched
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

    def settle(self, image: Image.Image) -> None:
        """Take note that all of a frame has been searched."""
        self.searched = _small(image)


def _small(image: Image.Image) -> NDArray[np.uint8]:
    return np.array(image.convert("L").reduce(GRAIN))
