"""From images to landmarks and crops, a few images at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..utils._device import resolve_device
from ._alignment import (
    box_matrix,
    eye_distance_matrix,
    eye_matrix,
    region_matrix,
    whole_matrix,
)
from ._face_boxes import Box, whole
from ._images import READ_ERRORS
from ._landmarks import BOX, FACE, POINTS, PROBABILITY, SIZE, empty_row, face_rows, select_face
from ._mtcnn._boxes import Faces
from ._mtcnn._following import follow_face
from ._mtcnn._search import find_faces
from ._tracks import BLOCK, Tracker
from ._video import Video
from ._warp import warp

NO_FACE = "no face"
UNSEEN = 0.33  # seconds for which a face may be alone in a moving picture, and be missed, ...
LARGE = 6  # ... unless it has the short side / 6: such are looked for in every frame, ...
SMALL = 20  # ... in a copy in which they cover at least so many pixels
PIXELS = 8_000_000  # about as many are decoded at once: a batch of photos, or one huge one

Item = tuple[Callable[[], Image.Image], NDArray[np.float64] | None]
"""A function that reads an image, and its row of the landmark table where that is known."""


class Done(NamedTuple):
    """What became of one image."""

    values: NDArray[np.float64]  # a row of the landmark table
    crop: NDArray[np.uint8] | None
    problem: str | None


@dataclass(frozen=True)
class Worker:
    """Find and cut faces; the fields are the parameters of `FaceCropper`."""

    size: int
    align: str | None
    region: str
    margin: float
    select: str
    min_face_size: float
    threshold: float
    device: str

    @classmethod
    def of(cls, cropper: Any) -> Self:
        """Return that of a `FaceCropper`, with the types that are kept and compared."""
        return cls(
            size=int(cropper.size),
            align=None if cropper.align is None else str(cropper.align),
            region=str(cropper.region),
            margin=float(cropper.margin),
            select=str(cropper.select),
            min_face_size=float(cropper.min_face_size),
            threshold=float(cropper.threshold),
            device=str(resolve_device(cropper.device)),
        )

    @property
    def needs_landmarks(self) -> bool:
        """Whether a crop depends on where the face is."""
        return self.align is not None or self.region != "full"

    def follow(self, video: Video, times: list[float], *, search: bool) -> Iterator[Item]:
        """Yield the frames with their landmarks if ``search``, and note their times."""
        tracker = self.tracker(everyone=False, rate=video.frame_rate)
        frames = iter(video)
        while block := list(islice(frames, BLOCK)):
            times += [frame.time for frame in block]
            images = [Image.fromarray(frame.image) for frame in block]
            seen = tracker(images) if search else [[] for _ in images]
            for image, faces in zip(images, seen, strict=True):
                values = faces[0].values if faces else empty_row(image.size)
                yield partial(_itself, image), values

    def tracker(self, *, everyone: bool, rate: float | None) -> Tracker:
        """Return what follows one face, or all of them, through so many frames a second."""
        patience = max(1, int(UNSEEN * (25 if rate is None else rate)))
        find = partial(self.find, everyone=everyone)
        return Tracker(find, self._near, self._glance, everyone, patience)

    def find(
        self, image: Image.Image, part: Box | None = None, *, everyone: bool
    ) -> list[NDArray[np.float64]]:
        """Return the rows of the landmark table of one or all faces in a part of an image."""
        part = whole(image) if part is None else part
        copy = image if part == whole(image) else image.crop(part)
        (faces,) = self._search([copy], largest_only=not everyone and self.select == "largest")
        corner = np.array(part[:2])
        faces = Faces(faces.boxes + np.tile(corner, 2), faces.probability, faces.points + corner)
        if not everyone:
            faces = select_face(faces, image.size, self.select)
        return face_rows(faces, image.size)

    def _search(self, images: Sequence[Image.Image], **options: Any) -> list[Faces]:
        settings = {"min_face_size": self.min_face_size, "threshold": self.threshold}
        return find_faces(images, device=self.device, **(settings | options))

    def _glance(self, image: Image.Image) -> bool:
        """Whether there seems to be a large face; a tenth of the time of a search."""
        least = max(self.min_face_size, min(image.size) / LARGE)
        factor = max(1, int(least / SMALL))
        copy = image.reduce(factor) if factor > 1 else image
        (faces,) = self._search([copy], min_face_size=least / factor, hasty=True)
        return len(faces) > 0

    def _near(self, image: Image.Image, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the row of a face at the place of another row; None if it is gone."""
        faces = follow_face(image, values[BOX], device=self.device)
        return next(iter(face_rows(faces, image.size)), None)

    def work(self, items: Sequence[Item], *, cut: bool) -> list[Done]:
        """Read images, find landmarks that are wanted and not known, and cut crops if asked."""
        done: dict[int, Done] = {}
        images: dict[int, Image.Image] = {}
        for place, (load, _) in enumerate(items):
            try:
                images[place] = load()
            except READ_ERRORS as error:
                done[place] = self._failed(error, cut)
            held = sum(image.width * image.height for image in images.values())
            if held >= PIXELS or place == len(items) - 1:
                done |= self._done(images, items, cut)
                images.clear()
        return [done[place] for place in range(len(items))]

    def _done(
        self, images: dict[int, Image.Image], items: Sequence[Item], cut: bool
    ) -> dict[int, Done]:
        """Find and cut the faces of images, together or, if that needs too much memory, singly."""
        try:
            rows = self._rows(images, items, cut)
            return {
                i: self.cut(image, rows[i]) if cut else _found(rows[i])
                for i, image in images.items()
            }
        except MemoryError as error:
            if len(images) == 1:
                return {i: self._failed(error, cut) for i in images}
        parts = (self._done({i: image}, items, cut) for i, image in images.items())
        return {i: one for part in parts for i, one in part.items()}

    def _failed(self, error: Exception, cut: bool) -> Done:
        crop = np.zeros((self.size, self.size, 3), dtype=np.uint8) if cut else None
        return Done(empty_row(), crop, f"{type(error).__name__}: {error}")

    def _rows(
        self, images: dict[int, Image.Image], items: Sequence[Item], cut: bool
    ) -> dict[int, NDArray[np.float64]]:
        """Return the landmarks of images, known or found."""
        rows = {i: row for i in images if (row := items[i][1]) is not None}
        unknown = {i: image for i, image in images.items() if i not in rows}
        if cut and not self.needs_landmarks:
            return rows | {i: empty_row(image.size) for i, image in unknown.items()}
        found = self._search(list(unknown.values()), largest_only=self.select == "largest")
        for (i, image), faces in zip(unknown.items(), found, strict=True):
            best = face_rows(select_face(faces, image.size, self.select), image.size)
            rows[i] = best[0] if best else empty_row(image.size)
        return rows

    def cut(self, image: Image.Image, values: NDArray[np.float64]) -> Done:
        """Cut a crop, or the whole image where its row of the landmark table does not do."""
        problem = None
        try:
            if self.needs_landmarks:
                _check_row(values, image.size)
            matrix = self.matrix(values, image.size)
        except ValueError as error:
            matrix, problem = whole_matrix(*image.size, self.size), str(error)
        return Done(values, warp(image, matrix, self.size), problem)

    def matrix(self, values: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
        """Return where the crop lies in an image of the size (width, height).

        ``values`` is the image's row of the landmark table.
        """
        points = values[POINTS].reshape(5, 2)
        if self.align == "eyes":
            matrix = eye_matrix(points, self.size, self.margin)
        elif self.align == "eye_distance":
            matrix = eye_distance_matrix(points, self.size, self.margin)
        elif self.align == "box":
            matrix = box_matrix(values[BOX], self.size, self.margin, points)
        else:
            known = points if self.needs_landmarks else None
            matrix = whole_matrix(*size, self.size, self.margin, known)
        return region_matrix(matrix, points, self.size, self.region)


def _itself(image: Image.Image) -> Image.Image:
    return image


def _check_row(values: NDArray[np.float64], size: tuple[int, int]) -> None:
    """Refuse a row of the landmark table without a face, or of an image of another size."""
    if np.isnan(values[FACE]).any():
        raise ValueError(NO_FACE)
    if not np.isnan(values[SIZE]).any() and (values[SIZE].astype(int) != size).any():
        raise ValueError(
            "the image has {} x {} pixels, its landmarks are of one of {:.0f} x {:.0f}; detect "
            "them in these images".format(*size, *values[SIZE])
        )


def _found(values: NDArray[np.float64]) -> Done:
    return Done(values, None, NO_FACE if np.isnan(values[PROBABILITY]) else None)
