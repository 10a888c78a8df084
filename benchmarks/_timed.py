"""What is timed beside skau: plain networks with its weights, bare loops, a matrix product."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from _plain import BATCH, Plain, plain_predict
from torch import nn

from skau import IdenNetClassifier
from skau.datasets import load_sample_faces
from skau.estimators._identity import MinedTriplets
from skau.losses import masked_bce
from skau.training._batches import ShuffledBatches

PLAIN = {"plain": False, "plain, pool first": True}  # float32, NCHW


def loop(
    net: nn.Module, X: np.ndarray, Y: np.ndarray, group: np.ndarray, prepare: Any, bf16: bool
) -> Callable[[int], None]:
    """Return a training loop of a number of batches: Adam, BCE and mined triplets."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    triplets, generator = MinedTriplets(0.5, 16), torch.Generator()
    batches = ShuffledBatches(np.arange(len(X)), BATCH, np.random.RandomState(0))

    def forever() -> Iterator[list[int]]:
        while True:
            yield from batches

    rows_of = forever()

    def run(n_batches: int) -> None:
        net.train()
        for _ in range(n_batches):
            rows = next(rows_of)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                out = net(prepare(X[rows]))
            logits, identity = out[0], getattr(out, "identity", out[1])
            known = {"group": torch.from_numpy(group[rows]), "generator": generator}
            triplet, _ = triplets(identity.float(), known)
            loss = 0.5 * triplet + 0.5 * masked_bce(logits.float(), torch.from_numpy(Y[rows]))
            loss.backward()
            optimizer.step()
            loss.item()

    return run


def medians(jobs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Seconds of each job, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: float(np.median(seconds)) for name, seconds in times.items()}


def plain_jobs(clf: IdenNetClassifier, X: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Predict with the plain networks, with the weights of ``clf``."""
    jobs: dict[str, Callable[[], np.ndarray]] = {}
    for name, pool_first in PLAIN.items():
        net = Plain(len(clf.au_names_), pool_first)
        net.load_state_dict(clf.module_.state_dict())
        jobs[name] = lambda net=net: plain_predict(net, X)
    return jobs


def changed(clf: IdenNetClassifier, **params: Any) -> IdenNetClassifier:
    """Return the fitted classifier with other parameters."""
    other = IdenNetClassifier()
    other.__setstate__({**clf.__getstate__(), **params})
    return other


def plain_lines(seconds: dict[str, float], n: int) -> Iterator[str]:
    """Say how fast the plain networks were."""
    for name in PLAIN:
        speed = f"{n / seconds[name]:8.1f} images/s {seconds['plain'] / seconds[name]:5.2f}x"
        yield f"  {name:18s} {speed}"


def data(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample faces of 128 px, labels and codes of people, shuffled."""
    faces = load_sample_faces()
    rows = np.random.RandomState(0).permutation(len(faces.images))[:n]
    group = np.unique(faces.groups, return_inverse=True)[1]
    return faces.images[rows], faces.target.to_numpy(np.float32)[rows], group[rows]


def matrix_product(dtype: torch.dtype) -> float:
    """Best floating-point operations a second of a product of two matrices of 2048."""
    a, b = torch.randn(2, 2048, 2048).to(dtype)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best
