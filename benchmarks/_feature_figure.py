"""Figure 2 of paper 2: features of unseen people before and after the identity is taken out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _corpora import Corpus
from _margins import cell_file

from skau.inspection import FeatureSpaceDisplay
from skau.inspection._feature_space import _features
from skau.preprocessing._landmarks import sample_rows
from skau.utils._cache import write_whole

_PEOPLE, _FRAMES = 12, 30  # as many as signs and colours tell apart


def keep_features(file: Path, clf: Any, corpus: Corpus, rows: np.ndarray, aus: list[str]) -> None:
    """Keep the features of some frames of some test people, if there is a before and an after."""
    people = np.unique(corpus.groups[rows])[:_PEOPLE]
    rows = rows[np.isin(corpus.groups[rows], people)]
    rows = rows[sample_rows(corpus.groups[rows], _FRAMES)]
    if not hasattr(clf, "transform") or not hasattr(clf, "identity_features"):
        return
    features = _features(clf, corpus.part(rows, False))
    if len(features) < 2:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(file) as out:
        np.savez(
            out, **features, groups=corpus.groups[rows].astype(str), aus=np.array(aus, str),
            true=corpus.target.reindex(columns=aus).iloc[rows].to_numpy(np.float32),
        )  # fmt: skip


def draw_feature_space(results: pd.DataFrame, records: Path, folder: Path, name: str) -> None:
    """Draw the features of the first fold and seed of each method that has some.

    By AU12, as the paper does, where it is there.
    """
    fits = results.drop_duplicates(["train", "method"])
    for row in fits.itertuples():
        file = cell_file(
            records, "-features.npz",
            train=row.train, spec=row.method, fold=row.fold, seed=row.seed,
        )  # fmt: skip
        if not file.exists():
            continue
        with np.load(file) as kept:
            arrays = dict(kept)
        groups, aus, true = (arrays.pop(part) for part in ("groups", "aus", "true"))
        Y = pd.DataFrame(true, columns=aus)
        display = FeatureSpaceDisplay.from_features(
            arrays, Y, groups, au="AU12" if "AU12" in Y else None
        )
        file = folder / f"{name}-{row.method.replace(':', '_')}-features.png"
        display.figure_.savefig(file)
