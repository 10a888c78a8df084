"""UNBC-McMaster shoulder pain archive: its loader."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._paths import as_path
from ..utils._docs import substitute
from ._bunch import DOCS, au_names, code_labels
from ._folders import (
    Gaps,
    find_folder,
    find_folders,
    has_images,
    numbered_images,
    one_each,
    visible,
)
from ._sequences import FaceSequence, collect_rows

UNBC_AUS = (4, 6, 7, 9, 10, 12, 20, 25, 26, 27, 43)

SUBJECT = r"\d{3}-\w+$"
SEQUENCE_SCORES = {"VAS": "vas", "OPR": "opr", "SEN": "sen", "AFF": "aff"}

DESCR = """\
UNBC-McMaster shoulder pain expression archive: 25 people with shoulder pain moving their arms,
200 sequences, 48,398 frames. The intensity of 10 AUs, 1 to 5, and the presence of AU43 are coded
in every frame; an AU that a frame's file does not list is absent. Labels: 1 where the intensity
is at least {threshold:g} (AU43: where it is present), 0 otherwise, NaN where a frame's file is
missing. In `frame`: pspi, the pain score of the frame (0 to 16), and, where the files are there,
the scores of the sequence: vas (self-report, 0 to 10), opr (observer, 0 to 5), sen and aff
(sensory and affective scales, 0 to 15).

The data come from the University of Pittsburgh under a licence agreement:
https://sites.pitt.edu/~emotion/um-spread.htm

