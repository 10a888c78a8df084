"""What a path says: what kind of file it is, and whether results can be written there.

Nothing but Python's own is imported, for the command's sake; Pillow where a GIF is opened, to see
whether it moves.
"""

import os
from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

_PHOTOS = "bmp gif heic heif jfif jpeg jpg jp2 png pgm ppm tif tiff webp avif"
_FILMS = (
    "3g2 3gp asf avi divx dv f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm "
    "wmv y4m"
)
PHOTOS, FILMS = (frozenset(f".{end}" for end in ends.split()) for ends in (_PHOTOS, _FILMS))
# what a film is drawn into, H.264, by FFmpeg's name
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".m4v": "ipod"}


def is_film(path: str | PathLike[str]) -> bool:
    """Whether a file has the ending of a film, or is a GIF that moves."""
    end = f".{fspath(path).rpartition('.')[2].lower()}"
    return end in FILMS or (end == ".gif" and _moves(path))


def _moves(path: str | PathLike[str]) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except (OSError, ValueError, SyntaxError):
        return False  # who reads it as a photo says what is wrong


def as_path(path: Any, argument: str) -> Path:
    """Return a path; whatever is none is refused by name."""
    if not isinstance(path, str | PathLike):
        raise TypeError(f"{argument} must be a path (str or path-like), got {path!r:.80}")
    return Path(path)


def check_file(path: Path, where: str) -> None:
    """Raise if what is there is no file: who may, would rename over a device or pipe."""
    if path.is_dir():
        raise IsADirectoryError(f"{where} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise OSError(f"{where} is a device or pipe; name a file")


def check_out(out: str | PathLike[str] | None, *endings: str, argument: str = "out") -> None:
    """Say at once, before any work, what would keep the results from being written at its end.

    Of a file with one of the endings; without any, of a folder too. The argument is what the
    user calls it.
    """
    if out is None:
        return
    path = as_path(out, argument)
    where, folder = f"{argument}={str(path)!r}", path.parent
    if endings and path.suffix.lower() not in endings:
        raise ValueError(f"{where} must end in {' or '.join(endings)}")
    if not folder.is_dir():
        raise FileNotFoundError(f"{where}: there is no folder {str(folder)!r}; make it first")
    if endings:
        check_file(path, where)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{where}: nothing can be written to the folder {str(folder)!r}")


def check_folder(out: Path, photos: Iterable[str], argument: str = "out") -> None:
    """Refuse what is no folder to draw copies of photos into, or is that of the photos."""
    where = f"{argument}={str(out)!r}"
    if not out.is_dir() and (out.exists() or out.suffix.lower() in PHOTOS | FILMS):
        raise ValueError(f"{where} is no folder; photos need one")
    if out.resolve() in {Path(photo).resolve().parent for photo in photos}:
        raise ValueError(f"{where} is the folder of the photos; give another one")
