"""Light and camera: a posed head becomes a picture.

Deferred shading: `_raster` finds what each pixel sees, then colours, lights and shadow are
computed once for each visible sample. Two samples a pixel each way smooth the edges. All in
linear light, in a fixed order of operations.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ._canvas import SIZE
from ._light import Samples, Sun, apply, dot, shade, unit
from ._raster import rasterise
from ._rig import (
    CAVITY,
    HAIR,
    LASHES,
    LEFT_EYE,
    RIGHT_EYE,
    SKIN,
    TEETH,
    TONGUE,
    load_rig,
    normals,
)
from ._scene import Scene
from ._skin import Look

SUPERSAMPLING = 2
LASH_TRIM = 0.85  # of lashes that are made up; thinner ones are shorter
EYE_CORNER = 7.2765  # its height on the mean head, in decimetres: upper lashes lie above
CHUNK = 8192  # samples lit at a time: their arrays stay in the processor's cache
_LASH = (0.045, 0.034, 0.028)
_PLAIN = {
    TEETH: (0.72, 0.66, 0.56),
    TONGUE: (0.42, 0.16, 0.14),
    CAVITY: (0.22, 0.07, 0.06),
}


def render(
    look: Look,
    rest: np.ndarray,
    position: np.ndarray,
    folds: np.ndarray,
    scene: Scene,
    size: int,
) -> np.ndarray:
    """Draw one picture.

    Parameters
    ----------
    look : Look
        The person's colours.
    rest : ndarray of shape (n_vertices, 3)
        The head at rest: what the camera is pointed at.
    position : ndarray of shape (n_vertices, 3)
        The head as it is now.
    folds : ndarray of shape (SIZE, SIZE), dtype float32
        Depth of the skin's furrows on the unrolled skin.
    scene : Scene
        Pose, light, background.
    size : int
        Side of the picture in pixels.

    Returns
    -------
    image : ndarray of shape (size, size, 3), dtype uint8
        RGB in sRGB.
    """
    rig, fine = load_rig(), size * SUPERSAMPLING
    position = _turn_eyes(position, scene.gaze)
    position = position + look.hair_rise[:, None] * normals(position, rig.triangle)
    # The mesh has lashes as long as a doll's; draw them in towards the lid.
    thin = 1 - _lash_density(look, rig.position[rig.lash, 1])
    trim = (LASH_TRIM + (1 - LASH_TRIM) * thin)[:, None]
    position[rig.lash] += trim * (position[rig.lash_root] - position[rig.lash])
    shown = np.ones(len(rig.part), bool) if look.long_hair else rig.part != HAIR
    triangle, part = rig.triangle[shown], rig.part[shown]

    camera, position = _pose(rest, position, scene)
    normal, openness = normals(position, triangle), rig.openness[:, None]
    ahead = camera - position
    inverse = 1 / ahead[:, 2]
    reach = 1 / np.tan(scene.field_of_view / 2)
    screen = np.stack(
        [
            (1 - ahead[:, 0] * inverse * reach + scene.shift[0]) * fine / 2,
            (1 + ahead[:, 1] * inverse * reach - scene.shift[1]) * fine / 2,
            inverse,
        ],
        1,
    )
    # Hair strands and lashes are sheets: seen from both sides.
    sheet = np.isin(part, (HAIR, LASHES))
    both = np.concatenate([triangle, triangle[sheet][:, ::-1]])
    part = np.concatenate([part, part[sheet]])
    pixel, which, weight = rasterise(screen, both, fine)
    corner = both[which]
    weight = weight * inverse[corner]  # perspective
    weight /= (weight[:, 0] + weight[:, 1] + weight[:, 2])[:, None]

    attributes = np.concatenate([position, normal, rig.flat, rig.position, openness], 1)
    sun = Sun(unit(np.array(scene.key_from)), position, triangle)
    canvas = _backdrop(scene, fine)
    for start in range(0, len(pixel), CHUNK):
        some = slice(start, start + CHUNK)
        rows = [attributes[corner[some, k]] * weight[some, k, None] for k in range(3)]
        mixed = rows[0] + rows[1] + rows[2]
        seen = _samples(look, part[which[some]], mixed, folds, camera, sun)
        canvas[pixel[some]] = shade(seen, sun.toward, scene)
    steps = range(SUPERSAMPLING)
    canvas = canvas.reshape(fine, fine, 3)
    quarters = [canvas[i::SUPERSAMPLING, j::SUPERSAMPLING] for i in steps for j in steps]
    return _develop(np.mean(quarters, 0), scene)


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    (a, b, c), (x, y, z) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_y = np.array([[a, 0, x], [0, 1, 0], [-x, 0, a]])
    about_x = np.array([[1, 0, 0], [0, b, -y], [0, y, b]])
    about_z = np.array([[c, -z, 0], [z, c, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def _turn_eyes(position: np.ndarray, gaze: tuple[float, float]) -> np.ndarray:
    turn, result = _rotation(gaze[0], gaze[1], 0.0), position.copy()
    for part in (LEFT_EYE, RIGHT_EYE):
        ball = load_rig().vertices_of(part)
        centre = (position[ball].max(0) + position[ball].min(0)) / 2
        result[ball] = apply(turn, position[ball] - centre) + centre
    return result


def _pose(rest: np.ndarray, position: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Turn the head about its middle; the camera looks along -z at the face's centre."""
    rig = load_rig()
    left, right = (rest[rig.vertices_of(part)].mean(0) for part in (LEFT_EYE, RIGHT_EYE))
    between = float(np.sqrt(((left - right) ** 2).sum()))
    centre = (left + right) / 2 + np.array([0, -0.34, -1.1]) * between
    turned = apply(_rotation(scene.yaw, -scene.pitch, scene.roll), position - centre)
    distance = 1.92 * between / scene.zoom / np.tan(scene.field_of_view / 2)
    return np.array([0.0, 0.0, distance]), turned


