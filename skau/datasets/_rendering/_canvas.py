"""The unrolled skin of the mean head as a canvas, and the brushes that paint on it."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import cKDTree

from ._raster import rasterise
from ._rig import SKIN, load_rig

SIZE = 640
"""Side of the unrolled skin in texels."""


def linear(srgb: object) -> np.ndarray:
    """Turn 8-bit sRGB into linear light."""
    value = np.asarray(srgb, float) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


@cache
def skin_map() -> np.ndarray:
    """Give the mean-head position under every texel, shape (SIZE, SIZE, 3); nearest in holes."""
    rig = load_rig()
    skin = rig.triangle[rig.part == SKIN]
    flat = rig.flat * SIZE
    reach = np.hypot(rig.position[:, 0], rig.position[:, 2] - 0.2)[:, None] / 4
    pixel, which, share = rasterise(np.hstack([flat, reach]), skin, SIZE, two_sided=True)
    where = np.zeros((SIZE * SIZE, 3))
    where[pixel] = (rig.position[skin[which]] * share[..., None]).sum(1)
    hole = np.ones(SIZE * SIZE, bool)
    hole[pixel] = False
    nearest = ndimage.distance_transform_edt(
        hole.reshape(SIZE, SIZE), return_distances=False, return_indices=True
    )
    return where.reshape(SIZE, SIZE, 3)[tuple(nearest)]


@cache
def _front() -> tuple[cKDTree, np.ndarray]:
    where = skin_map()
    row, column = np.nonzero(where[..., 2] > 0.75)
    return cKDTree(where[row, column, :2]), np.stack([column, row], 1)


def texel(points: object) -> np.ndarray:
    """Find the texel of points on the front of the face, given as x and y."""
    tree, texels = _front()
    return texels[tree.query(np.asarray(points, float))[1]]


def strokes(lines: list[np.ndarray], width: int) -> np.ndarray:
    """Draw polylines of texels softly; 1 on the line, 0 away from it."""
    fine = 2
    canvas = Image.new("L", (SIZE * fine, SIZE * fine))
    draw = ImageDraw.Draw(canvas)
    for line in lines:
        draw.line([tuple(point) for point in (line * fine).tolist()], fill=255, width=width)
    return np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BOX), float) / 255


def noise(rng: np.random.Generator, rows: int, columns: int = 0) -> np.ndarray:
    """Draw smooth noise of about unit variance: so many bumps down, and as many across."""
    grid = rng.normal(size=(rows, columns or rows)).astype(np.float32)
    full = Image.fromarray(grid).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(full, float) * 1.3


def bump(value: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Give 1 at the centre, falling off to both sides."""
    return np.exp(-(((value - centre) / width) ** 2))


def rise(value: np.ndarray) -> np.ndarray:
    """Go smoothly from 0 at 0 to 1 at 1."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


@cache
def mask(name: str) -> np.ndarray:
    """Give where the lips, eyelids or ears are, 0 to 1, shape (SIZE, SIZE)."""
    small = Image.fromarray(load_rig().masks[name].astype(np.float32))
    full = np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC), float)
    full = ndimage.grey_closing(full, 5) if name == "lips" else full
    return np.clip(full, 0, 1)
