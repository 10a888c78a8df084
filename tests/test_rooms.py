"""Imports run one way, from the commands down to the small things that every room needs."""

import ast
import subprocess
import sys
from pathlib import Path

import skau

ROOT = Path(skau.__file__).parent
# Each room may import those before it, inside functions too; "skau" is the package's own names.
ROOMS = (
    "_version", "_paths", "utils", "losses", "modules", "preprocessing", "datasets", "metrics",
    "model_selection", "training", "estimators", "baselines", "models", "inspection", "skau",
    "cli",
)  # fmt: skip
ALONE = {"losses", "modules"}  # plain torch, to be copied into any project


def imported(file):
    """Yield the rooms that a file imports."""
    package = ["skau", *file.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            paths = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            paths = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for path in paths:
            if path[0] == "skau":
                yield path[1] if len(path) > 1 and path[1] in ROOMS else "skau"


def edges():
    files = [file for file in ROOT.rglob("*.py") if file.parent != ROOT or file.stem == "losses"]
    return {
        (file.relative_to(ROOT).as_posix(), room, other)
        for file in files
        for room in (file.relative_to(ROOT).with_suffix("").parts[0],)
        for other in imported(file)
        if other != room
    }


def test_every_room_has_its_place():
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    found |= {path.stem for path in ROOT.glob("*.py")} - {"__init__", "__main__"} | {"skau"}
    assert found == set(ROOMS)


def test_imports_run_one_way():
    upwards = {
        (file, other) for file, room, other in edges() if ROOMS.index(other) > ROOMS.index(room)
    }
    assert not upwards


def test_networks_and_losses_import_nothing_of_skau():
    rooms = edges()
    assert ("estimators/_dsn.py", "estimators", "losses") in rooms  # what is to be seen is seen
    assert not {(file, other) for file, room, other in rooms if room in ALONE}


def test_packages_list_the_public_names_and_private_files_do_not():
    listing = {
        file.relative_to(ROOT).as_posix()
        for file in ROOT.rglob("_[a-z]*.py")
        if "\n__all__ =" in file.read_text(encoding="utf-8")
    }
    assert listing == {"utils/_sklearn.py"}  # which hands on what it imports
    for package in ROOT.rglob("__init__.py"):
        text = package.read_text(encoding="utf-8")
        assert "__all__" in text or "import" not in text, package


def test_rooms_are_there_after_import_skau():
    """As scikit-learn's are; pages say ``skau.datasets.load_faces`` after ``import skau``."""
    public = {file.parent.name for file in ROOT.glob("*/__init__.py")} | {"losses"}
    rooms = sorted(public - {"cli", "estimators", "models", "training"})
    code = f"import skau; print([getattr(skau, room).__name__ for room in {rooms}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([f"skau.{room}" for room in rooms])
    assert set(rooms) <= set(dir(skau))
