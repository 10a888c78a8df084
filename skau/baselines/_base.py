"""What the compared networks share: one loss, one stage, the usual defaults."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..estimators._base import BaseAUClassifier
from ..estimators._class_weight import ClassWeight
from ..modules import AUModule
from ..modules._blocks import mlp
from ..modules._encoder import EncoderNet
from ..training._batches import ShuffledBatches
from ..training._data import AUDataset
from ..training._stage import Loss, Stage

__all__ = ["BaseNetBaseline"]

_VECTOR_FEATURES = 64


class BaseNetBaseline(BaseAUClassifier):
    """An encoder, a linear layer, and binary cross-entropy over the annotated rows."""

    _network: ClassVar[type[EncoderNet]] = EncoderNet

    def __init__(
        self,
        *,
        max_epochs: int = 20,
        batch_size: int = 64,
        lr: float = 1e-4,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        augment: str | Callable[[Tensor], Tensor] | None = "flip",
        class_weight: ClassWeight = None,
        validation_fraction: float = 0.2,
        monitor: str = "f1",
        device: str | torch.device = "auto",
        precision: str = "auto",
        callbacks: list | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            optimizer=optimizer,
            augment=augment,
            class_weight=class_weight,
            validation_fraction=validation_fraction,
            monitor=monitor,
            device=device,
            precision=precision,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
        )

    _network_parameters: ClassVar[tuple[str, ...]] = ()

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

    def _make_loss(self, train: AUDataset) -> Loss:
        return self._classification_loss(train)

    def _make_stages(
        self, train: AUDataset, valid: AUDataset | None, rng: np.random.RandomState
    ) -> list[Stage]:
        batches = ShuffledBatches(train.annotated, self.batch_size, rng)
        return [Stage("train", self.max_epochs, self._make_loss(train), batches, train, valid)]
