"""Splitters: whole subjects, whatever the labels look like."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, cross_validate

from skau.model_selection import SubjectKFold


@st.composite
def corpora(draw):
    """Draw (Y, subjects) with missing labels and at least three annotated subjects."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=3, max_size=15))
    n_identity_only = draw(st.integers(0, 4))
    n_aus = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    subjects = np.repeat([f"S{i}" for i in range(len(sizes))], sizes)
    Y = rng.integers(0, 2, (len(subjects), n_aus)).astype(float)
    Y[rng.random(Y.shape) < 0.3] = np.nan
    first_rows = np.cumsum([0, *sizes[:-1]])
    Y[first_rows, 0] = rng.integers(0, 2, len(sizes))  # each keeps one label at least
    extra = np.repeat([f"Z{i}" for i in range(n_identity_only)], 2)
    subjects = np.concatenate([subjects, extra])
    Y = np.concatenate([Y, np.full((len(extra), n_aus), np.nan)])
    order = rng.permutation(len(subjects))
    return Y[order], subjects[order]


def assert_sound(splits, Y, subjects):
    """No subject on two sides, identity-only never tested, every annotated row tested once."""
    annotated = np.isin(subjects, subjects[~np.isnan(Y).all(axis=1)])
    tested = np.zeros(len(Y), dtype=int)
    for train, test in splits:
        assert not set(subjects[train]) & set(subjects[test])
        assert annotated[test].all()
        assert len(test)
        assert sorted([*train, *test]) == list(range(len(Y)))
        tested[test] += 1
    np.testing.assert_array_equal(tested, annotated.astype(int))


class AlwaysZero(ClassifierMixin, BaseEstimator):
    """The cheapest classifier that takes groups and NaN labels."""

    __metadata_request__fit: ClassVar = {"groups": True}

    def __init__(self, c=0.0):
        self.c = c

    def fit(self, X, Y, groups=None):
        self.seen_ = None if groups is None else set(groups)
        return self

    def predict(self, X):
        return np.zeros((len(X), 2))


def score(estimator, X, Y):
    return float(np.nanmean(np.asarray(Y, dtype=float)) - estimator.c)


@pytest.fixture
def table():
    subjects = np.repeat(["a", "b", "c", "d", "only"], [5, 4, 3, 2, 4])
    Y = np.tile([[0.0, 1.0], [1.0, np.nan]], (9, 1))
    Y[1] = np.nan  # an unlabelled row of an annotated subject
    Y[subjects == "only"] = np.nan
    return np.zeros((18, 3)), Y, subjects


@settings(deadline=None, max_examples=60)
@given(corpora(), st.integers(2, 3), st.sampled_from([None, 0, 1]))
def test_subject_kfold_is_sound(corpus, n_splits, random_state):
    Y, subjects = corpus
    splits = SubjectKFold(n_splits, random_state=random_state).split(Y, Y, subjects)
    assert_sound(splits, Y, subjects)


@settings(deadline=None, max_examples=60)
@given(corpora(), st.booleans())
def test_fold_sizes_differ_by_at_most_the_largest_subject(corpus, shuffle):
    Y, subjects = corpus
    sizes = [len(t) for _, t in SubjectKFold(3, shuffle=shuffle).split(Y, Y, subjects)]
    _, rows = np.unique(subjects, return_counts=True)
    assert max(sizes) - min(sizes) <= rows.max()


@pytest.mark.parametrize(
    "as_y",
    [
        lambda Y: Y,
        lambda Y: pd.DataFrame(Y, columns=["AU1", "AU2"]),
        lambda Y: pd.DataFrame(Y, columns=["AU1", "AU2"]).astype("Int64"),
        lambda Y: Y.astype(object),
        lambda Y: Y.tolist(),
        lambda Y: Y[:, 0],
        lambda Y: pd.Series(Y[:, 0]),
    ],
)
def test_every_kind_of_label_table(table, as_y):
    X, Y, subjects = table
    for train, test in SubjectKFold(2).split(X, as_y(Y), subjects):
        assert "only" in set(subjects[train])
        assert "only" not in set(subjects[test])
        assert len(train) + len(test) == len(X)


def test_random_state_shuffles_and_repeats():
    subjects = np.repeat(np.arange(30), 2)
    X = np.zeros(60)

    def folds(**kwargs):
        return [test.tolist() for _, test in SubjectKFold(3, **kwargs).split(X, groups=subjects)]

    assert folds() == folds()
    assert folds(random_state=0) == folds(random_state=0)
    assert folds(random_state=0) != folds(random_state=1)
    assert folds(random_state=0) == folds(shuffle=True, random_state=0)
    with pytest.raises(ValueError, match="shuffle"):
        SubjectKFold(3, shuffle=False, random_state=0)


def test_without_routing_groups_goes_to_both(table):
    X, Y, subjects = table
    out = cross_validate(
        AlwaysZero(),
        X,
        Y,
        groups=subjects,
        params={"groups": subjects},
        cv=SubjectKFold(3),
        scoring=score,
        return_estimator=True,
    )
    assert all("only" in e.seen_ for e in out["estimator"])
    search = GridSearchCV(AlwaysZero(), {"c": [0.1, 0.2]}, cv=SubjectKFold(3), scoring=score)
    assert search.fit(X, pd.DataFrame(Y), groups=subjects).best_params_ == {"c": 0.1}


def test_with_routing_groups_goes_once(table):
    X, Y, subjects = table
    with sklearn.config_context(enable_metadata_routing=True):
        out = cross_validate(
            AlwaysZero(),
            X,
            Y,
            params={"groups": subjects},
            cv=SubjectKFold(3),
            scoring=score,
            return_estimator=True,
        )
        assert all("only" in e.seen_ and len(e.seen_) < 5 for e in out["estimator"])
        search = GridSearchCV(AlwaysZero(), {"c": [0.1, 0.2]}, cv=SubjectKFold(3), scoring=score)
        assert search.fit(X, Y, groups=subjects).best_estimator_.seen_ == set(subjects)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "pass params={'groups': subjects}"),
        (["a", "b"], "one subject for each of the 18 rows"),
        ([["a"]] * 18, r"its shape is \(18, 1\)"),
        (["a"] * 17 + [None], "no subject at row 17"),
        ([*np.arange(17.0), np.nan], "no subject at row 17"),
        (["a"] * 18, "only 1 of the 1 subjects in groups have a label"),
    ],
)
def test_bad_groups(table, groups, message):
    X, Y, _ = table
    with pytest.raises(ValueError, match=message):
        list(SubjectKFold(2).split(X, Y, groups))


def test_more_folds_than_annotated_subjects(table):
    X, Y, subjects = table
    with pytest.raises(ValueError, match="n_splits=5, but only 4 of the 5 subjects"):
        list(SubjectKFold(5).split(X, Y, subjects))
