"""What the compared networks share: an encoder and a linear layer."""

from typing import ClassVar

from torch import Tensor, nn

from ..estimators._base import BaseAUClassifier
from ..modules import AUModule, AUOutput
from ..modules._blocks import mlp

_VECTOR_FEATURES = 64


class EncoderNet(AUModule):
    """Encode, (b, *input_shape) -> (b, n_features), then one linear layer to the AUs."""

    def __init__(
        self, input_shape: tuple[int, ...], encoder: nn.Module, n_features: int, n_aus: int
    ) -> None:
        super().__init__()
        self.input_shape, self.n_features = input_shape, n_features
        self.encoder = encoder
        self.head = nn.Linear(n_features, n_aus)

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits and features of a batch."""
        features = self.encoder(x)
        return AUOutput(self.head(features), features)


class BaseNetBaseline(BaseAUClassifier):
    """An encoder and a linear layer."""

    _network: ClassVar[type[EncoderNet]] = EncoderNet

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        """Build what turns images (b, c, h, w) into (b, n_features), and n_features."""
        raise NotImplementedError

    def _make_module(self, input_shape: tuple[int, ...], n_aus: int) -> AUModule:
        if len(input_shape) == 3:
            encoder, n_features = self._make_encoder(input_shape)
        else:
            n_features = _VECTOR_FEATURES
            encoder = nn.Sequential(mlp(input_shape[0], n_features), nn.ReLU())
        return self._network(input_shape, encoder, n_features, n_aus)
