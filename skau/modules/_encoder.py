"""The plainest AU network: an encoder and a linear head."""

from torch import Tensor, nn

from ._blocks import AUModule, AUOutput

__all__ = ["EncoderNet"]


class EncoderNet(AUModule):
    """Encode, then one linear layer to the AUs.

    Parameters
    ----------
    input_shape : (channels, height, width) of images, or (d,) of vectors
    encoder : nn.Module
        (b, *input_shape) -> (b, n_features).
    n_features : int
    n_aus : int
    """

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

    def features(self, x: Tensor) -> Tensor:
        """Return the encoder's output."""
        return self.encoder(x)

    def logits(self, x: Tensor) -> Tensor:
        """AU logits, (b, n_aus)."""
        return self.head(self.encoder(x))
