"""The interval of a margin between two methods, from what each told of every frame."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skau.metrics import bootstrap_interval
from skau.metrics._intervals import ScoreInterval
from skau.utils._cache import write_whole

RESAMPLES = 300


def cell_file(folder: Path, ending: str, *, train: str, spec: str, fold: str, seed: int) -> Path:
    """Where something of a cell is kept, such as its learning curve, ``.csv``."""
    return folder / f"{train}-{spec}-{fold}-{seed}{ending}".replace(":", "_")


def quick_f1(true: pd.DataFrame, logits: pd.DataFrame) -> np.ndarray:
    """F1-frame of each AU, without the checks that a thousand draws need not repeat."""
    known = true.notna().to_numpy()
    shown, told = true.to_numpy() == 1, (logits.to_numpy() > 0) & known
    with np.errstate(invalid="ignore"):
        f1 = 2 * (shown & told).sum(axis=0) / (shown.sum(axis=0) + told.sum(axis=0))
    return np.where(shown.any(axis=0), f1, np.nan)


def quick_auc(true: pd.DataFrame, logits: pd.DataFrame) -> np.ndarray:
    """Area under the ROC curve of each AU by the ranks of its positives."""
    known = true.notna().to_numpy()
    shown = true.to_numpy() == 1
    n, n_all = shown.sum(axis=0), known.sum(axis=0)
    ranks = rankdata(np.where(known, logits, np.inf), axis=0)  # those of unknown frames come last
    above = (ranks * shown).sum(axis=0) - n * (n + 1) / 2
    with np.errstate(invalid="ignore"):
        return above / (n * (n_all - n))


METRICS: dict[str, Callable[[Any, Any], np.ndarray]] = {"F1": quick_f1, "AUC": quick_auc}


def keep_told(file: Path, true: pd.DataFrame, proba: pd.DataFrame, people: np.ndarray) -> None:
    """Keep the probabilities of a cell's test rows, less one half so that zero decides."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(file) as out:
        np.savez(
            out, true=true.to_numpy(np.float32), told=(proba - 0.5).to_numpy(np.float32),
            people=people.astype(str), aus=np.array(list(true.columns), str),
        )  # fmt: skip


def read_told(file: Path, model: str) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return labels, what was told, and people; the columns are named by AU and model."""
    with np.load(file) as kept:
        columns = [f"{au}, {model}" for au in kept["aus"]]
        return (
            pd.DataFrame(kept["true"], columns=columns),
            pd.DataFrame(kept["told"], columns=columns),
            kept["people"],
        )


def margin_interval(
    folder: Path,
    cells: list[tuple[str, int]],
    pair: tuple[str, str],
    train: str,
    test: str,
    score: str,
) -> ScoreInterval | None:
    """Bootstrap a margin over the people tested, in percent.

    None where the frames of a cell are not kept, or a fold has one person.

    A person who is drawn is drawn for all cells (fold, seed) that were tested on them.

    Raises
    ------
    ValueError
        If the frames kept of two methods, or of several cells tested on the same people, differ.
    """
    files = {
        (fold, seed): [
            cell_file(folder, f"-{test}.npz", train=train, spec=spec, fold=fold, seed=seed)
            for spec in pair
        ]
        for fold, seed in cells
    }
    if not files or not all(file.exists() for both in files.values() for file in both):
        return None
    tables: dict[str, list[list[pd.DataFrame]]] = {}
    people: dict[str, np.ndarray] = {}
    for (fold, seed), both in files.items():
        # Within, each fold has its own people; across, the models of all folds see the same ones.
        part, model = (fold, f"{seed}") if train == test else (test, f"{fold}, {seed}")
        read = [read_told(file, model) for file in both]
        own = people.setdefault(part, read[0][2])
        same_people = all(np.array_equal(own, others) for _, _, others in read)
        if not same_people or not read[0][0].equals(read[1][0]):
            raise ValueError(
                f"{both[0]} and {both[1]} are of other frames or labels than each other, or than "
                f"other cells tested on {part}; run all of them again, with an --out of another "
                "name"
            )
        tables.setdefault(part, []).append([read[0][0], read[0][1], read[1][1]])
    if any(len(np.unique(own)) < 2 for own in people.values()):
        return None
    true, ours, theirs = (
        pd.concat([pd.concat([own[i] for own in cells], axis=1) for cells in tables.values()])
        for i in range(3)
    )
    found = bootstrap_interval(
        true, ours, np.concatenate(list(people.values())), baseline=theirs,
        metric=METRICS[score], folds=np.repeat(list(people), [len(p) for p in people.values()]),
        n_resamples=RESAMPLES, random_state=0,
    )  # fmt: skip
    return ScoreInterval(*(100 * value for value in found))
