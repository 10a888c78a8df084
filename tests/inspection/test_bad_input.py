"""Every display names what it cannot draw."""

import numpy as np
import pandas as pd
import pytest

from skau.inspection import (
    AlignmentDisplay,
    AURocDisplay,
    FeatureSpaceDisplay,
    LossWeightsDisplay,
    OcclusionDisplay,
    PersonExpressionDisplay,
    TimelineDisplay,
    TrainingHistoryDisplay,
    film_report,
)
from skau.preprocessing import FaceCropper

IMAGES = np.zeros((2, 8, 8, 3), np.uint8)
LABELS = np.array([[0], [1]])
LOGITS = pd.DataFrame({"AU1": [0.2, 1.7], "time": [0.0, 0.1]}, index=[5, 6])
NO_TIME, NO_ROWS = pd.DataFrame({"AU1": [0.1]}), pd.DataFrame({"AU1": [], "time": []})


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: AURocDisplay.from_estimator(3, IMAGES, LABELS), "estimator must be a fitted AU"),
        (lambda: OcclusionDisplay.from_estimator(3, IMAGES), "estimator must be a fitted AU"),
        (lambda: PersonExpressionDisplay.from_estimator(3, IMAGES), "estimator must be a fitted"),
        (lambda: LossWeightsDisplay.from_estimator(3), "search has no cv_results_"),
        (lambda: TrainingHistoryDisplay.from_history([1]), "history must be a DataFrame"),
        (lambda: FeatureSpaceDisplay.from_features([1, 2], LABELS, "abc"), "2 rows of y; it is"),
        (lambda: FeatureSpaceDisplay.from_features([1, 2], LABELS, [1, 2]), r"shape \(2,\)"),
        (lambda: TimelineDisplay.from_predictions([1, 2]), "table must be a DataFrame"),
        (lambda: TimelineDisplay.from_predictions(NO_TIME), "a column time in seconds"),
        (lambda: TimelineDisplay.from_predictions(NO_ROWS), "table must be a DataFrame"),
        (lambda: film_report("film.html", NO_TIME), "a column time in seconds"),
        (lambda: film_report("film.html", LOGITS), "table: row 6, column AU1 holds 1.7; prob"),
        (lambda: AlignmentDisplay.from_estimator(FaceCropper(), "a.jpg"), r"pass \[X\]"),
        (lambda: AlignmentDisplay.from_estimator(FaceCropper(), []), "X holds no image"),
    ],
)
def test_bad_input_is_named(draw, said):
    with pytest.raises(ValueError, match=said):
        draw()


def test_one_au_may_be_named_without_a_list():
    table = pd.DataFrame({"AU1": [0.1, 0.8], "AU12": [0.3, 0.2], "time": [0.0, 0.1]})
    assert TimelineDisplay.from_predictions(table, aus="AU12").aus == ["AU12"]
