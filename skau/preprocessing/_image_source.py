"""Many images, each read when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from numbers import Number
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import issparse

from ._images import as_array, as_uint8, read_image, read_pixels

_SINGLE = (str, bytes, PathLike, Image.Image)
_KINDS = "an array (n, height, width[, 1|3|4]), or a list, Series or one-column DataFrame of paths"


def holds_images(X: Any) -> bool:
    """Whether ``X`` is meant as images, or paths of such, and not as a table of numbers.

    What is neither counts as images too: `ImageSource` says what is wrong with it.
    """
    if issparse(X):
        return False
    if isinstance(X, pd.DataFrame):
        cells = X.select_dtypes(exclude=["number", "bool"]).to_numpy(dtype=object)
        return any(isinstance(cell, _SINGLE) for cell in cells.flat)
    if not isinstance(X, list | tuple):
        if not hasattr(X, "__array__"):
            return True
        X = X if hasattr(X, "ndim") else np.asarray(X)
        numbers = getattr(getattr(X, "dtype", None), "kind", "f") in "biufc"
        if X.ndim != 1 and (numbers or X.ndim != 2):
            return X.ndim in (3, 4)
        if X.ndim == 2:
            return bool(X.size) and isinstance(X[0, 0], _SINGLE)
        if numbers:
            return False
        X = np.asarray(X).tolist()
    return not (len(X) and all(map(_is_numbers, X)))


def _is_numbers(item: Any) -> bool:
    """Whether an element of a list is a number, or a row of them."""
    if isinstance(item, list | tuple):
        return not item or isinstance(item[0], Number)
    kind = getattr(getattr(item, "dtype", None), "kind", "f")
    return isinstance(item, Number) or (kind in "biufc" and getattr(item, "ndim", 2) < 2)


class ImageSource:
    """A sequence of images of any sizes, each read when it is asked for.

    Parameters
    ----------
    X : ndarray, or sequence of paths, PIL images or arrays
        See `FaceCropper.transform`.
    argument : str, default="X"
        What the caller's user knows it by.

    Attributes
    ----------
    paths : list of str or None
        Where every element is a path, those paths.
    """

    def __init__(self, X: Any, argument: str = "X") -> None:
        if isinstance(X, pd.DataFrame):
            if X.shape[1] != 1:
                raise ValueError(
                    f"{argument} is a DataFrame with the columns {list(X.columns)}: pass its one "
                    f"column of paths, e.g. {argument}['path'], or a landmark table made by "
                    "FaceCropper.detect"
                )
            X = X.iloc[:, 0]
        if isinstance(X, _SINGLE):
            raise ValueError(
                f"{argument} is one {type(X).__name__}, not a list of images: pass [{argument}]"
            )
        if hasattr(X, "__array__"):
            X = as_array(X, argument)
            if X.ndim == 1 or (X.shape[1:] == (1,) and X.dtype.kind in "OUST"):
                X = X.ravel().tolist()
        if isinstance(X, np.ndarray):
            if X.ndim == 3 and X.shape[2] in (1, 3, 4):
                raise ValueError(
                    f"{argument} has the shape {X.shape} of one image: pass {argument}[None]"
                )
            if X.ndim not in (3, 4):
                raise ValueError(f"{argument} is an array of shape {X.shape}; expected {_KINDS}")
            if X.ndim == 4 and X.shape[3] not in (1, 3, 4) and X.shape[1] in (1, 3):
                raise ValueError(
                    f"{argument} has the shape {X.shape}: move the colours last, "
                    f"np.moveaxis({argument}, 1, -1)"
                )
            if len(X):
                as_uint8(X[0])  # one type and shape for all: say what is wrong at once
        elif not isinstance(X, Sequence):
            mend = f": pass list({argument})" if isinstance(X, Iterator) else ""
            raise TypeError(f"{argument} is a {type(X).__name__}; expected {_KINDS}{mend}")
        if not len(X):
            raise ValueError(f"{argument} holds no image (0 rows); at least 1 is needed")
        self._items: Sequence[Any] = X
        self.paths: list[str] | None = None
        if not isinstance(X, np.ndarray):
            self._check_kinds(X, argument)
            if all(isinstance(item, str | PathLike) for item in X):
                self.paths = [fspath(item) for item in X]

    @staticmethod
    def _check_kinds(X: Sequence[Any], argument: str) -> None:
        for row, item in enumerate(X):
            if not isinstance(item, str | PathLike | Image.Image) and (
                getattr(item, "ndim", 0) < 2
            ):
                mend = ": os.fsdecode gives the path" if isinstance(item, bytes) else ""
                raise TypeError(
                    f"{argument}[{row}] is {item!r:.80} ({type(item).__name__}); expected a path, "
                    f"a PIL image or an array{mend}"
                )

    def __len__(self) -> int:
        return len(self._items)

    def read(self, row: int) -> Image.Image:
        """Return one image; see `read_image`."""
        return read_image(self._items[row])

    def pixels(self, row: int) -> NDArray[np.uint8]:
        """Return the pixels of one image; see `read_pixels`."""
        return read_pixels(self._items[row])

    def order(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the order in which rows are best read: as they are."""
        return np.arange(len(rows))

    def loaders(self, rows: Iterable[int]) -> Iterator[Callable[[], Image.Image]]:
        """Return for each row a function that reads its image."""
        return (partial(self.read, row) for row in rows)

    def fingerprint(self, row: int) -> str:
        """Return a text that differs for different images; of a file, for different bytes."""
        item = self._items[row]
        if isinstance(item, str | PathLike):
            item = Path(item).read_bytes()
        elif isinstance(item, Image.Image):
            item = read_pixels(item)
        else:
            item = as_array(item)
        return str(joblib.hash(item))

    def name(self, row: int) -> str:
        """Say which image a row is."""
        item = self._items[row]
        if isinstance(item, str | PathLike):
            return f"row {row} ({fspath(item)})"
        return f"row {row}"
