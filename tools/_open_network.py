"""How the open model's network is trained: on faces, and on what changes in each person's face."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from skau.baselines import ResNetClassifier
from skau.estimators._class_weight import ClassificationLoss
from skau.modules import AUOutput
from skau.training._data import AUDataset
from skau.training._stage import Loss, Stage, Term

_SHARE = 0.5
"""Of the loss on what changes."""


class PeopleBatches:
    """Batches in which a person's pictures lie together; each row once, in a fresh order."""

    def __init__(self, group: np.ndarray, batch_size: int, rng: np.random.RandomState) -> None:
        self.people = [np.flatnonzero(group == person) for person in np.unique(group)]
        self.n_rows, self.batch_size, self.rng = len(group), batch_size, rng

    def __len__(self) -> int:
        return -(-self.n_rows // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.concatenate([self.people[k] for k in self.rng.permutation(len(self.people))])
        for start in range(0, self.n_rows, self.batch_size):
            yield order[start : start + self.batch_size].tolist()


class ChangesLoss(Loss):
    """The mean of two losses: of the AU outputs, and of outputs from features within people.

    From the features each person's mean over the batch is taken, so that this half of the loss
    learns what comes and goes with an AU, not how a face is. Its layer is thrown away.
    """

    def __init__(self, classification: ClassificationLoss, n_features: int, n_aus: int) -> None:
        super().__init__()
        self.classification = classification
        self.head = nn.Linear(n_features, n_aus)

    def forward(self, output: AUOutput, y: Tensor, batch: dict) -> tuple[Tensor, dict[str, Term]]:
        features = output.features.float()
        person = batch["group"].unique(return_inverse=True)[1]
        here = torch.nn.functional.one_hot(person).T.float()  # (people, b)
        mean = here @ features / here.sum(1, keepdim=True)
        changes = AUOutput(self.head(features - mean[person]), features)
        faces, terms = self.classification(output, y, batch)
        within, _ = self.classification(changes, y, batch)
        return (1 - _SHARE) * faces + _SHARE * within, terms


class ChangesClassifier(ResNetClassifier):
    """A `ResNetClassifier` that is trained by `ChangesLoss`."""

    def _make_loss(self, train: AUDataset) -> ChangesLoss:
        with self._seeded():
            return ChangesLoss(
                self._classification_loss(train), self.module_.n_features, train.Y.shape[1]
            )

    def _make_stages(
        self, train: AUDataset, valid: AUDataset | None, rng: np.random.RandomState
    ) -> list[Stage]:
        (stage,) = super()._make_stages(train, valid, rng)
        stage.batches = PeopleBatches(train.group, self.batch_size, rng)
        return [stage]

    def _measure_population(self, train: AUDataset) -> None:
        """Leave it: what people are like is measured on those who choose the thresholds."""

    def plain(self) -> ResNetClassifier:
        """Return the classifier without its way of training."""
        plain = ResNetClassifier(**self.get_params(deep=False))
        vars(plain).update(vars(self))
        return plain
