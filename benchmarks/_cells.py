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
from _feature_figure import keep_features
from _folds import Fold
from _margins import cell_file, keep_told, quick_auc
from _methods import make_estimator, parse_method
from _predictions import AS_PREDICTED, read_predictions
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback

from skau.metrics import au_report, identity_leakage
from skau.preprocessing._landmarks import sample_rows
from skau.utils import predict_table

# Predicted with the unlabelled frames of the test person: a row of its own in every table.
UNLABELLED = " + unlabelled frames"
# What much public code reports: the epoch that is best on the people it is tested on.
TEST_EPOCH = ", epoch chosen on the test fold"
BESIDE = (UNLABELLED, TEST_EPOCH, AS_PREDICTED)  # rows without a fit of their own

_ROWS = 1024  # crops that are copied at a time
_PROBED = 200  # frames of each person, evenly spread, that are probed for identity

COLUMNS = [
    "method", "train", "test", "fold", "seed", "au", "f1", "accuracy", "auc", "n_pos", "n",
]  # fmt: skip
COSTS = ["fit_seconds", "best_epoch", "n_parameters", "leakage"]


@dataclass
class Setting:
    """What all cells of a run share."""

    corpus: Corpus
    others: list[Corpus]
    identities: Corpus | None
    aus: list[str]
    budget: dict[str, Any]  # parameters of every network that is trained
    work: Path  # folder of crops
    records: Path  # folder of learning curves and of what was told of each frame
    test_epoch: bool = False  # also say what a choice of the epoch on the test fold would be worth


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


