"""A part of a training schedule: what is minimised, over which batches, for how long."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from ._data import AUDataset

__all__ = ["Loss", "Stage", "Term"]

Term = tuple[Tensor, int]
"""A loss term and the number of things it is the mean of."""


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


class EpochTask(Protocol):
    """Who wants to know of each epoch; True at its end stops the stage."""

    def begin_epoch(self) -> None:
        """Hear that an epoch begins."""

    def end_epoch(self) -> bool:
        """Hear that an epoch ended."""


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
    task: EpochTask | None = None  # is told of each epoch
    prelude: bool = False  # the user's callbacks are about what comes after it
