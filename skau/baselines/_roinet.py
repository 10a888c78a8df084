"""ROI nets: layers of their own for windows about the AUs' places."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..modules._blocks import he_init
from ..modules._lightcnn import lightcnn_stem
from ..utils._sklearn import StrOptions
from ._au_centres import Centres, check_centres
from ._base import BaseNetBaseline

_N_FEATURES = 256
_N_LOCAL, _N_OUT = 32, 150  # channels of a window's convolution, length of its vector


class ROIHead(nn.Module):
    """ROI nets: a window of the feature map about every AU centre, each with its own layers.

    A window of a quarter of the map's sides is doubled in size, convolved and mapped to a
    vector; the windows' vectors are concatenated. The windows become groups of channels, so
    that all their layers are two grouped convolutions.

    Parameters
    ----------
    centres : sequence of (x, y)
        In fractions of the sides.
    channels : int
        Of the feature map.
    size : (height, width) of the feature map
    """

    def __init__(
        self,
        centres: tuple[tuple[float, float], ...],
        channels: int,
        size: tuple[int, int],
    ) -> None:
        super().__init__()
        k = len(centres)
        self.side = max(2, min(size) // 4)
        self.corners = [(self._start(y, size[0]), self._start(x, size[1])) for x, y in centres]
        self.local = nn.Conv2d(k * channels, k * _N_LOCAL, 3, padding=1, groups=k)
        self.vector = nn.Conv2d(k * _N_LOCAL, k * _N_OUT, 2 * self.side, groups=k)
        self.n_features = k * _N_OUT

    def _start(self, centre: float, length: int) -> int:
        """First row or column of the window nearest to ``centre`` that lies within the map."""
        return min(max(round(centre * length - self.side / 2), 0), length - self.side)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, h, w) -> (b, n_features)."""
        s = self.side
        windows = torch.cat([x[:, :, i : i + s, j : j + s] for i, j in self.corners], dim=1)
        windows = F.interpolate(windows, scale_factor=2, mode="bilinear", align_corners=False)
        return F.relu(self.vector(F.relu(self.local(windows)))).flatten(1)


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
