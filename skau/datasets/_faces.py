"""Anyone's own faces: the loader of a folder of images and a table."""

from __future__ import annotations

import os
import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._paths import as_path
from ..utils._docs import substitute
from ..utils._text import first_few
from ..utils._warnings import user_level
from ._bunch import DOCS, UNKNOWN, code_labels, make_bunch
from ._csv import column_name, label_columns, read_csv
from ._folders import Gaps, visible, wrong_folder

DESCR = """\
Read from {csv}. Labels: {labels}, NaN unknown or not annotated.
"""


@substitute(DOCS)
def load_faces(
    folder: str | os.PathLike[str],
    csv: str | os.PathLike[str] | None = None,
    *,
    image: str = "image",
    subject: str = "subject",
    aus: Mapping[int | str, str] | Iterable[int | str] | None = None,
    threshold: float | None = None,
    unknown: Sequence[float] = UNKNOWN,
    name: str | None = None,
    as_frame: bool = True,
) -> Bunch:
    r"""Load your own images and labels: a folder and a CSV file with one row an image.

    Parameters
    ----------
    folder : str or path
        The folder to which the paths in the table are relative.
    csv : str or path, default=None
        The table, relative to `folder` or absolute: text in UTF-8, separated by commas,
        semicolons or tabs, as Excel writes it too. None takes the only ``.csv`` file in `folder`.
    image, subject : str, default="image", "subject"
        The columns with the path of the image and with who it shows. Subjects are names: "001"
        stays "001".
    aus : mapping, iterable of int or str, or None, default=None
        Where the labels are. None takes the columns called ``AUn`` (``AU4``, ``AU04``, ``au 4``,
        as Py-Feat's), or, if there are none, OpenFace's ``AU04_c``, and with a `threshold` its
        intensities ``AU04_r``. An iterable picks some of these. A mapping gives the column of
        each AU, for example ``{"AU12": "smiling"}`` or ``{4: "brow_lowerer"}``. A table without
        any gives identities only: a target without columns.
    threshold : float, default=None
        For intensities: the value from which on an AU is positive. None expects 0 and 1.
    unknown : sequence of float, default=(9, -1, 999)
        Codes that give NaN, as empty cells do. Where 1 is present, -1 absent and 0 unknown, pass
        ``unknown=[0], threshold=1``. Where -1 is a true intensity, pass ``unknown=[]``. Else
        intensities below 0, and 77, 88, 99 and such beside others up to 10, are errors, whatever
        codes are named.
    name : str, default=None
        The corpus name, which :func:`stack_corpora` uses. None takes the name of the folder.
    {corpus}

        {target}
        groups : ndarray of shape (n,), dtype str
            The subjects.
        frame : DataFrame
            Columns image, subject, the other columns of the table, and the AUs. Other columns
            that are called so as well are image.1 and subject.1.

    Raises
    ------
    FileNotFoundError
        If the table or all of the images are not there.
    ValueError
        If a column is missing, two columns name one AU, a row lacks cells, an image or subject,
        an image is listed twice, or a label is none of the values allowed.

    Warns
    -----
    UserWarning
        For rows whose image is not there (left out), for subjects left out by it, for subjects
        that are written alike and may be one person, for columns that look like an AU and are
        not read, and where no label reaches `threshold`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skau.datasets import load_faces
    >>> with TemporaryDirectory() as folder:
    ...     for path in ["a1.png", "a2.png", "b1.png"]:
    ...         _ = Path(folder, path).write_bytes(b"")
    ...     table = "image,subject,smile\na1.png,ann,1\na2.png,ann,9\nb1.png,bob,0"
    ...     _ = Path(folder, "faces.csv").write_text(table)
    ...     faces = load_faces(folder, aus={"AU12": "smile"})
    >>> faces.frame[["subject", "AU12"]]
      subject  AU12
    0     ann   1.0
    1     ann   NaN
    2     bob   0.0
    """
    root = as_path(folder, "folder")
    path = _find_table(root, None if csv is None else as_path(csv, "csv"))
    table, as_text = read_csv(path)
    if not len(table):
        raise ValueError(f"{path} has no rows; write one an image below the names of columns.")
    image, subject = column_name(image), column_name(subject)
    columns = label_columns(table, aus, path, threshold is not None)
    for role, column in {"image": image, "subject": subject, **columns}.items():
        if column not in table:
            raise ValueError(
                f"{path} has no column {column!r} for {role}; its columns are "
                f"{first_few(table.columns, 30)}. Name the right one with "
                f"{'aus={...}' if role.startswith('AU') else f'{role}=...'}."
            )
    # Paths and subjects are text: "001" is not 1, and somebody may be called "NA".
    for column in (image, subject):
        table[column] = as_text[column]
        empty = table.index[table[column] == ""]
        if len(empty):
            raise ValueError(
                f"{path}: no {column} in row {first_few(empty)}; fill it in, or delete such rows."
            )
    table[image] = _as_here(root, table[image])
    table[subject] = table[subject].map(partial(unicodedata.normalize, "NFC"))  # macOS writes NFD
    if alike := _alike(table[subject].unique()):
        warnings.warn(
            f"{path}: subjects {first_few(map(' and '.join, alike))} may be one person, and count "
            "as several; write one person alike in all rows, or results on unseen people are not",
            stacklevel=user_level(),
        )
    names = table[image].map(os.path.normpath)
    twice = table.index[names.duplicated()]
    if len(twice):
        rows = table.index[names == names[twice[0]]]
        raise ValueError(
            f"{path}: {table[image][twice[0]]} is listed in row {rows[0]} and again in row "
            f"{first_few(rows[1:])}; keep one of these rows."
        )
    raw = table[list(columns.values())].set_axis(list(columns), axis=1)
    target = code_labels(raw, str(path), threshold=threshold, unknown=unknown)
    if threshold is not None and target.eq(0).any(axis=None) and not target.eq(1).any(axis=None):
        known = raw.apply(pd.to_numeric, errors="coerce").where(target.notna())
        lowest, highest = known.min().min(), known.max().max()
        warnings.warn(
            f"{path}: every AU is absent, as no label reaches the threshold of {threshold:g}. "
            f"They lie from {lowest:g} to {highest:g}; presences are read without a threshold",
            stacklevel=user_level(),
        )

    gaps = Gaps(name or root.name)
    there = _exist([root / relative for relative in table[image]])
    if not any(there):
        wrong_folder(
            "load_faces", root, f"the images of {path.name}, such as {table[image].iloc[0]}"
        )
    for relative in table[image][[not found for found in there]]:
        gaps.add("rows whose image is not there are left out", relative)
    for lost in sorted(set(table[subject]) - set(table[subject][there])):
        gaps.add("subjects without any image are left out", lost)
    gaps.warn()
    table, target = table[there], target[there]
    meaning = "as in the table" if threshold is None else f"1 from {threshold:g} on, 0 below"
    return make_bunch(
        name or root.resolve().name,
        [str(root / relative) for relative in table[image]],
        table[subject],
        target,
        extra=table.drop(columns=[image, subject]).rename(
            columns={"image": "image.1", "subject": "subject.1"}
        ),
        descr=DESCR.format(csv=path, labels=meaning),
        as_frame=as_frame,
    )


