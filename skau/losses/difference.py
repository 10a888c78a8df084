"""The difference loss, which pushes two codes of one face apart."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["difference_loss"]


def difference_loss(
    person: Tensor,
    expression: Tensor,
    scaling: str = "normalized",
    weight: Tensor | None = None,
) -> Tensor:
    r"""Penalise what the two codes share (paper 1, Eq. 4).

    Parameters
    ----------
    person, expression : Tensor of shape (b, d)
        Codes of the same b samples.
    scaling : {"normalized", "mean", "literal"}, default="normalized"
        With P and E the b x d matrices of codes:

        - ``"normalized"``: every feature is centred over the batch and every row scaled to
          unit length, then :math:`\|P^\top E\|_F^2 / b`. It lies between 0 and b and depends
          neither on d nor on the size of the codes.
        - ``"mean"``: the same, divided by d**2 instead of b, as in the code of the original
          domain separation networks. It falls with the square of the code's width.
        - ``"literal"``: :math:`\|P^\top E\|_F^2 + \|E^\top P\|_F^2` of the codes as they are.
          The two terms are equal, so the printed equation doubles ``beta``.

    weight : Tensor of shape (b,), optional
        Weight of each sample; 2 is the same as the sample twice.

    Returns
    -------
    Tensor, scalar
        0 where every feature of one code is orthogonal to every feature of the other.
    """
    w = torch.ones_like(person[:, 0]) if weight is None else weight
    n = w.sum().clamp_min(1e-12)
    if scaling == "literal":
        return 2 * _squared_norm(person, expression, w)
    person, expression = (F.normalize(c - w @ c / n, dim=1) for c in (person, expression))
    total = _squared_norm(person, expression, w)
    if scaling == "mean":
        return total / (person.shape[1] * expression.shape[1])
    if scaling == "normalized":
        return total / n
    raise ValueError(f"scaling must be 'normalized', 'mean' or 'literal', got {scaling!r}")


def _squared_norm(p: Tensor, e: Tensor, w: Tensor) -> Tensor:
    """``||p.T @ diag(w) @ e||_F**2`` by the b x b Gram matrices: b is far smaller than d."""
    return w @ ((p @ p.T) * (e @ e.T)) @ w
