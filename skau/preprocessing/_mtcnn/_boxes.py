"""Windows and faces, and the geometry of their edges."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NESTED = 0.7  # of the smaller of two boxes that are of one face


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


NOTHING = Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))


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


def mirrored_edges(shift: Tensor) -> Tensor:
    """Return how the edges (k, 4) move if they were to move so in the mirror."""
    return shift[:, [2, 1, 0, 3]] * shift.new_tensor([-1, 1, -1, 1])


def clipped(boxes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Cut boxes, which count pixels from 1, at the image's edge; say which hold any pixel."""
    whole = boxes.trunc().long()
    low = whole[:, :2].clamp(min=1) - 1
    high = torch.minimum(whole[:, 2:], whole.new_tensor(size))
    return torch.cat([low, high], 1), (high > low).all(1)


def passing(score: Tensor, threshold: float, boxes: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Keep the rows whose score passes; return boxes, scores, and the other tensors."""
    passed = score > threshold
    return boxes[passed], score[passed], *(other[passed] for other in others)


def shifted(boxes: Tensor, shift: Tensor, pixel: int) -> Tensor:
    """Move the edges by the regressed fractions of the side (``pixel`` is added to the side)."""
    side = boxes[:, 2:] - boxes[:, :2] + pixel
    return boxes + shift * torch.cat([side, side], 1)


def squared(boxes: Tensor) -> Tensor:
    """Widen the shorter side of the boxes about their centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat([centre - half, centre + half], 1)


def suppress_nested(faces: Faces) -> NDArray[np.intp]:
    """Drop a box of which a large part (or of the better box) lies in a more probable one."""
    low, high = faces.boxes[:, :2], faces.boxes[:, 2:]
    area = (high - low + 1).prod(axis=1)
    order, keep = np.argsort(-faces.probability, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(best)
        common = np.minimum(high[best], high[rest]) - np.maximum(low[best], low[rest]) + 1
        common_area = common.clip(min=0).prod(axis=1)
        order = rest[common_area <= NESTED * np.minimum(area[best], area[rest])]
    return np.array(keep, dtype=np.intp)
