"""Painting a person: skin, lips, brows, hair, beard, eyes and clothes as linear colours.

Everything is drawn on the unrolled skin of the mean head (`_rig.unroll`), so it moves with
the face: a raised brow carries its hairs along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ._canvas import (
    SIZE,
    bump,
    linear,
    mask,
    noise,
    rise,
    skin_map,
    strokes,
    texel,
)
from ._rig import SKIN, Traits, load_rig

# sRGB colours, from little to much melanin; and of hair and iris.
_SKIN = np.array(
    [
        [240, 208, 190], [229, 188, 164], [210, 163, 132], [176, 126, 94], [128, 86, 62],
        [84, 56, 42], [56, 38, 31],
    ]
)  # fmt: skip
_HAIR = {
    "black": (24, 20, 19), "dark": (46, 33, 26), "brown": (80, 56, 40), "light": (122, 92, 64),
    "blond": (178, 148, 104), "red": (128, 68, 40), "grey": (150, 147, 144),
}  # fmt: skip
_IRIS = {
    "brown": (84, 54, 32),
    "hazel": (112, 92, 52),
    "green": (96, 112, 84),
    "blue": (98, 126, 150),
}


@dataclass(frozen=True)
class Look:
    """Somebody's colours; all linear light, 0 to 1."""

    skin: np.ndarray
    """Colour of skin, hair and clothes, and how oily they shine; shape (SIZE, SIZE, 4)."""
    hair_rise: np.ndarray
    """How far the hair stands off each vertex, in decimetres."""
    hair: np.ndarray
    """Hair colour, shape (3,)."""
    long_hair: bool
    """Whether hair hangs down beside the neck."""
    iris: np.ndarray
    """Iris colour, shape (3,)."""
    lines: float
    """How deep this skin folds; 1 is usual."""
    teeth: float = 1.0
    """How light the teeth are; 1 is usual."""
    lashes: tuple[float, float] = (1.0, 1.0)
    """How dense the upper and the lower lashes are: from 0, none to be seen, to 1, made up."""


def _above_hairline(position: np.ndarray, receding: float, height: float) -> np.ndarray:
    """Give how far a point of the mean head lies above the hairline."""
    turn = np.degrees(np.abs(np.arctan2(position[..., 0], position[..., 2] - 0.2)))
    corner = [0, 14, 26, 36, 44, 50, 55, 60, 80, 88, 120, 180]
    level = [7.93, 7.93, 7.90, 7.80, 7.62, 7.35, 7.10, 7.36, 7.36, 6.95, 6.60, 6.50]
    back = [0.5, 0.8, 1.0, 0.6, 0.2, 0, 0, 0, 0, 0, 0, 0]
    line = np.array(level) + height * np.array([1, 1, 1, 0.8, 0.4, 0, 0, 0, 0, 0, 0, 0])
    line = line + receding * np.array(back)
    return position[..., 1] - np.interp(turn, corner, line)


