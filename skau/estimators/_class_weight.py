"""How much each label counts in the classification loss, which all networks share."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from ..losses import asymmetric_bce, masked_bce
from ..modules import AUOutput
from ..training._stage import Loss, Term
from ..utils._sklearn import Interval, StrOptions

ClassWeight = Annotated[
    str | Mapping[Any, float] | Sequence[Mapping[Any, float]] | None,
    StrOptions({"balanced", "asymmetric"}), dict, list, None,
]  # fmt: skip

_WEIGHT = Interval(Real, 0, 1e6, closed="both")


class ClassificationLoss(Loss):
    """Cross-entropy over the annotated labels, each AU's absent and present ones weighted.

    Parameters
    ----------
    weights : ndarray of shape (2, n_aus) or None
        Of absent and of present labels. None weighs all alike.
    asymmetric : bool
        Weigh absent labels by their AU's own probability, too.
    """

    weights: Tensor | None

    def __init__(self, weights: np.ndarray | None, *, asymmetric: bool = False) -> None:
        super().__init__()
        self.asymmetric = asymmetric
        self.register_buffer("weights", None if weights is None else torch.from_numpy(weights))

    def forward(
        self, output: AUOutput, y: Tensor, batch: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Term]]:
        logits, weights = output.logits, self.weights
        if weights is not None:
            weights = weights.to(logits)
        if self.asymmetric:
            assert weights is not None
            loss = asymmetric_bce(logits, y, batch["weight"], weights[1])
        else:
            loss = masked_bce(logits, y, batch["weight"], weights)
        labels = (~y.isnan()).sum(1).to(batch["weight"])
        return loss, {"class": (loss, float(labels @ batch["weight"]))}


def class_weights(
    class_weight: ClassWeight,
    Y: np.ndarray,
    row_weight: np.ndarray,
    classes: np.ndarray,
    single: bool,
) -> np.ndarray | None:
    """Return the weight of each AU's absent and present labels.

    Parameters
    ----------
    class_weight : parameter of the estimator
    Y : ndarray of shape (n, n_aus)
        1, 0, NaN of the training rows.
    row_weight : ndarray of shape (n,)
    classes : ndarray
        The two labels of a single AU; not used of several.
    single : bool
        Whether there is one AU.

    Returns
    -------
    ndarray of shape (2, n_aus), float, or None
        None where all labels weigh alike.
    """
    if class_weight is None:
        return None
    if not isinstance(class_weight, str):
        return _given(class_weight, Y.shape[1], classes.tolist() if single else [0, 1])
    counts = np.stack([row_weight.astype(float) @ (value == Y) for value in (0, 1)])
    there = counts > 0
    if class_weight == "balanced":  # over the classes that an AU shows, as scikit-learn has it
        even = counts.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        return np.divide(even, counts, out=np.ones_like(counts), where=there)
    # the inverse of each AU's rate; of one that never shows, as if it did in a row of mean weight
    known, total = there.any(axis=0), counts.sum(axis=0)
    once = total / np.maximum((~np.isnan(Y)).sum(axis=0), 1)
    rare = np.where(known, total, 1) / np.where(there[1], counts[1], np.where(known, once, 1))
    return np.stack([rare / rare[known].mean()] * 2) if known.any() else np.ones_like(counts)


def _given(
    class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]],
    n_aus: int,
    labels: list[Any],
) -> np.ndarray:
    each = [class_weight] * n_aus if isinstance(class_weight, Mapping) else list(class_weight)
    if len(each) != n_aus:
        raise ValueError(f"class_weight holds {len(each)} dicts, but y has {n_aus} AUs")
    for au, own in enumerate(each):
        if not isinstance(own, Mapping):
            raise ValueError(f"class_weight must hold dicts such as {{0: 1, 1: 4}}, got {own!r}")
        if unknown := [label for label in own if label not in labels]:
            place = f"[{au}]" * (n_aus > 1)
            raise ValueError(f"class_weight{place} names {unknown}, but the labels are {labels}")
        if not all(map(_WEIGHT.is_satisfied_by, own.values())):
            raise ValueError(f"class_weight must hold numbers from 0 to 1e6, got {dict(own)}")
    return np.array([[float(own.get(label, 1)) for own in each] for label in labels])
