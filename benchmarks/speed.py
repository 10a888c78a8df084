"""Speed of IdenNet's predict and fit beside plain PyTorch, as commonly written.

    python benchmarks/speed.py [--only predict int8 fit overhead import methods] [--rounds 5]

Each figure is the median of interleaved rounds, each ratio between two figures of one run. A
section is written to ``results/speed-<section>.txt``. The plain network has torch's own layers,
float32, NCHW and batches of 64, with Max-Feature-Map before the pooling, as the published LightCNN
networks in PyTorch have it. It is also timed with the pooling first, as in Table I: the two
commute, but the gradient of ``torch.maximum`` then passes over a quarter of the pixels. Both have
skau's weights, and the difference of the outputs is printed. ``overhead`` compares
``partial_fit`` with a bare loop of the same module, layout, precision and batches.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _cells import count_parameters
from _methods import METHODS, make_estimator
from _plain import BATCH, Plain, plain_images
from _record import Record
from _timed import PLAIN, changed, data, loop, matrix_product, medians, plain_jobs, plain_lines
from sklearn.frozen import FrozenEstimator
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from skau import IdenNetClassifier, Int8Classifier
from skau.datasets import make_au_faces
from skau.metrics import f1_frame
from skau.utils._device import _has_native_bfloat16

HERE = Path(__file__).parent
USUAL = {"identity_epochs": 0, "validation_fraction": 0, "augment": None, "random_state": 0}
NATIVE = _has_native_bfloat16(torch.device("cpu"))
SYSTEMS = (
    "IdenNet:identity_epochs=0", "LightCNN", "AlexNet", "DRML", "ATF", "ROINet", "SVTPT", "DSN",
    "SingleEncoder",
)  # fmt: skip
# Parameters, and frames a second on a Titan X, of paper 2.
TABLE_2 = {"IdenNet": ("6,572.8K", 155), "DRML": ("56,855.1K", 82.5), "SVTPT": ("", 2.0)}
PRECISIONS = ("bfloat16", "float32") if NATIVE else ("float32",)


def predict(rounds: int) -> Iterator[str]:
    """Compare predict_proba with a plain module of the same weights."""
    X, Y, group = data(480)
    clf = IdenNetClassifier(max_epochs=2, lr=1e-3, **USUAL).fit(X, Y, groups=group)
    X = X[: 2 * BATCH]
    clfs = {precision: changed(clf, precision=precision) for precision in PRECISIONS}
    jobs = plain_jobs(clf, X)
    jobs |= {name: (lambda c=c: c.predict_proba(X)) for name, c in clfs.items()}
    seconds = medians(jobs, rounds)
    expected = jobs["plain"]()
    yield f"predict_proba, {len(X)} crops of 128 px, network of two epochs"
    yield from plain_lines(seconds, len(X))
    for name, other in clfs.items():
        got = probabilities(other, X)
        yield (
            f"  skau {name:13s} {len(X) / seconds[name]:8.1f} images/s "
            f"{seconds['plain'] / seconds[name]:5.2f}x; probabilities "
            f"differ by {np.abs(got - expected).max():.2g} at most, "
            f"{((got > 0.5) == (expected > 0.5)).mean():.2%} of labels equal"
        )


def probabilities(clf: IdenNetClassifier, X: np.ndarray) -> np.ndarray:
    """Probability that an AU is present, (n, n_aus)."""
    return 1 / (1 + np.exp(-clf.decision_function(X)))


def int8(rounds: int) -> Iterator[str]:
    """Compare Int8Classifier with the plain module, and its F1 on people never seen."""
    faces = make_au_faces(80, 20, random_state=0, n_jobs=2)
    X, Y = faces.images, faces.target.to_numpy(np.float32)
    train = np.arange(len(X)) < 50 * 20  # people, 20 pictures of each
    # without triplets, which take more epochs than a benchmark has
    clf = IdenNetClassifier(alpha=0, max_epochs=15, lr=1e-3, batch_size=32, **USUAL)
    clf.fit(X[train], Y[train], groups=faces.groups[train])
    start = time.perf_counter()
    fast = Int8Classifier(FrozenEstimator(clf), random_state=0).fit(X[train])
    quantized = time.perf_counter() - start
    X, Y = X[~train], Y[~train]
    start = time.perf_counter()
    fast.predict(X[:1])
    first = time.perf_counter() - start
    expected, got = changed(clf, precision="float32").predict(X), fast.predict(X)
    scores = [100 * np.nanmean(f1_frame(Y, labels)) for labels in (expected, got)]
    test, X = len(X), X[: 2 * BATCH]  # as many as the other sections time
    jobs = plain_jobs(clf, X)
    jobs |= {clf.precision_: lambda: clf.predict_proba(X), "int8": lambda: fast.predict_proba(X)}
    seconds = medians(jobs, rounds)
    rate = len(X) / seconds["int8"]
    yield f"Int8Classifier.predict_proba, {len(X)} images of 128 px of people never seen"
    yield from plain_lines(seconds, len(X))
    yield (
        f"  skau int8          {rate:8.1f} images/s {seconds['plain'] / seconds['int8']:5.2f}x; "
        f"{seconds[clf.precision_] / seconds['int8']:.2f}x of {clf.precision_}; "
        "155 frames/s in the paper"
    )
    yield (
        f"  mean F1-frame of {test} images {scores[0]:.2f} in float32, {scores[1]:.2f} in int8 "
        f"({Y.shape[1]} AUs); {(got == expected).mean():.2%} of labels equal"
    )
    yield f"  start-up: quantizing {quantized:.1f} s, the first prediction {first:.1f} s"


def fit(rounds: int) -> Iterator[str]:
    """Compare stage 2 with a plain loop."""
    X, Y, group = data(2 * BATCH)
    with FlopCounterMode(display=False) as counter:
        sum(out.sum() for out in Plain(Y.shape[1])(plain_images(X[:8]))).backward()
    flops = counter.get_total_flops() / 8
    jobs: dict[str, Callable[[], Any]] = {}
    for name, pool_first in PLAIN.items():
        plain = loop(Plain(Y.shape[1], pool_first), X, Y, group, plain_images, bf16=False)
        jobs[name] = lambda plain=plain: plain(2)
    for name in PRECISIONS:
        clf = IdenNetClassifier(precision=name, **USUAL)
        jobs[name] = lambda clf=clf: clf.partial_fit(X, Y, groups=group)
    seconds = medians(jobs, rounds)
    yield f"stage 2 of fit, batches of {BATCH}, 128 px, {flops / 1e9:.2f} GFLOP an image"
    yield from plain_lines(seconds, len(X))
    for name in ("bfloat16", "float32"):
        if name in seconds:
            rate, peak = len(X) / seconds[name], matrix_product(getattr(torch, name))
            yield (
                f"  skau {name:13s} {rate:8.1f} images/s {seconds['plain'] / seconds[name]:5.2f}x"
                f"; {rate * flops / peak:.0%} of the {peak / 1e9:.0f} GFLOP/s "
                "of a matrix product"
            )


def overhead(rounds: int) -> Iterator[str]:
    """Compare partial_fit with a bare loop over the same module."""
    X, Y, group = data(3 * BATCH)
    clf = IdenNetClassifier(**USUAL).partial_fit(X, Y, groups=group)
    twin = IdenNetClassifier(**USUAL).partial_fit(X, Y, groups=group)

    def prepare(batch: np.ndarray) -> Tensor:
        return torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(255)

    bare = loop(twin.module_, X, Y, group, prepare, twin.precision_ == "bfloat16")
    seconds = medians(
        {"bare": lambda: bare(3), "skau": lambda: clf.partial_fit(X, Y, groups=group)}, rounds
    )
    yield (
        f"partial_fit against a bare loop, {clf.precision_}: {len(X) / seconds['skau']:.1f} and "
        f"{len(X) / seconds['bare']:.1f} images/s, overhead "
        f"{seconds['skau'] / seconds['bare'] - 1:+.1%}"
    )


def imports(rounds: int) -> Iterator[str]:
    """Time imports in fresh processes."""
    codes = {
        "import torch, sklearn": "import torch, sklearn",
        "import skau": "import skau",
        "from skau import IdenNetClassifier": "from skau import IdenNetClassifier",
    }
    seconds = medians(
        {name: lambda code=code: subprocess.run([sys.executable, "-c", code], check=True)
         for name, code in codes.items()}, rounds,
    )  # fmt: skip
    base = seconds["import torch, sklearn"]
    for name, value in seconds.items():
        yield f"  {name:36s} {value:6.2f} s {value / base:5.2f}x"


def methods(rounds: int) -> Iterator[str]:
    """Compare size and speed of all systems, as Table II of paper 2 does."""
    X, Y, group = data(480)
    train = group < 16
    clfs, jobs = {}, {}
    for spec in SYSTEMS:
        name = spec.partition(":")[0]
        clf = make_estimator(spec, {"max_epochs": 1, "validation_fraction": 0}, 0)
        clfs[name] = clf.fit(X[train], Y[train], groups=group[train])
        known = {} if METHODS[name].trained else {"groups": group[~train]}
        jobs[name] = lambda clf=clf, known=known: clf.predict(X[~train], **known)
    seconds = medians(jobs, rounds)
    yield (
        f"predict, {(~train).sum()} crops of 128 px, {Y.shape[1]} AUs; in brackets what paper 2 "
        "has, on a Titan X (DRML with 170 px)"
    )
    for name, clf in clfs.items():
        size, rate = count_parameters(clf), (~train).sum() / seconds[name]
        sizes = "no network" if np.isnan(size) else f"{size / 1000:,.1f}K weights"
        published = [f"({x})" if x else "" for x in TABLE_2.get(name, ("", ""))]
        yield (
            f"  {name:14s}{sizes:>17s} {published[0]:11s} {rate:8.1f} images/s {published[1]:7s} "
            f"{seconds['IdenNet'] / seconds[name]:5.2f}x"
        )


SECTIONS = {
    "predict": predict,
    "int8": int8,
    "fit": fit,
    "overhead": overhead,
    "import": imports,
    "methods": methods,
}


def main(argv: list[str] | None = None) -> None:
    """Run the sections and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args(argv)
    for name in options.only:
        record = Record(options.out / f"speed-{name}.txt")
        for line in SECTIONS[name](options.rounds):
            record.say(line)
        record.write()


if __name__ == "__main__":
    main()
