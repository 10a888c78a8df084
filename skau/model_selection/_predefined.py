"""Folds given by the names of their test subjects, such as published ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from ..utils._text import first_few
from ..utils._warnings import user_level
from ._kfold import Parts, SubjectSplitter, scored_rows


class PredefinedSubjectSplit(SubjectSplitter, BaseCrossValidator):
    """Folds given by the subjects of their test parts, such as published ones.

    Each annotated subject is tested exactly once. Identity-only subjects (every row of `y` NaN)
    are in every training part and in no test part, even if a fold names them. Of folds that name
    subjects without an annotated row a warning tells: scores then are not comparable with
    published ones.

    Parameters
    ----------
    folds : mapping of str to sequence of str, or sequence of sequences of str
        The test subjects of each fold, such as ``load_bp4d(...).folds``. Papers number the same
        folds differently, so better name than count them; without names they are 1, 2, ...
    rest : {"raise", "train"}, default="raise"
        What to do with annotated subjects that no fold names: raise an error, or keep them in
        every training part. With "train", part of a stacked corpus can be tested while all of it
        trains.

    Attributes
    ----------
    fold_names : list of str
        The names of the folds, in the order in which :meth:`split` yields them.

    See Also
    --------
    skau.datasets.load_bp4d : Has the published folds of BP4D.
    skau.datasets.load_disfa : Has the published folds of DISFA.
    sklearn.model_selection.PredefinedSplit : The same by rows.

    Examples
    --------
    >>> from skau.model_selection import PredefinedSubjectSplit
    >>> cv = PredefinedSubjectSplit({"P1": ["F001"], "P2": ["F002", "M001"]})
    >>> X = [0, 1, 2, 3]
    >>> for name, (train, test) in zip(cv.fold_names,
    ...                                cv.split(X, groups=["F001", "F001", "F002", "M001"])):
    ...     print(name, train, test)
    P1 [2 3] [0 1]
    P2 [0 1] [2 3]
    """

    def __init__(
        self, folds: Mapping[str, Iterable[Any]] | Iterable[Iterable[Any]], *, rest: str = "raise"
    ) -> None:
        if not isinstance(folds, Iterable):
            raise ValueError(_said(f"folds is {folds!r}, which holds no folds"))
        named = folds.items() if isinstance(folds, Mapping) else enumerate(folds, 1)
        self.folds = {str(name): _subjects(name, part) for name, part in named}
        if not self.folds or not all(self.folds.values()):
            raise ValueError("folds must hold at least one fold, and each at least one subject.")
        if rest not in ("raise", "train"):
            raise ValueError(f"rest must be 'raise' or 'train', not {rest!r}.")
        subjects, counts = np.unique(self._tested(), return_counts=True)
        if (counts > 1).any():
            raise ValueError(
                f"folds name {first_few(subjects[counts > 1], 10)} more than once; leave each in "
                "the one fold that tests them."
            )
        self.rest = rest

    @property
    def fold_names(self) -> list[str]:
        """The names of the folds, in the order of :meth:`split`."""
        return list(self.folds)

    def _tested(self) -> list[str]:
        return [subject for fold in self.folds.values() for subject in fold]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds. All arguments are ignored."""
        return len(self.folds)

    def _split(self, X: Any, y: Any, subjects: np.ndarray) -> Parts:
        return BaseCrossValidator.split(self, X, y, subjects)

    def _iter_test_masks(self, X: Any, y: Any, groups: np.ndarray) -> Iterator[np.ndarray]:
        subjects, scored = groups.astype(str), scored_rows(y, groups)
        annotated = set(subjects[scored])
        unnamed = sorted(annotated.difference(self._tested()))
        if unnamed and self.rest == "raise":
            raise ValueError(
                f"No fold names {first_few(unnamed, 10)}. Add them to a fold, leave them out of "
                "the data, or pass rest='train' to train on them in every fold."
            )
        absent = [subject for subject in self._tested() if subject not in annotated]
        if absent:
            warnings.warn(
                f"The folds name subjects without an annotated row: {first_few(absent, 10)}. "
                "Scores are not comparable with those on the full folds.",
                UserWarning,
                stacklevel=user_level(),
            )
        masks = {name: scored & np.isin(subjects, part) for name, part in self.folds.items()}
        empty = [name for name, mask in masks.items() if not mask.any()]
        if empty:
            raise ValueError(
                f"No annotated row belongs to fold {', '.join(empty)}. Take it out of folds, or "
                "add labelled rows of the subjects that it names."
            )
        yield from masks.values()


def _said(wrong: str) -> str:
    return (
        f"{wrong}. A fold is the list of its test subjects: folds={{'P1': ['S001', 'S002'], "
        "'P2': ['S003']}"
    )


def _subjects(fold: Any, part: Any) -> list[str]:
    if isinstance(part, (str, bytes)) or not isinstance(part, Iterable):
        raise ValueError(_said(f"folds: fold {fold!r} is {part!r}, which is no list of subjects"))
    return [str(subject) for subject in part]
