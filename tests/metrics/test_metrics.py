import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import cross_validate
from sklearn.neighbors import KNeighborsClassifier

from skau.metrics import (
    accuracy,
    accuracy_scorer,
    au_report,
    drop_rate,
    f1_frame,
    f1_frame_scorer,
    f1_gap,
    identity_leakage,
    roc_auc,
    roc_auc_scorer,
)

nan = float("nan")


@pytest.fixture
def table():
    rng = np.random.RandomState(0)
    Y = rng.randint(0, 2, (60, 3)).astype(float)
    P = np.clip(Y * 0.3 + rng.rand(60, 3) * 0.7, 0, 1)
    Y[rng.rand(60, 3) < 0.2] = nan
    return pd.DataFrame(Y, columns=["AU1", "AU4", "AU12"]), P


def test_report_agrees_with_scikit_learn_on_the_annotated_rows(table):
    Y, P = table
    report = au_report(Y, P)
    assert report.columns.tolist() == [
        "support", "base_rate", "precision", "recall", "f1", "accuracy", "roc_auc",
    ]  # fmt: skip
    for j, au in enumerate(Y):
        known = Y[au].notna()
        t, p = Y[au][known], P[known, j]
        assert report.loc[au, "support"] == known.sum()
        assert report.loc[au, "base_rate"] == pytest.approx(t.mean())
        assert report.loc[au, "precision"] == pytest.approx(precision_score(t, p > 0.5))
        assert report.loc[au, "recall"] == pytest.approx(recall_score(t, p > 0.5))
        assert report.loc[au, "f1"] == pytest.approx(f1_score(t, p > 0.5))
        assert report.loc[au, "accuracy"] == pytest.approx(((p > 0.5) == t).mean())
        assert report.loc[au, "roc_auc"] == pytest.approx(roc_auc_score(t, p))
    assert report.loc["mean", "f1"] == pytest.approx(report["f1"][:-1].mean())
    assert report.loc["mean", "support"] == Y.notna().sum().sum()


def test_an_au_without_a_positive_has_no_f1_and_leaves_the_mean_alone():
    Y = pd.DataFrame({"AU1": [1, 1, 0.0], "AU2": [0, 0, nan]})
    P = np.array([[0.9, 0.9], [0.2, 0.1], [0.3, 0.8]])
    report = au_report(Y, P)
    assert np.isnan(
        report.loc["AU2", ["precision", "recall", "f1", "roc_auc"]].astype(float)
    ).all()
    assert report.loc["AU2", "accuracy"] == 0.5
    assert report.loc["mean", "f1"] == report.loc["AU1", "f1"] == pytest.approx(2 / 3)


def test_f1_by_hand_and_zero_where_nothing_is_found():
    f1 = f1_frame([[1, 1], [1, 1], [0, 0], [nan, 0]], [[1, 0], [0, 0], [1, 0], [1, 0]])
    assert f1.tolist() == [0.5, 0.0]  # tp 1, fp 1, fn 1; and no prediction at all


