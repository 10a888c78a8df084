"""Histograms of local binary patterns, the features of methods older than networks."""

import numpy as np

from ..training._data import ImageFiles, read_ahead

_GRID = 8  # cells a side
_CHUNK = 256
# The neighbours of a pixel, clockwise.
_NEIGHBOURS = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


def _uniform_bins() -> np.ndarray:
    """Map each of 256 patterns to a bin: 58 with at most two changes round, the rest to one."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, np.cumsum(changes <= 2) - 1, 58)


_BINS = _uniform_bins()


def lbp_histograms(images: np.ndarray | ImageFiles) -> np.ndarray:
    """Uniform local binary patterns, counted in a grid of 8 x 8 cells.

    Parameters
    ----------
    images : uint8 array of shape (n, h, w[, 3]), or ImageFiles
        Colours are averaged. Files are read ahead in threads.

    Returns
    -------
    ndarray of shape (n, 3776)
        Square roots of the shares of the 59 patterns in each of the 64 cells, so that the dot
        product of two cells is at most 1.
    """
    parts = (slice(i, i + _CHUNK) for i in range(0, len(images), _CHUNK))
    return np.concatenate([_histograms(x) for x in read_ahead(images.__getitem__, parts, images)])


def _histograms(images: np.ndarray) -> np.ndarray:
    grey = images.mean(axis=3) if images.ndim == 4 else images.astype(float)
    n, height, width = grey.shape
    h, w = height - 2, width - 2
    centre = grey[:, 1:-1, 1:-1]
    code = np.zeros((n, h, w), np.int64)
    for bit, (i, j) in enumerate(_NEIGHBOURS):
        code |= (grey[:, i : i + h, j : j + w] >= centre).astype(np.int64) << bit
    rows, columns = np.arange(h) * _GRID // h, np.arange(w) * _GRID // w
    cell = rows[:, None] * _GRID + columns
    where = (np.arange(n)[:, None, None] * _GRID**2 + cell) * 59 + _BINS[code]
    counts = np.bincount(where.ravel(), minlength=n * _GRID**2 * 59).reshape(n, _GRID**2, 59)
    return np.sqrt(counts / counts.sum(axis=2, keepdims=True)).reshape(n, -1)
