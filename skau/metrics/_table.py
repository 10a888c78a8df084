"""Labels beside predictions, checked once for all metrics."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

__all__ = ["LabelTable", "ratio"]


class LabelTable:
    """Labels beside predictions, NaN-aware."""

    def __init__(self, Y_true: Any, Y_other: Any, sample_weight: Any, name: str) -> None:
        columns = getattr(Y_true, "columns", None)
        if columns is None and isinstance(Y_true, pd.Series) and Y_true.name is not None:
            columns = [Y_true.name]
        self.true = _columns(Y_true)
        self.other = _columns(_in_order(Y_other, Y_true, name))
        if self.true.shape != self.other.shape:
            raise ValueError(
                f"Y_true has shape {np.shape(Y_true)}, but {name} {np.shape(Y_other)}"
            )
        self.other_name = name
        self.known = ~np.isnan(self.true)
        wrong = self.known & (self.true != 0) & (self.true != 1)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"Y_true: row {row}, column {column} holds {self.true[row, column]:g}; labels are "
                "0, 1 and NaN (not annotated)"
            )
        if np.isnan(self.other).any():
            raise ValueError(f"{name}: row {np.argwhere(np.isnan(self.other))[0][0]} is NaN")
        weight = np.ones(len(self.true)) if sample_weight is None else np.asarray(sample_weight)
        if weight.shape != (len(self.true),):
            raise ValueError(
                f"sample_weight must have shape ({len(self.true)},), got {weight.shape}"
            )
        self.weight = weight[:, None] * self.known
        self.names = [f"y{j}" for j in range(self.true.shape[1])]
        if columns is not None:
            self.names = [str(column) for column in columns]

    def require_binary(self) -> None:
        if not np.isin(self.other, (0, 1)).all():
            raise ValueError(
                f"{self.other_name} must hold 0 and 1; threshold probabilities first, or use "
                "au_report"
            )

    def series(self, values: np.ndarray, name: str) -> pd.Series:
        return pd.Series(values, index=self.names, name=name)

    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Weighted tp, fp, fn, tn of each AU."""
        t, p = self.true == 1, self.other == 1
        cells = (t & p, ~t & p, t & ~p, ~t & ~p)
        tp, fp, fn, tn = ((cell * self.weight).sum(axis=0) for cell in cells)
        return tp, fp, fn, tn

    def f1(self) -> np.ndarray:
        tp, fp, fn, _ = self.counts()
        return np.where(tp + fn > 0, ratio(2 * tp, 2 * tp + fp + fn), np.nan)

    def accuracy(self) -> np.ndarray:
        tp, fp, fn, tn = self.counts()
        return ratio(tp + tn, tp + fp + fn + tn)

    def roc_auc(self) -> np.ndarray:
        values = np.full(len(self.names), np.nan)
        for j in range(len(values)):
            known = self.weight[:, j] > 0
            t = self.true[known, j]
            if len(np.unique(t)) == 2:
                values[j] = roc_auc_score(
                    t, self.other[known, j], sample_weight=self.weight[known, j]
                )
        return values


def _in_order(Y_other: Any, Y_true: Any, name: str) -> Any:
    """Return a table with its columns in the order of the labels', if both name them."""
    if not (isinstance(Y_other, pd.DataFrame) and isinstance(Y_true, pd.DataFrame)):
        return Y_other
    if Y_other.columns.dtype.kind == "i" or Y_other.columns.equals(Y_true.columns):
        return Y_other
    if len(Y_other.columns) != len(Y_true.columns) or set(Y_other) != set(Y_true):
        raise ValueError(
            f"{name} has the columns {Y_other.columns.tolist()}, but Y_true "
            f"{Y_true.columns.tolist()}; give both the same names, or pass arrays, which are "
            "compared by position"
        )
    return Y_other[Y_true.columns]


def _columns(Y: Any) -> np.ndarray:
    table = np.asarray(Y)
    values = np.where(pd.isna(table), np.nan, table).astype(float)  # None and pandas.NA, too
    if values.ndim not in (1, 2):
        raise ValueError(f"expected shape (n, n_aus) or (n,), got {values.shape}")
    return values[:, None] if values.ndim == 1 else values


def ratio(a: np.ndarray, b: np.ndarray, empty: float = np.nan) -> np.ndarray:
    return np.divide(a, b, out=np.full(len(b), empty), where=b > 0)
