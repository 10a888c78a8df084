"""Which rows make a batch, which pairs and triplets a batch makes."""

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor


class ShuffledBatches:
    """Batches of a fresh random order at every iteration; each row once.

    Parameters
    ----------
    rows : ndarray of int
    batch_size : int
    rng : numpy.random.RandomState
    """

    def __init__(self, rows: np.ndarray, batch_size: int, rng: np.random.RandomState) -> None:
        self.rows, self.batch_size, self.rng = rows, batch_size, rng

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = self.rng.permutation(self.rows)
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size].tolist()


class IdentityBatches:
    """Batches of several images of each of several identities.

    One iteration draws about as many images as there are. Rows whose subject nobody knows are
    never drawn as an identity.

    Parameters
    ----------
    rows : ndarray of int
        Rows to draw from.
    group : ndarray of int, shape (len(rows),)
        The identity of each; rows of -1, nobody, are left out.
    batch_size : int
    n_identities : int
        Identities a batch; where fewer have two images, all that have.
    n_extra : int
        Further images, drawn from all rows, that can only be negatives.
    rng : numpy.random.RandomState
    """

    def __init__(
        self,
        rows: np.ndarray,
        group: np.ndarray,
        batch_size: int,
        n_identities: int,
        n_extra: int,
        rng: np.random.RandomState,
    ) -> None:
        rows, group = rows[group >= 0], group[group >= 0]
        order = np.argsort(group, kind="stable")
        images = np.split(rows[order], np.flatnonzero(np.diff(group[order])) + 1)
        self.images = [own for own in images if len(own) > 1]
        self.rows, self.n_extra, self.rng = rows, n_extra, rng
        self.n_identities = min(n_identities, len(self.images))
        self.n_each = max(2, batch_size // n_identities)

    def halved(self) -> "IdentityBatches":
        """Return the same with half as many images of each identity, two at least."""
        half = copy(self)
        half.n_each = max(2, self.n_each // 2)
        return half

    def __len__(self) -> int:
        if not self.images:
            return 0
        return -(-len(self.rows) // (self.n_identities * self.n_each))

    def draw(self) -> list[int]:
        """Return the rows of one batch."""
        chosen = self.rng.choice(len(self.images), self.n_identities, replace=False)
        each = [self.rng.permutation(self.images[identity])[: self.n_each] for identity in chosen]
        batch = np.concatenate(each)
        if self.n_extra:
            extra = self.rng.permutation(self.rows)[: self.n_extra]
            batch = np.concatenate([batch, np.setdiff1d(extra, batch)])
        return batch.tolist()

    def __iter__(self) -> Iterator[list[int]]:
        for _ in range(len(self)):
            yield self.draw()


class _TwoKinds:
    """Batches of one kind, which say how many there are, each with one of another."""

    def __init__(self, first: Iterable[list[int]], second: IdentityBatches) -> None:
        self.first, self.second, self.rng = first, second, second.rng


class AlternatingBatches(_TwoKinds):
    """Every batch of one kind followed by one of another (paper 2, stage 2)."""

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.first:
            yield batch
            yield self.second.draw()


class MixedBatches(_TwoKinds):
    """Batches of which one half is of either kind, as IdenNet's release has them."""

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.first:
            yield batch + self.second.draw()


def draw_pairs(group: Tensor, n_pairs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw an anchor and a positive of up to ``n_pairs`` identities of a batch.

    Parameters
    ----------
    group : integer Tensor of shape (b,)
        -1 is nobody.
    n_pairs : int
    generator : torch.Generator
        On the device of ``group``.

    Returns
    -------
    anchors, positives : integer Tensor of shape (<= n_pairs,)
        Positions in the batch; empty where no identity shows twice.
    """
    kind: Any = {"generator": generator, "device": group.device}
    order = torch.randperm(len(group), **kind)
    order = order[torch.argsort(group[order], stable=True)]  # shuffled within each identity
    same = (group[order][:-1] == group[order][1:]) & (group[order][:-1] >= 0)
    first = torch.ones_like(same)
    first[1:] = group[order][1:-1] != group[order][:-2]  # the first image of its identity
    at = torch.nonzero(same & first).flatten()
    at = at[torch.randperm(len(at), **kind)[:n_pairs]]
    return order[at], order[at + 1]


def mine_negatives(
    losses: Tensor, allowed: Tensor, n_negatives: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Choose the negatives of every pair: the hardest, and as many of the rest at random.

    Of the allowed candidates of each pair one half of the negatives are those of the largest
    loss, the others are drawn from the rest (paper 2, section III-B). Where a pair has fewer
    candidates, all are taken.

    Parameters
    ----------
    losses : Tensor of shape (n_pairs, n_candidates)
    allowed : bool Tensor of the same shape
        Whether the candidate shows another person.
    n_negatives : int
    generator : torch.Generator
        On the device of ``losses``.

    Returns
    -------
    pair, candidate : integer Tensor of shape (n_triplets,)
    """
    n_hard = n_negatives // 2
    score = losses.detach().masked_fill(~allowed, -1.0)  # a triplet loss is never negative
    hardest = score.argsort(dim=1, descending=True, stable=True)
    rank = 1 + torch.rand(
        score.shape, generator=generator, dtype=torch.float32, device=score.device
    )  # the rest, in random order ...
    rank.scatter_(1, hardest[:, :n_hard], 0.0)  # ... after the hardest ...
    rank.masked_fill_(~allowed, 3.0)  # ... and before those who may not be chosen
    chosen = rank.argsort(dim=1)[:, :n_negatives]
    pair = torch.arange(len(losses), device=losses.device)[:, None].expand_as(chosen)
    kept = allowed.gather(1, chosen)
    return pair[kept], chosen[kept]
