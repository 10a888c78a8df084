"""Face detection: the MTCNN cascade, searched from large faces to small ones.

The three networks and their weights are those of facenet-pytorch [1]_.  Most of the time of its
own ``MTCNN`` goes into the first network on nearly full-size pyramid levels, which only serve
faces of 20 to 100 pixels.  Where only the largest face is wanted, the search here starts with
faces of a sixth of the short side and goes on to smaller ones only for the images in which none
was found; no rung is searched twice.  Where there is none at all, the windows that were nearly
taken for a face are looked at in a mirror, and large faces are looked for in small turned copies,
if the first network took any window for one.  The
rungs of the pyramid and the windows' pixels are the same, so the boxes and points
are too; images of more than about 1500 pixels are searched on a reduced copy first, which changes
them by about a hundredth of the distance between the eyes.

References
----------
.. [1] K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint face detection and alignment using multitask
   cascaded convolutional networks", IEEE Signal Processing Letters 23(10), 2016.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ...utils._device import own_modes
from ._boxes import NOTHING, Candidates, Faces
from ._cascade import CANDIDATE_THRESHOLDS, PYRAMID_FACTOR, propose, refine, reject
from ._following import SURE_PROBABILITY, probability_in_views
from ._integral import IntegralImages
from ._networks import CELL
from ._turned import look_turned

FIRST_FRACTION = 6  # the search begins with faces of the short side / 6 ...
RUNGS_PER_STAGE = 2  # ... and goes two rungs (a factor of 2) finer each time
WORKING_FACE = 128  # the finest face sought covers at least so many pixels of a reduced copy
SURE_FACE = 1.5  # a face this many times the finest size sought has met all its rungs
VIEWS_THRESHOLD = 0.72  # mean probability in views of a face that is not sure, at least, ...
MIRROR_THRESHOLD = 0.8  # ... and than this if only the search in a mirror has shown it
NEARLY = 0.3  # probability of the windows that are looked at in a mirror if no face was found, ...
MOST_MIRRORED = 20  # ... of the most probable ones of an image
MOST_HASTY = 4  # windows of an image that the second network sees in a hasty search


@own_modes()
def find_faces(
    images: Sequence[Image.Image],
    *,
    min_face_size: float = 20,
    threshold: float = 0.85,
    largest_only: bool = True,
    device: str = "cpu",
    hasty: bool = False,
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
    hasty : bool, default=False
        Look only at what is most likely a face, and not for turned ones.

    Returns
    -------
    list of Faces
        One entry an image, the largest face first.
    """
    buckets = defaultdict(list)
    for i, image in enumerate(images):
        buckets[image.size].append(i)

    def upright(copies: Sequence[Image.Image], smallest: float, hasty: bool) -> list[Faces]:
        return _Search(copies, smallest, threshold, device, hasty=hasty).run()

    found: dict[int, Faces] = {}
    for members in buckets.values():
        same_size = [images[i] for i in members]
        most = 1 if largest_only else None
        search = _Search(same_size, min_face_size, threshold, device, most, hasty)
        faces = search.run()
        # where the first network saw nothing, it sees nothing in turned copies either
        seen = [i for i in range(len(members)) if search.saw_any(i) and not hasty]
        turned = look_turned(
            [same_size[place] for place in seen], [faces[place] for place in seen],
            min_face_size, upright, device,
        )  # fmt: skip
        for place, its in zip(seen, turned, strict=True):
            faces[place] = its
        found |= zip(members, faces, strict=True)
    return [found[i] for i in range(len(images))]


