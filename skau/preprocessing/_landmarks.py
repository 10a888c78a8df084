"""The landmark table: one row an image, as `FaceCropper.detect` returns it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..utils._groups import check_groups
from ._image_source import ImageSource
from ._video import FrameSource, Video

if TYPE_CHECKING:
    from ._mtcnn._boxes import Faces

BOX = slice(0, 4)
PROBABILITY = 4
POINTS = slice(5, 15)
FACE = slice(0, 15)  # all that is NaN where no face was found
SIZE = slice(15, 17)
COLUMNS = (
    *("box_x1", "box_y1", "box_x2", "box_y2", "probability"),
    *("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"),
    *("mouth_left_x", "mouth_left_y", "mouth_right_x", "mouth_right_y"),
    *("width", "height"),
)
DECIMALS = 2  # of a pixel: far below the error, and a CSV gives back the very same numbers


def is_landmark_table(X: Any) -> bool:
    """Whether ``X`` is a DataFrame with the columns of a landmark table."""
    return isinstance(X, pd.DataFrame) and set(COLUMNS) <= set(X.columns)


def empty_row(size: tuple[float, float] = (np.nan, np.nan)) -> NDArray[np.float64]:
    """Return the numbers of an image of the size (width, height) without a face."""
    values = np.full(len(COLUMNS), np.nan)
    values[SIZE] = size
    return values


def face_rows(faces: "Faces", size: tuple[int, int]) -> list[NDArray[np.float64]]:
    """Return the numbers of each face of an image of the size (width, height)."""
    rows = []
    for box, probability, points in zip(*faces, strict=True):
        rows.append(empty_row(size))
        rows[-1][BOX] = box.round(DECIMALS)
        rows[-1][PROBABILITY] = probability.round(6)
        rows[-1][POINTS] = points.ravel().round(DECIMALS)
    return rows


def select_face(faces: "Faces", size: tuple[int, int], select: str) -> "Faces":
    """Return one of the faces of an image of the size (width, height), if there is any."""
    best = 0  # the largest
    if select == "central" and len(faces):
        middle = faces.boxes.reshape(-1, 2, 2).mean(axis=1)
        best = int(np.linalg.norm(middle - np.array(size) / 2, axis=1).argmin())
    elif select == "most_confident" and len(faces):
        best = int(faces.probability.argmax())
    return faces.take(np.arange(len(faces))[best : best + 1])


def landmark_table(
    values: NDArray[np.float64], source: ImageSource | FrameSource | Video, times: list[float]
) -> pd.DataFrame:
    """Return the landmark table of images, or of a video whose frames have these times."""
    table = pd.DataFrame(values, columns=list(COLUMNS))
    if isinstance(source, Video):
        table.insert(0, "time", times)
        table.insert(0, "frame", np.arange(len(table)))
        table.insert(0, "path", source.path)
    elif source.paths is not None:
        table.insert(0, "path", source.paths)
    return table


def read_landmarks(table: pd.DataFrame) -> tuple[NDArray[np.float64], ImageSource | FrameSource]:
    """Return the numbers and the images of a landmark table."""
    if "path" not in table.columns:
        raise ValueError(
            "X is a landmark table without a column 'path', so its images are unknown: detect "
            "faces in a list of paths, or add the paths"
        )
    values = table.loc[:, list(COLUMNS)].to_numpy(dtype=float)
    if "frame" in table.columns:
        return values, FrameSource(table["path"].to_list(), table["frame"].to_list())
    return values, ImageSource(table["path"])


def sample_rows(groups: NDArray[Any], k: int | None) -> NDArray[np.intp]:
    """Return the rows of ``k`` evenly spread images of each subject (None: of all), in order."""
    samples = []
    for subject in pd.unique(groups):
        rows = np.flatnonzero(groups == subject)
        if k is not None and k < len(rows):
            rows = rows[np.linspace(0, len(rows) - 1, k).round().astype(int)]
        samples.append(rows)
    return np.sort(np.concatenate(samples))


def pool_by_subject(table: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    """Give every row of a landmark table the median box, probability and points of its subject.

    Parameters
    ----------
    table : DataFrame with n rows
        As `FaceCropper.detect` returns it, of images or of a video; rows without a face (NaN) do
        not count.
    groups : array-like of shape (n,)
        The subject of each row.

    Returns
    -------
    DataFrame with n rows
        NaN where no row of the subject has a face.

    Raises
    ------
    ValueError
        If the images of a subject differ in size, so that their pixels are not the same places.

    Examples
    --------
    >>> from skau.datasets import load_sample_faces
    >>> from skau.preprocessing import FaceCropper, pool_by_subject
    >>> faces = load_sample_faces()
    >>> landmarks = FaceCropper(size=64).detect(faces.images[:4])
    >>> pooled = pool_by_subject(landmarks, faces.groups[:4])
    >>> len(pooled)
    4
    """
    pooled = table.copy()
    values = table.loc[:, list(COLUMNS)].to_numpy(dtype=float)
    pooled[list(COLUMNS)] = pool_values(values, check_groups(groups, len(table), of="table"))
    return pooled


def pool_values(values: NDArray[np.float64], groups: NDArray[Any]) -> NDArray[np.float64]:
    """Do the same for the numbers alone, (n, 17)."""
    pooled = values.copy()
    for subject in pd.unique(groups):
        rows = np.flatnonzero(groups == subject)
        sizes = pooled[rows, SIZE]
        sizes = np.unique(sizes[~np.isnan(sizes).any(axis=1)], axis=0)
        if len(sizes) > 1:
            shown = ", ".join(f"{w:g} x {h:g}" for w, h in sizes[:3])
            raise ValueError(
                f"groups: the images of subject {str(subject)!r} differ in size ({shown}), so "
                "they cannot share landmarks; make each size a subject, or crop image by image"
            )
        if len(sizes):
            pooled[rows, SIZE] = sizes[0]  # also of images that were not looked at
        faces = pooled[rows, FACE]
        faces = faces[~np.isnan(faces).any(axis=1)]
        pooled[rows, FACE] = np.median(faces, axis=0).round(DECIMALS) if len(faces) else np.nan
    return pooled
