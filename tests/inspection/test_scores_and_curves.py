import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_validate

from skau import DSNClassifier
from skau.inspection import (
    AUCalibrationDisplay,
    AUPrecisionRecallDisplay,
    AURocDisplay,
    AUScoreDisplay,
)
from skau.metrics import f1_frame, roc_auc
from skau.model_selection import SubjectKFold

DISPLAYS = [AUScoreDisplay, AURocDisplay, AUPrecisionRecallDisplay, AUCalibrationDisplay]


def test_scores_are_those_of_each_fold(predictions):
    Y, P, folds = predictions
    display = AUScoreDisplay.from_predictions(Y, P, folds=folds, name="mine")
    table = display.scores["mine"]
    for fold in range(3):
        own = folds == fold
        expected = f1_frame(Y[own], (P[own] > 0.5).astype(float))
        pd.testing.assert_series_equal(table.loc[fold], expected, check_names=False)
    rates = np.array([Y[folds == fold].mean() for fold in range(3)])
    np.testing.assert_allclose(display.chance, (2 * rates / (1 + rates)).mean(axis=0))


def test_methods_and_chance_are_matched_by_the_names_of_the_aus():
    one = pd.DataFrame({"AU1": [0.1, 0.1], "AU2": [0.9, 0.9]})
    scores = {"one": one, "two": one[["AU2", "AU1"]], "three": one.set_axis([0, 1], axis=1)}
    display = AUScoreDisplay(scores, chance=pd.Series({"AU2": 0.7, "AU1": 0.2})).plot()
    for marks in display.ax_.containers:
        np.testing.assert_allclose(marks.lines[0].get_ydata().astype(float), [0.1, 0.9, 0.5])
    (dashes,) = (c for c in display.ax_.collections if c.get_label() == "always present")
    assert [line[0, 1] for line in dashes.get_segments()] == pytest.approx([0.2, 0.7, 0.45])
    with pytest.raises(ValueError, match=r"scores\['two'\] lacks AU2, but scores\['one'\] has"):
        AUScoreDisplay({"one": one, "two": one[["AU1"]]})
    with pytest.raises(ValueError, match="chance has none for AU2; give every AU one"):
        AUScoreDisplay({"one": one}, chance=pd.Series({"AU1": 0.2}))


def test_always_present_is_that_of_the_folds_that_show_an_au(predictions):
    """As F1, and as ``f1_always_present`` of a report of folds."""
    Y, P, folds = predictions
    Y = Y.assign(AU1=Y["AU1"].where(folds < 1, 0), AU2=0.0)
    chance = AUScoreDisplay.from_predictions(Y, P, folds=folds).chance
    rate = Y["AU1"][folds == 0].mean()
    assert chance["AU1"] == pytest.approx(2 * rate / (1 + rate))
    assert np.isnan(chance["AU2"])


def test_what_is_drawn_is_the_mean_over_folds(predictions):
    Y, P, folds = predictions
    display = AUScoreDisplay.from_predictions(Y, P, folds=folds, metric="roc_auc")
    marks = np.asarray(display.ax_.containers[0].lines[0].get_ydata(), dtype=float)
    expected = np.mean([roc_auc(Y[folds == f], P[folds == f]) for f in range(3)], axis=0)
    np.testing.assert_allclose(marks, [*expected, expected.mean()])
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["AU1", "AU2", "AU12", "mean"]


@pytest.mark.parametrize("display_class", DISPLAYS)
def test_rows_that_no_fold_tested_are_left_out(display_class, predictions):
    Y, P, _ = predictions
    P = P.copy()
    P[30:] = np.nan
    short = display_class.from_predictions(Y[:30], P[:30])
    long = display_class.from_predictions(Y, P)
    key = "scores" if display_class is AUScoreDisplay else "curves"
    assert repr(getattr(short, key)) == repr(getattr(long, key))


@pytest.mark.parametrize("display_class", DISPLAYS)
def test_given_axes_are_drawn_into(display_class, predictions):
    from matplotlib import pyplot as plt

    Y, P, _ = predictions
    figure, (left, _) = plt.subplots(1, 2)
    display = display_class.from_predictions(Y, P, baseline=1 - P, ax=left)
    assert display.figure_ is figure
    assert len(plt.get_fignums()) == 1
    assert display.plot().figure_ is not figure  # plot without ax makes a new one


def test_area_in_the_panel_is_the_mean_over_folds(predictions):
    Y, P, folds = predictions
    display = AURocDisplay.from_predictions(Y, P, folds=folds)
    expected = np.mean([roc_auc(Y[folds == f], P[folds == f])["AU12"] for f in range(3)])
    values = [curve.value for curve in display.curves["classifier"]["AU12"]]
    assert np.mean(values) == pytest.approx(expected)
    assert display.axes_[2].get_title() == "AU12"
    assert f"{expected:.2f}" in [text.get_text() for text in display.axes_[2].texts]


