"""The AU atlas: a page of all AUs that skau can show, with pictures rendered when it is built."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skau.datasets._bp4d import BP4D_AUS
from skau.datasets._disfa import DISFA_AUS
from skau.datasets._rendering._furrows import furrow_maps
from skau.datasets._rendering._render import render
from skau.datasets._rendering._rig import (
    ACTION_UNITS,
    AU_NAMES,
    expression,
    load_rig,
    person,
)
from skau.datasets._rendering._scene import Scene
from skau.datasets._rendering._skin import paint

SIZE = 160
PEOPLE = (3, 8, 21)  # seeds of three people who look different
AMOUNTS = (0.0, 0.5, 1.0)
UNBC_AUS = (4, 6, 7, 9, 10, 12, 20, 25, 26, 27, 43)

# Muscles after Ekman, Friesen & Hager, "Facial Action Coding System", 2002; beside the
# muscle what the AU is taken for, and by what the two are told apart.
MUSCLES: dict[int, tuple[str, str]] = {
    1: ("frontalis, inner part", "AU2, which raises the outer end of the brow; AU4 with it draws "
        "the brows together"),
    2: ("frontalis, outer part", "AU1, which raises the inner end; arched brows at rest"),
    4: ("corrugator and depressor supercilii", "low or thick brows at rest; AU9, which wrinkles "
        "the nose too"),
    5: ("levator palpebrae superioris", "wide eyes at rest; AU1+2, which leave the lid where it "
        "is"),
    6: ("orbicularis oculi, outer part", "AU7, which moves the lids alone; the cheeks that AU12 "
        "pushes up; crow's feet of age"),
    7: ("orbicularis oculi, inner part", "AU6, which raises the cheek too; narrow eyes at rest"),
    9: ("levator labii superioris alaeque nasi", "AU10, which leaves the root of the nose smooth; "
        "AU4"),
    10: ("levator labii superioris", "AU9; AU12, which draws the corners up and out; deep folds "
         "beside the nose of age"),
    12: ("zygomaticus major", "AU14, which draws the corners in; AU20, which stretches them "
         "level; lips that curve up at rest"),
    14: ("buccinator", "AU12; dimples at rest"),
    15: ("depressor anguli oris", "AU17, which pushes the lower lip up between the corners; "
         "corners that hang at rest"),
    16: ("depressor labii inferioris", "AU25, which the lips' parting alone gives"),
    17: ("mentalis", "AU24, which presses the lips without the chin; a chin that is dimpled at "
         "rest"),
    18: ("incisivii labii", "AU23, which narrows the lips without pushing them out"),
    20: ("risorius with platysma", "AU12; AU14"),
    23: ("orbicularis oris", "AU24, which presses; thin lips at rest"),
    24: ("orbicularis oris", "AU23; AU17, with which it often comes"),
    25: ("depressor labii inferioris, or relaxed orbicularis oris", "AU26, which drops the jaw "
         "too; teeth that show at rest"),
    26: ("masseter, relaxed", "AU25 alone; AU27, which stretches the mouth open"),
    43: ("levator palpebrae superioris, relaxed", "AU7 at its strongest; a look down; blinks "
         "(AU45) are AU43 of less than half a second"),
}  # fmt: skip


def picture(seed: int, shown: dict[int, float]) -> np.ndarray:
    """Render one person, who shows some AUs, as a passport photo."""
    rng = np.random.default_rng(seed)
    rig, (rest, traits) = load_rig(), person(rng)
    look, furrows = paint(rng, traits), furrow_maps()
    strength = dict.fromkeys(ACTION_UNITS, 1.0)
    head = rig.moved(rest, expression(shown, strength=strength))
    folds = np.zeros_like(next(iter(furrows.values())))
    for au, amount in shown.items():
        if au in furrows:
            folds += np.float32(look.lines * amount) * furrows[au]
    return render(look, rest, head, folds, Scene(), SIZE)


def strip(au: int) -> Image.Image:
    """Three people, one below the other, at rest, at half and at full strength."""
    rows = [
        np.concatenate([picture(seed, {au: amount} if amount else {}) for amount in AMOUNTS], 1)
        for seed in PEOPLE
    ]
    return Image.fromarray(np.concatenate(rows, 0))


def open_model_line(au: int) -> str:
    """Say how well the model that ships does, if one does."""
    path = resources.files("skau") / "models" / "data" / "open-1.json"
    if not path.is_file():
        return ""
    scores = json.loads(path.read_text()).get("per_au", {}).get(f"AU{au}")
    if not scores:
        return ""
    told = ", ".join(f"{name} {value:.2f}" for name, value in scores.items()
                     if isinstance(value, float))  # fmt: skip
    return f"| open model | {told} |\n"


def build(app: Any) -> None:
    """Write the page and its pictures, those that are missing."""
    folder = Path(app.srcdir) / "atlas"
    folder.mkdir(exist_ok=True)
    corpora = {"BP4D": BP4D_AUS, "DISFA": DISFA_AUS, "UNBC-McMaster": UNBC_AUS}
    lines = [
        "# AU atlas\n",
        "The Action Units that skau's renderer can show, each on three rendered people: at rest, "
        "at half and at full strength. What one of them can be taken for is half of the "
        "work of a detector; the other half is that some faces look a little like it at rest.\n",
    ]
    for au in ACTION_UNITS:
        file = folder / f"AU{au}.png"
        if not file.exists():
            strip(au).save(file, optimize=True)
        muscle, confused = MUSCLES[au]
        labelled = ", ".join(name for name, aus in corpora.items() if au in aus) or "none of those"
        lines.append(
            f"## AU{au}: {AU_NAMES[au]}\n\n"
            f"![AU{au} on three people at rest, half and full strength](AU{au}.png)\n\n"
            "| | |\n|---|---|\n"
            f"| muscle | {muscle} |\n| taken for | {confused} |\n"
            f"| labelled in | {labelled} |\n{open_model_line(au)}"
        )
    text = "\n".join(lines)
    page = folder / "index.md"
    if not page.exists() or page.read_text() != text:
        page.write_text(text)


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", build)
    return {"parallel_read_safe": True}