def tell(
    clf: BaseEstimator, corpus: Corpus, rows: np.ndarray, spec: str, aus: list[str]
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield the name of a row, labels and probabilities of the AUs that the corpus annotates.

    A second time where frames of a person may be pooled.
    """
    X = corpus.part(rows, parse_method(spec).regions)
    shared = [au for au in aus if au in corpus.target]
    Y = corpus.target[shared].iloc[rows]
    ways: dict[str, dict] = {spec: {}}
    if parse_method(spec).film:
        ways[spec] = {"groups": corpus.groups[rows]}
    elif "groups" in signature(clf.predict_proba).parameters:
        ways[spec + UNLABELLED] = {"groups": corpus.groups[rows]}
    for name, known in ways.items():
        yield name, Y, predict_table(clf, X, **known)[shared]


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


class BestOnTest(Callback):
    """Looks at the test fold after each epoch, as one must not, and keeps the best report.

    Parameters
    ----------
    X : ndarray of shape (n, h, w, 3)
    Y : DataFrame of shape (n, n_aus)
    """

    def __init__(self, X: np.ndarray, Y: pd.DataFrame) -> None:
        self.X, self.Y = X, Y
        self.report: pd.DataFrame | None = None

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Score the network as it is now."""
        proba = pd.DataFrame(expit(net.run(net.module_.logits, self.X)), columns=self.Y.columns)
        report = au_report(self.Y, proba.set_index(self.Y.index))
        if self.report is None or report.loc["mean", "f1"] > self.report.loc["mean", "f1"]:
            self.report = report


def watch_test(clf: BaseEstimator, setting: Setting, fold: Fold, spec: str) -> BestOnTest | None:
    """Let a network's fit look at the test fold; None where it is not asked for or has none.

    The mixed model of ``MixedEffects`` is fitted after the last epoch, so it has none to choose.
    """
    method = parse_method(spec)
    several = method.regions or method.film or "Mixed" in spec  # more than a network's epochs
    if not setting.test_epoch or not method.trained or several:
        return None
    rows = np.flatnonzero(np.isin(setting.corpus.groups, fold.test))
    Y = setting.corpus.target.reindex(columns=setting.aus).iloc[rows]
    best = BestOnTest(setting.corpus.part(rows, False), Y)
    clf.set_params(callbacks=[*(clf.callbacks or []), best])
    return best


def report_rows(report: pd.DataFrame, Y: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row an AU of what ``au_report`` says."""
    table = report.drop(index="mean")[["f1", "accuracy", "roc_auc"]]
    table = table.rename(columns={"roc_auc": "auc"})
    table["n_pos"], table["n"] = Y.sum().astype(int), Y.notna().sum()
    return table.rename_axis("au").reset_index().assign(method=name)


def score_predictions(
    setting: Setting, folds: list[Fold], name: str, files: list[Path]
) -> pd.DataFrame:
    """Score what another tool told of the test people of each fold, and of other corpora."""
    parts: list[pd.DataFrame] = []
    read: dict[Path, set[int]] = {}
    corpora = (setting.corpus, *setting.others)
    sizes = [len(corpus.groups) for corpus in corpora]
    for corpus in corpora:
        for file in files:
            found = read_predictions(file, corpus, sizes)
            if found is None:
                continue
            own = set(found[2])
            if own & read.setdefault(file, set()):
                raise ValueError(
                    f"--predictions {name}: rows of {file} fit images of {corpus.name} and of "
                    "another corpus; name the images by longer paths"
                )
            read[file] |= own
            aus = [au for au in setting.aus if au in corpus.target and au in found[0]]
            for fold in folds:
                rows = np.arange(len(corpus.groups))
                if corpus is setting.corpus:
                    rows = np.flatnonzero(np.isin(corpus.groups, fold.test))
                Y = corpus.target[aus].iloc[rows].reset_index(drop=True)
                told, scores = (part[aus].iloc[rows].reset_index(drop=True) for part in found[:2])
                table = report_rows(au_report(Y, told), Y, name + AS_PREDICTED)
                table["auc"] = quick_auc(Y, scores)
                parts.append(table.assign(test=corpus.name, fold=fold.name))
    for file in files:
        if file not in read:
            raise ValueError(f"--predictions {name}: {file} names no image of any corpus here")
    table = pd.concat(parts, ignore_index=True).assign(train=setting.corpus.name, seed=0)
    return table.reindex(columns=[*COLUMNS, *COSTS])


def run_cell(setting: Setting, spec: str, fold: Fold, seed: int) -> pd.DataFrame:
    """Fit once; test on the fold left out and on every other corpus."""
    with training_part(setting, fold, spec) as (X, Y, groups):
        start = time.perf_counter()
        clf = make_estimator(spec, setting.budget, seed)
        best = watch_test(clf, setting, fold, spec)
        clf.fit(X, Y, groups=groups)
        seconds = time.perf_counter() - start
    mine = np.flatnonzero(np.isin(setting.corpus.groups, fold.test))
    tests = [(setting.corpus, mine)]
    tests += [(other, np.arange(len(other.groups))) for other in setting.others]
    cell = {"train": setting.corpus.name, "fold": fold.name, "seed": seed}
    parts = []
    for corpus, rows in tests:
        for name, Y, proba in tell(clf, corpus, rows, spec, setting.aus):
            file = cell_file(setting.records, f"-{corpus.name}.npz", spec=name, **cell)
            keep_told(file, Y, proba, corpus.groups[rows])
            parts.append(report_rows(au_report(Y, proba), Y, name).assign(test=corpus.name))
    if best is not None and best.report is not None:
        parts.append(report_rows(best.report, best.Y, spec + TEST_EPOCH).assign(
            test=setting.corpus.name))  # fmt: skip
    if hasattr(clf, "history_"):
        file = cell_file(setting.records, ".csv", spec=spec, **cell)
        clf.history_.to_csv(file, index=False)
    file = cell_file(setting.records, "-features.npz", spec=spec, **cell)
    keep_features(file, clf, setting.corpus, mine, setting.aus)
    table = pd.concat(parts, ignore_index=True).assign(
        **cell,
        fit_seconds=round(seconds, 1),
        best_epoch=getattr(clf, "best_epoch_", np.nan),
        n_parameters=count_parameters(clf),
        leakage=leakage(clf, setting.corpus, mine),
    )  # fmt: skip
    return table[[*COLUMNS, *COSTS]]
