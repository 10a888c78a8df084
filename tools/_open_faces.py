"""The people that the open model learns from, and what their faces do.

The same rig, skins and lights as `make_au_faces`, but a wider spread: many faces at rest, single
AUs and whole displays beside the usual mixtures, resting faces that look a little like an AU or
its opposite, skins with hardly a furrow and with deep ones at rest, and movements that no label
names. The people from `VARIED` on differ more: in how they show an AU, in their resting faces, and
in which AUs come together; and they show AUs weakly more often.

The first people were rendered before AU2, 6, 7, 9, 10, 12, 14, 17, 20, 23 and 24 were mended by
the FACS manual, and they keep the movements of then: `_FIRST_UNITS`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from skau.datasets._rendering._canvas import mask
from skau.datasets._rendering._furrows import furrow_map, furrow_maps
from skau.datasets._rendering._people import _EXCLUSIVE, PRESENT, _draw_intensities, _draw_scene
from skau.datasets._rendering._render import render
from skau.datasets._rendering._rig import (
    ACTION_UNITS,
    Rig,
    _both,
    expression,
    load_rig,
    person,
    target_name,
)
from skau.datasets._rendering._skin import paint

VARIED = 2000
"""The number of the first person who shows AUs in a way of their own."""
AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43)

# How a picture comes about, and how often.
_KINDS = {"rest": 0.25, "single": 0.2, "display": 0.25, "mixture": 0.3}
_VARIED_KINDS = {"rest": 0.25, "single": 0.15, "display": 0.2, "mixture": 0.2, "independent": 0.2}
_SHARE = 0.2  # of the AUs, in an independent picture
_WEAK = 0.5  # of varied people's pictures, all AUs are weak
# Displays: the AUs that always take part, and those that join in half of the pictures.
_DISPLAYS = (
    ((6, 12), (25, 26, 7)),  # enjoyment
    ((12,), (25, 6)),  # a polite smile
    ((12, 25), (6, 10, 26)),  # a broad smile
    ((1, 2, 5), (25, 26)),  # surprise
    ((1, 4), (15, 17)),  # sadness
    ((4, 7), (23, 24, 17)),  # anger
    ((9, 10), (4, 7, 17, 25)),  # disgust
    ((1, 2, 20), (4, 5, 25)),  # fear
    ((14,), (17, 24)),  # contempt
    ((43,), (12, 4)),  # a blink
)
# Pictures of the people before this number hardly show teeth; those of the others do, in smiles
# above all: teeth are lighter there, and lips that part in a smile bare them.
_TOOTHY = 900
_SMILES = (0, 2)  # displays that come as often again there
# The movements of the first people, where they differ from those of the rig.
_FIRST_UNITS = ACTION_UNITS | {
    2: _both("browOuterUp", 1.1),
    6: _both("cheekSquint", 1.35),
    7: _both("eyeSquint", 1.55),
    9: _both("noseSneer", 1.1),
    10: _both("mouthUpperUp", 1.1),
    12: _both("mouthSmile", 0.85),
    14: _both("mouthDimple", 1.8),
    17: {"mouthShrugLower": 1.8, "mouthShrugUpper": 0.6},
    20: _both("mouthStretch", 1.3),
    23: {"mouthRollUpper": 1.0, "mouthRollLower": 1.0, "mouthPucker": 0.75},
    24: _both("mouthPress", 1.0) | _both("mouthFrown", 0.35)
    | {"mouthRollUpper": 0.8, "mouthRollLower": 0.8},
}  # fmt: skip
_FIRST_DIMPLE = [(2.0, [(0.285, 6.65), (0.305, 6.60), (0.295, 6.55)])]
# How varied people differ from the rig in showing an AU: for each target the range of what is
# added to its weight at full strength.
_WAYS: dict[int, dict[str, tuple[float, float]]] = {
    2: {"browInnerUp": (-0.2, 0.3)},
    6: {"cheekSquint": (-0.4, 0.4), "eyeSquint": (-0.4, 0.5)},
    7: {"eyeSquint": (-0.5, 0.3), "eyeBlink": (-0.06, 0.1)},
    9: {"mouthUpperUp": (-0.5, 0.5), "cheekSquint": (-0.3, 0.3)},
    10: {"mouthUpperUp": (-0.3, 0.7), "noseSneer": (0.0, 0.3)},
    12: {"cheekSquint": (-0.35, 0.3)},
    14: {"mouthDimple": (-0.5, 0.4), "mouthShrugLower": (-0.2, 0.3),
         "shape/mouth-scale-horiz-decr": (-0.5, 0.3), "shape/mouth-angles-down": (-0.4, 0.4)},
    15: {"mouthShrugLower": (0.0, 0.3)},
    17: {"mouthShrugLower": (-0.4, 0.5), "mouthShrugUpper": (-0.4, 0.4), "mouthFrown": (0.0, 0.4),
         "shape/chin-height-decr": (-0.4, 0.2)},
    20: {"mouthDimple": (-0.5, 0.3)},
    23: {"mouthPucker": (-0.4, 0.4), "mouthRollUpper": (-0.3, 0.3), "mouthRollLower": (-0.3, 0.3)},
    24: {"mouthRollUpper": (-0.4, 0.3), "mouthRollLower": (-0.4, 0.3),
         "mouthShrugLower": (-0.2, 0.4), "mouthPucker": (0.0, 0.3),
         "shape/chin-height-decr": (-0.15, 0.2)},
    25: {"mouthLowerDown": (-0.2, 0.4), "mouthUpperUp": (-0.3, 0.3), "jawOpen": (0.0, 0.1)},
    26: {"jawOpen": (-0.25, 0.15)},
}  # fmt: skip
# Movements that no label names; a face that shows one shows none of the labelled AUs for it.
_UNNAMED = ("au/jawLeft", "au/jawRight", "au/mouthLeft", "au/mouthRight", "au/jawForward",
            "au/mouthFunnel", "au/cheekPuff", "au/mouthPucker", "au/mouthLowerDownLeft",
            "au/mouthLowerDownRight")  # fmt: skip
# Details of a face that look like an AU; people differ in them more than the renderer's default.
_LOOKS_LIKE_AN_AU = (
    "mouth-angles", "eyebrows-trans", "eyebrows-angle", "eye-height", "eye-corner", "eyefold",
    "mouth-laugh", "mouth-lowerlip-ext", "mouth-upperlip-ext", "mouth-dimples", "mouth-scale-vert",
)  # fmt: skip
_ALSO_LIKE_AN_AU = ("chin-jaw-drop", "mouth-trans", "lip-middle")  # of varied people
_PAIRS = (("-up", "-down"), ("-incr", "-decr"), ("-in", "-out"), ("-convex", "-concave"))


def draw_person(
    seed: int, number: int, n_pictures: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one person's pictures and the intensities of `AUS` in them.

    Parameters
    ----------
    seed : int
    number : int
        Of the person; each has seeds of their own, whatever the order.
    n_pictures : int
    size : int
        Side of the pictures in pixels.

    Returns
    -------
    images : ndarray of shape (n_pictures, size, size, 3), uint8
    intensity : ndarray of shape (n_pictures, 18), float32
        From 0 to 1; what the resting face looks like is not in it.
    """
    rig, furrows, movements = load_rig(), furrow_maps(), ACTION_UNITS
    if number < VARIED:
        furrows, movements = furrows | {14: _first_dimple()}, _FIRST_UNITS
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    shape, traits = person(rng)
    varied, toothy = number >= VARIED, number >= _TOOTHY
    shape = rig.moved(shape, _likeness(rng, rig, varied))
    lightest = (0.9, 2.2) if varied else (1.0, 2.2) if toothy else (0.8, 1.5)
    look = replace(paint(rng, traits), teeth=float(rng.uniform(*lightest)))
    units = list(ACTION_UNITS)
    if varied:
        strong = np.exp(rng.normal(-0.2, 0.32, len(units))).clip(0.4, 1.6)
    else:
        strong = np.exp(rng.normal(0, 0.2, len(units))).clip(0.6, 1.5)
    strength = dict(zip(units, strong, strict=True))
    ways = _ways(rng, rig) if varied else {}
    manner = {name: float(np.exp(rng.normal(0, 0.2))) for name in sorted(rig.targets)}
    inclined = rng.normal(0, 0.25, len(units))
    rest = _resting_face(rng, units, varied)
    # Some skins hardly fold; old ones stay folded at rest.
    shares = [0.4, 0.35, 0.25] if varied else [0.2, 0.4, 0.4]
    depth = float(rng.choice([0.0, rng.uniform(0.1, 0.5), rng.uniform(0.5, 1.2)], p=shares))
    folded = {u: max(0.0, traits.age - 0.3) * rng.uniform(0, 0.9) for u in furrows}
    fold = {u: float(rng.uniform(0.2, 1.0)) if varied else 1.0 for u in furrows}
    lips = np.float32(rng.uniform(0.65, 1.2) - 1) * mask("lips")[..., None]
    look.skin[..., :3] *= 1 + lips  # darker or paler
    look = replace(look, lashes=_lashes(rng))

    images = np.empty((n_pictures, size, size, 3), np.uint8)
    intensity = np.empty((n_pictures, len(AUS)), np.float32)
    for picture in range(n_pictures):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, picture)))
        amounts = _amounts(rng, inclined, toothy, varied)
        scene = _draw_scene(rng, float(rng.uniform(0.5, 2.2)))
        gaze = rng.normal(0, [0.16, 0.12])
        # from a portrait lens to a telephone at arm's length
        view = float(np.radians(rng.uniform(8, 34)))
        scene = replace(scene, gaze=(float(gaze[0]), float(gaze[1])), field_of_view=view)
        intensity[picture] = [amounts[au] for au in AUS]
        shown = {u: amounts.get(u, 0.0) + rest[u] for u in units}
        aside = float(rng.normal(0, 0.12))
        weights = expression(shown, strength=strength, lopsided=aside, units=movements)
        for u, way in ways.items():
            for name, value in way.items():
                weights[name] = weights.get(name, 0.0) + value * shown[u] * strength[u]
        weights = {name: value * manner[name] for name, value in weights.items()}
        lids = "Down" if gaze[1] > 0 else "Up"
        for side in ("Left", "Right"):
            weights[f"au/eyeLook{lids}{side}"] = min(0.7, 2.5 * abs(float(gaze[1])))
        for name in _UNNAMED:
            if rng.random() < 0.04:
                weights[name] = weights.get(name, 0.0) + float(rng.uniform(0.1, 0.5))
        if toothy and amounts[12] and amounts[25]:
            up, down = rng.uniform([0.0, -0.3], [0.9, 0.4]) * amounts[12]
            for side in ("Left", "Right"):
                weights[f"au/mouthUpperUp{side}"] += float(up)
                weights[f"au/mouthLowerDown{side}"] += float(down)
        today = look.lines * depth * float(rng.uniform(0.6, 1.3))
        folds = np.zeros_like(next(iter(furrows.values())))
        for u, furrow in furrows.items():
            deep = today * fold[u] * max(0.0, shown[u]) * strength[u] + look.lines * folded[u]
            if deep:
                folds += np.float32(deep) * furrow
        images[picture] = render(look, shape, rig.moved(shape, weights), folds, scene, size)
    return images, intensity


