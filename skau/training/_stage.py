"""A part of a training schedule: what is minimised, over which batches, for how long."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sklearn.callback import CallbackContext
from torch import Tensor, nn

from ._data import AUDataset

Term = tuple[Tensor, float]
"""A loss term and the number of things it is the mean of, or their weight."""


class Loss(nn.Module):
    """Turns a network's output into what is minimised, and says what it is made of.

    Layers of its own (a head that nothing but training needs) learn with the network, for as
    long as its stage lasts.
    """

    def forward(
        self, output: Any, y: Tensor, batch: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Term]]:
        """Return the total and its unweighted terms by name.

        ``batch`` holds ``input`` (what the network saw), ``weight``, ``group`` and the
        ``generator`` of what is drawn.
        """
        raise NotImplementedError


@dataclass
class Stage:
    """One part of a training schedule."""

    name: str
    epochs: int
    loss: Loss
    batches: Iterable[list[int]]  # positions into ``train``; iterated once an epoch
    train: AUDataset
    valid: AUDataset | None = None
    lr: float | None = None  # in place of the net's
    task: CallbackContext | None = None  # of scikit-learn's callbacks: each epoch is a part of it
    told: dict[str, Any] = field(default_factory=dict)  # to these callbacks: the estimator, X, y
    prelude: bool = False  # the user's callbacks are about what comes after it
