"""One split by subject, and what is in the parts of any split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, check_random_state

from ..utils._sklearn import num_samples
from ._kfold import require_groups, scored_rows
from ._stratified import label_table


def subject_train_val_test_split(
    X: Any,
    y: Any = None,
    groups: Any = None,
    *,
    sizes: Sequence[float] = (3, 1, 1),
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the subjects at random into training, validation and test part.

    The default 3:1:1 is how the DSN paper splits its five subjects. Identity-only subjects (every
    row of `y` NaN) all go into the training part and do not count.

    Parameters
    ----------
    X : array-like of length n
        Images, paths, or anything else with one entry a row. Only its length is used.
    y : array-like of shape (n,) or (n, n_aus), default=None
        Labels, NaN where not annotated. None treats every subject as annotated.
    groups : array-like of shape (n,)
        The subject of each row.
    sizes : sequence of three positive numbers, default=(3, 1, 1)
        How the numbers of annotated subjects in the three parts relate, rounded to whole
        subjects, at least one each.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    train, val, test : ndarray of int
        Row indices, ascending. Every row is in exactly one of them.

    Raises
    ------
    ValueError
        If `groups` is missing, incomplete or of the wrong length, if there are fewer than three
        annotated subjects, or if `sizes` are not three positive numbers.

    References
    ----------
    "Domain Separation for Person-Specific Aspects in Facial Expression Recognition" (DSN).

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import subject_train_val_test_split
    >>> subjects = np.repeat(["a", "b", "c", "d", "e"], 2)
    >>> X = np.arange(10)
    >>> parts = subject_train_val_test_split(X, groups=subjects, random_state=0)
    >>> [subjects[part][::2].tolist() for part in parts]
    [['b', 'd', 'e'], ['a'], ['c']]
    """
    groups = require_groups(groups, num_samples(X), "subject_train_val_test_split")
    check_consistent_length(X, y, groups)
    ratio = np.asarray(sizes, dtype=float)
    if ratio.shape != (3,) or not (np.isfinite(ratio) & (ratio > 0)).all():
        raise ValueError(f"sizes must be three positive numbers, not {sizes!r}.")
    scored = scored_rows(y, groups)
    subjects = np.unique(groups[scored])
    if len(subjects) < 3:
        raise ValueError(
            f"Three parts need three annotated subjects; groups has {len(subjects)} with a label."
        )
    n_val, n_test = _whole_subjects(ratio, len(subjects))[1:]
    drawn = check_random_state(random_state).permutation(subjects)
    test = scored & np.isin(groups, drawn[:n_test])
    val = scored & np.isin(groups, drawn[n_test : n_test + n_val])
    return np.flatnonzero(~test & ~val), np.flatnonzero(val), np.flatnonzero(test)


def _whole_subjects(ratio: np.ndarray, n_subjects: int) -> np.ndarray:
    """Share out subjects: one each first, then one by one to the part furthest below its due."""
    due, counts = ratio / ratio.sum() * n_subjects, np.ones(3, dtype=int)
    for _ in range(n_subjects - 3):
        counts[(due - counts).argmax()] += 1
    return counts


def fold_table(cv: Any, y: Any, groups: Any) -> pd.DataFrame:
    """Tabulate the test parts of a splitter: their size, and how often each AU is present.

    Parameters
    ----------
    cv : splitter
        Anything with ``split(X, y, groups)``.
    y : array-like of shape (n,) or (n, n_aus)
        Labels 1, 0 and NaN.
    groups : array-like of shape (n,)
        The subject of each row.

    Returns
    -------
    table : DataFrame
        One row a fold, and a last row ``all`` for all test parts together. Columns `subjects` and
        `rows` count them; a column an AU gives its base rate: positives over annotated rows, 0 to
        1, NaN without any.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import SubjectKFold, fold_table
    >>> Y = np.array([[1], [0], [0], [np.nan]])
    >>> fold_table(SubjectKFold(2), Y, ["a", "a", "b", "b"])
         subjects  rows        y0
    0           1     2  0.500000
    1           1     2  0.000000
    all         2     4  0.333333
    """
    table = label_table(y)
    labels = table.values
    subjects = require_groups(groups, len(labels), "fold_table")
    fold_names = getattr(cv, "fold_names", None)
    parts = [test for _, test in cv.split(labels, y, subjects)]
    index = [*(fold_names or range(len(parts))), "all"]
    rows = []
    for part in [*parts, np.concatenate(parts)]:
        annotated = (~np.isnan(labels[part])).sum(axis=0)
        rate = np.nansum(labels[part], axis=0) / np.where(annotated, annotated, np.nan)
        counts = {"subjects": len(set(subjects[part])), "rows": len(part)}
        rows.append({**counts, **dict(zip(table.names, rate, strict=True))})
    return pd.DataFrame(rows, index=index)
