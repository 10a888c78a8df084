"""Learning who is who by triplets: IdenNet, and what starts from its first stage."""

import os
import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from ..losses import triplet_losses
from ..modules import AUOutput
from ..modules._weights import load_weights
from ..training._batches import IdentityBatches, draw_pairs, mine_negatives
from ..training._data import AUDataset
from ..training._stage import Loss, Stage, Term
from ..utils._groups import are_strangers_enough
from ..utils._sklearn import Interval
from ..utils._warnings import user_level
from ._base import BaseAUClassifier
from ._part import Part

_N_NEGATIVES = 4  # of each anchor/positive pair, as in paper 2
_N_EACH = 4  # images of an identity in a batch: its 16 identities in a batch of 64

# Where all faces are alike the loss is the margin, or a little more, for hard negatives; that of
# faces that spread has left these shares of the margin after so many batches.
_ENOUGH_BATCHES, _COLLAPSED = 50, (0.98, 1.1)


@dataclass
class MinedTriplets:
    """The triplet loss of a batch whose pairs and negatives are mined from it."""

    margin: float
    n_identities: int

    def __call__(self, z: Tensor, batch: dict[str, Any]) -> Term:
        """Mean loss of the triplets mined from identity vectors (b, m), and their number."""
        group, generator = batch["group"], batch["generator"]
        anchors, positives = draw_pairs(group, self.n_identities, generator)
        losses = triplet_losses(z, anchors, positives, self.margin)
        allowed = (group[anchors][:, None] != group[None]) & (group[None] >= 0)
        mined = mine_negatives(losses, allowed, _N_NEGATIVES, generator)
        chosen = losses[mined]
        return (chosen.mean() if len(chosen) else z.sum() * 0), len(chosen)


class IdenNetLoss(Loss):
    """``alpha * L_ID + (1 - alpha) * L_AU``; ``weight * L_ID`` on batches without labels."""

    def __init__(
        self,
        alpha: float,
        triplets: MinedTriplets,
        classification: Loss,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.alpha, self.triplets, self.weight = alpha, triplets, weight
        self.classification = classification

    def forward(
        self, output: AUOutput, y: Tensor, batch: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Term]]:
        assert output.identity is not None
        triplet, n_triplets = self.triplets(output.identity, batch)
        terms = {"triplet": (triplet, n_triplets)}
        if y.isnan().all():
            total = self.weight * triplet
        elif self.alpha == 1:
            total = triplet
        else:
            classification, own = self.classification(output, y, batch)
            terms |= own
            total = self.alpha * triplet + (1 - self.alpha) * classification
        return total, terms


class BaseIdentityClassifier(BaseAUClassifier):
    """The parameters of training on identities, the batches that they ask for, the start."""

    margin: Annotated[float, Interval(Real, 0, 1e6, closed="both")] = 0.5
    negative_pool: Annotated[int, Interval(Integral, 0, None, closed="left")] = 0
    trunk: Part = None
    pretrained: Annotated[str | os.PathLike[str] | None, str, os.PathLike, None] = None
    identity_epochs: Annotated[int, Interval(Integral, 0, None, closed="left")] = 3
    identity_lr: Annotated[float, Interval(Real, 0, None, closed="neither")] = 1e-4

    def _build(self) -> None:
        super()._build()
        if self.pretrained is not None:
            load_weights(self._identity_trunk(), self.pretrained)

    def _after_stage(self, stage: Stage) -> None:
        if not stage.prelude:
            return
        assert isinstance(stage.batches, IdentityBatches)
        own = self.history_[self.history_["stage"] == stage.name]
        if len(own) * len(stage.batches) < _ENOUGH_BATCHES:
            return
        loss = own["train_triplet_loss"].iloc[-1]
        low, high = (share * self.margin for share in _COLLAPSED)
        if low < loss < high:
            warnings.warn(
                f"the triplet loss is {loss:.3f} after {len(own)} epochs of stage 1, and "
                f"it is margin={self.margin} where all faces have the same identity; a lower "
                f"identity_lr (now {self.identity_lr:g}) keeps them from collapsing",
                ConvergenceWarning,
                stacklevel=user_level(),
            )

    def _identity_trunk(self) -> nn.Module:
        """Return what ``pretrained`` fills."""
        trunk = self.module_.trunk
        assert isinstance(trunk, nn.Module)
        return trunk

    def _identity_stage(self, loss: Loss, identities: IdentityBatches, train: AUDataset) -> Stage:
        return Stage(
            "identity", self.identity_epochs, loss, identities, train, lr=self.identity_lr,
            prelude=True,
        )  # fmt: skip

    @property
    def _n_identities(self) -> int:
        """Identities, and so pairs, in a batch."""
        return max(2, self.batch_size // _N_EACH)

    def _make_identity_batches(
        self, train: AUDataset, rng: np.random.RandomState, otherwise: str
    ) -> IdentityBatches | None:
        """Batches of the identity-only rows, or of all rows.

        The former where `are_strangers_enough`: a few rows without a label are no identity
        corpus. None, with a warning that ends in ``otherwise``, where no triplet can be made.
        """
        group, rows = train.group[train.rows], np.arange(len(train))
        if are_strangers_enough(group, np.isin(rows, train.annotated)):
            rows = train.identity_only
        batches = IdentityBatches(
            rows, group[rows], self.batch_size, self._n_identities, self.negative_pool, rng
        )
        if (group < 0).all():
            lack = "groups is not given, so nobody knows which images show the same person"
        elif len(np.unique(group)) < 2:
            lack = "groups names one person, and a triplet needs two"
        elif not batches.images:
            lack = "no identity has two images, so there is no anchor/positive pair"
        elif batches.n_identities < 2 and not self.negative_pool:
            lack = "only one identity has two images, so a batch shows nobody to tell it from"
        else:
            return batches
        warnings.warn(f"{lack}; {otherwise}", stacklevel=user_level())
        return None
