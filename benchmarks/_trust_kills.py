"""Work that is killed at random moments and called again until it ends."""

import tempfile
import time
import warnings
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _record import Record
from PIL import Image
from sklearn import set_config
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier, IdenNetClassifier, ResumeTraining, predict_video
from skau.datasets import load_sample_faces
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

IMPORTED = [
    "av", "hypothesis.strategies", "skau.estimators", "skau.baselines", "skau.datasets",
    "skau.models", "skau.preprocessing._mtcnn._search", "sklearn.model_selection",
]  # fmt: skip


def faces(n: int, step: int) -> tuple[Any, Any, Any]:
    """Return n sample faces with labels and subjects, every ``step``-th pixel."""
    sample = load_sample_faces()
    rows = np.arange(0, len(sample.images), len(sample.images) // n)[:n]
    return (sample.images[rows, ::step, ::step].copy(),
            sample.target.iloc[rows], sample.groups[rows])  # fmt: skip


def fit(folder: Path, result: Path) -> None:
    """Train IdenNet in both stages, from images, with flips."""
    X, Y, groups = faces(60, 4)
    clf = IdenNetClassifier(
        identity_epochs=3, max_epochs=4, batch_size=20, callbacks=[ResumeTraining(folder)],
        random_state=0,
    )  # fmt: skip
    result.write_bytes(clf.fit(X, Y, groups=groups).predict_proba(X).tobytes())


def search(folder: Path, result: Path) -> None:
    """Search over DSN."""
    X, Y, groups = faces(48, 4)
    set_config(enable_metadata_routing=True)
    clf = DSNClassifier(
        max_epochs=3, batch_size=16, callbacks=[ResumeTraining(folder)], random_state=0
    )
    grid = GridSearchCV(clf, {"beta": [0.0, 0.1]}, cv=SubjectKFold(2), scoring=roc_auc_scorer)
    grid.fit(X, Y, groups=groups)
    content = grid.cv_results_["mean_test_score"].tobytes() + grid.predict_proba(X).tobytes()
    result.write_bytes(content)


def crops(folder: Path, result: Path) -> None:
    """Find and cut the faces of files."""
    photos = folder / "photos"
    if not photos.is_dir():
        half = Path(tempfile.mkdtemp(dir=folder))
        for i, image in enumerate(faces(60, 1)[0]):
            Image.fromarray(image).resize((360, 360)).save(half / f"{i:03}.png")
        half.rename(photos)
    paths = sorted(photos.iterdir())
    out = folder / "crops.npy"
    FaceCropper(size=64, on_missing="warn").transform(paths, out=out)
    result.write_bytes(out.read_bytes())


def film(folder: Path, result: Path) -> None:
    """Score the frames of a film."""
    from _films import frames, one, write_film

    path = folder / "film.mp4"
    if not path.exists():
        write_film(folder / "half.mp4", frames(one, 0.4))
        (folder / "half.mp4").rename(path)
    X, Y, groups = faces(24, 2)
    clf = DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    model = make_pipeline(FaceCropper(size=64, n_jobs=1), clf)
    out = folder / "table.csv"
    predict_video(model, path, out=out, verbose=0)
    result.write_bytes(out.read_bytes())


WORK = {work.__name__: work for work in (fit, search, crops, film)}


def work(name: str, folder: Path, result: Path) -> None:
    """Do one piece of work, with whatever is done of it in ``folder``; write ``result``."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    WORK[name](folder, result)


def attempt(name: str, folder: Path, within: float | None) -> bool:
    """Do the work in a process that is killed after so many seconds; return whether it ended.

    A server that has imported everything, and computed nothing, forks the process.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    process = context.Process(target=work, args=(name, folder, folder / "result"))
    process.start()
    process.join(within)
    if process.exitcode is None:
        process.kill()
        process.join()
        return False
    if process.exitcode:
        raise RuntimeError(f"the work failed with exit code {process.exitcode}")
    return True


def kill(name: str, record: Record, n: int) -> None:
    """Kill the work ``n`` times in all; say what its results were.

    The moment of each kill is drawn evenly over the time that the undisturbed work takes. After
    as many kills as come before it ends, it begins anew in an empty folder.
    """
    rng = np.random.RandomState(0)
    kills = equal = ends = 0
    with tempfile.TemporaryDirectory() as base:
        folders = (Path(base) / str(i) for i in count())
        for _ in range(2):  # the first time, the server starts as well
            folder = next(folders)
            folder.mkdir()
            start = time.perf_counter()
            attempt(name, folder, None)
        took = time.perf_counter() - start
        wanted = (folder / "result").read_bytes()
        while kills < n:
            folder = next(folders)
            folder.mkdir()
            here = 0
            # three kills at most, so that many moments are those of a first run
            while not attempt(
                name, folder, rng.uniform(0, took) if kills < n and here < 3 else None
            ):
                kills, here = kills + 1, here + 1
            ends += 1
            equal += (folder / "result").read_bytes() == wanted
    record.say(
        f"{name:>6}: {kills} kills at random moments of {took:.1f} s of work; it was called again "
        f"until it ended, {ends} times, {equal} of them equal to the bit to the undisturbed run"
    )
