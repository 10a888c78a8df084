"""The papers' losses as pure functions that return a tensor; the caller names it."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["asymmetric_bce", "difference_loss", "masked_bce", "simse", "triplet_losses"]


def masked_bce(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    class_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy, averaged over the labels that are there.

    Parameters
    ----------
    logits : Tensor of shape (b, n_aus)
    target : Tensor of shape (b, n_aus)
        1 present, 0 absent, NaN not annotated: such a label gives neither loss nor gradient.
    weight : Tensor of shape (b,), optional
        Weight of each row.
    class_weight : Tensor of shape (2, n_aus), optional
        Factor of the loss of each AU's labels: of absent ones in the first row, of present ones
        in the second.

    Returns
    -------
    Tensor, scalar
        0 where nothing is annotated.

    Examples
    --------
    >>> import torch
    >>> from skau.losses import masked_bce
    >>> labels = torch.tensor([[1.0, torch.nan], [0.0, 1.0]])
    >>> round(masked_bce(torch.zeros(2, 2), labels).item(), 4)
    0.6931
    """
    loss = F.binary_cross_entropy_with_logits(
        logits, torch.where(target.isnan(), 0.0, target), reduction="none"
    )
    if class_weight is not None:
        loss = loss * torch.where(target == 1, class_weight[1], class_weight[0])
    return _mean_of_labels(loss, target, weight)


def asymmetric_bce(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    au_weight: Tensor | None = None,
) -> Tensor:
    r"""Weighted asymmetric loss of the graph-based methods [1]_, averaged over the labels there.

    Of an AU with probability :math:`p`, label :math:`y` and weight :math:`w` it is

    .. math:: -w \, [\, y \log p + (1 - y) \, p \log(1 - p) \,]

    so that an absent AU counts the less, the surer the network is that it is absent. The
    factor :math:`p` is taken for a constant: no gradient passes it, as in the authors' code.

    Parameters
    ----------
    logits, target, weight
        As in :func:`masked_bce`.
    au_weight : Tensor of shape (n_aus,), optional
        Weight of each AU; in [1]_ the inverse of its share of present labels, with mean 1.

    Returns
    -------
    Tensor, scalar
        0 where nothing is annotated.

    References
    ----------
    .. [1] C. Luo, S. Song, W. Xie, L. Shen, H. Gunes, "Learning Multi-dimensional Edge
       Feature-based AU Relation Graph for Facial Action Unit Recognition", IJCAI 2022.

    Examples
    --------
    >>> import torch
    >>> from skau.losses import asymmetric_bce
    >>> absent = torch.zeros(1, 1)
    >>> sure, unsure = torch.tensor([[-4.0]]), torch.tensor([[0.0]])
    >>> [round(asymmetric_bce(logits, absent).item(), 4) for logits in (sure, unsure)]
    [0.0003, 0.3466]
    """
    absent = logits.detach().sigmoid() * F.softplus(logits)
    loss = torch.where(target == 1, F.softplus(-logits), absent)
    if au_weight is not None:
        loss = loss * au_weight
    return _mean_of_labels(loss, target, weight)


def _mean_of_labels(loss: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Average the losses of the annotated labels, each with the weight of its row."""
    w = (~target.isnan()).to(loss.dtype)
    if weight is not None:
        w = w * weight[:, None]
    # where(), not a product: a logit that is infinite must not leak NaN through a zero weight
    return (torch.where(w > 0, loss, 0.0) * w).sum() / w.sum().clamp_min(1e-12)


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

    Examples
    --------
    >>> import torch
    >>> from skau.losses import difference_loss
    >>> person = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    >>> difference_loss(person, person).item(), difference_loss(person, person.flip(1)).item()
    (2.0, 2.0)
    >>> difference_loss(person, torch.tensor([[1.0, 0.0], [1.0, 0.0]])).item()
    0.0
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

    Examples
    --------
    >>> import torch
    >>> from skau.losses import simse
    >>> x = torch.rand(2, 3, 4, 4)
    >>> round(simse(x, x + 0.5).item(), 6)  # a shift of the brightness costs nothing
    0.0
    """
    per_sample = (x - x_hat).flatten(1).var(dim=1, correction=0)
    if weight is None:
        return per_sample.mean()
    return torch.dot(per_sample, weight) / weight.sum().clamp_min(1e-12)


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

    Examples
    --------
    >>> import torch
    >>> from skau.losses import triplet_losses
    >>> z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> anchor, positive = torch.tensor([0]), torch.tensor([1])
    >>> triplet_losses(z, anchor, positive, margin=0.5).tolist()
    [[0.5, 0.5, 0.0]]
    """
    a = z[anchors]
    to_positive = (a - z[positives]).square().sum(dim=1)
    # |a - n|^2 = |a|^2 + |n|^2 - 2 a.n : one matrix product for all the candidates
    to_negative = a.square().sum(1)[:, None] + z.square().sum(1)[None] - 2 * a @ z.T
    return F.relu(to_positive[:, None] - to_negative + margin)
