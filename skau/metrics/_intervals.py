"""How far a score, or a margin between two methods, depends on who was tested."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from ..utils._groups import check_groups
from ..utils._labels import read_predictions, read_table
from ..utils._sklearn import Interval as Within
from ..utils._sklearn import validate_params
from ._frame import f1_frame


class Interval(NamedTuple):
    """A score and the interval that it may lie in by chance."""

    score: float
    low: float
    high: float


@validate_params(
    {
        "metric": [callable],
        "confidence": [Within(Real, 0, 1, closed="neither")],
        "n_resamples": [Within(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def bootstrap_interval(
    Y_true: Any,
    Y_pred: Any,
    groups: Any,
    *,
    baseline: Any = None,
    metric: Callable[[Any, Any], Any] = f1_frame,
    folds: Any = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> Interval:
    """Bootstrap a score, or the margin between two methods, over the people tested.

    Frames of a person are nearly copies of each other, so it is people who are drawn, with
    replacement, each with all frames; both methods are scored on the same draw.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated.
    Y_pred : array-like of the same shape
        What ``metric`` takes: decisions for F1-frame, probabilities for ROC AUC.
    groups : array-like of shape (n,)
        The subject of each row.
    baseline : array-like of the same shape, default=None
        The predictions of another method on the same rows. Then the score is that of ``Y_pred``
        less that of ``baseline``.
    metric : callable, default=f1_frame
        ``metric(Y_true, Y_pred)`` gives a score or one of each AU, whose mean is taken without
        those that are NaN, as is that over folds.
    folds : array-like of shape (n,), default=None
        The test fold of each row. Then people are drawn within their fold, and scores are
        computed within each fold and averaged. None takes all rows as one.
    confidence : float between 0 and 1, default=0.95
    n_resamples : int, default=1000
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    score : float
        Of the people as they are.
    low, high : float
        Percentiles over the draws. They tell nothing of seeds or of who was trained on.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or a fold has fewer than two people.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.metrics import bootstrap_interval
    >>> rng = np.random.default_rng(0)
    >>> people, truth = np.repeat(np.arange(20), 10), rng.integers(0, 2, 200)
    >>> good = np.where(rng.random(200) < 0.1, 1 - truth, truth)
    >>> poor = np.where(rng.random(200) < 0.3, 1 - truth, truth)
    >>> margin = bootstrap_interval(
    ...     truth, good, people, baseline=poor, n_resamples=200, random_state=0
    ... )
    >>> bool(0 < margin.low < margin.score < margin.high)
    True
    """
    true = read_table(Y_true, "Y_true").frame()
    tables = [
        read_predictions(values, true, name, "Y_true")
        for name, values in (("Y_pred", Y_pred), ("baseline", baseline))
        if values is not None
    ]
    n = len(true)
    people = check_groups(groups, n, of="Y_true")
    part = np.zeros(n, int)
    if folds is not None:
        part = check_groups(folds, n, "folds", "fold", of="Y_true")
    rows_of = []
    for fold in np.unique(part):
        own = np.flatnonzero(part == fold)
        _, codes = np.unique(people[own], return_inverse=True)
        if codes.max() == 0:
            one = f"one subject, {people[own[0]]}, and people are drawn, so there must be two"
            raise ValueError(
                f"groups names {one}" if folds is None
                else f"folds: fold {fold} has {one}; join it to another, or leave folds out"
            )  # fmt: skip
        rows_of.append([own[codes == code] for code in range(codes.max() + 1)])

    def score(drawn: list[np.ndarray]) -> float:
        each = []
        for rows in drawn:
            values = [
                float(pd.Series(np.ravel(metric(true.iloc[rows], table.iloc[rows]))).mean())
                for table in tables
            ]
            each.append(values[0] - (values[1] if len(values) > 1 else 0.0))
        return float(pd.Series(each).mean())

    rng = check_random_state(random_state)
    draws = [
        score([
            np.concatenate([own[i] for i in rng.randint(len(own), size=len(own))])
            for own in rows_of
        ])
        for _ in range(n_resamples)
    ]  # fmt: skip
    tail = (1 - confidence) / 2
    low, high = pd.Series(draws).quantile([tail, 1 - tail])
    return Interval(score([np.concatenate(own) for own in rows_of]), float(low), float(high))
