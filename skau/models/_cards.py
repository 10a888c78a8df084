"""Where the models that ship with skau lie: a file and its card, of one name, in ``data/``."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "data"


def shipped_files() -> dict[str, Path]:
    """Give the file of each model by its name."""
    return {path.stem: path.with_suffix(".skau") for path in sorted(_FOLDER.glob("*.json"))}


def file_to_ship(name: str) -> Path:
    """Give the file that a model of this name would have."""
    return _FOLDER / f"{name}.skau"


def read_card(path: Path) -> dict[str, Any]:
    """Read the card beside a model's file."""
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
