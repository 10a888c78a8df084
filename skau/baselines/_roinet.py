"""ROI nets: layers of their own for windows about the AUs' places."""

from typing import Annotated

from torch import nn

from ..modules._blocks import he_init
from ..modules._lightcnn import lightcnn_stem
from ..utils._sklearn import StrOptions
from ._au_centres import Centres, ROIHead, check_centres
from ._base import BaseNetBaseline

_N_FEATURES = 256


class ROINetClassifier(BaseNetBaseline):
    """AU detection from windows about the AUs' places on the face.

    Windows of a feature map, each about a place where AUs show, pass through layers of their
    own; their vectors, 150 numbers each, are joined by fully connected layers to all the AUs
    [1]_.

    Parameters
    ----------
    centres : "template" or array-like of shape (k, 2), default="template"
        Where the AUs show: ``x, y`` from 0 to 1 in the crop. "template" is for crops aligned at
        the eyes by :class:`skau.preprocessing.FaceCropper`. Vectors have no windows.
    {schedule_parameters}
    {training_parameters}

    {network_attributes}

    Notes
    -----
    5,339,896 parameters for 128 x 128 x 3 images and 12 AUs. It differs from [1]_ in the
    network below the windows, there VGG-16 trained on ImageNet, here the first layers of the
    LightCNN trunk, as many as leave a map of 10 pixels a side; in the number of windows, 18 for
    20; and in their place, which in [1]_ follows each image's landmarks: here alignment has
    brought the AUs to the same place in every crop. Its recurrent layers are for video and are
    left out. Vectors get a small multilayer perceptron.

    References
    ----------
    .. [1] W. Li, F. Abtahi, Z. Zhu, "Action Unit Detection with Region Adaptation,
       Multi-labeling Learning and Optimal Temporal Fusing", CVPR 2017.

    {baseline_example}
    """

    centres: Annotated[Centres, StrOptions({"template"}), "array-like"] = "template"

    _network_parameters = ("centres",)

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        stem, channels, size = lightcnn_stem((input_shape[1], input_shape[2]), input_shape[0], 10)
        he_init(stem)
        head = ROIHead(check_centres(self.centres), channels, size)
        joined = nn.Linear(head.n_features, _N_FEATURES)
        return nn.Sequential(stem, head, joined, nn.ReLU()), _N_FEATURES
