"""Where the bars of each face lie in a picture, so that none lie over another's."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_COVERED, _FAR, _ASIDE, _CHANGED = 10.0, 1.0, 0.1, 0.5  # what is bad of a place, and how bad
_FEWER = 0.75  # bars of each face, where all do not fit


class Layout:
    """Find places for panels of bars, from picture to picture.

    A panel lies beside its face's box, on the side away from the middle, where it covers no
    face; where there is no such place, as near as there is one. It stays on its side while it
    can. Where not all panels fit, all get fewer bars, in all pictures of as many faces.
    """

    def __init__(self) -> None:
        self._sides: dict[int, bool] = {}  # whether a person's panel lay to the right
        self._bars: dict[int, int] = {}  # by the number of faces

    def place(
        self, boxes: Array, people: list[int], extent: tuple[int, int], width: float, step: float,
        bars: int,
    ) -> tuple[Array, int]:  # fmt: skip
        """Return the left upper corners of the panels, and how many bars each may have.

        Parameters
        ----------
        boxes : ndarray of shape (n, 4)
            Of the faces: left, top, right, bottom in pixels.
        people : list of int
            Who they are.
        extent : (int, int)
            Width and height of the picture.
        width, step : float
            Of a panel, and the height of a bar.
        bars : int
            How many there should be.
        """
        bars = min(bars, self._bars.get(len(boxes), bars), int(extent[1] // step))
        while bars:
            panel = np.array([width, step * bars])
            for order in (range(len(boxes)), range(len(boxes))[::-1]):
                corners = self._try(boxes, people, np.array(extent, float), panel, order)
                if corners is not None:
                    self._bars[len(boxes)] = bars
                    middles = boxes[:, [0, 2]].mean(axis=1)
                    right = corners[:, 0] + width / 2 > middles
                    self._sides |= dict(zip(people, right.tolist(), strict=True))
                    return corners, bars
            bars = int(_FEWER * bars)
        return np.zeros((len(boxes), 2)), 0

    def _try(
        self, boxes: Array, people: list[int], extent: Array, panel: Array, order: range
    ) -> Array | None:
        """Give one face after the other the best place that is left; None if one gets none."""
        corners = np.zeros((len(boxes), 2))
        taken = np.zeros((0, 4))
        for i in order:
            places = _places(boxes, i, taken, panel, extent)
            free = places[(_shared(places, taken) < 1).all(axis=1)]
            if not len(free):
                return None
            bad = _badness(free, boxes, i, extent)
            right = free[:, [0, 2]].mean(axis=1) > boxes[i, [0, 2]].mean()
            outwards = boxes[i, [0, 2]].sum() >= extent[0]
            bad += _ASIDE * (right != outwards)
            if people[i] in self._sides:
                bad += _CHANGED * (right != self._sides[people[i]])
            best = free[np.argmin(bad)]
            corners[i] = best[:2]
            taken = np.vstack([taken, best])
        return corners


def _places(boxes: Array, i: int, taken: Array, panel: Array, extent: Array) -> Array:
    """Return the places that touch a box, a panel or the border, as (left, top, right, bottom)."""
    around = np.vstack([boxes, taken])
    width, height = panel
    left = np.concatenate([around[:, 2], around[:, 0] - width, [0, extent[0]]])
    top = np.concatenate(
        [boxes[i, [1, 3]], [boxes[i, 1] - height, 0, extent[1]], taken[:, 3], taken[:, 1] - height]
    )
    left = np.unique(np.clip(left, 0, max(0.0, extent[0] - width)))
    top = np.unique(np.clip(top, 0, max(0.0, extent[1] - height)))
    corners = np.stack(np.meshgrid(left, top), axis=-1).reshape(-1, 2)
    return np.hstack([corners, corners + panel])


def _badness(places: Array, boxes: Array, i: int, extent: Array) -> Array:
    """Say how bad places are for the bars of a face: over faces, away from it, not level."""
    sizes = places[0, 2:] - places[0, :2]
    covered = _shared(places, boxes).sum(axis=1) / sizes.prod()
    gaps = np.maximum(places[:, :2] - boxes[i, 2:], boxes[i, :2] - places[:, 2:])
    away = np.maximum(gaps, 0).sum(axis=1) / sizes[0]
    level = np.abs(places[:, 1] - boxes[i, 1]) / extent[1]
    return np.asarray(_COVERED * covered + _FAR * (away + level))


def _shared(a: Array, b: Array) -> Array:
    """Return the areas that rectangles share, of shape (len(a), len(b))."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2))
