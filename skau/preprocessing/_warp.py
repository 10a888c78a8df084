"""Cut a crop out of an image by one affine warp of its original pixels."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FINEST = 8192  # side of the largest image that a crop is averaged from
_REACH = 3  # pixels about a place that the interpolation looks at


def warp(image: Image.Image, matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Return the crop that ``matrix`` describes (see `skau.preprocessing._alignment`).

    Where the image shrinks, each pixel of the crop is the mean of the image over the square that
    it covers, sampled at half a pixel's distance; where it grows, the interpolation is bicubic.
    Beyond its border the image is continued by reflection.

    Parameters
    ----------
    image : PIL.Image.Image
        An RGB image.
    matrix : ndarray of shape (2, 3)
        Takes places in the crop to places in the image.
    size : int
        Side of the crop, in pixels.

    Returns
    -------
    ndarray of shape (size, size, 3), dtype uint8

    Examples
    --------
    >>> import numpy as np
    >>> from PIL import Image
    >>> from skau.preprocessing import warp
    >>> photo = Image.new("RGB", (20, 10), "white")
    >>> half = np.array([[2.0, 0, 0], [0, 2.0, 0]])  # every second pixel
    >>> warp(photo, half, 5).shape
    (5, 5, 3)
    """
    # of a huge image, or of a long one made square, first take means of whole pixels
    coarse = math.ceil(2 * size * np.linalg.norm(matrix[:, :2], axis=0).max() / _FINEST)
    if coarse > 1:
        image, matrix = image.reduce(coarse), matrix / coarse
    axes = matrix[:, :2]
    corners = matrix @ [[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]]
    low = np.floor(corners.min(axis=1)).astype(int) - _REACH
    high = np.ceil(corners.max(axis=1)).astype(int) + _REACH
    source = _window(image, low, high)
    shrink = np.linalg.norm(axes, axis=0).max()
    samples = math.ceil(2 * shrink) if shrink > 1 else 1
    (a, b, c), (d, e, f) = np.column_stack([axes / samples, matrix[:, 2] - low])
    method = Image.Resampling.NEAREST if samples > 1 else Image.Resampling.BICUBIC
    side = size * samples
    fine = source.transform((side, side), Image.Transform.AFFINE, (a, b, c, d, e, f), method)
    return np.asarray(fine.reduce(samples))


def _window(image: Image.Image, low: NDArray[np.int_], high: NDArray[np.int_]) -> Image.Image:
    """Cut a rectangle of whole pixels; outside the image it is filled by reflection."""
    limit = np.array(image.size)
    if (low >= 0).all() and (high <= limit).all():
        return image.crop((*low.tolist(), *high.tolist()))
    # A reflection may show pixels that are not in the rectangle itself, so index the image.
    rows, columns = (_reflected(np.arange(low[k], high[k]), int(limit[k])) for k in (1, 0))
    left, top = int(columns.min()), int(rows.min())
    pixels = np.asarray(image.crop((left, top, int(columns.max()) + 1, int(rows.max()) + 1)))
    return Image.fromarray(pixels[np.ix_(rows - top, columns - left)])


def _reflected(index: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    """Map indices outside ``0 .. length - 1`` into it; the edge pixel is repeated once."""
    index = index % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)
