"""The small face corpus that ships with skau."""

from __future__ import annotations

from importlib import resources
from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.utils import Bunch

from ._bunch import make_bunch

DESCR = """\
Rendered by make_au_faces with its default settings, {size} x {size} pixels, 12 AUs; see there
for how the faces are made and labelled. Of 22 pictures of each person the 20 are kept in which
the face detector is surest of the face. No photograph of anybody is in it. Released under CC0.
It is there to try things out with, not to report results on.
"""


def load_sample_faces(*, as_frame: bool = True) -> Bunch:
    """Load the rendered faces with AU labels that ship with skau.

    Parameters
    ----------
    as_frame : bool, default=True
        Give `target` and `intensity` as DataFrames and `frame` as one; with False, arrays, and
        `frame` None.

    Returns
    -------
    faces : :class:`~sklearn.utils.Bunch`
        As :func:`make_au_faces` returns it, but for `rest`, with

        images : ndarray of shape (480, 128, 128, 3), dtype uint8
            RGB pictures, 20 each of 24 people.
        target : DataFrame of shape (480, 12)
            AUs 1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23 and 24.
        groups : ndarray of shape (480,), dtype str
            Subjects ``S001`` to ``S024``.
        frame : DataFrame
            Columns subject, frame (the picture's number, 0 to 21) and the AUs of `target`.

    See Also
    --------
    make_au_faces : Render as many such faces as you like.

    Examples
    --------
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> faces.images.shape, faces.target.shape, len(set(faces.groups))
    ((480, 128, 128, 3), (480, 12), 24)
    """
    path = resources.files("skau.datasets").joinpath("data/sample_faces.npz")
    with path.open("rb") as file, np.load(file) as pack:
        data = {name: pack[name] for name in pack.files}
    size = int(data["size"])
    # One JPEG picture holds a person a row: a single decode, and faces on block borders.
    sheet = np.asarray(Image.open(BytesIO(data["sheet"].tobytes())).convert("RGB"))
    rows = sheet.reshape(len(sheet) // size, size, -1, size, 3).swapaxes(1, 2)
    names = data["au_name"].tolist()
    intensity = pd.DataFrame(data["intensity"].astype(float), columns=names)
    corpus = make_bunch(
        "Sample faces",
        np.ascontiguousarray(rows.reshape(-1, size, size, 3)),
        data["subject"],
        pd.DataFrame(data["present"].astype(float), columns=names),
        extra=pd.DataFrame({"frame": data["number"].astype(int)}),
        descr=DESCR.format(size=size),
        as_frame=as_frame,
    )
    corpus.intensity = intensity if as_frame else intensity.to_numpy(copy=True)
    return corpus
