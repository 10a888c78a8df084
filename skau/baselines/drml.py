"""Deep region and multi-label learning."""

from torch import nn

from ..modules.drml import drml_encoder
from ._base import BaseNetBaseline

__all__ = ["DRMLClassifier"]


class DRMLClassifier(BaseNetBaseline):
    """AU detection by a network with a region layer.

    After its first convolution the image falls into a grid of 8 x 8 cells, each with a residual
    convolution of its own, so that kernels specialise on a part of the face [1]_. With the
    170 x 170 pixels of [1]_ and 12 AUs the network has 56,855,136 weights, the 56,855.1K that
    paper 2 publishes, and 8,300 biases, which it does not count.

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
    It differs from [1]_ in the loss (averaged over the annotated labels; [1]_ sums), in Adam
    for momentum, in the first weights, drawn as He et al. do (from torch's own the network does
    not begin to learn), and in random crops, which ``augment`` can add. Images below 66 pixels,
    of which the convolutions would leave nothing, are padded. Vectors get a small multilayer
    perceptron.

    References
    ----------
    .. [1] K. Zhao, W.-S. Chu, H. Zhang, "Deep Region and Multi-label Learning for Facial Action
       Unit Detection", CVPR 2016.
    """

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        return drml_encoder((input_shape[1], input_shape[2]), input_shape[0])
