"""Equal results wherever the work is done: in threads, processes, a cluster or a forked pool."""

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import joblib
import numpy as np
import torch
from _record import Record
from _trust_kills import faces
from sklearn import config_context
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier, IdenNetClassifier
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold

THREADS = 32


def same(one: Any, other: Any) -> str:
    """Say how far two results are from each other."""
    pairs = zip(one, other, strict=True)
    most = max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)
    return "equal to the bit" if most == 0 else f"within {most:.0e}"


def fit(seed: int) -> np.ndarray:
    """Train a network on images, with flips; return its probabilities."""
    torch.set_num_threads(1)  # a new thread may have another number, whose sums round otherwise
    X, Y, groups = faces(48, 4)
    make = IdenNetClassifier if seed % 2 else DSNClassifier
    few = {"identity_epochs": 1} if seed % 2 else {}
    clf = make(max_epochs=1, batch_size=16, random_state=seed, **few)
    return clf.fit(X, Y, groups=groups).predict_proba(X)


def threads(record: Record) -> None:
    """Let many threads predict with one estimator, and train at the same time."""
    X, Y, groups = faces(48, 4)
    clf = DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    expected = clf.predict_proba(X)
    alone = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(THREADS) as pool:
        there = list(pool.map(lambda _: clf.predict_proba(X), range(4 * THREADS)))
        trained = list(pool.map(lambda i: fit(i % 4), range(THREADS)))
    record.say(
        f"{THREADS} threads on one fitted estimator, {len(there)} calls of predict_proba: "
        + same(there, [expected] * len(there))
    )
    record.say(
        f"{THREADS} fits at a time in as many threads, 4 seeds, DSN and IdenNet: "
        + same(trained, [alone[i % 4] for i in range(THREADS)])
        + " to those alone"
    )


@contextmanager
def dask() -> Iterator[None]:
    """Have joblib work on a cluster of two processes here."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                     silence_logs=logging.CRITICAL) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):  # fmt: skip
        yield


PLACES: dict[str, Callable[[], Any]] = {
    "one after the other": nullcontext,
    "loky": lambda: joblib.parallel_config("loky"),
    "threads": lambda: joblib.parallel_config("threading"),
    "Dask, a LocalCluster": dask,
}


def search(n_jobs: int) -> GridSearchCV:
    """Search over DSN."""
    torch.set_num_threads(1)
    X, Y, groups = faces(48, 4)
    clf = DSNClassifier(max_epochs=2, batch_size=16, random_state=0)
    grid = {"beta": [0.0, 0.1], "lr": [1e-3, 1e-2]}
    with config_context(enable_metadata_routing=True):
        return GridSearchCV(
            clf, grid, cv=SubjectKFold(2), scoring=roc_auc_scorer, n_jobs=n_jobs
        ).fit(X, Y, groups=groups)


def backends(record: Record) -> None:
    """Train and search in every place that joblib knows, and in a forked pool."""
    alone = [fit(seed) for seed in range(4)]
    wanted = search(1)
    scores = wanted.cv_results_["mean_test_score"]
    record.say(f"a search over 4 candidates, one after the other: {np.round(scores, 3).tolist()}, "
               f"the best is {wanted.best_params_}")  # fmt: skip
    for name, place in PLACES.items():
        n_jobs = 1 if name == "one after the other" else 2
        with place():
            there = joblib.Parallel(n_jobs)(joblib.delayed(fit)(seed) for seed in range(4))
            found = search(n_jobs)
        record.say(
            f"{name:>20}: 4 fits {same(there, alone)}; the search's scores "
            f"{same([found.cv_results_['mean_test_score']], [scores])}, "
            f"{'the same' if found.best_params_ == wanted.best_params_ else 'ANOTHER'} best "
            "candidate"
        )
    # after all that has computed here
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=fork) as pool:
        there = list(pool.map(fit, range(4)))
    record.say(f"{'a forked pool':>20}: 4 fits {same(there, alone)}")
