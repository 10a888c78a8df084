"""Who is tested and who is trained on: published folds, blocks of subjects, random draws."""

from dataclasses import dataclass

import numpy as np
from _corpora import Corpus


@dataclass
class Fold:
    """Subjects to test on, and those to train on."""

    name: str
    train: list[str]
    test: list[str]


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
