r"""What it is worth to know the person: from one frame, from frames at rest, from all frames.

    python benchmarks/person.py --work CROPS --train ict-lab=DIR --identities ict-ids=DIR --only-folds L000-L019
    python benchmarks/person.py --work CROPS --likeness 0 0.5 0.9 --resting 1 3

One LightCNN network is trained for each corpus, fold and seed. Everything else is computed from
its features in closed form, so that all rows of a table differ in nothing but what they do about
the person:

- LightCNN, each frame by itself, and calibrated to each person's logits (``groups=``);
- ``MixedEffectsClassifier``'s model of the same features: one frame, one or three frames with the
  fewest AUs as ``reference=`` (which then are not tested on, nor by the row that they are
  compared with), and all frames of the person (``groups=``);
- LightCNN less each person's bias, taken from the *labels* of the test people: a ceiling.

With ``--likeness`` the corpora are rendered by ``make_au_faces`` (``--people``, ``--frames``, and
as many further people without labels as ``--strangers`` says, of 8 frames each), in which a
person's looks foretell their resting face so far. Intervals are of 95 %, by a bootstrap over the
people tested. Features are kept in ``--work``, so a run that was stopped goes on.
"""  # noqa: E501

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _cells import Fold, make_folds, pick_folds
from _corpora import Corpus, from_bunch, open_corpus, published_aus
from _record import Record
from scipy.stats import rankdata
from tqdm import tqdm

from skau.baselines import LightCNNClassifier
from skau.datasets import make_au_faces
from skau.estimators._calibration import calibrate, measure_population
from skau.estimators._effects import PersonEffects
from skau.metrics import bootstrap_interval, identity_leakage
from skau.utils._cache import write_whole

HERE = Path(__file__).parent
RESAMPLES = 300


def rendered(
    args: argparse.Namespace, likeness: float, resting: float
) -> tuple[Corpus, Corpus, str]:
    """Render a corpus with labels and one of further people, and cut their faces."""
    name = f"likeness {likeness:g}, resting {resting:g}"
    corpora = []
    for kind, people, frames, seed in (
        ("au", args.people, args.frames, args.corpus_seed),
        ("ids", args.strangers, 8, args.corpus_seed + 1000),
    ):
        file = f"made-{likeness:g}-{resting:g}-{args.corpus_seed}-{kind}-{people}x{frames}"
        bunch = make_au_faces(
            people, frames, likeness=likeness, resting=resting, random_state=seed,
            data_home=args.work / "rendered", verbose=True,
        )  # fmt: skip
        corpora.append(from_bunch(name, bunch, args.work, args.size, file=file))
    return corpora[0], corpora[1], f"made-{likeness:g}-{resting:g}-{args.corpus_seed}"


def features_of(
    corpus: Corpus, ids: Corpus, aus: list[str], fold: Fold, seed: int, args: Any, file: Path
) -> dict[str, np.ndarray]:
    """Train the network on a fold, unless that was done before, and keep what it says."""
    if not file.exists():
        train = np.flatnonzero(np.isin(corpus.groups, fold.train))
        crops = np.asarray(corpus.crops["full"])
        clf = LightCNNClassifier(
            max_epochs=args.epochs, lr=args.lr, validation_fraction=0.15, random_state=seed
        )
        Y = corpus.target.reindex(columns=aus).iloc[train]
        clf.fit(crops[train], Y, groups=corpus.groups[train])
        with write_whole(file) as out:
            np.savez(
                out,
                features=clf.transform(crops), strangers=clf.transform(ids.crops["full"]),
                head=clf.module_.fc7.weight.numpy(force=True),
            )  # fmt: skip
    with np.load(file) as kept:
        return {name: kept[name].astype(float) for name in kept.files}