def test_weights_are_repetitions(table):
    Y, P = table
    w = np.random.RandomState(1).randint(0, 4, len(Y))
    again = np.repeat(np.arange(len(Y)), w)
    pred = (P > 0.5).astype(int)
    for metric, values in ((f1_frame, pred), (accuracy, pred), (roc_auc, P)):
        weighted = metric(Y, values, sample_weight=w)
        np.testing.assert_allclose(weighted, metric(Y.iloc[again], values[again]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f1_frame([[1, 2]], [[1, 0]]), "row 0, column 1 holds 2"),
        (lambda: f1_frame([[1, 0]], [[1, 0.3]]), "threshold"),
        (lambda: f1_frame([[1, 0]], [[1]]), "shape"),
        (lambda: roc_auc([1, 0], [nan, 0]), "Y_score: row 0 is NaN"),
        (lambda: f1_frame([1, 0], [1, 0], sample_weight=[1]), "sample_weight"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_scorers_of_a_plain_classifier_with_string_labels():
    rng = np.random.RandomState(0)
    X = rng.randn(80, 3)
    y = np.where(X[:, 0] + 0.3 * rng.randn(80) > 0, "smile", "neutral")
    scoring = {"f1": f1_frame_scorer, "auc": roc_auc_scorer, "accuracy": accuracy_scorer}
    scores = cross_validate(LogisticRegression(), X, y, scoring=scoring, cv=4)
    same = cross_validate(LogisticRegression(), X, y, scoring="roc_auc", cv=4)
    np.testing.assert_allclose(scores["test_auc"], same["test_score"])
    assert (scores["test_f1"] > 0.7).all()
    assert (scores["test_accuracy"] > 0.7).all()


# AUs 1, 2 and 4 are shared; half, a quarter and three quarters of their F1 are lost.
WITHIN = pd.Series({"AU1": 0.5, "AU2": 0.4, "AU4": 0.8, "AU7": 0.9})
ACROSS = pd.Series({"AU4": 0.2, "AU1": 0.25, "AU2": 0.3, "AU12": 0.7})


def test_drop_rate_by_hand():
    assert drop_rate(WITHIN, ACROSS) == pytest.approx((0.5 + 0.25 + 0.75) / 3)
    assert drop_rate(WITHIN, ACROSS, method="rate_of_means") == pytest.approx(1 - 0.75 / 1.7)
    assert drop_rate(100 * WITHIN, 100 * ACROSS) == pytest.approx(0.5)  # percent or not


def test_drop_rate_leaves_out_what_has_no_score():
    assert drop_rate([0.5, nan, 0.8], [0.25, 0.3, 0.4]) == 0.5
    assert np.isnan(drop_rate([nan], [0.1]))
    assert np.isnan(drop_rate([0.0, 0.5], [0.1, 0.5]))
    assert drop_rate([0.0, 0.5], [0.1, 0.15], method="rate_of_means") == pytest.approx(0.5)
    assert drop_rate([0.5], [0.6]) == pytest.approx(-0.2)
    with pytest.raises(ValueError, match="share no AU"):
        drop_rate(WITHIN, ACROSS.rename("{}c".format))
    with pytest.raises(ValueError, match="shapes"):
        drop_rate([0.5, 0.5], [0.5])
    with pytest.raises(ValueError, match="method must"):
        drop_rate([0.5], [0.5], method="mean")


def test_gap_between_groups(table):
    Y, P = table
    pred = (P > 0.5).astype(int)
    groups = np.repeat(["a", "b", "c"], 20)
    each = [f1_frame(Y[groups == g], pred[groups == g]) for g in "abc"]
    expected = pd.DataFrame(each).agg(np.ptp)
    pd.testing.assert_series_equal(f1_gap(Y, pred, groups), expected, check_names=False)
    one = Y.copy()
    one.loc[groups != "a", "AU4"] = 0  # shown by one group alone
    assert np.isnan(f1_gap(one, pred, groups)["AU4"])
    assert f1_gap(Y, Y.fillna(0), groups).eq(0).all()


def test_leakage_is_one_where_subjects_show_and_zero_at_chance():
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(10), 40)
    noise = rng.randn(400, 8)
    assert abs(identity_leakage(noise, groups)) < 0.06
    assert identity_leakage(noise + 20 * rng.randn(10, 8)[groups], groups) == 1
    some = identity_leakage(noise + 0.5 * rng.randn(10, 8)[groups], groups)
    assert 0.1 < some < 0.9
    # subjects of unequal size count alike: a probe that always says the largest is at chance
    big = np.repeat([0, 1], [380, 20])
    assert identity_leakage(np.zeros((400, 1)), big, probe=DummyClassifier()) == 0


def test_leakage_says_what_it_cannot_do():
    with pytest.raises(ValueError, match="two subjects"):
        identity_leakage(np.zeros((9, 2)), np.zeros(9))
    with pytest.raises(ValueError, match="'b' has 2 rows"):
        identity_leakage(np.zeros((9, 2)), ["a"] * 7 + ["b"] * 2)


def test_columns_are_matched_by_name(table):
    Y, P = table
    expected, P = au_report(Y, P), pd.DataFrame(P, columns=Y.columns)
    pd.testing.assert_frame_equal(au_report(Y, P[P.columns[::-1]]), expected)
    pd.testing.assert_frame_equal(au_report(Y, P.set_axis(range(P.shape[1]), axis=1)), expected)
    with pytest.raises(ValueError, match="Y_proba has the columns .*give both the same names"):
        au_report(Y, P.rename(columns={"AU4": "AU5"}))


def test_nullable_labels_are_labels(table):
    Y, P = table
    pd.testing.assert_frame_equal(au_report(Y.astype("Int64"), P), au_report(Y, P))
    pd.testing.assert_frame_equal(
        au_report(Y.astype(object).where(Y.notna(), None), P), au_report(Y, P)
    )


def test_the_mean_of_a_report_is_no_au():
    a, b = pd.Series({"AU1": 0.8, "AU2": 0.4}), pd.Series({"AU1": 0.4, "AU2": 0.4})
    with_mean = (pd.concat([s, pd.Series({"mean": 0.1})]) for s in (a, b))
    assert drop_rate(*with_mean) == drop_rate(a, b) == 0.25


def test_scorers_of_several_classes_and_of_lists_of_probabilities():
    rng = np.random.RandomState(0)
    X, y = rng.randn(60, 3), rng.randint(3, size=60)
    with pytest.raises(ValueError, match="the estimator knows 3 classes"):
        f1_frame_scorer(LogisticRegression().fit(X, y), X, y)
    Y = (X[:, :2] + rng.randn(60, 2) > 0).astype(int)
    clf = KNeighborsClassifier().fit(X, Y)
    expected = [roc_auc_score(Y[:, j], clf.predict_proba(X)[j][:, 1]) for j in range(2)]
    assert roc_auc_scorer(clf, X, Y) == pytest.approx(np.mean(expected))
