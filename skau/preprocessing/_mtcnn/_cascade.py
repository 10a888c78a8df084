"""The MTCNN cascade: three networks, each of which looks more closely at what the last one left.

The networks and their weights are those of facenet-pytorch [1]_.

References
----------
.. [1] K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint face detection and alignment using multitask
   cascaded convolutional networks", IEEE Signal Processing Letters 23(10), 2016.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.ops import batched_nms

from ._integral import IntegralImages
from ._networks import CELL, STRIDE, ProposalNet, load_networks

__all__ = ["PYRAMID_FACTOR", "Candidates", "Faces", "follow_face", "propose", "refine", "reject"]

PYRAMID_FACTOR = 0.709  # about sqrt(1/2): the area halves from rung to rung
CANDIDATE_THRESHOLDS = (0.6, 0.7)  # of the first and second network
SPAN = 32  # columns that are left out together where their windows are flat: ...
FLAT = 10 / 128  # ... within 10 of 255 levels, where a face has a probability below 0.15
TILE = 22_000  # pixels that the first network is given at once, but no fewer than ...
ROWS, FEWEST = 64, 4  # ... these rows and spans: what layers make of more leaves the cache
BATCH = 128  # windows that the other networks are given at once, for the same reason
FOLLOWING_THRESHOLD = 0.7
FOLLOWING_WINDOWS = (0.9, 1.0), (0.9, 1.0)  # sides, by that of the box, in two looks
FOLLOWING_STILL = 0.03  # a box that moved by less of its side is not looked at again
FOLLOWING_DROP = 0.05  # how much lower than the box its window lies, as in the cascade


class Faces(NamedTuple):
    """The faces found in one image, in pixels of that image.

    Attributes
    ----------
    boxes : ndarray of shape (k, 4)
        Left, top, right and bottom edge.
    probability : ndarray of shape (k,)
    points : ndarray of shape (k, 5, 2)
        ``x, y`` of the eye on the left of the image, the eye on its right, the nose tip, and the
        mouth corners on the left and on the right of the image.
    """

    boxes: NDArray[np.float64]
    probability: NDArray[np.float64]
    points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.probability)

    def take(self, index: NDArray[np.intp]) -> "Faces":
        """Return the faces at ``index``."""
        return Faces(self.boxes[index], self.probability[index], self.points[index])


class Candidates(NamedTuple):
    """Square windows that may hold a face; their edges count pixels from 1."""

    boxes: Tensor  # (k, 4)
    scores: Tensor  # (k,)
    owner: Tensor  # (k,) index of the image

    def take(self, which: Tensor) -> "Candidates":
        """Return those at ``which``."""
        return Candidates(*(part[which] for part in self))

    @staticmethod
    def join(parts: Sequence["Candidates"]) -> "Candidates":
        """Return all of several."""
        return Candidates(*(torch.cat(part) for part in zip(*parts, strict=True)))


@torch.inference_mode()
def propose(pixels: IntegralImages, scales: Sequence[float], least: float) -> Candidates:
    """Let the first network look at rungs of the pyramid.

    Parameters
    ----------
    pixels : IntegralImages
    scales : sequence of float
        Sides of the rungs by those of the images; at least one.
    least : float
        Probability of the candidates.
    """
    pnet = load_networks(pixels.device)[0]
    levels = [_rung(pnet, pixels, scale, least) for scale in scales]
    boxes, scores, owner, shift = (torch.cat(parts) for parts in zip(*levels, strict=True))
    keep = batched_nms(boxes, scores, owner, 0.7)
    return Candidates(_square(_shifted(boxes[keep], shift[keep], 0)), scores[keep], owner[keep])


def _rung(
    pnet: ProposalNet, pixels: IntegralImages, scale: float, least: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the boxes of one rung, their scores, images, and the shifts of their edges."""
    width, height = pixels.size
    height, width = int(height * scale + 1), int(width * scale + 1)
    tile = _cached(TILE, pixels) // len(pixels)
    rows = max(ROWS, tile // width // STRIDE * STRIDE)
    most = max(FEWEST, tile // (rows + CELL - STRIDE) // SPAN)
    nobody = torch.zeros(0, 4, device=pixels.device)
    parts = [(nobody, nobody[:, 0], nobody[:, 0].long(), nobody)]
    for top in range(0, height - CELL + STRIDE, rows):
        strip = pixels.resized(height, width, slice(top, top + rows + CELL - STRIDE))
        for left, right in _spans(strip, most):
            odds, features = pnet(strip[..., left:right])
            owner, y, x = (odds >= np.log(least / (1 - least))).nonzero(as_tuple=True)
            if not len(owner):
                continue
            corner = torch.stack([x, y], 1).float() * STRIDE + odds.new_tensor([left, top]) + 1
            boxes = torch.cat([corner / scale, (corner + CELL - 1) / scale], 1).floor_()
            scores = odds[owner, y, x].sigmoid()
            parts.append((boxes, scores, owner, pnet.edges(features[owner, y, x])))
    if len(parts) == 1:
        return parts[0]
    boxes, scores, owner, shift = (torch.cat(part) for part in zip(*parts, strict=True))
    keep = batched_nms(boxes, scores, owner, 0.5)
    return boxes[keep], scores[keep], owner[keep], shift[keep]


def _spans(strip: Tensor, most: int) -> list[tuple[int, int]]:
    """Return the columns, from and to, that hold all windows that are not flat.

    No more than ``most`` spans are taken together.
    """
    width, overlap = strip.shape[3], CELL - STRIDE
    if width < SPAN + overlap:
        return [(0, width)]
    lines = strip.permute(0, 2, 3, 1).flatten(2)  # a view, whose columns are quickly compared
    ends = torch.cat([lines.amax(1), -lines.amin(1)]).unflatten(1, (width, -1)).transpose(1, 2)
    high, low = F.max_pool1d(ends, SPAN + overlap, SPAN, ceil_mode=True).chunk(2)
    busy = (high + low > FLAT).flatten(0, 1).any(0).cpu().numpy()
    ends = np.flatnonzero(np.diff(np.concatenate([[False], busy, [False]]))).reshape(-1, 2)
    return [
        (SPAN * left, min(SPAN * min(left + most, right) + overlap, width))
        for first, right in ends.tolist()
        for left in range(first, right, most)
    ]


@torch.inference_mode()
def reject(pixels: IntegralImages, candidates: Candidates, *, mirror: bool = False) -> Candidates:
    """Return the candidates that the second network does not reject, with its edges.

    With ``mirror``, it sees each of them in a mirror.
    """
    if not len(candidates.scores):
        return candidates
    rnet = load_networks(pixels.device)[1]
    window, boxes, owner = _windows(pixels, candidates)
    if not len(boxes):
        return Candidates(boxes, boxes[:, 0], owner)
    shift, probability = _through(rnet, pixels, window, owner, 24, mirror)
    if mirror:
        shift = _mirrored_edges(shift)
    boxes, scores, owner, shift = _above(
        probability[:, 1], CANDIDATE_THRESHOLDS[1], boxes, owner, shift
    )
    keep = batched_nms(boxes, scores, owner, 0.7)
    return Candidates(_square(_shifted(boxes[keep], shift[keep], 1)), scores[keep], owner[keep])


@torch.inference_mode()
def refine(
    pixels: IntegralImages, candidates: Candidates, threshold: float, *, mirror: bool = False
) -> list[Faces]:
    """Return the faces of each image that the last network confirms."""
    nothing = [Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))] * len(pixels)
    if not len(candidates.scores):
        return nothing
    onet = load_networks(pixels.device)[2]
    window, boxes, owner = _windows(pixels, candidates)
    if not len(boxes):
        return nothing
    seen = _through(onet, pixels, window, owner, 48, mirror)
    found, owners = _confirmed(seen, boxes, owner, threshold, mirror)
    faces = (found.take(np.flatnonzero(owners == i)) for i in range(len(pixels)))
    return [of_image.take(_suppress_nested(of_image)) for of_image in faces]


