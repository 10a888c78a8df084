"""Splitters that never put one person on two sides, and what is tuned on people held out.

A subject is *identity-only* when every one of its rows has no label at all. Such subjects help to
learn who people are, and there is nothing to score on them: they stay in every training part and
out of every test part. Unlabelled rows of a subject that has labels elsewhere follow that subject.
"""

from ._calibrated import CalibratedAUClassifier
from ._corpora import LeaveOneCorpusOut
from ._cross_val_predict import cross_val_predict
from ._fold_table import fold_table
from ._kfold import SubjectKFold
from ._predefined import PredefinedSubjectSplit
from ._repeated import RepeatedSubjectKFold
from ._stratified import StratifiedSubjectKFold
from ._thresholds import TunedThresholdsClassifier

__all__ = [
    "CalibratedAUClassifier",
    "LeaveOneCorpusOut",
    "PredefinedSubjectSplit",
    "RepeatedSubjectKFold",
    "StratifiedSubjectKFold",
    "SubjectKFold",
    "TunedThresholdsClassifier",
    "cross_val_predict",
    "fold_table",
]
