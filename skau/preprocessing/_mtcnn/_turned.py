"""Faces that lie on their side or stand on their head.

The networks know upright faces.  Of one that is turned by a quarter they see nothing, or a face
where there is none such: with eyes too near to each other, or above each other.  So where nothing
was found, and where what was found looks like that, turned copies are searched too: of a whole
image, small ones, and for large faces alone.

A face on its head may look like another one that is upright, and the other way round.  Which of
the two it is, their probabilities in one window do not tell; the means of several views do.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import Image

from ._boxes import NOTHING, Faces
from ._following import SURE_PROBABILITY, follow_face, probability_in_views

TURNS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}
LEAST_APART = 0.38  # of the eyes, by the width of the box; of upright faces it is 0.40 to 0.49
MOST_TILTED = 0.7  # the eyes' line, in height over width; about 35 degrees
LEAST_FRACTION = 4  # of the short side: the smallest turned face looked for in a whole image
SMALL = 20  # pixels that this face covers at least in the copy that is searched
SURROUNDINGS = 3  # side of what is searched again about a turned face, by that of its box, ...
CLOSE = 96  # ... and pixels that its box covers there
WITHIN = np.array([12.0, 12, 60, 60])  # the box in a copy of 72 pixels for that

Search = Callable[[Sequence[Image.Image], float, bool], list[Faces]]
"""Find the largest upright face of at least so many pixels in images of one size.

