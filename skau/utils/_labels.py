"""Label tables: the one reader of their values and names, and which column is which AU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from ._arrays import plain
from ._text import first_few
from ._unwrap import fitted_attribute

_MEND = (
    "labels are 0 (absent), 1 (present) and NaN (not annotated), so map unknown codes to NaN and "
    "threshold intensities first"
)
_LABELS, _ANY = "the numbers 0, 1 and NaN", "numbers"


class LabelTable(NamedTuple):
    """Labels or predictions, a column an AU."""

    values: np.ndarray  # (n, n_aus) float64
    given: list[str] | None  # the names of the columns; None where nobody gave any
    one_column: bool  # came as (n,) or (n, 1)

    @property
    def names(self) -> list[str]:
        """The names of the columns, or y0, y1, ..."""
        return default_names(self.values.shape[1]) if self.given is None else self.given

    def frame(self) -> pd.DataFrame:
        """Return the values as a DataFrame."""
        return pd.DataFrame(self.values, columns=self.names)

    def match(
        self, wanted: Sequence[str] | None, n_wanted: int, argument: str, owner: str
    ) -> LabelTable:
        """Bring the columns into an order: by name where both have names, else by position.

        Names that nobody gave, y0, y1, ..., count as such where the others are the same.

        Parameters
        ----------
        wanted : sequence of str, or None
            The names in that order.
        n_wanted : int
            How many there are.
        argument, owner : str
            For messages: what this table is called, and whose the names are.

        Raises
        ------
        ValueError
            If a name is missing or too many, or, without names, the numbers of columns differ.
        """
        known = default_names(n_wanted) if wanted is None else list(wanted)
        plain_names = known == default_names(n_wanted)
        unnamed = self.given is None or self.given == default_names(len(self.given))
        if (unnamed or plain_names) and set(self.given or ()) != set(known):
            if self.values.shape[1] != n_wanted:
                raise ValueError(
                    f"{argument} has {_columns(self.values.shape[1])}, but {owner} has "
                    f"{n_wanted}: {first_few(known, 20)}; give a column for each, in that order"
                )
            return self if plain_names else self._replace(given=known)
        given = self.names
        lacking = [name for name in known if name not in given]
        surplus = [name for name in given if name not in known]
        if lacking or surplus:
            wrong = [f"lacks {first_few(lacking, 20)}"] * bool(lacking)
            wrong += [f"has {first_few(surplus, 20)}"] * bool(surplus)
            raise ValueError(
                f"{argument} {' and '.join(wrong)}, but {owner} has {first_few(known, 30)}. "
                "Columns are matched by name: pass "
                f"{argument}.reindex(columns=[...]) with those names, which fills in NaN, or "
                "an array, whose columns are taken by position"
            )
        order = [given.index(name) for name in known]
        return LabelTable(self.values[:, order], known, self.one_column)


def _columns(n: int) -> str:
    return f"{n} column{'s' * (n != 1)}"


def default_names(n_aus: int) -> list[str]:
    """Return the names of columns that have none."""
    return [f"y{j}" for j in range(n_aus)]


def read_names(Y: Any, argument: str = "y") -> list[str] | None:
    """Return the names of a table's columns, or of a Series; None where there are none.

    Columns numbered 0, 1, ..., as pandas does by itself, have none; in another order they are
    called y1, y0, ..., by their numbers.
    """
    if isinstance(Y, pd.Series):
        return None if Y.name is None else [str(Y.name)]
    columns = getattr(Y, "columns", None)
    if columns is None or list(columns) == list(range(len(columns))):
        return None
    numbered = set(columns) == set(range(len(columns)))
    names = [f"y{int(name)}" if numbered else str(name) for name in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"{argument} has several columns called {first_few(map(repr, twice))}; each AU needs "
            "a name of its own"
        )
    return names


def read_table(Y: Any, argument: str = "y", *, binary: bool = True) -> LabelTable:
    """Read labels, decisions or probabilities of any form.

    Parameters
    ----------
    Y : array-like, DataFrame or Series of shape (n, n_aus) or (n,)
        None, pandas' NA and NaN are missing.
    argument : str
        What the caller's user knows it by.
    binary : bool
        Whether all that is there must be 0 or 1, and not just finite.

    Raises
    ------
    ValueError
        If the shape, a value or a name cannot be; the message tells which.
    """
    given, array = read_names(Y, argument), label_array(Y, argument)
    values = _numbers(array, argument, _LABELS if binary else _ANY)
    if values.ndim not in (1, 2):
        raise ValueError(f"{argument} must have shape (n, n_aus) or (n,), got {values.shape}")
    values = values[:, None] if values.ndim == 1 else values
    table = LabelTable(values, given, values.shape[1] == 1)
    if binary:
        _check_binary(table, argument, encoded_hint(array))
    elif np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"{argument}: row {row}, column {table.names[column]} is infinite; give a finite "
            "number, or NaN where nothing is known"
        )
    return table


def read_predictions(Y: Any, labels: pd.DataFrame, argument: str, owner: str) -> pd.DataFrame:
    """Read what was predicted in the rows of labels, and bring it into the order of their columns.

    Parameters
    ----------
    Y : array-like, DataFrame or Series of shape (n, n_aus) or (n,)
        Decisions, probabilities or logits, matched by name where both have names; that of a
        Series, "predicted" or so, is none of an AU.
    labels : DataFrame of shape (n, n_aus)
    argument, owner : str
        For messages: what the predictions and the labels are called.

    Raises
    ------
    ValueError
        If it is no table of numbers, or another than that of the labels.
    """
    table = read_table(Y, argument, binary=False)
    if isinstance(Y, pd.Series):
        table = table._replace(given=None)
    shape = table.values.shape
    if shape[0] != len(labels):
        raise ValueError(
            f"{owner} has shape {labels.shape}, but {argument} {shape}; a row is a frame in both"
        )
    if labels.shape[1] == 1 and shape[1] == 2:
        raise ValueError(
            f"{owner} holds one AU, but {argument} has shape {shape}: after one column of labels "
            f"predict_proba gives the probabilities of absent and present; pass {argument}[:, 1]"
        )
    table = table.match(labels.columns.tolist(), labels.shape[1], argument, owner)
    return pd.DataFrame(table.values, index=labels.index, columns=labels.columns)


def as_numbers(values: Any, argument: str) -> np.ndarray:
    """Return numbers of any form and shape as float64; None, pandas' NA, masked ones are NaN."""
    try:
        array = np.asarray(plain(values, argument))
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{argument} must hold {_ANY}: {error}") from error
    return _numbers(array, argument, _ANY)


