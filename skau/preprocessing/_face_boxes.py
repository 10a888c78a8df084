"""Boxes of faces: the edges ``x1, y1, x2, y2`` that a row of the landmark table begins with."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[int, int, int, int]
Row = NDArray[np.float64]


def whole(image: Image.Image) -> Box:
    return (0, 0, *image.size)


def area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(a: Row, b: Row) -> float:
    """Return the common area of two boxes by that of both (IoU)."""
    common = _common(a, b)
    both = float((a[2:4] - a[0:2]).prod() + (b[2:4] - b[0:2]).prod() - common)
    return common / max(both, 1e-9)


def inside(a: Row, b: Row) -> float:
    """Return the part of a box that lies in another one."""
    return _common(a, b) / max(float((a[2:4] - a[0:2]).prod()), 1e-9)


def _common(a: Row, b: Row) -> float:
    low, high = np.maximum(a[0:2], b[0:2]), np.minimum(a[2:4], b[2:4])
    return float((high - low).clip(min=0).prod())


def _side(values: Row) -> float:
    return float((values[2:4] - values[0:2]).max())


def distance(a: Row, b: Row) -> float:
    """Return how far two boxes' centres are from each other, by the larger side."""
    shift = (a[0:2] + a[2:4] - b[0:2] - b[2:4]) / 2
    return float(np.linalg.norm(shift) / max(_side(a), _side(b), 1e-9))


def growth(a: Row, b: Row) -> float:
    return abs(float(np.log(max(_side(a), 1e-9) / max(_side(b), 1e-9))))
