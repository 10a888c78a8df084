"""E-Net's enhancing maps, which travel with the images that they belong to."""

from typing import Any

import numpy as np
import torch

from ..preprocessing import FaceCropper
from ..preprocessing._landmarks import COLUMNS, POINTS, SIZE, is_landmark_table
from ..preprocessing._worker import Worker
from ._au_centres import attention_maps, centres_from_points

_CHUNK = 64


def add_enhancing_maps(
    crops: np.ndarray, landmarks: Any, cropper: FaceCropper | None = None
) -> np.ndarray:
    """Add to each crop a map of the places where its AUs show, by its own landmarks.

    :class:`ATFClassifier` takes the result in place of the crops. The map is a fourth channel, so
    that it goes wherever its image goes: through splits, pipelines and searches, to ``predict``,
    and into the mirror with it.

    Parameters
    ----------
    crops : ndarray of shape (n, h, w, 3), uint8
    landmarks : array-like of shape (n, 5, 2) or (n, 68, 2), or landmark table with n rows
        ``x, y`` of each face in pixels of its crop: two eyes, nose, two corners of the mouth
        from the left to the right of the image, or the 68 points of iBUG in their order. A table
        of :meth:`skau.preprocessing.FaceCropper.detect` is in pixels of the photographs.
    cropper : FaceCropper, optional
        With a landmark table: what cut the crops by it. Default: ``FaceCropper()`` of their size.

    Returns
    -------
    ndarray of shape (n, h, w, 4), uint8
        The map is 255 at each of 18 places and falls to 0 within a tenth of the side [1]_.

    Raises
    ------
    ValueError
        If the shapes are wrong, or a face has no landmarks.

    References
    ----------
    .. [1] W. Li, F. Abtahi, Z. Zhu, L. Yin, "EAC-Net: A Region-based Deep Enhancing and Cropping
       Approach for Facial Action Unit Detection", FG 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.baselines import add_enhancing_maps
    >>> crop = np.zeros((1, 64, 64, 3), np.uint8)
    >>> eyes_nose_mouth = [[[20, 20], [43, 20], [31, 32], [24, 44], [39, 44]]]
    >>> mapped = add_enhancing_maps(crop, eyes_nose_mouth)
    >>> mapped.shape
    (1, 64, 64, 4)
    >>> mapped[0, 20, [20, 31], 3]  # at an eye, and between the eyes
    array([255,   0], dtype=uint8)
    """
    crops = np.asarray(crops)
    if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != np.uint8:
        raise ValueError(
            f"crops must be uint8 of shape (n, h, w, 3), got {crops.dtype} of {crops.shape}"
        )
    n, height, width, _ = crops.shape
    table = None
    if is_landmark_table(landmarks):
        table = landmarks[list(COLUMNS)].to_numpy(dtype=float)
        landmarks = table[:, POINTS].reshape(-1, 5, 2)
    points = np.asarray(landmarks, dtype=float)
    if len(points) != n or points.shape[1:] not in ((5, 2), (68, 2)):
        raise ValueError(
            f"landmarks must have shape ({n}, 5, 2) or ({n}, 68, 2), or be a landmark table of "
            f"{n} rows; got shape {points.shape}"
        )
    without = np.flatnonzero(~np.isfinite(points).all(axis=(1, 2)))
    if len(without):
        raise ValueError(
            f"landmarks: row {without[0]} has none ({len(without)} such rows in all); leave these "
            "rows out of crops and landmarks"
        )
    if table is not None:
        points = _into_crops(table, points, height, cropper or FaceCropper(size=height))
    centres = (centres_from_points(points) + 0.5) / [width, height]
    out = np.empty((n, height, width, 4), np.uint8)
    out[..., :3] = crops
    for i in range(0, n, _CHUNK):
        maps = attention_maps(torch.from_numpy(centres[i : i + _CHUNK]), height, width)
        out[i : i + _CHUNK, ..., 3] = (255 * maps).round().numpy()
    return out


def _into_crops(
    table: np.ndarray, points: np.ndarray, size: int, cropper: FaceCropper
) -> np.ndarray:
    """From pixels of the photographs to those of their crops, (n, 5, 2) -> (n, 5, 2)."""
    if cropper.size != size:
        raise ValueError(f"cropper cuts {cropper.size} pixels, crops have {size}: not its own")
    worker = Worker.of(cropper)
    places = []
    for row, face in zip(table, points, strict=True):
        width, height = row[SIZE]
        matrix = worker.matrix(row, (width, height))
        places.append(np.linalg.solve(matrix[:, :2], (face + 0.5 - matrix[:, 2]).T).T - 0.5)
    return np.stack(places)
