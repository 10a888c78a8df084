"""Repeated folds, corpora left out, and the interval of a margin."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_validate

from skau.model_selection import LeaveOneCorpusOut, RepeatedSubjectKFold, paired_interval


def test_the_corrected_interval_by_hand():
    found = paired_interval([0.52, 0.50, 0.57, np.nan], [0.50, 0.49, 0.52, 0.1], test_share=1 / 3)
    # differences 0.02, 0.01, 0.05: variance 13/30000; t of 2 degrees at 0.975 is 4.302653
    reach = 4.302653 * np.sqrt((1 / 3 + 1 / 2) * 13 / 30000)
    assert found.margin == pytest.approx(0.08 / 3)
    assert (found.low, found.high) == pytest.approx((0.08 / 3 - reach, 0.08 / 3 + reach))
    assert {type(value) for value in found} == {float}  # it prints as plain numbers
    # with 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(2 + t^2)
    t = 0.08 / 3 / np.sqrt((1 / 3 + 1 / 2) * 13 / 30000)
    assert found.p_value == pytest.approx(1 - t / np.sqrt(2 + t**2))


def test_what_an_interval_says_of_few_or_equal_folds():
    with pytest.warns(UserWarning, match=r"both have a score on 1 of 3 folds.* it is NaN"):
        found = paired_interval([0.5, np.nan, 0.1], [0.4, 0.2, np.nan], test_share=0.2)
    assert found.margin == pytest.approx(0.1)
    assert np.isnan(found[1:]).all()
    for scores, told in (([0.5], "1 fold,"), ([], "0 folds,")):
        with pytest.raises(ValueError, match=f"first and second hold the scores of {told}"):
            paired_interval(scores, scores, test_share=0.2)
    assert paired_interval([0.5, 0.6], [0.5, 0.6], test_share=0.2) == (0, 0, 0, 1)
    with pytest.raises(ValueError, match="the same folds"):
        paired_interval([0.5], [0.4, 0.3], test_share=0.2)
    with pytest.raises(ValueError, match=r"test_share.* in the range \(0.0, 1.0\)"):
        paired_interval([0.5, 0.6], [0.4, 0.3], test_share=3)


def test_the_interval_holds_equal_methods_as_often_as_it_says():
    """Scores of folds that share training people: a plain t interval would fail here.

    Of two equal methods, every fold's difference has a part that belongs to the training people
    that it shares with the others.
    """
    rng = np.random.RandomState(0)
    held = 0
    for _ in range(500):
        shared, own = rng.normal(0, 1, 1), rng.normal(0, 1, 50)
        scores = np.sqrt(0.25 / 1.25) * shared + np.sqrt(1 / 1.25) * own  # correlation q = 0.2
        found = paired_interval(scores, np.zeros(50), test_share=0.2)
        held += found.low <= 0 <= found.high
    assert 0.92 < held / 500 < 0.98


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
