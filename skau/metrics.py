"""Per-AU metrics that know missing labels, and scorers made of them.

A label of NaN is not annotated and counts nowhere. An AU without a positive (or, for the
area under the curve, without a negative) has no score: it is NaN, never 0, and the mean over
AUs leaves it out.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

__all__ = [
    "accuracy",
    "accuracy_scorer",
    "au_report",
    "f1_frame",
    "f1_frame_scorer",
    "roc_auc",
    "roc_auc_scorer",
]


def f1_frame(Y_true: Any, Y_pred: Any, *, sample_weight: Any = None) -> pd.Series:
    """Frame-based F1 of each AU.

    ``2 tp / (2 tp + fp + fn)`` over the annotated frames. Peers compute it inside a test fold
    and average over folds; never pool folds.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated.
    Y_pred : array-like of the same shape
        Predicted 0 and 1.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    Series of shape (n_aus,)
        NaN for an AU that is never present in ``Y_true``.

    Examples
    --------
    >>> from skau.metrics import f1_frame
    >>> f1_frame([[1, 0], [1, float("nan")], [0, 0]], [[1, 1], [0, 1], [0, 0]])
    y0    0.666667
    y1         NaN
    Name: f1, dtype: float64
    """
    table = _Table(Y_true, Y_pred, sample_weight, "Y_pred")
    table.require_binary()
    return table.series(table.f1(), "f1")


def accuracy(Y_true: Any, Y_pred: Any, *, sample_weight: Any = None) -> pd.Series:
    """Share of the annotated frames of each AU that are predicted right.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated.
    Y_pred : array-like of the same shape
        Predicted 0 and 1.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    Series of shape (n_aus,)
        NaN for an AU without annotation.
    """
    table = _Table(Y_true, Y_pred, sample_weight, "Y_pred")
    table.require_binary()
    return table.series(table.accuracy(), "accuracy")


def roc_auc(Y_true: Any, Y_score: Any, *, sample_weight: Any = None) -> pd.Series:
    """Area under the ROC curve of each AU.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated.
    Y_score : array-like of the same shape
        Probabilities or logits.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    Series of shape (n_aus,)
        NaN for an AU that does not show both classes in ``Y_true``.
    """
    table = _Table(Y_true, Y_score, sample_weight, "Y_score")
    return table.series(table.roc_auc(), "roc_auc")


def au_report(
    Y_true: Any, Y_proba: Any, *, threshold: float = 0.5, sample_weight: Any = None
) -> pd.DataFrame:
    """Everything usually reported, one row an AU and their mean.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated. The columns of a DataFrame name the rows.
    Y_proba : array-like of the same shape
        Probability that the AU is present.
    threshold : float, default=0.5
        An AU is predicted present above it.
    sample_weight : array-like of shape (n,), default=None
        Weight of the frames in every score; ``support`` counts frames.

    Returns
    -------
    DataFrame of shape (n_aus + 1, 7)
        Columns ``support`` (annotated frames), ``base_rate`` (share of them that is positive),
        ``precision``, ``recall``, ``f1``, ``accuracy`` and ``roc_auc``. The last row, "mean",
        is the mean over the AUs whose value is defined; its support is the sum.

    Examples
    --------
    >>> from skau.metrics import au_report
    >>> report = au_report([[1], [0], [1], [0]], [[0.9], [0.2], [0.4], [0.1]])
    >>> report.loc["y0", ["precision", "recall", "roc_auc"]].tolist()
    [1.0, 0.5, 1.0]
    """
    proba = np.asarray(Y_proba, dtype=float)
    table = _Table(Y_true, proba, sample_weight, "Y_proba")
    decided = _Table(Y_true, (proba > threshold).astype(float), sample_weight, "Y_proba")
    tp, fp, fn, tn = decided.counts()
    report = pd.DataFrame(
        {
            "support": table.known.sum(axis=0),
            "base_rate": _ratio(tp + fn, tp + fp + fn + tn),
            "precision": np.where(tp + fn > 0, _ratio(tp, tp + fp, empty=0.0), np.nan),
            "recall": _ratio(tp, tp + fn),
            "f1": decided.f1(),
            "accuracy": decided.accuracy(),
            "roc_auc": table.roc_auc(),
        },
        index=table.names,
    )
    mean = report.mean(axis=0)
    mean["support"] = report["support"].sum()
    report.loc["mean"] = mean
    return report.astype({"support": int})


class _Table:
    """Labels beside predictions, NaN-aware."""

    def __init__(self, Y_true: Any, Y_other: Any, sample_weight: Any, name: str) -> None:
        columns = getattr(Y_true, "columns", None)
        if columns is None and isinstance(Y_true, pd.Series) and Y_true.name is not None:
            columns = [Y_true.name]
        self.true = _columns(Y_true)
        self.other = _columns(Y_other)
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
        return np.where(tp + fn > 0, _ratio(2 * tp, 2 * tp + fp + fn), np.nan)

    def accuracy(self) -> np.ndarray:
        tp, fp, fn, tn = self.counts()
        return _ratio(tp + tn, tp + fp + fn + tn)

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


def _columns(Y: Any) -> np.ndarray:
    values = np.asarray(Y, dtype=float)
    if values.ndim not in (1, 2):
        raise ValueError(f"expected shape (n, n_aus) or (n,), got {values.shape}")
    return values[:, None] if values.ndim == 1 else values


def _ratio(a: np.ndarray, b: np.ndarray, empty: float = np.nan) -> np.ndarray:
    return np.divide(a, b, out=np.full(len(b), empty), where=b > 0)


def _present(estimator: Any, Y: Any) -> Any:
    """Code a 1-D ``Y`` of any two labels as 0, 1 and NaN, by the estimator's ``classes_``."""
    if np.ndim(Y) == 2:
        return Y
    y = np.asarray(Y)
    return np.where(pd.isna(y), np.nan, y == estimator.classes_[1])


