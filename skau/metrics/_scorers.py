"""Scorers for cross-validation and searches: means over AUs."""

from typing import Any

import numpy as np
import pandas as pd

from ._frame import accuracy, f1_frame, roc_auc

__all__ = ["accuracy_scorer", "f1_frame_scorer", "roc_auc_scorer"]


def _present(estimator: Any, Y: Any) -> Any:
    """Code a 1-D ``y`` of any two labels as 0, 1 and NaN, by the estimator's ``classes_``."""
    if np.ndim(Y) == 2:
        return Y
    if len(estimator.classes_) != 2:
        raise ValueError(
            f"a 1-D y holds one AU, but the estimator knows {len(estimator.classes_)} classes: "
            f"{list(estimator.classes_)}; pass a column of 0 and 1 for each"
        )
    y = np.asarray(Y, dtype=object)
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
        The mean over the AUs that are present in ``y``; NaN if none is.
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
        The mean over the AUs of which ``y`` holds both classes; NaN if none does.
    """
    proba = estimator.predict_proba(X)
    if isinstance(proba, list):  # scikit-learn's own: a pair of columns for each AU
        pairs = zip(proba, estimator.classes_, strict=True)
        proba = np.column_stack([p @ (np.asarray(known) == 1) for p, known in pairs])
    return _mean(roc_auc(_present(estimator, Y), proba[:, 1] if np.ndim(Y) == 1 else proba))
