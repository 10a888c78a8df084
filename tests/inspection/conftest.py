import numpy as np
import pandas as pd
import pytest

from skau import DSNClassifier, IdenNetClassifier

matplotlib = pytest.importorskip("matplotlib", reason='needs pip install "skau[plot]"')
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def dsn(blobs):
    X, Y, groups = blobs
    clf = DSNClassifier(max_epochs=4, lr=3e-3, batch_size=16, augment=None, random_state=0)
    return clf.fit(X, Y, groups=groups)


@pytest.fixture(scope="session")
def idennet(blobs):
    X, Y, groups = blobs
    clf = IdenNetClassifier(max_epochs=1, identity_epochs=1, batch_size=16, random_state=0)
    return clf.fit(X, Y, groups=groups)


@pytest.fixture(scope="session")
def predictions():
    """Labels with a NaN, probabilities that know something, and three folds."""
    rng = np.random.RandomState(0)
    Y = pd.DataFrame(rng.randint(0, 2, (90, 3)).astype(float), columns=["AU1", "AU2", "AU12"])
    P = (0.6 * Y.to_numpy() + 0.5 * rng.rand(90, 3)).clip(0, 1)
    Y.iloc[0, 0] = np.nan
    return Y, P, np.repeat([0, 1, 2], 30)
