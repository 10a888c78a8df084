import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier
from skau.inspection import LossWeightsDisplay, TrainingHistoryDisplay
from skau.inspection._reports import _candidates
from skau.metrics import f1_frame_scorer
from skau.model_selection import SubjectKFold


def test_every_term_has_its_curve(dsn):
    display = TrainingHistoryDisplay.from_estimator(make_pipeline("passthrough", dsn))
    assert display.terms == ["class_loss", "reconstruction_loss", "difference_loss", "loss", "f1"]
    for panel, term in zip(display.axes_, display.terms, strict=True):
        curves = {line.get_label(): line.get_ydata() for line in panel.lines}
        np.testing.assert_array_equal(curves["validation"], dsn.history_[f"valid_{term}"])
        if term != "f1":
            np.testing.assert_array_equal(curves["training"], dsn.history_[f"train_{term}"])
        assert curves["kept"] is not None


def test_two_stages(idennet):
    display = TrainingHistoryDisplay.from_estimator(idennet)
    assert "triplet_loss" in display.terms
    assert all(len(panel.patches) == 1 for panel in display.axes_)  # the shade of stage 1


def test_history_of_a_file(dsn, tmp_path):
    dsn.history_.to_csv(tmp_path / "history.csv", index=False)
    display = TrainingHistoryDisplay.from_history(pd.read_csv(tmp_path / "history.csv"))
    assert len(display.axes_) == 5


def test_labels_of_a_logarithmic_scale_do_not_touch():
    fall = np.exp(-1.5 * np.arange(5))
    display = TrainingHistoryDisplay.from_history(
        pd.DataFrame({
            "train_a_loss": 0.02 + fall / 2, "train_b_loss": 1 + 30 * fall,
            "train_c_loss": 1e-3 + 3 * fall, "train_d_loss": 1e-7 + 1e5 * fall**5,
        })
    )  # fmt: skip
    display.figure_.canvas.draw()
    for panel in display.axes_:
        assert panel.get_yscale() == "log"
        low, high = panel.get_ylim()
        axis = panel.yaxis
        labels = [
            tick.label1
            for ticks in (axis.get_major_ticks(), axis.get_minor_ticks())
            for tick in ticks
            if tick.label1.get_text() and low <= tick.get_loc() <= high
        ]
        assert 2 <= len(labels) <= 6
        edges = sorted((box.y0, box.y1) for box in (label.get_window_extent() for label in labels))
        assert all(a[1] < b[0] for a, b in itertools.pairwise(edges))


def test_no_history():
    with pytest.raises(ValueError, match="DSNClassifier has no history_"):
        TrainingHistoryDisplay.from_estimator(DSNClassifier())
    with pytest.raises(ValueError, match="history has no column train_"):
        TrainingHistoryDisplay.from_history(pd.DataFrame({"epoch": [1]}))


def test_heat_map_of_a_search(blobs):
    X, Y, groups = blobs
    search = GridSearchCV(
        make_pipeline(DSNClassifier(max_epochs=1, validation_fraction=0, random_state=0)),
        {"dsnclassifier__alpha": [0.0, 0.1], "dsnclassifier__beta": [0.0, 0.05, 0.5]},
        cv=SubjectKFold(2), scoring=f1_frame_scorer, refit=False,
    )  # fmt: skip
    search.fit(X, Y, groups=groups)
    display = LossWeightsDisplay.from_estimator(search)
    assert display.scores.shape == (3, 2)
    for parameters, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        alpha, beta = parameters["dsnclassifier__alpha"], parameters["dsnclassifier__beta"]
        assert display.scores.loc[beta, alpha] == score
    assert display.ax_.get_xlabel() == "alpha"


def test_of_several_candidates_a_cell_shows_the_best():
    results = {
        "param_a": [1, 1, 2, 2] * 2,
        "param_b": [1, 2] * 4,
        "param_c": [1] * 4 + [2] * 4,
        "mean_test_score": [0.1, 0.2, np.nan, 0.4, 0.5, 0.1, np.nan, 0.3],
        "std_test_score": np.arange(8) / 100,
    }
    display = LossWeightsDisplay.from_cv_results(results)
    expected = np.array([[0.5, np.nan], [0.2, 0.4]])
    np.testing.assert_array_equal(display.scores.to_numpy(), expected)
    assert display.spread.loc[1, 1] == 0.04
    turned = LossWeightsDisplay.from_cv_results(results, x="c", y="a")
    assert turned.scores.columns.name == "c"
    with pytest.raises(ValueError, match="x='d' is not one of the searched parameters"):
        LossWeightsDisplay.from_cv_results(results, x="d")
    with pytest.raises(ValueError, match="metric='f1': cv_results has"):
        LossWeightsDisplay.from_cv_results(results, metric="f1")
    one = {k: v for k, v in results.items() if k not in ("param_b", "param_c")}
    with pytest.raises(ValueError, match="a heat map needs two"):
        LossWeightsDisplay.from_cv_results(one)


def frame_of(display):
    """Return the column and row of the cell with the frame."""
    (frame,) = display.ax_.patches
    return round(frame.get_x() + 0.48), round(frame.get_y() + 0.46)


def test_a_search_in_rounds_frames_the_best_of_the_last():
    results = {
        "iter": [0, 0, 0, 0, 1, 1],
        "n_resources": [10] * 4 + [90] * 2,
        "param_alpha": [1, 1, 2, 2, 1, 2],
        "param_beta": [1, 2, 1, 2, 1, 2],
        "mean_test_score": [0.8, 0.95, 0.5, 0.7, 0.65, 0.72],  # of few rows, then of many
        "std_test_score": np.zeros(6),
    }
    display = LossWeightsDisplay.from_cv_results(results)
    assert display.scores.to_numpy().tolist() == [[0.65, 0.5], [0.95, 0.72]]
    assert frame_of(display) == frame_of(display.plot()) == (1, 1)
    listed = _candidates(SimpleNamespace(cv_results_=results))
    assert listed[["round", "resources"]].iloc[-1].tolist() == [1, 90]


@pytest.mark.parametrize("nothing", [None, np.nan, np.ma.masked])
def test_a_candidate_without_a_value_is_drawn(nothing):
    results = {
        "param_alpha": [nothing, nothing, 0.1, 0.1],
        "param_beta": [1, 2, 1, 2],
        "mean_test_score": [0.9, 0.8, 0.5, 0.4],
        "std_test_score": np.zeros(4),
    }
    display = LossWeightsDisplay.from_cv_results(results)
    assert sorted(map(str, display.scores)) == sorted(["0.1", str(nothing)])
    assert display.scores[str(nothing)].tolist() == [0.9, 0.8]
    assert display.scores[0.1].tolist() == [0.5, 0.4]
    column, _ = frame_of(display)
    assert display.scores.columns[column] == str(nothing)