@cache
def _first_dimple() -> np.ndarray:
    return furrow_map(_FIRST_DIMPLE)


def _likeness(rng: np.random.Generator, rig: Rig, varied: bool) -> dict[str, float]:
    """Draw details of the face that look like an AU, the same on both sides."""
    details = _LOOKS_LIKE_AN_AU + (_ALSO_LIKE_AN_AU if varied else ())
    spread, most = (0.26, 0.65) if varied else (0.18, 0.5)
    weights: dict[str, float] = {}
    for name in sorted(rig.targets):
        if not any(part in name for part in details) or name.startswith("shape/r-"):
            continue
        pair = next((p for p in _PAIRS if name.endswith(p[0])), None)
        if pair is None:
            continue
        value = float(np.clip(rng.normal(0, spread), -most, most))
        chosen = name if value > 0 else name.removesuffix(pair[0]) + pair[1]
        for side in {chosen, chosen.replace("shape/l-", "shape/r-")} & set(rig.targets):
            weights[side] = abs(value)
    return weights


def _ways(rng: np.random.Generator, rig: Rig) -> dict[int, dict[str, float]]:
    """Draw how somebody shows each AU, the same on both sides."""
    ways = {}
    for u, ranges in _WAYS.items():
        drawn = {name: float(rng.uniform(*ends)) for name, ends in ranges.items()}
        ways[u] = {
            target_name(name + side): value
            for name, value in drawn.items()
            for side in ("", "Left", "Right")
            if target_name(name + side) in rig.targets
        }
    return ways


