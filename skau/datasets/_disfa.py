"""DISFA: its loader and published folds."""

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
    find_folders,
    frame_numbers,
    has_images,
    one_each,
    read_numbers,
    visible,
    wrong_folder,
)
from ._sequences import FaceSequence, collect_rows, note_first_frame

DISFA_AUS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)

# JAA-Net and ME-GraphAU.
_FOLDS = {
    "P1": "SN001 SN002 SN009 SN010 SN016 SN026 SN027 SN030 SN032",
    "P2": "SN006 SN011 SN012 SN013 SN018 SN021 SN024 SN028 SN031",
    "P3": "SN003 SN004 SN005 SN007 SN008 SN017 SN023 SN025 SN029",
}
DISFA_FOLDS = {name: subjects.split() for name, subjects in _FOLDS.items()}

SUBJECT = re.compile(r"SN\d{3}", re.IGNORECASE)
LABEL_FILE = re.compile(r"(SN\d{3})_AU0*(\d+)\.txt", re.IGNORECASE)
SIDES = ("left", "right")

DESCR = """\
DISFA: 27 people watching one four-minute video, filmed by two cameras at 20 frames a second,
4,845 frames each. The intensity of 12 AUs, 0 to 5, is coded in every frame. Labels: 1 where the
intensity is at least {threshold:g}, 0 below, NaN unknown. Camera: {camera}.

The data come from the University of Denver under a licence agreement:
http://mohammadmahoor.com/disfa/

S. M. Mavadati et al., "DISFA: a spontaneous facial action intensity database", IEEE Transactions
on Affective Computing 4 (2013), 151-160.
"""


@substitute(DOCS)
def load_disfa(
    folder: str | os.PathLike[str],
    *,
    threshold: float = 2,
    camera: str = "left",
    aus: Iterable[int | str] = DISFA_AUS,
    image_folder: str | os.PathLike[str] | None = None,
    first_frame: int = 1,
    as_frame: bool = True,
) -> Bunch:
    r"""Load DISFA from its folders on disk.

    Ask for the data at the University of Denver (http://mohammadmahoor.com/disfa/).

    The labels are the files ``ActionUnit_Labels/SN001/SN001_au1.txt`` with lines ``frame,
    intensity``. DISFA comes as videos, so extract the frames first, numbered from 1 as the
    labels are, in one folder a video::

        mkdir Videos_LeftCamera/LeftVideoSN001_comp
        ffmpeg -i Videos_LeftCamera/LeftVideoSN001_comp.avi \
            Videos_LeftCamera/LeftVideoSN001_comp/%05d.png

    and likewise ``Video_RightCamera/RightVideoSN001_Comp``. Any folder with images up to three
    levels below `folder` is taken whose name holds the subject (``SN001``). Its path below
    `folder` tells the camera by "left" or "right"; if it tells none, the images are taken to be
    from the camera asked for. The digits at the end of a file's name are its frame number.

    Parameters
    ----------
    folder : str or path
        The folder with ``ActionUnit_Labels``, and the frames unless `image_folder` is given.
    threshold : float, default=2
        The intensity (0 to 5) from which on an AU is positive. Some tools use 1.
    camera : {"left", "right", "both"}, default="left"
        Whose frames to take. Both cameras show the same faces at the same time, under the same
        subject.
    aus : iterable of int or str, default=(1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
        AUs to load, of those twelve. IdenNet uses 1, 2, 4, 6, 9, 12, 25 and 26.
    image_folder : str or path, default=None
        The folder that holds the frame folders, if they lie elsewhere.
    first_frame : int, default=1
        The number of the first image of each video. OpenCV loops often count from 0.
    {corpus}

        {target}
        groups : ndarray of shape (n,), dtype str
            Subjects ``SN001`` to ``SN032``.
        frame : DataFrame
            Columns image, subject, sequence (``SN001/left``), frame, and the AUs.
        {folds}

    Raises
    ------
    FileNotFoundError
        If labels or frames are not there.
    ValueError
        If `aus` asks for one that is not coded, if an intensity is neither 0 to 5 nor an unknown
        code (9, -1, 999), if a file cannot be read or codes a frame 0, or if there is an image 0
        while `first_frame` is 1.

    Warns
    -----
    UserWarning
        For labelled frames without an image (left out), subjects without any image (left out),
        subjects without labels (kept as rows of NaN), AUs without a file and frames that
        an AU's file lacks (NaN there), images without a label (kept as rows of NaN), and where no
        image has the number `first_frame` that was passed.

    Examples
    --------
    >>> from skau.datasets import load_disfa
    >>> faces = load_disfa("/data/DISFA")  # doctest: +SKIP
    >>> faces.target.mean(), faces.folds  # doctest: +SKIP
    """
    if camera not in (*SIDES, "both"):
        raise ValueError(f"camera must be 'left', 'right' or 'both', not {camera!r}.")
    root, gaps = as_path(folder, "folder"), Gaps("DISFA")
    names = au_names(aus, coded=DISFA_AUS, corpus="DISFA")
    label_dir = find_folder(
        "load_disfa", root, lambda path: path.name.lower() == "actionunit_labels",
        "ActionUnit_Labels/SN001/SN001_au1.txt",
    )  # fmt: skip
    label_files = one_each(
        (path.name.upper(), path) for path in visible(label_dir) if SUBJECT.fullmatch(path.name)
    )
    image_root = Path(image_folder or root)
    frame_dirs = _frame_folders(image_root, camera)
    sequences = []
    for side in SIDES if camera == "both" else (camera,):
        if not any(found == side for found, _ in frame_dirs):
            wrong_folder(
                "load_disfa",
                image_root,
                f"frame folders of the {side} camera such as {side.capitalize()}VideoSN001_comp",
                "DISFA comes as videos: extract their frames first, numbered from 1, with "
                "`ffmpeg -i LeftVideoSN001_comp.avi LeftVideoSN001_comp/%05d.png`.",
            )
        subjects = {subject for found, subject in frame_dirs if found == side}
        for subject in sorted(subjects | set(label_files)):
            images = coded_images(frame_dirs.get((side, subject)), first_frame)
            labels = _read_labels(label_files.get(subject), subject, names, threshold, gaps)
            sequences.append(FaceSequence(subject, f"{subject}/{side}", labels, images))
    note_first_frame(sequences, first_frame, gaps)
    rows = collect_rows(sequences, names, gaps)
    gaps.warn()
    descr = DESCR.format(threshold=threshold, camera=camera)
    return rows.bunch("DISFA", descr=descr, folds=DISFA_FOLDS, as_frame=as_frame)


