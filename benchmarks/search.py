"""A search over loss weights with FaceCropper in the pipeline: naive against what skau offers.

    python benchmarks/search.py [--subjects 24] [--frames 6] [--epochs 18] [--jobs 2]

Rendered faces lie in photos of 1040 x 1392 pixels, as those of BP4D. The same 3 x 3 weights x 3
folds are searched naively, with ``FaceCropper(memory=)``, with candidates in ``--jobs``
processes, and by successive halving over epochs with ``ResumeTraining``. Every ratio is between
two searches of this run; each starts from an empty folder and ends with its refit. A process of
several computes with its share of the threads and so rounds otherwise than one alone: the naive
search is repeated with as many threads as each of them has, to compare what they find.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _record import Record
from PIL import Image
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from skau import DSNClassifier, ResumeTraining
from skau.datasets import make_au_faces
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

HERE = Path(__file__).parent
GRID = {"dsnclassifier__alpha": [0.01, 1, 100], "dsnclassifier__beta": [0.05, 5, 500]}


def write_photos(faces: Any, folder: Path) -> list[str]:
    """Lay every face, 512 pixels wide, into a larger photo."""
    rng = np.random.RandomState(0)
    paths = []
    for i, image in enumerate(faces.images):
        small = rng.randint(60, 200, (5, 4, 3)).astype(np.uint8)
        photo = Image.fromarray(small).resize((1040, 1392), Image.Resampling.BICUBIC)
        face = Image.fromarray(image).resize((512, 512), Image.Resampling.BICUBIC)
        photo.paste(face, (rng.randint(150, 380), rng.randint(250, 600)))
        paths.append(str(folder / f"{i}.jpg"))
        photo.save(paths[-1], quality=92)
    return paths


def pipeline(epochs: int, memory: str | None = None, resume: bool = False) -> Pipeline:
    """Return what is searched over."""
    return make_pipeline(
        FaceCropper(size=64, memory=memory, on_missing="warn"),
        DSNClassifier(
            max_epochs=epochs, batch_size=16, lr=1e-3, random_state=0,
            callbacks=[ResumeTraining(memory)] if resume else None,
        ),
    )  # fmt: skip


def main() -> None:
    """Run the searches and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=24)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "search.txt")
    options = parser.parse_args()
    faces = make_au_faces(
        options.subjects, options.frames, aus=(12, 25, 43), image_size=256, variation=0,
        random_state=0, n_jobs=options.jobs,
    )  # fmt: skip
    Y, groups = faces.target, faces.groups
    record = Record(options.out)
    record.say(f"{len(Y)} photos of 1040 x 1392, {options.subjects} people; crops of 64 px; DSN, "
        f"{options.epochs} epochs; 3 x 3 weights x 3 folds and the refit")  # fmt: skip
    usual = {"cv": SubjectKFold(3), "scoring": roc_auc_scorer, "error_score": "raise"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_photos(faces, folder)
        FaceCropper().detect(paths[:2])  # the networks are loaded
        memories = [str(folder / f"memory{i}") for i in range(3)]
        epochs = options.epochs
        halving = {
            "resource": "dsnclassifier__max_epochs", "min_resources": max(1, epochs // 9),
            "max_resources": epochs, "random_state": 0,
        }  # fmt: skip
        threads = torch.get_num_threads()
        share = max(1, threads // options.jobs)
        as_workers = f"naive, {share} of {threads} threads"
        searches = {
            "naive": GridSearchCV(pipeline(epochs), GRID, **usual),
            as_workers: GridSearchCV(pipeline(epochs), GRID, **usual),
            "memory": GridSearchCV(pipeline(epochs, memories[0]), GRID, **usual),
            f"memory, {options.jobs} processes": GridSearchCV(
                pipeline(epochs, memories[1]), GRID, n_jobs=options.jobs, **usual
            ),
            f"halving, {options.jobs} processes": HalvingGridSearchCV(
                pipeline(epochs, memories[2], resume=True), GRID, n_jobs=options.jobs, **halving,
                **usual,
            ),
        }  # fmt: skip
        naive = None
        for name, search in searches.items():
            torch.set_num_threads(share if name == as_workers else threads)
            start = time.perf_counter()
            search.fit(paths, Y, groups=groups, dsnclassifier__groups=groups)
            took = time.perf_counter() - start
            naive = naive or took
            best = {key.rpartition("__")[2]: value for key, value in search.best_params_.items()}
            best.pop("max_epochs", None)
            record.say(f"  {name:24s}{took:7.1f} s {naive / took:6.1f}x   best {best}, ROC AUC "
                f"{search.best_score_:.4f}")  # fmt: skip
        crops = FaceCropper(size=64, memory=memories[0], on_missing="warn")
        start = time.perf_counter()
        FaceCropper(size=64, on_missing="warn").transform(paths)
        cold = time.perf_counter() - start
        start = time.perf_counter()
        crops.transform(paths)
        kept = time.perf_counter() - start
        record.say(f"  cropping a photo {1e3 * cold / len(paths):.1f} ms, finding its crop again "
            f"{1e3 * kept / len(paths):.1f} ms: {cold / kept:.1f}x")  # fmt: skip
    record.write()


if __name__ == "__main__":
    main()
