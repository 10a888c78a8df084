import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skau import DSNClassifier
from skau.metrics import (
    accuracy,
    accuracy_scorer,
    au_report,
    calibration_error,
    drop_rate,
    f1_frame,
    f1_frame_scorer,
    f1_gap,
    false_alarm_rate,
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
        "support", "base_rate", "precision", "recall", "false_alarm_rate", "f1", "accuracy",
        "roc_auc", "calibration_error",
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
        assert report.loc[au, "false_alarm_rate"] == pytest.approx((p[t == 0] > 0.5).mean())
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
        (lambda: f1_frame([[1, 0]], [[1]]), "Y_true has 2: y0, y1; give a column for each"),
        (lambda: f1_frame([[1, 0]], [[1, 0], [0, 0]]), "shape"),
        (lambda: au_report([1, 0], [[0.2, 0.8], [0.9, 0.1]]), r"pass Y_proba\[:, 1\]"),
        (lambda: au_report([1, 0], [3.0, -2.0]), "Y_proba: row 0, column y0 holds 3"),
        (lambda: calibration_error([1], [2.0]), "lie between 0 and 1"),
        (lambda: au_report([1, 0], [0.2, 0.8], threshold=[0.5, 0.5]), "each of the 1 AUs"),
        (lambda: f1_frame([[1, 0], [1]], [[1, 0], [1, 0]]), "Y_true is no table"),
        (lambda: f1_frame([["yes"], ["no"]], [[1], [0]]), "Y_true must hold the numbers"),
        (
            lambda: f1_frame([1, 0], [1, 0], sample_weight=[1]),
            "weight for each .* 2 rows of Y_true",
        ),
        (lambda: f1_gap([1, 0], [1, 0], groups=["a"]), "groups .* each of the 2 rows of Y_true"),
        (lambda: f1_gap([1, 0], [1, 0], groups=["a", "a"]), r"groups names \['a'\] alone; a gap"),
        (lambda: identity_leakage(np.eye(4), "ab"), "groups .* each of the 4 rows of features"),
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
    with pytest.raises(ValueError, match="The 'method' parameter"):
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
    with pytest.raises(ValueError, match="Y_proba lacks AU4 and has AU5, but Y_true has AU1, AU4"):
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


def test_gap_matches_columns_by_name(table):
    Y, P = table
    pred = pd.DataFrame((P > 0.5).astype(int), columns=Y.columns)
    groups = np.repeat(["a", "b"], 30)
    expected = f1_gap(Y, pred.to_numpy(), groups)
    pd.testing.assert_series_equal(f1_gap(Y, pred[["AU12", "AU1", "AU4"]], groups), expected)
    with pytest.raises(ValueError, match="Y_pred lacks AU12"):
        f1_gap(Y, pred[["AU1", "AU4"]], groups)


def test_predictions_that_are_not_there(table):
    Y, P = table
    gone = P.copy()
    gone[:, 1] = nan  # an AU without a label in training
    report, whole = au_report(Y, gone), au_report(Y, P)
    assert report.loc["AU4"].drop("support").isna().all()
    assert report.loc["AU4", "support"] == 0
    pd.testing.assert_frame_equal(report.loc[["AU1", "AU12"]], whole.loc[["AU1", "AU12"]])
    assert report.loc["mean", "f1"] == pytest.approx(whole.loc[["AU1", "AU12"], "f1"].mean())
    unlabelled = np.where(Y.isna(), nan, P)  # as of rows that no fold tests
    pd.testing.assert_frame_equal(au_report(Y, unlabelled), whole)
    some = P.copy()
    rows = np.flatnonzero(Y["AU4"].notna())[:5]
    some[rows, 1] = nan
    with pytest.warns(UserWarning, match=r"Y_proba is NaN in labelled frames.* of AU4 \(5 of"):
        report = au_report(Y, some)
    kept = np.setdiff1d(np.arange(len(Y)), rows)
    assert report.loc["AU4", "f1"] == au_report(Y.iloc[kept], P[kept]).loc["AU4", "f1"]


def test_false_alarms_and_calibration_by_hand():
    Y = [[1, 0], [0, 0], [0, nan], [0, 1]]
    assert false_alarm_rate(Y, [[1, 1], [1, 0], [0, 1], [0, 0]]).tolist() == [1 / 3, 0.5]
    assert np.isnan(false_alarm_rate([1, 1], [0, 1])["y0"])
    # bins of 0.5: below, mean 0.2 against 1 of 2; above, mean 0.8 against 1 of 2
    error = calibration_error([0, 1, 1, 0], [0.1, 0.3, 0.7, 0.9], n_bins=2)
    assert error["y0"] == pytest.approx(0.3)
    assert calibration_error([1, 0], [1.0, 0.0])["y0"] == 0  # 1 is in the last bin
    weighted = calibration_error([0, 1, 1], [0.1, 0.1, 0.9], sample_weight=[3, 1, 0])
    assert weighted["y0"] == pytest.approx(0.25 - 0.1)


def test_a_threshold_for_each_au(table):
    Y, P = table
    each = pd.Series({"AU12": 0.7, "AU1": 0.3, "AU4": 0.5})
    report = au_report(Y, P, threshold=each)
    expected = f1_frame(Y, (P > [0.3, 0.5, 0.7]).astype(int))
    np.testing.assert_allclose(report["f1"].iloc[:-1], expected)
    assert au_report(Y, P, threshold=[0.3, 0.5, 0.7]).equals(report)
    assert au_report(Y, P, threshold=each[::-1].to_dict()).equals(report)
    with pytest.raises(ValueError, match="threshold has none for AU12; give every AU one"):
        au_report(Y, P, threshold=each.drop("AU12"))


@pytest.fixture(scope="module")
def named():
    """A classifier that knows the names of its AUs, and what it was fitted on."""
    rng = np.random.RandomState(0)
    X = rng.randn(120, 6)
    Y = pd.DataFrame({"AU1": X[:, 0] > 0, "AU12": X[:, 1] > 0.4, "AU4": X[:, 2] > -0.3})
    Y = Y.astype(float)
    clf = DSNClassifier(max_epochs=20, lr=5e-3, validation_fraction=0, random_state=0)
    return clf.fit(X, Y, groups=np.arange(120)), X, Y


def test_scores_do_not_depend_on_the_order_of_columns(named):
    clf, X, Y = named
    inside = [
        clf,
        make_pipeline(StandardScaler(with_mean=False, with_std=False).fit(X), clf),
        FrozenEstimator(clf),
        make_pipeline(make_pipeline(FrozenEstimator(clf))),
    ]
    for scorer in (f1_frame_scorer, accuracy_scorer, roc_auc_scorer):
        for model in inside:
            score = scorer(model, X, Y)
            assert score == scorer(model, X, Y.to_numpy()) > 0.8
            assert scorer(model, X, Y[["AU4", "AU1", "AU12"]]) == score
    assert clf.score(X, Y[["AU12", "AU4", "AU1"]]) == clf.score(X, Y) > 0.8


def test_a_search_knows_the_names_of_its_best_model(named):
    clf, X, Y = named
    search = GridSearchCV(clf, {"lr": [5e-3]}, cv=2, scoring=f1_frame_scorer).fit(X, Y)
    assert search.score(X, Y[["AU4", "AU1", "AU12"]]) == search.score(X, Y) > 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda Y: Y[["AU1", "AU4"]], "y lacks AU12, but DSNClassifier has AU1, AU12, AU4"),
        (lambda Y: Y.assign(AU6=0.0), "y has AU6, but"),
        (lambda Y: Y.rename(columns={"AU4": "AU5"}), "y lacks AU4 and has AU5.*reindex"),
        (lambda Y: Y.to_numpy()[:, :2], "y has 2 columns, but DSNClassifier has 3"),
        (lambda Y: Y[["AU1", "AU1", "AU4"]], "several columns called 'AU1'"),
    ],
)
def test_missing_and_surplus_names(named, change, message):
    clf, X, Y = named
    for score in (lambda: clf.score(X, change(Y)), lambda: roc_auc_scorer(clf, X, change(Y))):
        with pytest.raises(ValueError, match=message):
            score()
    # what the message says: NaN where an AU was not annotated
    fewer = Y[["AU4", "AU1"]].reindex(columns=clf.au_names_)
    assert f1_frame_scorer(clf, X, fewer) == f1_frame(fewer, clf.predict(X)).mean()


