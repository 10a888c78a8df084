"""``skau predict``: AUs of photos and films."""

import math
import re
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import click

from .._paths import CONTAINERS, FILMS, PHOTOS, check_folder, is_film
from ._files import files_of, may_write, open_model
from ._options import as_usage, dask_option, jobs_option, shared_options
from ._workers import workers

_TABLES = (".csv", ".parquet")


@click.command("predict")
@click.argument("inputs", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="The .csv or .parquet file to write."
)
@click.option("--model", type=click.Path(), default="open-1", show_default=True, metavar="MODEL",
              help="A .skau file, or a name that skau models lists.")  # fmt: skip
@click.option("--faces", type=click.Choice(["largest", "all"]), default="largest",
              show_default=True, help="Which faces of a photo or frame.")  # fmt: skip
@click.option("--calibrate", is_flag=True, help="Take off what is just a person's face.")
@click.option("--reference", type=click.Path(), multiple=True, metavar="[N=]PHOTO",
              help="Photo of the person (number N) at rest; may be repeated.")  # fmt: skip
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Look at every Nth frame of a film.")  # fmt: skip
@click.option("--fps", type=click.FloatRange(0, min_open=True), metavar="N",
              help="Look at N frames of a film a second, instead.")  # fmt: skip
@click.option("--overlay", type=click.Path(path_type=Path),
              help="Draw boxes and AUs into a copy: a film, or for photos a folder.")  # fmt: skip
@click.option("--format", "layout", type=click.Choice(["skau", "openface", "py-feat"]),
              default="skau", show_default=True, help="Name the columns as it does.")  # fmt: skip
@jobs_option("Films at a time; -1 takes all processors.")
@dask_option
@shared_options
def command(
    inputs: tuple[str, ...], out: Path | None, model: str, faces: str, calibrate: bool,
    reference: tuple[str, ...], every: int, fps: float | None, overlay: Path | None, layout: str,
    jobs: int, dask: str | None, force: bool,
) -> None:  # fmt: skip
    """Score the AUs of photos, folders and films: a row a face and frame.

    INPUTS are files, folders, patterns, or - for a list on standard input; a GIF that moves is a
    film, of other animations the first picture is read. Without --out the table is printed as
    CSV; with it, a call that was stopped goes on if it is given again. Files that cannot be read
    are named at the end; then the exit code is 1. Films need the extra video (pip install
    ".[video]" in a clone of skau), .parquet files the extra parquet.

    --calibrate takes off what is just a person's face, by all of their frames; --reference does
    so by photos of them at rest. On films of rendered people, open-1 gained 9.0 points of F1 by
    the first and 2.7 by two photos. The photos are of the same people in every film.

    \b
    skau predict photo.jpg
    skau predict interview.mp4 photos/ a.jpg -o aus.csv
    skau predict panel.mp4 -o aus.parquet --faces all --calibrate --overlay panel-aus.mp4
    skau predict interview.mp4 -o aus.csv --reference calm1.jpg --reference calm2.jpg
    """
    import sys
    from tempfile import TemporaryDirectory

    files = files_of(inputs, PHOTOS | FILMS)
    films = [file for file in files if is_film(file)]
    if overlay is not None:
        may_write(overlay, force, *(CONTAINERS if films else ()), argument="overlay")
        if films and len(files) > 1:
            raise click.UsageError(
                "--overlay draws into one film, or into photos alone; call it for each"
            )
        if not films:
            with as_usage():
                check_folder(overlay, files, "overlay")
        if overlay.resolve() in {Path(path).resolve() for path in (*files, out) if path}:
            raise click.UsageError(
                f"--overlay: {str(overlay)!r} is a file of this call already; give another one"
            )
    if out is not None:
        # of a table that is there, an overlay may be drawn
        may_write(out, force or overlay is not None, *_TABLES)
        if layout != "skau" and out.exists() and not force:
            raise click.UsageError(
                f"{str(out)!r} is there already, and an overlay is not drawn from columns of "
                f"{layout}; --force scores the faces and writes it anew"
            )
    if fps is not None and every != 1:
        raise click.UsageError("--every and --fps exclude each other; give one of them")
    if fps is not None and not math.isfinite(fps):
        raise click.UsageError("--fps must be a number")
    at_rest = _at_rest(reference)

    from ..estimators._face_table import corrections
    from ..estimators._predict_files import score_files
    from ..estimators._scorer import Scorer
    from ..estimators._table_file import ArgumentError, TableFile
    from ..utils import to_openface, to_pyfeat

    fitted = open_model(model)
    with as_usage():
        corrections(Scorer(fitted), calibrate, at_rest)
    if overlay is not None and films:
        from ..inspection._overlay import check_sound

        with as_usage(kinds=ValueError), suppress(OSError):  # who reads it says why not
            check_sound(films[0], overlay, "overlay")
    bar = int(sys.stderr.isatty())

    def draw(table: Any) -> None:
        if overlay is not None:
            from ..inspection import draw_overlay

            draw_overlay(table, films[0] if films else files, overlay)

    with TemporaryDirectory() as scratch:
        target = out or Path(scratch) / "aus.csv"
        file, there = TableFile(target, anew=force), target.exists() and not force

        def write(table: Any, story: dict[str, Any]) -> None:
            draw(table)  # while what is done is kept
            story["model"] = {"name": model} | story["model"]
            if layout != "skau":
                table = (to_openface if layout == "openface" else to_pyfeat)(table)
            file.write(table, story, layout)

        with workers(dask), as_usage(kinds=ArgumentError):
            table = score_files(
                fitted, files, films, file, write, faces=faces, every=every, fps=fps,
                calibrate=calibrate, reference=at_rest, n_jobs=None if dask else jobs, verbose=bar,
                layout=layout,
            )  # fmt: skip
        if there:
            draw(table)
        if out is None:
            click.echo(target.read_text(encoding="utf-8"), nl=False)
    if table.attrs.get("unread"):
        sys.exit(1)


def _at_rest(reference: tuple[str, ...]) -> dict[int, list[str]] | list[str] | None:
    """Return photos at rest: a list, or by the number that stands before them."""
    numbered: dict[int, list[str]] = {}
    for name in reference:
        if match := re.fullmatch(r"(\d+)=(.+)", name):
            numbered.setdefault(int(match[1]), []).append(match[2])
    if 0 < sum(map(len, numbered.values())) < len(reference):
        raise click.UsageError("--reference: write a person's number before all photos or none")
    for photo in chain(*numbered.values()) if numbered else reference:
        if not Path(photo).is_file():
            raise click.UsageError(f"--reference: there is no file {photo!r}")
    return numbered or list(reference) or None
