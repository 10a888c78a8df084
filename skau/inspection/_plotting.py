"""What displays are drawn with: axes at column width, colours, legends, pictures."""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

WIDTH = 3.5  # inches: one column of a paper
# Okabe and Ito's colours for every kind of sight, in an order whose neighbours differ in
# lightness, too, so that a grey print keeps them apart.
COLOURS = ("#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00", "#CC79A7", "#009E73", "#F0E442")
MARKERS = "osD^vP*X"
_PER_INCH = 17  # letters of small text
_HANDLE, _LINE = 0.6, 0.13  # of a legend: its lines and gaps, and their height, in inches
GREY = "0.6"


def panels(
    ax: "Axes | np.ndarray | None",
    n: int,
    columns: int,
    height: float,
    *,
    width: float = WIDTH,
    share: bool = False,
    heights: list[float] | None = None,
) -> "tuple[Figure, np.ndarray]":
    """Return ``n`` axes in rows of ``columns``: in place of ``ax``, or of a new figure.

    ``ax`` may be one Axes, whose place the panels then take, or an array of ``n``. ``height`` is
    that of a new figure, in inches.
    """
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        given = np.asarray(ax, dtype=object).ravel()
        if len(given) < n:
            raise ValueError(f"ax holds {len(given)} axes, but {n} panels are to be drawn")
        return given[0].figure, given[:n]
    if isinstance(ax, Axes) and n == 1:
        return ax.figure, np.array([ax], dtype=object)  # type: ignore[return-value]
    rows = -(-n // columns)
    options: dict[str, Any] = {"height_ratios": heights}
    figure: Any
    if ax is None:
        figure = plt.figure(figsize=(width, height), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
        grid = figure.add_gridspec(rows, columns, **options)
    else:
        figure, spec = ax.figure, ax.get_subplotspec()
        if spec is None:
            raise ValueError("ax must be made by plt.subplots, or be an array of axes")
        grid = spec.subgridspec(rows, columns, **options)
        ax.set_axis_off()
    axes = np.empty(n, dtype=object)
    for i in range(n):
        first = axes[0] if share and i else None
        axes[i] = figure.add_subplot(grid[divmod(i, columns)], sharex=first, sharey=first)
        if share:
            axes[i].tick_params(labelbottom=i + columns >= n, labelleft=i % columns == 0)
    return figure, axes


def au_ticks(ax: "Axes", at: np.ndarray, names: list[str]) -> None:
    """Write the AUs' names below an axis: numbers where there are many, long ones aslant."""
    short = [name.removeprefix("AU") for name in names]
    numbers = len(names) > 8 and any(label.isdigit() for label in short)
    labels = short if numbers else [wrapped(name, 20 / _PER_INCH) for name in names]
    ax.set_xticks(at, labels)
    ax.set_xlabel("Action Unit" if numbers else "")
    room = np.diff(at) * _inches(ax) * _PER_INCH / (np.ptp(at) + 1)
    widths = np.array([_longest(label) for label in labels])
    if ((widths[:-1] + widths[1:]) / 2 + 0.5 > room).any():
        ax.tick_params("x", rotation=40)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def wrapped(text: str, inches: float) -> str:
    """Break a text into lines of about so many inches."""
    return fill(text, max(8, int(inches * _PER_INCH)))


def legend_above(
    figure: "Figure | SubFigure", handles: list[Any], names: list[str], ax: "Axes | None" = None
) -> None:
    """Put a legend above the figure, or above one of its axes, in as many columns as fit."""
    inches = figure.get_figure(root=True).get_size_inches()[0] if ax is None else _inches(ax)
    labels, columns = _arranged(names, inches)
    options: dict[str, Any] = {"ncols": columns, "handlelength": 2.5}
    if ax is None:
        figure.legend(handles, labels, loc="outside upper center", **options)
    else:
        ax.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), **options)


def legend_height(names: list[str], inches: float = WIDTH) -> float:
    """Return the inches that a legend of such names takes beyond those of one line."""
    labels, columns = _arranged(names, inches)
    lines = [label.count("\n") + 1 for label in labels]
    return _LINE * ((max(lines) if columns == len(labels) else sum(lines) / columns) - 1)


def _arranged(names: list[str], inches: float) -> tuple[list[str], int]:
    """Return the names in lines that fit, and how many fit beside each other."""
    labels = [wrapped(name, inches - _HANDLE) for name in names]
    widest = max(map(_longest, labels))
    return labels, int(np.clip(inches // (widest / _PER_INCH + _HANDLE), 1, len(labels)))


def _longest(text: str) -> int:
    return max(map(len, text.split("\n")))


def _inches(ax: "Axes") -> float:
    """Return the width of the place that an axes has in its figure."""
    figure = ax.get_figure(root=True)
    spec = ax.get_subplotspec()
    share = ax.get_position().width
    if spec is not None:  # the layout is not made yet
        grid, columns = spec.get_gridspec(), spec.colspan
        share = len(columns) / grid.ncols
    return float(figure.get_size_inches()[0] * share) if figure is not None else WIDTH


def darker(colour: str) -> tuple[float, ...]:
    """Return a colour in which small text is legible on white, also in grey."""
    from matplotlib.colors import to_rgb

    return tuple(0.65 * channel for channel in to_rgb(colour))


def halo() -> list[Any]:
    """Return the path effects that keep small text legible over lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.5, foreground="white")]


def show_image(ax: "Axes", image: np.ndarray) -> None:
    """Show a picture without ticks; one of one channel in grey."""
    grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255} if image.ndim == 2 else {}
    ax.imshow(image, **grey)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
