"""Splitters: whole subjects, whatever the labels look like."""

from __future__ import annotations

from itertools import chain
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.model_selection import cross_val_predict as sklearn_cross_val_predict

from skau.datasets._bp4d import BP4D_FOLDS
from skau.datasets._disfa import DISFA_FOLDS
from skau.model_selection import (
    PredefinedSubjectSplit,
    RepeatedSubjectKFold,
    StratifiedSubjectKFold,
    SubjectKFold,
    cross_val_predict,
    fold_table,
)
from skau.model_selection._fold_table import fold_reports


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
        ([["a"]] * 18, r"its shape is \(18, 1\): pass groups.squeeze\(\)"),
        ((name for name in "ab"), "rows of X; it is <generator"),
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
    with pytest.raises(ValueError, match="n_splits=50, but only 4 of the 5 subjects"):
        list(SubjectKFold(50).split(X, Y, subjects))  # more folds than rows, too


SPLITTERS = [
    lambda subjects: SubjectKFold(3),
    lambda subjects: SubjectKFold(2, random_state=0),
    lambda subjects: StratifiedSubjectKFold(3),
    lambda subjects: StratifiedSubjectKFold(2, random_state=0),
    lambda subjects: PredefinedSubjectSplit({"P1": ["S0"], "P2": sorted(set(subjects))[1:]}),
]


@pytest.mark.parametrize("make", SPLITTERS)
@settings(deadline=None, max_examples=25)
@given(corpus=corpora())
@pytest.mark.filterwarnings("ignore:The folds name subjects without")
def test_every_splitter_is_sound(make, corpus):
    Y, subjects = corpus
    assert_sound(make(subjects).split(Y, Y, subjects), Y, subjects)


def test_a_fold_called_all_stands_beside_the_row_of_all():
    cv = PredefinedSubjectSplit({"all": ["b"], "rest": ["a"]})
    table = fold_table(cv, [1, 0, 0], ["a", "a", "b"])
    assert table.index.tolist() == ["all", "rest", "all"]
    assert table["rows"].tolist() == [1, 2, 3]


def largest_deviation(cv, Y, subjects):
    folds = fold_table(cv, Y, subjects).drop(columns=["subjects", "rows"])
    return float((folds.drop(index="all") - folds.loc["all"]).abs().max().max())


def bp4d_like(seed, n_subjects=41):
    """Draw base rates like BP4D's, each subject's far from them, and unequal numbers of frames."""
    rates = np.array([0.21, 0.17, 0.2, 0.46, 0.55, 0.59, 0.56, 0.47, 0.17, 0.34, 0.17, 0.15])
    rng = np.random.default_rng(seed)
    sizes = rng.integers(250, 450, n_subjects)
    subjects = np.repeat([f"F{i:03}" for i in range(n_subjects)], sizes)
    own = rng.beta(2 * rates, 2 * (1 - rates), (n_subjects, len(rates)))
    Y = (rng.random((len(subjects), len(rates))) < np.repeat(own, sizes, axis=0)).astype(float)
    Y[rng.random(Y.shape) < 0.02] = np.nan
    return Y, subjects


@pytest.mark.parametrize("n_splits", [3, 5, 10])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_stratification_halves_the_largest_deviation(n_splits, seed):
    Y, subjects = bp4d_like(seed)
    plain = largest_deviation(SubjectKFold(n_splits), Y, subjects)
    assert largest_deviation(StratifiedSubjectKFold(n_splits), Y, subjects) <= plain / 2


@pytest.mark.parametrize("n_splits", [3, 5])
def test_stratification_halves_the_largest_deviation_on_the_lab_corpus(shared, n_splits):
    table = pd.read_csv(shared / "ict-lab" / "labels.csv")
    Y, subjects = table.filter(regex=r"^AU\d+$"), table["subject"]
    plain = largest_deviation(SubjectKFold(n_splits), Y, subjects)
    assert largest_deviation(StratifiedSubjectKFold(n_splits), Y, subjects) <= plain / 2