def bias_from_labels(logits: np.ndarray, Y: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Mean over each person of the logits less what their labels let expect, by row."""
    rest = logits.copy()
    for j, y in enumerate(Y.T):
        for value in (0, 1):
            rest[y == value, j] -= logits[y == value, j].mean()
    return pd.DataFrame(rest).groupby(people).transform("mean").to_numpy()


def share_between(logits: np.ndarray, people: np.ndarray) -> float:
    """Share of the variance that lies between people, mean over AUs."""
    table = pd.DataFrame(logits).groupby(people)
    n = table.size()
    within = (table.var().mul(n - 1, axis=0)).sum() / (n.sum() - len(n))
    between = (table.mean().var() - within * (1 / n).mean()).clip(lower=0)
    return float((between / (between + within)).mean())


def fewest(Y: np.ndarray, people: np.ndarray, n: int) -> np.ndarray:
    """Mark the ``n`` frames of each person with the fewest AUs."""
    order = pd.Series((Y == 1).sum(axis=1)).sort_values(kind="stable")
    rank = order.groupby(people[order.index]).cumcount()
    return (rank.sort_index() < n).to_numpy()


def quick_f1(true: pd.DataFrame, logits: pd.DataFrame) -> np.ndarray:
    """F1-frame of each AU, without the checks that a thousand draws need not repeat."""
    shown, told = true.to_numpy() == 1, logits.to_numpy() > 0
    return 2 * (shown & told).sum(axis=0) / (shown.sum(axis=0) + told.sum(axis=0))


def quick_auc(true: pd.DataFrame, logits: pd.DataFrame) -> np.ndarray:
    """Area under the ROC curve of each AU by the ranks of its positives."""
    shown = true.to_numpy() == 1
    n, n_all = shown.sum(axis=0), len(shown)
    above = (rankdata(logits.to_numpy(), axis=0) * shown).sum(axis=0) - n * (n + 1) / 2
    return above / (n * (n_all - n))


def tell(
    kept: dict[str, np.ndarray], corpus: Corpus, ids: Corpus, aus: list[str], fold: Fold
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the name, the logits of all test rows, and which of these are tested."""
    Y = corpus.target.reindex(columns=aus).to_numpy(float)
    train, test = (
        np.flatnonzero(np.isin(corpus.groups, part)) for part in (fold.train, fold.test)
    )
    own, strangers, head = kept["features"], kept["strangers"], kept["head"]
    logits, people = own @ head.T, corpus.groups[test]
    everyone = np.ones(len(test), bool)
    yield "LightCNN", logits[test], everyone
    codes = np.unique(corpus.groups[train], return_inverse=True)[1]
    population = measure_population(logits[train], codes, np.array(aus), Y[train])
    yield "LightCNN + unlabelled frames", calibrate(logits[test], people, population), everyone
    names = np.concatenate([np.char.add("a", corpus.groups[train]), np.char.add("b", ids.groups)])
    labels = np.concatenate([Y[train], np.full((len(ids.groups), len(aus)), np.nan)])
    codes = np.unique(names, return_inverse=True)[1]
    effects = PersonEffects.fit(np.concatenate([own[train], strangers]), labels, codes, head)
    assert effects is not None
    u = (own[test] - effects.mean) @ effects.whiten.T

    def mixed(*known: Any) -> np.ndarray:
        return effects.scores(u, *known) * effects.scale + effects.offset

    yield "MixedEffects", mixed(), everyone
    for n in (1, 3):
        at_rest = fewest(Y[test], people, n)
        name = f"MixedEffects + {n} frame{'s' if n > 1 else ''} at rest"
        yield name, mixed(people, at_rest), ~at_rest
    yield "MixedEffects + unlabelled frames", mixed(people), everyone
    bias = bias_from_labels(logits[test], Y[test], people)
    yield "LightCNN less the bias known from labels", logits[test] - bias, everyone


def measure(
    corpus: Corpus, ids: Corpus, key: str, args: argparse.Namespace, record: Record
) -> pd.DataFrame:
    """Write the table of a corpus, and return it."""
    aus = args.aus or published_aus(corpus.name)
    folds = make_folds(corpus, args.folds, args.inside)
    if args.only_folds:
        folds = pick_folds(folds, args.only_folds, "--only-folds")
    cells: dict[str, list[pd.DataFrame]] = {}
    notes = []
    for fold, seed in tqdm([(f, s) for s in args.seeds for f in folds], desc=corpus.name):
        file = args.work / f"person-{key}-{fold.name}-{seed}-{args.epochs}.npz"
        kept = features_of(corpus, ids, aus, fold, seed, args, file)
        test = np.flatnonzero(np.isin(corpus.groups, fold.test))
        people = corpus.groups[test]
        for name, logits, rows in tell(kept, corpus, ids, aus, fold):
            table = pd.DataFrame(logits, columns=aus)
            table["person"], table["fold"] = people, f"{fold.name}, seed {seed}"
            table["row"], table["tested"] = test, rows
            cells.setdefault(name, []).append(table)
            if name in ("LightCNN", "MixedEffects"):
                leak = identity_leakage(logits, people)
                notes.append((name, share_between(logits, people), leak))
        features = identity_leakage(kept["features"][test], people)
        notes.append(("LightCNN's features", np.nan, features))
    base = pd.concat(cells["LightCNN"], ignore_index=True)
    truth = corpus.target.reindex(columns=aus).iloc[base["row"]].reset_index(drop=True)
    if truth.isna().any(axis=None):
        raise ValueError(f"{corpus.name} does not annotate all of {', '.join(aus)}; pass --aus")
    rows = {}
    for name, parts in tqdm(cells.items(), desc="intervals"):
        table = pd.concat(parts, ignore_index=True)
        use = table["tested"].to_numpy()
        given = (table.loc[use, "person"].to_numpy(), table.loc[use, "fold"].to_numpy())
        row = {}
        for score, metric in (("F1", quick_f1), ("AUC", quick_auc)):
            ours, theirs = table.loc[use, aus], base.loc[use, aus]
            options: dict[str, Any] = {
                "metric": metric, "folds": given[1], "n_resamples": RESAMPLES, "random_state": 0,
            }  # fmt: skip
            value = (
                100
                * bootstrap_interval(
                    truth[use], ours, given[0], **options | {"n_resamples": 1}
                ).score
            )
            found = bootstrap_interval(truth[use], ours, given[0], baseline=theirs, **options)
            margin, low, high = (100 * part for part in found)
            row[score] = f"{value:.1f}"
            row[f"over LightCNN, {score}"] = (
                "" if name == "LightCNN" else f"{margin:+.1f} [{low:+.1f}, {high:+.1f}]"
            )
        rows[name] = row
    result = pd.DataFrame.from_dict(rows, orient="index").rename_axis("")
    record.say(f"{corpus.name}: {len(cells['LightCNN'])} cells "
                 f"({', '.join(table['fold'][0] for table in cells['LightCNN'])}), "
                 f"{args.epochs} epochs, {len(np.unique(ids.groups))} further people")  # fmt: skip
    record.say(result.to_string())
    told = pd.DataFrame(notes, columns=["of", "share between people", "leakage"])
    record.say(told.groupby("of", sort=False).mean().round(2).to_string() + "\n")
    return result


def main(argv: list[str] | None = None) -> None:
    """Measure every corpus that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for crops, renders and features")
    add("--train", metavar="NAME=DIR")
    add("--identities", metavar="NAME=DIR")
    add("--likeness", type=float, nargs="*", default=[])
    add("--resting", type=float, nargs="+", default=[1.0])
    add("--people", type=int, default=60)
    add("--frames", type=int, default=30)
    add("--strangers", type=int, default=300)
    add("--corpus-seed", type=int, default=0)
    add("--aus", nargs="+")
    add("--folds", type=int, default=3)
    add("--only-folds", nargs="+")
    add("--inside", metavar="FOLD", help="split the training people of this fold instead")
    add("--seeds", type=int, nargs="+", default=[0])
    add("--size", type=int, default=64)
    add("--epochs", type=int, default=30)
    add("--lr", type=float, default=1e-3)
    add("--out", type=Path, default=HERE / "results" / "person.txt")
    args = parser.parse_args(argv)
    if bool(args.train) != bool(args.identities):
        parser.error("--train and --identities go together")
    if not args.train and not args.likeness:
        parser.error("say what to measure: --train and --identities, or --likeness")
    record = Record(args.out)
    if args.train:
        own, ids = (
            open_corpus(spec, args.work, args.size, ("full",))
            for spec in (args.train, args.identities)
        )
        measure(own, ids, f"{own.name}-{ids.name}", args, record)
    for resting in args.resting:
        for likeness in args.likeness:
            measure(*rendered(args, likeness, resting), args, record)
    record.write()


if __name__ == "__main__":
    main()
