"""Images from arrays, files and PIL, as RGB with 8 bits a channel."""

import struct
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
from PIL import ExifTags, Image
from scipy.sparse import issparse

from ..utils._arrays import plain

__all__ = [
    "READ_ERRORS", "ImageSource", "advise_uint8", "holds_images", "is_uint16", "read_image",
    "read_pixels",
]  # fmt: skip

READ_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError,
    Image.DecompressionBombError,
)  # fmt: skip
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SINGLE = (str, bytes, PathLike, Image.Image)
_KINDS = "an array (n, height, width[, 1|3|4]), or a list, Series or one-column DataFrame of paths"


def read_image(image: Any) -> Image.Image:
    """Return one image as RGB with 8 bits a channel.

    Parameters
    ----------
    image : str, path-like, PIL.Image.Image or ndarray
        A file in any format that Pillow reads (the first frame of an animation), turned upright
        by its EXIF orientation; or an array ``(height, width)`` or ``(height, width, 1|3|4)`` of
        uint8 or uint16.  Transparent pixels are laid over white.  16-bit grey values are divided
        by 257.

    Returns
    -------
    PIL.Image.Image
        Mode "RGB".

    Raises
    ------
    OSError
        If the file does not exist, is not an image, or is cut short.
    ValueError
        If the array's shape or type is not one of those above, or the values have no fixed white
        (32-bit integer and floating point images).
    PIL.Image.DecompressionBombError
        If the file has more than twice ``PIL.Image.MAX_IMAGE_PIXELS`` pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.preprocessing import read_image
    >>> read_image(np.zeros((48, 64, 3), np.uint8)).size
    (64, 48)
    """
    return _load(image).convert("RGB")


def read_pixels(image: Any) -> NDArray[np.uint8]:
    """Return the pixels of what `read_image` takes: (h, w) of a grey image, else (h, w, 3)."""
    return np.asarray(_load(image))


def _load(image: Any) -> Image.Image:
    """Return one image in mode "RGB" or, if it is grey, "L"."""
    if isinstance(image, Image.Image):
        return _as_8_bits(_upright(image))
    if not isinstance(image, str | PathLike):
        return Image.fromarray(_as_uint8(_as_array(image)))
    try:
        opened = Image.open(fspath(image))
    except Image.DecompressionBombError as error:
        raise Image.DecompressionBombError(
            f"{error} Scale it down, or raise PIL.Image.MAX_IMAGE_PIXELS if you trust it."
        ) from None
    with opened:
        opened.load()
        return _as_8_bits(_upright(opened))


def _upright(image: Image.Image) -> Image.Image:
    """Turn an image as its orientation tag says.

    Pillow's ``exif_transpose`` also writes all other tags anew, and fails where one is malformed.
    """
    image.load()  # which turns a TIFF itself, and takes its tag away
    method = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if method is None else image.transpose(method)


def _as_8_bits(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F"):
        raise ValueError(
            f"the image has mode {image.mode!r} (32 bits a pixel), whose white is not fixed; "
            "scale it to 8 or 16 bits first"
        )
    if image.mode.startswith("I;16"):
        return Image.fromarray(_as_uint8(np.asarray(image).astype(np.uint16)))
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert(mode)


def _as_array(image: Any) -> NDArray[Any]:
    """Return an array, also of a tensor on another device or with a gradient."""
    return np.asarray(plain(image, "an image"))


def _as_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the pixels of a grey image as (h, w), and of others as (h, w, 3)."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        mend = ": np.moveaxis(x, 0, -1)" if pixels.ndim == 3 and pixels.shape[0] in (1, 3) else ""
        raise ValueError(
            f"an image array has shape {pixels.shape}; expected (height, width) or "
            f"(height, width, 1|3|4), with colours last{mend}"
        )
    if is_uint16(pixels):
        pixels = np.round(pixels / 257).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise ValueError(
            f"an image array has dtype {pixels.dtype}; expected uint8 (0-255) or uint16 "
            f"(0-65535): {advise_uint8(pixels, 'x')}"
        )
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[:, :, 0])
    if pixels.shape[2] == 4:
        return np.asarray(_as_8_bits(Image.fromarray(np.ascontiguousarray(pixels))))
    return np.ascontiguousarray(pixels)


