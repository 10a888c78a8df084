"""Gradient reversal: what comes after learns, what comes before unlearns."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["reverse_gradient"]


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * grad[0], None


def reverse_gradient(x: Tensor, weight: float = 1.0) -> Tensor:
    """Return ``x``; on the way back its gradient is multiplied by ``-weight``.

    Parameters
    ----------
    x : Tensor of any shape
    weight : float, default=1.0

    Returns
    -------
    Tensor of the same shape

    Examples
    --------
    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> (3 * reverse_gradient(x, 0.5)).sum().backward()
    >>> x.grad
    tensor([-1.5000, -1.5000])
    """
    out = _ReverseGradient.apply(x, weight)
    assert isinstance(out, Tensor)
    return out