def label_array(Y: Any, argument: str = "y") -> np.ndarray:
    """Return an array in which a missing value is one, among strings too."""
    Y = plain(Y, argument)
    try:
        array = np.asarray(Y)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{argument} is no table: {error}") from error
    if array.ndim == 0 or array.dtype.names:
        raise TypeError(
            f"{argument} is a {type(Y).__name__}; expected a DataFrame, or an array of shape "
            "(n, n_aus) or (n,) of 0, 1 and NaN" + ": .toarray() makes one" * issparse(Y)
        )
    if array.dtype.kind == "U" and pd.isna(np.asarray(Y, dtype=object)).any():
        return np.asarray(Y, dtype=object)  # NumPy makes a NaN the label "nan"
    return _unboxed(array, argument) if array.dtype == object and array.ndim == 1 else array


def _unboxed(array: np.ndarray, argument: str) -> np.ndarray:
    """Return numbers beside missing values as floats, which pandas keeps as objects."""
    known = array[~pd.isna(array)]
    if any(isinstance(label, list | tuple | set | np.ndarray) for label in known):
        raise ValueError(
            f"{argument} holds lists or arrays in the cells of one column; each AU needs a "
            f"column: pass np.stack({argument}) if they are rows of 0, 1 and NaN"
        )
    if len(known) and all(isinstance(label, bool | np.bool_ | Number) for label in known):
        return _numbers(array, argument, _LABELS)
    return array


def encoded_hint(array: np.ndarray) -> str:
    """Say who may have made 2 of NaN, where labels are the whole numbers 0, 1 and 2."""
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() == 2:
        return (
            ". If they were NaN before, scikit-learn's cross_val_predict has encoded them: use "
            "skau.model_selection.cross_val_predict"
        )
    return ""


def _numbers(array: np.ndarray, argument: str, wanted: str) -> np.ndarray:
    if array.dtype.kind in "US":  # "0" and "1", with which NumPy mixes no number
        array = array.astype(object)
    if array.dtype.kind in "cmM":
        raise TypeError(f"{argument} must hold {wanted}, got {array.dtype}")
    try:
        return np.where(pd.isna(array), np.nan, array).astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        place, mend = _first_that_is_none(array), f"; {_MEND}" * (wanted == _LABELS)
        raise ValueError(f"{argument} must hold {wanted}{place or f': {error}'}{mend}") from error


def _first_that_is_none(array: np.ndarray) -> str:
    """Say where the first thing stands that is no number."""
    for place, value in np.ndenumerate(array):
        try:
            float(np.nan if value is None or value is pd.NA else value)
        except (TypeError, ValueError, OverflowError):
            names = ("row", "column") if array.ndim <= 2 else ()
            told = ", ".join(f"{name} {i}" for name, i in zip(names, place, strict=False))
            return f", but {told} holds {value!r:.80}" if told else ""
    return ""


