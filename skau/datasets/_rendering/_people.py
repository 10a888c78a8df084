"""Who the rendered people are, what their faces do, and how each picture is taken."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from .._bp4d import BP4D_AUS
from ._furrows import furrow_maps
from ._render import render
from ._rig import ACTION_UNITS, Traits, expression, load_rig, person
from ._scene import Scene
from ._skin import Look, paint

PRESENT = 0.2
"""An AU counts as present from this intensity on."""

_RATE = 0.3
# AUs come together, as in spontaneous behaviour: how much each display drives each AU.
_DISPLAYS: tuple[dict[int, float], ...] = (
    {6: 0.7, 12: 0.75, 7: 0.3, 10: 0.2, 25: 0.4},  # enjoyment
    {1: 0.65, 2: 0.7, 5: 0.6, 26: 0.5, 25: 0.3},  # surprise
    {4: 0.65, 7: 0.5, 9: 0.6, 10: 0.45, 16: 0.3},  # effort, disgust
    {15: 0.65, 17: 0.6, 4: 0.25, 1: 0.25, 20: 0.4},  # sadness
    {14: 0.55, 23: 0.55, 24: 0.6, 17: 0.25, 18: 0.3},  # control
)
# What one face cannot do at a time: of each pair, the weaker impulse gives way.
_EXCLUSIVE = ((24, 25), (24, 26), (24, 16), (18, 12), (18, 20), (18, 24), (5, 43))


# How a look foretells a resting face: for each AU, the weights of `_looks`, of unit length.
_FORETELLING = np.random.default_rng(2019).normal(size=(len(ACTION_UNITS), 6))
_FORETELLING /= np.linalg.norm(_FORETELLING, axis=1, keepdims=True)


class Drawn(NamedTuple):
    """One person's pictures, and what their face does in them."""

    images: np.ndarray  # (n_frames, size, size, 3), uint8
    intensity: np.ndarray  # (n_frames, n_aus)
    rest: np.ndarray  # (n_aus,), the trace of each AU in the resting face


