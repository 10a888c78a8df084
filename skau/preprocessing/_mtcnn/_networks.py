"""The three networks of MTCNN, with the weights that facenet-pytorch ships.

The first one is rearranged for speed: its results are those of the original to rounding.
On a GPU, where torch rounds the factors of convolutions to 11 bits (TF32) if it is not told
otherwise, they compute in full float32: else a face's points would depend on what else is in the
batch, by a hundredth of a pixel or two.
"""

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...utils._device import own_modes
from ...utils._random import RandomStream
from ...utils._warnings import own_filters

CELL = 12  # side of the first network's window, in pixels
STRIDE = 2  # step of that window
_CHANNELS = 16  # of its first layer, which has 10: convolutions of 16 are twice as fast


class ProposalNet(nn.Module):
    """The first network: the log-odds of a face in each window, and the features below them.

    The edges of a box are computed from the features of the few windows that need them.
    """

    def __init__(self, pnet: Any) -> None:
        super().__init__()
        wide = _CHANNELS - pnet.conv1.out_channels
        conv1, slope1 = nn.Conv2d(3, _CHANNELS, 3), nn.PReLU(_CHANNELS)
        conv2 = nn.Conv2d(_CHANNELS, pnet.conv2.out_channels, 3)
        conv1.weight = _padded(pnet.conv1.weight, 0, 0, 0, 0, 0, 0, 0, wide)
        conv1.bias = _padded(pnet.conv1.bias, 0, wide)
        slope1.weight = _padded(pnet.prelu1.weight, 0, wide)
        conv2.weight = _padded(pnet.conv2.weight, 0, 0, 0, 0, 0, wide)
        conv2.bias = pnet.conv2.bias
        pool = nn.MaxPool2d(STRIDE, STRIDE, ceil_mode=True)
        self.layers = nn.Sequential(
            conv1, slope1, pool, conv2, pnet.prelu2, pnet.conv3, pnet.prelu3
        )
        scores, edges = pnet.conv4_1, pnet.conv4_2
        self.odds = nn.Linear(scores.in_channels, 1)
        self.odds.weight = _padded(scores.weight[1:, :, 0, 0] - scores.weight[:1, :, 0, 0])
        self.odds.bias = _padded(scores.bias[1:] - scores.bias[:1])
        self.edges = nn.Linear(edges.in_channels, edges.out_channels)
        self.edges.weight, self.edges.bias = _padded(edges.weight[:, :, 0, 0]), edges.bias

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, h, w) -> (n, h', w') log-odds, (n, h', w', 32) features."""
        features = self.layers(x).permute(0, 2, 3, 1)
        return self.odds(features)[..., 0], features


class _FullConv2d(nn.Conv2d):
    """A convolution in full float32, on a GPU too.

    It says so at each call. torch's own setting is that of the whole process: to change it here,
    if only for a moment, would change what other threads compute.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _convolved(self, x) if x.is_cuda else super()._conv_forward(x, weight, bias)


def _convolved(layer: nn.Conv2d, x: Tensor) -> Tensor:
    transposed, benchmark, deterministic, tf32 = False, False, True, False
    return torch._convolution(
        x, layer.weight, layer.bias, layer.stride, layer.padding,  # type: ignore[arg-type]
        layer.dilation, transposed, layer.output_padding, layer.groups, benchmark, deterministic,
        torch.backends.cudnn.enabled, tf32,
    )  # fmt: skip


class _FullLinear(nn.Linear):
    """A linear layer likewise: in float64, of which no setting takes less; it is small."""

    def forward(self, x: Tensor) -> Tensor:
        if not x.is_cuda:
            return super().forward(x)
        return F.linear(x.double(), self.weight.double(), self.bias.double()).float()


_FULL = {nn.Conv2d: _FullConv2d, nn.Linear: _FullLinear}


def _padded(weight: Tensor, *pad: int) -> nn.Parameter:
    return nn.Parameter(F.pad(weight, pad) if pad else weight.clone(), requires_grad=False)


@lru_cache(maxsize=4)
def load_networks(device: str) -> tuple[ProposalNet, nn.Module, nn.Module]:
    """Return the three networks of the cascade; they are loaded once a process and device."""
    with own_filters():  # it sets some
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

    def ready(net: Any) -> Any:
        for layer in net.modules():
            layer.__class__ = _FULL.get(type(layer), type(layer))
        net = net.eval().requires_grad_(False)
        return net.to(device, torch.float32, memory_format=torch.channels_last)

    with own_modes(), RandomStream(0):  # the first weights are thrown away
        return ready(ProposalNet(PNet())), ready(RNet()), ready(ONet())
