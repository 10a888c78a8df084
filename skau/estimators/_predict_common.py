"""What `predict_video`, `predict_images` and `predict_files` have in common."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from os import fspath
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from ..preprocessing._film import Seen
from ..utils._sklearn import Interval
from ..utils._text import first_lines
from ..utils._warnings import user_level

Reference = Mapping[int, Sequence[Any]] | Sequence[Any]


def check_faces(faces: Any) -> None:
    """Refuse what says nothing of whose faces are looked at."""
    if faces not in ("largest", "all"):
        raise ValueError(f"faces={faces!r} must be 'largest' or 'all'")


def check_pace(every: Any, fps: Any) -> tuple[int, float | None]:
    """Return ``every`` and ``fps`` as numbers of Python, which JSON can hold."""
    if isinstance(every, bool) or not isinstance(every, Integral) or every < 1:
        raise ValueError(f"every={every!r} must be a whole number from 1")
    if fps is not None and not Interval(Real, 0, None, closed="neither").is_satisfied_by(fps):
        raise ValueError(f"fps={fps!r} must be a positive and finite number")
    if fps is not None and every != 1:
        raise ValueError(f"every={every} and fps={fps:g} exclude each other; give one of them")
    return int(every), None if fps is None else float(fps)


def fingerprint(path: str) -> list[Any]:
    """Say which file is meant, and which content of it."""
    try:
        stat = Path(path).stat()
    except OSError:
        return [fspath(path), None, None]
    return [fspath(path), stat.st_size, stat.st_mtime_ns]


def warn_of_unread(lines: list[str], n_files: int, argument: str, so: str) -> None:
    """Warn of files that cannot be read, a line each, and what follows from it."""
    if lines:
        head = f"{argument}: cannot read {len(lines)} of {n_files}; {so}"
        warnings.warn(f"{head}{first_lines(lines)}", stacklevel=user_level())


def with_progress(parts: Iterator[list[Seen]], bar: tqdm) -> Iterator[list[Seen]]:
    """Move the bar by the frames that are taken."""
    last = -1
    for part in parts:
        yield part
        bar.update(len({seen.frame for seen in part} - {last}))
        last = part[-1].frame