def draw_subject(
    seed: int,
    subject: int,
    aus: list[int],
    shape: tuple[int, ...],
    variation: float,
    resting: float = 1.0,
    likeness: float | None = None,
) -> Drawn:
    """Draw one person's pictures.

    Every person and every picture has a seed of its own, so neither depends on how many there
    are or on who draws them. `resting` and `likeness` are those of `make_au_faces`.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(subject,)))
    rest_shape, traits = person(rng, calm=likeness is None)
    look = paint(rng, traits)
    numbers = list(ACTION_UNITS)
    strength = dict(
        zip(numbers, np.clip(rng.normal(1, 0.12, len(numbers)), 0.75, 1.25), strict=True)
    )
    inclined = rng.normal(0, 0.25, len(numbers))
    lopsided = float(rng.normal(0, 0.08))
    rested = {int(au): float(rng.uniform(0.08, 0.25)) for au in rng.choice(BP4D_AUS, 3, False)}
    lined = 0.0  # how deep every furrow is at rest
    if likeness is not None:
        own = rng.normal(size=len(numbers))
        foretold = _FORETELLING @ _looks(traits, look)
        rest = likeness * foretold + np.sqrt(1 - likeness**2) * own
        rested = {
            au: 0.15 * max(0.0, float(value)) for au, value in zip(numbers, rest, strict=True)
        }
        lined = max(0.0, traits.age - 0.3)
    rested = {au: resting * amount for au, amount in rested.items()}
    rig, furrows = load_rig(), furrow_maps()

    images, intensity = np.empty(shape, np.uint8), np.empty((shape[0], len(aus)))
    for frame in range(shape[0]):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(subject, frame)))
        amounts = _draw_intensities(rng, inclined, aus)
        scene = _draw_scene(rng, variation)
        intensity[frame] = [amounts[au] for au in aus]
        shown = {au: amounts.get(au, 0.0) + rested.get(au, 0.0) for au in numbers}
        head = rig.moved(rest_shape, expression(shown, strength=strength, lopsided=lopsided))
        depth = np.zeros_like(next(iter(furrows.values())))
        for au, furrow in furrows.items():
            folded = look.lines * shown[au] * strength[au] + look.lines * lined
            if folded:
                depth += np.float32(folded) * furrow
        images[frame] = render(look, rest_shape, head, depth, scene, shape[1])
    return Drawn(images, intensity, np.array([rested.get(au, 0.0) for au in aus]))


def _looks(traits: Traits, look: Look) -> np.ndarray:
    """Give six things that a picture shows of a person, each of mean 0 and variance 1.

    The constants are the moments of the distributions that `person` and `paint` draw from.
    """
    african, asian, _ = traits.ancestry
    caucasian = 1 - african - asian
    return np.array(
        [
            (traits.age - 0.36) / 0.2566,
            (traits.male - 0.5) / 0.3835,
            (african - asian) / 0.5164,
            (1 - 3 * caucasian) / 0.8944,
            traits.build / 0.2843,
            (look.lines - 0.6 * traits.age - 0.725) / 0.1010,
        ]
    )


def _draw_intensities(
    rng: np.random.Generator, inclined: np.ndarray, aus: list[int]
) -> dict[int, float]:
    """Draw the intensity of some AUs in one picture: impulses above a threshold show."""
    numbers = list(ACTION_UNITS)
    display, own = rng.normal(size=len(_DISPLAYS)), rng.normal(size=len(numbers))
    strong = PRESENT + (1 - PRESENT) * rng.beta(2.5, 1.3, len(numbers))
    trace = rng.uniform(0, PRESENT, len(numbers)) * (rng.random(len(numbers)) < 0.2)
    impulse = {}
    for number, alone, lean in zip(numbers, own, inclined, strict=True):
        loads = np.array([drives.get(number, 0.0) for drives in _DISPLAYS])
        shared = (loads * display).sum() + np.sqrt(1 - (loads * loads).sum()) * alone
        impulse[number] = shared + lean - NormalDist().inv_cdf(1 - _RATE)
    present = {number for number in aus if impulse[number] > 0}
    for pair in _EXCLUSIVE:
        if present.issuperset(pair):
            present.remove(min(pair, key=impulse.__getitem__))
    return {
        number: float(full if number in present else faint)
        for number, full, faint in zip(numbers, strong, trace, strict=True)
        if number in aus
    }


def _draw_scene(rng: np.random.Generator, variation: float) -> Scene:
    def spread(scale: float, size: int | None = None) -> Any:
        return np.clip(rng.normal(0, 1, size), -2.5, 2.5) * scale * variation

    yaw, pitch, roll = np.radians(
        np.clip(spread(1, 3) * [6, 3.5, 2.5], [-40, -20, -20], [40, 20, 20])
    )
    aside = np.clip(0.35 + spread(0.35), -1.1, 1.1)
    above = np.clip(0.5 + spread(0.18), 0, 1.2)
    warm = np.exp(spread(0.06) * np.array([1, 0, -1.2]))
    wall = np.exp(np.log(0.28) + spread(0.5)) * np.exp(spread(0.22, 3))
    blotches = np.exp(spread(0.3, 16)).reshape(4, 4, 1)
    return Scene(
        yaw=float(yaw),
        pitch=float(pitch),
        roll=float(roll),
        shift=tuple(spread(0.02, 2)),
        zoom=float(np.exp(spread(0.025))),
        gaze=tuple(spread(0.08, 2) * [1, 0.5]),
        key_from=(
            float(np.sin(aside)),
            float(np.tan(above)),
            float(np.cos(aside)),
        ),
        key=1.75 * np.exp(spread(0.15)) * warm,
        sky=0.55 * np.exp(spread(0.2)) / warm,
        ground=0.22 * np.exp(spread(0.2, 3) * 0.5),
        exposure=float(np.exp(spread(0.12))),
        backdrop=np.clip(wall * blotches, 0.01, 0.9),
        grain=float(1.2 * variation),
        seed=int(rng.integers(2**31)),
    )
