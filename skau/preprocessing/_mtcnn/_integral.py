"""Mean colours of many rectangles of an image, from its summed-area table."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor


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
        Take the tables over the means of blocks of so many pixels squared.  What is left over at
        the right and bottom is cut.
    device : str

    Attributes
    ----------
    size : (int, int)
        Width and height that the tables cover, in original pixels.
    device : str
    """

    def __init__(self, images: Sequence[Image.Image], reduction: int, device: str) -> None:
        self.device = device
        r = self.reduction = reduction
        columns, rows = (side // r for side in images[0].size)
        self.size = columns * r, rows * r
        # Axes: image, row, colour, column.  The row and column of zeros are the image's edges.
        # Large sums overflow, but their differences, which are all that is used, come out right.
        table = np.empty((len(images), rows + 1, 3, columns + 1), dtype=np.int32)
        table[:, 0] = 0
        table[..., 0] = 0
        for sums, image in zip(table, images, strict=True):
            small = image if r == 1 else image.reduce(r, box=(0, 0, *self.size))
            sums[1:, :, 1:] = np.asarray(small).transpose(0, 2, 1)
        self._table = torch.from_numpy(table)
        torch.cumsum(self._table, 3, out=self._table)
        for row in range(1, rows + 1):  # eight times as fast as a cumulative sum down the rows
            np.add(table[:, row], table[:, row - 1], out=table[:, row])
        self._table = self._table.to(device)

    def __len__(self) -> int:
        return len(self._table)

    def resized(self, height: int, width: int, rows: slice = slice(None)) -> Tensor:
        """Return the whole images, area-averaged to ``(n, 3, height, width)``, or rows of that."""
        _, lines, _, columns = self._table.shape
        y0, y1 = _bins(torch.tensor([0, lines - 1], device=self._table.device), height)
        x0, x1 = _bins(torch.tensor([0, columns - 1], device=self._table.device), width)
        y0, y1 = y0[rows], y1[rows]
        strips = self._table.index_select(1, y1) - self._table.index_select(1, y0)
        sums = strips.index_select(3, x1) - strips.index_select(3, x0)
        return _scaled(sums.transpose(1, 2), (y1 - y0)[:, None] * (x1 - x0))

    def windows(self, index: Tensor, boxes: Tensor, side: int) -> Tensor:
        """Return rectangles, area-averaged to ``(k, 3, side, side)``.

        Parameters
        ----------
        index : Tensor of shape (k,), int64
            The image of each rectangle.
        boxes : Tensor of shape (k, 4), int64
            Left, top, right and bottom edge, in original pixels, inside the image.
        side : int
        """
        boxes = boxes // self.reduction
        x0, x1 = _bins(boxes[:, 0::2], side)
        y0, y1 = _bins(boxes[:, 1::2], side)
        sums = self._corner(index, y1, x1) - self._corner(index, y0, x1)
        sums += self._corner(index, y0, x0) - self._corner(index, y1, x0)
        return _scaled(sums, ((y1 - y0)[:, :, None] * (x1 - x0)[:, None, :])[:, None])

    def _corner(self, index: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """Look up the tables at ``y, x`` of shape (k, side); return (k, 3, side, side)."""
        _, rows, colours, columns = self._table.shape
        colour = torch.arange(colours, device=x.device)
        line = (index[:, None] * rows + y)[:, None] * colours + colour[:, None]
        place = (line * columns)[:, :, :, None] + x[:, None, None, :]
        return self._table.view(-1).index_select(0, place.view(-1)).view(place.shape)


def _scaled(sums: Tensor, area: Tensor) -> Tensor:
    means = (sums / area.float()).sub_(127.5).div_(128)
    return means.contiguous(memory_format=torch.channels_last)


def _bins(span: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Cut spans (..., 2) of whole pixels into ``n`` bins (..., n) that cover every pixel.

    A bin takes a pixel whole that it shares with its neighbour, as area interpolation in PyTorch
    does; the networks were trained on such means.
    """
    low, length = span[..., :1], span[..., 1:] - span[..., :1]
    steps = torch.arange(n + 1, device=span.device) * length
    return low + steps[..., :-1] // n, low - (-steps[..., 1:]) // n
