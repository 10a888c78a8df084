"""Scale-invariant mean squared error."""

import torch
from torch import Tensor

__all__ = ["simse"]


def simse(x: Tensor, x_hat: Tensor, weight: Tensor | None = None) -> Tensor:
    """Scale-invariant mean squared error (paper 1, Eq. 3): the residual's variance.

    For each sample ``mean(r**2) - mean(r)**2`` with ``r = x - x_hat``; a constant shift of a
    whole image costs nothing. The paper sums over samples, which would tie ``alpha`` to the
    batch size; here the samples are averaged. The norm inside the dot product of its Eq. 3 is
    a misprint: the second term is the squared mean, as in the original domain separation
    networks.

    Parameters
    ----------
    x, x_hat : Tensor of shape (b, ...)
        Images or vectors and their reconstruction.
    weight : Tensor of shape (b,), optional
        Weight of each sample.

    Returns
    -------
    Tensor, scalar
    """
    per_sample = (x - x_hat).flatten(1).var(dim=1, correction=0)
    if weight is None:
        return per_sample.mean()
    return torch.dot(per_sample, weight) / weight.sum().clamp_min(1e-12)
