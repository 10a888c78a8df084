"""The small face corpus that ships with skau."""

from __future__ import annotations

from importlib import resources
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.utils import Bunch

PRESENT = 0.2
"""An AU of a rendered face counts as present from this intensity on."""

DESCR = """The skau sample faces
=====================

{n_subjects} rendered people, {n_frames} images each, {size} x {size} pixels, with the
intensity of {n_aus} facial Action Units. No photograph of anybody is in it: the faces come
from the MakeHuman base mesh and its targets (CC0), as in
:func:`skau.datasets.make_au_faces`. The images are released under CC0 as well.

An AU is present (1) where its intensity is at least {present}, absent (0) elsewhere. Each
person has a resting face of their own, which raises no label, and shows each AU in a
strength of their own. Use the corpus to try things out, never to report results.
"""


def load_sample_faces(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load the rendered faces with AU labels that ship with skau.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(images, target)`` instead of the Bunch.
    as_frame : bool, default=True
        Give `target` and `intensity` as DataFrames; as float arrays of the same shape
        if False.

    Returns
    -------
    faces : :class:`~sklearn.utils.Bunch`
        With the attributes

        images : ndarray of shape (n_images, size, size, 3), dtype uint8
            RGB images.
        target : DataFrame of shape (n_images, n_aus)
            1 where the AU is present, 0 where it is absent. Columns ``AUn``.
        intensity : DataFrame of shape (n_images, n_aus)
            The intensity of every AU, 0 to 1. Present means at least 0.2.
        groups : ndarray of shape (n_images,), dtype str
            The subject of each image.
        frame : ndarray of shape (n_images,), dtype int
            The number of the image within its subject, from 0.
        au_names : list of str
            The columns of `target`.
        DESCR : str
            What the corpus is and where it comes from.

    See Also
    --------
    make_au_faces : Render as many such faces as you like.

    Examples
    --------
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> faces.images.dtype, faces.target.shape[0] == len(faces.groups)
    (dtype('uint8'), True)
    """
    path = resources.files("skau.datasets").joinpath("data/sample_faces.npz")
    with path.open("rb") as file, np.load(file) as pack:
        data = {name: pack[name] for name in pack.files}
    size, groups = int(data["size"]), data["subject"].astype(str)
    # One JPEG sheet, a subject a row: a single decode, and tiles on block borders.
    sheet = np.asarray(Image.open(BytesIO(data["sheet"].tobytes())).convert("RGB"))
    rows, columns = sheet.shape[0] // size, sheet.shape[1] // size
    images = sheet.reshape(rows, size, columns, size, 3).swapaxes(1, 2)
    images = np.ascontiguousarray(images.reshape(-1, size, size, 3))
    au_names = data["au_names"].astype(str).tolist()
    intensity = pd.DataFrame(data["intensity"] / 255.0, columns=au_names)
    target = (intensity >= PRESENT).astype(float)
    faces = Bunch(
        images=images,
        target=target if as_frame else target.to_numpy(),
        intensity=intensity if as_frame else intensity.to_numpy(),
        groups=groups,
        frame=data["frame"].astype(int),
        au_names=au_names,
        DESCR=DESCR.format(
            n_subjects=rows, n_frames=columns, size=size, n_aus=len(au_names), present=PRESENT
        ),
    )
    return (faces.images, faces.target) if return_X_y else faces
