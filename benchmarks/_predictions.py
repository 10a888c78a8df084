"""Rows of the tables from what other tools wrote: Py-Feat, OpenFace, LibreFace, or any CSV."""

import re
from pathlib import Path, PurePath

import numpy as np
import pandas as pd
from _corpora import Corpus

from skau.datasets._csv import _INTENSITY, _PLAIN, _PRESENCE, read_csv
from skau.utils._text import first_few

# How the row of such a tool is called: it has no fit.
AS_PREDICTED = ", as predicted"

_FILES = ("image", "path", "input", "file")  # columns that name the image
_LIBREFACE = re.compile(_PLAIN.pattern + "_intensity", re.IGNORECASE)
_KINDS = [  # what a column of an AU holds
    ("present", _PRESENCE),  # OpenFace
    ("intensity", _INTENSITY),
    ("intensity", _LIBREFACE),
    ("score", _PLAIN),  # Py-Feat and skau: a probability; LibreFace: 0, 1
]
_PRESENT_FROM = {"score": 0.5, "present": 0.5, "intensity": 2.0}  # as DISFA's labels count


def read_predictions(
    file: Path, corpus: Corpus, sizes: list[int]
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray] | None:
    """Read what a tool says of a corpus; None where the file names none of its images.

    An AU is present where the tool's own decision says so; from one half, where it gives
    probabilities; from intensity 2 of 5, where it gives intensities alone. Images are matched by
    name, or by ``frame`` where the file has as many as this corpus alone; ``sizes`` are the
    numbers of images of all. Where a tool found no face, each AU counts as absent: to leave such
    images out would favour the tool. A row without values says so; an image without a row is an
    error, since it may be called otherwise there, or the tool may have stopped.

    Returns
    -------
    told, scores : DataFrame of shape (n, n_aus)
        Decisions, 0 and 1, and what ranks the images, in the order of the corpus.
    rows : ndarray of shape (n,)
        The rows of the file.
    """
    table = read_csv(file).values
    kinds: dict[str, dict[str, str]] = {kind: {} for kind, _ in _KINDS}
    for column in table:
        for kind, pattern in _KINDS:
            if match := pattern.fullmatch(str(column).strip()):
                kinds[kind][f"AU{match[1]}"] = column
    aus = sorted(set().union(*kinds.values()), key=lambda au: int(au[2:]))
    if not aus:
        raise ValueError(f"{file} has no column of an AU, such as AU01, AU01_c or au_1")
    rows = _find_rows(table, file, corpus, sizes)
    if rows is None:
        return None
    told, scores = {}, {}
    for au in aus:
        decision = next(kind for kind in ("present", "score", "intensity") if au in kinds[kind])
        ranking = next(kind for kind in ("intensity", "score", "present") if au in kinds[kind])
        told[au] = table[kinds[decision][au]].to_numpy(float) >= _PRESENT_FROM[decision]
        scores[au] = table[kinds[ranking][au]].to_numpy(float)
    both = []
    for values in (told, scores):
        own = pd.DataFrame(values, dtype=float)
        if "success" in table:  # OpenFace writes zeros where it found no face
            own[table["success"].to_numpy() != 1] = 0.0
        own = own.iloc[rows].reset_index(drop=True)
        both.append(own.fillna(0.0))
    return both[0], both[1], rows


def _find_rows(
    table: pd.DataFrame, file: Path, corpus: Corpus, sizes: list[int]
) -> np.ndarray | None:
    """Return the row of each image of the corpus; None if none has one."""
    n = len(corpus.groups)
    column = next((name for name in _FILES if name in table), None)
    if column is None:
        if "frame" not in table:
            raise ValueError(f"{file} has no column that names the image: {', '.join(_FILES)}")
        if sizes.count(len(table)) != 1 or table["frame"].duplicated().any():
            raise ValueError(
                f"{file} numbers {table['frame'].nunique()} frames in {len(table)} rows, and the "
                f"corpora have {sizes} images, so it is not clear whose they are; name the images "
                "in a column image"
            )
        return np.argsort(table["frame"].to_numpy(), kind="stable") if len(table) == n else None
    if corpus.files is None:
        raise ValueError(f"{corpus.name} has no image files, so {file} must number them by frame")
    theirs = [PurePath(str(name).replace("\\", "/")).parts for name in table[column]]
    ours = [PurePath(name.replace("\\", "/")).parts for name in corpus.files]
    # a tool may have written paths of another machine: so many last parts as tell images apart
    depth = next(
        (d for d in range(1, 9) if len({parts[-d:] for parts in ours}) == len(ours)), len(ours[0])
    )
    place: dict[tuple[str, ...], int] = {}
    known = {parts[-depth:] for parts in ours}
    for row, parts in enumerate(theirs):
        if place.setdefault(parts[-depth:], row) != row and parts[-depth:] in known:
            raise ValueError(
                f"{file} names {table[column].iloc[row]} in rows {place[parts[-depth:]]} and "
                f"{row}; keep one face of each image"
            )
    lost = [
        name for name, parts in zip(corpus.files, ours, strict=True) if parts[-depth:] not in place
    ]
    if len(lost) == n:
        return None
    if lost:
        raise ValueError(
            f"{file} lacks {len(lost)} of {n} images of {corpus.name}: {first_few(lost)}. Call "
            "them so there; where the tool found no face, add a row of the name and empty cells"
        )
    return np.array([place[parts[-depth:]] for parts in ours])
