"""Who the rendered people are, what their faces do, and how each picture is taken."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from skau.datasets._furrows import furrow_maps
from skau.datasets._render import render
from skau.datasets._rig import ACTION_UNITS, expression, load_rig, person
from skau.datasets._scene import Scene
from skau.datasets._skin import paint

BP4D_AUS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
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
_EXCLUSIVE = (
    (24, 25), (24, 26), (24, 16), (23, 26), (23, 25), (18, 12), (18, 20), (18, 24), (5, 43),
)  # fmt: skip


def draw_subject(
    seed: int, subject: int, aus: list[int], shape: tuple[int, ...], variation: float
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(subject,)))
    rest_shape, traits = person(rng)
    look = paint(rng, traits)
    numbers = list(ACTION_UNITS)
    strength = dict(
        zip(numbers, np.clip(rng.normal(1, 0.12, len(numbers)), 0.75, 1.25), strict=True)
    )
    inclined = rng.normal(0, 0.25, len(numbers))
    lopsided = float(rng.normal(0, 0.08))
    rested = {int(au): float(rng.uniform(0.08, 0.25)) for au in rng.choice(BP4D_AUS, 3, False)}
    rig, furrows = load_rig(), furrow_maps()

    images, intensity = np.empty(shape, np.uint8), np.empty((shape[0], len(aus)))
    for frame in range(shape[0]):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(subject, frame)))
        amounts = _draw_intensities(rng, inclined)
        scene = _draw_scene(rng, variation)
        intensity[frame] = [amounts[au] for au in aus]
        shown = {au: amounts[au] if au in aus else 0.0 for au in numbers}
        shown = {au: amount + rested.get(au, 0.0) for au, amount in shown.items()}
        head = rig.moved(rest_shape, expression(shown, strength=strength, lopsided=lopsided))
        depth = np.zeros_like(next(iter(furrows.values())))
        for au, furrow in furrows.items():
            if shown[au]:
                depth += np.float32(look.lines * shown[au] * strength[au]) * furrow
        images[frame] = render(look, rest_shape, head, depth, scene, shape[1])
    return images, intensity


def _draw_intensities(rng: np.random.Generator, inclined: np.ndarray) -> dict[int, float]:
    """Draw the intensity of every AU of one picture: impulses above a threshold show."""
    numbers = list(ACTION_UNITS)
    display, own = rng.normal(size=len(_DISPLAYS)), rng.normal(size=len(numbers))
    impulse = {}
    for number, alone, lean in zip(numbers, own, inclined, strict=True):
        loads = [drives.get(number, 0.0) for drives in _DISPLAYS]
        shared = sum(load * force for load, force in zip(loads, display, strict=True))
        rest = (1 - sum(load * load for load in loads)) ** 0.5
        impulse[number] = shared + rest * alone + lean
    for one, other in _EXCLUSIVE:
        impulse[one if impulse[one] < impulse[other] else other] -= 0.8
    threshold = NormalDist().inv_cdf(1 - _RATE)
    strong = PRESENT + (1 - PRESENT) * rng.beta(2.5, 1.3, len(numbers))
    trace = rng.uniform(0, PRESENT, len(numbers)) * (rng.random(len(numbers)) < 0.2)
    return {
        number: float(full if impulse[number] > threshold else faint)
        for number, full, faint in zip(numbers, strong, trace, strict=True)
    }


def _draw_scene(rng: np.random.Generator, variation: float) -> Scene:
    def spread(scale: float, size: int | None = None) -> Any:
        return np.clip(rng.normal(0, 1, size), -2.5, 2.5) * scale * variation

    yaw, pitch, roll = np.radians(
        np.clip(spread(1, 3) * [6, 3.5, 2.5], [-40, -20, -20], [40, 20, 20])
    )
    aside, above = 0.4 + spread(0.35), 0.5 + spread(0.18)
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
            float(np.tan(np.clip(above, 0, 1.2))),
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
