"""IdenNet: the identity, as a unit vector, subtracted from the AU features."""

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import AUModule, AUOutput, MaxFeatureMap, he_init, mlp
from .lightcnn import lightcnn_trunk

__all__ = ["IdenNet"]

_N_FEATURES = 256  # after Max-Feature-Map


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
    """

    def __init__(self, input_shape: tuple[int, ...], n_aus: int, normalize: bool = True) -> None:
        super().__init__()
        self.input_shape = input_shape
        self.n_features = _N_FEATURES
        self.normalize = normalize
        if len(input_shape) == 3:
            self.trunk, width = lightcnn_trunk(input_shape[1:], input_shape[0])
        else:
            width = 64
            self.trunk = nn.Sequential(mlp(input_shape[0], width), nn.ReLU())
        self.fc5 = nn.Sequential(nn.Linear(width, 2 * _N_FEATURES, bias=False), MaxFeatureMap())
        self.fc6 = nn.Sequential(nn.Linear(width, 2 * _N_FEATURES, bias=False), MaxFeatureMap())
        self.fc7 = nn.Linear(_N_FEATURES, n_aus, bias=False)
        he_init(self)

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits, subtracted features and identity of a batch."""
        s = self.trunk(x)
        identity = self._identity(s)
        features = self.fc6(s) - identity
        return AUOutput(self.fc7(features), features, identity)

    def _identity(self, s: Tensor) -> Tensor:
        z = self.fc5(s)
        return F.normalize(z, dim=1) if self.normalize else z

    def features(self, x: Tensor) -> Tensor:
        """``MFM(FC6(S(x))) - F(x)``, (b, 256)."""
        return self.forward(x).features

    def logits(self, x: Tensor) -> Tensor:
        """AU logits, (b, n_aus)."""
        return self.forward(x).logits

    def identity(self, x: Tensor) -> Tensor:
        """``F(x)``, (b, 256), of unit length unless ``normalize=False``."""
        return self._identity(self.trunk(x))