@torch.inference_mode()
def follow_face(
    image: Image.Image,
    box: NDArray[np.float64],
    *,
    windows: tuple[tuple[float, ...], ...] = FOLLOWING_WINDOWS,
    threshold: float = FOLLOWING_THRESHOLD,
    device: str = "cpu",
) -> Faces:
    """Look for a face where it was a moment ago, with the last network of the cascade alone.

    It looks through windows of several sizes, whose mean steadies the points, and if the face has
    gone elsewhere, again there.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB image.
    box : ndarray of shape (4,)
    windows : tuple of tuples of float
        Sides of the windows of each look, by that of the box.
    threshold : float, default=0.7
        Least probability, lower than for a face that was not there before.
    device : str, default="cpu"

    Returns
    -------
    Faces
        The face, or none if the network rejects the place.
    """
    onet = load_networks(device)[2]
    found = Faces(box[None], np.ones(1), np.zeros((1, 5, 2)))
    for sizes in windows:
        square = _square(torch.tensor(found.boxes, dtype=torch.float32, device=device))
        side = square[:, 2:] - square[:, :2]
        centre = square[:, :2] + side * side.new_tensor([0.5, 0.5 + FOLLOWING_DROP])
        half = side * side.new_tensor(sizes)[:, None] / 2
        squares = torch.cat([centre - half, centre + half], 1)
        within, holds_any = _window(squares, image.size)
        if not holds_any.all():
            return found.take(np.array([], dtype=np.intp))
        crops = [
            np.asarray(image.resize((48, 48), Image.Resampling.BOX, box=tuple(edges)))
            for edges in within.tolist()
        ]
        index = torch.zeros(len(crops), device=device)
        batch = torch.tensor(np.stack(crops), dtype=torch.float32, device=device)
        batch = batch.sub_(127.5).div_(128).permute(0, 3, 1, 2)  # already channels last
        seen, _ = _confirmed(onet(batch), squares, index, -np.inf)
        before = found.boxes
        found = Faces(*(part.mean(axis=0, keepdims=True) for part in seen))
        moved = np.abs(found.boxes - before).max()
        if sizes == windows[-1] and moved < FOLLOWING_STILL * float(side.max()):
            break
    return found.take(np.flatnonzero(found.probability > threshold))


