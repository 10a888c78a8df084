"""``skau report``: a page of a training run or of a table of AUs."""

from pathlib import Path
from typing import Any

import click

from ._files import may_write
from ._options import as_usage, shared_options


@click.command("report")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The .html file to write."
)
@click.option("--video", type=click.Path(exists=True, path_type=Path),
              help="The film of a table, for pictures of its peaks.")  # fmt: skip
@click.option(
    "--person", type=int, metavar="N", help="Whose page, if the film has several people."
)
@shared_options
def command(source: Path, out: Path, video: Path | None, person: int | None, force: bool) -> None:
    """Write an HTML page that needs nothing beside it.

    SOURCE is the folder of a training run, or the table of a film. A page of a film is one
    person's. It needs the extra plot (pip install ".[plot]" in a clone of skau), --video the
    extra video.

    \b
    skau report run/ -o run/report.html
    skau report aus.csv -o aus.html --video interview.mp4
    skau report panel.csv -o guest.html --person 1
    """
    may_write(out, force, ".html")
    if source.is_dir():
        if video is not None or person is not None:
            raise click.UsageError("--video and --person are for the table of a film")
        _of_run(source, out)
    else:
        from ..estimators._table_file import read_table
        from ..inspection import film_report

        with as_usage(f"{str(source)!r} is no table"):
            table = read_table(source)
        _check_film(source, table)
        if "thresholds" not in table.attrs:
            click.echo(
                f"skau: nothing beside {str(source)!r} tells the model of this table and its "
                "thresholds: one half counts for every AU",
                err=True,
            )
        with as_usage():
            film_report(out, table, person=person, video=None if video is None else str(video))
    click.echo(str(out))


def _check_film(source: Path, table: Any) -> None:
    """Refuse a file that is no table of a film."""
    if not {"face", "person", "probability"} <= set(table):
        raise click.UsageError(
            f"{str(source)!r} is no table of skau predict in its own columns; write "
            "one without --format"
        )
    if "time" not in table or table["time"].isna().any():
        raise click.UsageError(f"{str(source)!r} is no table of a film: it holds photos")


def _of_run(run: Path, out: Path) -> None:
    import pandas as pd

    from ..inspection import AUScoreDisplay, TrainingHistoryDisplay, write_report

    for name in ("scores.csv", "history.csv"):
        if not (run / name).exists():
            raise click.UsageError(
                f"{str(run)!r} holds no {name}: no finished run of skau train; one that was "
                "stopped goes on if its call is given again"
            )
    scores = pd.read_csv(run / "scores.csv", dtype={"fold": str})
    aus = scores.loc[scores["au"] != "mean", "au"].unique()
    f1 = scores.pivot(index="fold", columns="au", values="f1")[aus]
    history = pd.read_csv(run / "history.csv")
    by_au = scores.groupby("au", sort=False)
    means = by_au.mean(numeric_only=True)
    means["support"] = by_au["support"].sum()
    chance = means["f1_always_present"].drop("mean")
    name = run.resolve().name
    told = (
        "Mean over folds, support is the sum; no model has seen the people that it is scored on. "
        "Dashes: F1 of calling an AU present everywhere."
    )
    display = AUScoreDisplay({name: f1}, chance=chance).plot()
    sections = {
        "Unseen people": [told, means, display],
        "Every fold": scores.set_index("fold"),
        "How the model of all people learnt": TrainingHistoryDisplay(history).plot(),
    }
    write_report(out, f"Scores on people never seen: {name}", sections)
