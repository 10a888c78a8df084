"""Parameters beyond all bounds are refused by name, before anything is computed with them."""

import numpy as np
import pytest

from skau import DSNClassifier, IdenNetClassifier, predict_images
from skau.baselines import ATFClassifier, LightCNNClassifier, SVTPTClassifier
from skau.datasets import make_au_faces
from skau.metrics import (
    bootstrap_interval,
    calibration_error,
    drop_rate,
    identity_leakage,
    paired_interval,
    roc_auc,
)
from skau.model_selection import (
    PredefinedSubjectSplit,
    RepeatedSubjectKFold,
    SubjectKFold,
    TunedThresholdsClassifier,
    cross_val_predict,
    fold_table,
)
from skau.preprocessing import FaceCropper, read_video
from skau.utils._sklearn import n_workers

RNG = np.random.RandomState(0)
X, Y = RNG.randn(12, 4), RNG.randint(0, 2, (12, 2))
PEOPLE = np.repeat([0, 1, 2], 4)
NO_FLOAT = 10**400  # Python's numbers have no end; floats have


@pytest.mark.parametrize(
    ("estimator", "name", "value"),
    [
        (DSNClassifier(), "lr", NO_FLOAT),
        (DSNClassifier(), "batch_size", NO_FLOAT),
        (DSNClassifier(), "alpha", 1e308),
        (DSNClassifier(), "beta", NO_FLOAT),
        (IdenNetClassifier(), "identity_lr", NO_FLOAT),
        (IdenNetClassifier(), "margin", 1e308),
        (IdenNetClassifier(), "identity_weight", 1e308),
        (LightCNNClassifier(), "margin", NO_FLOAT),
        (ATFClassifier(), "adversary", NO_FLOAT),
        (SVTPTClassifier(), "C", NO_FLOAT),
        (SVTPTClassifier(), "ridge", NO_FLOAT),
        (FaceCropper(), "margin", 1e38),
        (FaceCropper(), "size", 2**63),
        (FaceCropper(), "min_face_size", NO_FLOAT),
    ],
    ids=lambda value: f"{value:.0e}" if isinstance(value, float) else None,
)
def test_it_is_named(estimator, name, value):
    images = np.zeros((12, 32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match=f"The '{name}' parameter of {type(estimator).__name__}"):
        estimator.set_params(**{name: value}).fit(images, Y, groups=PEOPLE)


def test_no_more_workers_than_work():
    with pytest.raises(TypeError, match="n_jobs must be a whole number or None, got '3'"):
        n_workers("3", 3)
    assert [n_workers(n, 3) for n in (None, -1, 2, 2**31, NO_FLOAT)] == [None, -1, 2, 3, 3]


@pytest.mark.parametrize("cv", [[1], [(0, 1, 2)], "five"])
def test_folds_that_are_none(cv):
    with pytest.raises(ValueError, match="cv must be a splitter, or hold the rows of a training"):
        cross_val_predict(SVTPTClassifier(), X, Y, groups=PEOPLE, cv=cv)
    if cv == [1]:
        tuned = TunedThresholdsClassifier(SVTPTClassifier(), cv=cv)
        with pytest.raises(ValueError, match="cv must be a splitter"):
            tuned.fit(X, Y, groups=PEOPLE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibration_error([1, 0], [0.5, 0.5], n_bins=2**31), "'n_bins' parameter"),
        (lambda: calibration_error([1, 0], [0.5, 0.5], n_bins="3"), "'n_bins' parameter"),
        (lambda: bootstrap_interval(Y, Y, PEOPLE, n_resamples=1.5), "'n_resamples' parameter"),
        (lambda: bootstrap_interval(Y, Y, PEOPLE, confidence="x"), "'confidence' parameter"),
        (lambda: bootstrap_interval(Y, Y, PEOPLE, random_state=-1), "'random_state' parameter"),
        (lambda: paired_interval([1], [1], test_share=None), "'test_share' parameter"),
        (
            lambda: paired_interval([1, 1e308], [1, 1], test_share=0.5),
            "first and second must hold",
        ),
        (lambda: drop_rate([1], [1], method=3), "'method' parameter"),
        (lambda: identity_leakage(X, PEOPLE, n_splits=1.5), "'n_splits' parameter"),
        (lambda: identity_leakage(X * 1e307, PEOPLE, n_splits=2), "features"),
        (lambda: identity_leakage(np.full((12, 1), NO_FLOAT), PEOPLE, n_splits=2), "features"),
        (lambda: roc_auc([1, 0], [0.5, -np.inf]), "row 1, column y0 is infinite; give a fin"),
        (lambda: RepeatedSubjectKFold(n_repeats="3"), "n_repeats must be a whole number"),
        (lambda: PredefinedSubjectSplit(3), "folds is 3, which holds no folds"),
        (lambda: cross_val_predict(SVTPTClassifier(), X, Y, method="x"), "method='x'"),
        (lambda: make_au_faces(1, 1, random_state=-1), "'random_state' parameter"),
        (lambda: read_video(3), "path must be a path"),
        (lambda: predict_images(None, "a.jpg"), r"images is one str, .* pass \[images\]"),
        (lambda: fold_table(SubjectKFold(2), Y, PEOPLE[1:]), "each of the 12 rows of y; its"),
        (lambda: DSNClassifier().fit(np.where(X.max() == X, 1e39, X), Y), "X holds 1e\\+39, too"),
        (
            lambda: DSNClassifier(class_weight={1: NO_FLOAT}).fit(X, Y),
            "class_weight must hold num",
        ),
        (lambda: DSNClassifier(class_weight={1: "x"}).fit(X, Y), "class_weight must hold numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:groups is not given")
def test_functions_name_it_too(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
