"""Label tables of every form: which column is which AU, one column, no label at all."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_predict as sklearn_cross_val_predict
from sklearn.model_selection import cross_validate

from skau import DSNClassifier, RegionClassifier
from skau.baselines import SVTPTClassifier
from skau.metrics import au_report, f1_frame_scorer, roc_auc_scorer
from skau.model_selection import SubjectKFold, cross_val_predict


@pytest.fixture(scope="module")
def vectors():
    """Two corpora of vectors of four people each; the second does not annotate AU4."""
    rng = np.random.RandomState(0)
    X = rng.randn(160, 6)
    Y = pd.DataFrame({"AU1": X[:, 0] > 0, "AU12": X[:, 1] > 0.4, "AU4": X[:, 2] > -0.3})
    Y = Y.astype(float)
    groups = np.repeat([f"{c}/{i}" for c in "ab" for i in range(4)], 20)
    Y.loc[80:, "AU4"] = np.nan
    return X, Y, groups


def make(**params):
    return DSNClassifier(max_epochs=6, lr=5e-3, validation_fraction=0, random_state=0, **params)


def test_partial_fit_matches_columns_by_name(vectors):
    X, Y, groups = vectors
    one, other = make(), make()
    for clf, second in ((one, Y), (other, Y[["AU4", "AU12", "AU1"]])):
        clf.partial_fit(X, Y, groups=groups).partial_fit(X, second, groups=groups)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("scoring", ["f1", "average_precision", "neg_log_loss", "roc_auc"])
def test_one_column_with_the_scores_of_scikit_learn(vectors, scoring):
    X, Y, groups = vectors
    options = {"scoring": scoring, "groups": groups, "params": {"groups": groups}}
    options |= {"cv": SubjectKFold(2), "error_score": "raise"}
    column = cross_validate(make(), X, Y[["AU12"]], **options)["test_score"]
    flat = cross_validate(make(), X, Y["AU12"], **options)["test_score"]
    np.testing.assert_array_equal(column, flat)
    assert np.isfinite(column).all()


def test_one_column_is_one_au(vectors):
    X, Y, groups = vectors
    clf = make().fit(X, Y[["AU12"]], groups=groups)
    assert clf.au_names_.tolist() == ["AU12"]
    assert clf.classes_.tolist() == [0, 1]
    assert clf.decision_function(X).shape == clf.predict(X).shape == (160,)
    proba = clf.predict_proba(X)
    assert proba.shape == (160, 2)
    np.testing.assert_array_equal(proba, make().fit(X, Y["AU12"], groups=groups).predict_proba(X))
    assert clf.score(X, Y[["AU12"]]) == clf.score(X, Y["AU12"]) > 0.8
    assert roc_auc_scorer(clf, X, Y[["AU12"]]) == roc_auc_scorer(clf, X, Y["AU12"]) > 0.8
    assert f1_frame_scorer(clf, X, Y[["AU12"]]) == f1_frame_scorer(clf, X, Y["AU12"]) > 0.5
    clf.partial_fit(X, Y[["AU12"]], groups=groups).partial_fit(X, Y["AU12"], groups=groups)
    with pytest.raises(ValueError, match="y lacks AU12 and has AU1"):
        clf.score(X, Y["AU1"])


@pytest.mark.parametrize("columns", [["AU12"], ["AU1", "AU12"]])
def test_a_table_after_a_1d_y_is_told_of_its_classes(vectors, columns):
    X, Y, groups = vectors
    clf = make().partial_fit(X, np.where(Y["AU12"] > 0, "yes", "no"), groups=groups)
    with pytest.raises(ValueError, match=r"y is a table.* classes \['no', 'yes'\] are .* 1-D y"):
        clf.partial_fit(X, Y[columns], groups=groups)


@pytest.mark.parametrize(
    "make_one",
    [make, SVTPTClassifier, lambda: RegionClassifier(make(), regions=None)],
    ids=["DSN", "SVTPT", "regions"],
)
def test_an_au_without_a_label_is_nan_and_the_others_are_fitted(vectors, make_one):
    X, Y, groups = vectors
    with pytest.warns(UserWarning, match="y has no label for AU4; it is not learned"):
        clf = make_one().fit(X[80:], Y[80:], groups=groups[80:])
    for output in (clf.decision_function(X), clf.predict_proba(X), clf.predict(X)):
        assert np.isnan(output[:, 2]).all()
        assert np.isfinite(output[:, :2]).all()
    report = au_report(Y, clf.predict_proba(X))
    assert np.isnan(report.loc["AU4", "f1"])
    assert report.loc["mean", "roc_auc"] == report["roc_auc"].iloc[:2].mean()
    assert f1_frame_scorer(clf, X, Y) == pytest.approx(report.loc["mean", "f1"])
    assert clf.score(X, Y) == pytest.approx(report.loc["mean", "accuracy"])


@pytest.mark.filterwarnings("ignore:y has no label for AU4", "ignore:Y_proba is NaN in labelled")
def test_stacked_corpora_in_cross_validation(vectors):
    X, Y, groups = vectors
    corpora = [(np.arange(80, 160), np.arange(80)), (np.arange(80), np.arange(80, 160))]
    options = {"params": {"groups": groups}, "cv": corpora}
    scores = cross_validate(make(), X, Y, scoring=f1_frame_scorer, error_score="raise", **options)[
        "test_score"
    ]
    assert np.isfinite(scores).all()
    proba = cross_val_predict(make(), X, Y, **options)
    np.testing.assert_array_equal(np.isnan(proba), np.arange(160)[:, None] < [0, 0, 80])
    assert np.isfinite(au_report(Y, proba).loc[["AU1", "AU12"], "f1"]).all()


def test_partial_fit_learns_an_au_once_it_has_a_label(vectors):
    X, Y, groups = vectors
    clf = make().partial_fit(X[80:], Y[80:], groups=groups[80:])
    assert np.isnan(clf.predict_proba(X)[:, 2]).all()
    clf.partial_fit(X[:80], Y[:80], groups=groups[:80])
    clf.partial_fit(X[80:], Y[80:], groups=groups[80:])
    assert np.isfinite(clf.predict_proba(X)).all()


def test_no_label_at_all_is_an_error(vectors):
    X, Y, groups = vectors
    for y in (Y * np.nan, Y[["AU4"]] * np.nan, Y["AU4"] * np.nan):
        with pytest.raises(ValueError, match="no label"):
            make().fit(X, y, groups=groups)


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
def test_labels_that_scikit_learn_has_encoded(vectors):
    X, Y, groups = vectors
    for y in (Y, Y["AU12"].where(np.arange(160) % 7 > 0)):
        with pytest.raises(ValueError, match=r"use skau.model_selection.cross_val_predict"):
            sklearn_cross_val_predict(
                make(), X, y, groups=groups, params={"groups": groups}, cv=SubjectKFold(2),
                method="predict_proba",
            )  # fmt: skip


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (lambda Y: Y.set_axis(["AU1", "AU1", "AU4"], axis=1), "several columns called 'AU1'"),
        (lambda Y: Y.iloc[:, :0], "y has no column"),
        (lambda Y: [[0, 1]] * 159 + [[0]], "y is no table"),
        (lambda Y: Y.replace(1, 9), "row 0, column 'AU1' holds 9; .*map unknown codes"),
        (
            lambda Y: Y.astype(object).replace(1, "yes"),
            "y must hold the numbers 0, 1 and NaN, but row 0, column 0 holds 'yes'; labels are 0",
        ),
        (lambda Y: np.zeros((160, 2, 2)), r"must have shape \(n, n_aus\) or \(n,\)"),
    ],
)
def test_tables_that_are_none(vectors, y, message):
    X, Y, groups = vectors
    with pytest.raises(ValueError, match=message):
        make().fit(X, y(Y), groups=groups)
