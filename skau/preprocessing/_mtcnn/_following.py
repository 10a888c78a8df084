"""A face looked at again: where it was a moment ago, and in several views.

One window may give almost any probability: a texture that looks like a face does so in one view,
and so does a face on its head whose beard looks like hair; an upright face does in most.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ...utils._device import own_modes
from ._boxes import NOTHING, Faces, clipped, squared
from ._cascade import confirmed
from ._networks import load_networks

THRESHOLD = 0.7
WINDOWS = (0.9, 1.0), (0.9, 1.0)  # sides, by that of the box, in two looks
STILL = 0.03  # a box that moved by less of its side is not looked at again
SURE_PROBABILITY = 0.999  # a less probable face is looked at from more views: as when following,
VIEWS = (0.95,), (0.8, 0.9, 1.0, 1.1, 1.2, 1.35)  # through these, and in a mirror
DROP = 0.05  # how much lower than the box its window lies, as in the cascade


@own_modes()
@torch.inference_mode()
def follow_face(
    image: Image.Image,
    box: NDArray[np.float64],
    *,
    windows: tuple[tuple[float, ...], ...] = WINDOWS,
    threshold: float = THRESHOLD,
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
        square = squared(torch.tensor(found.boxes, dtype=torch.float32, device=device))
        side = square[:, 2:] - square[:, :2]
        centre = square[:, :2] + side * side.new_tensor([0.5, 0.5 + DROP])
        half = side * side.new_tensor(sizes)[:, None] / 2
        squares = torch.cat([centre - half, centre + half], 1)
        within, holds_any = clipped(squares, image.size)
        if not holds_any.all():
            return NOTHING
        crops = [
            np.asarray(image.resize((48, 48), Image.Resampling.BOX, box=tuple(edges)))
            for edges in within.tolist()
        ]
        index = torch.zeros(len(crops), dtype=torch.long, device=device)
        batch = torch.tensor(np.stack(crops), dtype=torch.float32, device=device)
        batch = batch.sub_(127.5).div_(128).permute(0, 3, 1, 2)  # already channels last
        seen, _ = confirmed(onet(batch), squares, index, -np.inf)
        before = found.boxes
        found = Faces(*(part.mean(axis=0, keepdims=True) for part in seen))
        moved = np.abs(found.boxes - before).max()
        if sizes == windows[-1] and moved < STILL * float(side.max()):
            break
    return found.take(np.flatnonzero(found.probability > threshold))


def probability_in_views(image: Image.Image, face: Faces, device: str) -> float:
    """Return the mean probability of one face of an image through all of these views."""
    views = (image, face.boxes[0]), (ImageOps.mirror(image), _mirrored(face.boxes[0], image.width))
    seen = [
        follow_face(view, box, windows=VIEWS, threshold=0, device=device) for view, box in views
    ]
    return sum(float(its.probability.sum()) for its in seen) / len(views)


def _mirrored(box: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return where a box lies in the mirror image."""
    left, top, right, bottom = box
    return np.array([width - 1 - right, top, width - 1 - left, bottom])
