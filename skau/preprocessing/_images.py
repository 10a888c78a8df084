"""One image from an array, a file or PIL, as RGB with 8 bits a channel."""

import struct
import warnings
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from ..utils._arrays import plain, refuse_masked
from ..utils._warnings import user_level

READ_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError,
    Image.DecompressionBombError,
)  # fmt: skip
_ANIMATED = {"AVIF", "GIF", "PNG", "WEBP"}  # a TIFF has pages, a photo of a phone a preview
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
        return Image.fromarray(as_uint8(as_array(image)))
    try:
        opened = Image.open(fspath(image))
    except UnidentifiedImageError as error:
        raise UnidentifiedImageError(
            f"{error}; if it is a photo, save it as JPEG or PNG; if it is a film, give its file "
            "the ending of one, such as .mp4"
        ) from None
    except Image.DecompressionBombError as error:
        raise Image.DecompressionBombError(
            f"{error} Scale it down, or raise PIL.Image.MAX_IMAGE_PIXELS if you trust it."
        ) from None
    with opened:
        if opened.format in _ANIMATED and getattr(opened, "is_animated", False):
            warnings.warn(
                f"{fspath(image)!r} is an animation; its first frame is read",
                stacklevel=user_level(),
            )
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
        return Image.fromarray(as_uint8(np.asarray(image).astype(np.uint16)))
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert(mode)


def as_array(images: Any, argument: str = "an image") -> NDArray[Any]:
    """Return an array, also of a tensor on another device or with a gradient."""
    refuse_masked(images, argument)
    return np.asarray(plain(images, argument))


def as_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
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
