"""The weights of rows: one check for estimators and metrics."""

from typing import Any

import numpy as np

from ._labels import as_numbers


def read_weights(sample_weight: Any, n_rows: int, of: str = "X") -> np.ndarray:
    """Return the weight of every row, or say what is wrong with ``sample_weight``.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), number or None
        A number, or None, weighs all rows alike.
    n_rows : int
    of : str
        For messages: the argument whose rows they are.

    Returns
    -------
    ndarray of shape (n,), float64
        Finite, none negative, not all zero.
    """
    if sample_weight is None:
        return np.ones(n_rows)
    weight = as_numbers(sample_weight, "sample_weight")
    if weight.ndim == 0:
        weight = np.full(n_rows, weight)
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must hold one weight for each of the {n_rows} rows of {of}; its shape "
            f"is {weight.shape}"
        )
    wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(wrong):
        raise ValueError(
            f"sample_weight: row {wrong[0]} has {weight[wrong[0]]:g} ({len(wrong)} such rows in "
            "all); weights are finite and not negative, and 0 leaves a row out"
        )
    if n_rows and not weight.any():
        raise ValueError("sample_weight is zero for every row, so none is left to count")
    return weight