@pytest.mark.parametrize("coding", [lambda y: y + 1, lambda y: y.astype(str), lambda y: 2 * y - 1])
def test_labels_of_another_coding_are_none_of_the_classifier(coding):
    X = np.random.RandomState(0).randn(40, 2)
    y = (X[:, 0] > 0).astype(int)
    clf = LogisticRegression().fit(X, y)
    for scorer in (f1_frame_scorer, accuracy_scorer, roc_auc_scorer):
        assert scorer(clf, X, y.astype(float)) == scorer(clf, X, y == 1)
        with pytest.raises(ValueError, match=r"y holds .*, which classes_ \[0, 1\] does not name"):
            scorer(clf, X, coding(y))


@pytest.mark.parametrize("names", [["y0", "y1"], [0, 1]])
def test_default_names_in_another_order_are_matched(names):
    X = np.random.RandomState(0).randn(60, 2)
    Y = pd.DataFrame((X > [0, 0.5]).astype(int), columns=names)
    clf = KNeighborsClassifier(1).fit(X, Y)
    clf.au_names_ = np.array(["y0", "y1"])
    for labels in (Y, Y.to_numpy(), Y.set_axis(["AU1", "AU2"], axis=1), Y[names[::-1]]):
        assert f1_frame_scorer(clf, X, labels) == 1
    pd.testing.assert_series_equal(f1_frame(Y, Y[names[::-1]]), f1_frame(Y, Y))