def _frame_folders(root: Path, camera: str) -> dict[tuple[str, str], Path]:
    """Return the folders with frames by (camera, subject); `camera` where a path tells none."""
    found: dict[tuple[str, str], Path] = {}
    for path in find_folders(root, lambda p: bool(SUBJECT.search(p.name)) and has_images(p)):
        subject = SUBJECT.search(path.name)[0].upper()  # type: ignore[index]
        # The nearest name that tells the camera; "Videos_LeftCamera/SN001" tells it as well.
        below = [path.name, *(p.name for p in path.relative_to(root).parents)]
        named = (side for name in below for side in SIDES if side in name.lower())
        side = next(named, camera)
        if side == "both":
            raise ValueError(
                f"load_disfa: {path} does not say which camera it is from. Name it "
                f"LeftVideo{subject}_comp or RightVideo{subject}_Comp."
            )
        if (side, subject) in found:
            raise ValueError(
                f"load_disfa: {found[side, subject]} and {path} both hold frames of {subject} "
                f"from the {side} camera. Pass the one to use as image_folder."
            )
        found[side, subject] = path
    return found


def _read_labels(
    folder: Path | None, subject: str, names: list[str], threshold: float, gaps: Gaps
) -> pd.DataFrame | None:
    """Read one file an AU; None if the subject has none."""
    files = one_each(
        (f"AU{match[2]}", path)
        for path in (visible(folder) if folder is not None else [])
        if (match := LABEL_FILE.fullmatch(path.name)) and match[1].upper() == subject
    )
    if folder is not None and not files:
        wrong_folder("load_disfa", folder, f"label files such as {subject}_au1.txt")
    columns = {}
    for name in names:
        path = files.get(name)
        if path is None:
            continue
        table = read_numbers(path)
        if table.shape[1] != 2:
            raise ValueError(
                f"{path}: expected lines 'frame,intensity', such as 1,0, but the first is "
                f"{first_few(table.iloc[0])}."
            )
        values = table[[1]].set_axis([name], axis=1)
        values.index = frame_numbers(path, table[0])
        columns[name] = code_labels(values, str(path), threshold=threshold, highest=5)[name]
    if not columns:
        return None
    absent = [name for name in names if name not in columns]
    if absent:
        gaps.add("AUs without a label file are NaN", f"{', '.join(absent)} of {subject}")
    table = pd.DataFrame(columns).sort_index()
    for name, coded in columns.items():
        if len(coded) < len(table):
            kind = "frames that one AU's label file lacks are NaN"
            gaps.add(kind, f"{name} of {subject} ({len(table) - len(coded)} of {len(table)})")
    return table
