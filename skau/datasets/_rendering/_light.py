"""Light on the samples of a picture: a key light with its shadow, sky and ground, and shine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._raster import rasterise
from ._rig import LEFT_EYE, RIGHT_EYE, SKIN, TEETH, TONGUE
from ._scene import Scene


@dataclass(frozen=True)
class Samples:
    """What is seen at each sample of a picture; arrays of shape (n,) or (n, 3)."""

    part: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    facing: np.ndarray
    """Unit normal of the surface."""
    view: np.ndarray
    """Unit vector to the camera."""
    openness: np.ndarray
    """Share of the sky and ground that shines there."""
    lit: np.ndarray
    """Share of the key light that reaches it."""


def dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Multiply vectors, shape (..., 3)."""
    # Written out, here and below: fast on short rows, and one order of sums everywhere.
    return one[..., 0] * other[..., 0] + one[..., 1] * other[..., 1] + one[..., 2] * other[..., 2]


def unit(vector: np.ndarray) -> np.ndarray:
    """Give vectors, shape (..., 3), the length 1."""
    return vector / np.sqrt(dot(vector, vector) + 1e-12)[..., None]


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Multiply a matrix with points, shape (..., 3)."""
    return np.stack([dot(points, row) for row in matrix], -1)


class Sun:
    """The key light, and a map of what it sees: the rest lies in shadow.

    Parameters
    ----------
    toward : ndarray of shape (3,)
        Unit vector to the light, which is far away.
    position, triangle : ndarray
        The head that throws the shadow.
    """

    SIZE, REACH, SLACK, SOFTNESS = 192, 2.6, 0.05, 2.2

    def __init__(self, toward: np.ndarray, position: np.ndarray, triangle: np.ndarray) -> None:
        self.toward = toward
        side = unit(np.cross([0.0, 1.0, 0.01], toward))
        self._frame = np.stack([side, np.cross(toward, side), toward])
        caster = self._project(position)
        pixel, which, weight = rasterise(caster, triangle, self.SIZE)
        near = caster[triangle[which], 2]
        self._depth = np.zeros(self.SIZE * self.SIZE)
        self._depth[pixel] = dot(near, weight)

    def _project(self, points: np.ndarray) -> np.ndarray:
        local = apply(self._frame, points) / self.REACH
        return (local * [1, -1, 1] + 1) / 2 * [self.SIZE, self.SIZE, 1]

    def reaches(self, point: np.ndarray, facing: np.ndarray) -> np.ndarray:
        """Give the share of the light that reaches points on surfaces, soft at the edges."""
        spot = self._project(point + 0.03 * facing)
        lit = np.zeros(len(point))
        for right in (-self.SOFTNESS, 0.0, self.SOFTNESS):
            for down in (-self.SOFTNESS, 0.0, self.SOFTNESS):
                place = np.clip(spot[:, :2] + [right, down], 0, self.SIZE - 1).astype(np.int64)
                before = self._depth[place[:, 1] * self.SIZE + place[:, 0]] - spot[:, 2]
                lit += np.clip(1.5 - before * (2 * self.REACH) / self.SLACK, 0, 1)
        return lit / 9


def shade(seen: Samples, toward: np.ndarray, scene: Scene) -> np.ndarray:
    """Give the colour of each sample in linear light, shape (n, 3)."""
    skin = ((seen.part == SKIN) | (seen.part == TONGUE))[:, None]
    cosine = dot(seen.facing, toward)[:, None]
    # Light bleeds round the edge of skin, the red of it farthest.
    wrap = np.where(skin, [0.18, 0.09, 0.06], 0.03)
    diffuse = np.clip((cosine + wrap) / (1 + wrap), 0, 1)
    diffuse *= _bleed(seen.lit[:, None], np.where(skin, [0.15, 0.0, -0.03], 0.0))
    up = (0.5 + 0.5 * seen.facing[:, 1])[:, None]
    ambient = scene.sky * up + scene.ground * (1 - up)
    # Occluded skin still gets light that its surroundings reflect, so it darkens to red.
    dim = _bleed(seen.openness[:, None], np.where(skin, [0.2, -0.05, -0.12], 0.0))
    light = ambient * dim + scene.key * diffuse * (0.35 + 0.65 * dim)

    # Shine of the key light (Blinn and Phong), and of the sky where the surface turns away.
    aligned = np.clip(dot(seen.facing, unit(toward + seen.view)), 0, 1)
    eye = (seen.part == LEFT_EYE) | (seen.part == RIGHT_EYE)
    broad = _squared(aligned, 4)
    narrow = broad * broad
    oily = seen.gloss * (0.06 * broad + 0.1 * narrow)
    shine = np.where(eye | (seen.part == TEETH), 1.2 * _squared(narrow, 2), oily) * seen.lit
    away = 1 - np.clip(dot(seen.facing, seen.view), 0, 1)
    edge = 0.04 + 0.25 * seen.gloss * _squared(away, 2) * away
    rim = edge * np.where(eye, 0.4, 0.175) * seen.openness
    return seen.albedo * light + shine[:, None] * scene.key + rim[:, None] * scene.sky


def _bleed(light: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Brighten half-light by a share, and leave full light and darkness as they are."""
    return light * (1 + share * (1 - light))


def _squared(value: np.ndarray, times: int) -> np.ndarray:
    # Products are exact to the last bit everywhere; a power function is not, and slower.
    for _ in range(times):
        value = value * value
    return value
