"""Rows on demand: images stay uint8, in memory, in a memory map or on disk, until the batch."""

import mmap
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import ExifTags, Image
from torch import Tensor
from torch.utils.data import Dataset

from ..preprocessing._image_source import ImageSource
from ..preprocessing._images import READ_ERRORS, as_array, is_uint16
from ..utils._text import first_few

# More readers than this would wait for each other, or for the disk.
_MOST_THREADS = 4

A = TypeVar("A")
B = TypeVar("B")


class ImageFiles:
    """Images of one size, each read when it is indexed.

    Parameters
    ----------
    images : sequence of paths, PIL images or arrays
        Crops, in colour or all grey, read as `skau.preprocessing.read_image` does; all must have
        the size of the first, which `check` looks at ahead.

    Attributes
    ----------
    paths : list of Path
        Empty if not all of them are files.
    """

    def __init__(self, images: Any) -> None:
        self._source = ImageSource(images)
        self.paths = [Path(path) for path in self._source.paths or ()]
        self.shape = (len(self._source), *self._read(0).shape)

    def __len__(self) -> int:
        return self.shape[0]

    def _read(self, row: int) -> np.ndarray:
        try:
            return self._source.pixels(row)
        except READ_ERRORS as error:
            raise self._unfit({row: str(error)}) from error

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        indices = np.arange(len(self))[rows]
        out = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for i, row in enumerate(indices.tolist()):
            image = self._read(row)
            if image.shape != self.shape[1:]:
                raise self._unfit({row: image.shape})
            out[i] = image
        return out

    def check(self, rows: np.ndarray) -> None:
        """Look at the files of rows, before hours go into what one of them would end.

        Of most the header says enough; the others are read.
        """

        def look(part: np.ndarray) -> dict[int, tuple[int, ...] | str]:
            found: dict[int, tuple[int, ...] | str] = {}
            for row in part.tolist():
                if _stated_shape(self.paths[row]) == self.shape[1:]:
                    continue
                try:
                    shape = self._source.pixels(row).shape
                    if shape != self.shape[1:]:
                        found[row] = shape
                except READ_ERRORS as error:
                    found[row] = str(error)
            return found

        parts = np.array_split(rows, len(rows) // 64 + 1)
        found = {row: why for part in read_ahead(look, parts, self) for row, why in part.items()}
        if found:
            raise self._unfit(found)

    def _unfit(self, found: dict[int, tuple[int, ...] | str]) -> ValueError:
        """Return the error that says of rows what they are, or why they cannot be read."""
        said = []
        name = self._source.name
        unread = [f"{name(row)}: {why}" for row, why in found.items() if isinstance(why, str)]
        unlike = [
            f"{name(row)} is {_describe(shape)}"
            for row, shape in found.items()
            if not isinstance(shape, str)
        ]
        if unlike:
            said.append(
                f"{first_few(unlike, 20)}, but {name(0)} {_describe(self.shape[1:])}; bring all "
                "images to one size and kind (see skau.preprocessing.FaceCropper)"
            )
        if unread:
            said.append(f"cannot read the image of {first_few(unread, 20)}")
        return ValueError(f"X: {'. '.join(said)}")


def _stated_shape(path: Path) -> tuple[int, ...] | None:
    """Return the shape of an image's pixels by its header; None where that does not tell."""
    try:
        with Image.open(path) as image:
            may_be_turned = image.format == "TIFF" or "exif" in image.info
            if may_be_turned and image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
                return None
            size = image.size[::-1]
            if image.mode in ("I", "F"):
                return None
            grey = image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I;16")
            return size if grey else (*size, 3)
    except READ_ERRORS:
        return None


def _describe(shape: tuple[int, ...]) -> str:
    kind = "a grey" if len(shape) == 2 else "an RGB"
    return f"{kind} image of {shape[1]} x {shape[0]} pixels"


def open_images(X: Any) -> np.ndarray | ImageFiles:
    """Return images of one size as an array, or files to be read when they are indexed.

    Parameters
    ----------
    X : images as `FaceCropper` takes them
    """
    if isinstance(X, np.ma.MaskedArray):
        X = as_array(X, "X")
    if isinstance(X, np.ndarray) and X.ndim > 2 and not is_uint16(X):
        return X  # also a memory map
    if isinstance(X, list | tuple) and all(isinstance(image, np.ndarray) for image in X):
        X = [as_array(image, f"X[{row}]") for row, image in enumerate(X)]
        kinds = {(image.shape, image.dtype.str) for image in X}
        if len(kinds) == 1 and X[0].dtype == np.uint8:
            return np.stack(X)
    images = ImageFiles(X)
    return images if images.paths else images[:]


def _forget_pages(X: Any) -> None:
    """Let the pages of a memory map go, which would count as this process's memory.

    They stay in the system's cache, so that it costs next to nothing to come back to one. What
    was written to a copy-on-write map ("c") is nowhere but in its pages.
    """
    pages = getattr(X, "_mmap", None) if isinstance(X, np.memmap) else None
    if pages is not None and X.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)


