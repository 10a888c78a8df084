"""Parameters beyond all bounds are refused by name, before anything is computed with them."""

import numpy as np
import pytest

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import ATFClassifier, LightCNNClassifier, SVTPTClassifier
from skau.model_selection import TunedThresholdsClassifier, cross_val_predict
from skau.preprocessing import FaceCropper
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
    assert [n_workers(n, 3) for n in (None, -1, 2, 2**31, NO_FLOAT)] == [None, -1, 2, 3, 3]


@pytest.mark.parametrize("cv", [[1], [(0, 1, 2)], "five"])
def test_folds_that_are_none(cv):
    with pytest.raises(ValueError, match="cv must be a splitter, or hold the rows of a training"):
        cross_val_predict(SVTPTClassifier(), X, Y, groups=PEOPLE, cv=cv)
    if cv == [1]:
        tuned = TunedThresholdsClassifier(SVTPTClassifier(), cv=cv)
        with pytest.raises(ValueError, match="cv must be a splitter"):
            tuned.fit(X, Y, groups=PEOPLE)
