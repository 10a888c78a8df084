"""The packed head: its mesh, the shapes of people, and the targets of the Action Units.

Positions are in decimetres; x points to the person's left, y up, z out of the face. The mean
person's head (`Rig.position`) serves as the map of every other: a point of the skin is named
by where it lies there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

import numpy as np
from scipy.spatial import cKDTree

PARTS = ("skin", "left eye", "right eye", "teeth", "tongue", "lashes", "hair", "cavity")
SKIN, LEFT_EYE, RIGHT_EYE, TEETH, TONGUE, LASHES, HAIR, CAVITY = range(len(PARTS))


def _both(name: str, weight: float = 1.0) -> dict[str, float]:
    return {f"{name}Left": weight, f"{name}Right": weight}


# The targets that show each AU at full strength, by the descriptions of the FACS manual (Ekman,
# Friesen & Hager, 2002). Where the Face Units pack moves something else for an AU, details of a
# face (`shape/`) mend it: its dimple and its press pull the corners outwards.
ACTION_UNITS: dict[int, dict[str, float]] = {
    1: {"browInnerUp": 1.5},
    2: _both("browOuterUp", 1.1) | {"browInnerUp": 0.2},
    4: _both("browDown"),
    5: _both("eyeWide", 1.1),
    # cheeks that rise narrow the eyes
    6: _both("cheekSquint", 1.5) | _both("eyeSquint", 0.4),
    # the lids alone, the cheeks stay
    7: _both("eyeSquint", 1.2) | _both("eyeBlink", 0.06) | _both("cheekSquint", -0.35),
    9: _both("noseSneer", 1.2) | _both("mouthUpperUp", 0.5) | _both("cheekSquint", 0.3),
    10: _both("mouthUpperUp", 1.2),
    12: _both("mouthSmile", 0.85) | _both("cheekSquint", 0.35),
    # corners tightened, and drawn back rather than outwards
    14: _both("mouthDimple", 1.1) | {
        "mouthShrugLower": 0.2, "shape/mouth-scale-horiz-decr": 1.15,
        "shape/mouth-angles-down": 0.25,
    },
    15: _both("mouthFrown", 1.3),
    16: _both("mouthLowerDown"),
    # the chin boss goes up and takes the lower lip along
    17: {"mouthShrugLower": 1.3, "mouthShrugUpper": 0.4, "shape/chin-height-decr": 0.5},
    18: {"mouthPucker": 1.0},
    20: _both("mouthStretch", 1.0) | _both("mouthDimple", 0.5),
    # the red of the lips narrows
    23: {
        "mouthPucker": 0.4, "mouthRollUpper": 0.35, "mouthRollLower": 0.35,
        "shape/mouth-upperlip-height-decr": 0.6, "shape/mouth-lowerlip-height-decr": 0.6,
    },
    # lips pressed on each other, the mouth does not widen
    24: {
        "mouthRollUpper": 0.6, "mouthRollLower": 0.6, "mouthShrugLower": 0.25,
        "shape/mouth-scale-horiz-decr": 0.25, "shape/chin-height-decr": 0.15,
    },
    25: _both("mouthLowerDown", 0.6) | _both("mouthUpperUp", 0.3),
    26: {"jawOpen": 0.55},
    43: _both("eyeBlink"),
}  # fmt: skip
AU_NAMES = {  # after the same manual
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 5: "upper lid raiser",
    6: "cheek raiser", 7: "lid tightener", 9: "nose wrinkler", 10: "upper lip raiser",
    12: "lip corner puller", 14: "dimpler", 15: "lip corner depressor",
    16: "lower lip depressor", 17: "chin raiser", 18: "lip pucker", 20: "lip stretcher",
    23: "lip tightener", 24: "lip pressor", 25: "lips part", 26: "jaw drop", 43: "eyes closed",
}  # fmt: skip


@dataclass
class Rig:
    """What ``face_rig.npz`` holds; `tools/pack_rig.py` writes it."""

    position: np.ndarray
    """Vertices of the mean head, shape (n_vertices, 3)."""
    triangle: np.ndarray
    """Vertices of each triangle, shape (n_triangles, 3)."""
    part: np.ndarray
    """The part each triangle belongs to, an index into `PARTS`."""
    openness: np.ndarray
    """The share of the surroundings each vertex sees, 0 to 1: ambient occlusion."""
    masks: dict[str, np.ndarray]
    """Where lips, eyelids and ears are on the unrolled skin, 0 to 1."""
    targets: dict[str, tuple[np.ndarray, np.ndarray]]
    """Moved vertices and their offsets, by name."""

    @cached_property
    def flat(self) -> np.ndarray:
        """Where each vertex lies on the unrolled skin."""
        return unroll(self.position)

    @cached_property
    def lash(self) -> np.ndarray:
        """The vertices of the lashes."""
        return self.vertices_of(LASHES)

    @cached_property
    def lash_root(self) -> np.ndarray:
        """The vertex of the skin that each lash vertex grows from."""
        skin = self.vertices_of(SKIN)
        return skin[cKDTree(self.position[skin]).query(self.position[self.lash])[1]]

    def moved(self, position: np.ndarray, weights: dict[str, float]) -> np.ndarray:
        """Add weighted targets to a head; in a fixed order, so that the sum is too."""
        result = position.copy()
        for name in sorted(weights):
            if weights[name]:
                where, offset = self.targets[name]
                result[where] += weights[name] * offset
        return result

    def vertices_of(self, part: int) -> np.ndarray:
        """List the vertices of a part."""
        return np.unique(self.triangle[self.part == part])


@cache
def load_rig() -> Rig:
    """Read the packed rig, once for each process."""
    path = resources.files("skau.datasets").joinpath("data/face_rig.npz")
    with path.open("rb") as file, np.load(file) as pack:
        data = {name: pack[name] for name in pack.files}
    bounds = data["target_offset"]
    where = data["target_vertex"].astype(np.int64)
    offset = data["target_delta"] * float(data["target_step"])
    return Rig(
        position=data["position"] * float(data["position_step"]),
        triangle=data["triangle"].astype(np.int64),
        part=data["part"].astype(np.int64),
        openness=data["openness"] / 255.0,
        masks=dict(zip(data["mask_name"].astype(str), data["mask"] / 255.0, strict=True)),
        targets={
            name: (where[start:end], offset[start:end])
            for name, start, end in zip(
                data["target_name"].astype(str), bounds[:-1], bounds[1:], strict=True
            )
        },
    )


def unroll(position: np.ndarray) -> np.ndarray:
    """Lay the mean head's skin out flat: shape (..., 2) in [0, 1], row 0 at the crown.

    The angle round a vertical axis and the height, both stretched so that the face gets most
    of the picture. The seam is at the back of the head.
    """
    turn = np.arctan2(position[..., 0], position[..., 2] - 0.2) / np.pi
    height = np.clip((position[..., 1] - 7.0) / 2.1, -1, 1)
    return np.stack([0.5 + _stretch(turn) / 2, 0.5 - _stretch(height) / 2], -1)


def _stretch(value: np.ndarray) -> np.ndarray:
    return 1.6 * value - 0.6 * value * np.abs(value)


def normals(position: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """Give the unit normal at each vertex, the area-weighted mean over its triangles."""
    corner = position[triangle]
    (a, b, c), (d, e, f) = (corner[:, 1] - corner[:, 0]).T, (corner[:, 2] - corner[:, 0]).T
    face = (b * f - c * e, c * d - a * f, a * e - b * d)
    total = np.stack(
        [sum(np.bincount(triangle[:, k], axis, len(position)) for k in range(3)) for axis in face],
        1,
    )
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)


def target_name(name: str) -> str:
    """Name the rig's target; those of the Face Units pack stand without their family."""
    return name if "/" in name else f"au/{name}"


