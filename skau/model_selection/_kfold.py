"""K folds of whole subjects, and what every splitter asks of subjects and labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold
from sklearn.utils import check_random_state

from ..utils._groups import check_groups
from ..utils._labels import label_array
from ..utils._rows import require_same_rows
from ..utils._sklearn import num_samples

Parts = Iterator[tuple[np.ndarray, np.ndarray]]
"""Of each fold, the rows of the training and of the test part."""


def require_groups(groups: Any, n_rows: int, owner: str, of: str = "X") -> np.ndarray:
    """Return the subject of every row as a 1-D array, or say how to pass it."""
    if groups is None:
        raise ValueError(
            f"{owner} needs the subject of every row, but groups is None. Pass groups=subjects to "
            "cross_validate, GridSearchCV.fit or split; after "
            "sklearn.set_config(enable_metadata_routing=True) pass params={'groups': subjects} to "
            "cross_validate instead (GridSearchCV.fit keeps groups=subjects)."
        )
    return check_groups(groups, n_rows, of=of)


def n_subject_folds(cv: Any) -> int | None:
    """Return how many folds of subjects ``cv`` stands for; None of a splitter or of parts."""
    if cv is None:
        return 5
    return int(cv) if isinstance(cv, Integral) else None


def scored_rows(y: Any, subjects: np.ndarray) -> np.ndarray:
    """Return a mask of the rows whose subject has at least one label (all rows without a y)."""
    if y is None:
        return np.ones(len(subjects), dtype=bool)
    missing = np.asarray(pd.isna(label_array(y)))
    labelled = ~(missing if missing.ndim == 1 else missing.all(axis=1))
    return np.isin(subjects, subjects[labelled])


class SubjectSplitter(ABC):
    """The base of all splitters by subject: each divides the rows in ``_split``."""

    # With metadata routing, groups comes without asking, as for scikit-learn's group splitters.
    __metadata_request__split: ClassVar = {"groups": True}

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Parts:
        """Yield the row indices of the training and the test part of each fold.

        Parameters
        ----------
        X : array-like of length n
            Images, paths, or anything else with one entry a row. Only its length is used.
        y : array-like of shape (n,) or (n, n_aus), default=None
            Labels, NaN where not annotated. None treats every subject as annotated.
        groups : array-like of shape (n,)
            The subject of each row.

        Yields
        ------
        train, test : ndarray of int
            Row indices, ascending.

        Raises
        ------
        ValueError
            If `groups` is missing, incomplete or of the wrong length, or does not fit the folds.
        """
        require_same_rows({"groups": groups}, {"y": y, "X": X})
        subjects = require_groups(groups, num_samples(X), type(self).__name__)
        return self._split(X, y, subjects)

    @abstractmethod
    def _split(self, X: Any, y: Any, subjects: np.ndarray) -> Parts:
        """Yield the parts; all rows have a subject."""


class SubjectKFold(SubjectSplitter, GroupKFold):
    """K folds of whole subjects, with about the same number of rows in each.

    Every annotated subject is tested exactly once. Identity-only subjects (every row of `y` NaN)
    are in every training part and in no test part. NaN rows of an annotated subject follow that
    subject. Use it as ``cv=`` wherever `y` has NaN: an integer ``cv=`` raises there.

    Subjects are given out one by one, each to the fold with the fewest rows so far, the largest
    subject first (in random order when shuffled). Fold sizes then differ by no more than the rows
    of the largest subject.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, from 2 to the number of annotated subjects.
    shuffle : bool, default=None
        Whether to give out the subjects in random order. None shuffles when a `random_state` is
        given. Without shuffling the same data always give the same folds.
    random_state : int, RandomState instance or None, default=None
        Seed of the random order.

    See Also
    --------
    StratifiedSubjectKFold : Also balances the base rate of every AU.
    PredefinedSubjectSplit : Folds by the names of their test subjects.
    cross_val_predict : Takes identity-only subjects, where scikit-learn's asks for a partition.

    Notes
    -----
    Without metadata routing `groups` goes to the splitter and to the estimator apart:
    ``cross_validate(clf, X, Y, groups=subjects, params={"groups": subjects}, cv=...)``.
    With ``sklearn.set_config(enable_metadata_routing=True)`` once is enough:
    ``cross_validate(clf, X, Y, params={"groups": subjects}, cv=...)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import SubjectKFold
    >>> X = np.zeros((6, 2))
    >>> Y = np.array([[1, 0], [0, 0], [1, np.nan], [0, 1], [np.nan, np.nan], [np.nan, np.nan]])
    >>> subjects = ["ann", "ann", "bob", "bob", "zoe", "zoe"]
    >>> for train, test in SubjectKFold(2).split(X, Y, subjects):
    ...     print(train, test)
    [2 3 4 5] [0 1]
    [0 1 4 5] [2 3]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        if shuffle is None:
            shuffle = random_state is not None
        super().__init__(n_splits, shuffle=shuffle, random_state=random_state)

    def _split(self, X: Any, y: Any, subjects: np.ndarray) -> Parts:
        if len(subjects) < self.n_splits:  # of which scikit-learn would speak as of samples
            next(self._iter_test_indices(X, y, subjects))
        return GroupKFold.split(self, X, y, subjects)

    def _iter_test_indices(self, X: Any, y: Any, groups: np.ndarray) -> Iterator[np.ndarray]:
        rows = np.flatnonzero(scored_rows(y, groups))
        subjects, subject_of_row = np.unique(groups[rows], return_inverse=True)
        if len(subjects) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits}, but only {len(subjects)} of the "
                f"{len(np.unique(groups))} subjects in groups have a label in y: lower n_splits."
            )
        fold_of_subject = self._assign(subject_of_row, y, rows)
        for fold in range(self.n_splits):
            yield rows[fold_of_subject[subject_of_row] == fold]

    def _assign(self, subject_of_row: np.ndarray, y: Any, rows: np.ndarray) -> np.ndarray:
        """Return the fold of each annotated subject."""
        sizes = np.bincount(subject_of_row)
        order = np.argsort(-sizes, kind="stable")
        if self.shuffle:
            order = check_random_state(self.random_state).permutation(len(sizes))
        fold_of_subject = np.empty(len(sizes), dtype=int)
        load = np.zeros(self.n_splits)
        for subject in order:
            fold_of_subject[subject] = load.argmin()
            load[load.argmin()] += sizes[subject]
        return fold_of_subject