def _confirmed(
    seen: tuple[Tensor, ...], boxes: Tensor, index: Tensor, threshold: float, mirror: bool = False
) -> tuple[Faces, NDArray[np.int64]]:
    """Return the faces that the last network has seen, and the index of their image."""
    shift, marks, probability = seen
    marks = marks.view(-1, 2, 5).transpose(1, 2)
    if mirror:
        shift, marks = _mirrored_edges(shift), marks[:, [1, 0, 2, 4, 3]]
        marks = marks * marks.new_tensor([-1, 1]) + marks.new_tensor([1, 0])
    boxes, scores, index, shift, marks = _above(
        probability[:, 1], threshold, boxes, index, shift, marks
    )
    corner, extent = boxes[:, :2], boxes[:, 2:] - boxes[:, :2] + 1
    points = marks * extent[:, None] + corner[:, None] - 1
    found = (t.double().cpu().numpy() for t in (_shifted(boxes, shift, 1), scores, points))
    return Faces(*found), index.cpu().numpy()


def _mirrored_edges(shift: Tensor) -> Tensor:
    """Return how the edges (k, 4) move if they were to move so in the mirror."""
    return shift[:, [2, 1, 0, 3]] * shift.new_tensor([-1, 1, -1, 1])


def _through(
    net: torch.nn.Module,
    pixels: IntegralImages,
    window: Tensor,
    owner: Tensor,
    side: int,
    mirror: bool,
) -> tuple[Tensor, ...]:
    """Return what a network makes of the averaged pixels of windows."""
    parts, step = [], _cached(BATCH, pixels)
    for i in range(0, len(window), step):
        crops = pixels.windows(owner[i : i + step], window[i : i + step], side)
        parts.append(net(crops.flip(3) if mirror else crops))
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def _cached(amount: int, pixels: IntegralImages) -> int:
    """Return how much is computed at once: an accelerator has no use for small parts."""
    return amount if pixels.device == "cpu" else 50 * amount


def _windows(pixels: IntegralImages, candidates: Candidates) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pixels that candidates cover, their boxes and images; of those that have any.

    The boxes come back on the grid of the reduced copy.
    """
    boxes, r = candidates.boxes, pixels.reduction
    if r > 1:
        low, high = (boxes[:, :2] - 1).div(r).round() * r, boxes[:, 2:].div(r).round() * r
        boxes = torch.cat([low + 1, high], 1)
    window, kept = _window(boxes, pixels.size)
    return window[kept], boxes[kept], candidates.owner[kept]


def _window(boxes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Cut boxes, which count pixels from 1, at the image's edge; say which hold any pixel."""
    whole = boxes.trunc().long()
    low = whole[:, :2].clamp(min=1) - 1
    high = torch.minimum(whole[:, 2:], whole.new_tensor(size))
    return torch.cat([low, high], 1), (high > low).all(1)


def _above(score: Tensor, threshold: float, boxes: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Keep the rows whose score passes; return boxes, scores, and the other tensors."""
    passed = score > threshold
    return boxes[passed], score[passed], *(other[passed] for other in others)


def _shifted(boxes: Tensor, shift: Tensor, pixel: int) -> Tensor:
    """Move the edges by the regressed fractions of the side (``pixel`` is added to the side)."""
    side = boxes[:, 2:] - boxes[:, :2] + pixel
    return boxes + shift * torch.cat([side, side], 1)


def _square(boxes: Tensor) -> Tensor:
    """Widen the shorter side of the boxes about their centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat([centre - half, centre + half], 1)


def _suppress_nested(faces: Faces, overlap: float = 0.7) -> NDArray[np.intp]:
    """Drop a box of which ``overlap`` (or that of the better box) lies in a more probable one."""
    low, high = faces.boxes[:, :2], faces.boxes[:, 2:]
    area = (high - low + 1).prod(axis=1)
    order, keep = np.argsort(-faces.probability, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(best)
        common = np.minimum(high[best], high[rest]) - np.maximum(low[best], low[rest]) + 1
        common_area = common.clip(min=0).prod(axis=1)
        order = rest[common_area <= overlap * np.minimum(area[best], area[rest])]
    return np.array(keep, dtype=np.intp)