def _check_binary(table: LabelTable, argument: str, hint: str) -> None:
    wrong = ~np.isnan(table.values) & ~np.isin(table.values, (0, 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        name = column if table.given is None else repr(table.given[column])
        raise ValueError(
            f"{argument}: row {row}, column {name} holds {table.values[row, column]:g}; {_MEND}"
            f"{hint}"
        )


def require_probabilities(table: pd.DataFrame, argument: str) -> None:
    """Raise if a number is no probability; NaN was not predicted."""
    values = table.to_numpy(float)
    if len(wrong := np.argwhere((values < 0) | (values > 1))):
        row, column = wrong[0]
        raise ValueError(
            f"{argument}: row {table.index[row]}, column {table.columns[column]} holds "
            f"{values[row, column]:g}; probabilities lie between 0 and 1, as those of "
            "predict_proba"
        )


def code_present(y: Any, classes: Any) -> pd.Series:
    """Code a 1-D ``y`` of a classifier's two classes as 0, 1 and NaN."""
    if len(classes) != 2 or np.ndim(classes[0]):
        raise ValueError(
            "Only binary classification is supported: a 1-D y holds one AU, but the estimator "
            f"knows {len(classes)} classes: {first_few(classes)}; pass a column of 0 and 1 for "
            "each"
        )
    values = label_array(y)
    known = ~pd.isna(values)  # pandas' NA equals nothing, and not even nothing
    if unknown := set(values[known].tolist()).difference(classes):
        raise ValueError(
            f"y holds {first_few(map(repr, sorted(unknown, key=str)))}, which classes_ "
            f"{np.asarray(classes).tolist()} does not name; give the labels of fit, and NaN where "
            "nothing is known"
        )
    present = np.full(len(values), np.nan)
    present[known] = values[known] == classes[1]
    return pd.Series(present, name=getattr(y, "name", None))


def fitted_names(model: Any) -> list[str] | None:
    """Return the names of the AUs that a fitted model predicts; None where it knows none."""
    names = fitted_attribute(model, "au_names_")
    return None if names is None else [str(name) for name in names]


def present_proba(proba: Any, single: bool, classes: Any = None) -> np.ndarray:
    """Return the probability that each AU is present, (n, n_aus), whatever the classifier gave.

    Parameters
    ----------
    proba : ndarray of shape (n, n_aus), or (n, 2) of the classes of one AU, or list of such
    single : bool
        Whether it is of one AU.
    classes : array, or list of arrays where ``proba`` is a list, optional
        The classes of an AU, of which the larger is "present"; 0 and 1 where they are not given.
        Of one that was seen alone, 1 is.
    """
    if isinstance(proba, list):
        if classes is None and any(np.shape(p)[1] == 1 for p in proba):
            raise ValueError(
                "model gives an output of one class, and has no classes_ that say which it is"
            )
        known = [None] * len(proba) if classes is None else classes
        return np.hstack([present_proba(p, True, c) for p, c in zip(proba, known, strict=True)])
    proba = np.asarray(proba, dtype=float)
    if not single or proba.ndim == 1:
        return proba
    if proba.shape[1] > 2:
        raise ValueError(
            f"model predicts {proba.shape[1]} classes of one output; an AU has two, absent "
            "and present: fit it on labels of 0 and 1"
        )
    if proba.shape[1] == 1 and np.shape(classes) == (1,):
        return np.full_like(proba, classes[0] == 1)
    return proba[:, -1:]


def read_thresholds(threshold: Any, names: Sequence[str]) -> pd.Series:
    """Return the threshold of each AU, given as one number, one an AU in order, or by name."""
    if isinstance(threshold, Mapping | pd.Series):
        if lacking := [name for name in names if name not in threshold]:
            raise ValueError(
                f"threshold has none for {first_few(lacking)}; give every AU one: "
                f"dict.fromkeys(names, 0.5) | {{{names[0]!r}: 0.3}}"
            )
        threshold = [threshold[name] for name in names]
    values = as_numbers(threshold, "threshold")
    if values.ndim and values.shape != (len(names),):
        raise ValueError(
            f"threshold must be a number or hold one for each of the {len(names)} AUs, got shape "
            f"{values.shape}"
        )
    each = pd.Series(np.broadcast_to(values, len(names)), index=list(names))
    if each.isna().any():
        raise ValueError(
            f"threshold is NaN for {first_few(each.index[each.isna()])}; give a number, such as "
            "0.5, above which an AU is present"
        )
    return each
