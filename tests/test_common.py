"""scikit-learn's own checks over every estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import (
    AlexNetClassifier,
    ATFClassifier,
    DRMLClassifier,
    LightCNNClassifier,
    ROINetClassifier,
    SVTPTClassifier,
)
from skau.estimators._regions import RegionClassifier

# Small and quick, but trained enough for the checks that want a good score.
ESTIMATORS = [
    DSNClassifier(max_epochs=20, lr=5e-3, validation_fraction=0),
    IdenNetClassifier(max_epochs=15, lr=5e-3, validation_fraction=0),
    LightCNNClassifier(max_epochs=15, lr=5e-3, validation_fraction=0),
    AlexNetClassifier(max_epochs=20, lr=5e-3, validation_fraction=0),
    DRMLClassifier(max_epochs=20, lr=5e-3, validation_fraction=0),
    ATFClassifier(max_epochs=20, lr=5e-3, validation_fraction=0),
    ROINetClassifier(max_epochs=20, lr=5e-3, validation_fraction=0),
    SVTPTClassifier(),
    RegionClassifier(SVTPTClassifier(), regions=None),
]

EXPECTED_FAILED_CHECKS = {
    SVTPTClassifier: {
        "check_sample_weight_equivalence_on_dense_data": (
            "its SVC's solution differs in the third digit, as SVC's own does"
        ),
    },
}


@pytest.mark.filterwarnings("ignore:groups is not given")
@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@parametrize_with_checks(
    ESTIMATORS,
    expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS.get(type(estimator), {}),
    xfail_strict=True,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