def _samples(
    look: Look,
    seen: np.ndarray,
    mixed: np.ndarray,
    folds: np.ndarray,
    camera: np.ndarray,
    sun: Sun,
) -> Samples:  # fmt: skip
    """Gather what lighting needs to know about the samples: surface, colour, shadow."""
    point, facing = mixed[:, :3], unit(mixed[:, 3:6])
    view = unit(camera - point)
    facing = np.where(dot(facing, view)[:, None] < 0, -facing, facing)
    albedo, gloss, dent = _materials(look, seen, mixed[:, 6:8], folds)
    eyes = np.flatnonzero((seen == LEFT_EYE) | (seen == RIGHT_EYE))
    albedo[eyes] = _eye_colour(look, mixed[eyes, 8:11], seen[eyes])
    lashes = np.flatnonzero(seen == LASHES)
    albedo[lashes] = _lash_colour(look, mixed[lashes, 6:8], mixed[lashes, 9])
    openness, lit = mixed[:, 11], sun.reaches(point, facing)
    # The rig was measured with the mouth shut; what an open one shows is not that dark.
    mouth = np.flatnonzero((seen == TEETH) | (seen == TONGUE))
    openness[mouth] = 0.55 + 0.45 * openness[mouth]
    lit[mouth] = 0.4 + 0.6 * lit[mouth]
    openness[eyes] = 0.35 + 0.65 * openness[eyes]
    # Little light reaches the bottom of a furrow.
    openness *= np.clip(1 - 0.75 * dent, 0.25, 1.3)
    lit *= np.clip(1 - 0.45 * dent, 0.3, 1.2)
    return Samples(seen, albedo, gloss, facing, view, openness, lit)


