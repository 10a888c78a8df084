"""Binary cross-entropy over the annotated AUs."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["masked_bce"]


def masked_bce(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, averaged over the labels that are there.

    Parameters
    ----------
    logits : Tensor of shape (b, n_aus)
    target : Tensor of shape (b, n_aus)
        1 present, 0 absent, NaN not annotated: such a label gives neither loss nor gradient.
    weight : Tensor of shape (b,), optional
        Weight of each row.

    Returns
    -------
    Tensor, scalar
        0 where nothing is annotated.
    """
    annotated = ~target.isnan()
    loss = F.binary_cross_entropy_with_logits(
        logits, torch.where(annotated, target, 0.0), reduction="none"
    )
    w = annotated.to(loss.dtype)
    if weight is not None:
        w = w * weight[:, None]
    # where(), not a product: a logit that is infinite must not leak NaN through a zero weight
    return (torch.where(w > 0, loss, 0.0) * w).sum() / w.sum().clamp_min(1e-12)