def _lashes(rng: np.random.Generator) -> tuple[float, float]:
    """Draw how dense the upper and the lower lashes are; most lower ones hardly show.

    Where everybody's eyes have a dark rim, one that does not show is taken for AU6 and AU7.
    """
    upper, thin, dense = rng.uniform(0.2, 1), rng.uniform(0, 0.4), rng.uniform(0.4, 1)
    lower = float(rng.choice([0.0, thin, dense], p=[0.3, 0.45, 0.25]))
    return max(float(upper), lower), lower


def _resting_face(rng: np.random.Generator, units: list[int], varied: bool) -> dict[int, float]:
    """Draw what AUs, or their opposites, somebody seems to show when they show none."""
    rest = {}
    for u in units:
        highest = 0.2 if varied else 0.22
        chance, more, less = rng.random(), rng.uniform(0.03, highest), -rng.uniform(0.03, 0.15)
        much = rng.uniform(0.2, 0.45) if varied else more
        ends = np.cumsum([0.06, 0.18, 0.14] if varied else [0.0, 0.22, 0.15])
        which = int(np.searchsorted(ends, chance, side="right"))
        rest[u] = float((much, more, less, 0.0)[which])
    return rest


def _amounts(
    rng: np.random.Generator, inclined: np.ndarray, toothy: bool, varied: bool
) -> dict[int, float]:
    """Draw the intensities of the AUs in one picture."""
    kinds = _VARIED_KINDS if varied else _KINDS
    kind = str(rng.choice(list(kinds), p=list(kinds.values())))
    mixture = _draw_intensities(rng, inclined, list(AUS))
    trace = {au: float(rng.uniform(0, 0.12) * (rng.random() < 0.15)) for au in AUS}
    strong = dict(zip(AUS, PRESENT + (1 - PRESENT) * rng.beta(2, 1.3, len(AUS)), strict=True))
    single = int(rng.choice(AUS))
    which = int(rng.integers(len(_DISPLAYS)))
    if toothy and rng.random() < (0.1 if varied else 0.2):
        which = int(rng.choice(_SMILES))
    always, sometimes = _DISPLAYS[which]
    joining = [au for au in sometimes if rng.random() < 0.5]
    share = rng.uniform(0.4, 1.1)  # a display is strong or weak as a whole
    together = rng.random(len(AUS)) < _SHARE if varied else np.zeros(len(AUS), bool)
    weak = float(rng.uniform(0.05, 0.6)) if varied and rng.random() < _WEAK else 1.0
    # All was drawn before the kind decides, so that the rest of the picture does not depend on it.
    if kind == "mixture":
        return _possible(_weaker(mixture, weak))
    if kind == "single":
        trace[single] = float(strong[single])
    elif kind == "independent":
        trace |= {au: strong[au] for au, here in zip(AUS, together, strict=True) if here}
    elif kind == "display":
        for au in (*always, *joining):
            trace[au] = float(np.clip(share * rng.uniform(0.7, 1.2), PRESENT, 1))
    return _possible(_weaker(trace, weak))


def _weaker(amounts: dict[int, float], share: float) -> dict[int, float]:
    """Leave a share of what AUs show above the least that counts as present."""
    return {
        au: PRESENT + share * (amount - PRESENT) if amount > PRESENT else amount
        for au, amount in amounts.items()
    }


def _possible(amounts: dict[int, float]) -> dict[int, float]:
    for one, other in _EXCLUSIVE:
        if min(amounts.get(one, 0.0), amounts.get(other, 0.0)) > 0:
            amounts[min((one, other), key=amounts.__getitem__)] = 0.0
    return amounts
