"""Class weights in the loss: what they are worth on people never seen, beside tuned thresholds.

    python benchmarks/class_weights.py --work CROPS --train ict-lab=DIR --test ict-wild=DIR \
        --epochs 25 --every 2

Paper 1's single encoder is fitted with each kind of ``class_weight`` on three quarters of the
training people of each fold, for the same epochs from the same first weights. On the last quarter
a threshold of each AU is chosen and its probabilities are calibrated (sigmoid). All figures are
means over folds and AUs, on the people of the fold left out and on all those of ``--test``.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from _corpora import Corpus, open_corpus
from _folds import make_folds
from _options import make_parser
from _record import Record
from _report import markdown
from sklearn.frozen import FrozenEstimator

from skau import DSNClassifier
from skau.metrics import au_report
from skau.model_selection import CalibratedAUClassifier, SubjectKFold, TunedThresholdsClassifier

HERE = Path(__file__).parent
WEIGHTS = (None, "balanced", "asymmetric")


def fit_and_score(
    train: Corpus, test: list[str], others: list[Corpus], epochs: int, lr: float
) -> Iterator[pd.DataFrame]:
    """Fit on all but some people; yield a table an AU of each weight and corpus tested on."""
    aus = [au for au in train.target if all(au in other.target for other in others)]
    rows = np.flatnonzero(~np.isin(train.groups, test))
    X, Y, groups = train.part(rows, False), train.target[aus].iloc[rows], train.groups[rows]
    inner, held_out = next(SubjectKFold(4).split(X, Y, groups))
    known = X[held_out], Y.iloc[held_out], groups[held_out]
    own = np.flatnonzero(np.isin(train.groups, test))
    for weight in WEIGHTS:
        clf = DSNClassifier(
            person_encoder=False, class_weight=weight, max_epochs=epochs, lr=lr,
            validation_fraction=0, random_state=0,
        ).fit(X[inner], Y.iloc[inner], groups=groups[inner])  # fmt: skip
        tuned = TunedThresholdsClassifier(FrozenEstimator(clf)).fit(*known)
        fair = CalibratedAUClassifier(FrozenEstimator(clf)).fit(*known)
        for corpus, part in [(train, own), *((o, np.arange(len(o.groups))) for o in others)]:
            Z, labels = corpus.part(part, False), corpus.target[aus].iloc[part]
            proba = clf.predict_proba(Z)
            half = au_report(labels, proba).drop(index="mean")
            best = au_report(labels, proba, threshold=tuned.thresholds_).drop(index="mean")
            calibrated = au_report(labels, fair.predict_proba(Z)).drop(index="mean")
            yield (
                pd.DataFrame(
                    {
                        "base rate": half["base_rate"],
                        "AUC": half["roc_auc"],
                        "F1 at one half": half["f1"],
                        "F1 tuned": best["f1"],
                        "false alarms at one half": half["false_alarm_rate"],
                        "ECE": half["calibration_error"],
                        "ECE calibrated": calibrated["calibration_error"],
                    }
                )
                .assign(corpus=corpus.name, weight=str(weight))
                .rename_axis("AU")
                .reset_index()
            )


def main(argv: list[str] | None = None) -> None:
    """Run the folds and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--test", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--first", type=int, help="run no more than so many of the folds")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "class-weights.md")
    args = parser.parse_args(argv)
    train, *others = (
        open_corpus(spec, args.work, args.size, ("full",), every=args.every)
        for spec in (args.train, *args.test)
    )
    folds = make_folds(train, args.folds, args.inside)[: args.first]
    record = Record(args.out)
    record.say("")
    record.say(
        f"Single encoder, {args.epochs} epochs at {args.lr:g}, crops of {args.size} px, one frame "
        f"in {args.every}; {len(folds)} of {args.folds} folds of {train.name}: thresholds and "
        "calibration from a quarter of the training people."
    )
    tables = [
        table
        for fold in folds
        for table in fit_and_score(train, fold.test, others, args.epochs, args.lr)
    ]
    for name, cells in pd.concat(tables).groupby("corpus", sort=False):
        per_au = cells.drop(columns="corpus").groupby(["weight", "AU"], sort=False).mean()
        rates = per_au["base rate"].groupby("AU", sort=False).first()
        rarest = per_au[per_au.index.get_level_values("AU").isin(rates.nsmallest(3).index)]
        for title, part in ((f"{len(rates)} AUs", per_au), ("The three rarest", rarest)):
            record.say(f"\n## {title}, people of {name} never seen\n")
            means = part.groupby("weight", sort=False).mean()
            record.say(markdown(means.map("{:.3f}".format)))
    record.write()


if __name__ == "__main__":
    main()
