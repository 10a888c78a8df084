"""A face looked for where it was a moment ago."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ._boxes import NOTHING, Faces, clipped, squared
from ._cascade import confirmed
from ._networks import load_networks

__all__ = ["follow_face"]

THRESHOLD = 0.7
WINDOWS = (0.9, 1.0), (0.9, 1.0)  # sides, by that of the box, in two looks
STILL = 0.03  # a box that moved by less of its side is not looked at again
DROP = 0.05  # how much lower than the box its window lies, as in the cascade


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
