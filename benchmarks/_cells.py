"""One cell of the tables: fit on all folds but one, test on that one and on other corpora."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from _corpora import Corpus
from _methods import make_estimator, parse_method
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skau.metrics import au_report, identity_leakage
from skau.preprocessing._landmarks import sample_rows
from skau.utils import predict_table

# Predicted with the unlabelled frames of the test person: a row of its own in every table.
UNLABELLED = " + unlabelled frames"

_ROWS = 1024  # crops that are copied at a time
_PROBED = 200  # frames of each person, evenly spread, that are probed for identity

COLUMNS = [
    "method", "train", "test", "fold", "seed", "au", "f1", "accuracy", "auc", "n_pos", "n",
]  # fmt: skip


@dataclass
class Fold:
    """Subjects to test on, and those to train on."""

    name: str
    train: list[str]
    test: list[str]


@dataclass
class Setting:
    """What all cells of a run share."""

    corpus: Corpus
    others: list[Corpus]
    identities: Corpus | None
    aus: list[str]
    budget: dict[str, Any]  # parameters of every network that is trained
    work: Path  # folder of crops
    histories: Path  # folder of learning curves


def make_folds(corpus: Corpus, n_folds: int, inside: str | None = None) -> list[Fold]:
    """Return the published folds, or blocks of the subjects in order of their names.

    ``inside`` names one of them: then its training subjects are split into folds of their own.
    """
    subjects = np.unique(corpus.groups)
    if corpus.folds:
        folds = [
            Fold(name, np.setdiff1d(subjects, test).tolist(), list(test))
            for name, test in corpus.folds.items()
        ]
    else:
        folds = split_subjects(subjects, n_folds)
    if inside:
        outer = pick_folds(folds, [inside], "--inside")[0]
        folds = split_subjects(np.array(outer.train), n_folds)
    return folds


def split_subjects(subjects: np.ndarray, n_folds: int) -> list[Fold]:
    """Make blocks of subjects in order of their names."""
    return [
        Fold(f"{block[0]}-{block[-1]}", np.setdiff1d(subjects, block).tolist(), block.tolist())
        for block in np.array_split(subjects, n_folds)
    ]


def pick_folds(folds: list[Fold], names: list[str], option: str) -> list[Fold]:
    """Return the folds of these names; ``option`` is who gave them."""
    unknown = set(names) - {fold.name for fold in folds}
    if unknown:
        known = ", ".join(fold.name for fold in folds)
        raise ValueError(f"{option}: no fold {', '.join(sorted(unknown))} among {known}")
    return [fold for fold in folds if fold.name in names]


def make_draws(corpus: Corpus, n_draws: int) -> list[Fold]:
    """Draw five subjects at random, the last to test on."""
    rng = np.random.RandomState(0)
    subjects = np.unique(corpus.groups)
    drawn = [rng.choice(subjects, 5, replace=False).tolist() for _ in range(n_draws)]
    return [Fold(f"draw{i:03d}", five[:4], five[4:]) for i, five in enumerate(drawn)]


@contextmanager
def training_part(
    setting: Setting, fold: Fold, spec: str
) -> Iterator[tuple[np.ndarray, pd.DataFrame, np.ndarray]]:
    """Images, labels and subjects of the training subjects, and the identity corpus below.

    The images are a memory map in a file that lasts as long as the context: the papers' corpora
    together may be larger than the memory.
    """
    method, corpus = parse_method(spec), setting.corpus
    rows = np.flatnonzero(np.isin(corpus.groups, fold.train))
    sources = [(corpus, rows)]
    Y = corpus.target.reindex(columns=setting.aus).iloc[rows]
    groups = corpus.groups[rows]
    if method.identities and setting.identities is not None:
        ids = setting.identities
        sources.append((ids, np.arange(len(ids.groups))))
        Y = pd.concat([Y, pd.DataFrame(np.nan, range(len(ids.groups)), Y.columns)])
        groups = np.concatenate([
            np.char.add(f"{corpus.name}/", groups), np.char.add(f"{ids.name}/", ids.groups)
        ])  # fmt: skip
    with TemporaryDirectory(dir=setting.work, prefix="training-") as folder:
        X = map_crops(Path(folder) / "crops.npy", sources, method.regions)
        yield X, Y.reset_index(drop=True), groups


def map_crops(file: Path, sources: list[tuple[Corpus, np.ndarray]], regions: bool) -> np.ndarray:
    """Write rows of corpora one below the other, and return the file as a memory map."""
    parts = [
        (corpus, rows[i : i + _ROWS])
        for corpus, rows in sources
        for i in range(0, len(rows), _ROWS)
    ]
    shape = parts[0][0].part(parts[0][1][:1], regions).shape[1:]
    n = sum(len(rows) for _, rows in parts)
    X, end = np.lib.format.open_memmap(file, "w+", np.uint8, (n, *shape)), 0
    for corpus, rows in parts:
        start, end = end, end + len(rows)
        X[start:end] = corpus.part(rows, regions)
    X.flush()
    return np.load(file, mmap_mode="r")


def score(
    clf: BaseEstimator, corpus: Corpus, rows: np.ndarray, spec: str, aus: list[str]
) -> pd.DataFrame:
    """One row an AU that the corpus annotates; twice where frames of a person may be pooled."""
    X = corpus.part(rows, parse_method(spec).regions)
    shared = [au for au in aus if au in corpus.target]
    Y = corpus.target[shared].iloc[rows]
    ways: dict[str, dict] = {spec: {}}
    if "groups" in signature(clf.predict_proba).parameters:
        ways[spec + UNLABELLED] = {"groups": corpus.groups[rows]}
    tables = []
    for name, known in ways.items():
        proba = predict_table(clf, X, **known)[shared]
        report = au_report(Y, proba).drop(index="mean")
        table = report[["f1", "accuracy", "roc_auc"]].rename(columns={"roc_auc": "auc"})
        table["n_pos"], table["n"] = Y.sum().astype(int), Y.notna().sum()
        tables.append(table.rename_axis("au").reset_index().assign(method=name))
    return pd.concat(tables)


def history_file(folder: Path, train: str, spec: str, fold: str, seed: int) -> Path:
    """Where the learning curve of a cell is."""
    return folder / f"{train}-{spec}-{fold}-{seed}.csv".replace(":", "_")


def leakage(clf: BaseEstimator, corpus: Corpus, rows: np.ndarray) -> float:
    """Of the features of subjects never seen; NaN where a method has none or people are few."""
    rows = rows[sample_rows(corpus.groups[rows], _PROBED)]
    groups = corpus.groups[rows]
    counts = np.unique(groups, return_counts=True)[1]
    if not hasattr(clf, "transform") or len(counts) < 2 or counts.min() < 5:
        return np.nan
    return identity_leakage(clf.transform(corpus.part(rows, False)), groups)


def count_parameters(clf: BaseEstimator) -> float:
    """Of a network, or of all the networks of a region model; NaN where there is none."""
    models = getattr(clf, "estimators_", [clf])
    models = [model[-1] if isinstance(model, Pipeline) else model for model in models]
    modules = [model.module_ for model in models if hasattr(model, "module_")]
    return sum(p.numel() for m in modules for p in m.parameters()) if modules else np.nan


def fit_method(
    setting: Setting, spec: str, seed: int, X: np.ndarray, Y: pd.DataFrame, groups: np.ndarray
) -> BaseEstimator:
    """Fit a method."""
    return make_estimator(spec, setting.budget, seed).fit(X, Y, groups=groups)


def run_cell(setting: Setting, spec: str, fold: Fold, seed: int) -> pd.DataFrame:
    """Fit once; test on the fold left out and on every other corpus."""
    with training_part(setting, fold, spec) as (X, Y, groups):
        start = time.perf_counter()
        clf = fit_method(setting, spec, seed, X, Y, groups)
        seconds = time.perf_counter() - start
    mine = np.flatnonzero(np.isin(setting.corpus.groups, fold.test))
    tests = [(setting.corpus, mine)]
    tests += [(other, np.arange(len(other.groups))) for other in setting.others]
    parts = [
        score(clf, corpus, rows, spec, setting.aus).assign(test=corpus.name)
        for corpus, rows in tests
    ]
    if hasattr(clf, "history_"):
        setting.histories.mkdir(parents=True, exist_ok=True)
        file = history_file(setting.histories, setting.corpus.name, spec, fold.name, seed)
        clf.history_.to_csv(file, index=False)
    table = pd.concat(parts, ignore_index=True).assign(
        train=setting.corpus.name, fold=fold.name, seed=seed,
        fit_seconds=round(seconds, 1),
        best_epoch=getattr(clf, "best_epoch_", np.nan),
        n_parameters=count_parameters(clf),
        leakage=leakage(clf, setting.corpus, mine),
    )  # fmt: skip
    return table[[*COLUMNS, *table.columns.drop(COLUMNS)]]
