"""What depends on who is shown: across corpora, groups and subjects."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array

from ..utils._arrays import plain
from ..utils._groups import check_groups
from ..utils._labels import as_numbers
from ..utils._rows import require_same_rows
from ..utils._sklearn import Interval, StrOptions, validate_params
from ._frame import f1_frame
from ._table import Scored


@validate_params(
    {"method": [StrOptions({"mean_of_rates", "rate_of_means"})]},
    prefer_skip_nested_validation=True,
)
def drop_rate(orig: Any, new: Any, *, method: str = "mean_of_rates") -> float:
    """Share of the F1 that is lost from one corpus to another (paper 2, section IV-D).

    Parameters
    ----------
    orig : Series or array-like of shape (n_aus,)
        F1 of each AU within the corpus trained on.
    new : Series or array-like of shape (n_aus,)
        F1 of each AU on the other corpus. Two Series are compared over the AUs that both name,
        without the "mean" of ``au_report``; arrays must hold the same AUs.
    method : {"mean_of_rates", "rate_of_means"}, default="mean_of_rates"
        ``mean((orig - new) / orig)`` as paper 2 prints it, or ``1 - mean(new) / mean(orig)``,
        which agrees better with the figures in its text.

    Returns
    -------
    float
        0 if nothing is lost, 1 if everything is, negative for a gain. AUs without an F1 (NaN)
        in either are left out. NaN if none is left, or a rate would divide by an F1 of 0.

    Examples
    --------
    >>> from skau.metrics import drop_rate
    >>> drop_rate([0.8, 0.4], [0.4, 0.4])
    0.25
    >>> round(drop_rate([0.8, 0.4], [0.4, 0.4], method="rate_of_means"), 3)
    0.333
    """
    if isinstance(orig, pd.Series) and isinstance(new, pd.Series):
        shared = orig.index.intersection(new.index, sort=False)
        shared = shared.drop("mean", errors="ignore")  # of au_report, no AU
        if not len(shared):
            raise ValueError(
                f"orig and new share no AU: they name {orig.index.tolist()} and "
                f"{new.index.tolist()}"
            )
        orig, new = orig[shared], new[shared]
    before, after = _read_f1(orig, "orig"), _read_f1(new, "new")
    if before.shape != after.shape or before.ndim != 1:
        raise ValueError(
            f"orig and new must hold one F1 for each of the same AUs, got shapes {before.shape} "
            f"and {after.shape}; Series are matched by name"
        )
    known = ~(np.isnan(before) | np.isnan(after))
    before, after = before[known], after[known]
    largest = [values.max(initial=0) for values in (before, after)]
    if min(largest) > 0 and min(largest) <= 1 < max(largest):
        raise ValueError(
            f"orig holds F1 up to {largest[0]:g} and new up to {largest[1]:g}: one is percent, "
            "and the other is not; give both from 0 to 1, or both in percent"
        )
    if method == "rate_of_means" and len(before):
        before, after = before.mean(keepdims=True), after.mean(keepdims=True)
    if not len(before) or (before == 0).any():
        return float("nan")
    return float(((before - after) / before).mean())


def _read_f1(values: Any, name: str) -> np.ndarray:
    f1 = as_numbers(values, name)
    wrong = f1[(f1 < 0) | (f1 > 100)]
    if wrong.size:
        raise ValueError(f"{name} holds {wrong[0]:g}; an F1 lies between 0 and 1, or 100 percent")
    return f1


def f1_gap(Y_true: Any, Y_pred: Any, groups: Any) -> pd.Series:
    """Difference of each AU's F1 between the group it is best for and the one it is worst for.

    Parameters
    ----------
    Y_true, Y_pred
        As in :func:`f1_frame`.
    groups : array-like of shape (n,)
        The group of each row: gender, age, corpus, or the subject.

    Returns
    -------
    Series of shape (n_aus,)
        0 where all groups fare alike. Groups that never show the AU have no F1 and are left
        out; NaN where fewer than two have one.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or there are fewer than two groups.

    Examples
    --------
    >>> from skau.metrics import f1_gap
    >>> f1_gap([1, 0, 1, 0], [1, 0, 1, 1], groups=["f", "f", "m", "m"])
    y0    0.333333
    Name: f1_gap, dtype: float64
    """
    require_same_rows({"groups": groups}, {"Y_true": Y_true})
    both = Scored(Y_true, Y_pred, None, "Y_pred")
    both.require_binary()
    true, pred = (pd.DataFrame(part, columns=both.names) for part in (both.true, both.other))
    code = check_groups(groups, len(true), of="Y_true")
    names = np.unique(code)
    if len(names) < 2:
        raise ValueError(f"groups names {names.tolist()} alone; a gap needs two groups")
    scores = pd.DataFrame([f1_frame(true[code == name], pred[code == name]) for name in names])
    gap = scores.max() - scores.min()
    return gap.where(scores.notna().sum() > 1).rename("f1_gap")


@validate_params(
    {"n_splits": [Interval(Integral, 2, None, closed="left")]}, prefer_skip_nested_validation=True
)
def identity_leakage(
    features: Any, groups: Any, *, n_splits: int = 5, probe: ClassifierMixin | None = None
) -> float:
    """How well the subject can be told from the features that the AU outputs are computed from.

    A probe learns to name the subject from part of each subject's rows and is tested on the
    rest, in turn. Pass subjects that the model never saw: on those that it was trained on it
    may know everybody by heart.

    Parameters
    ----------
    features : array-like of shape (n, n_features)
        Such as ``clf.transform(X)``.
    groups : array-like of shape (n,)
        The subject of each row.
    n_splits : int, default=5
        Parts of each subject's rows. They are taken in order, so that neighbouring frames of a
        video stay together.
    probe : classifier, default=None
        None is logistic regression on standardised features.

    Returns
    -------
    float
        ``(a - c) / (1 - c)`` with the balanced accuracy ``a`` of the probe and that of chance,
        ``c = 1 / n_subjects``: 0 at chance, 1 if every row gives its subject away. What
        happens to fall below chance is negative.

    Raises
    ------
    ValueError
        If there are fewer than two subjects, or one has fewer than ``n_splits`` rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.metrics import identity_leakage
    >>> groups = np.repeat(["ann", "bob"], 10)
    >>> identity_leakage((groups == "ann").reshape(-1, 1), groups)
    1.0
    """
    require_same_rows({"groups": groups}, {"features": features})
    try:
        X = check_array(plain(features, "features"), dtype=np.float64, input_name="features")
    except (ValueError, OverflowError) as error:  # which does not always name it
        raise ValueError(f"features: {error}") from error
    if np.abs(X).max() > np.finfo(np.float32).max:
        raise ValueError(f"features holds {np.abs(X).max():g}, too large for float32")
    subjects, codes, counts = np.unique(
        check_groups(groups, len(X), of="features"), return_inverse=True, return_counts=True
    )
    if len(subjects) < 2:
        raise ValueError(f"groups names {subjects.tolist()} alone; leakage needs two subjects")
    if counts.min() < n_splits:
        few = str(subjects[counts.argmin()])
        raise ValueError(
            f"groups: {few!r} has {counts.min()} rows, fewer than n_splits={n_splits}; leave the "
            "subject out or lower n_splits"
        )
    if probe is None:
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    told = cross_val_predict(probe, X, codes, cv=StratifiedKFold(n_splits))
    chance = 1 / len(subjects)
    return float((balanced_accuracy_score(codes, told) - chance) / (1 - chance))