def paint(rng: np.random.Generator, traits: Traits) -> Look:
    """Draw somebody's colours, as their ancestry, sex and age suggest.

    Parameters
    ----------
    rng : Generator
        The source of chance.
    traits : Traits
        As `_rig.person` draws them.
    """
    where = skin_map()
    x, y, _ = np.moveaxis(where, -1, 0)
    male, age, ancestry = traits.male, traits.age, traits.ancestry
    man = male > 0.5
    melanin = float(np.clip(ancestry @ [0.78, 0.3, 0.14] + rng.normal(0, 0.07), 0, 1))
    scale = np.linspace(0, 1, len(_SKIN))
    tone = linear([np.interp(melanin, scale, channel) for channel in _SKIN.T])
    tone = tone * (1 + rng.normal(0, [0.05, 0.02, 0.04]))
    hair_name = _hair_name(rng, ancestry, age)
    hair = linear(_HAIR[hair_name]) * rng.uniform(0.7, 1.2)

    albedo = _complexion(rng, tone, age, melanin, where)
    lips = mask("lips")
    made_up = not man and rng.random() < 0.35
    red = np.array([0.86, 0.62, 0.62]) * (1 - 0.15 * melanin)
    lip_tone = tone * red * rng.uniform(0.8, 1.05)
    if made_up:
        lip_tone = 0.5 * lip_tone + 0.5 * linear([170, 50, 62]) * rng.uniform(0.5, 1.2)
    fine = 1 + 0.06 * noise(rng, 60, 320)
    albedo += (0.85 * lips)[..., None] * (lip_tone * fine[..., None] - albedo)
    lids = mask("eyelids")
    albedo *= 1 - (0.5 if made_up else 0.22) * lids[..., None] * [0.9, 1.0, 1.0]
    gloss = 0.30 + 0.2 * bump(np.hypot(x, y - 7.1), 0, 0.35) + 0.45 * lips
    gloss *= 1 + 0.15 * noise(rng, 80)

    # Hair of the head.
    receding = max(0.0, rng.normal(0.05 + 0.3 * age, 0.12)) if man else 0.0
    edge = (
        _above_hairline(where, receding, rng.normal(0, 0.05))
        + 0.012 * noise(rng, 30, 160)
        + 0.02 * noise(rng, 8)
    )
    style = rng.choice(["bald", "buzz", "short", "full"], p=[0.08, 0.2, 0.44, 0.28] if man
                       else [0.0, 0.03, 0.37, 0.6])  # fmt: skip
    ears = ndimage.gaussian_filter(mask("ears"), 1.5)
    cover = {"bald": 0.15, "buzz": 0.8, "short": 0.97, "full": 1.0}[style]
    cover = cover * rise(edge / 0.13 + 0.5) * (1 - np.clip(2 * ears, 0, 1))
    strand = 1 + 0.28 * noise(rng, 24, 420) + 0.16 * noise(rng, 10, 90)
    colour = hair * np.clip(strand, 0.2, 2)[..., None]
    albedo += cover[..., None] * (colour - albedo)
    gloss = gloss * (1 - cover) + 0.35 * cover

    hairs = _brow_hairs(rng, man, made_up)
    thick = rng.uniform(0.55, 0.95)
    shade = (0.7 if hair_name in ("blond", "red", "grey") else 1.0) * hair
    albedo += (thick * np.clip(hairs, 0, 1))[..., None] * (shade - albedo)
    if man:
        beard = _beard(rng, where, lips)
        albedo += beard[..., None] * (0.9 * hair - albedo)
        gloss *= 1 - 0.9 * beard
    albedo = _clothes(rng, albedo, where)

    return Look(
        skin=np.clip(np.dstack([albedo, gloss]), 0.003, 0.95).astype(np.float32),
        hair_rise=_hair_rise(rng, str(style), receding, ancestry, ears),
        hair=hair,
        long_hair=bool(not man and style == "full"),
        iris=linear(_IRIS[_iris_name(rng, ancestry)]) * rng.uniform(0.8, 1.2),
        lines=float(rng.uniform(0.55, 0.9) + 0.6 * age),
    )


def _hair_rise(
    rng: np.random.Generator, style: str, receding: float, ancestry: np.ndarray, ears: np.ndarray
) -> np.ndarray:
    """Give how far the hair stands off each vertex; hair with African ancestry stands more."""
    rig = load_rig()
    length = {"bald": 0.0, "buzz": 0.015, "short": rng.uniform(0.04, 0.12), "full": 0.0}[style]
    if style == "full":
        length = rng.uniform(0.12, 0.2) + 0.15 * ancestry[0]
    lift = np.zeros(len(rig.position))
    skin = rig.vertices_of(SKIN)
    lift[skin] = rise(_above_hairline(rig.position[skin], receding, 0.0) / 0.3)
    column, row = np.clip((rig.flat * SIZE).astype(int), 0, SIZE - 1).T
    return length * lift * (1 - np.clip(3 * ears[row, column], 0, 1))


def _hair_name(rng: np.random.Generator, ancestry: np.ndarray, age: float) -> str:
    if rng.random() < 0.8 * max(0.0, age - 0.35):
        return "grey"
    if rng.random() < ancestry[2] ** 2:
        names = ["dark", "brown", "light", "blond", "red"]
        return str(rng.choice(names, p=[0.25, 0.32, 0.2, 0.16, 0.07]))
    return str(rng.choice(["black", "dark"], p=[0.75, 0.25]))


def _iris_name(rng: np.random.Generator, ancestry: np.ndarray) -> str:
    if rng.random() < ancestry[2] ** 2:
        return str(rng.choice(["brown", "hazel", "green", "blue"], p=[0.3, 0.2, 0.15, 0.35]))
    return "brown"


def _complexion(
    rng: np.random.Generator, tone: np.ndarray, age: float, melanin: float, where: np.ndarray
) -> np.ndarray:
    """Colour bare skin: blotches, blood near the surface, freckles, moles."""
    x, y, z = np.moveaxis(where, -1, 0)
    front = z > 0.3
    mottle = 0.035 * noise(rng, 9) + 0.03 * noise(rng, 40) + 0.03 * noise(rng, 160)
    albedo = tone * (1 + (0.6 + 0.6 * age) * mottle)[..., None]
    blood = 0.5 * bump(np.hypot(np.abs(x) - 0.42, (y - 6.95) / 0.8), 0, 0.24)
    blood += 0.6 * bump(np.hypot(x, y - 6.95), 0, 0.13) + 0.35 * mask("ears")
    blood *= front * rng.uniform(0.4, 1.2) * (1 - 0.6 * melanin)
    albedo *= 1 - blood[..., None] * [0.02, 0.22, 0.2]
    tired = bump(np.abs(x), 0.31, 0.16) * bump(y, 7.12, 0.06) * front
    albedo *= 1 - (rng.uniform(0.05, 0.2) + 0.15 * age) * tired[..., None] * [0.8, 1, 0.9]
    if melanin < 0.35 and rng.random() < 0.3:
        spots = rise((noise(rng, 130) - 1.3) / 0.8) * bump(y, 7.05, 0.3) * front
        albedo *= 1 - rng.uniform(0.2, 0.45) * spots[..., None] * [0.6, 1, 1.1]
    for _ in range(rng.poisson(1.2)):
        spot = rng.uniform([-0.65, 6.2], [0.65, 7.85])
        distance = np.hypot(x - spot[0], y - spot[1])
        size = rng.uniform(0.008, 0.018)
        albedo *= 1 - 0.6 * (bump(distance, 0, size) * front)[..., None] * [0.8, 1, 1]
    return albedo