def read_ahead(
    read: Callable[[A], B], keys: Iterable[A], *sources: np.ndarray | ImageFiles
) -> Iterator[B]:
    """Yield ``read(key)`` of every key in order; files are read ahead in threads.

    Decoders let other threads compute, so threads do what processes would, without starting
    them and without sending pixels between them. The keys are drawn in the caller's thread, a
    few too early, in the order that they always have.

    Parameters
    ----------
    read : callable
    keys : iterable
    *sources : array, memory map or ImageFiles
        What ``read`` reads; arrays need no thread.
    """
    if not any(isinstance(source, ImageFiles) for source in sources):
        for key in keys:
            yield read(key)
            for source in sources:
                _forget_pages(source)
        return
    threads = min(_MOST_THREADS, torch.get_num_threads())
    waiting: deque[Future[B]] = deque()
    pool = ThreadPoolExecutor(threads, "read")
    try:
        for key in keys:
            waiting.append(pool.submit(read, key))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class AUDataset(Dataset):
    """Images or vectors with labels, weights and subjects, indexed a batch at a time.

    Parameters
    ----------
    X : array of shape (n, h, w[, 3]) uint8 or (n, d) float, or ImageFiles
    Y : ndarray of shape (n, n_aus), float32, NaN where not annotated
    weight : ndarray of shape (n,)
    group : ndarray of shape (n,), int
        Code of the subject; -1 where nobody said.
    rows : ndarray of int, optional
        The rows that belong to this part; default all.
    """

    def __init__(
        self,
        X: np.ndarray | ImageFiles,
        Y: np.ndarray,
        weight: np.ndarray,
        group: np.ndarray,
        rows: np.ndarray | None = None,
    ) -> None:
        self.X, self.Y, self.weight, self.group = X, Y, weight, group
        self.rows = np.arange(len(Y)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, rows: np.ndarray) -> "AUDataset":
        """Return the same data, restricted to ``rows`` of the whole."""
        return AUDataset(self.X, self.Y, self.weight, self.group, rows)

    def take(self, positions: list[int]) -> tuple[dict[str, Tensor], Tensor]:
        """Read a batch."""
        rows = self.rows[positions]
        batch = {"X": self.X[rows], "weight": self.weight[rows], "group": self.group[rows]}
        return {k: torch.from_numpy(v) for k, v in batch.items()}, torch.from_numpy(self.Y[rows])

    @property
    def annotated(self) -> np.ndarray:
        """Positions (into this part) of the rows with at least one label."""
        return np.flatnonzero(self._has_label())

    @property
    def identity_only(self) -> np.ndarray:
        """Positions (into this part) of the rows without any label."""
        return np.flatnonzero(~self._has_label())

    def _has_label(self) -> np.ndarray:
        return ~np.isnan(self.Y[self.rows]).all(axis=1)


class Batches:
    """The batches of one pass over an ``AUDataset``, each time it is iterated.

    Parameters
    ----------
    dataset : AUDataset
    positions : iterable of lists of int
        The rows of each batch.
    pin : bool, default=False
        Whether to read into memory from which a GPU copies while it computes.
    """

    def __init__(
        self, dataset: AUDataset, positions: Iterable[list[int]], pin: bool = False
    ) -> None:
        self.dataset, self.positions, self.pin = dataset, positions, pin

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        return read_ahead(self._read, self.positions, self.dataset.X)

    def _read(self, positions: list[int]) -> tuple[dict[str, Tensor], Tensor]:
        X, y = self.dataset.take(positions)
        if self.pin:
            return {name: part.pin_memory() for name, part in X.items()}, y.pin_memory()
        return X, y
