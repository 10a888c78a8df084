"""Make the open model from nothing: people, pictures, training, thresholds, the file and its card.

python tools/open_model.py WORK [--people N] [--varied N] [--epochs N] [--jobs N]

The network learns from many people who show AUs alike. Its last layer is fitted anew, by ridge
regression on people who differ more (see _open_faces.py) and within each of them.
WORK keeps what was rendered and how far the training has come, so the command may be stopped and
called again. The same arguments and the same sources give the same file on the same machine: every
person and every picture has a seed of its own, two threads train the network whatever the machine
has, and people who were rendered or cut out by other sources are not taken, nor a training by
others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _open_changes import change
from _open_faces import AUS, VARIED, draw_person
from _open_network import ChangesClassifier
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from skorch.callbacks import LRScheduler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import skau
from skau import ResumeTraining
from skau.baselines import ResNetClassifier
from skau.datasets._rendering._people import PRESENT
from skau.model_selection import TunedThresholdsClassifier
from skau.models._registry import ship
from skau.preprocessing import FaceCropper
from skau.utils._cache import write_whole

SEED = 2026
PICTURES, SIZE = 16, 144
VARIED_PICTURES, VARIED_SIZE = 12, 108
PEOPLE, VARIED_PEOPLE, EPOCHS = 1330, 600, 25
HELD_OUT, VARIED_HELD_OUT = 60, 40
"""The first people of either kind choose the thresholds; all others are trained on."""
CROP = 96
BATCH, LR, DECAY = 64, 3e-3, 0.02
"""Batch size, peak learning rate and weight decay."""
THREADS = 2
"""That train; everything else has one, since another order of sums would be another model."""
RIDGE = 10.0
"""Of the last layer, on features of unit variance."""
FALSE_ALARMS = {
    1: 0.0025, 2: 0.0025, 4: 0.05, 5: 0.02, 6: 0.1, 7: 0.1, 9: 0.05, 10: 0.05, 12: 0.1, 14: 0.02,
    15: 0.05, 17: 0.02, 20: 0.05, 23: 0.05, 24: 0.02, 25: 0.05, 26: 0.05, 43: 0.02,
}  # fmt: skip
"""The share of faces at rest in which an AU is predicted. Chosen on renders of another face
model, which some AUs are found in more often than in ours (benchmarks/results/open-model.md)."""
CARD = Path(__file__).with_name("open_model_card.json")
UNSURE = (0.12, 0.25)
"""Intensities between these count neither as present (0.2 or more) nor as absent."""


def digest(files: list[Path], *how: int) -> str:
    """Tell sources apart, and the numbers that go with them."""
    found = hashlib.sha256(json.dumps(how).encode())
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()[:12]


def sources() -> str:
    """Tell the sources apart that render people and cut their faces out."""
    package = Path(skau.__file__).parent
    rendering, cutting = package / "datasets" / "_rendering", package / "preprocessing"
    files = [Path(__file__).with_name("_open_faces.py"), package / "datasets/data/face_rig.npz"]
    files += sorted([*rendering.rglob("*.py"), *cutting.rglob("*.py")])
    return digest(files, SEED, PICTURES, SIZE, VARIED_PICTURES, VARIED_SIZE, CROP)


def person(folder: Path, number: int) -> Path:
    """Render one person and cut the faces out, unless the folder has them."""
    file = folder / f"{number:05d}.npz"
    if not file.exists():
        torch.set_num_threads(1)
        pictures, size = (VARIED_PICTURES, VARIED_SIZE) if number >= VARIED else (PICTURES, SIZE)
        images, intensity = draw_person(SEED, number, pictures, size)
        cut = FaceCropper(
            size=CROP, align="eye_distance", on_missing="warn", min_face_size=40, n_jobs=1
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no face found")
            crops = cut.fit_transform(images)
        found = np.setdiff1d(np.arange(pictures), cut.missing_)
        with write_whole(file) as out:
            np.savez(out, crops=crops[found], intensity=intensity[found])
    return file


def people(
    folder: Path, numbers: list[int], jobs: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the crops, the intensities and who is who."""
    work = (delayed(person)(folder, number) for number in numbers)
    files = Parallel(n_jobs=jobs, return_as="generator")(work)
    parts = []
    for number, file in zip(numbers, tqdm(files, total=len(numbers), unit="person"), strict=True):
        with np.load(file) as kept:
            crops, intensity = kept["crops"], kept["intensity"]
        parts.append((crops, intensity, np.full(len(crops), number)))
    crops, intensity, who = (np.concatenate(part) for part in zip(*parts, strict=True))
    return crops, intensity, who


