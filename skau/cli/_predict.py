"""``skau predict``: AUs of photos and films."""

from pathlib import Path

import click

from ._files import FILMS, PHOTOS, check_output, files_of, open_model, shared_options

__all__ = ["command"]


@click.command("predict")
@click.argument("inputs", nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A .csv or .parquet file.")
@click.option("--model", default="open-1", show_default=True, help="A .skau file or a name.")
@click.option("--faces", type=click.Choice(["largest", "all"]), default="largest",
              show_default=True, help="Of each photo and frame.")  # fmt: skip
@click.option("--calibrate", is_flag=True, help="To each person, by all of their frames.")
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Look at every Nth frame of a film.")  # fmt: skip
@click.option("--fps", type=float, help="Look at so many frames a second, instead.")
@click.option("--overlay", type=click.Path(path_type=Path),
              help="Draw boxes and AUs in: a film, or for photos a folder.")  # fmt: skip
@click.option("--format", "layout", type=click.Choice(["skau", "openface", "py-feat"]),
              default="skau", show_default=True, help="Whose column names.")  # fmt: skip
@click.option("--jobs", type=int, default=1, show_default=True, help="Films at a time.")
@click.option("--dask", metavar="ADDRESS", help="Of a cluster's scheduler: tcp://host:8786.")
@shared_options
def command(
    inputs: tuple[str, ...], out: Path | None, model: str, faces: str, calibrate: bool, every: int,
    fps: float | None, overlay: Path | None, layout: str, jobs: int, dask: str | None,
    force: bool, verbose: bool,
) -> None:  # fmt: skip
    r"""Score the AUs of photos, folders and films: a row a face and frame.

    INPUTS are files, folders, patterns, or - for a list on standard input. Without --out the
    table is printed as CSV. Called again after a stop, it goes on where it stopped. Files that
    cannot be read are named at the end; then the exit code is 1.

    \b
    skau predict photo.jpg
    skau predict interview.mp4 photos/ a.jpg -o aus.csv
    skau predict panel.mp4 -o aus.parquet --faces all --calibrate --overlay panel-aus.mp4
    """
    import sys
    import warnings
    from tempfile import TemporaryDirectory

    files = files_of(inputs, PHOTOS | FILMS)
    for path in filter(None, (out, overlay)):
        check_output(path, force)
    films = [file for file in files if Path(file).suffix.lower() in FILMS]
    if overlay is not None and films and len(files) > 1:
        raise click.UsageError("--overlay draws into one film, or into photos alone")

    from .. import predict_files
    from ..utils._cluster import on_cluster

    fitted = open_model(model)
    bar = int(sys.stderr.isatty())
    with TemporaryDirectory() as scratch, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        target = out or Path(scratch) / "aus.csv"
        if force:
            target.unlink(missing_ok=True)
        with on_cluster(dask):
            table = predict_files(
                fitted, files, out=target, faces=faces, every=every, fps=fps,
                calibrate=calibrate, n_jobs=None if dask else jobs, verbose=bar,
            )  # fmt: skip
        if overlay is not None:
            from ..inspection import draw_overlay

            draw_overlay(table, films[0] if films else files, overlay)
        if layout != "skau":
            from ..preprocessing._results import table_writer
            from ..utils import to_openface, to_pyfeat

            table = (to_openface if layout == "openface" else to_pyfeat)(table)
            table_writer(target)(table)
        if out is None:
            click.echo(target.read_text(encoding="utf-8"), nl=False)
    lines = dict.fromkeys(str(warning.message) for warning in told)
    for line in lines:
        click.echo(f"skau: {line}", err=True)
    if any("cannot read" in line for line in lines):
        sys.exit(1)
