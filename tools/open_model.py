"""Make the open model from nothing: people, pictures, training, thresholds, the file and its card.

python tools/open_model.py WORK [--people N] [--epochs N] [--jobs N] [--out FOLDER]

WORK keeps what was rendered and how far the training has come, so the command may be stopped and
called again. The same arguments give the same weights on the same machine: every person and every
picture has a seed of its own, and one thread trains the network.
"""

from __future__ import annotations

import argparse
import json
import pickle
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _open_changes import change
from _open_faces import AUS, draw_person
from joblib import Parallel, delayed
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from skorch.callbacks import LRScheduler
from tqdm import tqdm

from skau import ResumeTraining
from skau.baselines import ResNetClassifier
from skau.model_selection import TunedThresholdsClassifier
from skau.models._registry import ship
from skau.preprocessing import FaceCropper
from skau.utils._cache import write_whole

SEED, PICTURES, SIZE = 2026, 16, 128
PEOPLE, EPOCHS = 1330, 42
HELD_OUT = 60
"""The first people choose the thresholds; all others are trained on."""
CROP = 64
BATCH, LR, DECAY = 64, 3e-3, 0.02
"""Batch size, peak learning rate and weight decay."""
FALSE_ALARMS = 0.02
"""Share of resting faces in which an AU may be found."""
CARD = Path(__file__).with_name("open_model_card.json")
UNSURE = (0.12, 0.25)
"""Intensities between these count neither as present (0.2 or more) nor as absent."""


def person(folder: Path, number: int) -> Path:
    """Render one person and cut the faces out, unless the folder has them."""
    file = folder / f"{number:05d}.npz"
    if not file.exists():
        torch.set_num_threads(1)
        images, intensity = draw_person(SEED, number, PICTURES, SIZE)
        cut = FaceCropper(
            size=CROP, align="eye_distance", on_missing="warn", min_face_size=40, n_jobs=1
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no face found")
            crops = cut.fit_transform(images)
        found = np.setdiff1d(np.arange(PICTURES), cut.missing_)
        with write_whole(file) as out:
            np.savez(out, crops=crops[found], intensity=intensity[found])
    return file


def people(folder: Path, numbers: range, jobs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def train(work: Path, crops: np.ndarray, intensity: np.ndarray, who: np.ndarray,
          epochs: int) -> ResNetClassifier:  # fmt: skip
    """Fit the network; one that was stopped goes on."""
    schedule = LRScheduler(
        policy=torch.optim.lr_scheduler.OneCycleLR,
        max_lr=LR,
        total_steps=epochs * -(-len(crops) // BATCH),
        pct_start=0.1,
        step_every="batch",
    )
    classifier = ResNetClassifier(
        max_epochs=epochs,
        batch_size=BATCH,
        lr=LR,
        optimizer=partial(torch.optim.AdamW, weight_decay=DECAY),
        augment=change,
        validation_fraction=0,
        callbacks=[schedule, ResumeTraining(work / "training")],
        random_state=SEED,
        verbose=1,
    )
    return classifier.fit(crops, labels(intensity), groups=who)


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


def tune(classifier: ResNetClassifier, crops: np.ndarray, intensity: np.ndarray,
         who: np.ndarray) -> TunedThresholdsClassifier:  # fmt: skip
    """Choose each AU's threshold on people who were not trained on.

    Most people show nothing most of the time, and what a resting face looks like is the commonest
    false alarm. So only resting faces count as faces without the AU.
    """
    table = labels(intensity)
    at_rest = intensity.max(1) <= UNSURE[0]
    table = table.where((table == 1) | at_rest[:, None])
    tuned = TunedThresholdsClassifier(classifier, false_alarm_rate=FALSE_ALARMS, cv="prefit")
    return tuned.fit(crops, table, groups=who)


def figures(model: TunedThresholdsClassifier, crops: np.ndarray,
            intensity: np.ndarray) -> pd.DataFrame:  # fmt: skip
    """Tell how well the model does on the people who chose its thresholds."""
    y, score = labels(intensity).to_numpy(), model.predict_proba(crops)
    shown = score > model.thresholds_
    at_rest = intensity.max(1) <= UNSURE[0]
    rows = {}
    for k, name in enumerate(model.au_names_):
        known = ~np.isnan(y[:, k])
        rows[name] = {
            "threshold": model.thresholds_[k],
            "ROC AUC on held-out rendered people": roc_auc_score(y[known, k], score[known, k]),
            "F1 on them": f1_score(y[known, k], shown[known, k]),
            "false alarms at rest": shown[at_rest, k].mean(),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Run what is missing of the recipe, then write the model and its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, help="folder for what is rendered and trained")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--jobs", type=int, default=2, help="processes that render")
    parser.add_argument("--name", default="open-1")
    args = parser.parse_args()
    torch.set_num_threads(1)
    crops, intensity, who = people(args.work / "people", range(args.people), args.jobs)
    held = who < HELD_OUT
    print(f"{(~held).sum()} pictures of {args.people - HELD_OUT} people to train on")
    classifier = train(args.work, crops[~held], intensity[~held], who[~held], args.epochs)
    tuned = tune(as_shipped(classifier), crops[held], intensity[held], who[held])
    table = figures(tuned, crops[held], intensity[held])
    print(table.round(3).to_string())
    card = json.loads(CARD.read_text(encoding="utf-8"))
    card["au_names"] = [str(name) for name in tuned.au_names_]
    card["trained_on"] |= {
        "people": args.people - HELD_OUT, "pictures": int((~held).sum()), "seed": SEED,
        "epochs": args.epochs, "held_out_people": HELD_OUT,
    }  # fmt: skip
    card["per_au"] = table.round(3).T.to_dict()
    model = make_pipeline(FaceCropper(size=CROP, align="eye_distance"), tuned)
    ship(model, args.name, card)


if __name__ == "__main__":
    main()
