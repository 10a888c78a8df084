"""DRML: a network of which a layer has kernels of its own for each part of the face."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from ..modules._blocks import he_init
from ._base import BaseNetBaseline

# kernel, stride of the convolutions after the region layer, 16 channels each
_LAYERS = ((8, 1), (8, 1), (6, 2), (5, 1))
_UNPADDED_FROM = 66  # the smallest image of which the unpadded convolutions leave a pixel


class RegionLayer(nn.Module):
    """Residual 3 x 3 convolutions, one for each cell of a grid over the image.

    ``relu(x + conv(relu(norm(x))))`` inside every cell. The cells become groups of channels of
    one grouped convolution, which is the same and many times as fast as a loop. Where the
    sides are no multiple of the grid, the last cells are filled up with zeros.

    Parameters
    ----------
    channels : int
    grid : int, default=8
        Cells a side.
    """

    def __init__(self, channels: int, grid: int = 8) -> None:
        super().__init__()
        self.grid = grid
        n = grid * grid * channels
        self.norm = nn.BatchNorm2d(n, affine=False)  # for every cell and channel
        self.conv = nn.Conv2d(n, n, 3, padding=1, groups=grid * grid)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, h, w)."""
        b, c, height, width = x.shape
        g = self.grid
        h, w = -(-height // g), -(-width // g)  # of a cell
        padded = F.pad(x, (0, g * w - width, 0, g * h - height))
        cells = padded.view(b, c, g, h, g, w).permute(0, 2, 4, 1, 3, 5)  # b, row, column, c, h, w
        change = self.conv(F.relu(self.norm(cells.reshape(b, g * g * c, h, w))))
        change = change.view(b, g, g, c, h, w).permute(0, 3, 1, 4, 2, 5)
        change = change.reshape(b, c, g * h, g * w)[:, :, :height, :width]
        return F.relu(x + change)


class DRMLClassifier(BaseNetBaseline):
    """AU detection by a network with a region layer.

    After its first convolution the image falls into a grid of 8 x 8 cells, each with a residual
    convolution of its own, so that kernels specialise on a part of the face [1]_. With the
    170 x 170 pixels of [1]_ and 12 AUs the network has 56,855,136 weights, the 56,855.1K that
    paper 2 publishes, and 8,300 biases, which it does not count.

    {network_parameters}

    {network_attributes}

    Notes
    -----
    It differs from [1]_ in the loss (averaged over the annotated labels; [1]_ sums), in Adam
    for momentum, in the first weights, drawn as He et al. do (from torch's own the network does
    not begin to learn), and in random crops, which ``augment`` can add. Images below 66 pixels,
    of which the convolutions would leave nothing, are padded. Vectors get a small multilayer
    perceptron.

    References
    ----------
    .. [1] K. Zhao, W.-S. Chu, H. Zhang, "Deep Region and Multi-label Learning for Facial Action
       Unit Detection", CVPR 2016.

    {baseline_example}
    """

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        in_channels, *sides = input_shape
        padded = min(sides) < _UNPADDED_FROM

        def conv(n_in: int, n_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
            padding = (kernel - 1) // 2 if padded else 0
            sides[:] = [(side + 2 * padding - kernel) // stride + 1 for side in sides]
            return nn.Conv2d(n_in, n_out, kernel, stride, padding)

        layers: list[nn.Module] = [
            conv(in_channels, 32, 11),
            RegionLayer(32),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.LocalResponseNorm(5),
        ]
        sides[:] = [-(-side // 2) for side in sides]
        channels = 32
        for kernel, stride in _LAYERS:
            layers += [conv(channels, 16, kernel, stride), nn.ReLU()]
            channels = 16
        layers.append(nn.Flatten())
        width = 16 * math.prod(sides)
        for n_out in (4096, 2048):
            layers += [nn.Linear(width, n_out), nn.ReLU(), nn.Dropout()]
            width = n_out
        encoder = nn.Sequential(*layers)
        he_init(encoder)
        return encoder, width
