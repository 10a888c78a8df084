"""Results on disk: crops row by row, and a journal from which an interrupted run goes on."""

import json
import os
from collections.abc import Sequence
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Journal", "NpyWriter", "check_out"]


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


class NpyWriter:
    """Append images to a ``.npy`` file, which is a valid one after each `append`.

    Parameters
    ----------
    path : path-like
    size : int
        Side of the images, ``(size, size, 3)`` of uint8.
    rows : int, default=0
        Keep so many rows of a file that is there already.
    """

    def __init__(self, path: str | PathLike[str], size: int, rows: int = 0) -> None:
        self.path, self.rows, self._shape = Path(path), rows, (size, size, 3)
        if rows and not self.path.exists():
            raise ValueError(
                f"out: {str(self.path)!r} is gone, but the journal of its interrupted run is "
                f"there; delete '{self.path}.journal' to start anew"
            )
        self._file = open(self.path, "r+b" if rows else "w+b")  # noqa: SIM115
        if rows and self._file.read(len(self._header(0)))[:6] != b"\x93NUMPY":
            raise ValueError(f"out: {str(self.path)!r} is not a .npy file")
        self._write_header()
        self._file.truncate(self._file.tell() + rows * size * size * 3)
        self._file.seek(0, os.SEEK_END)

    def append(self, images: Sequence[NDArray[np.uint8]]) -> None:
        """Write images after those that are there."""
        for image in images:
            self._file.write(np.ascontiguousarray(image).data)
        self.rows += len(images)
        self._write_header()
        self._file.seek(0, os.SEEK_END)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _header(self, rows: int) -> bytes:
        # NumPy pads headers so that the first axis can grow in place.
        header = BytesIO()
        fields = {"descr": "|u1", "fortran_order": False, "shape": (rows, *self._shape)}
        np.lib.format.write_array_header_1_0(header, fields)
        return header.getvalue()

    def _write_header(self) -> None:
        self._file.seek(0)
        self._file.write(self._header(self.rows))


class Journal:
    """What a run has done so far, one line a row; removed when the run has ended.

    Parameters
    ----------
    path : path-like
        Of the results; the journal is beside them, with ``.journal`` added to the name.
    run : dict
        What the results depend on.

    Attributes
    ----------
    done : list of [values, problem]
        The rows of an earlier, interrupted run of the same description.

    Raises
    ------
    ValueError
        If there is a journal of another run.
    """

    def __init__(self, path: str | PathLike[str], run: dict[str, Any]) -> None:
        self.path = Path(f"{os.fspath(path)}.journal")
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()  # cut short by the interruption
        if lines:
            earlier = json.loads(lines[0])
            other = [key for key in run if earlier.get(key) != run[key]]
            if other:
                raise ValueError(
                    f"out: {str(self.path)!r} is left from an interrupted run that differs in "
                    f"{', '.join(other)}; repeat that run, or delete the file to start anew"
                )
        self.done = [json.loads(line) for line in lines[1:]]
        self._file = open(self.path, "ab")  # noqa: SIM115
        self._file.truncate(sum(map(len, lines)))
        if not lines:
            self._write([run])

    def append(self, rows: Sequence[tuple[list[float], str | None]]) -> None:
        """Write down rows that are done."""
        self._write(rows)

    def _write(self, lines: Sequence[Any]) -> None:
        self._file.writelines(json.dumps(line).encode() + b"\n" for line in lines)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
