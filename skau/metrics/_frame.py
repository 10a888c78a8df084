"""Scores of each AU over the frames that are annotated for it."""

from typing import Any

import numpy as np
import pandas as pd

from ._table import LabelTable, ratio

__all__ = ["accuracy", "au_report", "f1_frame", "roc_auc"]


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
    table = LabelTable(Y_true, Y_pred, sample_weight, "Y_pred")
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
    table = LabelTable(Y_true, Y_pred, sample_weight, "Y_pred")
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
    table = LabelTable(Y_true, Y_score, sample_weight, "Y_score")
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
    proba = Y_proba if isinstance(Y_proba, pd.DataFrame) else np.asarray(Y_proba, dtype=float)
    table = LabelTable(Y_true, proba, sample_weight, "Y_proba")
    decided = LabelTable(Y_true, (proba > threshold).astype(float), sample_weight, "Y_proba")
    tp, fp, fn, tn = decided.counts()
    report = pd.DataFrame(
        {
            "support": table.known.sum(axis=0),
            "base_rate": ratio(tp + fn, tp + fp + fn + tn),
            "precision": np.where(tp + fn > 0, ratio(tp, tp + fp, empty=0.0), np.nan),
            "recall": ratio(tp, tp + fn),
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
