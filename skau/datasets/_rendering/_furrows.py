"""The furrows each Action Unit folds into the skin (Ekman, Friesen & Hager, FACS, 2002)."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import ndimage

from ._canvas import SIZE, strokes, texel

# AU -> lines on the person's left half of the mean face: x and y of their points, and depth.
# Every line is mirrored, but for those on the midline.
_LINES: dict[int, list[tuple[float, list[tuple[float, float]]]]] = {
    1: [  # horizontal, in the middle of the forehead
        (0.7, [(-0.24, 7.655), (-0.1, 7.64), (0.1, 7.64), (0.24, 7.655)]),
        (0.6, [(-0.26, 7.735), (-0.1, 7.72), (0.1, 7.72), (0.26, 7.735)]),
        (0.4, [(-0.2, 7.81), (0.2, 7.81)]),
    ],
    2: [  # horizontal, above the outer brow
        (1.0, [(0.27, 7.62), (0.4, 7.63), (0.52, 7.59)]),
        (0.8, [(0.28, 7.70), (0.4, 7.71), (0.52, 7.67)]),
    ],
    4: [  # vertical, between the brows
        (1.2, [(0.055, 7.36), (0.05, 7.45), (0.07, 7.54)]),
        (0.8, [(-0.05, 7.30), (0.05, 7.30)]),
    ],
    6: [  # crow's feet and the furrow below the eye
        (0.8, [(0.50, 7.29), (0.58, 7.33)]),
        (0.9, [(0.51, 7.26), (0.60, 7.255)]),
        (0.8, [(0.50, 7.23), (0.58, 7.18)]),
        (0.9, [(0.16, 7.16), (0.27, 7.105), (0.38, 7.11), (0.48, 7.17)]),
    ],
    7: [(1.2, [(0.20, 7.20), (0.30, 7.178), (0.42, 7.20)])],
    9: [  # across the root and down the sides of the nose
        (1.0, [(-0.06, 7.24), (0.0, 7.23), (0.06, 7.24)]),
        (0.9, [(-0.07, 7.29), (0.0, 7.28), (0.07, 7.29)]),
        (1.0, [(0.08, 7.16), (0.15, 7.02)]),
        (0.8, [(0.17, 6.96), (0.24, 6.86)]),
    ],
    10: [(1.1, [(0.17, 6.97), (0.23, 6.90), (0.29, 6.80)])],
    12: [(1.1, [(0.18, 6.95), (0.27, 6.86), (0.34, 6.74), (0.36, 6.62)])],
    14: [(1.3, [(0.285, 6.65), (0.305, 6.60), (0.295, 6.55)])],
    15: [(1.2, [(0.265, 6.57), (0.30, 6.50), (0.32, 6.42)])],
    17: [
        (1.5, [(-0.16, 6.40), (-0.08, 6.425), (0.08, 6.425), (0.16, 6.40)]),
        (0.5, [(0.05, 6.30), (0.09, 6.26)]),
        (0.5, [(0.02, 6.24), (0.05, 6.20)]),
    ],
    18: [(0.7, [(0.05, 6.74), (0.06, 6.70)]), (0.7, [(0.12, 6.72), (0.13, 6.68)])],
    20: [(1.0, [(0.31, 6.66), (0.34, 6.60), (0.33, 6.53)])],
    23: [
        (1.3, [(-0.18, 6.745), (0.0, 6.755), (0.18, 6.745)]),
        (1.3, [(-0.16, 6.475), (0.0, 6.465), (0.16, 6.475)]),
    ],
    24: [
        (1.4, [(0.25, 6.63), (0.30, 6.60), (0.30, 6.55)]),
        (1.3, [(-0.17, 6.46), (0.0, 6.45), (0.17, 6.46)]),
    ],
}  # fmt: skip


@cache
def furrow_maps() -> dict[int, np.ndarray]:
    """Draw the furrows of each AU on the unrolled skin."""
    return {number: furrow_map(lines) for number, lines in _LINES.items()}


def furrow_map(lines: list[tuple[float, list[tuple[float, float]]]]) -> np.ndarray:
    """Draw lines and their mirror images: depth, and below 0 the rim's bulge."""
    depth = np.zeros((SIZE, SIZE))
    for strength, points in lines:
        mirrored = [(-x, y) for x, y in points]
        sides = [points] if sorted(points) == sorted(mirrored) else [points, mirrored]
        for side in sides:
            depth = np.maximum(depth, strength * _line(np.array(side)))
    narrow, wide = (ndimage.gaussian_filter(depth, sigma) for sigma in (1.6, 5.0))
    dent = narrow - 0.8 * wide
    deepest = max(strength for strength, _ in lines)
    return (deepest * dent / dent.max()).astype(np.float32)


def _line(knots: np.ndarray) -> np.ndarray:
    """Draw a line that follows the surface and runs out at both ends."""
    steps = np.linspace(0, len(knots) - 1, 25)
    curve = [np.interp(steps, np.arange(len(knots)), knots[:, k]) for k in range(2)]
    path = ndimage.gaussian_filter1d(texel(np.stack(curve, 1)).astype(float), 2.0, axis=0)
    whole, middle, core = (strokes([path[end : 25 - end]], width=3) for end in (0, 4, 8))
    return (whole + middle + core) / 3
