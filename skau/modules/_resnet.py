"""A small residual network that sees a face and its mirror image."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ._blocks import AUOutput
from ._encoder import EncoderNet

__all__ = ["MirroredNet", "resnet_encoder"]

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


def resnet_encoder(input_shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Build four halvings, a residual block after each but the first, flattened at the end.

    Parameters
    ----------
    input_shape : (channels, height, width)

    Returns
    -------
    encoder : nn.Sequential, (b, channels, height, width) -> (b, n_features)
    n_features : int
        4,000 for 80 x 80 pixels.
    """
    channels, height, width = input_shape
    layers = [*_convolution(channels, _WIDTHS[0], kernel=5, stride=2), nn.ReLU()]
    for n_in, n_out in pairwise(_WIDTHS):
        layers += [*_convolution(n_in, n_out, stride=2), nn.ReLU(), _Residual(n_out)]
    sides = [-(-side // 2 ** len(_WIDTHS)) for side in (height, width)]
    encoder = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(_DROPOUT))
    return encoder, _WIDTHS[-1] * sides[0] * sides[1]


class MirroredNet(EncoderNet):
    """An encoder whose features are, but for training, the mean over an image and its mirror.

    AUs are coded without their side, so both views show the same.
    """

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits and features of a batch."""
        features = self.features(x)
        return AUOutput(self.head(features), features)

    def features(self, x: Tensor) -> Tensor:
        """Return the mean of the encoder's outputs."""
        features = self.encoder(x)
        if self.training or x.ndim == 2:
            return features
        return (features + self.encoder(x.flip(-1))) / 2

    def logits(self, x: Tensor) -> Tensor:
        """AU logits, (b, n_aus)."""
        return self.head(self.features(x))
