"""Find the parts of a corpus on disk, and say what is missing."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Hashable, Iterable
from io import StringIO
from numbers import Integral
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pandas as pd

from .._paths import PHOTOS
from ..utils._text import first_few
from ..utils._warnings import user_level

Key = TypeVar("Key", bound=Hashable)


def wrong_folder(loader: str, folder: Path, expected: str, hint: str = "") -> NoReturn:
    """Raise the error for a folder that does not hold the corpus."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{loader}: there is no folder {folder}. Expected {expected}.")
    found = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    raise FileNotFoundError(
        f"{loader}: expected {expected} under {folder}, but found "
        f"{first_few(found, 10) or 'an empty folder'}.{' ' + hint if hint else ''}"
    )


def visible(folder: Path) -> list[Path]:
    """Return the entries of a folder in order of name, without hidden and resource-fork files."""
    return sorted(p for p in folder.iterdir() if not p.name.startswith((".", "__MACOSX")))


def is_image(path: Path) -> bool:
    """Whether the name is that of an image."""
    return path.suffix.lower() in PHOTOS


def has_images(folder: Path) -> bool:
    """Whether an image lies directly in the folder."""
    with os.scandir(folder) as entries:
        return any(is_image(Path(e.name)) and not e.name.startswith(".") for e in entries)


def find_folders(
    root: Path, wanted: Callable[[Path], bool], *, depth: int = 3, skip: str = r"(?!)"
) -> list[Path]:
    """Return the folders in `root`, itself included, for which `wanted` holds.

    The search goes `depth` levels down, and neither below a folder found nor into folders whose
    name matches `skip`: those hold thousands of frames.
    """
    found, level = [], [root] if root.is_dir() else []
    for _ in range(depth + 1):
        below = []
        for folder in level:
            if wanted(folder):
                found.append(folder)
            else:
                below += [p for p in visible(folder) if p.is_dir() and not re.match(skip, p.name)]
        level = below
    return found


def find_folder(
    loader: str,
    root: Path,
    wanted: Callable[[Path], bool],
    expected: str,
    *,
    argument: str = "folder",
    **search: Any,
) -> Path:
    """Return the one folder for which `wanted` holds; of several the user has to choose."""
    folders = find_folders(root, wanted, **search)
    if not folders:
        wrong_folder(loader, root, expected)
    if len(folders) > 1:
        raise ValueError(
            f"{loader}: found {expected} in more than one place: {first_few(folders)}. "
            f"Pass the one to use as {argument}."
        )
    return folders[0]


def numbered_images(folder: Path) -> dict[int, str]:
    """Return the images of a folder by the number at the end of their names."""
    numbered: dict[int, str] = {}
    if not folder.is_dir():
        return numbered
    for path in visible(folder):
        number = re.search(r"(\d+)$", path.stem)
        if not is_image(path):
            continue
        if number is None:
            raise ValueError(
                f"{path}: expected a frame number at the end of the name; rename "
                "the image, or take it out of the folder."
            )
        if int(number[1]) in numbered:
            raise ValueError(
                f"{path} and {numbered[int(number[1])]} are both frame {int(number[1])}: "
                "keep one of them."
            )
        numbered[int(number[1])] = str(path)
    return numbered


def one_each(files: Iterable[tuple[Key, Path]]) -> dict[Key, Path]:
    """Return paths by what they hold labels of, which no two do."""
    found: dict[Key, Path] = {}
    for key, path in files:
        if key in found:
            raise ValueError(
                f"{found[key]} and {path} hold labels of the same frames: keep one of them."
            )
        found[key] = path
    return found


def coded_images(folder: Path | None, first_frame: int) -> dict[int, str]:
    """Return the images of a folder by the frames that coders count from 1."""
    given: Any = first_frame
    if not isinstance(given, Integral):
        raise ValueError(f"first_frame must be a whole number, not {first_frame!r}.")
    images = numbered_images(folder) if folder is not None else {}
    early = [number for number in images if number < first_frame]
    if early:
        raise ValueError(
            f"{folder} holds an image {min(early)}, but first_frame={first_frame}. If its images "
            f"count from {min(early)}, pass first_frame={min(early)}; the labels count from 1."
        )
    return {number - first_frame + 1: path for number, path in images.items()}


def read_numbers(path: Path, *, sep: str = ",", dtype: type | None = None) -> pd.DataFrame:
    """Read a table without a header, the lines of the file as its index.

    Lines that are empty but for commas are left out.
    """
    try:
        lines = enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1)
        filled = {number: line for number, line in lines if line.strip(", \t")}
        written = StringIO("\n".join(filled.values()))
        table = pd.read_csv(written, header=None, sep=sep, dtype=dtype).set_axis(list(filled))
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise ValueError(f"{path} cannot be read as a table of numbers: {error}") from None
    cells = {number: len(re.split(sep, line.strip())) for number, line in filled.items()}
    needed = 1 + max(np.flatnonzero(table.notna().any()), default=0)  # a comma may end all lines
    short = [number for number, found in cells.items() if found < needed]
    if short:
        raise ValueError(
            f"{path}: line {first_few(short)} has fewer cells than others. If it was cut off or a "
            "cell was lost, write it anew; where nothing is known, separate the empty cells."
        )
    return table


def frame_numbers(path: Path, cells: pd.Series) -> pd.Index:
    """Return the frames that the lines of a file of labels are of, counted from 1."""
    numbers = pd.to_numeric(cells, errors="coerce")
    wrong = cells[numbers % 1 != 0]
    if len(wrong):
        raise ValueError(
            f"{path}: line {wrong.index[0]} has to begin with the number of its frame, not with "
            f"{wrong.iloc[0]}; correct it, or delete the line."
        )
    if min(numbers, default=1) < 1:
        raise ValueError(
            f"{path}: frame {min(numbers):g} is coded, but labels count from 1. If these count "
            f"from {min(numbers):g}, add {1 - min(numbers):g} to the frame of each line in all "
            "files, whatever the images count from."
        )
    twice = numbers[numbers.duplicated()]
    if len(twice):
        raise ValueError(
            f"{path}: frame {twice.iloc[0]:g} is listed twice; keep one of its lines."
        )
    return pd.Index(numbers.astype(int), name="frame")


class Gaps:
    """What a corpus on disk lacks, collected while loading and then told in a few warnings."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._gaps: dict[str, dict[str, None]] = {}  # each example once

    def add(self, kind: str, example: object) -> None:
        """Note one gap of a kind; `kind` is a sentence to which the examples are added."""
        self._gaps.setdefault(kind, {})[str(example)] = None

    def warn(self) -> None:
        """Tell of each kind once."""
        for kind, examples in self._gaps.items():
            warnings.warn(
                f"{self.name}: {kind}: {first_few(examples)}.",
                UserWarning,
                stacklevel=user_level(),
            )
