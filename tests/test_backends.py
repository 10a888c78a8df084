"""A search finds the same wherever joblib has it done."""

import logging
from contextlib import ExitStack

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    X, groups = rng.randn(60, 6), np.arange(60) % 6
    return X, (X[:, :2] + 0.5 * rng.randn(60, 2) > 0).astype(float), groups


def search(data, n_jobs):
    X, Y, groups = data
    clf = DSNClassifier(max_epochs=2, batch_size=16, random_state=0)
    grid = {"lr": [1e-4, 3e-3, 1e-2], "beta": [0.0, 0.1]}
    with config_context(enable_metadata_routing=True):
        found = GridSearchCV(
            clf, grid, cv=SubjectKFold(2), scoring=roc_auc_scorer, n_jobs=n_jobs
        ).fit(X, Y, groups=groups)
    times = ("mean_fit", "std_fit", "mean_score", "std_score")
    results = {k: v for k, v in found.cv_results_.items() if not k.startswith(times)}
    return found.best_params_, results, found.predict_proba(X)


@pytest.fixture(scope="module")
def alone(data):
    return search(data, 1)


@pytest.mark.parametrize(
    "backend",
    ["sequential", "threading", pytest.param("loky", marks=pytest.mark.slow), "dask"],
)
def test_a_search_finds_the_same(backend, data, alone):
    with ExitStack() as stack:
        if backend == "dask":  # threads of one process, which share all that a process has
            distributed = pytest.importorskip(
                "distributed", reason='needs pip install "skau[dask]"'
            )
            cluster = distributed.LocalCluster(
                n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0",
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
            stack.enter_context(cluster)
            stack.enter_context(distributed.Client(cluster))
        if backend != "sequential":
            stack.enter_context(joblib.parallel_config(backend))
        best, results, proba = search(data, 1 if backend == "sequential" else 2)
    assert len(set(alone[1]["mean_test_score"])) > 1  # there is something to choose
    assert best == alone[0]
    assert results.pop("params") == alone[1]["params"]
    for name, values in results.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(values, alone[1][name], rtol=1e-9, err_msg=name)
        else:
            np.testing.assert_array_equal(values, alone[1][name], err_msg=name)
    np.testing.assert_allclose(proba, alone[2], rtol=1e-9)