def test_rows_named_in_another_order_are_refused(table):
    Y, P = table
    named = Y.set_axis([f"{i}.png" for i in range(len(Y))])
    pred = pd.DataFrame(P, index=named.index, columns=Y.columns)
    message = r"Y_proba names the rows of Y_true in another order.* Y_proba\.loc\[Y_true\.index\]"
    with pytest.raises(ValueError, match=message):
        au_report(named, pred[::-1])
    with pytest.raises(ValueError, match="Y_score names the rows"):
        roc_auc(named["AU1"], pred["AU1"][::-1])
    report = au_report(Y, P)
    pd.testing.assert_frame_equal(au_report(named, pred[::-1].loc[named.index]), report)
    # where one of them does not name its rows, or names others, they are taken as they come
    for other in (pred, pred.set_axis(pred.index + "!"), pred.reset_index(drop=True)):
        pd.testing.assert_frame_equal(au_report(named, other), report)
    shuffled = Y.set_axis(np.random.RandomState(0).permutation(len(Y)))
    pd.testing.assert_frame_equal(au_report(shuffled, pd.DataFrame(P, columns=list(Y))), report)


def test_an_au_called_as_the_mean_is_refused(table):
    Y, P = table
    with pytest.raises(ValueError, match="Y_true calls an AU 'mean'.*rename it"):
        au_report(Y.rename(columns={"AU4": "mean"}), P)


@pytest.mark.parametrize("method", ["mean_of_rates", "rate_of_means"])
def test_percent_and_shares_are_not_mixed(method):
    for mixed in (([0.5, 0.4], [50, 40]), ([50, 40], [0.5, nan])):
        with pytest.raises(ValueError, match="one is percent, and the other is not; give both"):
            drop_rate(*mixed, method=method)
    assert drop_rate([50, 40], [0, 0], method=method) == 1
    assert drop_rate([50, 1], [25, 0.5], method=method) == 0.5


def test_rows_of_weight_zero_are_not_there(table):
    Y, P = table
    weight = np.arange(60) % 3 != 0
    left = au_report(Y[weight], P[weight])
    pd.testing.assert_frame_equal(au_report(Y, P, sample_weight=weight.astype(float)), left)
    P = np.where(weight[:, None], P, nan)  # of which nobody needs to hear
    pd.testing.assert_frame_equal(au_report(Y, P, sample_weight=weight.astype(float)), left)