def _materials(
    look: Look, seen: np.ndarray, flat: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    albedo = np.empty((len(seen), 3))
    gloss, dent = np.full(len(seen), 0.3), np.zeros(len(seen))
    for part, plain in _PLAIN.items():
        albedo[seen == part] = plain
    albedo[seen == TEETH] *= look.teeth
    gloss[np.isin(seen, (TEETH, TONGUE))] = 0.7
    gloss[np.isin(seen, (LASHES, CAVITY))] = 0.05
    strand = np.flatnonzero(seen == HAIR)
    streak = np.sin(flat[strand, 0] * 700) * np.sin(flat[strand, 0] * 1370 + 9 * flat[strand, 1])
    albedo[strand] = look.hair * (1 + 0.35 * streak[:, None])
    skin = np.flatnonzero(seen == SKIN)
    albedo_gloss, depth = _sample([look.skin, folds[..., None]], flat[skin])
    albedo[skin], gloss[skin], dent[skin] = albedo_gloss[:, :3], albedo_gloss[:, 3], depth[:, 0]
    return albedo, gloss, dent


def _sample(layers: list[np.ndarray], flat: np.ndarray) -> list[np.ndarray]:
    """Read textures between texels, bilinearly."""
    place = np.clip(flat * SIZE - 0.5, 0, SIZE - 1.001)
    low = place.astype(np.int64)
    across, down = (place - low).T[:, :, None].astype(np.float32)
    index = low[:, 1] * SIZE + low[:, 0]
    found = []
    for layer in layers:
        texels = layer.reshape(SIZE * SIZE, -1)
        top = texels[index] * (1 - across) + texels[index + 1] * across
        bottom = texels[index + SIZE] * (1 - across) + texels[index + SIZE + 1] * across
        found.append(top * (1 - down) + bottom * down)
    return found


def _eye_colour(look: Look, place: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Colour an eye by the angle from its axis: pupil, iris with a dark rim, white."""
    rig = load_rig()
    colour = np.empty((len(place), 3))
    for part in (LEFT_EYE, RIGHT_EYE):
        ball = rig.position[rig.vertices_of(part)]
        centre, half = (ball.max(0) + ball.min(0)) / 2, (ball.max(0) - ball.min(0)).mean() / 2
        some = seen == part
        offset = (place[some] - centre) / half
        radius = np.hypot(offset[:, 0], offset[:, 1])
        spoke = np.sin(np.arctan2(offset[:, 1], offset[:, 0]) * 23) * 0.12 + 1
        iris = np.clip((0.50 - radius) / 0.05, 0, 1)[:, None]
        rim = np.clip(1 - np.abs(radius - 0.46) / 0.08, 0, 1)[:, None]
        pupil = np.clip((0.2 - radius) / 0.04, 0, 1)[:, None]
        white = np.array([0.66, 0.62, 0.58]) * (1 - 0.25 * np.clip(radius - 0.5, 0, 1)[:, None])
        ring = look.iris * spoke[:, None] * (1.25 - radius[:, None]) * (1 - 0.65 * rim)
        mixed = white + iris * (ring - white)
        colour[some] = mixed * (1 - pupil) + 0.004 * pupil
    return colour


def _lash_density(look: Look, height: np.ndarray) -> np.ndarray:
    """Tell upper lashes from lower ones by their height on the mean head."""
    upper, lower = look.lashes
    return np.where(height > EYE_CORNER, upper, lower)


def _lash_colour(look: Look, flat: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Let the skin show between lashes that are not dense."""
    dense = _lash_density(look, height)[:, None]
    (skin,) = _sample([look.skin], flat)
    return dense * np.array(_LASH) + (1 - dense) * skin[:, :3]


def _backdrop(scene: Scene, fine: int) -> np.ndarray:
    channels = [
        np.asarray(
            Image.fromarray(scene.backdrop[..., k].astype(np.float32)).resize(
                (fine, fine), Image.Resampling.BICUBIC
            ),
            float,
        )
        for k in range(3)
    ]
    return np.clip(np.stack(channels, -1), 0.002, 2).reshape(fine * fine, 3)


def _develop(colour: np.ndarray, scene: Scene) -> np.ndarray:
    """Expose, roll off the highlights, add grain, and encode as sRGB bytes."""
    value = colour * scene.exposure
    value = value * (1 + value / 9) / (1 + value * 0.7)
    value = np.clip(value, 0, 1)
    encoded = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    grain = np.random.default_rng(scene.seed).normal(size=colour.shape) * scene.grain
    return np.clip(np.rint(encoded * 255 + grain), 0, 255).astype(np.uint8)
