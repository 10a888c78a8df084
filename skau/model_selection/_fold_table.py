"""Tables of a split: what is in its test parts, and how a model did on each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..metrics import au_report
from ..metrics._frame import always_present_f1
from ..utils._rows import require_same_rows
from ._kfold import require_groups
from ._stratified import class_table


def fold_table(cv: Any, y: Any, groups: Any) -> pd.DataFrame:
    """Tabulate the test parts of a splitter: their size, and how often each AU is present.

    Parameters
    ----------
    cv : splitter
        Anything with ``split(X, y, groups)``. Folds without names of their own are called 1, 2,
        ...
    y : array-like of shape (n,) or (n, n_aus)
        Labels 1, 0 and NaN.
    groups : array-like of shape (n,)
        The subject of each row.

    Returns
    -------
    table : DataFrame
        One row a fold, and a last row ``all`` for all test parts together. Columns `subjects` and
        `rows` count them; a column an AU gives its base rate: positives over annotated rows, 0 to
        1, NaN without any.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import SubjectKFold, fold_table
    >>> Y = np.array([[1], [0], [0], [np.nan]])
    >>> fold_table(SubjectKFold(2), Y, ["a", "a", "b", "b"])
         subjects  rows        y0
    1           1     2  0.500000
    2           1     2  0.000000
    all         2     4  0.333333
    """
    labels = class_table(y).frame()
    require_same_rows({"groups": groups}, {"y": y})
    subjects = require_groups(groups, len(labels), "fold_table", of="y")
    parts = _test_parts(cv, y, subjects)
    tested = [*parts.values(), np.concatenate(list(parts.values()))]
    rows = [
        {"subjects": len(set(subjects[part])), "rows": len(part), **labels.iloc[part].mean()}
        for part in tested
    ]
    return pd.DataFrame(rows, index=[*parts, "all"])


def _test_parts(cv: Any, y: Any, groups: Any) -> dict[str, np.ndarray]:
    """Return the rows of each test part, by names of its own or 1, 2, ..."""
    parts = [test for _, test in cv.split(y, y, groups)]
    names = getattr(cv, "fold_names", None) or [str(i + 1) for i in range(len(parts))]
    return dict(zip(names, parts, strict=True))


def fold_reports(cv: Any, y: pd.DataFrame, proba: np.ndarray, groups: Any) -> pd.DataFrame:
    """Report each test part of a splitter.

    Parameters
    ----------
    cv : splitter
        Folds without names of their own are called 1, 2, ...
    y : DataFrame of shape (n, n_aus)
        Labels 1, 0 and NaN.
    proba : ndarray of shape (n, n_aus)
        Probabilities by models that have not seen the people of the row, as
        :func:`cross_val_predict` gives them.
    groups : array-like of shape (n,)
        The subject of each row.

    Returns
    -------
    DataFrame
        The rows of :func:`skau.metrics.au_report`, by ``fold`` and ``au``, with
        ``f1_always_present`` beside ``f1``: that of calling the AU present in every frame. Both
        are NaN where it is in none, and count in no mean.
    """
    parts = _test_parts(cv, y, groups)
    reports = {name: au_report(y.iloc[test], proba[test]) for name, test in parts.items()}
    table = pd.concat(reports, names=["fold", "au"])
    always = always_present_f1(table["base_rate"])
    means = always.index.get_level_values("au") == "mean"
    always[means] = always[~means].groupby("fold", sort=False).mean().to_numpy()
    table.insert(list(table).index("f1") + 1, "f1_always_present", always)
    return table
