"""Work through many images: in threads, in order, into memory or onto disk."""

import csv
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count, islice
from os import PathLike, fspath
from pathlib import Path
from threading import get_native_id
from typing import Any, TypeVar

import joblib
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from .._paths import check_out
from ..utils._cache import Cache, write_whole
from ..utils._extras import import_extra
from ..utils._text import first_few
from ..utils._threads import use_one_processor, wait_until_gone
from ..utils._warnings import user_level
from ._cached import work_or_remember
from ._image_source import ImageSource
from ._landmarks import COLUMNS
from ._storage import Crops, part_of
from ._video import FrameSource, Video
from ._worker import NO_FACE, Done, Worker

Source = ImageSource | FrameSource | Video

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
    threads = torch.get_num_threads() if n_jobs is None else joblib.effective_n_jobs(n_jobs)
    waiting: deque[Future[list[B]]] = deque()
    started: list[int] = []
    pool = ThreadPoolExecutor(threads, initializer=_start, initargs=(started,))
    restore = use_one_processor()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(job, chunk))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        wait_until_gone(started)
        restore()


def _start(started: list[int]) -> None:
    """Prepare a thread of the pool, and note which it is."""
    use_one_processor()
    started.append(get_native_id())


@dataclass
class Results:
    """What became of the rows of a source, but for their crops."""

    n: int | None  # number of rows of the source, if it is known
    values: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)  # of the frames of a video

    def table(self) -> NDArray[np.float64]:
        """Return the numbers of the landmark table, NaN in rows that were not asked for."""
        n = len(self.values) if self.n is None else self.n
        table = np.full((n, len(COLUMNS)), np.nan)
        table[list(self.values)] = list(self.values.values())
        return table


def run(
    cropper: Any,
    source: Source,
    rows: NDArray[np.intp] | None = None,
    known: NDArray[np.float64] | None = None,
    *,
    crops: Crops | None = None,
    out: str | PathLike[str] | None = None,
) -> Results:
    """Find or cut the faces of rows of a source, and say nothing of those without one.

    What is done for files is kept in the cropper's ``memory`` or else, with ``out``, in the folder
    beside it, from where the same run goes on if it was interrupted.

    Parameters
    ----------
    cropper : FaceCropper
    source : ImageSource, FrameSource or Video
    rows : ndarray of int, optional
        Default: all.
    known : ndarray of shape (n, 17), optional
        The landmarks of all rows of the source.
    crops : Crops, optional
        Takes the crops; else landmarks are all that is wanted.
    """
    worker, memory, cut = Worker.of(cropper), cropper.memory, crops is not None
    work: Callable[..., list[Done]] = partial(worker.work, cut=cut)
    items: Iterable[Any]
    places: Iterable[int]
    results = Results(None if isinstance(source, Video) else len(source))
    if isinstance(source, Video):
        total, places = source.n_frames, count()  # the number that the file states
        search = worker.needs_landmarks or not cut
        items = worker.follow(source, results.times, search=search)
    else:
        rows = np.arange(len(source)) if rows is None else rows
        rows = rows[source.order(rows)]
        total, places = len(rows), rows.tolist()
        landmarks = [None] * total if known is None else known[rows]
        items = zip(source.loaders(rows), landmarks, strict=True)
        if memory is None and out is not None and source.paths is not None:
            memory = part_of(out)
        if memory is not None:
            prints = (partial(source.fingerprint, row) for row in rows)
            items = zip(items, prints, strict=True)
            work = partial(work_or_remember, Cache(memory), worker, cut=cut)
    with tqdm(total=total, desc="faces", disable=not cropper.verbose) as bar:
        done = chain.from_iterable(in_threads(work, items, cropper.n_jobs))
        for one, row in zip(done, places, strict=False):
            results.values[row] = one.values
            if one.problem is not None:
                results.problems[row] = one.problem
            if crops is not None and one.crop is not None:
                crops.add(row, one.crop)
            bar.update()
    return results


def report(source: Source, problems: dict[int, str], on_missing: str) -> None:
    """Raise or warn about the images that cannot be used or have no face."""
    if not problems:
        return
    faceless = [source.name(i) for i, why in sorted(problems.items()) if why == NO_FACE]
    unusable = [
        f"{source.name(i)}: {why}" for i, why in sorted(problems.items()) if why != NO_FACE
    ]
    parts = [
        f"{what} {first_few(names, 20)}"
        for what, names in (("no face found in", faceless), ("cannot use", unusable))
        if names
    ]
    if on_missing == "raise":
        more = "; a lower threshold or min_face_size finds more faces" if faceless else ""
        raise ValueError(
            f"{'; '.join(parts)}. Leave them out, or pass on_missing='warn' to keep their rows "
            "(to a pipeline of make_pipeline or skau.load_model, by "
            f"set_params(facecropper__on_missing='warn')){more}"
        )
    warnings.warn("; ".join(parts), UserWarning, stacklevel=user_level())


def table_writer(out: str | PathLike[str] | None) -> Callable[[pd.DataFrame], None]:
    """Return a function that writes a table to ``out``, or nothing if that is None."""
    check_out(out, ".csv", ".parquet")
    if out is None:
        return lambda table: None
    parquet = Path(out).suffix.lower() == ".parquet"
    if parquet:
        import_extra("pyarrow", "parquet", f"out={fspath(out)!r}: Parquet files need pyarrow")

    def write(table: pd.DataFrame) -> None:
        with write_whole(Path(out)) as file:
            if parquet:
                table.to_parquet(file, index=False, engine="pyarrow")
            else:
                words = table.select_dtypes(exclude="number").items()
                # which begins a line for who reads the file, if the word is not in quotes
                torn = any("\r" in str(word) for _, column in words for word in column.unique())
                quotes: Any = csv.QUOTE_NONNUMERIC if torn else csv.QUOTE_MINIMAL
                table.to_csv(file, index=False, quoting=quotes)

    return write
