"""CSV files as other programs write them, and which of their columns are AUs."""

from __future__ import annotations

import csv
import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.errors import ParserWarning

from ..utils._text import first_few
from ..utils._warnings import own_filters, user_level
from ._bunch import au_names

_PLAIN = re.compile(r"AU[ _#-]?0*(\d+)", re.IGNORECASE)
# OpenFace: presence (0, 1) and intensity (0 to 5) of each AU.
_PRESENCE = re.compile(_PLAIN.pattern + "_c", re.IGNORECASE)
_INTENSITY = re.compile(_PLAIN.pattern + "_r", re.IGNORECASE)
# AU12, AUR12 and AUL12 of one side, FaceAU12, A.U. 12, Action Unit 12; or a number by itself.
_ALIKE = re.compile(
    r"(?:(?<![a-z])F?|(?-i:(?<=[a-z])(?=AU)))A\.?U\.?[LR]?[ _.:#(-]*0*(\d+)"
    r"|action[ _]?unit[ _#]*0*(\d+)|^0*([1-9]\d?)$",
    re.IGNORECASE,
)
# What AFFDEX and iMotions call them (D. McDuff et al., "AFFDEX SDK", CHI EA 2016), without blanks;
# FACS (P. Ekman, W. V. Friesen, J. C. Hager, 2002) names who does it: inner brow raiser.
_AFFDEX = {
    "innerbrowraise": 1, "browraise": 2, "browfurrow": 4, "eyewiden": 5, "cheekraise": 6,
    "lidtighten": 7, "nosewrinkle": 9, "upperlipraise": 10, "smile": 12, "dimpler": 14,
    "lipcornerpuller": 12, "lipcornerdepressor": 15, "chinraise": 17, "browlower": 4,
    "outerbrowraise": 2, "upperlidraise": 5, "lippucker": 18, "lipstretch": 20, "lippress": 24,
    "mouthopen": 25, "jawdrop": 26, "lipsuck": 28, "eyeclosure": 43,
}  # fmt: skip


class Csv(NamedTuple):
    """A table from a file; the index are the lines of the file, as an editor counts."""

    values: pd.DataFrame  # of the types that pandas finds
    text: pd.DataFrame  # the same cells as they are written, without blanks around them


def read_csv(path: Path) -> Csv:
    """Read a table with a header in its first line.

    Commas, semicolons, tabs or bars separate it; a line "sep=;" before it and a byte order mark,
    which Excel writes, are understood, and rows of empty cells are left out. Other rows need a
    cell for each name in the header. Names of columns lose the blanks around them, and breaks of
    lines in them are blanks.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} cannot be read: {error}. It must be text in UTF-8 (in Excel: 'CSV UTF-8')."
        ) from None
    whole = text
    told = re.match(r'\s*"?sep=(.|\\t)"?[ \t,;]*\r?\n', text, re.IGNORECASE)
    text = text[told.end() if told else 0 :].lstrip("\r\n")
    if told:
        separator = told[1].replace("\\t", "\t")
    else:
        head = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
        separator = max(",;\t|", key=head.count)
    first = whole[: len(whole) - len(text)].count("\n") + 2  # the row below the header
    # where semicolons separate, a comma may stand for the decimal point
    decimal = "," if separator != "," and re.search(r"[;\t|]-?\d+,\d+\s*[;\t|\r\n]", text) else "."
    options: dict[str, Any] = {
        "sep": separator, "skipinitialspace": True, "index_col": False, "skip_blank_lines": False,
    }  # fmt: skip
    try:
        with own_filters():
            warnings.simplefilter("error", ParserWarning)
            head = pd.read_csv(StringIO(text), header=None, nrows=1, dtype=str, **options)
            names = _header([column_name(name) for name in head.iloc[0].fillna("")], path)
            options |= {"header": 0, "names": names}
            cells = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False, **options)
            cells = cells.fillna("").apply(lambda column: column.str.strip())
            filled = (cells != "").any(axis=1).to_numpy()  # Excel writes rows that were emptied
            options["skiprows"] = (np.flatnonzero(~filled) + 1).tolist()
            values = pd.read_csv(StringIO(text), decimal=decimal, **options)
    except (ParserWarning, ValueError) as error:  # pandas' own errors are ValueErrors
        wrong = _long_row(text, separator, first) or f" cannot be read: {error}."
        raise ValueError(f"{path}{wrong}") from None
    if wrong := _short_row(text, separator, first):
        raise ValueError(f"{path}{wrong}")
    cells.index = pd.RangeIndex(first, len(cells) + first)
    cells = cells[filled]
    return Csv(values.set_index(cells.index), cells)


def column_name(name: object) -> str:
    """Return a name without what nobody sees in it: blanks around it, breaks of lines."""
    return " ".join(str(name).split())


def _cells(text: str, separator: str) -> list[list[str]]:
    """Return the cells of each row, none if they cannot be told."""
    try:
        return list(csv.reader(StringIO(text), delimiter=separator, skipinitialspace=True))
    except csv.Error:  # a quote that nobody closes, perhaps; pandas says where
        return []


def _long_row(text: str, separator: str, first: int) -> str:
    """Say which row has more cells than the header, as an editor counts; "" is none."""
    rows = _cells(text, separator)
    long = [number for number, row in enumerate(rows, first - 1) if len(row) > len(rows[0])]
    if not long:
        return ""
    return (
        f": row {long[0]} has more cells than the header has names; put a cell that holds "
        f"{separator!r} in quotes, or name its last column."
    )


def _short_row(text: str, separator: str, first: int) -> str:
    """Say which row lacks cells under the header's names; "" is none. Empty rows may."""
    short, named = [], 0
    for number, row in enumerate(_cells(text, separator), first - 1):
        width = max((place for place, cell in enumerate(row, 1) if cell.strip()), default=0)
        named = width if number == first - 1 else named
        if width and len(row) < named:
            short.append(number)
    if not short:
        return ""
    return (
        f": row {first_few(short)} has fewer cells than the header has names. If it was cut off "
        "or a cell was lost, write it anew. If its last cells are empty, separate them all the "
        "same, as Excel does if the last column is filled in every row."
    )