def test_average_precision_and_base_rate(predictions):
    Y, P, _ = predictions
    display = AUPrecisionRecallDisplay.from_predictions(Y, P)
    (curve,) = display.curves["classifier"]["AU1"]
    assert curve.value == pytest.approx(average_precision_score(Y["AU1"][1:], P[1:, 0]))
    assert display.base_rates["AU1"] == pytest.approx(Y["AU1"][1:].mean())


def test_calibration_error_of_known_probabilities():
    rng = np.random.RandomState(0)
    P = rng.rand(4000)
    Y = (rng.rand(4000) < P).astype(float)
    (good,) = AUCalibrationDisplay.from_predictions(Y, P).curves["classifier"]["y0"]
    (bad,) = AUCalibrationDisplay.from_predictions(Y, P * 0.5).curves["classifier"]["y0"]
    assert good.value < 0.03
    # every probability is half of what it should be, and their mean is one half
    assert bad.value == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(good.x, good.y, atol=0.07)


def test_an_au_of_one_class_has_an_empty_panel(predictions):
    Y, P, _ = predictions
    display = AURocDisplay.from_predictions(Y.assign(AU2=0.0), P)
    assert display.curves["classifier"]["AU2"] == []
    assert "one class" in [text.get_text() for text in display.axes_[1].texts]


def test_cv_results_are_predicted_on_their_test_parts(blobs):
    X, Y, groups = blobs
    results = cross_validate(
        DSNClassifier(max_epochs=1, validation_fraction=0, random_state=0),
        X, Y, groups=groups, cv=SubjectKFold(2),
        scoring=lambda estimator, X, y: 0.0, return_estimator=True, return_indices=True,
    )  # fmt: skip
    display = AUScoreDisplay.from_cv_results(results, X, Y, metric="roc_auc")
    model, test = results["estimator"][1], results["indices"]["test"][1]
    expected = roc_auc(Y.iloc[test], model.predict_proba(X[test]))
    assert display.scores["DSN"].iloc[1].to_dict() == pytest.approx(expected.to_dict())
    del results["indices"]
    with pytest.raises(ValueError, match="cv_results has no indices: call cross_validate"):
        AUScoreDisplay.from_cv_results(results, X, Y)


def test_columns_are_matched_by_name(dsn, blobs):
    X, Y, _ = blobs
    display = AUScoreDisplay.from_estimator(dsn, X, Y[["AU12", "AU1"]], metric="roc_auc")
    expected = roc_auc(Y, dsn.predict_proba(X))
    assert display.scores["DSN"].iloc[0].to_dict() == pytest.approx(expected.to_dict())


def test_the_name_of_a_series_is_none_of_an_au(predictions):
    """As in the metrics."""
    Y, P, _ = predictions
    told = pd.Series(P[:, 2], name="p")
    (curve,) = AURocDisplay.from_predictions(Y["AU12"], told).curves["classifier"]["AU12"]
    assert curve.value == pytest.approx(roc_auc(Y["AU12"], told)["AU12"])


class WithThresholds:
    au_names_ = np.array(["AU1", "AU2", "AU12"])
    thresholds_ = np.array([0.2, 0.5, 0.9])

    def predict_proba(self, X):
        return X


def test_tuned_thresholds_decide(predictions):
    Y, P, _ = predictions
    columns = ["AU12", "AU2", "AU1"]
    display = AUScoreDisplay.from_estimator(WithThresholds(), P, Y[columns], name="tuned")
    expected = f1_frame(Y, (P > [0.2, 0.5, 0.9]).astype(float))[columns]
    pd.testing.assert_series_equal(display.scores["tuned"].loc[0], expected, check_names=False)
    by_name = {"AU12": 0.9, "AU2": 0.5, "AU1": 0.2}
    for threshold in ([0.2, 0.5, 0.9], by_name, pd.Series(by_name)):
        given = AUScoreDisplay.from_predictions(Y, P, threshold=threshold)
        scores = given.scores["classifier"].loc[0, columns]
        pd.testing.assert_series_equal(scores, expected, check_names=False)


