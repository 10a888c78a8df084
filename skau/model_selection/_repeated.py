"""Folds drawn again and again."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from ..utils._sklearn import Interval
from ._kfold import Parts, SubjectKFold, SubjectSplitter


class RepeatedSubjectKFold(SubjectSplitter, BaseCrossValidator):
    """K folds of whole subjects, drawn anew several times.

    The scores of one division into folds depend on who happened to be tested together: on real
    corpora a mean F1 moves by several points. Repeated, they say by how much, and
    :func:`skau.metrics.paired_interval` whether a margin between two methods is larger.

    Parameters
    ----------
    n_splits : int, default=5
        Folds of each repetition, as in :class:`SubjectKFold`.
    n_repeats : int, default=10
        Repetitions, each with subjects given out in another random order. Their folds follow one
        another.
    random_state : int, RandomState instance or None, default=None
        Seed of the orders.

    See Also
    --------
    sklearn.model_selection.RepeatedKFold : The same by rows.
    skau.metrics.paired_interval : The interval of a margin over such folds.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import RepeatedSubjectKFold
    >>> cv = RepeatedSubjectKFold(2, n_repeats=2, random_state=0)
    >>> for train, test in cv.split(np.zeros(4), groups=["a", "b", "c", "d"]):
    ...     print(test)
    [1 2]
    [0 3]
    [0 1]
    [2 3]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        n_repeats: int = 10,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        if not Interval(Integral, 1, None, closed="left").is_satisfied_by(n_repeats):
            raise ValueError(f"n_repeats must be a whole number from 1, not {n_repeats!r}.")
        SubjectKFold(n_splits)  # says what is wrong with it
        self.n_splits, self.n_repeats, self.random_state = n_splits, n_repeats, random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds in all. All arguments are ignored."""
        return self.n_splits * self.n_repeats

    def _split(self, X: Any, y: Any, subjects: np.ndarray) -> Parts:
        rng = check_random_state(self.random_state)
        for _ in range(self.n_repeats):
            yield from SubjectKFold(self.n_splits, random_state=rng).split(X, y, subjects)
