"""Action Units of photos, of one face or of all."""

import warnings
from collections.abc import Iterator
from os import PathLike
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from ..preprocessing._film import Seen, faces_of_photos
from ..preprocessing._image_source import ImageSource
from ..preprocessing._worker import Worker
from ..utils._text import first_few, first_lines
from ..utils._warnings import user_level
from ._face_table import FaceTable, Settings
from ._predict_common import Reference, check_faces, fingerprint, warn_of_unread, with_progress
from ._scorer import Scorer

_NO_SCORES = "their rows hold no scores"
_PHOTOS = 64  # that are kept together: what a killed run loses at most


class UnreadableError(ValueError):
    """No photo can be read; ``unread`` says why."""

    def __init__(self, message: str, unread: dict[str, str]) -> None:
        super().__init__(message)
        self.unread = unread


def predict_images(
    model: Any,
    images: Any,
    *,
    faces: str = "largest",
    calibrate: bool = False,
    reference: Reference | None = None,
    out: str | PathLike[str] | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Compute the probability of each AU of the faces in photos.

    Parameters
    ----------
    model : estimator
        As in :func:`predict_video`.
    images : list of paths, arrays or PIL images
        What :class:`~skau.preprocessing.FaceCropper` takes, but for films and tables.
    faces : {"largest", "all"}, default="largest"
        One face a photo, the one that ``select`` of the cropper says, or all of them.
    calibrate, reference
        As in :func:`predict_video`; who is who is told by appearance alone.
    out : path-like, default=None
        As in :func:`predict_video`; only of paths can a call that was interrupted go on, or one
        that had ended return its rows.
    verbose : int, default=1
        0 shows no progress bar.

    Returns
    -------
    DataFrame with a row a face and photo
        The columns of :func:`predict_video`, but for ``path`` (of paths) or ``image`` (the row of
        ``images``) in place of ``frame`` and ``time``. A photo without a face has a row of NaN,
        but for scores where the cropper has ``align=None``, which needs none.

    Raises
    ------
    ValueError
        If ``model`` is another kind of estimator, another argument cannot be used, no image can
        be read, or ``out`` is there of other photos, another model, setting or version, or of
        images in memory.

    Warns
    -----
    UserWarning
        Of files that cannot be read, also when their table is read from ``out``, and of photos
        without a face; they have a row of NaN. Of ``calibrate`` and ``reference`` as in
        :func:`predict_video`.

    Examples
    --------
    >>> from skau import predict_images
    >>> table = predict_images(pipeline, ["a.jpg", "b.jpg"], faces="all")  # doctest: +SKIP
    """
    check_faces(faces)
    photos = ImageSource(images, "images")
    scorer = Scorer(model)
    files = None if photos.paths is None else [fingerprint(path) for path in photos.paths]
    settings = Settings(
        "path" if files else "image",
        {"photos": files, "faces": faces},
        calibrate=calibrate,
        reference=reference,
        paths=photos.paths,
    )
    table = FaceTable(scorer, settings, out, keep=files is not None)
    if table.ended is not None:
        before = table.ended.attrs.get("unread", {})
        lines = [f"{name}: {why}" for name, why in before.items()]
        warn_of_unread(lines, len(photos), "images", _NO_SCORES)
        return table.ended
    worker, everyone = Worker.of(scorer.cropper), faces == "all"
    first, face, broken = 0, 0, {}
    if table.state is not None:
        first, face, broken = (table.state[key] for key in ("photos", "face", "broken"))

    def numbered(parts: Iterator[list[Seen]]) -> Iterator[list[Seen]]:
        nonlocal face
        for part in parts:
            named = []
            for seen in part:
                if seen.problem is not None:
                    broken[seen.frame] = seen.problem
                named.append(seen if seen.face < 0 else seen._replace(face=face))
                face += seen.face >= 0
            yield named

    with tqdm(
        total=len(photos), initial=first, desc="photos", unit="photo", disable=not verbose
    ) as bar:
        while first < len(photos):
            rows = range(first, min(first + _PHOTOS, len(photos)))
            parts = faces_of_photos(worker, photos, rows, everyone, scorer.cropper.n_jobs)
            table.add(with_progress(numbered(parts), bar))
            first = rows.stop
            table.keep({"photos": first, "face": face, "broken": broken})
    names = photos.paths or [photos.name(row) for row in range(len(photos))]
    unread = {names[row]: why for row, why in broken.items()}
    lines = [f"{photos.name(row)}: {why}" for row, why in broken.items()]
    if len(broken) == len(photos):
        table.give_up()
        raise UnreadableError(f"images: none can be read{first_lines(lines)}", unread)
    whole = table.finish(unread)
    warn_of_unread(lines, len(photos), "images", _NO_SCORES)
    faceless = whole.loc[whole["face"].isna(), whole.columns[0]]
    faceless = faceless if photos.paths else "row " + faceless.astype(str)
    lonely = [name for name in faceless if name not in unread]
    if lonely:  # a cropper with align=None needs no face
        scored = whole.loc[whole["face"].isna(), scorer.names].notna().any(axis=None)
        so = "they were scored as they are" if scored else _NO_SCORES
        warnings.warn(
            f"no face found in {len(lonely)} of {len(photos)} photos; {so}: {first_few(lonely)}",
            stacklevel=user_level(),
        )
    return whole