def expression(
    intensity: dict[int, float],
    *,
    strength: dict[int, float],
    lopsided: float = 0.0,
    units: dict[int, dict[str, float]] = ACTION_UNITS,
) -> dict[str, float]:
    """Give the target weights of a face that shows some AUs.

    Parameters
    ----------
    intensity : dict of int to float
        Intensity of each AU, 0 to 1.
    strength : dict of int to float
        How strongly this person shows each AU; 1 is usual.
    lopsided : float, default=0.0
        How much stronger the person's left side is than the right, as a share.
    units : dict, default=ACTION_UNITS
        The targets that show each AU.
    """
    weights: dict[str, float] = {}
    for number, amount in intensity.items():
        for name, weight in units[number].items():
            side = 1 + lopsided * (name.endswith("Left") - name.endswith("Right"))
            key = target_name(name)
            weights[key] = weights.get(key, 0.0) + weight * amount * strength[number] * side
    return weights


@dataclass(frozen=True)
class Traits:
    """What a person's shape and colours have in common; shares from 0 to 1."""

    ancestry: np.ndarray
    """African, Asian and Caucasian share; they sum to 1."""
    male: float
    age: float
    """0 young, 1 old."""
    build: float
    """-1 slender, 1 heavy."""


def person(rng: np.random.Generator, *, calm: bool = True) -> tuple[np.ndarray, Traits]:
    """Draw somebody: the head at rest, shape (n_vertices, 3), and what their colours follow.

    With ``calm``, details that look like an AU at rest are kept small.
    """
    rig = load_rig()
    ancestry = rng.dirichlet([0.5, 0.5, 0.5])
    male, age = float(rng.beta(0.35, 0.35)), float(rng.beta(0.9, 1.6))
    weight = rng.dirichlet([1.0, 2.5, 1.0])
    weights: dict[str, float] = {}
    for sex, sex_share in (("female", 1 - male), ("male", male)):
        for old, age_share in (("young", 1 - age), ("old", age)):
            share = sex_share * age_share
            for race, amount in zip(("african", "asian", "caucasian"), ancestry, strict=True):
                weights[f"macro/{race}-{sex}-{old}"] = share * amount
            for build, amount in zip(("min", "average", "max"), weight, strict=True):
                weights[f"macro/{sex}-{old}-{build}"] = share * amount
    weights = {name: value for name, value in weights.items() if name in rig.targets}
    weights |= _local_shape(rng, rig, calm)
    traits = Traits(ancestry, male, age, build=float(weight[2] - weight[0]))
    return rig.moved(rig.position, weights), traits


