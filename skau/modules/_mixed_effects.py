"""LightCNN, whose features are taken apart into person and AUs by a linear mixed model."""

import torch
from torch import Tensor, nn

from ._lightcnn import N_FEATURES, LightCNN


class MixedEffectsNet(LightCNN):
    """The trunk, FC6 and FC7 of LightCNN, and beside FC7 the head of a mixed model.

    ``forward`` and its loss know FC7 alone; the mixed model is fitted in closed form when the
    network has learnt, and lies in buffers. What they mean is said in `PersonEffects`.
    Parameters are those of `LightCNN`.
    """

    mean: Tensor
    whiten: Tensor
    between: Tensor
    directions: Tensor
    scale: Tensor
    offset: Tensor
    rest: Tensor

    def __init__(
        self, input_shape: tuple[int, ...], n_aus: int, trunk: nn.Module | None = None
    ) -> None:
        super().__init__(input_shape, n_aus, trunk)
        self.n_features = n_aus
        shapes = {
            "mean": (N_FEATURES,), "whiten": (N_FEATURES, N_FEATURES), "between": (N_FEATURES,),
            "directions": (n_aus, N_FEATURES), "scale": (n_aus,), "offset": (n_aus,),
            "rest": (N_FEATURES,),
        }  # fmt: skip
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))

    def whitened(self, x: Tensor) -> Tensor:
        """Return the features as the mixed model sees them, (b, 256)."""
        features = self.au_features(x)
        # small differences of large sums: not in bfloat16
        with torch.autocast(x.device.type, enabled=False):
            return (features.to(self.mean.dtype) - self.mean) @ self.whiten.T

    def identity(self, x: Tensor) -> Tensor:
        """Return the person's effect, foretold from this frame, whitened, (b, 256)."""
        return self.whitened(x) * (self.between / (1 + self.between))

    def features(self, x: Tensor) -> Tensor:
        """Score each AU by the features less the person's effect, (b, n_aus)."""
        u = self.whitened(x)
        with torch.autocast(x.device.type, enabled=False):
            return (u / (1 + self.between)) @ self.directions.T

    def logits(self, x: Tensor) -> Tensor:
        """AU logits, (b, n_aus)."""
        return self.features(x) * self.scale + self.offset
