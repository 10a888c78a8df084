"""Figures and pages: what a user looks at.

Displays follow scikit-learn's: ``from_estimator``, ``from_predictions`` or ``from_cv_results``
computes and draws, and returns the display; ``plot`` draws it again; nothing is shown by itself.
They need matplotlib: ``pip install ".[plot]"`` in a clone.
"""

from ._alignment import AlignmentDisplay
from ._curves import AUCalibrationDisplay, AUPrecisionRecallDisplay, AURocDisplay
from ._feature_space import FeatureSpaceDisplay
from ._history import TrainingHistoryDisplay
from ._loss_weights import LossWeightsDisplay
from ._occlusion import OcclusionDisplay
from ._overlay import draw_overlay
from ._page import write_report
from ._person_expression import PersonExpressionDisplay
from ._reports import benchmark_report, film_report, training_report
from ._scores import AUScoreDisplay
from ._timeline import TimelineDisplay

__all__ = [
    "AUCalibrationDisplay",
    "AUPrecisionRecallDisplay",
    "AURocDisplay",
    "AUScoreDisplay",
    "AlignmentDisplay",
    "FeatureSpaceDisplay",
    "LossWeightsDisplay",
    "OcclusionDisplay",
    "PersonExpressionDisplay",
    "TimelineDisplay",
    "TrainingHistoryDisplay",
    "benchmark_report",
    "draw_overlay",
    "film_report",
    "training_report",
    "write_report",
]
