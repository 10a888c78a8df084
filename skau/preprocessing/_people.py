"""Which tracks of a film, or faces of photos, show the same person: joined by appearance."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._alignment import eye_matrix
from ._landmarks import POINTS
from ._warp import warp

__all__ = ["appearance", "join_people"]

DATA = Path(__file__).parent / "data" / "appearance.npz"  # tools/fit_appearance.py writes it
SIDE = 20  # of the small picture that a face is compared by
OVAL = 0.42, 0.5  # half axes of what is looked at of it: the background changes at a cut
JOINED = 0.25  # tracks that differ by less are of one person; any two people by about 1

Look = NDArray[np.float64]


def appearance(image: Image.Image, values: NDArray[np.float64]) -> Look:
    """Describe a face by numbers that differ more between people than within one of them.

    They are a linear discriminant analysis of a small colour picture, fitted to rendered people
    under changing light, pose and expression.

    Parameters
    ----------
    image : PIL.Image.Image
    values : ndarray of shape (17,)
        The face's row of the landmark table.

    Returns
    -------
    ndarray of shape (32,)
        The mean over the pictures of a track describes the track. 0 where the face cannot be
        aligned, as in full profile.
    """
    mean, directions = _projection()
    try:
        x = pixels(image, values[POINTS].reshape(5, 2))
    except ValueError:
        return np.zeros(directions.shape[1])
    return np.asarray((x - mean) @ directions, dtype=float)


def pixels(image: Image.Image, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the colours in the oval of a small aligned picture, (d,)."""
    small = warp(image, eye_matrix(points, SIDE), SIDE)
    return np.asarray(np.log(small[_oval()].astype(float) + 16).ravel())


@cache
def _oval() -> NDArray[np.bool_]:
    across = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    return np.asarray((across / OVAL[0]) ** 2 + (across[:, None] / OVAL[1]) ** 2 <= 1)


@cache
def _projection() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with np.load(DATA) as file:
        return file["mean"].astype(float), file["directions"].astype(float)


def join_people(
    looks: Mapping[int, Look], spans: Mapping[int, NDArray[np.int64]]
) -> dict[int, int]:
    """Say whose each track is.

    The longest tracks come first. Each goes to the person whom it is most like, if it is like
    them at all and they are not seen elsewhere in one of its frames; else it is a new person.

    Parameters
    ----------
    looks : dict of int to ndarray
        The mean `appearance` of each track.
    spans : dict of int to ndarray
        The frames of each track.

    Returns
    -------
    dict of int to int
        People are numbered from 0 in the order in which they first appear.
    """
    means = np.zeros((0, len(_projection()[1].T)))
    weights: list[int] = []
    frames: list[set[int]] = []
    whose: dict[int, int] = {}
    for face in sorted(looks, key=lambda face: (-len(spans[face]), face)):
        look, n, own = looks[face], len(spans[face]), set(spans[face].tolist())
        far = differences(look, means)
        far[[bool(own & theirs) for theirs in frames]] = np.inf
        best = int(far.argmin()) if len(far) else -1
        if len(far) and far[best] < JOINED:
            means[best] += (look - means[best]) * n / (weights[best] + n)
            weights[best] += n
            frames[best] |= own
        else:
            best = len(means)
            means = np.vstack([means, look])
            weights.append(n)
            frames.append(own)
        whose[face] = best
    first: dict[int, int] = {}
    for face in sorted(whose):
        first.setdefault(whose[face], len(first))
    return {face: first[person] for face, person in whose.items()}


def differences(look: Look, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how unlike other looks (k, d) are: 1 less the cosine of the angle between them."""
    lengths = np.linalg.norm(look) * np.linalg.norm(others, axis=1)
    return np.asarray(1 - others @ look / np.maximum(lengths, 1e-9))