@settings(deadline=None, max_examples=20)
@given(corpora())
def test_stratified_folds_keep_to_the_mean_size(corpus):
    Y, subjects = corpus
    folds = fold_table(StratifiedSubjectKFold(3), Y, subjects)["rows"]
    _, rows = np.unique(subjects, return_counts=True)
    assert (folds.drop("all") - folds["all"] / 3).abs().max() <= rows.max()


def test_stratification_gives_every_fold_a_positive():
    subjects = np.repeat([f"s{i}" for i in range(12)], 10)
    Y = np.zeros((120, 2))
    Y[:, 0] = np.tile([0, 1], 60)
    Y[[0, 10, 20], 1] = 1  # a rare AU of three subjects
    folds = fold_table(StratifiedSubjectKFold(3), Y, subjects)
    assert (folds["y1"] > 0).all()


def test_stratification_is_deterministic_by_random_state():
    Y, subjects = bp4d_like(0)

    def folds(**kwargs):
        cv = StratifiedSubjectKFold(5, **kwargs)
        return [test.tolist() for _, test in cv.split(Y, Y, subjects)]

    assert folds() == folds()
    third = folds(random_state=3)
    assert third == folds(random_state=3)
    assert third != folds(random_state=4)


def test_stratification_of_one_dimensional_labels():
    subjects = np.repeat([f"s{i}" for i in range(8)], 4)
    smile = np.repeat([1.0, 0.0], 16)
    smile[0] = np.nan
    folds = fold_table(StratifiedSubjectKFold(2), pd.Series(smile, name="smile"), subjects)
    assert folds["smile"].round(2).tolist() == [0.5, 0.47, 0.48]  # 8 of 16, 7 of 15, 15 of 31
    emotion = np.where(smile == 1, "joy", "anger").astype(object)
    emotion[3] = None
    folds = fold_table(StratifiedSubjectKFold(2), emotion, subjects)
    assert list(folds) == ["subjects", "rows", "anger", "joy"]
    assert folds["joy"].round(2).tolist() == [0.5, 0.4, 0.45]  # 8 of 16, 6 of 15, 14 of 31


def test_stratification_needs_labels(table):
    X, Y, subjects = table
    with pytest.raises(ValueError, match="needs the labels y"):
        list(StratifiedSubjectKFold(2).split(X, groups=subjects))
    with pytest.raises(ValueError, match="holds 5; labels are 0"):
        list(StratifiedSubjectKFold(2).split(X, Y * 5, subjects))


def test_an_au_without_a_positive_does_no_harm(table):
    X, Y, subjects = table
    Y = np.column_stack([Y, np.zeros(len(Y)), np.full(len(Y), np.nan)])
    Y[subjects == "only"] = np.nan
    assert_sound(StratifiedSubjectKFold(2).split(X, Y, subjects), Y, subjects)


def test_predefined_folds_are_taken_as_given(table):
    X, Y, subjects = table
    cv = PredefinedSubjectSplit({"P1": ["a", "c"], "P2": ["d", "b"]})
    assert cv.fold_names == ["P1", "P2"]
    assert cv.get_n_splits() == 2
    tested = [set(subjects[test]) for _, test in cv.split(X, Y, subjects)]
    assert tested == [{"a", "c"}, {"b", "d"}]
    by_number = PredefinedSubjectSplit([["a", "c"], ["d", "b"]])
    assert [set(subjects[test]) for _, test in by_number.split(X, Y, subjects)] == tested


def test_predefined_folds_with_routing(table):
    X, Y, subjects = table
    cv = PredefinedSubjectSplit({"P1": ["a", "c"], "P2": ["d", "b"]})
    with sklearn.config_context(enable_metadata_routing=True):
        out = cross_validate(AlwaysZero(), X, Y, params={"groups": subjects}, cv=cv, scoring=score)
    assert len(out["test_score"]) == 2


def test_predefined_folds_and_subjects_they_do_not_name(table):
    X, Y, subjects = table
    folds = {"P1": ["a"], "P2": ["b", "c"]}
    with pytest.raises(ValueError, match="No fold names d"):
        list(PredefinedSubjectSplit(folds).split(X, Y, subjects))
    splits = list(PredefinedSubjectSplit(folds, rest="train").split(X, Y, subjects))
    assert all("d" in subjects[train] and "only" in subjects[train] for train, _ in splits)
    assert [set(subjects[test]) for _, test in splits] == [{"a"}, {"b", "c"}]