# Opposite ends of one scale exclude each other; a few targets come without an opposite.
_OPPOSITES = {
    "incr": "decr", "up": "down", "forward": "backward", "in": "out", "convex": "concave",
    "uncompress": "compress",
}  # fmt: skip
# Kept small: what would distort the head, and the details that look like an AU at rest.
_DISTORTING = ("neck", "asym", "head-scale", "head-trans", "head-back", "head-age")
_LIKE_AN_AU = (
    "chin-jaw-drop", "eye-height", "eye-corner", "eyefold", "mouth-angles", "mouth-trans",
    "lip-ext", "lip-middle", "mouth-dimples", "mouth-laugh", "eyebrows",
)  # fmt: skip


def _local_shape(rng: np.random.Generator, rig: Rig, calm: bool) -> dict[str, float]:
    small = _DISTORTING + _LIKE_AN_AU if calm else _DISTORTING
    names = {name.removeprefix("shape/") for name in rig.targets if name.startswith("shape/")}
    weights: dict[str, float] = {}
    for name in sorted(names):
        stem, _, end = name.rpartition("-")
        if end in _OPPOSITES.values() and any(
            f"{stem}-{more}" in names for more, less in _OPPOSITES.items() if less == end
        ):
            continue  # drawn with its opposite
        if name.startswith("r-"):
            continue  # follows the left side
        spread = 0.12 if any(part in name for part in small) else 0.3
        value = float(np.clip(rng.normal(0, spread), -0.8, 0.8))
        chosen = name if value > 0 else f"{stem}-{_OPPOSITES.get(end, '')}"
        sides = (chosen, "r-" + chosen[2:]) if chosen.startswith("l-") else (chosen,)
        for side in sides:
            if side in names:
                weights[f"shape/{side}"] = abs(value)
    return weights
