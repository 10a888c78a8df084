import pytest

from skau import DSNClassifier, IdenNetClassifier


@pytest.fixture(scope="session")
def few(blobs):
    """Four frames of each person: a fit of two stages costs a quarter of a second."""
    X, Y, groups = blobs
    return X[::2], Y[::2].reset_index(drop=True), groups[::2]


@pytest.fixture(scope="session", params=[DSNClassifier, IdenNetClassifier])
def Estimator(request):
    """Each network of the papers: what a test asks of one, it asks of both."""
    return request.param


@pytest.fixture(scope="session")
def make(Estimator):
    """Build an estimator quick enough for a test."""

    def build(**params):
        quick = {"max_epochs": 2, "batch_size": 16, "lr": 1e-3, "random_state": 0, "device": "cpu"}
        if Estimator is IdenNetClassifier:
            quick["identity_epochs"] = 1
        return Estimator(**quick | params)

    return build


@pytest.fixture(scope="session")
def fitted(make, few):
    """For tests that only look: a fit costs a second."""
    X, Y, groups = few
    return make().fit(X, Y, groups=groups)
