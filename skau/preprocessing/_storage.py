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

__all__ = ["Journal", "NpyWriter", "check_out", "journal_of", "refuse_journal"]


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


def journal_of(out: str | PathLike[str]) -> Path:
    """Return where the journal of results is: beside them."""
    return Path(f"{os.fspath(out)}.journal")


def refuse_journal(out: str | PathLike[str]) -> None:
    """Do not write over the results of an interrupted run that could go on."""
    journal = journal_of(out)
    if journal.exists():
        raise ValueError(
            f"out: {str(journal)!r} is left from an interrupted run on files; repeat that run, "
            "delete the journal to start anew, or choose another out"
        )


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
        if rows:
            self._check(rows)
        self._file = open(self.path, "r+b" if rows else "w+b")  # noqa: SIM115
        self._write_header()
        self._first = self._file.tell()
        self._file.truncate(self._first + rows * size * size * 3)
        self._file.seek(0, os.SEEK_END)

    def _check(self, rows: int) -> None:
        """Refuse a file that is not what the journal beside it is about."""
        if not self.path.exists():
            raise ValueError(
                f"out: {str(self.path)!r} is gone, but the journal of its interrupted run is "
                f"there; delete '{self.path}.journal' to start anew"
            )
        try:
            shape = np.load(self.path, mmap_mode="r").shape
        except ValueError as error:  # no .npy file, or one that has lost its end
            shape = (str(error),)
        if shape[1:] != self._shape or shape[0] < rows:
            raise ValueError(
                f"out: {str(self.path)!r} does not hold the {rows} crops of which the journal of "
                f"its interrupted run tells (found: {', '.join(map(str, shape))}); delete "
                f"'{self.path}.journal' to start anew"
            )

    def append(self, images: Sequence[NDArray[np.uint8]]) -> None:
        """Write images after those that are there."""
        for image in images:
            self._file.write(np.ascontiguousarray(image).data)
        self.rows += len(images)
        self._write_header()
        self._file.seek(0, os.SEEK_END)
        self._file.flush()

    def replace(self, row: int, image: NDArray[np.uint8]) -> None:
        """Write an image in place of one that is there."""
        self._file.seek(self._first + row * image.size)
        self._file.write(np.ascontiguousarray(image).data)
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
        self.path = journal_of(path)
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()  # cut short by the interruption
        if lines:
            earlier = json.loads(lines[0])
            other = [key for key in run if earlier.get(key) != run[key]]
            if other:
                raise ValueError(
                    f"out: {str(self.path)!r} is left from an interrupted run that differs in "
                    f"{', '.join(other)}; repeat that run, choose another out, or delete the file "
                    "to start anew"
                )
        self.done = [json.loads(line) for line in lines[1:]]
        self._run = run
        self._file = open(self.path, "ab")  # noqa: SIM115
        self._file.truncate(sum(map(len, lines)))
        if not lines:
            self._write([run])

    def append(self, rows: Sequence[tuple[list[float], str | None]]) -> None:
        """Write down rows that are done."""
        self._write(rows)

    def rewrite(self, rows: Sequence[tuple[list[float], str | None]]) -> None:
        """Write down all rows anew."""
        self._file.close()
        half = self.path.with_suffix(".part")
        self._file = open(half, "wb")  # noqa: SIM115
        self._write([self._run, *rows])
        self._file.close()
        half.replace(self.path)  # at no time is there half a journal
        self._file = open(self.path, "ab")  # noqa: SIM115

    def _write(self, lines: Sequence[Any]) -> None:
        self._file.writelines(json.dumps(line).encode() + b"\n" for line in lines)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
