"""A small residual network: the plain choice where there are many people and pictures."""

from typing import ClassVar

from torch import nn

from ..estimators._docs import SHARED
from ..modules._encoder import EncoderNet
from ..modules._resnet import MirroredNet, resnet_encoder
from ..utils._docs import substitute
from ._base import BaseNetBaseline

__all__ = ["ResNetClassifier"]


@substitute(SHARED)
class ResNetClassifier(BaseNetBaseline):
    """AU detection by a small residual network.

    Four halvings of the image with a residual block [1]_ after each but the first, and one
    sigmoid an AU on the flattened map: 933,930 parameters for 18 AUs and 80 x 80 x 3 pixels. A
    step costs about as much as one of the encoder of :class:`skau.DSNClassifier`, which is a
    quarter as deep. The shipped open model is such a network.

    In prediction, the features are the mean over an image and its mirror: AUs are coded without
    their side.

    Parameters
    ----------
    {schedule_parameters}
    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    Notes
    -----
    Vectors get a small multilayer perceptron.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR
       2016.

    Examples
    --------
    >>> from skau.baselines import ResNetClassifier
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> X, Y = faces.images[:40, ::2, ::2], faces.target[:40]
    >>> clf = ResNetClassifier(max_epochs=1, random_state=0)
    >>> clf.fit(X, Y, groups=faces.groups[:40]).predict(X).shape
    (40, 12)
    """

    _network: ClassVar[type[EncoderNet]] = MirroredNet

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        return resnet_encoder(input_shape)
