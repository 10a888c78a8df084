"""Triplet loss over every candidate negative of a batch."""

import torch.nn.functional as F
from torch import Tensor

__all__ = ["triplet_losses"]


def triplet_losses(z: Tensor, anchors: Tensor, positives: Tensor, margin: float) -> Tensor:
    """Triplet loss of each anchor/positive pair against every row (paper 2, Eq. 2).

    ``max(0, |a - p|**2 - |a - n|**2 + margin)`` on squared Euclidean distances.

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Identity vectors, of unit length in the paper.
    anchors, positives : integer Tensor of shape (n_pairs,)
        Rows of ``z`` that show the same person.
    margin : float
        k in the paper.

    Returns
    -------
    Tensor of shape (n_pairs, b)
        Column j takes row j as the negative; which rows may be one is the caller's to say.
    """
    a = z[anchors]
    to_positive = (a - z[positives]).square().sum(dim=1)
    # |a - n|^2 = |a|^2 + |n|^2 - 2 a.n : one matrix product for all the candidates
    to_negative = a.square().sum(1)[:, None] + z.square().sum(1)[None] - 2 * a @ z.T
    return F.relu(to_positive[:, None] - to_negative + margin)
