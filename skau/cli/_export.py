"""``skau export``: a model for other runtimes."""

from pathlib import Path

import click

from ._files import may_write
from ._options import shared_options


@click.command("export")
@click.argument("model", type=click.Path())
@click.argument("out", type=click.Path(path_type=Path))
@shared_options
def command(model: str, out: Path, force: bool) -> None:
    """Write MODEL as an ONNX file: crops in, probabilities out.

    MODEL is a .skau file, or a name that skau models lists. AU names and thresholds stand in the
    file's metadata. It needs the extra onnx (pip install ".[onnx]" in a clone of skau).

    \b
    skau export run/model.skau model.onnx
    skau export open-1 open-1.onnx
    """
    may_write(out, force, ".onnx")

    from ..models._onnx import export_onnx
    from ._files import open_model

    export_onnx(open_model(model), out)
    click.echo(str(out))
