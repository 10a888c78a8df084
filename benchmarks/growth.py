"""How time and memory of IdenNet's fit and predict grow with the number of images.

    python benchmarks/growth.py [--most 50000] [--figure]

Crops of 64 px, from a memory map and from JPEG files; one epoch of stage 2, then predict_proba
of the same images. Each measurement has a process of its own and starts after a fit of 64
images, which stands for what PyTorch needs to start with. Memory is the peak of anonymous memory
(what the process allocated) and of resident memory (with pages of files and maps). ``--figure``
needs matplotlib.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _record import Record
from PIL import Image
from tqdm import tqdm

from skau import IdenNetClassifier

HERE = Path(__file__).parent
KINDS = ("memory map", "files")
SIDE, PART = 64, 5_000


def write_crops(folder: Path, n: int) -> None:
    """Write a memory map and files; of the files, all but the first are further names."""
    part = np.random.RandomState(0).randint(0, 256, (min(n, PART), SIDE, SIDE, 3), np.uint8)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.uint8, (n, SIDE, SIDE, 3))
    for i in range(0, n, PART):
        X[i : i + PART] = part[: n - i]
    for i in range(n):
        file = folder / f"{i}.jpg"
        if i < len(part):
            Image.fromarray(part[i]).save(file)
        else:  # what is kept of a path is the same, and the disk is spared
            os.link(folder / f"{i % PART}.jpg", file)


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Seconds and the highest memory, in MiB, of what is done inside."""
    found = {"anonymous": 0.0, "resident": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            for line in Path("/proc/self/status").read_text().splitlines():
                for key, name in (("RssAnon", "anonymous"), ("VmRSS", "resident")):
                    if line.startswith(key):
                        found[name] = max(found[name], int(line.split()[1]) / 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    start = time.perf_counter()
    try:
        yield found
    finally:
        found["seconds"] = time.perf_counter() - start
        done.set()
        thread.join()


def measure(kind: str, n: int, folder: Path) -> list[dict[str, Any]]:
    """Fit and predict n images."""
    X: Any = np.load(folder / "X.npy", mmap_mode="r")
    if kind == "files":
        X = [folder / f"{i}.jpg" for i in range(n)]
    Y = np.random.RandomState(0).randint(0, 2, (n, 12)).astype(np.float32)
    groups = np.arange(n) % 100
    clf = IdenNetClassifier(
        identity_epochs=0, max_epochs=1, validation_fraction=0, random_state=0
    )  # fmt: skip
    few = min(n, 64)
    clf.fit(X[:few], Y[:few], groups=groups[:few] % 8)
    rows = []
    with watched() as found:
        clf.fit(X[:n], Y, groups=groups)
    rows.append({"kind": kind, "n": n, "work": "fit", **found})
    with watched() as found:
        clf.predict_proba(X[:n])
    rows.append({"kind": kind, "n": n, "work": "predict", **found})
    return rows


def write_figure(table: pd.DataFrame, file: Path) -> None:
    """Draw seconds and memory against n, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for (kind, work), own in table.groupby(["kind", "work"], sort=False):
        style = {"marker": "o", "ls": "-" if work == "fit" else "--", "label": f"{work}, {kind}"}
        colour = f"C{KINDS.index(kind)}"
        axes[0].loglog(own["n"], own["seconds"], color=colour, **style)
        axes[1].loglog(own["n"], own["anonymous"], color=colour, **style)
    axes[0].set(xlabel="images", ylabel="seconds", title="time")
    axes[1].set(xlabel="images", ylabel="MiB", title="peak memory allocated", ylim=(100, 10_000))
    axes[0].legend(fontsize="small")
    fig.savefig(file, dpi=150)


def main() -> None:
    """Measure three decades and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=50_000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "growth.txt")
    parser.add_argument("--figure", action="store_true")
    options = parser.parse_args()
    record = Record(options.out)
    sizes = [options.most // 10**k for k in (3, 2, 1, 0)]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        write_crops(Path(name), options.most)
        jobs = [(kind, n, Path(name)) for n in sizes for kind in KINDS]
        for job in tqdm(jobs):
            with get_context("spawn").Pool(1) as pool:
                rows += pool.apply(measure, job)
    table = pd.DataFrame(rows).sort_values(["work", "kind", "n"], ignore_index=True)
    record.say(table.round(1).to_string(index=False))
    for (work, kind), own in table.groupby(["work", "kind"]):
        few, many = own.iloc[-2], own.iloc[-1]
        record.say(
            f"{work}, {kind}: {few['n']} -> {many['n']} images, anonymous memory "
            f"{many['anonymous'] / few['anonymous']:.3f}x, resident "
            f"{many['resident'] / few['resident']:.3f}x, time "
            f"{many['seconds'] / few['seconds']:.2f}x"
        )
    record.write()
    if options.figure:
        write_figure(table, options.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
