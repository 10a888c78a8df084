"""Speed and memory of IdenNet's predict and fit beside plain PyTorch, as commonly written.

    python benchmarks/speed.py [--only predict fit overhead import memory svtpt] [--rounds 5]

Each figure is the median of interleaved rounds, each ratio between two figures of one run. A
section is written to ``results/speed-<section>.txt``. The plain network is Table I in torch's own
layers: float32, NCHW, batches of 64; it has skau's weights, and the difference of the two
outputs is printed. ``overhead`` compares ``partial_fit`` with a bare loop of the same module,
layout, precision and batches; ``memory`` looks at a fit of a few steps, in its own process.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
import torch.nn.functional as F
from PIL import Image
from skorch.callbacks import Callback
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from skau import IdenNetClassifier
from skau._device import _has_native_bfloat16
from skau._identity import MinedTriplets
from skau.baselines import SVTPTClassifier
from skau.datasets import load_sample_faces
from skau.losses import masked_bce
from skau.sampling import ShuffledBatches

HERE = Path(__file__).parent
BATCH = 64
USUAL = {"identity_epochs": 0, "validation_fraction": 0, "augment": None, "random_state": 0}
NATIVE = _has_native_bfloat16(torch.device("cpu"))
PRECISIONS = ("bfloat16", "float32") if NATIVE else ("float32",)


class Halves(nn.Module):
    """Max-Feature-Map as published."""

    def forward(self, x: Tensor) -> Tensor:
        """Take the larger half of the channels."""
        return torch.maximum(*x.chunk(2, dim=1))


class Plain(nn.Module):
    """IdenNet, Table I, for 128 x 128 x 3, in plain PyTorch."""

    def __init__(self, n_aus: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for kernel, n_in, n_out in ((9, 3, 96), (5, 48, 192), (5, 96, 256), (4, 128, 384)):
            layers.append(nn.Conv2d(n_in, n_out, kernel, bias=False))
            layers += [nn.MaxPool2d(2, ceil_mode=True), Halves()]
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        self.fc5 = nn.Sequential(nn.Linear(4800, 512, bias=False), Halves())
        self.fc6 = nn.Sequential(nn.Linear(4800, 512, bias=False), Halves())
        self.fc7 = nn.Linear(256, n_aus, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and identity."""
        s = self.trunk(x)
        identity = F.normalize(self.fc5(s), dim=1)
        return self.fc7(self.fc6(s) - identity), identity


def plain_images(X: np.ndarray) -> Tensor:
    """Turn a uint8 batch into floats, NCHW, as torchvision's ToTensor does."""
    return torch.from_numpy(X).permute(0, 3, 1, 2).contiguous().float() / 255


def plain_predict(net: nn.Module, X: np.ndarray) -> np.ndarray:
    """Predict in batches of 64."""
    net.eval()
    with torch.inference_mode():
        parts = [
            torch.sigmoid(net(plain_images(X[i : i + BATCH]))[0]) for i in range(0, len(X), BATCH)
        ]
    return torch.cat(parts).numpy()


def loop(
    net: nn.Module, X: np.ndarray, Y: np.ndarray, group: np.ndarray, prepare: Any, bf16: bool
) -> Callable[[int], None]:
    """Return a training loop of a number of batches: Adam, BCE and mined triplets."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    triplets = MinedTriplets(0.5, 4, 0.5, 16)
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
            triplet, _ = triplets(identity.float(), torch.from_numpy(group[rows]))
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


def data(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample faces of 128 px, labels and codes of people, shuffled."""
    faces = load_sample_faces()
    rows = np.random.RandomState(0).permutation(len(faces.images))[:n]
    group = np.unique(faces.groups, return_inverse=True)[1]
    return faces.images[rows], faces.target.to_numpy(np.float32)[rows], group[rows]


def predict(rounds: int) -> Iterator[str]:
    """Compare predict_proba with a plain module of the same weights."""
    X, Y, group = data(480)
    clf = IdenNetClassifier(max_epochs=2, lr=1e-3, **USUAL).fit(X, Y, groups=group)
    net = Plain(Y.shape[1])
    net.load_state_dict(clf.module_.state_dict())
    X = X[: 2 * BATCH]
    clfs = {}
    for precision in PRECISIONS:
        clfs[precision] = IdenNetClassifier(precision=precision, **USUAL)
        clfs[precision].__setstate__({**clf.__getstate__(), "precision": precision})
    jobs = {name: (lambda c=c: c.predict_proba(X)) for name, c in clfs.items()}
    seconds = medians({"plain": lambda: plain_predict(net, X), **jobs}, rounds)
    expected = plain_predict(net, X)
    yield f"predict_proba, {len(X)} crops of 128 px, network of two epochs"
    yield f"  plain float32 NCHW {len(X) / seconds['plain']:8.1f} images/s"
    for name, target in (("bfloat16", 3.0), ("float32", 1.5)):
        if name in clfs:
            got = probabilities(clfs[name], X)
            yield (
                f"  skau {name:13s} {len(X) / seconds[name]:8.1f} images/s "
                f"{seconds['plain'] / seconds[name]:5.2f}x (at least {target}x); probabilities "
                f"differ by {np.abs(got - expected).max():.2g} at most, "
                f"{((got > 0.5) == (expected > 0.5)).mean():.2%} of labels equal"
            )


def probabilities(clf: IdenNetClassifier, X: np.ndarray) -> np.ndarray:
    """Probability that an AU is present, (n, n_aus)."""
    return 1 / (1 + np.exp(-clf.decision_function(X)))