def _mean(series: pd.Series) -> float:
    return float(series.mean())  # skips NaN; NaN where nothing is left


def f1_frame_scorer(estimator: Any, X: Any, Y: Any) -> float:
    """Mean F1-frame over AUs at the threshold of ``predict``; pass it as ``scoring=``.

    Parameters
    ----------
    estimator : fitted classifier with ``predict`` and ``classes_``
    X : array-like
    Y : array-like of shape (n, n_aus) or (n,)
        NaN where not annotated.

    Returns
    -------
    float
        The mean over the AUs that are present in ``Y``; NaN if none is.
    """
    return _mean(f1_frame(_present(estimator, Y), _present(estimator, estimator.predict(X))))


def accuracy_scorer(estimator: Any, X: Any, Y: Any) -> float:
    """Mean accuracy over AUs; pass it as ``scoring=``.

    Parameters
    ----------
    estimator : fitted classifier with ``predict`` and ``classes_``
    X : array-like
    Y : array-like of shape (n, n_aus) or (n,)
        NaN where not annotated.

    Returns
    -------
    float
    """
    return _mean(accuracy(_present(estimator, Y), _present(estimator, estimator.predict(X))))


def roc_auc_scorer(estimator: Any, X: Any, Y: Any) -> float:
    """Mean area under the ROC curve over AUs; pass it as ``scoring=``.

    Parameters
    ----------
    estimator : fitted classifier with ``predict_proba`` and ``classes_``
    X : array-like
    Y : array-like of shape (n, n_aus) or (n,)
        NaN where not annotated.

    Returns
    -------
    float
        The mean over the AUs of which ``Y`` holds both classes; NaN if none does.
    """
    proba = estimator.predict_proba(X)
    return _mean(roc_auc(_present(estimator, Y), proba[:, 1] if np.ndim(Y) == 1 else proba))
