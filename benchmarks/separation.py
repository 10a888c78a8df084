"""What the AU features know of the person, and the person's code of the AUs.

    python benchmarks/separation.py --work CROPS --train ict-lab=DIR --identities ict-ids=DIR \
        --epochs 30 --lr 1e-3

The systems are fitted as in ``tables.py``, on all folds but one. Everything is measured on the
people of that one: how well a probe tells the person (identity leakage), and how well another,
learnt on the training people, tells the AUs (area under the ROC curve, mean over AUs), from

- the AU features and the person's code (DSN's expression and person code, IdenNet's subtracted
  features and identity);
- the AU features less all that a ridge regression, learnt on the training rows, foretells of them
  from the person's code: a subtraction that takes out as much as the code knows. Its penalty is
  given in shares of the variance of the code;
- the AU features less their mean over all frames of the person: what knowing the person would be
  worth, with the unlabelled frames that it takes.

``--inside FOLD`` splits the training subjects of that fold again.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from _cells import Setting, training_part
from _folds import Fold, pick_folds
from _methods import make_estimator
from _options import make_parser, open_setting
from _record import Record
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skau.metrics import identity_leakage, roc_auc

HERE = Path(__file__).parent


def less_own_mean(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Take from each row the mean of its person."""
    table = pd.DataFrame(features)
    return (table - table.groupby(groups).transform("mean")).to_numpy()


def representations(
    clf: BaseEstimator, X: np.ndarray, groups: np.ndarray, Z: np.ndarray, people: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, training rows and test rows of all that is probed."""
    a, b = clf.transform(X), clf.transform(Z)
    yield "AU features", a, b
    if hasattr(clf, "identity_features"):
        p, q = clf.identity_features(X), clf.identity_features(Z)
        yield "the person's code", p, q
        for penalty in (1, 0.1, 0.01):
            ridge = make_pipeline(StandardScaler(), Ridge(penalty * len(p))).fit(p, a)
            yield (
                f"AU features less a regression on the code, penalty {penalty}",
                a - ridge.predict(p), b - ridge.predict(q),
            )  # fmt: skip
    yield (
        "AU features less the person's mean",
        less_own_mean(a, groups), less_own_mean(b, people),
    )  # fmt: skip


def au_auc(a: np.ndarray, Y: pd.DataFrame, b: np.ndarray, true: pd.DataFrame) -> float:
    """Area under the ROC curve of linear probes, mean over AUs."""
    proba = np.empty(true.shape)
    for j, au in enumerate(Y):
        known = Y[au].notna().to_numpy()
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=1000))
        proba[:, j] = probe.fit(a[known], Y[au][known]).predict_proba(b)[:, 1]
    return float(np.nanmean(roc_auc(true, proba)))


def measure(setting: Setting, spec: str, fold: Fold, record: Record) -> None:
    """Fit a system and probe what it holds."""
    rows = np.flatnonzero(np.isin(setting.corpus.groups, fold.test))
    people, true = setting.corpus.groups[rows], setting.corpus.target[setting.aus].iloc[rows]
    Z = setting.corpus.part(rows, regions=False)
    with training_part(setting, fold, spec) as (X, Y, groups):
        clf = make_estimator(spec, setting.budget, 0).fit(X, Y, groups=groups)
        record.say(f"{spec}, trained on {len(fold.train)} people, probed on {len(fold.test)}")
        for name, a, b in representations(clf, X, groups, Z, people):
            record.say(
                f"  {name:56s} identity leakage {identity_leakage(b, people):5.2f}   AU AUC "
                f"{100 * au_auc(a, Y, b, true):5.1f}"
            )


def main(argv: list[str] | None = None) -> None:
    """Fit the systems and keep what the probes say."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add("--methods", nargs="+", default=["SingleEncoder", "DSN", "LightCNN", "IdenNet"])
    add("--fold", help="its name; default is the first")
    add("--out", type=Path, default=HERE / "results" / "separation.txt")
    args = parser.parse_args(argv)
    setting, folds = open_setting(args, [], ("full",), "separation")
    fold = pick_folds(folds, [args.fold], "--fold")[0] if args.fold else folds[0]
    record = Record(args.out)
    record.say(f"{setting.corpus.name}, crops of {args.size} px, {setting.budget}")
    for spec in args.methods:
        measure(setting, spec, fold, record)
    record.write()


if __name__ == "__main__":
    main()
