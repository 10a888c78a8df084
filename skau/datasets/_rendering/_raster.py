"""A z-buffer rasteriser in NumPy: which triangle every pixel sees, and where on it.

Why our own: a face is some eleven thousand small triangles, which a vectorised z-buffer draws
in a few hundredths of a second. VTK is some four times as fast at 128 pixels for bare geometry
(``benchmarks/bench_render.py``), but it is an extra of over half a gigabyte that needs an OpenGL
library, crashed beside torchvision in our trials, and draws other pixels with other drivers.
"""

from __future__ import annotations

import numpy as np

DEPTH_BITS = 40
TRIANGLE_BITS = 22


def rasterise(
    points: np.ndarray, triangles: np.ndarray, size: int, *, two_sided: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the triangle nearest to the viewer at each pixel centre of a square image.

    Parameters
    ----------
    points : ndarray of shape (n_points, 3)
        Column, row (in pixels, row 0 on top, the first pixel's centre at 0.5) and nearness
        (larger is nearer, linear over a triangle on the image, in [0, 1]).
    triangles : ndarray of shape (n_triangles, 3)
        Indices into `points`, anticlockwise as the viewer sees the front.
    size : int
        Side of the image in pixels.
    two_sided : bool, default=False
        Draw the triangles seen from behind too.

    Returns
    -------
    pixel : ndarray of shape (n_covered,)
        ``row * size + column`` of the pixels that some triangle covers, ascending.
    triangle : ndarray of shape (n_covered,)
        The triangle seen there.
    weights : ndarray of shape (n_covered, 3)
        Its barycentric weights on the image plane; each row sums to 1.
    """
    (x0, x1, x2), (y0, y1, y2) = (points[:, axis][triangles.T] for axis in (0, 1))

    def pixels(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the first pixel whose centre may be inside, and how many there are in a row."""
        first = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5)
        last = np.floor(np.maximum(np.maximum(a, b), c) - 0.5)
        first = np.maximum(first, 0)
        return first, np.minimum(last, size - 1) - first + 1

    left, width = pixels(x0, x1, x2)
    top, height = pixels(y0, y1, y2)
    # Rows run downwards, so an anticlockwise triangle has a negative area here.
    area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
    facing = np.abs(area) > 1e-9 if two_sided else area < -1e-9
    kept = np.flatnonzero(facing & (width > 0) & (height > 0))
    left, top, width, height = (box[kept].astype(np.int64) for box in (left, top, width, height))

    # One candidate for each pixel in the box round each triangle.
    count = width * height
    which = np.repeat(np.arange(len(kept)), count)
    step = np.arange(len(which)) - (np.cumsum(count) - count)[which]
    down = step // width[which]
    column, row = left[which] + step - down * width[which], top[which] + down

    # The weight of a corner is a plane over the image: 1 there, 0 along the opposite edge.
    def plane(xa: np.ndarray, ya: np.ndarray, xb: np.ndarray, yb: np.ndarray) -> np.ndarray:
        xa, ya, xb, yb = (value[kept] for value in (xa, ya, xb, yb))
        across, along = (ya - yb) / area[kept], (xb - xa) / area[kept]
        start = across * (0.5 - xa) + along * (0.5 - ya)
        return across[which] * column + along[which] * row + start[which]

    one, two = plane(x1, y1, x2, y2), plane(x2, y2, x0, y0)
    three = 1.0 - one - two
    inside = np.flatnonzero((one >= 0) & (two >= 0) & (three >= 0))
    place = row[inside] * size + column[inside]
    which, weights = which[inside], np.stack([one[inside], two[inside], three[inside]], 1)
    near = points[:, 2][triangles[kept[which]]]
    nearness = near[:, 0] * weights[:, 0] + near[:, 1] * weights[:, 1] + near[:, 2] * weights[:, 2]

    # Depth and triangle share one integer, so the maximum is the nearest and has no ties.
    key = (nearness * (2.0**DEPTH_BITS)).astype(np.int64) << TRIANGLE_BITS | kept[which]
    buffer = np.full(size * size, -1, np.int64)
    np.maximum.at(buffer, place, key)
    winner = np.flatnonzero(buffer[place] == key)
    winner = winner[np.argsort(place[winner])]
    return place[winner], kept[which[winner]], weights[winner]
