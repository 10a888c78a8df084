"""What all displays share: matplotlib on use, axes at column width, colours, inset pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..utils._extras import require_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "GREY",
    "MARKERS",
    "WIDTH",
    "au_ticks",
    "drawing",
    "one_axes",
    "panels",
    "show_image",
]

WIDTH = 3.5  # inches: one column of a paper
# Okabe and Ito's colours for every kind of sight, in an order whose neighbours differ in
# lightness, too, so that a grey print keeps them apart.
COLOURS = ("#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00", "#CC79A7", "#009E73", "#F0E442")
MARKERS = "osD^vP*X"
GREY = "0.6"

_STYLE = {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the style of all displays, and leave matplotlib's settings as they were."""
    require_extra("matplotlib", "plot", "Displays need matplotlib")
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        yield


def one_axes(ax: "Axes | None", height: float) -> "tuple[Figure, Axes]":
    """Return the axes given, or those of a new figure of one column's width."""
    figure, axes = panels(ax, 1, 1, height)
    return figure, axes[0]


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


def au_ticks(ax: "Axes", names: list[str], axis: str = "x") -> None:
    """Write the AUs' names along an axis: their numbers alone where there are many."""
    short = [name.removeprefix("AU") for name in names]
    numbers = len(names) > 8 and any(label.isdigit() for label in short)
    labels = short if numbers else names
    if axis == "x":
        ax.set_xticks(range(len(names)), labels)
        ax.set_xlabel("Action Unit" if numbers else "")
    else:
        ax.set_yticks(range(len(names)), labels)
        ax.set_ylabel("Action Unit" if numbers else "")


def show_image(ax: "Axes", image: np.ndarray, **options: Any) -> None:
    """Show a picture without ticks; one of one channel in grey."""
    if image.ndim == 2:
        options = {"cmap": "gray", "vmin": 0, "vmax": 255} | options
    ax.imshow(image, **options)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
