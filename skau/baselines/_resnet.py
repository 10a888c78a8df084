"""A small residual network: the plain choice where there are many people and pictures."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..modules import AUOutput
from ._base import BaseNetBaseline, EncoderNet

_WIDTHS = (24, 48, 96, 160)  # channels after each halving
_DROPOUT = 0.2


class _Residual(nn.Module):
    """``relu(x + f(x))``; ``f`` is zero at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, channels), nn.ReLU(), *_convolution(channels, channels)
        )
        last = self.body[-1]
        assert isinstance(last, nn.BatchNorm2d)
        nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def _convolution(n_in: int, n_out: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(n_out),
    ]


class _MirroredNet(EncoderNet):
    """An encoder whose features are, but for training, the mean over an image and its mirror.

    AUs are coded without their side, so both views show the same.
    """

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits and features of a batch."""
        features = self.encoder(x)
        if not self.training and x.ndim > 2:
            features = (features + self.encoder(x.flip(-1))) / 2
        return AUOutput(self.head(features), features)


class ResNetClassifier(BaseNetBaseline):
    """AU detection by a small residual network.

    Four halvings of the image with a residual block [1]_ after each but the first, and one
    sigmoid an AU on the flattened map: 933,930 parameters for 18 AUs and 80 x 80 x 3 pixels. A
    step costs about as much as one of the encoder of :class:`skau.DSNClassifier`, which is a
    quarter as deep. The shipped open model is such a network.

    In prediction, the features are the mean over an image and its mirror: AUs are coded without
    their side.

    {network_parameters}

    {network_attributes}

    Notes
    -----
    Vectors get a small multilayer perceptron.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR
       2016.

    {baseline_example}
    """

    _network: ClassVar[type[EncoderNet]] = _MirroredNet

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        channels, height, width = input_shape
        layers = [*_convolution(channels, _WIDTHS[0], kernel=5, stride=2), nn.ReLU()]
        for n_in, n_out in pairwise(_WIDTHS):
            layers += [*_convolution(n_in, n_out, stride=2), nn.ReLU(), _Residual(n_out)]
        sides = [-(-side // 2 ** len(_WIDTHS)) for side in (height, width)]
        encoder = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(_DROPOUT))
        return encoder, _WIDTHS[-1] * sides[0] * sides[1]