With the last argument, only what is most likely one is looked at closely.
"""


def upright(faces: Faces) -> np.ndarray:
    """Say which faces (k,) have the eyes and the mouth where upright ones have them."""
    eyes = faces.points[:, 1] - faces.points[:, 0]
    drop = faces.points[:, 3:].mean(axis=1) - faces.points[:, :2].mean(axis=1)
    width = faces.boxes[:, 2] - faces.boxes[:, 0]
    apart = np.linalg.norm(eyes, axis=1)
    level = (eyes[:, 0] > 0) & (np.abs(eyes[:, 1]) < MOST_TILTED * eyes[:, 0])
    below = (drop * eyes[:, ::-1] * [-1, 1]).sum(axis=1) > 0.5 * apart**2
    return level & below & (apart > LEAST_APART * width)


def look_turned(
    images: Sequence[Image.Image],
    found: Sequence[Faces],
    smallest: float,
    search: Search,
    device: str,
) -> list[Faces]:
    """Return the faces of images, with those that are turned in place of what they seemed.

    Parameters
    ----------
    images : sequence of PIL.Image.Image
        Images of one size.
    found : sequence of Faces
        What was found in each.
    smallest : float
        Side of the smallest face that is looked for.
    search : callable
    device : str
    """
    without = [i for i, faces in enumerate(found) if not len(faces)]
    large = iter(_in_the_whole([images[i] for i in without], smallest, search, device))
    return [
        _righted(image, faces, search, device) if len(faces) else next(large)
        for image, faces in zip(images, found, strict=True)
    ]


def _righted(image: Image.Image, faces: Faces, search: Search, device: str) -> Faces:
    """Look again at what does not look like an upright face."""
    parts = []
    for i, fine in enumerate(upright(faces)):
        face = faces.take(np.array([i]))
        sure = fine and face.probability[0] >= SURE_PROBABILITY
        if not sure and (not fine or _seems_turned(image, face, device)):
            turned, likely = _near(image, face.boxes[0], tuple(TURNS), search, device)
            if fine:
                better = likely > probability_in_views(image, face, device)
            else:  # views of what is no upright face prove nothing for it
                better = likely > 0 and turned.probability[0] > face.probability[0]
            if better:
                face = turned
        parts.append(face)
    return Faces(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _in_the_whole(
    images: Sequence[Image.Image], smallest: float, search: Search, device: str
) -> Iterator[Faces]:
    """Look for a large turned face in reduced copies, and then again closely."""
    if not images:
        return
    least = max(smallest, min(images[0].size) / LEAST_FRACTION)
    factor = max(1, int(least / SMALL))
    squares = []
    for image in images:
        small = image.reduce(factor) if factor > 1 else image
        square = Image.new("RGB", (max(small.size),) * 2, _mean_colour(small))
        square.paste(small)
        squares.append(square)
    copies = [(turn, square.transpose(TURNS[turn])) for square in squares for turn in TURNS]
    searched = search([copy for _, copy in copies], least / factor, True)
    found = (
        _turned_back(_upright_ones(faces), turn, copy.size)
        for faces, (turn, copy) in zip(searched, copies, strict=True)
    )
    for image in images:
        seen = {turn: faces for turn in TURNS if len(faces := next(found))}
        best = max(seen.values(), key=lambda faces: float(faces.probability[0]), default=NOTHING)
        if seen:
            place = (best.boxes[0] + 0.5) * factor - 0.5
            best, _ = _near(image, place, tuple(seen), search, device)
        yield best


def _mean_colour(image: Image.Image) -> tuple[int, ...]:
    return tuple(np.asarray(image).mean(axis=(0, 1)).astype(int).tolist())


def _seems_turned(image: Image.Image, face: Faces, device: str) -> bool:
    """Whether the last network likes the place of a face better after some turn."""
    low, high = face.boxes[0, :2], face.boxes[0, 2:]
    reach = 0.75 * (high - low).max()
    middle = (low + high + 1) / 2
    left, top = np.floor(middle - reach).astype(int).tolist()
    right, bottom = np.ceil(middle + reach).astype(int).tolist()
    copy = image.crop((left, top, right, bottom)).resize((72, 72), Image.Resampling.BOX)
    return any(
        follow_face(
            copy.transpose(turn), WITHIN, windows=((0.95,),), threshold=0, device=device
        ).probability.sum()
        > face.probability[0]
        for turn in TURNS.values()
    )


def _near(
    image: Image.Image, box: np.ndarray, turns: tuple[int, ...], search: Search, device: str
) -> tuple[Faces, float]:
    """Look for a turned face where one seems to be; return its mean probability in views too."""
    side = (box[2:] - box[:2]).max()
    centre = (box[:2] + box[2:] + 1) / 2
    low = np.maximum(np.floor(centre - SURROUNDINGS * side / 2), 0)
    high = np.minimum(np.ceil(centre + SURROUNDINGS * side / 2), image.size)
    size = np.maximum(1, (high - low) * CLOSE / side).round().astype(int)
    copy = image.resize(
        tuple(size.tolist()), Image.Resampling.BOX, (*low.tolist(), *high.tolist())
    )
    best, likeliest = NOTHING, 0.0
    for turn in turns:
        turned = copy.transpose(TURNS[turn])
        faces = _upright_ones(search([turned], CLOSE / 2, False)[0])
        likely = probability_in_views(turned, faces, device) if len(faces) else 0.0
        if likely > likeliest:
            best, likeliest = _turned_back(faces, turn, turned.size), likely
    scale = (high - low) / size
    found = Faces(
        (best.boxes + 0.5) * np.tile(scale, 2) + np.tile(low, 2) - 0.5,
        best.probability,
        (best.points + 0.5) * scale + low - 0.5,
    )
    return found, likeliest


def _upright_ones(faces: Faces) -> Faces:
    return faces.take(np.flatnonzero(upright(faces)))


def _turned_back(faces: Faces, turns: int, size: tuple[int, int]) -> Faces:
    """Return where faces of a turned copy of this size lie before its quarter turns."""
    corners, points = faces.boxes.reshape(-1, 2, 2), faces.points
    width, height = size
    for _ in range(turns):  # each turn took (x, y) to (y, width - 1 - x)
        corners, points = (
            np.stack([height - 1 - p[..., 1], p[..., 0]], axis=-1) for p in (corners, points)
        )
        width, height = height, width
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return Faces(boxes, faces.probability, points)
