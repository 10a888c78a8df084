"""Face detection: the MTCNN cascade, searched from large faces to small ones.

The three networks and their weights are those of facenet-pytorch [1]_.  Most of the time of its
own ``MTCNN`` goes into the first network on nearly full-size pyramid levels, which only serve
faces of 20 to 100 pixels.  Where only the largest face is wanted, the search here starts with
faces of a sixth of the short side and goes on to smaller ones only for the images in which none
was found.  The rungs of the pyramid and the windows' pixels are the same, so the boxes and points
are too; images of more than about 1500 pixels are searched on a reduced copy first, which changes
them by about a hundredth of the distance between the eyes.

References
----------
.. [1] K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint face detection and alignment using multitask
   cascaded convolutional networks", IEEE Signal Processing Letters 23(10), 2016.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ._cascade import PYRAMID_FACTOR, Faces, follow_face, search_faces

__all__ = ["find_faces"]

FIRST_FRACTION = 6  # the search begins with faces of the short side / 6 ...
RUNGS_PER_STAGE = 2  # ... and goes two rungs (a factor of 2) finer each time
SURE_FACE = 1.5  # a face this many times the finest size sought has met all its rungs
SURE_PROBABILITY = 0.999  # a less probable face is looked at from more views: as when following,
VIEWS_WINDOWS = (0.95,), (0.8, 0.9, 1.0, 1.1, 1.2, 1.35)  # through these, and in a mirror; ...
VIEWS_THRESHOLD = 0.72  # ... whose mean probability must be higher than this, ...
MIRROR_THRESHOLD = 0.8  # ... and than this if only the search of a mirror image has shown it


def find_faces(
    images: Sequence[Image.Image],
    *,
    min_face_size: float = 20,
    threshold: float = 0.85,
    largest_only: bool = True,
    device: str = "cpu",
) -> list[Faces]:
    """Find the faces in RGB images of any sizes.

    Parameters
    ----------
    images : sequence of PIL.Image.Image
        RGB images.  Those of equal size share their batches.
    min_face_size : float, default=20
        Smallest side of a face, in pixels, that is looked for.
    threshold : float, default=0.85
        Least probability, given by the last network, of a face that is returned.
    largest_only : bool, default=True
        Return the largest face alone, and stop at the first sizes at which there is one.
    device : str, default="cpu"

    Returns
    -------
    list of Faces
        One entry an image, the largest face first.
    """
    found: dict[int, Faces] = {}
    todo = dict(enumerate(images))
    most = 1 if largest_only else None
    stage = 0
    while todo:
        buckets = defaultdict(list)
        for i, image in todo.items():
            buckets[image.size].append(i)
        for (width, height), members in buckets.items():
            rung = _finest_rung(min(width, height), min_face_size, stage if largest_only else None)
            smallest = min_face_size / PYRAMID_FACTOR**rung
            faces = search_faces([images[i] for i in members], smallest, threshold, device)
            for i, candidates in zip(members, faces, strict=True):
                sure = _confirmed(images[i], candidates, VIEWS_THRESHOLD, most, device)
                if rung == 0 and not len(sure):
                    sure = _find_in_mirror(images[i], smallest, threshold, most, device)
                if rung == 0 or (_sides(sure) >= SURE_FACE * smallest).any():
                    found[i] = sure
                    del todo[i]
        stage += 1
    return [found[i] for i in range(len(images))]


def _confirmed(
    image: Image.Image, faces: Faces, views_threshold: float, most: int | None, device: str
) -> Faces:
    """Return the sure faces, and those that other windows and a mirror show as well.

    A texture that looks like a face does so in one view, a face in most.  The largest come first;
    with ``most``, no more than so many are returned, and none looked at that is not needed.
    """
    kept: list[int] = []
    for i in np.argsort(-_sides(faces).prod(axis=1), kind="stable"):
        face = faces.take(np.array([i]))
        if face.probability[0] >= SURE_PROBABILITY or (
            _probability_in_views(image, face, device) > views_threshold
        ):
            kept.append(i)
        if len(kept) == most:
            break
    return faces.take(np.array(kept, dtype=np.intp))


def _probability_in_views(image: Image.Image, face: Faces, device: str) -> float:
    """Return the mean probability of a face through several windows, in the image and a mirror."""
    views = (image, face), (ImageOps.mirror(image), _mirrored(face, image.width))
    seen = [
        follow_face(view, its.boxes[0], windows=VIEWS_WINDOWS, threshold=0, device=device)
        for view, its in views
    ]
    return sum(float(its.probability.sum()) for its in seen) / len(views)


def _find_in_mirror(
    image: Image.Image, smallest: float, threshold: float, most: int | None, device: str
) -> Faces:
    """Give an image in which no face was found a second chance.

    The first two networks reject a face now and then, but seldom its mirror image too.
    """
    mirror = ImageOps.mirror(image)
    faces = search_faces([mirror], smallest, threshold, device)[0]
    return _mirrored(_confirmed(mirror, faces, MIRROR_THRESHOLD, most, device), image.width)


def _sides(faces: Faces) -> NDArray[np.float64]:
    """Return the width and height (k, 2) of the boxes."""
    return faces.boxes[:, 2:] - faces.boxes[:, :2]


def _mirrored(faces: Faces, width: int) -> Faces:
    """Return where the faces are in the mirror image; left and right are again those of it."""
    boxes, points = faces.boxes[:, [2, 1, 0, 3]], faces.points[:, [1, 0, 2, 4, 3]]
    boxes[:, ::2], points[..., 0] = width - 1 - boxes[:, ::2], width - 1 - points[..., 0]
    return Faces(boxes, faces.probability, points)


def _finest_rung(short_side: int, min_face_size: float, stage: int | None) -> int:
    """Return how many rungs above ``min_face_size`` a stage of the search ends; None: the last."""
    if stage is None or short_side <= FIRST_FRACTION * min_face_size:
        return 0
    first = np.log(short_side / FIRST_FRACTION / min_face_size) / -np.log(PYRAMID_FACTOR)
    return max(0, int(first) - RUNGS_PER_STAGE * stage)
