"""A small residual network: the plain choice where there are many people and pictures."""

from typing import ClassVar

from torch import nn

from ..modules._encoder import EncoderNet
from ..modules._resnet import MirroredNet, resnet_encoder
from ._base import BaseNetBaseline

__all__ = ["ResNetClassifier"]


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

    _network: ClassVar[type[EncoderNet]] = MirroredNet

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        return resnet_encoder(input_shape)
