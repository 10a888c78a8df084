"""Folds of whole subjects in which every AU is about as frequent as in all."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from ..utils._labels import LabelTable, label_array, read_table
from ._kfold import SubjectKFold

MAX_STARTS = 20
POWER = 4  # high enough that the largest deviation counts most, low enough for float64


class StratifiedSubjectKFold(SubjectKFold):
    r"""K folds of whole subjects that balance the base rate of every AU.

    As :class:`SubjectKFold`, and in addition the folds are chosen such that no AU is much more or
    less frequent in one test part than in all of the data: a local search makes

    .. math:: D = \max_{f, a} |r_{fa} - r_a|

    small, where :math:`r_{fa}` is the base rate of AU `a` in the test part of fold `f` (positives
    over annotated rows) and :math:`r_a` that in all rows. :func:`fold_table` gives these rates
    for any splitter. Before anything else, it avoids folds in which an AU has no positive, since
    no F1 score exists there.

    From up to 20 random assignments, the search moves and exchanges subjects as long as that
    lowers the sum over all :math:`|r_{fa} - r_a|^4`, and keeps the assignment with the smallest
    `D`. No fold is further from the mean size than the rows of the largest subject.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, from 2 to the number of annotated subjects.
    shuffle : bool, default=None
        Whether `random_state` seeds the search. None means: when one is given. Without shuffling
        the same data always give the same folds.
    random_state : int, RandomState instance or None, default=None
        Seed of the search. The same seed gives the same folds.

    See Also
    --------
    SubjectKFold : Balances only the number of rows.
    sklearn.model_selection.StratifiedGroupKFold : For one label with several classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import StratifiedSubjectKFold, fold_table
    >>> subjects = np.repeat(["a", "b", "c", "d"], 10)
    >>> Y = np.zeros((40, 1))
    >>> Y[:4] = Y[10:14] = 1  # a and b show the AU in 4 of 10 frames, c and d in 1
    >>> Y[[20, 30]] = 1
    >>> folds = fold_table(StratifiedSubjectKFold(2), Y, subjects)
    >>> folds["y0"].tolist()
    [0.25, 0.25, 0.25]
    """

    def _assign(self, subject_of_row: np.ndarray, y: Any, rows: np.ndarray) -> np.ndarray:
        if y is None:
            raise ValueError("StratifiedSubjectKFold needs the labels y; SubjectKFold does not.")
        counts = _Counts.of(class_table(y).values[rows], subject_of_row)
        random_state = check_random_state(self.random_state if self.shuffle else 0)
        # Many subjects are easily balanced, and a start takes time by the square of their number.
        n_starts = int(np.clip(2000 // len(counts.rows), 1, MAX_STARTS))
        found = [_search(counts, self.n_splits, random_state) for _ in range(n_starts)]
        return min(found, key=lambda folds: _quality(counts, folds, self.n_splits))


class _Counts(NamedTuple):
    """What each subject brings to a fold."""

    positive: np.ndarray  # (n_subjects, n_aus)
    annotated: np.ndarray  # (n_subjects, n_aus)
    rows: np.ndarray  # (n_subjects,)

    @classmethod
    def of(cls, labels: np.ndarray, subject_of_row: np.ndarray) -> _Counts:
        n_subjects = subject_of_row.max() + 1
        positive = np.zeros((n_subjects, labels.shape[1]))
        annotated = np.zeros_like(positive)
        np.add.at(positive, subject_of_row, np.nan_to_num(labels))
        np.add.at(annotated, subject_of_row, ~np.isnan(labels))
        rows = np.bincount(subject_of_row).astype(float)
        # An AU that nobody shows, or nobody is annotated for, is the same in every fold.
        shown = positive.sum(axis=0) > 0
        return cls(positive[:, shown], annotated[:, shown], rows)

    def deviation(self, positive: np.ndarray, annotated: np.ndarray) -> np.ndarray:
        """Return |r_fa - r_a| of folds with these counts; 1, the worst, without a positive."""
        overall = self.positive.sum(axis=0) / self.annotated.sum(axis=0)
        rate = positive / np.maximum(annotated, 1)
        return np.where(positive > 0, np.abs(rate - overall), 1.0)


def _quality(counts: _Counts, folds: np.ndarray, n_splits: int) -> tuple[int, float]:
    """Return how many times a fold lacks an AU, and D over the other cases."""
    member = np.eye(n_splits)[folds].T
    positive = member @ counts.positive
    deviation = counts.deviation(positive, member @ counts.annotated)
    return int((positive == 0).sum()), float(deviation.max(where=positive > 0, initial=0))


def _search(counts: _Counts, n_splits: int, random_state: np.random.RandomState) -> np.ndarray:
    """Return the fold of each subject: a random start, and the local optimum it leads to."""
    n_subjects = len(counts.rows)
    mean, slack = counts.rows.sum() / n_splits, counts.rows.max()
    folds = np.empty(n_subjects, dtype=int)
    size = np.zeros(n_splits)
    for subject in random_state.permutation(n_subjects):
        folds[subject] = size.argmin()
        size[folds[subject]] += counts.rows[subject]

    def cost(positive: np.ndarray, annotated: np.ndarray, rows: np.ndarray) -> np.ndarray:
        cost = (counts.deviation(positive, annotated) ** POWER).sum(axis=-1)
        return np.where((rows > 0) & (np.abs(rows - mean) <= slack), cost, np.inf)

    # Every change considered puts `subject` into another fold, and either nobody or one subject
    # of that fold into its place. All are tried at once: a row each of `exchanged`.
    exchanged = np.concatenate([np.arange(n_subjects), np.full(n_splits, n_subjects)])
    padded = [np.concatenate([part, np.zeros_like(part[:1])]) for part in counts]
    improved = True
    while improved:
        improved = False
        for subject in random_state.permutation(n_subjects):
            member = np.eye(n_splits)[folds].T
            now = [member @ part for part in counts]
            here, there = folds[subject], np.concatenate([folds, np.arange(n_splits)])
            gain = [part[exchanged] - part[subject] for part in padded]
            before = cost(*now)
            after = cost(*(n[here] + g for n, g in zip(now, gain, strict=True)))
            after = after + cost(*(n[there] - g for n, g in zip(now, gain, strict=True)))
            change = np.where(there == here, 0, after - before[here] - before[there])
            best = change.argmin()
            if change[best] < -1e-12:
                folds[subject] = there[best]
                if exchanged[best] < n_subjects:
                    folds[exchanged[best]] = here
                improved = True
    return folds


def class_table(y: Any) -> LabelTable:
    """Return 1, 0 and NaN with a column an AU.

    A one-dimensional y of 0, 1 and NaN is one AU; of anything else, a column a class.
    """
    if np.ndim(y) == 1:
        column = pd.Series(label_array(y))
        if not column.dropna().isin([0, 1]).all():
            classes = pd.get_dummies(column, dtype=float)
            return read_table(classes.where(column.notna()))
    return read_table(y)
