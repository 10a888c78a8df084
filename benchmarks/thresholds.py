"""Thresholds and calibration per AU: what they are worth on people never seen.

    python benchmarks/thresholds.py --work CROPS --train ict-lab=DIR --test ict-wild=DIR \
        --epochs 25 --every 2

Paper 1's single encoder is fitted on three quarters of the training people of each fold. On the
last quarter a threshold of each AU is chosen and its probabilities are calibrated; one half and
the probabilities as they are stand beside them, of the same fit, and the F1 of saying yes to every
frame. F1 and the expected calibration error are means over folds, on the people of the fold left
out and on all those of ``--test``.
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
from skau.metrics._frame import always_present_f1
from skau.model_selection import CalibratedAUClassifier, SubjectKFold, TunedThresholdsClassifier

HERE = Path(__file__).parent
CALIBRATIONS = ("sigmoid", "temperature", "isotonic")


def fit_and_score(
    train: Corpus, test: list[str], others: list[Corpus], epochs: int, lr: float, rate: float
) -> Iterator[pd.DataFrame]:
    """Fit on all but some people; yield a table an AU of each corpus tested on."""
    aus = [au for au in train.target if all(au in other.target for other in others)]
    rows = np.flatnonzero(~np.isin(train.groups, test))
    X, Y, groups = train.part(rows, False), train.target[aus].iloc[rows], train.groups[rows]
    inner, held_out = next(SubjectKFold(4).split(X, Y, groups))
    clf = DSNClassifier(
        person_encoder=False, max_epochs=epochs, lr=lr, validation_fraction=0, random_state=0
    ).fit(X[inner], Y.iloc[inner], groups=groups[inner])
    known = X[held_out], Y.iloc[held_out], groups[held_out]
    frozen = FrozenEstimator(clf)
    tuned = TunedThresholdsClassifier(frozen).fit(*known)
    alarms = TunedThresholdsClassifier(frozen, false_alarm_rate=rate).fit(*known)
    fair = {m: CalibratedAUClassifier(frozen, method=m).fit(*known) for m in CALIBRATIONS}
    mine = np.flatnonzero(np.isin(train.groups, test))
    for corpus, part in [(train, mine), *((o, np.arange(len(o.groups))) for o in others)]:
        Z, labels = corpus.part(part, False), corpus.target[aus].iloc[part]
        proba = clf.predict_proba(Z)
        half, best, rare = (
            au_report(labels, proba, threshold=threshold).drop(index="mean")
            for threshold in (0.5, tuned.thresholds_, alarms.thresholds_)
        )
        columns = {
            "base rate": half["base_rate"],
            "threshold": pd.Series(tuned.thresholds_, aus),
            "AUC": half["roc_auc"],
            "F1 always yes": always_present_f1(half["base_rate"]),
            "F1 at one half": half["f1"],
            "F1 tuned": best["f1"],
            f"alarms, wanted {rate:g}": rare["false_alarm_rate"],
            "recall there": rare["recall"],
            "ECE": half["calibration_error"],
        }  # fmt: skip
        for method, calibrated in fair.items():
            report = au_report(labels, calibrated.predict_proba(Z)).drop(index="mean")
            columns[f"ECE {method}"] = report["calibration_error"]
        yield pd.DataFrame(columns).assign(corpus=corpus.name).rename_axis("AU").reset_index()


def main(argv: list[str] | None = None) -> None:
    """Run the folds and write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--test", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--rate", type=float, default=0.05, help="of false alarms")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "thresholds.md")
    args = parser.parse_args(argv)
    train, *others = (
        open_corpus(spec, args.work, args.size, ("full",), every=args.every)
        for spec in (args.train, *args.test)
    )
    folds = make_folds(train, args.folds, args.inside)
    record = Record(args.out)
    record.say("")
    record.say(
        f"Single encoder, {args.epochs} epochs at {args.lr:g}, crops of {args.size} px, one frame "
        f"in {args.every}; {len(folds)} folds of {train.name}: thresholds and calibration from a "
        "quarter of the training people."
    )
    tables = [
        table
        for fold in folds
        for table in fit_and_score(train, fold.test, others, args.epochs, args.lr, args.rate)
    ]
    for name, cells in pd.concat(tables).groupby("corpus", sort=False):
        per_au = cells.drop(columns="corpus").groupby("AU", sort=False).mean()
        rarest = per_au.nsmallest(3, "base rate")
        means = pd.DataFrame({"all AUs": per_au.mean(), "three rarest": rarest.mean()}).T
        record.say(f"\n## People of {name} never seen\n")
        record.say(markdown(means.map("{:.3f}".format)))
        record.say("")
        record.say(markdown(per_au.map("{:.3f}".format)))
    record.write()


if __name__ == "__main__":
    main()
