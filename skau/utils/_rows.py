"""Whether two inputs that name their rows name them alike: rows are taken by position."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pandas.api.types import is_integer_dtype

from ._text import first_few


def require_same_rows(given: Mapping[str, Any], owners: Mapping[str, Any]) -> None:
    """Raise if what is given names its rows as an owner does, but not one by one.

    Only an index of pandas names rows, and not one that counts from 0. Names of which none is
    the other's tell nothing; nor do whole numbers that differ, which may be counted anew.

    Parameters
    ----------
    given, owners : dict of str to anything
        By the names of the arguments: predictions, groups or weights, and the tables to whose
        rows they belong.
    """
    for argument, values in given.items():
        for owner, table in owners.items():
            rows, others = _row_names(values), _row_names(table)
            if rows is not None and others is not None and not rows.equals(others):
                _refuse_the_same_names(rows, others, argument, owner)


def _row_names(table: Any) -> pd.Index | None:
    rows = getattr(table, "index", None)  # of a list, a method
    named = isinstance(rows, pd.Index) and not rows.equals(pd.RangeIndex(len(rows)))
    return rows if named else None


def _refuse_the_same_names(rows: pd.Index, others: pd.Index, argument: str, owner: str) -> None:
    these, those = set(rows), set(others)
    as_they_stand = f"{argument}.to_numpy() if they stand in the same order"
    if these == those:
        mend = f"{argument}.loc[{owner}.index]" if rows.is_unique else as_they_stand
        raise ValueError(
            f"{argument} names the rows of {owner} in another order, and rows are taken by "
            f"position; pass {mend}"
        )
    if these & those and not (is_integer_dtype(rows.dtype) and is_integer_dtype(others.dtype)):
        surplus = [f"{argument} alone has {first_few(rows[~rows.isin(others)], 3)}"]
        lacking = [f"{owner} alone has {first_few(others[~others.isin(rows)], 3)}"]
        alone = surplus * bool(these - those) + lacking * bool(those - these)
        raise ValueError(
            f"{argument} and {owner} name some of the same rows, but {' and '.join(alone)}; rows "
            f"are taken by position: give both the same rows, or pass {as_they_stand}"
        )