def _header(names: list[str], path: Path) -> list[str]:
    """Make names unique that occur twice, as pandas does, but for those of AUs."""
    unique: list[str] = []
    for place, name in enumerate(names):
        name = name or f"Unnamed: {place}"
        if name in unique and (_ALIKE.search(name) or name.lower() in ("image", "subject")):
            raise ValueError(f"two columns are called {name!r}; keep one of them")
        again = 1
        while name in unique:
            name, again = f"{names[place]}.{again}", again + 1
        unique.append(name)
    return unique


def label_columns(
    table: pd.DataFrame,
    aus: Mapping[int | str, str] | Iterable[int | str] | None,
    path: Path,
    intensities: bool,
) -> dict[str, str]:
    """Return the column of each AU; warn of columns that look like an AU and are not read.

    Parameters
    ----------
    table : DataFrame
    aus : mapping, iterable or None
        As `load_faces` takes it.
    path : Path
        For messages.
    intensities : bool
        Whether OpenFace's intensities are wanted, and not its presences.
    """
    if isinstance(aus, Mapping):
        return dict(zip(au_names(aus), map(column_name, aus.values()), strict=True))
    columns = [str(column) for column in table]
    suffixed = _INTENSITY if intensities else _PRESENCE
    found = _named(columns, _PLAIN, path) or _named(columns, suffixed, path)
    if intensities and not found and (present := _named(columns, _PRESENCE, path)):
        raise ValueError(
            f"{path} has columns of presences, {first_few(present.values())}, and none of "
            "intensities: read it without a threshold, or call columns of intensities AU1_r."
        )
    if aus is None:
        known = {int(au[2:]) for au in found}
        alike = [
            column
            for column in columns
            if (number := _resembled(column)) is not None and number not in known
        ]
        if alike:
            warnings.warn(
                f"{path}: not read as AUs: {first_few(alike, 30)}. {_mend(alike, found, columns)}",
                stacklevel=user_level(),
            )
        return found
    wanted = au_names(aus)
    absent = [au for au in wanted if au not in found]
    if absent:
        raise ValueError(
            f"{path} has no column for {first_few(absent)}; it has {first_few(found, 30)}, in the "
            f"columns {first_few(columns, 30)}. Leave it out of aus, or name the column: "
            f"aus={{{absent[0]!r}: ...}}."
        )
    return {au: found[au] for au in wanted}


def _named(columns: list[str], pattern: re.Pattern[str], path: Path) -> dict[str, str]:
    """Return the columns whose whole name is that of an AU."""
    found: dict[str, str] = {}
    for column in columns:
        if match := pattern.fullmatch(column):
            au = f"AU{match[1]}"
            if au in found:
                raise ValueError(
                    f"{path}: {found[au]!r} and {column!r} both name {au}; rename one, or say "
                    f"which to read: aus={{{au!r}: {column!r}, ...}}."
                )
            found[au] = column
    return found


def _resembled(column: str) -> int | None:
    """Return the number of the AU that a column's name looks like."""
    column = unicodedata.normalize("NFKC", column)
    column = "".join(c for c in column if unicodedata.category(c) != "Cf")  # which nobody sees
    if match := _ALIKE.search(column):
        return int(match[1] or match[2] or match[3])
    name = re.sub("[ _]", "", column).lower()
    return _AFFDEX.get(name, _AFFDEX.get(name.removesuffix("r"), _AFFDEX.get(name[:-2])))


def _mend(alike: list[str], found: dict[str, str], columns: list[str]) -> str:
    """Say how to read the columns that were not."""
    if not found and all(_INTENSITY.fullmatch(column) for column in alike):
        return "They are intensities: pass threshold=, the value from which on an AU is present."
    example = f"'AU{_resembled(alike[0])}': {alike[0]!r}"
    return f"If they hold labels, name all columns to read: aus={{{example}, ...}}."
