"""Tables of faces: skau's own columns, and those that other tools write."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ._labels import read_thresholds, require_probabilities

OWN_UNITS = {
    "path": "file",
    "image": "row of the images, from 0",
    "frame": "number in the film, from 0",
    "time": "seconds from the start of the film",
    "face": "number of a track",
    "person": "number of a person",
    "probability": "of a face, 0 to 1",
    "yaw": "degrees, positive to the right of the image",
    "pitch": "degrees, positive upwards",
    "roll": "degrees, positive counter-clockwise",
}
BOX_COLUMNS = ["box_x1", "box_y1", "box_x2", "box_y2"]
POSE = ["yaw", "pitch", "roll"]
_OWN = {*OWN_UNITS, *BOX_COLUMNS}
_NUMBERED = re.compile(r"AU\d+")
_OPENFACE_FULL = 5.0  # OpenFace's intensities go from 0 to 5
_OPENFACE_DECIMALS = 3  # of its times and angles; its two of intensities would level faint AUs


def to_openface(table: pd.DataFrame, *, threshold: Any = None) -> pd.DataFrame:
    """Turn a table of faces into the columns that OpenFace 2 writes [1]_.

    Parameters
    ----------
    table : DataFrame
        From :func:`skau.predict_video` or :func:`skau.predict_images`.
    threshold : float, dict, Series or array-like, default=None
        Above this probability an AU counts as present: one number, one an AU in the order of
        the table, or by name. None is the model's own, which a table of skau remembers
        (``table.attrs["thresholds"]``); 0.5 where it does not.

    Returns
    -------
    DataFrame
        ``frame``, counted from 1; ``face_id``, the person (-1: no face); ``timestamp`` in
        seconds; ``confidence``, the probability of the face, 0 to 1; ``success``, 1 where there
        is a face; ``pose_Rx, pose_Ry, pose_Rz`` in radians, with OpenFace's signs (positive are a
        lowered head, one turned to the left of the image, and one inclined clockwise);
        ``AU01_r, ...``, **five times the probability**: OpenFace's own are intensities from 0 to
        5; ``AU01_c, ...``, 1 where the AU is present. Numbers are 0 where there is no face, as in
        OpenFace. Gaze, head position and 68 landmarks are not there. Photos have ``path`` in
        place of frame and timestamp, several films have it before them. AUs that are not named by
        a number keep their names.
        Numbers are rounded to three decimals: as OpenFace does with times and angles, and one
        more than it gives intensities and confidence.

    References
    ----------
    .. [1] T. Baltrusaitis, A. Zadeh, Y. C. Lim, L.-P. Morency, "OpenFace 2.0: Facial Behavior
       Analysis Toolkit", FG 2018; https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format

    Examples
    --------
    >>> from skau.utils import to_openface
    >>> table = pd.DataFrame({
    ...     "frame": [0], "time": [0.0], "face": [0], "person": [0], "probability": [0.99],
    ...     "box_x1": [10], "box_y1": [10], "box_x2": [50], "box_y2": [60],
    ...     "yaw": [0.0], "pitch": [-90.0], "roll": [0.0], "AU1": [0.25], "AU12": [0.75]})
    >>> to_openface(table)[["frame", "pose_Rx", "AU01_r", "AU12_c"]].round(2)
       frame  pose_Rx  AU01_r  AU12_c
    0      1     1.57    1.25       1
    """
    names = au_columns(table)
    found = table["face"].notna().to_numpy()
    columns: dict[str, Any] = {}
    if "path" in table and ("frame" not in table or table["path"].nunique() > 1):
        columns["path"] = table["path"]
    if "frame" in table:
        columns["frame"] = table["frame"] + 1
    columns["face_id"] = table["person"].fillna(-1).astype(int)
    if "time" in table:
        columns["timestamp"] = table["time"]
    columns["confidence"] = table["probability"].fillna(0.0)
    columns["success"] = found.astype(int)
    pose = -np.radians(table[["pitch", "yaw", "roll"]].to_numpy(float))
    for name, angle in zip(["pose_Rx", "pose_Ry", "pose_Rz"], pose.T, strict=True):
        columns[name] = np.nan_to_num(angle)
    require_probabilities(table[names], "table")
    proba = np.nan_to_num(table[names].to_numpy(float))
    present = proba > thresholds_of(table, threshold, names).to_numpy()
    for name, p in zip(names, proba.T, strict=True):
        columns[f"{_padded(name)}_r"] = _OPENFACE_FULL * p
    for name, p in zip(names, present.T, strict=True):
        columns[f"{_padded(name)}_c"] = p.astype(int)
    rounded = pd.DataFrame(columns).reset_index(drop=True).round(_OPENFACE_DECIMALS)
    return rounded.replace(-0.0, 0.0)


def to_pyfeat(table: pd.DataFrame) -> pd.DataFrame:
    """Turn a table of faces into the columns that Py-Feat writes [1]_.

    Parameters
    ----------
    table : DataFrame
        From :func:`skau.predict_video` or :func:`skau.predict_images`.

    Returns
    -------
    DataFrame
        ``frame``, counted from 0 (of photos, the photo's number); ``FaceRectX, FaceRectY,
        FaceRectWidth, FaceRectHeight`` in pixels; ``FaceScore``, the probability of the face, 0 to
        1; ``Pitch, Roll, Yaw`` in degrees, with skau's signs; ``AU01, ...``, the probability of
        each AU, 0 to 1; ``Identity``, ``Person_0`` and so on; of films the time in seconds,
        ``approx_time``; of photos ``input``, the file. NaN where there is no face. Landmarks and
        emotions are not there. Numbers have the digits of ``table``.

    References
    ----------
    .. [1] J. H. Cheong et al., "Py-Feat: Python Facial Expression Analysis Toolbox", Affective
       Science 4, 2023.

    Examples
    --------
    >>> import pandas as pd
    >>> from skau.utils import to_pyfeat
    >>> table = pd.DataFrame({
    ...     "frame": [0], "time": [0.0], "face": [0], "person": [0], "probability": [0.99],
    ...     "box_x1": [10], "box_y1": [10], "box_x2": [50], "box_y2": [60],
    ...     "yaw": [0.0], "pitch": [-90.0], "roll": [0.0], "AU1": [0.25], "AU12": [0.75]})
    >>> [name for name in to_pyfeat(table) if name.startswith("AU")]
    ['AU01', 'AU12']
    """
    names = au_columns(table)
    require_probabilities(table[names], "table")
    if "frame" in table:
        frame = table["frame"].to_numpy()
    elif "path" in table:
        frame = pd.factorize(table["path"])[0]
    else:
        frame = table["image"].to_numpy()
    box = table[BOX_COLUMNS].to_numpy(float)
    columns: dict[str, Any] = {
        "frame": frame,
        "FaceRectX": box[:, 0],
        "FaceRectY": box[:, 1],
        "FaceRectWidth": box[:, 2] - box[:, 0],
        "FaceRectHeight": box[:, 3] - box[:, 1],
        "FaceScore": table["probability"].to_numpy(float),
    }
    for name in ("Pitch", "Roll", "Yaw"):
        columns[name] = table[name.lower()].to_numpy(float)
    for name in names:
        columns[_padded(name)] = table[name].to_numpy(float)
    columns["Identity"] = [
        None if pd.isna(who) else f"Person_{int(who) if isinstance(who, float) else who}"
        for who in table["person"]
    ]
    if "time" in table:
        columns["approx_time"] = table["time"].to_numpy()
    if "path" in table:
        columns["input"] = table["path"].to_numpy()
    return pd.DataFrame(columns)


def au_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table of faces that are AUs; skau's other ones must be there.

    Of a table that remembers its model's thresholds, columns of another name have been added.
    """
    needed = {"face", "person", "probability", *BOX_COLUMNS, *POSE}
    if missing := sorted(needed - set(table)):
        raise ValueError(
            f"table has no column {', '.join(missing)}; it must come from predict_video or "
            "predict_images"
        )
    names = [str(name) for name in table if name not in _OWN]
    told = table.attrs.get("thresholds")
    return [name for name in names if not told or name in told or _NUMBERED.fullmatch(name)]


def thresholds_of(table: pd.DataFrame, threshold: Any, names: Sequence[str]) -> pd.Series:
    """Return from where on each AU of a table counts as present; None is what its model says."""
    if threshold is None:
        own = table.attrs.get("thresholds", {})
        threshold = {name: own.get(name, 0.5) for name in names}
    return read_thresholds(threshold, names)


def _padded(name: str) -> str:
    """AU1 -> AU01, as the other tools write it."""
    return f"AU{int(name[2:]):02d}" if name[:2] == "AU" and name[2:].isdigit() else name
