"""By which endings photos and films are known; nothing is imported, for the command's sake."""

__all__ = ["FILMS", "PHOTOS"]

_PHOTOS = "bmp gif jfif jpeg jpg jp2 png pgm ppm tif tiff webp avif"
_FILMS = "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts vob webm wmv"
PHOTOS, FILMS = (frozenset(f".{end}" for end in ends.split()) for ends in (_PHOTOS, _FILMS))
