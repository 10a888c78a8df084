"""Work through many images: in threads, in order, into memory or onto disk."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from os import PathLike, fsencode, fspath
from pathlib import Path
from typing import Any, Self, TypeVar

import joblib
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ..utils._extras import require_extra
from ._landmarks import COLUMNS
from ._storage import Journal, NpyWriter, check_out, refuse_journal
from ._worker import NO_FACE, Done

__all__ = ["Results", "fingerprint", "in_threads", "table_writer"]

CHUNK = 8  # images handed to a thread at once
A = TypeVar("A")
B = TypeVar("B")


def in_threads(
    job: Callable[[list[A]], list[B]], items: Iterable[A], n_jobs: int | None
) -> Iterator[list[B]]:
    """Do a job on chunks of the items and yield the results in order.

    A few chunks are under way at a time, so the memory does not grow with the items.  Meanwhile
    each thread, this one too, computes on one processor: the networks are so small that sharing
    their steps among processors costs more than it gains.
    """
    items = iter(items)
    chunks = iter(lambda: list(islice(items, CHUNK)), [])
    before = torch.get_num_threads()
    threads = before if n_jobs is None else joblib.effective_n_jobs(n_jobs)
    waiting: deque[Future[list[B]]] = deque()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for chunk in chunks:
            waiting.append(pool.submit(job, chunk))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)


class Results:
    """The results of a run, in memory or, with ``out``, on disk.

    Parameters
    ----------
    total : int or None
        Number of rows, if it is known.
    size : int or None
        Side of the crops; None: there are none.
    out : path-like or None
        Where the results will be.
    run : dict or None
        What they depend on, if an interrupted run may go on; see `Journal`.

    Attributes
    ----------
    values : list of list of float
        The rows of the landmark table.
    problems : dict of int to str
        The rows that went wrong, and how.
    """

    def __init__(
        self,
        total: int | None,
        size: int | None,
        out: str | PathLike[str] | None,
        run: dict[str, Any] | None,
    ) -> None:
        self.values: list[list[float]] = []
        self.problems: dict[int, str] = {}
        self._journal = None
        if out is not None and run is not None:
            self._journal = Journal(out, run)
        elif out is not None:
            refuse_journal(out)
        self._writer: NpyWriter | None = None
        self._memory: NDArray[np.uint8] | None = None
        self._crops: list[NDArray[np.uint8]] = []
        for values, problem in self._journal.done if self._journal else []:
            self._note(values, problem)
        # what went wrong may have been mended since
        self._again = deque(row for row, why in self.problems.items() if why != NO_FACE)
        if size is not None and out is not None:
            try:
                self._writer = NpyWriter(out, size, self.rows)
            except (OSError, ValueError) as error:
                self.__exit__(type(error))
                raise
        elif size is not None and total is not None:
            self._memory = np.empty((total, size, size, 3), dtype=np.uint8)

    @property
    def rows(self) -> int:
        """Number of rows done; at first, those of an earlier, interrupted run."""
        return len(self.values)

    def left(self, total: int) -> list[int]:
        """Return what is to be added, in order: rows that failed earlier, then the others."""
        return [*self._again, *range(self.rows, total)]

    def add(self, done: list[Done]) -> None:
        """Take the next rows."""
        if self._again:
            again = [self._again.popleft() for _ in range(min(len(done), len(self._again)))]
            for row, one in zip(again, done, strict=False):
                self._replace(row, one)
            if self._journal is not None and not self._again:
                self._journal.rewrite(
                    [(values, self.problems.get(row)) for row, values in enumerate(self.values)]
                )
            done = done[len(again) :]
        crops = [one.crop for one in done if one.crop is not None]
        if self._writer is not None:
            self._writer.append(crops)
        elif self._memory is not None:
            self._memory[self.rows : self.rows + len(done)] = crops
        else:
            self._crops += crops
        new = [(one.values.tolist(), one.problem) for one in done]
        if self._journal is not None:
            self._journal.append(new)
        for values, problem in new:
            self._note(values, problem)

    def _replace(self, row: int, one: Done) -> None:
        """Take a row that failed in an earlier run."""
        if self._writer is not None and one.crop is not None:
            self._writer.replace(row, one.crop)
        self.values[row] = one.values.tolist()
        del self.problems[row]
        if one.problem is not None:
            self.problems[row] = one.problem

    def _note(self, values: list[float], problem: str | None) -> None:
        if problem is not None:
            self.problems[self.rows] = problem
        self.values.append(values)

    def table(self) -> NDArray[np.float64]:
        """Return the numbers of the landmark table."""
        return np.array(self.values, dtype=float).reshape(-1, len(COLUMNS))

    def crops(self) -> NDArray[np.uint8]:
        """Return the crops; those on disk as a memory map."""
        if self._writer is not None:
            return np.load(self._writer.path, mmap_mode="r")
        return self._memory if self._memory is not None else np.stack(self._crops)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None = None, *_: object) -> None:
        """Close the files; a run that has ended without an error leaves no journal."""
        if self._writer is not None:
            self._writer.close()
        if self._journal is not None:
            self._journal.close()
            if error is None:
                self._journal.path.unlink()


def fingerprint(*parts: Any) -> str:
    """Return a short text that differs for different paths and numbers."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.tobytes() if isinstance(part, np.ndarray) else b"\0".join(map(fsencode, part))
        digest.update(data)
    return digest.hexdigest()[:32]


def table_writer(out: str | PathLike[str] | None) -> Callable[[pd.DataFrame], None]:
    """Return a function that writes a table to ``out``, or nothing if that is None."""
    check_out(out, ".csv", ".parquet")
    if out is None:
        return lambda table: None
    if Path(out).suffix.lower() == ".csv":
        return lambda table: table.to_csv(out, index=False)
    require_extra("pyarrow", "parquet", f"out={fspath(out)!r}: Parquet files need pyarrow")
    return lambda table: table.to_parquet(out, index=False, engine="pyarrow")