@pytest.mark.parametrize("absent", ["zoe", "only"])
def test_predefined_folds_warn_of_absent_subjects(table, absent):
    X, Y, subjects = table
    cv = PredefinedSubjectSplit({"P1": ["a", "c"], "P2": ["d", "b", absent]})
    with pytest.warns(UserWarning, match=f"without an annotated row: {absent}"):
        splits = list(cv.split(X, Y, subjects))
    assert all("only" in subjects[train] for train, _ in splits)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ({}, "at least one fold"),
        ({"P1": []}, "at least one subject"),
        ({"P1": ["a"], "P2": ["b", "a"]}, "folds name a more than once; leave each in the one"),
    ],
)
def test_predefined_folds_are_checked(folds, message):
    with pytest.raises(ValueError, match=message):
        PredefinedSubjectSplit(folds)
    with pytest.raises(ValueError, match="rest must be"):
        PredefinedSubjectSplit({"P1": ["a"]}, rest="test")


@pytest.mark.parametrize("folds", [["S001", "S002"], {"P1": "S001"}, [1, 2], [["S001"], "S002"]])
def test_subjects_in_place_of_folds_are_told_of(folds):
    with pytest.raises(ValueError, match="which is no list of subjects"):
        PredefinedSubjectSplit(folds)


@pytest.mark.filterwarnings("ignore:The folds name subjects without")
def test_predefined_fold_without_any_row(table):
    X, Y, subjects = table
    cv = PredefinedSubjectSplit({"P1": list("abcd"), "P2": ["zoe"]})
    with pytest.raises(ValueError, match=r"No annotated row belongs to fold P2\. Take it out"):
        list(cv.split(X, Y, subjects))


class MeanOfTrainingLabels(AlwaysZero):
    """Predict how often each AU was seen in training, to tell folds apart."""

    def fit(self, X, Y, groups=None):
        self.rate_ = np.nanmean(np.asarray(Y, dtype=float), axis=0)
        return self

    def predict_proba(self, X):
        return np.tile(self.rate_, (len(X), 1))


def test_cross_val_predict_leaves_identity_only_rows_open(table):
    X, Y, subjects = table
    with pytest.raises(ValueError, match="only works for partitions"):
        sklearn_cross_val_predict(
            MeanOfTrainingLabels(), X, Y, groups=subjects, cv=SubjectKFold(2), method="predict"
        )
    proba = cross_val_predict(MeanOfTrainingLabels(), X, Y, groups=subjects, cv=SubjectKFold(2))
    assert proba.shape == Y.shape
    np.testing.assert_array_equal(np.isnan(proba[:, 0]), subjects == "only")
    for train, test in SubjectKFold(2).split(X, Y, subjects):
        np.testing.assert_allclose(
            proba[test], np.tile(np.nanmean(Y[train], axis=0), (len(test), 1))
        )
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_predict(
            MeanOfTrainingLabels(), X, Y, params={"groups": subjects}, cv=SubjectKFold(2)
        )
    np.testing.assert_array_equal(routed, proba)


def test_cross_val_predict_refuses_overlapping_parts(table):
    X, Y, _ = table
    splits = [(np.arange(9), np.arange(9, 18)), (np.arange(10), np.arange(10, 18))]
    with pytest.raises(ValueError, match="Row 10 is in more than one test part"):
        cross_val_predict(MeanOfTrainingLabels(), X, Y, cv=splits)


def test_published_folds():
    bp4d = sorted(chain(*BP4D_FOLDS.values()))
    women, men = [f"F{i:03}" for i in range(1, 24)], [f"M{i:03}" for i in range(1, 19)]
    assert bp4d == women + men
    assert [len(part) for part in BP4D_FOLDS.values()] == [14, 14, 13]
    disfa = sorted(chain(*DISFA_FOLDS.values()))
    left_out = {14, 15, 19, 20, 22}  # numbers that DISFA does not use
    assert disfa == [f"SN{i:03}" for i in range(1, 33) if i not in left_out]
    assert [len(part) for part in DISFA_FOLDS.values()] == [9, 9, 9]


