"""Folds of whole corpora."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from ..utils._sklearn import num_samples
from ..utils._text import first_few
from ._kfold import Parts, SubjectSplitter, require_groups, scored_rows


class LeaveOneCorpusOut(SubjectSplitter, BaseCrossValidator):
    """Test on each corpus in turn, train on all others.

    For corpora put under each other by :func:`skau.datasets.stack_corpora`, whose subjects are
    named ``"BP4D/F001"``: the corpus stands before the first ``/``. They are tested in the order
    of their names. A corpus without any label is in every training part. Of the corpus that is
    tested nothing is trained on, nor its people without labels; an AU that no other corpus
    annotates cannot be learnt, and is scored nowhere.

    See Also
    --------
    PredefinedSubjectSplit : Within one of several corpora, with ``rest="train"``.
    sklearn.model_selection.LeaveOneGroupOut : Leaves out one subject.

    Examples
    --------
    >>> from skau.model_selection import LeaveOneCorpusOut
    >>> groups = ["BP4D/F001", "BP4D/F002", "DISFA/SN001", "CelebA/1"]
    >>> y = [1, 0, 1, float("nan")]
    >>> for train, test in LeaveOneCorpusOut().split(y, y, groups):
    ...     print(train, test)
    [2 3] [0 1]
    [0 1 3] [2]
    """

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of corpora with labels; `y` and `groups` as in :meth:`split`."""
        n_rows = num_samples(y if groups is None else groups)
        subjects = require_groups(groups, n_rows, type(self).__name__)
        return len(self._tested(_corpus_of(subjects), scored_rows(y, subjects)))

    def _split(self, X: Any, y: Any, subjects: np.ndarray) -> Parts:
        corpus, scored = _corpus_of(subjects), scored_rows(y, subjects)
        for name in self._tested(corpus, scored):
            yield np.flatnonzero(corpus != name), np.flatnonzero((corpus == name) & scored)

    def _tested(self, corpus: np.ndarray, scored: np.ndarray) -> np.ndarray:
        names = np.unique(corpus)
        if len(names) < 2:
            raise ValueError(
                f"groups names one corpus, {names[0]}; to leave one out there must be two."
            )
        tested = np.unique(corpus[scored])
        if not len(tested):
            raise ValueError("y has no label in any corpus, so there is none to test on.")
        return tested


def _corpus_of(subjects: np.ndarray) -> np.ndarray:
    parts = np.char.partition(subjects.astype(str), "/")
    nameless = np.unique(subjects[parts[:, 1] == ""])
    if len(nameless):
        raise ValueError(
            f"groups: {first_few(nameless, 5)} tell no corpus. A subject must be named "
            "'BP4D/F001', as stack_corpora(...).groups does."
        )
    return parts[:, 0]
