"""A z-buffer rasteriser in NumPy: which triangle every pixel sees, and where on it.

Why our own: a face is some eleven thousand small triangles, which a vectorised z-buffer
handles in milliseconds. VTK does the same work behind an extra of over half a gigabyte that
needs an OpenGL library, crashed beside torchvision in our trials, and draws other pixels on
other drivers. ``benchmarks/bench_render.py`` holds the measurement.
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
    x, y = points[:, 0][triangles], points[:, 1][triangles]
    first = np.maximum(np.ceil(np.stack([x.min(1), y.min(1)], 1) - 0.5), 0).astype(np.int64)
    last = np.minimum(np.floor(np.stack([x.max(1), y.max(1)], 1) - 0.5), size - 1).astype(np.int64)
    extent = last - first + 1
    # Rows run downwards, so an anticlockwise triangle has a negative area here.
    edge = np.stack([np.roll(x, -2, 1) - np.roll(x, -1, 1), np.roll(y, -2, 1) - np.roll(y, -1, 1)])
    area = edge[0, :, 2] * edge[1, :, 0] - edge[1, :, 2] * edge[0, :, 0]
    facing = np.abs(area) > 1e-9 if two_sided else area < -1e-9
    kept = np.flatnonzero(facing & (extent > 0).all(1))
    if not len(kept):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3))

    # One candidate for each pixel in the box round each triangle.
    count = extent[kept].prod(1)
    which = np.repeat(np.arange(len(kept)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    down, right = np.divmod(step, extent[kept, 0][which])
    column, row = first[kept, 0][which] + right, first[kept, 1][which] + down

    # The weight of corner k is a plane over the image: slope . (pixel - corner k+1).
    scale = 1.0 / area[kept, None]
    across, along = -edge[1][kept] * scale, edge[0][kept] * scale
    constant = -(across * np.roll(x, -1, 1)[kept] + along * np.roll(y, -1, 1)[kept])
    centre_x, centre_y = column + 0.5, row + 0.5
    weight = [
        across[:, k][which] * centre_x + along[:, k][which] * centre_y + constant[:, k][which]
        for k in range(2)
    ]
    weight.append(1.0 - weight[0] - weight[1])
    inside = (weight[0] >= 0) & (weight[1] >= 0) & (weight[2] >= 0)
    which = which[inside]
    near = points[:, 2][triangles[kept]]
    nearness = sum(near[:, k][which] * weight[k][inside] for k in range(3))

    # Depth and triangle share one integer, so the maximum is the nearest and has no ties.
    key = (nearness * (2.0**DEPTH_BITS)).astype(np.int64) << TRIANGLE_BITS | kept[which]
    buffer = np.full(size * size, -1, np.int64)
    place = (row * size + column)[inside]
    np.maximum.at(buffer, place, key)
    winner = buffer[place] == key
    order = np.argsort(place[winner], kind="stable")
    chosen = np.flatnonzero(winner)[order]
    weights = np.stack([weight[k][inside][chosen] for k in range(3)], 1)
    return place[chosen], kept[which[chosen]], weights