P. Lucey et al., "Painful data: the UNBC-McMaster shoulder pain expression archive database", FG
2011, 57-64.
"""


@substitute(DOCS)
def load_unbc(
    folder: str | os.PathLike[str],
    *,
    threshold: float = 1,
    aus: Iterable[int | str] = UNBC_AUS,
    image_folder: str | os.PathLike[str] | None = None,
    as_frame: bool = True,
) -> Bunch:
    """Load the UNBC-McMaster shoulder pain archive from its folders on disk.

    Ask for the data at the University of Pittsburgh
    (https://sites.pitt.edu/~emotion/um-spread.htm).

    The images are ``Images/042-ll042/ll042t1aaaff/ll042t1aaaff001.png``. Each has a file
    ``Frame_Labels/FACS/042-ll042/ll042t1aaaff/ll042t1aaaff001_facs.txt`` with a line for each AU
    present (its number, its intensity and two more columns; empty if there is none), and one of
    the same name under ``Frame_Labels/PSPI`` with the pain score. Scores of whole sequences are
    ``Sequence_Labels/VAS/042-ll042/ll042t1aaaff.txt``, and likewise ``OPR``, ``SEN``, ``AFF``.

    Parameters
    ----------
    folder : str or path
        The folder with ``Frame_Labels``, and ``Images`` unless `image_folder` is given.
    threshold : float, default=1
        The intensity (1 to 5) from which on an AU is positive. Published work does not agree on
        it. AU43 is coded as present or absent, whatever the threshold.
    aus : iterable of int or str, default=(4, 6, 7, 9, 10, 12, 20, 25, 26, 27, 43)
        AUs to load, of those eleven. IdenNet uses 6, 7, 12, 25, 26 and 43.
    image_folder : str or path, default=None
        The folder that holds ``042-ll042``, ..., if the images lie elsewhere.
    {corpus}

        {target}
        groups : ndarray of shape (n,), dtype str
            Subjects such as ``042-ll042``.
        frame : DataFrame
            Columns image, subject, sequence, frame, pspi (NaN if unknown), vas, opr, sen and aff
            if ``Sequence_Labels`` is there, and the AUs.

    Raises
    ------
    FileNotFoundError
        If labels or images are not there.
    ValueError
        If `aus` asks for one that is not coded, or a file cannot be read or holds an intensity
        beyond 5.

    Warns
    -----
    UserWarning
        For labelled frames without an image (left out), subjects without any image (left out),
        and images without a FACS file (kept as rows of NaN) or without a pain score (NaN).

    Examples
    --------
    >>> from skau.datasets import load_unbc
    >>> faces = load_unbc("/data/UNBC")  # doctest: +SKIP
    >>> faces.target.mean()  # doctest: +SKIP
    """
    root, gaps = as_path(folder, "folder"), Gaps("UNBC")
    names = au_names(aus, coded=UNBC_AUS, corpus="UNBC")
    # Unpacking may have nested Frame_Labels in itself, so the search goes one level further.
    facs = find_folder(
        "load_unbc", root, lambda path: path.match("Frame_Labels/FACS"),
        "Frame_Labels/FACS/042-ll042/ll042t1aaaff/*_facs.txt", depth=4,
    )  # fmt: skip
    pspi = _score_folder(root, "Frame_Labels/PSPI")
    image_dir = find_folder(
        "load_unbc", Path(image_folder or root), _holds_images,
        "Images/042-ll042/ll042t1aaaff/ll042t1aaaff001.png",
        argument="image_folder", skip=rf"{SUBJECT}|.*_Labels$",
    )  # fmt: skip
    sequences, pain = [], {}
    for subject, name in sorted(set(_sequences(image_dir)) | set(_sequences(facs))):
        images = numbered_images(image_dir / subject / name)
        labels = _read_facs(facs / subject / name, names, threshold)
        # Without a single file the sequence as a whole is noted when the rows are collected.
        sequences.append(FaceSequence(subject, name, labels if len(labels) else None, images))
        pain[subject, name] = {} if pspi is None else _read_scores(pspi / subject / name)
    rows = collect_rows(sequences, names, gaps)
    extra = rows.extra.copy()
    # Copies may call sequences of two subjects alike.
    keys = list(zip(rows.subjects, extra["sequence"], strict=True))
    extra["pspi"] = [
        pain[key].get(frame, np.nan) for key, frame in zip(keys, extra["frame"], strict=True)
    ]
    lost = Counter(key for key, score in zip(keys, extra["pspi"], strict=True) if np.isnan(score))
    for (_, sequence), count in lost.items():
        gaps.add("images without a pain score", f"{sequence} ({count})")
    for scale, column in SEQUENCE_SCORES.items():
        scores = _score_folder(root, f"Sequence_Labels/{scale}")
        if scores is not None:
            read = {(s, name): _read_score(scores / s / f"{name}.txt") for s, name in set(keys)}
            extra[column] = [read[key] for key in keys]
    gaps.warn()
    rows = rows._replace(extra=extra)
    return rows.bunch("UNBC", descr=DESCR.format(threshold=threshold), as_frame=as_frame)


def _score_folder(root: Path, ending: str) -> Path | None:
    """Return the one folder whose path ends so, if there is any."""

    def wanted(path: Path) -> bool:
        return path.match(ending)

    if not find_folders(root, wanted, depth=4):
        return None
    return find_folder("load_unbc", root, wanted, ending, depth=4)


def _sequences(folder: Path) -> list[tuple[str, str]]:
    return [
        (subject.name, sequence.name)
        for subject in visible(folder)
        if re.match(SUBJECT, subject.name)
        for sequence in visible(subject)
        if sequence.is_dir()
    ]


def _holds_images(folder: Path) -> bool:
    return any(has_images(folder / s / q) for s, q in _sequences(folder))


def _frame_files(folder: Path) -> dict[int, Path]:
    files = visible(folder) if folder.is_dir() else []
    return one_each(
        (int(match[1]), path)
        for path in files
        if (match := re.search(r"(\d+)_facs\.txt$", path.name))
    )


def _read_facs(folder: Path, names: list[str], threshold: float) -> pd.DataFrame:
    """Read a sequence's files: an AU that a file does not list has intensity 0."""
    intensities: dict[int, dict[str, float]] = {}
    for frame, path in _frame_files(folder).items():
        intensities[frame] = dict.fromkeys(names, 0.0)
        for line in path.read_text(errors="replace").splitlines():
            if not line.strip():
                continue
            try:
                au, intensity = (float(cell) for cell in line.split()[:2])
            except ValueError:
                raise ValueError(
                    f"{path}: expected an AU and its intensity, such as '12 3', in {line!r:.80}; "
                    "correct the line."
                ) from None
            if f"AU{au:g}" in intensities[frame]:
                listed = intensities[frame][f"AU{au:g}"]
                intensities[frame][f"AU{au:g}"] = max(listed, intensity)
    table = pd.DataFrame.from_dict(intensities, orient="index", columns=names)
    labels = code_labels(table, str(folder), threshold=threshold, highest=5)
    if "AU43" in names:
        labels["AU43"] = code_labels(table[["AU43"]], str(folder), threshold=1, highest=5)["AU43"]
    return labels


def _read_score(path: Path) -> float:
    """Read a file that holds one number; NaN if it is missing."""
    if not path.is_file():
        return np.nan
    text = path.read_text(errors="replace")
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"{path}: expected one number, not {text!r:.80}; correct it, or take the file away "
            "and its score is NaN."
        ) from None


def _read_scores(folder: Path) -> dict[int, float]:
    return {frame: _read_score(path) for frame, path in _frame_files(folder).items()}
