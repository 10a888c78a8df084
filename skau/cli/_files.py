"""What the subcommands share: which files are meant, and what may be written."""

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from .._paths import FILMS, PHOTOS, check_out
from ._options import as_usage


def files_of(inputs: Iterable[str], kinds: frozenset[str]) -> list[str]:
    """Return the files meant by paths, folders, patterns and ``-`` (a list on standard input).

    A folder stands for all files of the kinds in it and below, also behind links, a name on the
    command line for itself, whatever it is called; a file that is named twice is there once.
    Sorted as people count: ``frame9`` before ``frame10``.
    """
    found: dict[str, None] = {}
    for name in inputs:
        if name == "-":
            listed = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
            # as `find -print0` separates them, or by lines
            names = listed.split("\0") if "\0" in listed else listed.splitlines()
            names = [line.removeprefix("\ufeff") for line in names if line.strip()]
            found |= dict.fromkeys(files_of(names, kinds))
            continue
        path = Path(name)
        if not name:  # of a variable that is not set; it would be the folder of the shell
            raise click.UsageError(
                "one of the names is empty; is a variable of the shell not set?"
            )
        if path.is_dir():
            inside = [p for p in _below(name) if p.suffix.lower() in kinds]
            if not inside:
                raise click.UsageError(f"the folder {name!r} holds no {_told(kinds)}")
            found |= dict.fromkeys(str(p) for p in sorted(inside, key=_natural))
        elif path.exists():
            found[name] = None
        elif path.is_symlink():  # which a pattern would find again and again
            raise click.UsageError(f"{name!r} is a link to a file that is not there")
        elif matches := sorted(glob.glob(name, recursive=True), key=_natural):
            found |= dict.fromkeys(files_of(matches, kinds))
        else:
            raise click.UsageError(f"there is no file {name!r}")
    if not found:
        raise click.UsageError("no file is named: give photos, films, folders, or - for a list")
    first: dict[tuple[str, str], str] = {}
    for name in found:  # d/a.jpg is ./d/a.jpg, too
        folder, file = os.path.split(name)
        first.setdefault((os.path.realpath(folder), file), name)
    return list(first.values())


def _below(folder: str) -> Iterator[Path]:
    """Yield the visible files below a folder; folders by a link last, and none twice."""
    known: set[str] = set()
    waiting = [folder]
    while waiting:
        for root, folders, names in os.walk(waiting.pop(0), onerror=_left_out):
            if (real := os.path.realpath(root)) in known:
                folders.clear()
                continue
            known.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            inside = [os.path.join(root, name) for name in folders]
            waiting += [path for path in inside if os.path.islink(path)]
            yield from (Path(root, name) for name in names if not name.startswith("."))


def _left_out(error: OSError) -> None:
    click.echo(f"skau: the folder {error.filename!r} is left out: {error.strerror}", err=True)


def _told(kinds: frozenset[str]) -> str:
    words = [word for word, own in (("photo", PHOTOS), ("film", FILMS)) if own <= kinds]
    return " and no ".join(words) or "such file"


def _natural(path: str | Path) -> list[Any]:
    pieces = re.split(r"(\d+)", str(path))
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces]


def may_write(path: Path, force: bool, *endings: str, argument: str = "out") -> None:
    """Refuse to write over a file unless told to, or what could not be written."""
    with as_usage():
        check_out(path, *endings, argument=argument)
    if path.exists() and not force:
        raise click.UsageError(f"{str(path)!r} is there already; --force writes it anew")


def open_model(name: str) -> Any:
    """Load a model file, or a model that ships, by its name."""
    from ..models import list_models, load, load_model

    if Path(name).is_file():
        with as_usage():
            return load(name)
    shipped = list_models()["name"].tolist()
    if name not in shipped:
        raise click.UsageError(
            f"there is no model {name!r}: it is no file, and those that ship are "
            f"{', '.join(shipped)}"
        )
    return load_model(name)