@dataclass
class _Search:
    """The search in images of one size, from coarse rungs of the pyramid to fine ones."""

    images: Sequence[Image.Image]
    smallest: float
    threshold: float
    device: str
    most: int | None = 1  # faces of an image that are wanted
    hasty: bool = False

    def __post_init__(self) -> None:
        self._tables: tuple[list[int], int, IntegralImages] | None = None
        self.near: list[list[Candidates]] = [[] for _ in self.images]  # by the first network, ...
        self.likely: list[list[Candidates]] = [[] for _ in self.images]  # ... and by the second

    def run(self) -> list[Faces]:
        """Return the faces of each image."""
        found = [NOTHING] * len(self.images)
        todo = list(range(len(self.images)))
        coarsest = _n_rungs(min(self.images[0].size), self.smallest)
        for finest in self._stages(coarsest):
            smallest = self.smallest / PYRAMID_FACTOR**finest
            pixels = self._pixels(todo, max(1, int(smallest / WORKING_FACE)))
            scales = [CELL / self.smallest * PYRAMID_FACTOR**k for k in range(finest, coarsest)]
            self._propose(pixels, scales, todo)
            coarsest = finest
            faces = refine(pixels, _joined(self.likely, dict(enumerate(todo))), self.threshold)
            rest, without = [], {}
            for place, (i, its) in enumerate(zip(todo, faces, strict=True)):
                sure = _confirmed(self.images[i], its, VIEWS_THRESHOLD, self.most, self.device)
                if finest and not (_sides(sure) >= SURE_FACE * smallest).any():
                    rest.append(i)
                elif not len(sure) and not self.hasty:
                    without[place] = i
                found[i] = sure
            for i, sure in zip(without.values(), self._in_a_mirror(pixels, without), strict=True):
                found[i] = sure
            todo = rest
            if not todo:
                break
        return found

    def saw_any(self, i: int) -> bool:
        """Whether the first network took any window of an image for a face."""
        return any((part.scores >= CANDIDATE_THRESHOLDS[0]).any() for part in self.near[i])

    def _pixels(self, todo: list[int], reduction: int) -> IntegralImages:
        """Return the tables of the images that are left; those of the stage before if they do."""
        if self._tables is None or self._tables[:2] != (todo, reduction):
            images = [self.images[i] for i in todo]
            self._tables = todo, reduction, IntegralImages(images, reduction, self.device)
        return self._tables[2]

    def _stages(self, rungs: int) -> Iterator[int]:
        """Yield the finest rung of each stage; rung 0 is that of the smallest face sought."""
        if self.most is None:
            return iter([0] * bool(rungs))
        first = _n_rungs(min(self.images[0].size) / FIRST_FRACTION, self.smallest) - 1
        return iter([*range(first, 0, -RUNGS_PER_STAGE), 0] if rungs else [])

    def _propose(
        self, pixels: IntegralImages, scales: Sequence[float], todo: Sequence[int]
    ) -> None:
        """Let the first two networks look at rungs of the images that are left."""
        near = propose(pixels, scales, CANDIDATE_THRESHOLDS[0] if self.hasty else NEARLY)
        passed = near.take(near.scores >= CANDIDATE_THRESHOLDS[0])
        if self.hasty:
            passed = Candidates.join(
                [_best(passed.take(passed.owner == i), MOST_HASTY) for i in range(len(todo))]
            )
        likely = reject(pixels, passed)
        for kept, candidates in ((self.near, near), (self.likely, likely)):
            for place, i in enumerate(todo):
                kept[i].append(candidates.take(candidates.owner == place))

    def _in_a_mirror(self, pixels: IntegralImages, images: dict[int, int]) -> list[Faces]:
        """Give images in which no face was found, by their places in the tables, a second chance.

        The first two networks reject a face now and then, but seldom its mirror image too.
        """
        if not images:
            return []
        near = [
            _best(_joined(self.near, {place: i}), MOST_MIRRORED) for place, i in images.items()
        ]
        likely = reject(pixels, Candidates.join(near), mirror=True)
        faces = refine(pixels, likely, self.threshold, mirror=True)
        return [
            _confirmed(self.images[i], faces[place], MIRROR_THRESHOLD, self.most, self.device)
            for place, i in images.items()
        ]


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
            probability_in_views(image, face, device) > views_threshold
        ):
            kept.append(i)
        if len(kept) == most:
            break
    return faces.take(np.array(kept, dtype=np.intp))


def _best(candidates: Candidates, most: int) -> Candidates:
    """Return the most probable ones."""
    return candidates.take(candidates.scores.argsort(descending=True)[:most])


def _joined(candidates: list[list[Candidates]], images: dict[int, int]) -> Candidates:
    """Return all candidates of images, given by their new index and the one in the list."""
    return Candidates.join(
        [
            part._replace(owner=torch.full_like(part.owner, place))
            for place, i in images.items()
            for part in candidates[i]
        ]
    )


def _sides(faces: Faces) -> NDArray[np.float64]:
    """Return the width and height (k, 2) of the boxes."""
    return faces.boxes[:, 2:] - faces.boxes[:, :2]


def _n_rungs(largest: float, smallest: float) -> int:
    """Return how many rungs of the pyramid there are from the largest face to the smallest."""
    steps = np.log(largest / smallest) / -np.log(PYRAMID_FACTOR)
    return max(0, int(np.floor(steps + 1e-9)) + 1)
