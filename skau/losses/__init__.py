"""Losses as pure functions that return a tensor; the caller names it."""

from .classification import masked_bce
from .difference import difference_loss
from .simse import simse
from .triplet import triplet_losses

__all__ = ["difference_loss", "masked_bce", "simse", "triplet_losses"]
