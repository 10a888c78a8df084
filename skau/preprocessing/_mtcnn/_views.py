"""A face looked at through several windows, in the image and in a mirror.

One window may give almost any probability: a texture that looks like a face does so in one view,
and so does a face on its head whose beard looks like hair; an upright face does in most.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ._boxes import Faces
from ._following import follow_face

__all__ = ["SURE_PROBABILITY", "probability_in_views"]

SURE_PROBABILITY = 0.999  # a less probable face is looked at from more views: as when following,
WINDOWS = (0.95,), (0.8, 0.9, 1.0, 1.1, 1.2, 1.35)  # through these, and in a mirror


def probability_in_views(image: Image.Image, face: Faces, device: str) -> float:
    """Return the mean probability of one face of an image through all of these views."""
    views = (image, face.boxes[0]), (ImageOps.mirror(image), _mirrored(face.boxes[0], image.width))
    seen = [
        follow_face(view, box, windows=WINDOWS, threshold=0, device=device) for view, box in views
    ]
    return sum(float(its.probability.sum()) for its in seen) / len(views)


def _mirrored(box: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return where a box lies in the mirror image."""
    left, top, right, bottom = box
    return np.array([width - 1 - right, top, width - 1 - left, bottom])
