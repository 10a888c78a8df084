"""BP4D-Spontaneous: its loader and published folds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from sklearn.utils import Bunch

from .._paths import as_path
from ..utils._docs import substitute
from ..utils._text import first_few
from ._bunch import DOCS, au_names, code_labels
from ._folders import (
    Gaps,
    coded_images,
    find_folder,
    frame_numbers,
    has_images,
    one_each,
    read_numbers,
    visible,
    wrong_folder,
)
from ._sequences import FaceSequence, collect_rows, note_first_frame

BP4D_AUS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)

# JAA-Net, ME-GraphAU and AUNets. Papers number them differently, so the name is the test part.
_FOLDS = {
    "P1": "F001 F002 F008 F009 F010 F016 F018 F023 M001 M004 M007 M008 M012 M014",
    "P2": "F003 F005 F011 F013 F020 F022 M002 M005 M010 M011 M013 M016 M017 M018",
    "P3": "F004 F006 F007 F012 F014 F015 F017 F019 F021 M003 M006 M009 M015",
}
BP4D_FOLDS = {name: subjects.split() for name, subjects in _FOLDS.items()}

SUBJECT = r"[FM]\d{3}$"
LABEL_FILE = re.compile(r"([FM]\d{3})_(T\d+)\.csv", re.IGNORECASE)

DESCR = """\
BP4D-Spontaneous: 41 people, eight emotion tasks each, filmed at 25 frames a second. FACS coders
scored the occurrence of AUs in about 146,800 frames. Labels: 1 present, 0 absent, NaN unknown
(code 9 in the files). {uncoded}

The data come from Binghamton University under a licence agreement:
https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html

