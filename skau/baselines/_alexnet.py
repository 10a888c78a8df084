"""AlexNet, the oldest of the compared networks."""

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import AlexNet

from ..modules._blocks import he_init
from ._base import BaseNetBaseline

_N_FEATURES = 4096  # of its last hidden layer
_SMALLEST = 63  # below, strides and poolings leave no pixel


class _Enlarge(nn.Module):
    """Bring images to a least side by bilinear interpolation."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        scale = self.side / min(x.shape[2:])
        if scale <= 1:
            return x
        size = [max(self.side, round(n * scale)) for n in x.shape[2:]]
        return F.interpolate(x, size, mode="bilinear", align_corners=False)


class AlexNetClassifier(BaseNetBaseline):
    """AU detection by AlexNet.

    torchvision's AlexNet [1]_ with one sigmoid an AU: 57,053,004 parameters for 12 AUs and RGB
    images of any size.

    {network_parameters}

    {network_attributes}

    Notes
    -----
    It differs from [1]_ in one column of filters in place of two that share a pair of graphics
    cards, and no response normalisation. The weights start at random (as He et al. draw them), not
    from ImageNet. Images below 63 pixels a side are enlarged to it. Vectors get a small multilayer
    perceptron.

    References
    ----------
    .. [1] A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks",
       2014; after A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet Classification with Deep
       Convolutional Neural Networks", NeurIPS 2012.

    {baseline_example}
    """

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        net = AlexNet()
        first = net.features[0]
        assert isinstance(first, nn.Conv2d)
        if input_shape[0] != first.in_channels:  # as torchvision's own, for grey images
            net.features[0] = nn.Conv2d(
                input_shape[0], first.out_channels, 11, stride=4, padding=2
            )
        hidden = list(net.classifier)[:-1]
        enlarge = _Enlarge(_SMALLEST)
        encoder = nn.Sequential(enlarge, net.features, net.avgpool, nn.Flatten(), *hidden)
        he_init(encoder)
        return encoder, _N_FEATURES