def test_bad_input_is_named(predictions):
    Y, P, _ = predictions
    with pytest.raises(ValueError, match="y_proba has 2 columns, but y_true has 3"):
        AUScoreDisplay.from_predictions(Y, P[:, :2])
    with pytest.raises(ValueError, match="y_true: row 0, column 'AU1' holds 3"):
        AUScoreDisplay.from_predictions(Y.assign(AU1=3), P)
    named = Y.set_axis([f"{i}.png" for i in range(90)])
    with pytest.raises(ValueError, match="baseline names the rows of y_true in another order"):
        AURocDisplay.from_predictions(named, P, baseline=named[::-1])
    infinite = P.copy()
    infinite[4, 1] = np.inf
    with pytest.raises(ValueError, match="baseline: row 4, column y1 is infinite"):
        AURocDisplay.from_predictions(Y, P, baseline=infinite)
    results = {"estimator": [WithThresholds()], "indices": {"test": [np.arange(90)]}}
    with pytest.raises(ValueError, match="baseline has no indices: call cross_validate"):
        AURocDisplay.from_cv_results(results, P, Y, baseline={"estimator": []})
    with pytest.raises(ValueError, match="folds must hold .* for each of the 90 rows of y_true"):
        AUScoreDisplay.from_predictions(Y, P, folds=[0, 1])
    with pytest.raises(ValueError, match="threshold has none for AU12"):
        AUScoreDisplay.from_predictions(Y, P, threshold={"AU1": 0.2, "AU2": 0.5})
    with pytest.raises(ValueError, match=r"metric must be one of \['f1', 'roc_auc'\]"):
        AUScoreDisplay.from_predictions(Y, P, metric="accuracy")
    with pytest.raises(ValueError, match="is NaN in every row"):
        AUScoreDisplay.from_predictions(Y, P * np.nan)


def logits_of(P, row):
    """Logits that could be probabilities but for one row."""
    Z = P.copy()
    Z[row] = 2 * P[row] + 1
    return Z


@pytest.mark.parametrize("display_class", [AUScoreDisplay, AUCalibrationDisplay])
def test_what_is_no_probability_is_named(display_class, predictions):
    """One half says nothing of logits, nor do they of frequencies."""
    Y, P, folds = predictions
    Z, said = logits_of(P, 70), "row 70, column AU1 holds .* probabilities lie between 0 and 1"
    with pytest.raises(ValueError, match=f"y_proba: {said}"):
        display_class.from_predictions(Y, Z, folds=folds)
    with pytest.raises(ValueError, match=f"baseline: {said}"):
        display_class.from_predictions(Y, P, folds=folds, baseline=Z)
    with pytest.raises(ValueError, match=f"predict_proba of estimator: {said}"):
        display_class.from_estimator(WithThresholds(), Z, Y)
    results = {"estimator": [WithThresholds()], "indices": {"test": [np.arange(60, 80)]}}
    with pytest.raises(ValueError, match=rf"predict_proba of baseline\['estimator'\]: {said}"):
        display_class.from_cv_results(
            results | {"estimator": [dsn_like(P)]}, Z, Y, baseline=results
        )


def dsn_like(P):
    """Return an estimator that knows rows 60 to 79 of ``P``."""
    model = WithThresholds()
    model.predict_proba = lambda X: P[60:80]
    return model


def test_logits_do_where_their_order_alone_counts(predictions):
    Y, P, folds = predictions
    Z = 3 * P - 1
    for display_class in (AURocDisplay, AUPrecisionRecallDisplay):
        given, same = (display_class.from_predictions(Y, S, folds=folds) for S in (Z, P))
        assert repr(given.curves) == repr(same.curves)
    given, same = (
        AUScoreDisplay.from_predictions(Y, S, folds=folds, metric="roc_auc") for S in (Z, P)
    )
    pd.testing.assert_frame_equal(given.scores["classifier"], same.scores["classifier"])


def test_percent_is_no_score():
    with pytest.raises(ValueError, match=r"scores\['DSN'\] holds 40.2; .* divide percent by 100"):
        AUScoreDisplay({"DSN": pd.DataFrame({"AU1": [40.2, 61.3]})})


def test_without_matplotlib_the_extra_is_named(predictions, monkeypatch):
    Y, P, _ = predictions
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"AUScoreDisplay needs matplotlib.*\.\[plot\]"):
        AUScoreDisplay.from_predictions(Y, P)


@pytest.mark.parametrize("display_class", DISPLAYS)
def test_an_au_that_was_not_predicted_costs_no_other_a_row(display_class, predictions):
    """Such as an AU without a label to learn from, which is predicted as NaN."""
    Y, P, _ = predictions
    without = P.copy()
    without[:, 1] = np.nan
    display = display_class.from_predictions(Y, without)
    whole = display_class.from_predictions(Y, P)
    if display_class is AUScoreDisplay:
        own, all_of_them = (d.scores["classifier"].loc[0] for d in (display, whole))
        assert np.isnan(own["AU2"])
        assert own.drop("AU2").to_dict() == all_of_them.drop("AU2").to_dict()
    else:
        own, all_of_them = (d.curves["classifier"] for d in (display, whole))
        assert own["AU2"] == []
        assert repr(own["AU12"]) == repr(all_of_them["AU12"])
        assert "no rows" in [text.get_text() for text in display.axes_[1].texts]


