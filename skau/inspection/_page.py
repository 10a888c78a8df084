"""A page of tables and figures in one file."""

import base64
from collections.abc import Mapping
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._version import __version__
from ..utils._cache import write_whole
from ..utils._extras import import_extra
from ._display import Display

_HERE = Path(__file__).parent


def write_report(path: str | PathLike[str], title: str, sections: Mapping[str, Any]) -> Path:
    """Write a page of tables and figures that needs no other file and no network.

    Tables sort by a click on a column's head, figures are inlined, and the page prints. Further
    reports are made of it: :func:`training_report`, :func:`benchmark_report` and
    :func:`film_report`.

    Parameters
    ----------
    path : path-like
        The ``.html`` file to write, over one that is there.
    title : str
    sections : dict
        The contents by heading: one thing or a list of them. A string is a paragraph, a DataFrame
        or Series a table, a dict a list of names and values, a display or a matplotlib figure a
        picture as wide as it was made, an estimator its diagram. None is left out. Numbers have
        three decimals.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ImportError
        If Jinja or matplotlib is not installed: ``pip install ".[plot]"`` in a clone.
    TypeError
        If a section holds something else.

    Examples
    --------
    >>> import pandas as pd
    >>> from skau.inspection import write_report
    >>> table = pd.DataFrame({"f1": [0.61, 0.55]}, index=["AU1", "AU12"])
    >>> write_report("run.html", "A run", {"Scores": ["On unseen people:", table]})
    ... # doctest: +SKIP
    """
    jinja2 = import_extra("jinja2", "plot", "Reports need Jinja")
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path={str(path)!r} must end in .html")
    parts = [
        {"heading": heading, "id": f"section-{i}", "blocks": _blocks(heading, content)}
        for i, (heading, content) in enumerate(sections.items(), start=1)
    ]
    loader = jinja2.FileSystemLoader(_HERE)
    template = jinja2.Environment(loader=loader, autoescape=True).get_template("report.html.jinja")
    page = template.render(
        title=title,
        sections=[part for part in parts if part["blocks"]],
        version=__version__,
        script=(_HERE / "report.js").read_text(encoding="utf-8"),
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
    )
    with write_whole(path) as file:
        file.write(page.encode())
    return path


def _blocks(heading: str, content: Any) -> list[dict[str, Any]]:
    things = list(content) if isinstance(content, list | tuple) else [content]
    return [_block(heading, thing) for thing in things if thing is not None]


def _block(heading: str, thing: Any) -> dict[str, Any]:
    if isinstance(thing, str):
        return {"kind": "text", "paragraphs": [p for p in thing.split("\n\n") if p.strip()]}
    if isinstance(thing, Mapping):
        pairs = [
            (str(k), f"{v:g}" if isinstance(v, float) else _text(v)) for k, v in thing.items()
        ]
        return {"kind": "pairs", "pairs": pairs}
    if isinstance(thing, pd.Series):
        thing = thing.to_frame(name=thing.name if thing.name is not None else "value")
    if isinstance(thing, pd.DataFrame):
        return _table(heading, thing)
    figure = getattr(thing, "figure_", thing)
    if hasattr(figure, "savefig"):
        name = type(thing).__name__.removesuffix("Display")
        description = f"{heading}: {name}" if thing is not figure else heading
        return {
            "kind": "figure",
            "data": _png(figure),
            "description": description,
            "inches": f"{figure.get_figwidth():g}",
            "caption": thing._caption() if isinstance(thing, Display) else "",
        }
    if hasattr(thing, "get_params") and hasattr(thing, "_repr_html_"):
        return {"kind": "html", "html": thing._repr_html_()}
    raise TypeError(
        f"sections[{heading!r}] holds a {type(thing).__name__}; a report shows strings, tables, "
        "dicts, displays, figures and estimators"
    )


def _table(heading: str, table: pd.DataFrame) -> dict[str, Any]:
    if table.index.nlevels > 1:  # each level is a column, the first heads the rows
        table = table.reset_index(list(range(1, table.index.nlevels)))
    name = table.index.name
    rows = [
        [_cell(value) for value in (label, *values)]
        for label, *values in table.itertuples(name=None)
    ]
    heads = ["" if name is None else str(name), *map(str, table.columns)]
    numbers = [all(row[j]["number"] for row in rows) for j in range(len(heads))]
    columns = [{"name": h, "number": n} for h, n in zip(heads, numbers, strict=True)]
    last = table.index[-1:].tolist() == ["mean"]  # as au_report ends: no row to be sorted
    body, foot = (rows[:-1], rows[-1:]) if last else (rows, [])
    return {"kind": "table", "caption": heading, "columns": columns, "body": body, "foot": foot}


def _cell(value: Any) -> dict[str, Any]:
    """Return what a cell shows, and by what it is sorted."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    key = str(value)
    if number:
        key = repr(float(value)).replace("inf", "Infinity")  # as JavaScript spells it
    missing = _is_missing(value)
    return {"text": _text(value), "key": "" if missing else key, "number": number or missing}


def _is_missing(value: Any) -> bool:
    return bool(np.ndim(value) == 0 and pd.isna(value))


def _text(value: Any) -> str:
    if _is_missing(value):
        return "–"
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return str(value)


def _png(figure: Any) -> str:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=200)
    return base64.b64encode(file.getvalue()).decode("ascii")
