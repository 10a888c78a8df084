"""Face Research Lab London Set: its loader."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
from sklearn.utils import Bunch

from .._paths import as_path
from ..utils._docs import substitute
from ..utils._text import first_few
from ._bunch import DOCS, make_bunch
from ._csv import read_csv
from ._faces import load_faces
from ._folders import Gaps, find_folder, has_images, is_image, visible

DESCR = """\
Face Research Lab London Set: 102 adults, one neutral and one smiling photograph each from the
front, 1350 x 1350 pixels as distributed. Smiling stands for AU12; nobody coded AUs.

Licence CC BY 4.0. L. DeBruine and B. Jones, "Face Research Lab London Set", figshare, 2017,
https://doi.org/10.6084/m9.figshare.5047666
"""

# Expression folders and the AU12 label that they stand for.
EXPRESSIONS = {"neutral_front": 0.0, "smiling_front": 1.0}


@substitute(DOCS)
def load_london(folder: str | os.PathLike[str], *, as_frame: bool = True) -> Bunch:
    """Load the frontal photographs of the Face Research Lab London Set.

    Download ``neutral_front.zip``, ``smiling_front.zip`` and ``london_faces_info.csv`` from
    figshare (https://doi.org/10.6084/m9.figshare.5047666, CC BY 4.0) and unpack them into one
    folder: ``neutral_front/001_03.jpg``, ``smiling_front/001_08.jpg``. A resized copy with a
    table ``faces.csv`` (columns image, subject, smiling, and any others) is read as well.

    Parameters
    ----------
    folder : str or path
        The folder with the two folders of photographs, or with ``faces.csv``.
    {corpus}

        target : DataFrame of shape (n, 1)
            ``AU12``: 1.0 for the smiling photograph, 0.0 for the neutral one.
        groups : ndarray of shape (n,), dtype str
            Subjects ``001`` to ``173``.
        frame : DataFrame
            Columns image, subject, age (years), gender, ethnicity (NaN where unknown), any others
            of ``faces.csv``, and AU12.
        au_names : list of str
            ``["AU12"]``.

    Raises
    ------
    FileNotFoundError
        If neither layout is there, or one of the two folders is missing.
    ValueError
        If a photograph's name does not begin with its subject's number, or a subject or column of
        ``london_faces_info.csv`` is there twice.

    Warns
    -----
    UserWarning
        For subjects of ``london_faces_info.csv`` without a photograph (left out).

    Examples
    --------
    >>> from skau.datasets import load_london
    >>> faces = load_london("/data/london")  # doctest: +SKIP
    >>> faces.target["AU12"].mean()  # doctest: +SKIP
    """
    root, gaps = as_path(folder, "folder"), Gaps("London")
    if (root / "faces.csv").is_file():
        corpus = load_faces(root, "faces.csv", aus={"AU12": "smiling"}, name="London")
        corpus.frame = corpus.frame.drop(columns="smiling")
        images, subjects = list(corpus.images), corpus.groups
        target, extra = corpus.target, corpus.frame.drop(columns=["image", "subject"])
    else:
        images, subjects, labels = _photographs(root)
        target = pd.DataFrame({"AU12": labels})
        extra = _demographics(root, subjects, gaps)
    gaps.warn()
    return make_bunch(
        "London", images, subjects, target, extra=extra, descr=DESCR, as_frame=as_frame
    )


def _photographs(root: Path) -> tuple[list[str], list[str], list[float]]:
    """Return paths, subjects and AU12 of the distributed folders, subject by subject."""
    rows = []
    for expression, label in EXPRESSIONS.items():
        for path in visible(_folder_of(expression, root)):
            if not is_image(path):
                continue  # the .tem files beside the photographs hold landmarks
            number = re.match(r"(\d{3})_", path.name)
            if number is None:
                raise ValueError(
                    f"{path}: expected a name such as 001_03.jpg; rename the image, or take it "
                    "out of the folder."
                )
            rows.append((number[1], label, str(path)))
    subjects, labels, images = zip(*sorted(rows), strict=True)
    return list(images), list(subjects), list(labels)


def _folder_of(expression: str, root: Path) -> Path:
    # The archives may have been unpacked into folders of their own names.
    expected = f"photographs such as {expression}/001_03.jpg, or faces.csv"
    return find_folder(
        "load_london", root, lambda p: p.name == expression and has_images(p), expected, depth=2
    )


def _demographics(root: Path, subjects: list[str], gaps: Gaps) -> pd.DataFrame:
    """Return age, gender and ethnicity of each row."""
    columns = ["age", "gender", "ethnicity"]
    path = root / "london_faces_info.csv"
    if not path.is_file():
        return pd.DataFrame(columns=columns, index=range(len(subjects)))
    info, text = read_csv(path)
    if "face_id" not in info:
        raise ValueError(
            f"{path}: expected a column face_id, but found {first_few(info.columns, 20)}. Call "
            "the column of subjects so, or remove the file: it adds age, gender and ethnicity."
        )
    # Versions of the file write X001 or 001, and face_sex or face_gender.
    names = {"face_age": "age", "face_gender": "gender", "face_sex": "gender"}
    given, info = info, info.rename(columns={**names, "face_eth": "ethnicity"})
    for column in columns:
        if len(alike := given.columns[info.columns == column]) > 1:
            raise ValueError(f"{path}: {' and '.join(alike)} both say {column}; keep one of them.")
    number = text["face_id"].str.extract(r"(\d+)", expand=False).str.zfill(3)
    number = number.fillna(text["face_id"])
    if (twice := number.duplicated()).any():
        raise ValueError(
            f"{path}: subject {number[twice].iloc[0]} has a second row, {number.index[twice][0]}; "
            "keep one of them."
        )
    info = info.reindex(columns=columns).set_axis(number)
    for lost in sorted(set(info.index) - set(subjects)):
        gaps.add("subjects without a photograph are left out", lost)
    return info.reindex(subjects)
