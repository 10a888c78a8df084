"""Results on disk: written beside their place, and moved there when they are whole."""

import os
import shutil
from contextlib import suppress
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..utils._cache import name_file

__all__ = ["NpyWriter", "begin", "check_out", "finish", "forget_parts", "part_of"]


def check_out(out: str | PathLike[str] | None, *suffixes: str) -> None:
    """Say at once, before any work, what would keep the results from being written at its end."""
    if out is None:
        return
    path = Path(out)
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"out={str(path)!r} must end in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"out={str(path)!r}: there is no folder {str(path.parent)!r}; make it first"
        )
    if path.is_dir():
        raise IsADirectoryError(f"out={str(path)!r} is a folder; name a file in it")


def part_of(out: str | PathLike[str]) -> Path:
    """Return the folder beside the results that holds what of them is done so far."""
    return Path(f"{os.fspath(out)}.part")


def begin(out: str | PathLike[str]) -> Path:
    """Return where to write what shall be at ``out`` when it is whole."""
    folder = part_of(out)
    folder.mkdir(exist_ok=True)
    return folder / Path(out).name


def finish(out: str | PathLike[str]) -> None:
    """Move it there. An array that is mapped from an earlier file keeps that one."""
    part = begin(out)
    with name_file(Path(out), part):
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(out)


def forget_parts(out: str | PathLike[str] | None) -> None:
    """Remove the folder: the results are whole."""
    if out is not None:
        shutil.rmtree(part_of(out), ignore_errors=True)


class NpyWriter:
    """Write images to a ``.npy`` file, in any order, until no row is left out.

    Parameters
    ----------
    out : path-like
        Where the file is after `close`, if it shall be finished.
    size : int
        Side of the images, ``(size, size, 3)`` of uint8.
    """

    def __init__(self, out: str | PathLike[str], size: int) -> None:
        self.out, self._rows, self._shape = Path(out), 0, (size, size, 3)
        self._file = begin(out).open("wb")
        with name_file(self.out):
            self._write_header()
        self._first = self._file.tell()

    def write(self, row: int, image: NDArray[np.uint8]) -> None:
        """Write the image of a row."""
        with name_file(self.out):
            self._file.seek(self._first + row * image.size)
            self._file.write(np.ascontiguousarray(image).data)
        self._rows = max(self._rows, row + 1)

    def close(self, *, finished: bool) -> None:
        """Move the file to its place, or drop it."""
        if finished:
            with name_file(self.out):
                self._file.seek(0)
                self._write_header()
                self._file.close()
            finish(self.out)
            return
        with suppress(OSError):  # the disk that stopped the run is still full
            self._file.close()
        with suppress(OSError):
            begin(self.out).unlink()
            part_of(self.out).rmdir()  # if nothing of the run is kept there

    def _write_header(self) -> None:
        # NumPy pads headers so that the first axis can grow in place.
        header = BytesIO()
        fields = {"descr": "|u1", "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(header, fields)
        self._file.write(header.getvalue())
