"""Per-AU metrics that know missing labels, and scorers made of them.

A label of NaN is not annotated and counts nowhere. A score that an AU cannot have is NaN, never
0, and the mean over AUs leaves it out: F1, precision and recall without a positive, the
false-alarm rate without a negative, the area under the curve without either. Accuracy and
calibration error need some label. An AU that was not predicted, since it had no label in
training, has none of them. Wherever labels and predictions both name their columns, these are
matched by name.
"""

from ._bias import drop_rate, f1_gap, identity_leakage
from ._frame import (
    accuracy,
    au_report,
    calibration_error,
    f1_frame,
    false_alarm_rate,
    roc_auc,
)
from ._intervals import bootstrap_interval, paired_interval
from ._scorers import accuracy_scorer, f1_frame_scorer, roc_auc_scorer

__all__ = [
    "accuracy",
    "accuracy_scorer",
    "au_report",
    "bootstrap_interval",
    "calibration_error",
    "drop_rate",
    "f1_frame",
    "f1_frame_scorer",
    "f1_gap",
    "false_alarm_rate",
    "identity_leakage",
    "paired_interval",
    "roc_auc",
    "roc_auc_scorer",
]