def is_uint16(pixels: NDArray[Any]) -> bool:
    """Whether numbers have 16 bits without a sign, in the order of this machine or not."""
    return pixels.dtype.kind == "u" and pixels.dtype.itemsize == 2


def advise_uint8(pixels: NDArray[Any], name: str) -> str:
    """Say how to make uint8 of other pixels: by the range that they have."""
    kind = pixels.dtype.kind
    low, high = (pixels.min(), pixels.max()) if kind in "iuf" and pixels.size else (np.nan, np.nan)
    if kind == "b":
        return f"pass 255 * {name}.astype('uint8')"
    said = "its values are from {} to {}, so pass {}.astype('uint8')".format
    if kind == "f" and low >= 0 and high <= 1:
        return said(0, 1, f"({name} * 255).round()")
    if kind == "f" and low >= -1 and high <= 1:
        return said(-1, 1, f"(({name} + 1) * 127.5).round()")
    if low >= 0 and high <= 255:
        return said(0, 255, name)
    return "bring the values to whole numbers from 0 to 255"


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

    Attributes
    ----------
    paths : list of str or None
        Where every element is a path, those paths.
    """

    def __init__(self, X: Any) -> None:
        if isinstance(X, pd.DataFrame):
            if X.shape[1] != 1:
                raise ValueError(
                    f"X is a DataFrame with the columns {list(X.columns)}: pass its one column of "
                    "paths, e.g. X['path'], or a landmark table made by FaceCropper.detect"
                )
            X = X.iloc[:, 0]
        if isinstance(X, _SINGLE):
            raise ValueError(f"X is one {type(X).__name__}, not a list of images: pass [X]")
        if hasattr(X, "__array__"):
            X = np.asarray(plain(X, "X"))
            if X.ndim == 1 or (X.shape[1:] == (1,) and X.dtype.kind in "OUST"):
                X = X.ravel().tolist()
        if isinstance(X, np.ndarray):
            if X.ndim == 3 and X.shape[2] in (1, 3, 4):
                raise ValueError(f"X has the shape {X.shape} of one image: pass X[None]")
            if X.ndim not in (3, 4):
                raise ValueError(f"X is an array of shape {X.shape}; expected {_KINDS}")
            if X.ndim == 4 and X.shape[3] not in (1, 3, 4) and X.shape[1] in (1, 3):
                raise ValueError(
                    f"X has the shape {X.shape}: move the colours last, np.moveaxis(X, 1, -1)"
                )
            if len(X):
                _as_uint8(X[0])  # one type and shape for all: say what is wrong at once
        elif not isinstance(X, Sequence):
            mend = ": pass list(X)" if isinstance(X, Iterator) else ""
            raise TypeError(f"X is a {type(X).__name__}; expected {_KINDS}{mend}")
        if not len(X):
            raise ValueError("X holds no image (0 rows); at least 1 is needed")
        self._items: Sequence[Any] = X
        self.paths: list[str] | None = None
        if not isinstance(X, np.ndarray):
            self._check_kinds(X)
            if all(isinstance(item, str | PathLike) for item in X):
                self.paths = [fspath(item) for item in X]

    @staticmethod
    def _check_kinds(X: Sequence[Any]) -> None:
        for row, item in enumerate(X):
            if not isinstance(item, str | PathLike | Image.Image) and (
                getattr(item, "ndim", 0) < 2
            ):
                mend = ": os.fsdecode gives the path" if isinstance(item, bytes) else ""
                raise TypeError(
                    f"X[{row}] is {item!r:.80} ({type(item).__name__}); expected a path, a PIL "
                    f"image or an array{mend}"
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
            item = _as_array(item)
        return str(joblib.hash(item))

    def name(self, row: int) -> str:
        """Say which image a row is."""
        item = self._items[row]
        if isinstance(item, str | PathLike):
            return f"row {row} ({fspath(item)})"
        return f"row {row}"
