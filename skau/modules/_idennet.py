"""IdenNet: the identity, as a unit vector, subtracted from the AU features."""

import math
import operator

import torch
from torch import Tensor, nn

from ._blocks import AUModule, AUOutput, he_init
from ._image_trunk import count_features
from ._lightcnn import N_FEATURES, lightcnn_branch, make_trunk


class _Affine(nn.Module):
    """``a(z) * x + b(z)`` with linear a and b; begins as ``x - z``."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Linear(n, n), nn.Linear(n, n)
        with torch.no_grad():
            self.scale.weight.zero_()
            self.scale.bias.fill_(1)
            self.shift.weight.copy_(-torch.eye(n))
            self.shift.bias.zero_()

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.scale(z) * x + self.shift(z)


def _released_init(net: "IdenNet") -> None:
    """Draw the first weights of the released code, in place.

    Caffe's "xavier" in the trunk and FC5, uniform within sqrt(3 / inputs); normal of standard
    deviation 0.01 in FC6 and FC7; biases of zero.
    """
    for name, layer in net.named_modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        if name.startswith(("fc6", "fc7")):
            nn.init.normal_(layer.weight, std=0.01)
        else:
            reach = math.sqrt(3 / layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -reach, reach)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


class IdenNet(AUModule):
    """The network of paper 2, Table I: 6,572,832 parameters for 128 x 128 x 3 and 12 AUs.

    ``F(x) = NORM(MFM(FC5(S(x))))`` is the identity and
    ``G(x) = sigmoid(FC7(MFM(FC6(S(x))) - F(x)))`` the AU probabilities.

    Parameters
    ----------
    input_shape : (channels, height, width) of images, or (d,) of vectors
        Vectors get a small multilayer perceptron as trunk.
    n_aus : int
    normalize : bool, default=True
        False leaves NORM out (the paper's ablation).
    affine : bool, default=False
        True lets the identity scale and shift the AU features, each through a linear layer,
        instead of being subtracted from them: 131,584 parameters more.
    backbone : nn.Module, default=None
        Maps inputs of that shape to (b, d): ``F(x) = NORM(MFM(FC5(backbone(x))))``. Its weights
        stay as they are. One that learns nothing (``requires_grad_(False)``) is kept in
        evaluation mode.
    released : bool, default=False
        True makes the network of the released code: biases in all layers (1,964 parameters more),
        and its first weights. With those of He et al. ``MFM(FC6(S(x)))`` is eight times as long,
        so that the subtraction of a unit vector changes it eight times less.
    trunk : nn.Module, default=None
        In place of the convolutions :math:`S`: maps inputs of that shape to (b, d). Its weights
        stay as they are.

    Raises
    ------
    ValueError
        If ``backbone`` or ``trunk`` does not turn such inputs into vectors.

    Examples
    --------
    >>> import torch
    >>> from skau.modules import IdenNet
    >>> out = IdenNet((3, 64, 64), 12)(torch.rand(2, 3, 64, 64))
    >>> out.logits.shape, out.identity.shape
    (torch.Size([2, 12]), torch.Size([2, 256]))
    """

    trunk: nn.Module

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_aus: int,
        normalize: bool = True,
        affine: bool = False,
        backbone: nn.Module | None = None,
        released: bool = False,
        trunk: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.input_shape, self.n_features = input_shape, N_FEATURES
        if trunk is None:
            self.trunk, width = make_trunk(input_shape, bias=released)
        else:
            width = count_features(trunk, input_shape, "trunk")
        n_identity = width
        if backbone is not None:
            n_identity = count_features(backbone, input_shape, "backbone")
        self.fc5 = lightcnn_branch(n_identity, normalize, bias=released)
        self.fc6 = lightcnn_branch(width, bias=released)
        he_init(self)
        # torch's smaller default: training starts near probability one half
        self.fc7 = nn.Linear(N_FEATURES, n_aus, bias=released)
        if released:
            _released_init(self)
        self.transform = _Affine(N_FEATURES) if affine else operator.sub
        self.backbone = backbone  # after he_init, which would draw its weights anew
        if trunk is not None:
            self.trunk = trunk

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits, subtracted features and identity of a batch."""
        s = self.trunk(x)
        identity = self.fc5(s if self.backbone is None else self.backbone(x))
        features = self.transform(self.fc6(s), identity)
        return AUOutput(self.fc7(features), features, identity)

    def au_features(self, x: Tensor) -> Tensor:
        """Return ``MFM(FC6(S(x)))``, the features before the identity is taken out, (b, 256)."""
        return self.fc6(self.trunk(x))

    def identity(self, x: Tensor) -> Tensor:
        """``F(x)``, (b, 256), of unit length unless ``normalize=False``."""
        return self.fc5(self.trunk(x) if self.backbone is None else self.backbone(x))
