"""What every display is: computed once, and drawn as often as one likes."""

from typing import TYPE_CHECKING, Self

import numpy as np

from ..utils._extras import import_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    "text.parse_math": False,  # a name may hold a $
}


class Display:
    """The base of all displays; each draws itself in ``_plot``."""

    @classmethod
    def _require_matplotlib(cls) -> None:
        import_extra("matplotlib", "plot", f"{cls.__name__} needs matplotlib")

    def plot(self, ax: "Axes | np.ndarray | None" = None) -> Self:
        """Draw the display, in the style of all; matplotlib's settings stay as they were.

        Parameters
        ----------
        ax : matplotlib Axes, or array of as many as there are panels, default=None
            One Axes is divided into panels. None makes a new figure, of a column's width.

        Returns
        -------
        self
        """
        self._require_matplotlib()
        import matplotlib as mpl

        with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
            self._plot(ax)
        return self

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        raise NotImplementedError

    def _caption(self) -> str:
        """Say what the figure does not: a report writes it below."""
        return ""
