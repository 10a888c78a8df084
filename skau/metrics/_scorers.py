"""Scorers for cross-validation and searches, and the default score: means over AUs."""

from typing import Any

import numpy as np
import pandas as pd

from ..utils._labels import code_present, fitted_names, present_proba, read_table
from ..utils._rows import require_same_rows
from ._frame import accuracy, f1_frame, roc_auc


def _truth(estimator: Any, Y: Any) -> np.ndarray:
    """Return labels 0, 1 and NaN (n, n_aus), with the columns in the estimator's order."""
    table = read_table(_as_labels(estimator, Y))
    names = fitted_names(estimator)
    if names is None:
        return table.values
    return table.match(names, len(names), "y", type(estimator).__name__).values


def _as_labels(estimator: Any, y: Any) -> Any:
    return y if np.ndim(y) == 2 else code_present(y, estimator.classes_)


def _mean(series: pd.Series) -> float:
    return float(series.mean())  # skips NaN; NaN where nothing is left


def f1_frame_scorer(estimator: Any, X: Any, Y: Any) -> float:
    """Mean F1-frame over AUs at the threshold of ``predict``; pass it as ``scoring=``.

    Parameters
    ----------
    estimator : fitted classifier with ``predict`` and ``classes_``
    X : array-like
    Y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
        NaN where not annotated. Columns of a DataFrame are matched with the names that the
        estimator was fitted on.

    Returns
    -------
    float
        The mean over the AUs that are present in ``y``; NaN if none is.
    """
    return _mean(f1_frame(_truth(estimator, Y), _as_labels(estimator, estimator.predict(X))))


def accuracy_scorer(estimator: Any, X: Any, Y: Any, sample_weight: Any = None) -> float:
    """Mean accuracy over AUs; pass it as ``scoring=``.

    Parameters
    ----------
    estimator, X, Y
        As in :func:`f1_frame_scorer`.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    float
    """
    require_same_rows({"sample_weight": sample_weight}, {"y": Y})
    predicted = _as_labels(estimator, estimator.predict(X))
    return _mean(accuracy(_truth(estimator, Y), predicted, sample_weight=sample_weight))


def roc_auc_scorer(estimator: Any, X: Any, Y: Any) -> float:
    """Mean area under the ROC curve over AUs; pass it as ``scoring=``.

    Parameters
    ----------
    estimator : fitted classifier with ``predict_proba`` and ``classes_``
    X, Y
        As in :func:`f1_frame_scorer`.

    Returns
    -------
    float
        The mean over the AUs of which ``y`` holds both classes; NaN if none does.
    """
    truth = _truth(estimator, Y)
    classes = getattr(estimator, "classes_", None)
    proba = present_proba(estimator.predict_proba(X), truth.shape[1] == 1, classes)
    return _mean(roc_auc(truth, proba))


class AccuracyMixin:
    """The default score of classifiers of AUs."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy over the annotated labels.

        For one AU this is scikit-learn's accuracy; for several, the mean of each AU's. Present
        AUs are rare, so compare methods by ``skau.metrics.f1_frame_scorer`` instead.

        Parameters
        ----------
        X : array-like
            As at ``fit``.
        y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
            Labels; NaN is not counted. The columns of a DataFrame are matched by name.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        float
        """
        return accuracy_scorer(self, X, y, sample_weight=sample_weight)
