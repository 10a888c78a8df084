"""Check the subjects of the rows: one place for splitters and estimators."""

from typing import Any

import numpy as np
import pandas as pd

from ._arrays import plain


def check_groups(
    groups: Any, n_rows: int, argument: str = "groups", each: str = "subject", of: str = "X"
) -> np.ndarray:
    """Return the subject (or what ``each`` is) of every row of ``of``, or say what is wrong."""
    groups = plain(groups, argument)
    if isinstance(groups, pd.MultiIndex):
        raise TypeError(
            f"{argument} is a MultiIndex; pass the level that holds the {each}s: "
            f"{argument}.get_level_values({groups.names[0] or 0!r})"
        )
    try:
        subjects = np.asarray(groups)
    except ValueError as error:  # lists of different lengths
        raise ValueError(
            f"{argument} must hold one {each} for each row of {of}: {error}"
        ) from error
    if subjects.ndim != 1 or len(subjects) != n_rows:
        found = f"its shape is {subjects.shape}" if subjects.ndim else f"it is {groups!r:.80}"
        mend = f": pass {argument}.squeeze()" if subjects.shape == (n_rows, 1) else ""
        raise ValueError(
            f"{argument} must hold one {each} for each of the {n_rows} rows of {of}; {found}{mend}"
        )
    # as objects: among strings NumPy makes a NaN the name "nan"
    missing = np.flatnonzero(pd.isna(np.asarray(groups, dtype=object)))
    if len(missing):
        mend = ", or give each image of somebody unknown a name of its own" * (each == "subject")
        raise ValueError(
            f"{argument} has no {each} at row {missing[0]} ({len(missing)} such rows in all); "
            f"leave these rows out{mend}"
        )
    # Mixed types ("001" and 7) cannot be sorted, and names are all that subjects are.
    return subjects.astype(str) if subjects.dtype == object else subjects


def subject_codes(groups: Any, n_rows: int) -> np.ndarray:
    """Return the subjects of the rows as codes from 0."""
    return np.unique(check_groups(groups, n_rows), return_inverse=True)[1]


def are_strangers_enough(people: np.ndarray, labelled: np.ndarray) -> bool:
    """Whether people without any label tell who is who as well as those with labels do.

    That takes two frames of a person, so it is the people seen twice who are counted: two at
    least, and as many as there are of those with labels.

    Parameters
    ----------
    people : ndarray of shape (n,)
        The person of each row.
    labelled : bool ndarray of shape (n,)
        Which rows have a label.
    """
    known = np.isin(people, people[labelled])
    strangers, others = (
        (np.unique(people[rows], return_counts=True)[1] > 1).sum() for rows in (~known, known)
    )
    return bool(strangers >= max(others, 2))
