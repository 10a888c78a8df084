"""Mean colours of many rectangles of an image, from its summed-area table."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

__all__ = ["IntegralImages"]


class IntegralImages:
    """Summed-area tables of RGB images of one size.

    The mean over any rectangle costs four look-ups, so pyramid levels and the windows of hundreds
    of candidate boxes cost little more than one pass over the pixels.  All means are scaled from
    0 .. 255 to about -1 .. 1, as the detector's networks want them.

    Parameters
    ----------
    images : sequence of PIL.Image.Image
        RGB images of equal size.
    reduction : int
        Take the tables over the means of blocks of so many pixels squared.  Rectangles are given
        in original pixels all the same.  What is left over at the right and bottom is cut.
    device : str

    Attributes
    ----------
    size : (int, int)
        Width and height that the tables cover, in original pixels.
    """

    def __init__(self, images: Sequence[Image.Image], reduction: int, device: str) -> None:
        r = self.reduction = reduction
        columns, rows = (side // r for side in images[0].size)
        self.size = columns * r, rows * r
        # The added row and column of zeros make the table start at the image's edge.
        pixels = np.zeros((len(images), rows + 1, columns + 1, 3), dtype=np.uint8)
        for padded, image in zip(pixels, images, strict=True):
            small = image if r == 1 else image.reduce(r, box=(0, 0, *self.size))
            padded[1:, 1:] = np.asarray(small)
        planes = torch.from_numpy(pixels).to(device).permute(3, 0, 1, 2).contiguous()
        dtype = torch.int32 if rows * columns * 255 < 2**31 else torch.int64
        self._table = planes.cumsum(3, dtype=dtype).cumsum(2, dtype=dtype)

    def resized(self, height: int, width: int) -> Tensor:
        """Return the whole images, area-averaged to ``(n, 3, height, width)``."""
        device = self._table.device
        x0, x1 = _bins(torch.tensor([0, self.size[0]], device=device), width)
        y0, y1 = _bins(torch.tensor([0, self.size[1]], device=device), height)
        strips = self._take(self._table, y1, 2) - self._take(self._table, y0, 2)
        sums = self._take(strips, x1, 3) - self._take(strips, x0, 3)
        return self._means(sums, (y1 - y0)[:, None] * (x1 - x0))

    def windows(self, index: Tensor, boxes: Tensor, side: int) -> Tensor:
        """Return rectangles, area-averaged to ``(k, 3, side, side)``.

        Parameters
        ----------
        index : Tensor of shape (k,), int64
            The image of each rectangle.
        boxes : Tensor of shape (k, 4), int64
            Left, top, right and bottom edge, inside the image.
        side : int
        """
        x0, x1 = _bins(boxes[:, 0::2], side)
        y0, y1 = _bins(boxes[:, 1::2], side)
        sums = self._corner(index, y1, x1) - self._corner(index, y0, x1)
        sums += self._corner(index, y0, x0) - self._corner(index, y1, x0)
        return self._means(sums, (y1 - y0)[:, :, None] * (x1 - x0)[:, None, :])

    def _means(self, sums: Tensor, area: Tensor) -> Tensor:
        means = sums.float() * (self.reduction**2 / area).float()
        planes_last = means.sub_(127.5).div_(128).transpose(0, 1)
        return planes_last.contiguous(memory_format=torch.channels_last)

    def _places(self, edges: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """Return the rows (or columns) of the table about each edge, with their weights."""
        if self.reduction == 1:
            return [(edges, None)]
        below = edges // self.reduction
        share = (edges % self.reduction).double() / self.reduction
        # An edge at the end of the table has no share in the row after it.
        after = below + (share > 0)
        return [(below, 1 - share), (after, share)]

    def _take(self, table: Tensor, edges: Tensor, axis: int) -> Tensor:
        """Interpolate rows (axis 2) or columns (axis 3) of a table."""
        parts = []
        for place, weight in self._places(edges):
            part = table.index_select(axis, place)
            if weight is not None:
                part = part * (weight[:, None] if axis == 2 else weight)
            parts.append(part)
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def _corner(self, index: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """Interpolate the table at the places ``y, x``, each (k, side): (3, k, side, side)."""
        _, _, rows, columns = self._table.shape
        flat = self._table.view(3, -1)
        parts = []
        for row, row_weight in self._places(y):
            start = (index[:, None] * rows + row) * columns
            for column, column_weight in self._places(x):
                place = start[:, :, None] + column[:, None, :]
                part = flat.index_select(1, place.view(-1)).view(3, *place.shape)
                if row_weight is not None and column_weight is not None:
                    part = part * (row_weight[:, :, None] * column_weight[:, None, :])
                parts.append(part)
        return parts[0] if len(parts) == 1 else sum(parts[1:], start=parts[0])


def _bins(span: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Cut spans (..., 2) of whole pixels into ``n`` bins (..., n) that cover every pixel.

    A bin takes a pixel whole that it shares with its neighbour, as area interpolation in PyTorch
    does; the networks were trained on such means.
    """
    low, length = span[..., :1], span[..., 1:] - span[..., :1]
    steps = torch.arange(n + 1, device=span.device) * length
    return low + steps[..., :-1] // n, low - (-steps[..., 1:]) // n
