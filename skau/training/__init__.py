"""How a network is trained: the one skorch net, its batches, its data, going on after a stop."""

from ._resume import ResumeTraining

__all__ = ["ResumeTraining"]
