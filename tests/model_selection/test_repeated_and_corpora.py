"""Repeated folds, and corpora left out."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_validate

from skau.model_selection import LeaveOneCorpusOut, RepeatedSubjectKFold


def test_every_repetition_tests_everybody_once_in_another_order():
    groups = np.repeat(list("abcdefgh"), 3)
    Y = np.zeros((24, 2))
    Y[-3:] = np.nan  # h is identity-only
    cv = RepeatedSubjectKFold(3, n_repeats=4, random_state=0)
    parts = [test for _, test in cv.split(groups, Y, groups)]
    assert len(parts) == cv.get_n_splits() == 12
    for start in range(0, 12, 3):
        assert sorted(np.concatenate(parts[start : start + 3])) == list(range(21))
    assert len({tuple(groups[part]) for part in parts}) > 9
    for train, test in cv.split(groups, Y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert "h" in groups[train]
    again = [test.tolist() for _, test in cv.split(groups, Y, groups)]
    assert again == [part.tolist() for part in parts]
    with pytest.raises(ValueError, match="n_repeats must be a whole number from 1, not 0"):
        RepeatedSubjectKFold(n_repeats=0)


def test_repeated_folds_serve_scikit_learn():
    groups, y = np.repeat(list("abcd"), 2), np.array([0, 1] * 4)
    cv = RepeatedSubjectKFold(2, n_repeats=3, random_state=0)
    scores = cross_validate(DummyClassifier(), y[:, None], y, groups=groups, cv=cv)
    assert len(scores["test_score"]) == 6


def test_a_corpus_is_left_out_with_all_its_people():
    groups = np.array(["B/1", "B/2", "A/1", "A/x/1", "C/1", "A/9"])
    Y = np.array([[1.0], [0], [1], [0], [np.nan], [np.nan]])
    cv = LeaveOneCorpusOut()
    parts = [(train.tolist(), test.tolist()) for train, test in cv.split(Y, Y, groups)]
    assert parts == [([0, 1, 4], [2, 3]), ([2, 3, 4, 5], [0, 1])]
    assert cv.get_n_splits(None, Y, groups) == 2
    with pytest.raises(ValueError, match="groups: F001 tell no corpus"):
        next(cv.split([0, 1], groups=["F001", "B/1"]))
    with pytest.raises(ValueError, match="one corpus, B"):
        next(cv.split([0, 1], groups=["B/2", "B/1"]))
    with pytest.raises(ValueError, match="no label in any corpus"):
        next(cv.split([0, 1], [np.nan, np.nan], groups=["A/2", "B/1"]))
