"""scikit-learn's own checks over every estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skau import DSNClassifier, IdenNetClassifier

# Small and quick, but trained enough for the checks that want a good score.
ESTIMATORS = [
    DSNClassifier(max_epochs=20, lr=5e-3, validation_fraction=0),
    IdenNetClassifier(max_epochs=15, lr=5e-3, validation_fraction=0),
]

EXPECTED_FAILED_CHECKS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "batches are drawn at random, so a row of weight 2 is not the same as two rows"
    ),
}


@pytest.mark.filterwarnings("ignore:groups is not given")
@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@parametrize_with_checks(
    ESTIMATORS, expected_failed_checks=lambda _: EXPECTED_FAILED_CHECKS, xfail_strict=True
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