X. Zhang et al., "BP4D-Spontaneous: a high-resolution spontaneous 3D dynamic facial expression
database", Image and Vision Computing 32 (2014), 692-706.
"""


@substitute(DOCS)
def load_bp4d(
    folder: str | os.PathLike[str],
    *,
    aus: Iterable[int | str] = BP4D_AUS,
    image_folder: str | os.PathLike[str] | None = None,
    first_frame: int = 1,
    uncoded: bool = False,
    as_frame: bool = True,
) -> Bunch:
    """Load BP4D from its folders on disk.

    Ask for the data at Binghamton University
    (https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html).

    The labels are the files ``AUCoding/AU_OCC/F001_T1.csv`` (or ``AUCoding/F001_T1.csv``): a
    header with the AU numbers, the frame number in the first column. The images are
    ``.../F001/T1/0001.jpg`` with two to four digits. Both are looked for up to three levels
    below `folder`.

    Parameters
    ----------
    folder : str or path
        The folder with the labels, and the images unless `image_folder` is given.
    aus : iterable of int or str, default=(1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
        AUs to load, such as 4 or ``"AU4"``. The default is the usual protocol; the files hold
        more.
    image_folder : str or path, default=None
        The folder that holds ``F001``, ``F002``, ..., if the images lie elsewhere.
    first_frame : int, default=1
        The number of the image that shows the frame coded as 1. With 1 the numbers are the same,
        as most published code has it. Copies whose images count from 0 need 0.
    uncoded : bool, default=False
        Also take the frames that nobody coded, as rows of NaN. They are more than half of BP4D.
    {corpus}

        {target}
        groups : ndarray of shape (n,), dtype str
            Subjects ``F001`` to ``M018``.
        frame : DataFrame
            Columns image, subject, sequence (``F001/T1``), frame, and the AUs.
        {folds}

    Raises
    ------
    FileNotFoundError
        If labels or images are not there.
    ValueError
        If a file has other codes than 0, 1, 9, -1 and 999, codes a frame 0 or cannot be read, or
        if there is an image 0 while `first_frame` is 1.

    Warns
    -----
    UserWarning
        For coded frames without an image (left out), subjects without any image (left out),
        tasks without a label file (kept as rows of NaN), AUs without a column (NaN), and where no
        image has the number `first_frame` that was passed.

    Examples
    --------
    >>> from skau.datasets import load_bp4d
    >>> faces = load_bp4d("/data/BP4D")  # doctest: +SKIP
    >>> faces.target.mean(), faces.folds  # doctest: +SKIP
    """
    root, names, gaps = as_path(folder, "folder"), au_names(aus), Gaps("BP4D")
    label_dir = find_folder(
        "load_bp4d", root, _holds_labels, "AUCoding/AU_OCC with files such as F001_T1.csv",
        skip=SUBJECT,
    )  # fmt: skip
    image_dir = find_folder(
        "load_bp4d", Path(image_folder or root), _holds_images, "images such as F001/T1/0001.jpg",
        argument="image_folder", skip=SUBJECT,
    )  # fmt: skip
    label_files = one_each(
        ((match[1].upper(), match[2].upper()), path)
        for path in visible(label_dir)
        if (match := LABEL_FILE.fullmatch(path.name))
    )
    tasks = sorted(set(label_files) | set(_tasks(image_dir)))
    sequences = []
    for subject, task in tasks:
        path = label_files.get((subject, task))
        images = coded_images(image_dir / subject / task, first_frame)
        labels = None if path is None else _read_labels(path, names, gaps)
        sequences.append(FaceSequence(subject, f"{subject}/{task}", labels, images))
    note_first_frame(sequences, first_frame, gaps)
    rows = collect_rows(sequences, names, gaps, uncoded="keep" if uncoded else "drop")
    if not rows.images:
        wrong_folder("load_bp4d", image_dir, "at least one image of a coded frame")
    gaps.warn()
    left_out = f"Images left out because nobody coded their frames: {rows.n_uncoded}."
    descr = DESCR.format(uncoded="Uncoded frames are kept." if uncoded else left_out)
    return rows.bunch("BP4D", descr=descr, folds=BP4D_FOLDS, as_frame=as_frame)


def _holds_labels(folder: Path) -> bool:
    return any(LABEL_FILE.fullmatch(path.name) for path in visible(folder))


def _tasks(folder: Path) -> list[tuple[str, str]]:
    return [
        (subject.name, task.name)
        for subject in visible(folder)
        if re.match(SUBJECT, subject.name) and subject.is_dir()
        for task in visible(subject)
        if re.match(r"T\d+$", task.name) and task.is_dir() and has_images(task)
    ]


def _holds_images(folder: Path) -> bool:
    return bool(_tasks(folder))


def _read_labels(path: Path, names: list[str], gaps: Gaps) -> pd.DataFrame:
    """Read one file: frame numbers in the first column, whatever its header says, then AUs."""
    table = read_numbers(path).dropna(axis=1, how="all")
    try:
        header = [float(re.sub(r"(?i)\s*AU", "", str(cell))) for cell in table.iloc[0, 1:]]
    except ValueError:
        header = []
    aus = [int(au) for au in header if au % 1 == 0]
    if not aus or len(set(aus)) < len(header) or min(aus) < 1:
        raise ValueError(
            f"{path}: expected AU numbers in the first line and frame numbers in the first "
            f"column, but the first line is {first_few(table.iloc[0], 10)}. If it is a frame's, "
            "the header is missing: put one in front, such as 0,1,2,4,6 for AUs 1, 2, 4 and 6."
        )
    frames = frame_numbers(path, table.iloc[1:, 0])
    table = table.iloc[1:, 1:].set_axis([f"AU{au}" for au in aus], axis=1).set_axis(frames)
    absent = [name for name in names if name not in table]
    if len(absent) == len(names):
        raise ValueError(
            f"{path}: none of {first_few(names)} is in the first line: {first_few(aus, 99)}. "
            "Correct it, or pass other AUs as aus."
        )
    if absent:
        gaps.add("AUs without a column are NaN", f"{', '.join(absent)} in {path.name}")
    return code_labels(table.reindex(columns=names), str(path))
