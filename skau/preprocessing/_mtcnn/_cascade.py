"""The MTCNN cascade: three networks, each of which looks more closely at what the last one left.

The networks and their weights are those of facenet-pytorch [1]_.

References
----------
.. [1] K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint face detection and alignment using multitask
   cascaded convolutional networks", IEEE Signal Processing Letters 23(10), 2016.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms

from ._boxes import (
    NOTHING,
    Candidates,
    Faces,
    clipped,
    mirrored_edges,
    passing,
    shifted,
    squared,
    suppress_nested,
)
from ._integral import IntegralImages
from ._networks import CELL, STRIDE, ProposalNet, load_networks

PYRAMID_FACTOR = 0.709  # about sqrt(1/2): the area halves from rung to rung
CANDIDATE_THRESHOLDS = (0.6, 0.7)  # of the first and second network
SPAN = 32  # columns that are left out together where their windows are flat: ...
FLAT = 10 / 128  # ... within 10 of 255 levels, where a face has a probability below 0.15
TILE = 22_000  # pixels that the first network is given at once, but no fewer than ...
ROWS, FEWEST = 64, 4  # ... these rows and spans: what layers make of more leaves the cache
BATCH = 128  # windows that the other networks are given at once, for the same reason


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
    return Candidates(squared(shifted(boxes[keep], shift[keep], 0)), scores[keep], owner[keep])


def _rung(
    pnet: ProposalNet, pixels: IntegralImages, scale: float, least: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the boxes of one rung, their scores, images, and the shifts of their edges."""
    width, height = pixels.size
    height, width = int(height * scale + 1), int(width * scale + 1)
    tile = _cached(TILE, pixels) // len(pixels)
    rows = max(ROWS, tile // width // STRIDE * STRIDE)
    most = max(FEWEST, tile // (rows + CELL - STRIDE) // SPAN)
    nobody = torch.zeros(0, 4, dtype=torch.float32, device=pixels.device)
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
    rnet = load_networks(pixels.device)[1]
    window, boxes, owner = _windows(pixels, candidates)
    if not len(boxes):
        return Candidates(boxes, boxes[:, 0], owner)
    shift, probability = _through(rnet, pixels, window, owner, 24, mirror)
    if mirror:
        shift = mirrored_edges(shift)
    boxes, scores, owner, shift = passing(
        probability[:, 1], CANDIDATE_THRESHOLDS[1], boxes, owner, shift
    )
    keep = batched_nms(boxes, scores, owner, 0.7)
    return Candidates(squared(shifted(boxes[keep], shift[keep], 1)), scores[keep], owner[keep])


@torch.inference_mode()
def refine(
    pixels: IntegralImages, candidates: Candidates, threshold: float, *, mirror: bool = False
) -> list[Faces]:
    """Return the faces of each image that the last network confirms."""
    onet = load_networks(pixels.device)[2]
    window, boxes, owner = _windows(pixels, candidates)
    if not len(boxes):
        return [NOTHING] * len(pixels)
    seen = _through(onet, pixels, window, owner, 48, mirror)
    found, owners = confirmed(seen, boxes, owner, threshold, mirror)
    faces = (found.take(np.flatnonzero(owners == i)) for i in range(len(pixels)))
    return [of_image.take(suppress_nested(of_image)) for of_image in faces]


def confirmed(
    seen: tuple[Tensor, ...], boxes: Tensor, index: Tensor, threshold: float, mirror: bool = False
) -> tuple[Faces, NDArray[np.int64]]:
    """Return the faces that the last network has seen, and the index of their image."""
    shift, marks, probability = seen
    marks = marks.view(-1, 2, 5).transpose(1, 2)
    if mirror:
        shift, marks = mirrored_edges(shift), marks[:, [1, 0, 2, 4, 3]]
        marks = marks * marks.new_tensor([-1, 1]) + marks.new_tensor([1, 0])
    boxes, scores, index, shift, marks = passing(
        probability[:, 1], threshold, boxes, index, shift, marks
    )
    corner, extent = boxes[:, :2], boxes[:, 2:] - boxes[:, :2] + 1
    points = marks * extent[:, None] + corner[:, None] - 1
    found = (t.double().cpu().numpy() for t in (shifted(boxes, shift, 1), scores, points))
    return Faces(*found), index.cpu().numpy()


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
    window, kept = clipped(boxes, pixels.size)
    return window[kept], boxes[kept], candidates.owner[kept]
