"""Follow faces through a film, a few frames at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment

from ._changes import changed_part, grey_levels
from ._face_boxes import Box, area, distance, growth, inside, overlap, whole
from ._landmarks import BOX

BLOCK = 8  # frames looked at together: between two searches of the whole frame for newcomers
CREDIT = 2  # whole frames that may be searched at once after nothing has changed for a while
MEMORY = 12  # frames after which a face that was lost and comes back is a new one
SAME_PLACE = 0.4  # overlap (IoU) of boxes that show one face
INSIDE = 0.7  # a box of which so much lies in a known face's is half of that face
REACH = 0.6  # how far a face may jump while it is not seen, by the side of its box ...
GROWTH = 0.4  # ... and how much its side may change, as a logarithm
CUT_CHANGE, CUT_SHARE = 18, 0.6  # a cut changes so many grey levels, in such a share of the cells
GRID = 24, 16  # cells of a frame, to notice cuts by
PATCH = 16  # side of the grey picture of a face by which its track knows it
JUMP = 0.25  # a face that moved by more of its side is compared with what it was like, ...
ALIKE = 0.5  # ... and is another one where the correlation is lower than this
RESUMED = 0.8  # ... or than this where it comes back after frames that did not show it
FRESH = 0.1  # the weight of the present frame in what a face is like
KNOWN = "next_face", "scene", "frame", "credit", "cells", "searched"  # by a tracker, and tracks

Row = NDArray[np.float64]
Find = Callable[[Image.Image, Box], list[Row]]
Follow = Callable[[Image.Image, Row], Row | None]
Glance = Callable[[Image.Image], bool]


class Sighting(NamedTuple):
    """A face in a frame."""

    face: int  # the number of its track
    values: Row  # its row of the landmark table
    scene: int  # counted from cut to cut


@dataclass
class Track:
    """A face that is followed, or was a moment ago."""

    face: int
    values: Row
    look: NDArray[np.float64]
    seen: int  # the last frame that shows it


@dataclass
class Tracker:
    """Give the faces of consecutive frames the numbers of their tracks.

    A face is followed from frame to frame at the place where it was. Whole frames are searched
    where a face is lost, after a cut, in the last frame of each block if ``everyone`` is wanted,
    and, while nobody is followed, every ``patience`` frames if anything has changed. Frames
    between these are searched where they have changed, as long as no more than one frame in
    ``patience`` is searched in the mean of the last ones; after that, if a glance shows a face.
    Who is new is followed backwards to where they came in. A track ends at a cut, and where the
    face at its place is suddenly another one. So it may be one of several of a person, but does
    not go from one to another that is quite unlike.

    Parameters
    ----------
    find : callable
        Returns the rows of the landmark table of the faces in a part of an image, all or one.
    follow : callable
        Returns the row of a face in an image that was at another row's place; None if it is gone.
    glance : callable
        Whether there seems to be a large face in an image, which takes a fraction of a search.
    everyone : bool
        Whether newcomers are looked for while somebody is followed.
    patience : int, default=1
        While nobody is followed, one in so many frames is searched as a whole.
    """

    find: Find
    follow: Follow
    glance: Glance
    everyone: bool
    patience: int = 1
    tracks: list[Track] = field(default_factory=list)
    next_face: int = 0
    scene: int = 0
    frame: int = 0
    credit: float = 0.0  # frames that may be searched, but were not
    cells: NDArray[np.float64] | None = None
    searched: NDArray[np.uint8] | None = None  # of the last frame searched as a whole

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Sighting]]:
        """Return the faces of the next frames, `BLOCK` of them unless the film ends."""
        seen: list[dict[int, Row]] = []
        scenes: list[int] = []
        searched = -1  # the last frame of the block of which all faces are known
        for i, image in enumerate(images):
            cut = self._is_cut(image)
            if cut:
                self.tracks = []
                self.scene += 1
            found = {} if cut else self._follow_all(image)
            present = [track for track in self.tracks if track.seen == self.frame - 1]
            lost = len(found) < len(present)
            last = i == len(images) - 1
            turn = last or i % self.patience == self.patience - 1
            part = self._part(image, found, urgent=cut or lost, turn=turn, last=last)
            if part is not None:
                blind = range(0) if cut else range(i - 1, searched, -1)
                for track in self._search(image, found, part):
                    self._trace_back(track, images, seen, blind)
                searched = i
                if part == whole(image):
                    self.searched = grey_levels(image)
            for track in self.tracks:
                if track.face in found:
                    track.seen = self.frame
            seen.append(found)
            scenes.append(self.scene)
            self.frame += 1
            self.tracks = [t for t in self.tracks if self.frame - t.seen <= MEMORY]
        return [
            [Sighting(face, found[face], scene) for face in sorted(found)]
            for found, scene in zip(seen, scenes, strict=True)
        ]

    def _part(
        self, image: Image.Image, found: dict[int, Row], *, urgent: bool, turn: bool, last: bool
    ) -> Box | None:
        """Return what to search of a frame so that all its faces are known; None: not now."""
        everything = whole(image)
        if urgent or (found and last and self.everyone):
            return everything
        if found:
            return None
        part = changed_part(self.searched, image)
        share = area(part) / area(everything)
        self.credit = min(CREDIT, self.credit + 1 / self.patience)
        if turn and share:
            part, share = everything, 1.0
        elif share > self.credit:
            return everything if self.glance(image) else None
        self.credit = max(0.0, self.credit - share)
        return part

    def _follow_all(self, image: Image.Image) -> dict[int, Row]:
        """Return the faces that are where they were; what each is like is brought up to date."""
        found: dict[int, Row] = {}
        alike: dict[int, float] = {}
        looks: dict[int, NDArray[np.float64]] = {}
        for track in self.tracks:
            if track.seen != self.frame - 1:
                continue
            values = self.follow(image, track.values)
            if values is None:
                continue
            look = portrait(image, values)
            likeness = float(look @ track.look)
            if distance(values, track.values) > JUMP and likeness < ALIKE:
                continue
            for other in [f for f in found if overlap(found[f], values) > SAME_PLACE]:
                if alike[other] >= likeness:  # two tracks on one face: it is whose it is like
                    break
                del found[other]
            else:
                found[track.face], alike[track.face], looks[track.face] = values, likeness, look
        for track in self.tracks:
            if track.face in found:
                track.values = found[track.face]
                track.look = _mixed(track.look, looks[track.face])
        return found

    def _search(self, image: Image.Image, found: dict[int, Row], part: Box) -> list[Track]:
        """Add the faces of a part of a frame to those found; return who was not just there."""
        rows = [
            row
            for row in (self.find(image, part) if area(part) else [])
            if all(
                overlap(row, known) <= SAME_PLACE and inside(row, known) <= INSIDE
                for known in found.values()
            )
        ]
        if not self.everyone and found:
            return []
        looks = [portrait(image, row) for row in rows]
        lost = [track for track in self.tracks if track.face not in found]
        cost = np.full((len(rows), len(lost)), np.inf)
        for i, row in enumerate(rows):
            for j, track in enumerate(lost):
                likeness = float(looks[i] @ track.look)
                far = distance(row, track.values)
                near = far < REACH and growth(row, track.values) < GROWTH
                here = track.seen == self.frame - 1
                if near and (likeness >= (ALIKE if here else RESUMED) or (far < JUMP and here)):
                    cost[i, j] = far - likeness
        pairs: dict[int, int] = {}
        if cost.size:
            places = linear_sum_assignment(np.minimum(cost, 1e3))
            pairs = dict(zip(*(place.tolist() for place in places), strict=True))
        new = []
        for i, row in enumerate(rows):
            j = pairs.get(i, -1)
            if j >= 0 and cost[i, j] < np.inf:
                track = lost[j]
                track.values, track.look = row, _mixed(track.look, looks[i])
            else:
                track = Track(self.next_face, row, looks[i], self.frame)
                self.next_face += 1
                self.tracks.append(track)
            if track.seen != self.frame - 1:
                new.append(track)
            found[track.face] = row
        return new

    def _trace_back(
        self,
        track: Track,
        images: Sequence[Image.Image],
        seen: list[dict[int, Row]],
        blind: range,
    ) -> None:
        """Add a newcomer to the frames before that were not searched."""
        values = track.values
        for i in blind:
            if track.face in seen[i] or (seen[i] and not self.everyone):
                break
            before = self.follow(images[i], values)
            if before is None:
                before = self._nearest(images[i], values)
            if before is None or any(overlap(before, r) > SAME_PLACE for r in seen[i].values()):
                break
            seen[i][track.face] = values = before

    def _nearest(self, image: Image.Image, values: Row) -> Row | None:
        """Return the face of a whole frame that is nearest to a place, if it is near."""
        rows = [r for r in self.find(image, whole(image)) if distance(r, values) < REACH]
        far = [distance(row, values) for row in rows]
        return rows[int(np.argmin(far))] if rows else None

    def _is_cut(self, image: Image.Image) -> bool:
        """Whether so much has changed since the last frame that another scene is shown."""
        small = image.convert("L").resize(GRID, Image.Resampling.BOX)
        before, self.cells = self.cells, np.asarray(small, dtype=float)
        if before is None:
            return True  # the film begins
        return bool((np.abs(self.cells - before) > CUT_CHANGE).mean() > CUT_SHARE)

    def state(self) -> dict[str, Any]:
        """Return all that a tracker must know to go on, as numbers and arrays."""
        tracks = [[t.face, t.values, t.look, t.seen] for t in self.tracks]
        return {"tracks": tracks} | {name: getattr(self, name) for name in KNOWN}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        self.tracks = [Track(*parts) for parts in state["tracks"]]
        for name in KNOWN:
            setattr(self, name, state[name])


def portrait(image: Image.Image, values: Row) -> NDArray[np.float64]:
    """Return a small grey picture of a face, of mean 0 and length 1."""
    low, high = values[BOX].reshape(2, 2)
    centre, half = (low + high) / 2, (high - low).max() / 2 * 0.8
    edges = np.concatenate([centre - half, centre + half])
    patch = image.crop(tuple(edges.round().astype(int))).convert("L")
    grey = np.asarray(patch.resize((PATCH, PATCH), Image.Resampling.BOX), dtype=float).ravel()
    grey -= grey.mean()
    return np.asarray(grey / max(float(np.linalg.norm(grey)), 1e-9))


def _mixed(look: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = (1 - FRESH) * look + FRESH * new
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))
