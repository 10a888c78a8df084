"""The one form every corpus takes, and what its labels mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ..utils._sklearn import Interval

UNKNOWN = (9, -1, 999)
"""What the corpora and the tools around them write where an AU could not be scored."""
_CODES = (77, 88, 99, 777, 888, 999, 9999)  # what statistics programs and their users write, too

DOCS = {
    "corpus": """
as_frame : bool, default=True
    Give `target` and `frame` as DataFrames; with False, `target` is an array and `frame` None.

Returns
-------
corpus : :class:`~sklearn.utils.Bunch`
    As every loader returns it (see :mod:`skau.datasets`), with
""",
    "target": """
target : DataFrame of shape (n, n_aus)
    1.0 present, 0.0 absent, NaN unknown. Columns ``AUn``.
""",
    "folds": """
folds : dict of str to list of str
    The test parts P1, P2, P3 that JAA-Net and ME-GraphAU use (of BP4D AUNets, too), for
    :class:`~skau.model_selection.PredefinedSubjectSplit`. Others divide the people in another
    way: only results on the same folds can be compared.
""",
}
"""What the docstrings of the loaders and of `stack_corpora` say alike."""


def au_names(
    aus: Iterable[int | str], *, coded: Iterable[int] | None = None, corpus: str = ""
) -> list[str]:
    """Return names such as ``AU4`` for 4, "4", "AU4" or "AU04", if the corpus codes them."""
    names = []
    if isinstance(aus, str) or not isinstance(aus, Iterable):
        raise ValueError(f"aus must be a list of AUs such as [4, 'AU12'], not {aus!r}.")
    for au in aus:
        match = re.fullmatch(r"(?:AU[ _-]?)?0*(\d+)", str(au).strip(), flags=re.IGNORECASE)
        if not match:
            raise ValueError(f"aus must hold AU numbers such as 4 or 'AU4', not {au!r}.")
        names.append(f"AU{match[1]}")
    if len(set(names)) < len(names):
        raise ValueError(f"aus names an AU twice: {names}.")
    strange = [] if coded is None else [au for au in names if int(au[2:]) not in set(coded)]
    if strange:
        raise ValueError(f"{', '.join(strange)} is not coded in {corpus}; AUs {coded} are.")
    return names


def code_labels(
    values: pd.DataFrame,
    where: str,
    *,
    threshold: float | None = None,
    unknown: Sequence[float] = UNKNOWN,
    highest: float | None = None,
) -> pd.DataFrame:
    """Turn codes or intensities into 1.0, 0.0 and NaN.

    Unknown codes and empty cells give NaN. Without a threshold the rest has to be 0 or 1; with
    one, a value is positive from the threshold on. `highest` is the largest intensity that the
    corpus uses: anything beyond it, or below 0, is an error and no label.
    """
    if threshold is not None and not Interval(Real, None, None, closed="neither").is_satisfied_by(
        threshold
    ):
        raise ValueError(f"threshold must be a finite number, not {threshold!r}.")
    if threshold is not None and highest is not None and not 0 < threshold <= highest:
        raise ValueError(f"threshold must be above 0 and at most {highest:g}, not {threshold!r}.")
    if np.ndim(unknown) != 1 or not all(isinstance(code, Real) for code in unknown):
        raise ValueError(f"unknown must be a list of numbers, not {unknown!r}; [] is none.")
    raw = values.apply(pd.to_numeric, errors="coerce").astype(float)
    text = values.notna() & raw.isna()
    if text.to_numpy().any():
        row, column = np.argwhere(text.to_numpy())[0]
        raise ValueError(
            f"{where}: labels have to be numbers, but {raw.columns[column]} of row "
            f"{raw.index[row]} is {values.iat[row, column]!r}. Write 1 where an AU is present, 0 "
            "where it is absent, nothing where it is unknown, and 1 to 5 for intensities A to E."
        )
    known = raw.mask(raw.isin(list(unknown)))
    if threshold is None:
        bad = known.notna() & ~known.isin([0, 1])
        meaning = "0 or 1 (pass a threshold if these are intensities)"
    elif highest is not None:
        bad = known.notna() & ~(known.ge(0) & known.le(highest))
        meaning = f"an intensity from 0 to {highest:g}"
    else:
        bad = known.isin([np.inf, -np.inf])
        meaning = "finite"
        if len(unknown) and not bad.any(axis=None):
            # other codes of it would count as absent or present
            codes = known.isin(_CODES)
            small = not known.mask(codes).gt(10).any(axis=None)
            lowest = -1 if 0 in unknown else 0  # -1 is absent where 0 is unknown
            bad |= known.lt(lowest) | (codes & small)
            meaning = "an intensity (pass unknown=[] if it is one)"
    if bad.to_numpy().any():
        row, column = np.argwhere(bad.to_numpy())[0]
        raise ValueError(
            f"{where}: {raw.columns[column]} of row {raw.index[row]} is "
            f"{raw.to_numpy()[row, column]:g}, which is neither {meaning} nor an unknown code "
            f"({', '.join(f'{code:g}' for code in unknown)}). Write nothing where it is not known."
        )
    return known if threshold is None else known.ge(threshold).astype(float).where(known.notna())


def make_bunch(
    name: str,
    images: Any,
    groups: Iterable[Any],
    target: pd.DataFrame,
    *,
    extra: pd.DataFrame | None = None,
    folds: Mapping[str, Sequence[str]] | None = None,
    descr: str,
    as_frame: bool = True,
) -> Bunch:
    """Put a corpus together: rows of images, groups, extra and target belong to each other.

    A list of paths becomes an array, so that it can be indexed with rows or a mask. `extra` holds
    any further columns of `frame` (frame number, pain score, age, ...).
    """
    target = target.reset_index(drop=True).astype(float)
    paths = isinstance(images, list)
    images = np.array(images, dtype=object) if paths else images
    subjects = np.asarray([str(subject) for subject in groups], dtype=str)
    head = {"image": images} if paths else {}
    frame = pd.DataFrame({**head, "subject": subjects})
    if extra is not None:
        extra = extra.reset_index(drop=True)
        frame = pd.concat([frame, extra.drop(columns=target.columns, errors="ignore")], axis=1)
    annotated = target.notna().any(axis=1)
    annotation = f"{annotated.sum()} are annotated for at least one of {target.shape[1]} AUs"
    counts = (
        f"{len(subjects)} images of {len(set(subjects))} subjects; "
        f"{annotation if target.shape[1] else 'no AU is annotated'}."
    )
    return Bunch(
        name=name,
        images=images,
        target=target if as_frame else target.to_numpy(copy=True),
        groups=subjects,
        frame=pd.concat([frame, target], axis=1) if as_frame else None,
        au_names=list(target.columns),
        folds=None if folds is None else {fold: list(part) for fold, part in folds.items()},
        DESCR=f"{name}\n{'=' * len(name)}\n\n{counts}\n\n{descr.strip()}\n",
    )