def test_a_single_missing_probability_is_left_out_of_its_au_alone(predictions):
    Y, P, _ = predictions
    hole = P.copy()
    hole[5, 2] = np.nan
    got = AURocDisplay.from_predictions(Y, hole).curves["classifier"]
    rest = np.delete(np.arange(90), 5)
    expected = AURocDisplay.from_predictions(Y.iloc[rest], P[rest]).curves["classifier"]
    assert got["AU12"][0].value == expected["AU12"][0].value
    whole = AURocDisplay.from_predictions(Y, P).curves["classifier"]
    assert got["AU1"][0].value == whole["AU1"][0].value


@pytest.mark.parametrize("names", [["AU12"], [f"AU{n}" for n in range(1, 19)], ["lip " * 9] * 1])
@pytest.mark.parametrize("display_class", DISPLAYS)
def test_long_names_neither_leave_the_figure_nor_eat_it(display_class, names):
    rng = np.random.RandomState(0)
    Y = pd.DataFrame(rng.randint(0, 2, (60, len(names))).astype(float), columns=names)
    P = rng.rand(*Y.shape)
    display = display_class.from_predictions(
        Y, P, baseline=1 - P, name="IdenNet with unlabelled frames of each person",
        baseline_name="LightCNN, pretrained on three hundred identities",
    )  # fmt: skip
    figure = display.figure_
    figure.canvas.draw()
    axes = [display.ax_] if display_class is AUScoreDisplay else list(display.axes_)
    (legend,) = [*figure.legends, *filter(None, (axis.get_legend() for axis in axes))]
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    widths = [axis.get_window_extent().width for axis in axes]
    assert sum(widths[: min(4, len(axes))]) > 0.5 * figure.bbox.width


def test_the_methods_of_an_au_stay_beside_it():
    rng = np.random.RandomState(0)
    scores = {
        f"method {i}": pd.DataFrame(rng.rand(3, 2), columns=["AU1", "AU12"]) for i in range(9)
    }
    display = AUScoreDisplay(scores).plot()
    at = [container.lines[0].get_xdata()[0] for container in display.ax_.containers]
    assert len(at) == 9
    assert -0.5 < min(at) < max(at) < 0.5


@pytest.mark.parametrize(
    "display_class", [AUCalibrationDisplay, AUPrecisionRecallDisplay, AURocDisplay]
)
def test_numbers_stand_in_the_order_of_the_legend(display_class, predictions):
    Y, P, _ = predictions
    display = display_class.from_predictions(Y, P, baseline=1 - P)
    display.figure_.canvas.draw()
    values = [f"{method['AU1'][0].value:.2f}" for method in display.curves.values()]
    above, below = display.axes_[0].texts
    assert [above.get_text(), below.get_text()] == values
    inside = display.axes_[0].get_window_extent()
    boxes = [text.get_window_extent() for text in (above, below)]
    assert inside.y1 >= boxes[0].y1 > boxes[0].y0 >= boxes[1].y1 > boxes[1].y0 >= inside.y0


@pytest.mark.parametrize(("n", "inches", "ticks"), [(1, 3.5, 1), (2, 3.5, 3), (30, 7.0, 31)])
def test_one_au_has_no_mean_and_thirty_have_two_columns(n, inches, ticks):
    scores = pd.DataFrame(0.5, index=range(3), columns=[f"AU{i}" for i in range(1, n + 1)])
    display = AUScoreDisplay({"method": scores}).plot()
    assert display.figure_.get_size_inches()[0] == inches
    assert len(display.ax_.get_xticks()) == ticks
    (marks,) = display.ax_.containers
    assert len(marks.lines[0].get_xdata()) == ticks


@pytest.mark.parametrize("n", [2, 8, 12, 18, 20, 21, 40])
def test_names_below_do_not_touch(n):
    names = [f"AU{number}" for number in range(10, 10 + n)]
    display = AUScoreDisplay({"DSN": pd.DataFrame(np.full((3, n), 0.5), columns=names)}).plot()
    display.figure_.canvas.draw()
    labels = [label for label in display.ax_.get_xticklabels() if not label.get_rotation()]
    boxes = [label.get_window_extent() for label in labels]
    gaps = [right.x0 - left.x1 for left, right in pairwise(boxes)]
    assert not gaps or min(gaps) > 2
    assert not gaps or gaps[-1] > boxes[-1].width / len("mean") / 2
