"""What each system says of test people whose features are known, and what that is worth.

Nothing is trained or rendered here: all is computed in closed form from what `person.py` keeps.
"""

from typing import Any

import numpy as np
import pandas as pd
from _corpora import Corpus
from _folds import Fold
from _margins import METRICS, RESAMPLES
from tqdm import tqdm

from skau.estimators._calibration import calibrate, measure_population
from skau.estimators._effects import PersonEffects
from skau.metrics import bootstrap_interval

ORACLE = "LightCNN less the bias known from labels"
RIVALS = {"DSN": "SingleEncoder", "DSN-printed": "SingleEncoder-printed"}


def variances(values: np.ndarray, people: np.ndarray) -> tuple[pd.Series, pd.Series]:
    """Return the variance of each column within people, and that between them."""
    table = pd.DataFrame(values).groupby(people)
    n = table.size()
    within = (table.var().mul(n - 1, axis=0)).sum() / (n.sum() - len(n))
    return within, table.mean().var() - within * (1 / n).mean()


def share_between(logits: np.ndarray, people: np.ndarray) -> float:
    """Share of the variance that lies between people, mean over AUs."""
    within, between = variances(logits, people)
    between = between.clip(lower=0)
    return float((between / (between + within)).mean())


def stability(features: np.ndarray, people: np.ndarray) -> float:
    """Share of the variance of a vector that lies between people: 1 where it never changes."""
    within, between = (part.sum() for part in variances(features, people))
    between = max(0.0, between)
    return between / (between + within)


def bias_from_labels(logits: np.ndarray, Y: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Mean over each person of the logits less what their labels let expect, by row."""
    rest = logits.copy()
    for j, y in enumerate(Y.T):
        for value in (0, 1):
            rest[y == value, j] -= logits[y == value, j].mean()
    return pd.DataFrame(rest).groupby(people).transform("mean").to_numpy()


def fewest(Y: np.ndarray, people: np.ndarray, n: int) -> np.ndarray:
    """Mark the ``n`` frames of each person with the fewest AUs."""
    order = pd.Series((Y == 1).sum(axis=1)).sort_values(kind="stable")
    rank = order.groupby(people[order.index]).cumcount()
    return (rank.sort_index() < n).to_numpy()


def tell(
    kept: dict[str, np.ndarray], corpus: Corpus, ids: Corpus, aus: list[str], fold: Fold
) -> tuple[list[tuple[str, np.ndarray, np.ndarray]], np.ndarray]:
    """Return what each row says, and F, the person's bias as the mixed model foretells it.

    A row is a name, the logits of all test rows, and which of these are tested.
    """
    Y = corpus.target.reindex(columns=aus).to_numpy(float)
    train, test = (
        np.flatnonzero(np.isin(corpus.groups, part)) for part in (fold.train, fold.test)
    )
    own, strangers, head = kept["features"], kept["strangers"], kept["head"]
    logits, people = own @ head.T, corpus.groups[test]
    everyone = np.ones(len(test), bool)
    codes = np.unique(corpus.groups[train], return_inverse=True)[1]
    population = measure_population(logits[train], codes, np.array(aus), Y[train])
    names = np.concatenate([np.char.add("a", corpus.groups[train]), np.char.add("b", ids.groups)])
    labels = np.concatenate([Y[train], np.full((len(ids.groups), len(aus)), np.nan)])
    codes = np.unique(names, return_inverse=True)[1]
    effects = PersonEffects.fit(np.concatenate([own[train], strangers]), labels, codes, head)
    assert effects is not None
    u = (own[test] - effects.mean) @ effects.whiten.T

    def mixed(*known: Any) -> np.ndarray:
        return effects.scores(u, *known) * effects.scale + effects.offset

    rows = [
        ("LightCNN", logits[test], everyone),
        ("LightCNN + unlabelled frames", calibrate(logits[test], people, population), everyone),
        ("MixedEffects", mixed(), everyone),
    ]
    for n in (1, 3):
        at_rest = fewest(Y[test], people, n)
        name = f"MixedEffects + {n} frame{'s' if n > 1 else ''} at rest"
        rows.append((name, mixed(people, at_rest), ~at_rest))
    rows.append(("MixedEffects + unlabelled frames", mixed(people), everyone))
    bias = bias_from_labels(logits[test], Y[test], people)
    rows.append((ORACLE, logits[test] - bias, everyone))
    return rows, u * (effects.between / (1 + effects.between))


def compare(cells: dict[str, list[pd.DataFrame]], corpus: Corpus, aus: list[str]) -> pd.DataFrame:
    """F1 and AUC of each system, and its margin over the one that it is built on, in percent."""
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in cells.items()}
    rows_of = whole["LightCNN"]["row"]
    truth = corpus.target.reindex(columns=aus).iloc[rows_of].reset_index(drop=True)
    if truth.isna().any(axis=None):
        raise ValueError(f"{corpus.name} does not annotate all of {', '.join(aus)}; pass --aus")
    rows = {}
    for name, table in tqdm(whole.items(), desc="intervals"):
        use = table["tested"].to_numpy()
        people = table.loc[use, "person"].to_numpy()
        over = RIVALS.get(name.partition(":")[0], "LightCNN")
        row: dict[str, Any] = {"over": over if over in whole and over != name else ""}
        for score, metric in METRICS.items():
            options: dict[str, Any] = {
                "metric": metric, "folds": table.loc[use, "fold"].to_numpy(), "random_state": 0,
            }  # fmt: skip
            ours = table.loc[use, aus]
            alone = bootstrap_interval(truth[use], ours, people, **options, n_resamples=1)
            row[score] = 100 * alone.score
            found: Any = (np.nan,) * 3
            if row["over"]:
                found = bootstrap_interval(
                    truth[use], ours, people, baseline=whole[over].loc[use, aus], **options,
                    n_resamples=RESAMPLES,
                )  # fmt: skip
            for part, value in zip(("margin", "low", "high"), found, strict=True):
                row[f"{score} {part}"] = 100 * value
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("")
