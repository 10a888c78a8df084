"""What is in the parts of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._kfold import require_groups
from ._stratified import label_table


def fold_table(cv: Any, y: Any, groups: Any) -> pd.DataFrame:
    """Tabulate the test parts of a splitter: their size, and how often each AU is present.

    Parameters
    ----------
    cv : splitter
        Anything with ``split(X, y, groups)``.
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
    0           1     2  0.500000
    1           1     2  0.000000
    all         2     4  0.333333
    """
    table = label_table(y)
    labels = table.values
    subjects = require_groups(groups, len(labels), "fold_table")
    fold_names = getattr(cv, "fold_names", None)
    parts = [test for _, test in cv.split(labels, y, subjects)]
    index = [*(fold_names or range(len(parts))), "all"]
    rows = []
    for part in [*parts, np.concatenate(parts)]:
        annotated = (~np.isnan(labels[part])).sum(axis=0)
        rate = np.nansum(labels[part], axis=0) / np.where(annotated, annotated, np.nan)
        counts = {"subjects": len(set(subjects[part])), "rows": len(part)}
        rows.append({**counts, **dict(zip(table.names, rate, strict=True))})
    return pd.DataFrame(rows, index=index)
