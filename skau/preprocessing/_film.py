"""Faces of films and photos, one after the other, each with its crop and its appearance."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._appearance import appearance
from ._image_source import ImageSource
from ._images import READ_ERRORS, read_image
from ._landmarks import PROBABILITY, empty_row
from ._results import in_threads
from ._tracks import BLOCK, Sighting, Tracker
from ._video import Frame
from ._worker import Worker


class Shot(NamedTuple):
    """A frame that is looked at."""

    frame: int
    time: float
    image: Image.Image


class Seen(NamedTuple):
    """A face in a frame or photo, or that there is none."""

    frame: int  # or the row of a photo
    time: float
    face: int  # the number of its track; -1 is none
    values: NDArray[np.float64]  # its row of the landmark table
    crop: NDArray[np.uint8] | None = None
    look: NDArray[np.float64] | None = None
    scene: int = 0  # of a film, counted from cut to cut; every photo is one of its own
    problem: str | None = None  # why a file cannot be read


def sample(video: Iterable[Any], every: int, fps: float | None) -> Iterator[Shot]:
    """Yield every k-th frame, or about so many a second.

    Parameters
    ----------
    video : iterable of Frame, array or PIL image
    every : int
    fps : float or None

    Raises
    ------
    ValueError
        If ``fps`` is wanted of frames without a time, or something is no frame.
    """
    last = -math.inf
    for number, frame in enumerate(video):
        time, image = _time_and_image(number, frame)
        if fps is not None:
            if math.isnan(time):
                raise ValueError(
                    "fps needs frames that have a time: let video yield "
                    "skau.preprocessing.Frame(time, image), or use every"
                )
            tick = math.floor(time * fps + 1e-6)
            if tick <= last:
                continue
            last = tick
        elif number % every:
            continue
        try:
            yield Shot(number, time, read_image(image))
        except (ValueError, TypeError) as error:
            raise ValueError(f"video: frame {number}: {error}") from error


def _time_and_image(number: int, frame: Any) -> tuple[float, Any]:
    if not isinstance(frame, Frame):
        if isinstance(frame, tuple | list):
            raise ValueError(
                f"video: frame {number} is a {type(frame).__name__}; expected an array (height, "
                "width, 3), a PIL image or skau.preprocessing.Frame(time, image)"
            )
        return math.nan, frame
    time: Any = frame.time
    if not isinstance(time, Real) or math.isinf(time):
        raise ValueError(f"video: the time of frame {number} is {time!r}; expected seconds")
    return float(time), frame.image


def timed(shots: Iterator[Shot]) -> tuple[float, Iterator[Shot]]:
    """Return how many shots there are a second, by the first two, and all of them.

    0 where they have no time: then every frame is searched while nobody is there.
    """
    first = list(islice(shots, 2))
    step = first[1].time - first[0].time if len(first) == 2 else math.nan
    return (1 / step if step > 0 else 0.0), chain(first, shots)


def faces_of_film(
    worker: Worker, tracker: Tracker, shots: Iterable[Shot], n_jobs: int | None
) -> Iterator[list[Seen]]:
    """Yield the faces of consecutive frames, in order; a frame without one yields one as well."""
    return in_threads(partial(_cut_all, worker), _tracked(tracker, shots), n_jobs)


def _tracked(tracker: Tracker, shots: Iterable[Shot]) -> Iterator[tuple[Image.Image, Seen]]:
    shots = iter(shots)
    while block := list(islice(shots, BLOCK)):
        for shot, faces in zip(block, tracker([s.image for s in block]), strict=True):
            nobody = Sighting(-1, empty_row(shot.image.size), -1)
            for face, values, scene in faces or [nobody]:
                yield shot.image, Seen(shot.frame, shot.time, face, values, scene=scene)


def faces_of_photos(
    worker: Worker, photos: ImageSource, rows: range, everyone: bool, n_jobs: int | None
) -> Iterator[list[Seen]]:
    """Yield the faces of some photos, in order, as those of a film of which each is a cut."""
    job = partial(_look_at_all, worker, everyone)
    return in_threads(job, zip(rows, photos.loaders(rows), strict=True), n_jobs)


def _look_at_all(
    worker: Worker, everyone: bool, photos: list[tuple[int, Callable[[], Image.Image]]]
) -> list[Seen]:
    seen = []
    for row, load in photos:
        try:
            image = load()
        except READ_ERRORS as error:
            problem = f"{type(error).__name__}: {error}"
            seen.append(Seen(row, math.nan, -1, empty_row(), scene=row, problem=problem))
            continue
        for values in worker.find(image, everyone=everyone) or [empty_row(image.size)]:
            seen.append(_cut(worker, image, Seen(row, math.nan, 0, values, scene=row)))
    return seen


def _cut_all(worker: Worker, faces: list[tuple[Image.Image, Seen]]) -> list[Seen]:
    return [_cut(worker, image, seen) for image, seen in faces]


def _cut(worker: Worker, image: Image.Image, seen: Seen) -> Seen:
    known = not np.isnan(seen.values[PROBABILITY])
    if not known and worker.needs_landmarks:
        return seen._replace(face=-1)
    done = worker.cut(image, seen.values)
    crop = done.crop if done.problem is None else None
    look = appearance(image, seen.values) if known else None
    return seen._replace(face=seen.face if known else -1, crop=crop, look=look)
