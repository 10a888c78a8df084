"""Scores of each AU over the frames that are annotated for it."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from ..utils._labels import read_thresholds
from ..utils._sklearn import Interval, validate_params
from ._table import Scored, ratio


def f1_frame(Y_true: Any, Y_pred: Any, *, sample_weight: Any = None) -> pd.Series:
    """Frame-based F1 of each AU.

    ``2 tp / (2 tp + fp + fn)`` over the annotated frames. Peers compute it inside a test fold
    and average over folds; never pool folds.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated.
    Y_pred : array-like of the same shape
        Predicted 0 and 1; columns of two DataFrames are matched by name.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    Series of shape (n_aus,)
        NaN for an AU that is never present in ``Y_true``, and for one that was not predicted,
        all NaN in ``Y_pred``.

    Examples
    --------
    >>> from skau.metrics import f1_frame
    >>> f1_frame([[1, 0], [1, float("nan")], [0, 0]], [[1, 1], [0, 1], [0, 0]])
    y0    0.666667
    y1         NaN
    Name: f1, dtype: float64
    """
    table = Scored(Y_true, Y_pred, sample_weight, "Y_pred")
    table.require_binary()
    return table.series(table.f1(), "f1")


def always_present_f1(rate: pd.DataFrame | pd.Series) -> Any:
    """F1 of calling an AU present in every frame, by its base rates; NaN where it is in none."""
    rate = rate.replace(0.0, float("nan"))
    return 2 * rate / (1 + rate)


def accuracy(Y_true: Any, Y_pred: Any, *, sample_weight: Any = None) -> pd.Series:
    """Share of the annotated frames of each AU that are predicted right.

    Parameters
    ----------
    Y_true, Y_pred, sample_weight
        As in :func:`f1_frame`.

    Returns
    -------
    Series of shape (n_aus,)
        NaN for an AU without annotation.

    Examples
    --------
    >>> from skau.metrics import accuracy
    >>> float(accuracy([[1, 0], [0, 1]], [[1, 1], [0, 1]]).mean())
    0.75
    """
    table = Scored(Y_true, Y_pred, sample_weight, "Y_pred")
    table.require_binary()
    return table.series(table.accuracy(), "accuracy")


def roc_auc(Y_true: Any, Y_score: Any, *, sample_weight: Any = None) -> pd.Series:
    """Area under the ROC curve of each AU.

    Parameters
    ----------
    Y_true, sample_weight
        As in :func:`f1_frame`.
    Y_score : array-like of the same shape
        Probabilities or logits.

    Returns
    -------
    Series of shape (n_aus,)
        NaN for an AU that does not show both classes in ``Y_true``.

    Examples
    --------
    >>> from skau.metrics import roc_auc
    >>> labels = [[1, 0], [0, 1], [1, 1]]
    >>> roc_auc(labels, [[0.9, 0.2], [0.4, 0.1], [0.8, 0.7]]).tolist()
    [1.0, 0.5]
    """
    table = Scored(Y_true, Y_score, sample_weight, "Y_score")
    return table.series(table.roc_auc(), "roc_auc")


def false_alarm_rate(Y_true: Any, Y_pred: Any, *, sample_weight: Any = None) -> pd.Series:
    """Share of the frames without an AU in which it is predicted.

    Parameters
    ----------
    Y_true, Y_pred, sample_weight
        As in :func:`f1_frame`.

    Returns
    -------
    Series of shape (n_aus,)
        ``fp / (fp + tn)``, 0 to 1; NaN for an AU that is never absent in ``Y_true``.

    Examples
    --------
    >>> from skau.metrics import false_alarm_rate
    >>> false_alarm_rate([1, 0, 0, 0], [1, 1, 0, 0]).round(3).tolist()
    [0.333]
    """
    table = Scored(Y_true, Y_pred, sample_weight, "Y_pred")
    table.require_binary()
    return table.series(table.false_alarm_rate(), "false_alarm_rate")


@validate_params(
    {"n_bins": [Interval(Integral, 1, 10_000, closed="both")]}, prefer_skip_nested_validation=True
)
def calibration_error(
    Y_true: Any, Y_proba: Any, *, n_bins: int = 15, sample_weight: Any = None
) -> pd.Series:
    """Compute the expected calibration error of each AU: how far probabilities mislead.

    The frames are put into bins of equal width by their probability. In each bin, the mean
    probability is compared with the share of frames in which the AU is present; the distances
    are averaged, weighted by the number of frames [1]_.

    Parameters
    ----------
    Y_true, sample_weight
        As in :func:`f1_frame`.
    Y_proba : array-like of the same shape
        Probability that the AU is present.
    n_bins : int, default=15
        Bins between 0 and 1, at most 10,000.

    Returns
    -------
    Series of shape (n_aus,)
        0 to 1; 0 where a probability of 0.3 is right in 30 % of the frames. NaN for an AU without
        annotation. With few frames in a bin it is too large by chance.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.

    Examples
    --------
    >>> from skau.metrics import calibration_error
    >>> calibration_error([1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]).tolist()
    [0.0]
    >>> calibration_error([1, 1, 0, 0], [0.9, 0.9, 0.1, 0.1]).round(3).tolist()
    [0.1]
    """
    table = Scored(Y_true, Y_proba, sample_weight, "Y_proba")
    table.require_probability()
    return table.series(table.calibration_error(int(n_bins)), "calibration_error")


def au_report(
    Y_true: Any, Y_proba: Any, *, threshold: Any = 0.5, sample_weight: Any = None
) -> pd.DataFrame:
    """Everything usually reported, one row an AU and their mean.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated. The columns of a DataFrame name the rows.
    Y_proba : array-like or DataFrame of the same shape
        Probability that the AU is present. Columns of two DataFrames are matched by name. An AU
        whose probabilities are all NaN was not predicted, and has no score.
    threshold : float, array-like of shape (n_aus,), dict or Series, default=0.5
        An AU is predicted present above it: one for all, or one for each, such as the
        ``thresholds_`` of :class:`skau.model_selection.TunedThresholdsClassifier`. A dict or
        Series is matched by name.
    sample_weight : array-like of shape (n,), default=None
        Weight of the frames in every score; ``support`` counts those that have one.

    Returns
    -------
    DataFrame of shape (n_aus + 1, 9)
        Columns ``support`` (annotated frames), ``base_rate`` (share of them that is positive),
        ``precision``, ``recall``, ``false_alarm_rate``, ``f1``, ``accuracy``, ``roc_auc`` and
        ``calibration_error``. The last row, "mean", is the mean over the AUs whose value is
        defined; its support is the sum.

    Warns
    -----
    UserWarning
        If an AU is predicted in some annotated frames and NaN in others, which are left out.

    Examples
    --------
    >>> from skau.metrics import au_report
    >>> report = au_report([[1], [0], [1], [0]], [[0.9], [0.2], [0.4], [0.1]])
    >>> report.loc["y0", ["precision", "recall", "roc_auc"]].tolist()
    [1.0, 0.5, 1.0]
    """
    table = Scored(Y_true, Y_proba, sample_weight, "Y_proba")
    table.require_probability()
    if "mean" in table.names:
        raise ValueError("Y_true calls an AU 'mean', as the last row of the report; rename it")
    decided = table.decided(read_thresholds(threshold, table.names).to_numpy())
    tp, fp, fn, tn = decided.counts()
    report = pd.DataFrame(
        {
            "support": table.known.sum(axis=0),
            "base_rate": ratio(tp + fn, tp + fp + fn + tn),
            "precision": np.where(tp + fn > 0, ratio(tp, tp + fp, empty=0.0), np.nan),
            "recall": ratio(tp, tp + fn),
            "false_alarm_rate": decided.false_alarm_rate(),
            "f1": decided.f1(),
            "accuracy": decided.accuracy(),
            "roc_auc": table.roc_auc(),
            "calibration_error": table.calibration_error(15),
        },
        index=table.names,
    )
    mean = report.mean(axis=0)
    mean["support"] = report["support"].sum()
    report.loc["mean"] = mean
    return report.astype({"support": int})
