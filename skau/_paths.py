"""By which endings photos and films are known; nothing is imported, for the command's sake."""

from os import PathLike, fspath

_PHOTOS = "bmp gif heic heif jfif jpeg jpg jp2 png pgm ppm tif tiff webp avif"
_FILMS = "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts vob webm wmv"
PHOTOS, FILMS = (frozenset(f".{end}" for end in ends.split()) for ends in (_PHOTOS, _FILMS))


def is_film(path: str | PathLike[str]) -> bool:
    """Whether a file has the ending of a film, or is a GIF that moves."""
    end = f".{fspath(path).rpartition('.')[2].lower()}"
    return end in FILMS or (end == ".gif" and _moves(path))


def _moves(path: str | PathLike[str]) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except (OSError, ValueError, SyntaxError):
        return False  # who reads it as a photo says what is wrong
