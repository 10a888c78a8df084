"""Which tracks of a film, or faces of photos, show the same person: joined by appearance."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._alignment import eye_matrix
from ._face_boxes import distance
from ._landmarks import POINTS
from ._warp import warp

DATA = Path(__file__).parent / "data" / "appearance.npz"  # tools/fit_appearance.py writes it
SIDE = 20  # of the small picture that a face is compared by
OVAL = 0.42, 0.5  # half axes of what is looked at of it: the background changes at a cut
# Tracks that differ by less are of one person. Two rendered people like those of the fit differ
# by 0.99 (median of pairs; 0.4 % of them by less than this), those of another renderer by 0.42
# (13 %), people in photos by 0.46 (8 %); pictures of one of them by 0.11, by 0.3 in one of twenty.
JOINED = 0.25
# A track that begins within these seconds and sides of a face of another's end may go on it. It
# does so where they differ by less than this; of a few frames, often half hidden, more is borne.
SOON, NEAR = 5.0, 1.0
CONTINUED, GLIMPSED, SHORT = 0.6, 0.85, 10

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


class Appearances(NamedTuple):
    """What is known of a track when all of the film has been seen."""

    look: Look  # the mean `appearance`
    frames: NDArray[np.int64]  # ascending
    times: NDArray[np.float64]  # (2,) of the first and the last frame, in seconds
    boxes: NDArray[np.float64]  # (2, 4) in them
    scene: int  # from cut to cut


def join_people(tracks: Mapping[int, Appearances]) -> dict[int, int]:
    """Say whose each track is.

    First, tracks of a scene are joined where one begins soon after another has ended and near its
    place, as where people cross, unless they look very unlike; the most alike come first. Then
    the longest come first: each goes to the person whom it is most like, if it is like them at
    all; else it is a new person. Nobody is joined with whom they are seen in one frame.

    Parameters
    ----------
    tracks : dict of int to Appearances

    Returns
    -------
    dict of int to int
        People are numbered from 0 in the order in which they first appear.
    """
    groups = _Groups(tracks)
    for a, b in _continuations(tracks):
        groups.join(a, b)
    means = np.zeros((0, len(_projection()[1].T)))
    people: list[int] = []
    for face in sorted(groups.heads(), key=lambda face: (-groups.length(face), face)):
        far = differences(groups.look(face), means)
        far[[groups.meet(face, head) for head in people]] = np.inf
        best = int(far.argmin()) if len(far) else -1
        if len(far) and far[best] < JOINED:
            groups.join(people[best], face)
            means[best] = groups.look(people[best])
        else:
            people.append(face)
            means = np.vstack([means, groups.look(face)])
    first: dict[int, int] = {}
    for face in sorted(tracks):
        first.setdefault(groups.head(face), len(first))
    return {face: first[groups.head(face)] for face in tracks}


def _continuations(tracks: Mapping[int, Appearances]) -> list[tuple[int, int]]:
    """Return the pairs of tracks of which one may go on the other, the most alike first."""
    found = []
    faces = np.array(list(tracks), dtype=int)
    begin = np.array([track.times[0] for track in tracks.values()])
    order = np.argsort(begin, kind="stable")
    for a, one in tracks.items():
        end = one.times[1]
        first, last = np.searchsorted(begin[order], [end, end + SOON], side="right")
        for b in faces[order[first:last]].tolist():
            other = tracks[b]
            if one.scene != other.scene or distance(one.boxes[1], other.boxes[0]) > NEAR:
                continue
            short = min(len(one.frames), len(other.frames)) < SHORT
            far = float(differences(one.look, other.look[None])[0])
            if far < (GLIMPSED if short else CONTINUED):
                found.append((short, far, a, b))
    return [(a, b) for *_, a, b in sorted(found)]


class _Groups:
    """Tracks that are put together, unless they are seen in one frame."""

    def __init__(self, tracks: Mapping[int, Appearances]) -> None:
        self._head = {face: face for face in tracks}
        self._frames = {face: set(track.frames.tolist()) for face, track in tracks.items()}
        self._sum = {face: track.look * len(track.frames) for face, track in tracks.items()}

    def head(self, face: int) -> int:
        while self._head[face] != face:
            face = self._head[face]
        return face

    def heads(self) -> list[int]:
        return [face for face, head in self._head.items() if face == head]

    def length(self, head: int) -> int:
        return len(self._frames[head])

    def look(self, head: int) -> Look:
        return np.asarray(self._sum[head] / max(1, self.length(head)))

    def meet(self, one: int, other: int) -> bool:
        return not self._frames[one].isdisjoint(self._frames[other])

    def join(self, one: int, other: int) -> None:
        """Put the groups of two tracks together, if they never meet."""
        one, other = self.head(one), self.head(other)
        if one != other and not self.meet(one, other):
            self._head[other] = one
            self._frames[one] |= self._frames.pop(other)
            self._sum[one] = self._sum[one] + self._sum.pop(other)


def differences(look: Look, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how unlike other looks (k, d) are: 1 less the cosine of the angle between them."""
    lengths = np.linalg.norm(look) * np.linalg.norm(others, axis=1)
    return np.asarray(1 - others @ look / np.maximum(lengths, 1e-9))
