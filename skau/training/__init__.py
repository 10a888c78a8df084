"""How a network is trained: the one skorch net, its data, batches and stages, and resuming."""

from ._resume import ResumeTraining

__all__ = ["ResumeTraining"]
