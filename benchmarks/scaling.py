"""Films, and a search, on one and on two worker processes of a Dask cluster on this machine.

    python benchmarks/scaling.py [--only films search] [--films 8] [--seconds 60]

Each worker computes with one thread. Ratios are between the runs of one call; what comes out must
be equal. What the machine itself allows is told beside: how much work as many processes do that
know nothing of each other, each with a film of its own, against one alone (two processors seldom
do twice the work of one: they share memory, caches and power). The search's AUC says whether its
fits have learnt anything worth searching for.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import joblib
import numpy as np
import sklearn
import torch
from _record import Record
from distributed import Client, LocalCluster
from PIL import Image
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier, load_model, predict_files
from skau.baselines import ResNetClassifier
from skau.datasets import load_sample_faces, make_au_faces
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

HERE = Path(__file__).parent
WIDTH, HEIGHT, RATE = 320, 240, 25


def write_film(path: Path, pictures: np.ndarray, seconds: float) -> None:
    """Write a film of a person whose picture changes every second."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(round(seconds * RATE)):
            frame = Image.new("RGB", (WIDTH, HEIGHT), (120, 130, 140))
            face = Image.fromarray(pictures[k // RATE % len(pictures)])
            frame.paste(face, (round(90 + 60 * np.sin(k / RATE)), 50))
            film.mux(stream.encode(av.VideoFrame.from_image(frame)))
        film.mux(stream.encode())


def score_film(film: Path, out: Path) -> float:
    """Score a film as a process of its own, and return the seconds that it took."""
    model = load_model("open-1")
    predict_files(model, [film], out=out, verbose=0)  # loads what is loaded once
    out.unlink()
    start = time.perf_counter()
    predict_files(model, [film], out=out, verbose=0)
    return time.perf_counter() - start


def what_the_machine_allows(record: Record, films: list[Path], n: int) -> None:
    """Tell how much n processes do at once that share nothing but the machine."""
    outs = [films[0].with_suffix(f".{k}.csv") for k in range(n)]
    with joblib.parallel_config("loky", n_jobs=n, inner_max_num_threads=1):
        calls = [joblib.delayed(score_film)(films[0], out) for out in outs]
        alone, together = max(joblib.Parallel()(calls[:1])), max(joblib.Parallel()(calls))
    record.say(
        f"  {n} processes that share nothing do {n * alone / together:.2f}x the work of one"
    )


def on_workers(
    record: Record, workers: list[int], job: Callable[[], Any], data: list[Any]
) -> None:
    """Do a job on clusters of several sizes, and tell the ratio of the times."""
    times, results = [], []
    for n in workers:
        with (
            LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=":0") as cluster,
            Client(cluster) as client,
        ):
            client.run(DSNClassifier)  # torch is imported before the clock runs
            start = time.perf_counter()
            with joblib.parallel_config("dask", client=client, scatter=data or None):
                results.append(job())
            times.append(time.perf_counter() - start)
        equal = "" if len(results) == 1 else f", equal results: {results[-1] == results[0]}"
        record.say(f"  {n} workers: {times[-1]:6.1f} s, {times[0] / times[-1]:.2f}x{equal}")


def spread_films(record: Record, workers: list[int], n_films: int, seconds: float) -> None:
    """Score films with the open model."""
    faces = load_sample_faces()
    people = np.unique(faces.groups)
    model = load_model("open-1")
    with tempfile.TemporaryDirectory() as folder:
        films = [Path(folder) / f"{k}.mp4" for k in range(n_films)]
        for k, film in enumerate(films):
            write_film(film, faces.images[faces.groups == people[k % len(people)]], seconds)
        record.say(f"{n_films} films of {seconds:g} s, {WIDTH} x {HEIGHT}, open model")

        def job() -> bytes:
            out = Path(folder) / "aus.csv"
            out.unlink(missing_ok=True)
            predict_files(model, films, out=out, verbose=0)
            return out.read_bytes()

        on_workers(record, workers, job, [])
        what_the_machine_allows(record, films, max(workers))


def spread_search(record: Record, workers: list[int], people: int, epochs: int) -> None:
    """Search the learning rate of a residual network."""
    faces = make_au_faces(people, 16, random_state=0)
    X = FaceCropper(size=64).transform(faces.images)
    Y, groups = faces.target, faces.groups
    search = GridSearchCV(
        ResNetClassifier(max_epochs=epochs, batch_size=32, random_state=0),
        {"lr": [3e-4, 1e-3, 3e-3, 1e-2]}, cv=SubjectKFold(3), scoring=roc_auc_scorer, refit=False,
        error_score="raise",
    )  # fmt: skip
    record.say(f"search: {people} people, {epochs} epochs, 4 candidates x 3 folds")
    best = []

    def job() -> list[float]:
        search.fit(X, Y, groups=groups)
        scores = search.cv_results_["mean_test_score"]
        best.append(scores.max())
        return scores.tolist()

    on_workers(record, workers, job, [X, Y])
    record.say(f"  AUC of the best {best[0]:.3f}")


def main() -> None:
    """Run both and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=("films", "search"), default=("films", "search")
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60, help="of a film")
    parser.add_argument("--people", type=int, default=60, help="of the search")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "scaling.txt")
    options = parser.parse_args()
    sklearn.set_config(enable_metadata_routing=True)  # groups reach the classifier too
    torch.set_num_threads(1)  # as the workers: joblib gives the work of one to this process
    record = Record(options.out)
    if "films" in options.only:
        spread_films(record, options.workers, options.films, options.seconds)
    if "search" in options.only:
        spread_search(record, options.workers, options.people, options.epochs)
    record.write()


if __name__ == "__main__":
    main()
