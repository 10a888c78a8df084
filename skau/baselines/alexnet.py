"""AlexNet, the oldest of the compared networks."""

from torch import nn

from ..modules.alexnet import alexnet_encoder
from ._base import BaseNetBaseline

__all__ = ["AlexNetClassifier"]


class AlexNetClassifier(BaseNetBaseline):
    """AU detection by AlexNet.

    torchvision's AlexNet [1]_ with one sigmoid an AU: 57,053,004 parameters for 12 AUs and RGB
    images of any size.

    Parameters
    ----------
    max_epochs : int, default=20
    batch_size : int, default=64
    lr : float, default=1e-4
        Learning rate.
    optimizer, augment, validation_fraction, monitor, device, precision, compile, \
warm_start, callbacks, random_state, verbose
        As in :class:`skau.IdenNetClassifier`.

    Attributes
    ----------
    module_, net_, classes_, au_names_, history_, best_epoch_, precision_, input_shape_, \
n_features_in_, feature_names_in_, population_
        As in :class:`skau.IdenNetClassifier`.

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
    """

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        return alexnet_encoder(input_shape[0])
