"""The four-convolution LightCNN trunk of IdenNet (Table I of the paper)."""

import torch.nn.functional as F
from torch import Tensor, nn

from ._blocks import AUModule, AUOutput, MaxFeatureMap, he_init, mlp
from ._image_trunk import count_features

N_FEATURES = 256  # of a branch, after Max-Feature-Map

# kernel, channels before Max-Feature-Map
_LAYERS = ((9, 96), (5, 192), (5, 256), (4, 384))
# The smallest image of which the unpadded convolutions leave a pixel.
_UNPADDED_FROM = 57


def lightcnn_stem(
    image_size: tuple[int, int], in_channels: int, min_side: int = 1, *, bias: bool = False
) -> tuple[nn.Sequential, int, tuple[int, int]]:
    """Build the first layers of the trunk S of paper 2, Table I.

    Up to four convolutions, each followed by 2 x 2 max-pooling in ceil mode and
    Max-Feature-Map. The two commute exactly; pooling first, as Table I does, leaves the
    gradient of Max-Feature-Map a quarter of the pixels. Images below 57 px keep no pixel through
    the unpadded convolutions, so there all are padded.

    Parameters
    ----------
    image_size : (height, width), at least 32 each
    in_channels : 1 or 3
    min_side : int, default=1
        Stop before the map's shorter side would fall below it; the first layer is always there.
    bias : bool, default=False
        Whether the convolutions have one, as in the released code; Table I counts none.

    Returns
    -------
    stem : nn.Sequential, (b, in_channels, height, width) -> (b, channels, h, w)
    channels : int
    size : (h, w)
    """
    padded = min(image_size) < _UNPADDED_FROM
    (height, width), channels = image_size, in_channels
    layers: list[nn.Module] = []
    for kernel, n_out in _LAYERS:
        padding = (kernel - 1) // 2 if padded else 0
        before = [side + 2 * padding - kernel + 1 for side in (height, width)]
        h, w = (-(-side // 2) for side in before)
        if layers and min(h, w) < min_side:
            break
        layers.append(nn.Conv2d(channels, n_out, kernel, padding=padding, bias=bias))
        if max(before) > 1:  # nothing to pool in one pixel, and OpenVINO would refuse it
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        layers.append(MaxFeatureMap())
        height, width, channels = h, w, n_out // 2
    return nn.Sequential(*layers), channels, (height, width)


def lightcnn_trunk(
    image_size: tuple[int, int], in_channels: int, *, bias: bool = False
) -> tuple[nn.Sequential, int]:
    """Build the whole trunk S of paper 2, Table I, flattened at its end.

    Parameters
    ----------
    image_size : (height, width), at least 32 each
    in_channels : 1 or 3
    bias : bool, default=False
        As in `lightcnn_stem`.

    Returns
    -------
    trunk : nn.Sequential, (b, in_channels, height, width) -> (b, n_features)
    n_features : int
        4,800 for 128 x 128 pixels.

    Examples
    --------
    >>> from skau.modules import lightcnn_trunk
    >>> trunk, width = lightcnn_trunk((128, 128), 3)
    """
    stem, channels, (height, width) = lightcnn_stem(image_size, in_channels, bias=bias)
    return nn.Sequential(*stem, nn.Flatten()), channels * height * width


def make_trunk(input_shape: tuple[int, ...], *, bias: bool = False) -> tuple[nn.Sequential, int]:
    """Build the trunk S for images (c, h, w), or its stand-in for vectors (d,), and its width."""
    if len(input_shape) == 3:
        return lightcnn_trunk((input_shape[1], input_shape[2]), input_shape[0], bias=bias)
    width = 64
    return nn.Sequential(mlp(input_shape[0], width), nn.ReLU()), width


class _UnitLength(nn.Module):
    """NORM: (b, d) -> (b, d), every row of Euclidean length 1."""

    def forward(self, z: Tensor) -> Tensor:
        return F.normalize(z, dim=1)


def lightcnn_branch(width: int, normalize: bool = False, *, bias: bool = False) -> nn.Sequential:
    """Build ``MFM(FC(s))`` or ``NORM(MFM(FC(s)))``: (b, width) -> (b, 256)."""
    layers: list[nn.Module] = [nn.Linear(width, 2 * N_FEATURES, bias=bias), MaxFeatureMap()]
    return nn.Sequential(*layers, _UnitLength()) if normalize else nn.Sequential(*layers)


class LightCNN(AUModule):
    """IdenNet without its identity branch: ``sigmoid(FC7(MFM(FC6(S(x)))))``.

    Parameters
    ----------
    input_shape : (channels, height, width) of images, or (d,) of vectors
    n_aus : int
    trunk : nn.Module, default=None
        In place of the convolutions :math:`S`: maps inputs of that shape to (b, d). Its weights
        stay as they are.
    """

    trunk: nn.Module

    def __init__(
        self, input_shape: tuple[int, ...], n_aus: int, trunk: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.input_shape, self.n_features = input_shape, N_FEATURES
        if trunk is None:
            self.trunk, self.width = make_trunk(input_shape)
        else:
            self.width = count_features(trunk, input_shape, "trunk")
        self.fc6 = lightcnn_branch(self.width)
        he_init(self)
        self.fc7 = nn.Linear(N_FEATURES, n_aus, bias=False)  # torch's draw, as in IdenNet
        if trunk is not None:  # after he_init, which would draw its weights anew
            self.trunk = trunk

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits, features and, for an identity head to read, the trunk's output."""
        s = self.trunk(x)
        features = self.fc6(s)
        return AUOutput(self.fc7(features), features, identity=s)

    def au_features(self, x: Tensor) -> Tensor:
        """Return ``MFM(FC6(S(x)))``, what FC7 sees, (b, 256)."""
        return self.fc6(self.trunk(x))
