"""The file of a table of faces: returned to an equal call, refused to others, written whole."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from .._paths import as_path
from .._version import __version__
from ..preprocessing._results import table_writer
from ..preprocessing._storage import forget_parts, part_of
from ..utils._cache import write_whole
from ..utils._formats import BOX_COLUMNS, OWN_UNITS

_UNITS = {
    "skau": OWN_UNITS,
    "openface": {
        "path": "file",
        "frame": "number in the film, from 1",
        "face_id": "number of a person; -1: no face",
        "timestamp": "seconds from the start of the film",
        "confidence": "probability of a face, 0 to 1",
        "success": "1: there is a face",
        "pose_Rx": "radians, positive downwards",
        "pose_Ry": "radians, positive to the left of the image",
        "pose_Rz": "radians, positive clockwise",
        "_r": "five times the probability of the AU, 0 to 5",
        "_c": "1: the AU is present",
    },
    "py-feat": {
        "frame": "number in the film, or of the photo, from 0",
        "FaceScore": "probability of a face, 0 to 1",
        "Pitch": "degrees, positive upwards",
        "Roll": "degrees, positive counter-clockwise",
        "Yaw": "degrees, positive to the right of the image",
        "Identity": "number of a person",
        "approx_time": "seconds from the start of the film",
        "input": "file",
    },
}
_UNKNOWN = 64 * "0"  # the digest of a table that is not written yet


class ArgumentError(ValueError):
    """An argument does not fit what is on disk, or who was seen: known late, but wrong use."""


class TableFile:
    """A ``.csv`` or ``.parquet`` file, beside it ``.json``, which says how the table was made.

    It holds the digest of the table, too: of one that was changed since, it says nothing. Until
    the table is written, what is done of it lies in the folder ``parts``. ``anew`` takes no notice
    of a table that is there, until then.
    """

    def __init__(self, out: str | PathLike[str], *, anew: bool = False) -> None:
        self.path = as_path(out, "out")
        self._write = table_writer(out)
        self.parts = part_of(out)
        self._anew = anew

    def earlier(self, run: Mapping[str, Any]) -> pd.DataFrame | None:
        """Return the table of an equal run that had ended, or None.

        Raises
        ------
        ArgumentError
            If the file is of another run.
        """
        if self._anew or not self.path.exists():
            return None
        refuse_other(read_run(self.path), run, self.path)
        return read_table(self.path)

    def write(self, table: pd.DataFrame, story: Mapping[str, Any], layout: str = "skau") -> None:
        """Write the table and how it was made, or neither; what was kept of it is deleted."""
        with write_whole(_sidecar_of(self.path)) as file:
            file.write(_as_text(table, story, layout, _UNKNOWN))
            file.flush()
            os.fsync(file.fileno())  # a full disk is known before the table is replaced
            self._write(table)
            file.seek(0)
            file.write(_as_text(table, story, layout, _digest(self.path)))  # as many bytes
        self.forget()

    def forget(self) -> None:
        """Delete what is done so far."""
        forget_parts(self.path)


def check_names(paths: Iterable[str]) -> None:
    """Refuse names that no table can hold, before any work."""
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise ArgumentError(
                f"the name {path!r} is not UTF-8, as names in a table are; rename the file"
            ) from None


def refuse_other(before: Any, run: Mapping[str, Any], where: Path) -> None:
    """Raise unless what stands there is of this very run."""
    said = f"out: {str(where)!r}"
    mend = "give another file, or delete it"
    if not isinstance(before, dict):
        raise ArgumentError(
            f"{said} is there already, and no file beside it says of what film or photos this "
            f"table is, or it was changed since; {mend}"
        )
    if before.keys() != run.keys():
        raise ArgumentError(f"{said} was written by another function or command; {mend}")
    differs = [key for key in run if before[key] != run[key]]
    if differs:
        raise ArgumentError(f"{said} is of a run that differs in {', '.join(differs)}; {mend}")


def read_run(path: Path) -> Any:
    """Return what a table depends on; None if nothing beside it says so."""
    return _read_sidecar(path).get("run")


def read_table(path: Path) -> pd.DataFrame:
    """Return a table that was written."""
    if path.suffix.lower() == ".parquet":
        table = pd.read_parquet(path, engine="pyarrow")
    else:
        numbers = {"face": "Int64", "person": "Int64"}
        # a file may be called 7 or NA
        table = pd.read_csv(path, dtype=numbers, converters={"path": str}, encoding="utf-8")
    remember(table, _read_sidecar(path))
    return table


def remember(table: pd.DataFrame, story: Mapping[str, Any]) -> None:
    """Let a table in memory know, in its ``attrs``, what a picture or page says of it."""
    for key in ("thresholds", "unread", "model"):
        if isinstance(story.get(key), dict):
            table.attrs[key] = story[key]
    run = story.get("run")
    if isinstance(run, dict):
        table.attrs["calibrate"] = bool(run.get("calibrate"))
        table.attrs["reference"] = run.get("reference") is not None
        if run.get("film"):
            table.attrs["film"] = run["film"][0]


def _sidecar_of(out: Path) -> Path:
    """Return the file beside a table that says how it was made."""
    return Path(f"{out}.json")


def _read_sidecar(out: Path) -> dict[str, Any]:
    """Return what stands beside a table; empty if there is none, or it is of another table."""
    try:
        story = json.loads(_sidecar_of(out).read_text(encoding="utf-8"))
        same = isinstance(story, dict) and story.get("sha256") == _digest(out)
    except (OSError, ValueError):
        return {}
    return story if same else {}


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _as_text(table: pd.DataFrame, story: Mapping[str, Any], layout: str, digest: str) -> bytes:
    """Say how a table was made, in what units its columns are, and which it is."""
    units = {name: _unit(name, _UNITS[layout]) for name in map(str, table)}
    text = {"skau": __version__, "sha256": digest, **story, "columns": units}
    return json.dumps(text, indent=1).encode()


def _unit(name: str, known: dict[str, str]) -> str:
    if name in BOX_COLUMNS or name.startswith("FaceRect"):
        return "pixels"
    return known.get(name) or known.get(name[-2:], "probability of the AU, 0 to 1")
