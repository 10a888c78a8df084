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
- LightCNN less each person's bias, taken from the *labels* of the test people: the ceiling of
  all that subtracts something of the person.

``--systems IdenNet DSN SingleEncoder`` trains these beside, as ``tables.py`` does; IdenNet's margin
is over LightCNN, DSN's over its single encoder. Beside the margins stand the share of the logits'
variance that lies between people, the identity leakage, and how stable a system's idea of the
person is, F: the share of its variance between people, 1 where all frames of a person give the
same.

With ``--likeness`` the corpora are rendered by ``make_au_faces`` (``--people``, ``--frames``, and
as many further people without labels as ``--strangers`` says, of 8 frames each), in which a
person's looks foretell their resting face so far. Intervals are of 95 %, by a bootstrap over the
people tested. Features are kept in ``--work``, so a run that was stopped goes on. All figures go
into a CSV beside ``--out``, in which a corpus takes the place of one that was measured before, and
``--figure`` draws the margins of all that it holds against likeness.
"""  # noqa: E501

import argparse
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from _cells import Setting, training_part
from _corpora import Corpus, from_bunch, open_corpus, published_aus
from _folds import Fold, make_folds, pick_folds
from _margins import METRICS
from _methods import describe, make_estimator
from _options import add_align
from _person_figure import write_person_figure
from _person_measures import compare, share_between, stability, tell
from _record import Record
from sklearn.base import BaseEstimator
from tqdm import tqdm

from skau.baselines import LightCNNClassifier
from skau.datasets import make_au_faces
from skau.metrics import identity_leakage
from skau.utils._cache import Cache, write_whole

HERE = Path(__file__).parent


def rendered(
    args: argparse.Namespace, likeness: float, resting: float
) -> tuple[Corpus, Corpus, str]:
    """Render a corpus with labels and one of further people, and cut their faces.

    Files are named by the pictures too: another version of the renderer makes others.
    """
    name = f"likeness {likeness:g}, resting {resting:g}"
    corpora, keys = [], [f"made-{likeness:g}-{resting:g}"]
    for kind, people, frames, seed in (
        ("au", args.people, args.frames, args.corpus_seed),
        ("ids", args.strangers, 8, args.corpus_seed + 1000),
    ):
        bunch = make_au_faces(
            people, frames, likeness=likeness, resting=resting, random_state=seed,
            data_home=args.work / "rendered", verbose=True, n_jobs=args.jobs,
        )  # fmt: skip
        keys.append(joblib.hash(np.asarray(bunch.images))[:8])
        file = f"{keys[0]}-{kind}-{keys[-1]}"
        cut = from_bunch(name, bunch, args.work, args.size, file=file, align=args.align)
        corpora.append(cut)
    return corpora[0], corpora[1], "-".join(keys)


def cell_file(
    start: str, clf: BaseEstimator, setting: Setting, ids: Corpus, fold: Fold, size: int
) -> Path:
    """Return where to keep what a cell computes, named by all that it computes it from."""
    corpora = (setting.corpus.digest(setting.aus), ids.digest([]), setting.aus, size)
    key = Cache.key(describe(clf), corpora, fold.train, fold.test)
    return setting.work / f"{start}-{key[:12]}.npz"


def features_of(
    corpus: Corpus, ids: Corpus, aus: list[str], fold: Fold, clf: BaseEstimator, file: Path
) -> dict[str, np.ndarray]:
    """Train the network on a fold, unless that was done before, and keep what it says."""
    if not file.exists():
        train = np.flatnonzero(np.isin(corpus.groups, fold.train))
        crops = np.asarray(corpus.crops["full"])
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


def train_system(
    spec: str, setting: Setting, fold: Fold, clf: BaseEstimator, file: Path
) -> dict[str, np.ndarray]:
    """Train a system of the tables, unless that was done; keep its logits of the test people."""
    if not file.exists():
        with training_part(setting, fold, spec) as (X, Y, groups):
            clf.fit(X, Y, groups=groups)
        test = np.flatnonzero(np.isin(setting.corpus.groups, fold.test))
        crops = setting.corpus.part(test, False)
        kept = {"logits": clf.decision_function(crops), "features": clf.transform(crops)}
        if hasattr(clf, "identity_features"):
            kept["identity"] = clf.identity_features(crops)
        with write_whole(file) as out:
            np.savez(out, **kept)
    with np.load(file) as found:
        return {name: found[name].astype(float) for name in found.files}


def measure(
    corpus: Corpus, ids: Corpus, key: str, args: argparse.Namespace, record: Record
) -> pd.DataFrame:
    """Say the table of a corpus, and return it, a row a system."""
    aus = args.aus or published_aus(corpus.name)
    folds = make_folds(corpus, args.folds, args.inside)
    if args.only_folds:
        folds = pick_folds(folds, args.only_folds, "--only-folds")
    budget = {"max_epochs": args.epochs, "lr": args.lr, "validation_fraction": 0.15}
    setting = Setting(corpus, [], ids, aus, budget, args.work, args.work / "records" / "person")
    cells: dict[str, list[pd.DataFrame]] = {}
    notes = []
    key = key if args.align == "eyes" else f"{key}-{args.align}"
    for fold, seed in tqdm([(f, s) for s in args.seeds for f in folds], desc=corpus.name):
        cell = f"{fold.name}-{seed}-{args.epochs}"
        clf = LightCNNClassifier(**budget, random_state=seed)
        file = cell_file(f"person-{key}-{cell}", clf, setting, ids, fold, args.size)
        kept = features_of(corpus, ids, aus, fold, clf, file)
        test = np.flatnonzero(np.isin(corpus.groups, fold.test))
        people = corpus.groups[test]
        told, bias = tell(kept, corpus, ids, aus, fold)
        identities: dict[str, np.ndarray | None] = {"LightCNN": None, "MixedEffects": bias}
        heads = {"LightCNN": kept["features"][test]}  # what the AU outputs are computed from
        for spec in args.systems:
            clf = make_estimator(spec, budget, seed)
            start = f"person-{key}-{spec.replace(':', '_')}-{cell}"
            file = cell_file(start, clf, setting, ids, fold, args.size)
            found = train_system(spec, setting, fold, clf, file)
            told.append((spec, found["logits"], np.ones(len(test), bool)))
            heads[spec], identities[spec] = found["features"], found.get("identity")
        for name, logits, rows in told:
            table = pd.DataFrame(logits, columns=aus)
            table["person"], table["fold"] = people, f"{fold.name}, seed {seed}"
            table["row"], table["tested"] = test, rows
            cells.setdefault(name, []).append(table)
            if name in identities:
                F = identities[name]
                notes.append({
                    "": name,
                    "share between people": share_between(logits, people),
                    "leakage of logits": identity_leakage(logits, people),
                    "of features": identity_leakage(heads.get(name, logits), people),
                    "stability of F": np.nan if F is None else stability(F, people),
                })  # fmt: skip
    result = compare(cells, corpus, aus)
    about = pd.DataFrame(notes).groupby("", sort=False).mean()
    record.say(f"{corpus.name}: {len(cells['LightCNN'])} cells "
                 f"({', '.join(table['fold'][0] for table in cells['LightCNN'])}), "
                 f"{args.epochs} epochs, {len(np.unique(ids.groups))} further people")  # fmt: skip
    shown = result.assign(**{
        f"{score} over": [
            "" if np.isnan(row[f"{score} margin"]) else
            f"{row[f'{score} margin']:+.1f} [{row[f'{score} low']:+.1f}, "
            f"{row[f'{score} high']:+.1f}]"
            for _, row in result.iterrows()
        ]
        for score in METRICS
    })[["F1", "F1 over", "AUC", "AUC over", "over"]].round(1)  # fmt: skip
    record.say(shown.to_string())
    record.say(about.round(2).to_string(na_rep="") + "\n")
    return result.join(about)


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
    add_align(parser)
    add("--jobs", type=int, help="processes that render")
    add("--epochs", type=int, default=30)
    add("--lr", type=float, default=1e-3)
    add("--systems", nargs="*", default=[], help="of the tables, to be trained beside")
    add("--figure", action="store_true", help="needs matplotlib")
    add("--out", type=Path, default=HERE / "results" / "person.txt")
    args = parser.parse_args(argv)
    if bool(args.train) != bool(args.identities):
        parser.error("--train and --identities go together")
    if not args.train and not args.likeness:
        parser.error("say what to measure: --train and --identities, or --likeness")
    record = Record(args.out)
    found = []
    if args.train:
        own, ids = (
            open_corpus(spec, args.work, args.size, ("full",), align=args.align)
            for spec in (args.train, args.identities)
        )
        key = f"{own.name}-{ids.name}"
        found.append(measure(own, ids, key, args, record).assign(corpus=own.name))
    for resting in args.resting:
        for likeness in args.likeness:
            corpus, ids, key = rendered(args, likeness, resting)
            table = measure(corpus, ids, key, args, record)
            found.append(table.assign(corpus=corpus.name, likeness=likeness, resting=resting))
    record.write()
    table = keep_figures(pd.concat(found), args.out.with_suffix(".csv"))
    if args.figure:
        write_person_figure(table, args.out.with_suffix(".png"))


def keep_figures(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Write the figures of all corpora measured so far, these in place of older ones."""
    table = table.rename_axis("system").reset_index()
    if file.exists():
        before = pd.read_csv(file)
        table = pd.concat([before[~before["corpus"].isin(table["corpus"])], table])
    with write_whole(file) as out:
        table.to_csv(out, index=False, float_format="%.4g")
    return table


if __name__ == "__main__":
    main()