def gemm(dtype: torch.dtype) -> float:
    """Best floating-point operations a second of a product of two matrices of 2048."""
    a, b = torch.randn(2, 2048, 2048).to(dtype)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best


def fit(rounds: int) -> Iterator[str]:
    """Compare stage 2 with a plain loop."""
    X, Y, group = data(2 * BATCH)
    net = Plain(Y.shape[1])
    with FlopCounterMode(display=False) as counter:
        sum(out.sum() for out in net(plain_images(X[:8]))).backward()
    flops = counter.get_total_flops() / 8
    plain = loop(net, X, Y, group, plain_images, bf16=False)
    jobs: dict[str, Callable[[], Any]] = {"plain": lambda: plain(1)}
    for name in PRECISIONS:
        clf = IdenNetClassifier(precision=name, **USUAL)
        jobs[name] = lambda clf=clf: clf.partial_fit(X, Y, groups=group)
    seconds = medians(jobs, rounds)
    seconds["plain"] *= 2  # one batch, not two
    yield f"stage 2 of fit, batches of {BATCH}, 128 px, {flops / 1e9:.2f} GFLOP an image"
    yield f"  plain float32 NCHW {len(X) / seconds['plain']:8.1f} images/s"
    for name, target in (("bfloat16", 6), ("float32", 3)):
        if name in seconds:
            rate, peak = len(X) / seconds[name], gemm(getattr(torch, name))
            yield (
                f"  skau {name:13s} {rate:8.1f} images/s {seconds['plain'] / seconds[name]:5.2f}x "
                f"(at least {target}x); {rate * flops / peak:.0%} of the {peak / 1e9:.0f} GFLOP/s "
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
        f"{seconds['skau'] / seconds['bare'] - 1:+.1%} (at most 5 %)"
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


class _Stop(Callback):
    """Stop after a few batches."""

    def on_batch_end(self, net: Any, **kwargs: Any) -> None:
        self.seen = getattr(self, "seen", 0) + 1
        if self.seen == 4:
            raise KeyboardInterrupt


def child(kind: str, n: int, folder: Path) -> None:
    """Fit a few steps and print the peaks of resident and of anonymous memory in MiB."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon"):
                    peak[0] = max(peak[0], int(line.split()[1]))

    thread = threading.Thread(target=watch)
    thread.start()
    X: Any = np.load(folder / "X.npy", mmap_mode="r")[:n]
    if kind == "paths":
        X = [folder / f"{i}.jpg" for i in range(n)]
    Y = np.random.RandomState(0).randint(0, 2, (n, 12)).astype(np.float32)
    clf = IdenNetClassifier(identity_epochs=0, callbacks=[_Stop()], random_state=0)
    clf.fit(X, Y, groups=np.arange(n) % 100)
    done.set()
    thread.join()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, peak[0] / 1024)


def memory(rounds: int) -> Iterator[str]:
    """Compare a fit of many crops with one of few, once each: peaks do not scatter as times do."""
    few, many = 5_000, 50_000
    yield "peak memory of fit, crops of 64 px, four batches of stage 2"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = np.random.RandomState(0).randint(0, 256, (few, 64, 64, 3), dtype=np.uint8)
        X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.uint8, (many, 64, 64, 3))
        for i in range(0, many, few):
            X[i : i + few] = small
        del X
        for i in range(many):
            if i < few:
                Image.fromarray(small[i]).save(folder / f"{i}.jpg")
            else:  # another name of a file: what is kept for each path is the same
                os.link(folder / f"{i % few}.jpg", folder / f"{i}.jpg")
        for kind in ("memory map", "paths"):
            peaks = []
            for n in (few, many):
                command = [sys.executable, __file__, "--child", kind, str(n), name]
                text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                peaks.append([float(value) for value in text.split()])
            (small_all, small_anon), (all_, anon) = peaks
            yield (
                f"  {kind:11s} {few} -> {many}: resident {small_all:.0f} -> {all_:.0f} MiB, "
                f"{all_ / small_all:.3f}x; anonymous {small_anon:.0f} -> {anon:.0f} MiB, "
                f"{anon / small_anon:.3f}x (at most 1.1x)"
            )


def svtpt(rounds: int) -> Iterator[str]:
    """Time the personal predictions of SVTPT beside the figure of paper 2, Table II."""
    X, Y, group = data(480)
    X, train = X[:, ::2, ::2].copy(), group < 16
    clf = SVTPTClassifier().fit(X[train], Y[train, :4], groups=group[train])
    test, people = X[~train], group[~train]
    seconds = medians({"skau": lambda: clf.predict(test, groups=people)}, rounds)
    rate = len(test) / seconds["skau"]
    yield (
        f"SVTPT, 64 px, 4 AUs, 16 training people: {rate:.1f} frames/s; 2.0 in the paper (12 AUs, "
        f"another machine), {rate / 2:.1f}x"
    )


SECTIONS = {
    "predict": predict, "fit": fit, "overhead": overhead, "import": imports, "memory": memory,
    "svtpt": svtpt,
}  # fmt: skip


def main() -> None:
    """Run the sections and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, n, folder = options.child
        child(kind, int(n), Path(folder))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        lines = [
            f"{date.today()}, {platform.machine()} with{'' if NATIVE else 'out'} native bfloat16, "
            f"{torch.get_num_threads()} threads on {os.cpu_count()} processors, load average "
            f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, torch "
            f"{torch.__version__}, scikit-learn {sklearn.__version__}, {options.rounds} rounds"
        ]
        print(lines[0], flush=True)
        for line in SECTIONS[name](options.rounds):
            print(line, flush=True)
            lines.append(line)
        (options.out / f"speed-{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
