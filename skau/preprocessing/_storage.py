"""Results on disk: written beside their place, and moved there when they are whole."""

import os
import shutil
from contextlib import suppress
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..utils._cache import name_file


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


class Crops:
    """Crops in memory or, with ``out``, in a ``.npy`` file, whose rows come in any order.

    At the end of a ``with`` block the file is at its place. If the block fails, it is dropped, and
    what was there before stays.

    Parameters
    ----------
    size : int
        Side of the crops, ``(size, size, 3)`` of uint8.
    n : int or None
        How many there will be, if that is known.
    out : path-like or None
    """

    def __init__(self, size: int, n: int | None, out: str | PathLike[str] | None) -> None:
        self._shape, self._rows = (size, size, 3), 0
        self._kept: Any = {}
        self._out = None if out is None else Path(out)
        if self._out is not None:
            self._file = begin(self._out).open("wb")
            with name_file(self._out):
                self._write_header()
            self._first = self._file.tell()
        elif n is not None:
            self._kept = np.empty((n, *self._shape), dtype=np.uint8)

    def add(self, row: int, crop: NDArray[np.uint8]) -> None:
        """Take the crop of a row."""
        if self._out is None:
            self._kept[row] = crop
            return
        with name_file(self._out):
            self._file.seek(self._first + row * crop.size)
            self._file.write(np.ascontiguousarray(crop).data)
        self._rows = max(self._rows, row + 1)

    def array(self) -> NDArray[np.uint8]:
        """Return all crops; those in a file as a memory map."""
        if self._out is not None:
            return np.load(self._out, mmap_mode="r")
        return np.stack(list(self._kept.values())) if isinstance(self._kept, dict) else self._kept

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self._out is None:
            return
        if kind is None:
            with name_file(self._out):
                self._file.seek(0)
                self._write_header()
                self._file.close()
            finish(self._out)
            return
        with suppress(OSError):  # the disk that stopped the run is still full
            self._file.close()
        with suppress(OSError):
            begin(self._out).unlink()
            part_of(self._out).rmdir()  # if nothing of the run is kept there

    def _write_header(self) -> None:
        # NumPy pads headers so that the first axis can grow in place.
        header = BytesIO()
        fields = {"descr": "|u1", "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(header, fields)
        self._file.write(header.getvalue())