def _find_table(root: Path, csv: Path | None) -> Path:
    if csv is not None:
        if not (root / csv).is_file():
            wrong_folder("load_faces", root, f"the table {csv}")
        return root / csv
    there = visible(root) if root.is_dir() else []
    tables = [path for path in there if path.suffix.lower() == ".csv" and path.is_file()]
    if not tables:
        wrong_folder("load_faces", root, "a .csv file with one row an image")
    if len(tables) > 1:
        names = first_few(path.name for path in tables)
        raise ValueError(f"load_faces: {root} has several tables ({names}): pass one as csv.")
    return tables[0]


def _alike(subjects: Iterable[str]) -> list[list[str]]:
    """Return names that differ in capitals, marks between words or zeros before a number."""
    found: dict[str, list[str]] = {}
    for name in subjects:
        plain = re.sub(r"\.0+$", "", name.casefold())  # as of a column of numbers with a gap
        plain = re.sub(r"[\W_]+", "_", re.sub(r"(?<!\d)0+(?=\d)", "", plain))
        found.setdefault(plain, []).append(repr(name))
    return [names for names in found.values() if len(names) > 1]


def _as_here(root: Path, paths: pd.Series) -> pd.Series:
    """Return paths as this system writes them, if they come from Windows or macOS."""
    for here in (
        lambda path: path.replace("\\", os.sep),
        partial(unicodedata.normalize, "NFC"),
        partial(unicodedata.normalize, "NFD"),
    ):
        other = paths.map(here)
        changed = other != paths
        if changed.any():
            there = np.array(_exist([root / relative for relative in other]))
            lost = ~np.array(_exist([root / relative for relative in paths]))
            paths = paths.mask(changed & there & lost, other)
    return paths


def _exist(paths: list[Path]) -> list[bool]:
    """Whether each file is there, listing each folder once."""
    listed: dict[Path, set[str]] = {}
    for folder in {path.parent for path in paths}:
        listed[folder] = set(os.listdir(folder)) if folder.is_dir() else set()
    return [path.name in listed[path.parent] for path in paths]