def labels(intensity: np.ndarray) -> pd.DataFrame:
    """Give 1, 0, and NaN where the intensity is unsure."""
    present = np.where(intensity >= UNSURE[1], 1.0, np.where(intensity <= UNSURE[0], 0.0, np.nan))
    return pd.DataFrame(present, columns=[f"AU{au}" for au in AUS])


def train(folder: Path, crops: np.ndarray, intensity: np.ndarray, who: np.ndarray,
          epochs: int) -> ResNetClassifier:  # fmt: skip
    """Fit the network; one that was stopped goes on."""
    schedule = LRScheduler(
        policy=torch.optim.lr_scheduler.OneCycleLR,
        max_lr=LR,
        total_steps=epochs * -(-len(crops) // BATCH),
        pct_start=0.1,
        step_every="batch",
    )
    classifier = ChangesClassifier(
        max_epochs=epochs,
        batch_size=BATCH,
        lr=LR,
        optimizer=partial(torch.optim.AdamW, weight_decay=DECAY),
        augment=change,
        validation_fraction=0,
        callbacks=[schedule, ResumeTraining(folder)],
        random_state=SEED,
        verbose=1,
    )
    torch.set_num_threads(THREADS)
    try:
        return classifier.fit(crops, labels(intensity), groups=who).plain()
    finally:
        torch.set_num_threads(1)


def within(values: np.ndarray, who: np.ndarray) -> np.ndarray:
    """Leave of each value what differs from the mean of its person."""
    return values - pd.DataFrame(values).groupby(who).transform("mean").to_numpy()


def refit_head(classifier: ResNetClassifier, crops: np.ndarray, intensity: np.ndarray,
               who: np.ndarray) -> None:  # fmt: skip
    """Fit the last layer again, by ridge regression on whether each AU is there.

    These people are new to the network; its own last layer knows those whom it learnt from by
    heart. An AU is told by what changes in a face when it comes, so features and AUs are taken
    within people, as `MixedEffectsClassifier` takes its directions. Of each AU, a logistic curve
    on the people's scores turns them into logits.
    """
    head = classifier.module_.head
    features = classifier.transform(crops).astype(np.float64)
    mean, spread = features.mean(0), features.std(0) + 1e-3
    features = (features - mean) / spread
    changes = within(features, who)
    present = within((intensity >= PRESENT).astype(float), who)
    gram = changes.T @ changes / len(changes)
    gram[np.diag_indices_from(gram)] += RIDGE
    slopes = np.linalg.solve(gram, changes.T @ present / len(changes))
    score, known = features @ slopes, labels(intensity)
    for k, name in enumerate(known):
        rows = known[name].notna().to_numpy()
        curve = LogisticRegression(C=np.inf).fit(score[rows, k : k + 1], known.loc[rows, name])
        slope = slopes[:, k] * curve.coef_[0, 0] / spread
        with torch.no_grad():
            head.weight[k] = torch.from_numpy(slope)
            head.bias[k] = float(curve.intercept_[0] - mean @ slope)


def as_shipped(classifier: ResNetClassifier) -> ResNetClassifier:
    """Round the weights as the file does, and leave what training alone needs.

    It computes in float32, so that scores do not depend on what the processor has.
    """
    with torch.no_grad():
        for weights in classifier.module_.state_dict().values():
            if weights.is_floating_point():
                weights.copy_(weights.half().float())
    for epoch in classifier.net_.history:
        epoch.pop("dur", None)  # no two runs take the same time
    classifier.set_params(
        augment="flip", callbacks=None, optimizer=torch.optim.AdamW, precision="float32", verbose=0
    )
    return pickle.loads(pickle.dumps(classifier))


def at_rest(intensity: np.ndarray) -> np.ndarray:
    """Say in which pictures nothing is shown."""
    return intensity.max(1) <= UNSURE[0]


def tune(classifier: ResNetClassifier, crops: np.ndarray, intensity: np.ndarray,
         who: np.ndarray) -> TunedThresholdsClassifier:  # fmt: skip
    """Choose each AU's threshold: few faces at rest of people held out exceed it.

    Most people show nothing most of the time, so frames in which other AUs come do not count.
    The same people tell what a person's logits are usually like, for `predict(X, groups=...)`.
    """
    y = labels(intensity)
    classifier._measure_population(classifier._check_data(crops, y, who, None, reset=False))
    shares = {f"AU{au}": share for au, share in FALSE_ALARMS.items()}
    tuned = TunedThresholdsClassifier(classifier, false_alarm_rate=shares, cv="prefit")
    return tuned.fit(crops, y.where((y == 1) | at_rest(intensity)[:, None]), groups=who)


def figures(model: TunedThresholdsClassifier, crops: np.ndarray,
            intensity: np.ndarray) -> pd.DataFrame:  # fmt: skip
    """Tell how well the model does on the people who chose its thresholds."""
    y, score = labels(intensity).to_numpy(), model.predict_proba(crops)
    shown = score > model.thresholds_
    rows = {}
    for k, name in enumerate(model.au_names_):
        known = ~np.isnan(y[:, k])
        rows[name] = {
            "threshold": model.thresholds_[k],
            "ROC AUC on held-out rendered people": roc_auc_score(y[known, k], score[known, k]),
            "F1 on them": f1_score(y[known, k], shown[known, k]),
            "false alarms at rest": shown[at_rest(intensity), k].mean(),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Run what is missing of the recipe, then write the model and its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, help="folder for what is rendered and trained")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--varied", type=int, default=VARIED_PEOPLE, help="varied people")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--jobs", type=int, default=2, help="processes that render")
    parser.add_argument("--name", default="open-1")
    args = parser.parse_args()
    torch.set_num_threads(1)
    threadpool_limits(1)
    numbers = [*range(args.people), *range(VARIED, VARIED + args.varied)]
    crops, intensity, who = people(args.work / f"people-{sources()}", numbers, args.jobs)
    varied = who >= VARIED
    held = (who < HELD_OUT) | (varied & (who < VARIED + VARIED_HELD_OUT))
    first, new = ~held & ~varied, ~held & varied
    print(f"{(~held).sum()} pictures of {len(np.unique(who[~held]))} people to train on")
    way = digest([Path(__file__).with_name(f"_open_{part}.py") for part in ("network", "changes")])
    folder = args.work / f"training-{way}"
    classifier = train(folder, crops[first], intensity[first], who[first], args.epochs)
    refit_head(classifier, crops[new], intensity[new], who[new])
    tuned = tune(as_shipped(classifier), crops[held], intensity[held], who[held])
    table = figures(tuned, crops[held], intensity[held])
    print(table.round(3).to_string())
    card = json.loads(CARD.read_text(encoding="utf-8"))
    card["au_names"] = [str(name) for name in tuned.au_names_]
    card["trained_on"] |= {
        "people": len(np.unique(who[~held])), "pictures": int((~held).sum()), "seed": SEED,
        "epochs": args.epochs, "held_out_people": len(np.unique(who[held])),
    }  # fmt: skip
    card["per_au"] = table.round(3).T.to_dict()
    model = make_pipeline(FaceCropper(size=CROP, align="eye_distance"), tuned)
    ship(model, args.name, card)


if __name__ == "__main__":
    main()
