"""``skau crop``: aligned faces, and the table of their landmarks."""

from pathlib import Path

import click

from .._paths import FILMS, PHOTOS
from ._files import files_of, may_write
from ._options import jobs_option, shared_options


@click.command("crop")
@click.argument("photos", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The .npy file to write."
)
@click.option("--size", type=click.IntRange(8, 4096), default=128, show_default=True, metavar="N",
              help="Side of the crops in pixels.")  # fmt: skip
@click.option("--align", type=click.Choice(["eyes", "eye_distance", "box"]), default="eyes",
              show_default=True,
              help="Line up eyes and mouth, the eyes alone, or the face's box.")  # fmt: skip
@jobs_option("Threads; all processors if not given.", default=None)
@shared_options
def command(
    photos: tuple[str, ...], out: Path, size: int, align: str, jobs: int | None, force: bool,
) -> None:  # fmt: skip
    """Find, align and cut the faces of photos.

    The crops are written to OUT, an array of shape (n, size, size, 3), and the landmarks beside
    it, with .csv in place of .npy: a row a photo, in the order of the array. Where no face is
    found the crop is the whole photo and the row has no landmarks. Files that cannot be read are
    black, and named; then the exit code is 1.

    \b
    skau crop photos/ -o crops.npy
    find . -name '*.jpg' | skau crop - -o crops.npy --size 64
    """
    table_path = out.with_suffix(".csv")
    may_write(out, force, ".npy")
    may_write(table_path, force)
    paths = files_of(photos, PHOTOS)
    for path in paths:
        if Path(path).suffix.lower() in FILMS:
            raise click.UsageError(f"{path!r} is a film, and crops are of photos")

    import sys

    from ..preprocessing import FaceCropper
    from ..preprocessing._results import table_writer
    from ..preprocessing._storage import part_of

    cropper = FaceCropper(
        size=size, align=align, on_missing="warn", n_jobs=-1 if jobs is None else jobs,
        verbose=int(sys.stderr.isatty()), memory=part_of(out),
    )  # fmt: skip
    table = cropper.detect(paths)
    crops = cropper.transform(table, out=out)
    table_writer(table_path)(table)  # a call that was stopped finds no table in its way
    click.echo(f"{len(crops)} crops in {out}, landmarks in {table_path}")
    if table["width"].isna().any():
        sys.exit(1)