def test_predictions_of_folds_that_know_other_classes():
    X, y, cv = np.zeros((6, 1)), np.array(["b", "c", "a", "c", "a", "b"]), SubjectKFold(3)
    with pytest.raises(ValueError, match="fold 2 has the classes b, c, that of fold 1 a, b, c"):
        cross_val_predict(DummyClassifier(), X, y, groups=[0, 0, 1, 2, 1, 2], cv=cv)
    groups = [0, 0, 1, 1, 2, 2]
    found = cross_val_predict(DummyClassifier(), X, y, groups=groups, cv=cv, method="predict")
    assert set(found) <= {"a", "b", "c"}


@pytest.mark.parametrize("cv", [SubjectKFold(2), PredefinedSubjectSplit([["a", "b"], ["c", "d"]])])
def test_both_tables_of_a_splitter_call_folds_the_same(cv):
    y = pd.DataFrame({"AU1": [1.0, 0] * 4})
    groups = np.repeat(list("abcd"), 2)
    reports = fold_reports(cv, y, np.full((8, 1), 0.7), groups)
    names = reports.index.get_level_values("fold").unique().tolist()
    assert [*names, "all"] == fold_table(cv, y, groups).index.tolist() == ["1", "2", "all"]


@pytest.mark.filterwarnings("ignore:no positive example")
def test_an_au_that_shows_nowhere_counts_in_no_mean_of_the_folds():
    y = pd.DataFrame({"AU1": [1.0, 0, 1, 0] * 2, "AU43": np.zeros(8)})
    table = fold_reports(SubjectKFold(2), y, np.full((8, 2), 0.7), np.repeat(list("abcd"), 2))
    both = table[["f1", "f1_always_present"]].xs("mean", level="au")
    assert both.to_numpy() == pytest.approx(2 / 3)  # recall 1, precision one half
    assert table[["f1", "f1_always_present"]].xs("AU43", level="au").isna().all(axis=None)


class Unasked(MeanOfTrainingLabels):
    def fit(self, X, y, groups=None):
        raise AssertionError("there is nothing to fit it for")


def test_folds_are_looked_at_before_any_fit(table):
    X, Y, groups = table
    cv = RepeatedSubjectKFold(2, n_repeats=2)
    people = {"groups": groups}
    for routing, passed in ((False, people), (True, {"params": people})):
        with (
            sklearn.config_context(enable_metadata_routing=routing),
            pytest.raises(ValueError, match="is in more than one test part of cv"),
        ):
            cross_val_predict(Unasked(), X, Y, cv=cv, **passed)
    with pytest.raises(ValueError, match="cv has no fold; give a splitter"):
        cross_val_predict(Unasked(), X, Y, cv=[])


class KnowsWhomItHasSeen(AlwaysZero):
    def predict(self, X):
        return np.array([name in self.seen_ for name in X[:, 0]])


@pytest.mark.parametrize("routing", [False, True])
def test_a_number_of_folds_is_one_of_subjects(routing):
    people = np.repeat(list("abcdef"), 4)
    X, y, told = people[:, None], np.tile([0, 1], 12), {"params": {"groups": people}}
    model = KnowsWhomItHasSeen()
    with sklearn.config_context(enable_metadata_routing=routing):
        told |= {} if routing else {"groups": people}
        for cv in (2, np.int64(5), SubjectKFold(3)):
            assert not cross_val_predict(model, X, y, cv=cv, method="predict", **told).any()
        rows = [(train, test) for train, test in KFold(2, shuffle=True, random_state=0).split(X)]
        with pytest.warns(UserWarning, match="cv has a, b, c, d, e and 1 more on both sides of"):
            assert cross_val_predict(model, X, y, cv=rows, method="predict", **told).any()
        y = np.where(people == "f", np.nan, y)  # of whom scikit-learn's folds know nothing
        assert cross_val_predict(model, X, y, cv=2, method="predict", **told).dtype == float