def _brow_hairs(rng: np.random.Generator, man: bool, made_up: bool) -> np.ndarray:
    """Draw each brow hair by hair, upright at the nose and lying flat at the temple."""
    arch, low = rng.uniform(0.0, 0.09), rng.normal(0, 0.015)
    inner, outer = rng.uniform(0.09, 0.15), rng.uniform(0.5, 0.58)
    half = rng.uniform(0.026, 0.05) if man else rng.uniform(0.018, 0.036)
    count = int(rng.uniform(110, 260))
    along = np.sort(rng.random(count)) ** 0.85
    lines = []
    for side in (-1, 1):
        base_x = inner + (outer - inner) * along
        base_y = 7.445 + low + arch * np.sin(np.pi * along**1.3) - 0.03 * along**3
        thick = half * (1 - 0.75 * along**2) * np.clip(along / 0.08, 0.5, 1)
        root_y = base_y + thick * rng.uniform(-1, 1, count)
        lean = np.radians(75 - 70 * np.clip(along * 1.3, 0, 1) + rng.normal(0, 12, count))
        lean = np.where(root_y > base_y, lean - 0.5, lean)
        length = rng.uniform(0.03, 0.06, count) * (1.1 if man else 0.9)
        root = np.stack([side * base_x, root_y], 1)
        tip = root + length[:, None] * np.stack([side * np.cos(lean), np.sin(lean)], 1)
        lines += list(np.stack([texel(root), texel(tip)], 1).astype(float))
    drawn = strokes(lines, width=3 if made_up else 2)
    return 1.5 * drawn + 0.6 * ndimage.gaussian_filter(drawn, 2.0)


def _beard(rng: np.random.Generator, where: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Draw how much of the skin the beard covers, if it is only its shadow."""
    x, y, z = np.moveaxis(where, -1, 0)
    ax = np.abs(x)
    jaw = rise((6.72 + 0.55 * np.clip(ax - 0.3, 0, 1) - y) / 0.12) * rise((y - 5.95) / 0.15)
    jaw *= (z > 0.1) * (0.35 + 0.65 * rise((y - 6.05) / 0.1))
    lip = bump(y, 6.79, 0.06) * rise((0.34 - ax) / 0.1)
    chin = bump(np.hypot(x * 1.1, y - 6.25), 0, 0.26)
    kind = rng.choice(["shaven", "stubble", "full", "moustache", "goatee"],
                      p=[0.4, 0.3, 0.14, 0.08, 0.08])  # fmt: skip
    area = {
        "shaven": np.maximum(jaw, lip), "stubble": np.maximum(jaw, lip),
        "full": np.maximum(jaw, lip), "moustache": lip, "goatee": np.maximum(lip, chin),
    }[str(kind)]  # fmt: skip
    depth = {"shaven": rng.uniform(0, 0.2), "stubble": rng.uniform(0.3, 0.55)}.get(str(kind), 0.85)
    grain = np.clip(1 + 0.22 * noise(rng, 420) + 0.15 * noise(rng, 40), 0, 2)
    return np.clip(depth * area * grain, 0, 0.95) * (1 - np.clip(1.5 * lips, 0, 1))


def _clothes(rng: np.random.Generator, albedo: np.ndarray, where: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(where, -1, 0)
    neck = 5.72 + 0.25 * np.clip(np.hypot(x, z - 0.3) - 0.4, -0.4, 1) - 0.25 * rise(z / 1.2)
    deep = rng.uniform(-0.25, 0.12) - rng.uniform(0, 0.3) * bump(x, 0, 0.25) * (z > 0.2)
    cover = rise((neck + deep - y) / 0.06)
    hue = rng.uniform(0.02, 0.5) * (1 + rng.normal(0, 0.35, 3))
    weave = 1 + 0.08 * noise(rng, 200) + 0.06 * noise(rng, 12)
    return albedo + cover[..., None] * (np.clip(hue, 0.01, 0.8) * weave[..., None] - albedo)
