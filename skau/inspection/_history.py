"""Learning curves of every loss term."""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from ..utils._unwrap import classifier_of
from ._display import Display
from ._plotting import COLOURS, GREY, legend_above, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE = 100  # highest by lowest value, from where on the powers of ten are labels enough


@dataclass(eq=False, repr=False)
class TrainingHistoryDisplay(Display):
    """Every loss term and the F1 by epoch, of training and of validation.

    A vertical line marks the epoch whose state was kept; a shade the first stage of a method that
    trains in two. It is recommended to use `from_estimator` or `from_history`.

    Parameters
    ----------
    history : DataFrame with one row an epoch
        As ``history_`` of a classifier.
    best_epoch : int, default=None
        The epoch whose state was kept, counted from 1.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One a loss term, and one of the F1.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import pandas as pd
    >>> from skau.inspection import TrainingHistoryDisplay
    >>> history = pd.DataFrame({"train_class_loss": [0.7, 0.5], "valid_class_loss": [0.7, 0.6]})
    >>> display = TrainingHistoryDisplay.from_history(history, best_epoch=2)
    >>> display.terms
    ['class_loss']
    """

    history: pd.DataFrame
    _: KW_ONLY
    best_epoch: int | None = None

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: "Axes | np.ndarray | None" = None) -> Self:
        """Draw how a fitted classifier, or the one in a pipeline or search, has learnt.

        Parameters
        ----------
        estimator : estimator
        ax : matplotlib Axes, or array of them, default=None
            One Axes is divided into panels. None makes a new figure.

        Returns
        -------
        display
        """
        classifier = classifier_of(estimator)
        if not hasattr(classifier, "history_"):
            raise ValueError(
                f"{type(classifier).__name__} has no history_; it is not fitted, or is no network"
            )
        return cls.from_history(classifier.history_, best_epoch=classifier.best_epoch_, ax=ax)

    @classmethod
    def from_history(
        cls,
        history: pd.DataFrame,
        *,
        best_epoch: int | None = None,
        ax: "Axes | np.ndarray | None" = None,
    ) -> Self:
        """Draw a ``history_``, such as one that was read from a CSV file.

        Parameters
        ----------
        history : DataFrame with one row an epoch
        best_epoch : int, default=None
        ax : matplotlib Axes, or array of them, default=None
            One Axes is divided into panels. None makes a new figure.

        Returns
        -------
        display
        """
        if not isinstance(history, pd.DataFrame):
            raise ValueError(f"history must be a DataFrame, got {history!r:.80}")
        return cls(history, best_epoch=best_epoch).plot(ax=ax)

    @property
    def terms(self) -> list[str]:
        """What is drawn: "class_loss", ..., the total "loss", and "f1" where it was measured."""
        measured = [
            column.split("_", 1)[1]
            for column in self.history.columns.astype(str)
            if column.startswith(("train_", "valid_"))
            and column.endswith(("loss", "f1"))
            and self.history[column].notna().any()
        ]
        terms = list(dict.fromkeys(measured))
        # the total of one term is that term
        if sum(term.endswith("_loss") for term in terms) == 1:
            terms = [term for term in terms if term != "loss"]
        return sorted(terms, key=lambda term: (term == "f1", term == "loss"))

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        terms = self.terms
        if not terms:
            raise ValueError("history has no column train_..._loss or valid_..._loss")
        columns = 2 if len(terms) == 4 else min(3, len(terms))
        rows = -(-len(terms) // columns)
        self.figure_, self.axes_ = panels(ax, len(terms), columns, 0.35 + 1.15 * rows)
        epochs = np.arange(1, len(self.history) + 1)
        for panel, term in zip(self.axes_, terms, strict=True):
            for i, (part, dashes) in enumerate((("train", "--"), ("valid", "-"))):
                column = f"{part}_{term}"
                if column in self.history:
                    label = {"train": "training", "valid": "validation"}[part]
                    panel.plot(
                        epochs, self.history[column], dashes, color=COLOURS[1 - i],
                        label=label, marker="." if len(epochs) == 1 else None,
                    )  # fmt: skip
            _fit_scale(panel)
            self._mark(panel)
            title = "total loss" if term == "loss" else term.replace("_", " ")
            panel.set_title("F1 (validation)" if term == "f1" else title, pad=3)
            panel.locator_params(axis="x", nbins=4)
            panel.xaxis.get_major_locator().set_params(integer=True)
            panel.margins(x=0.02)
        handles: dict[str, Any] = {}
        for panel in self.axes_:
            handles |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
        legend_above(self.figure_, list(handles.values()), list(handles))
        self.figure_.supxlabel("epoch", fontsize=7)

    def _caption(self) -> str:
        return "Shaded: the first stage of training." if self._n_first() else ""

    def _n_first(self) -> int:
        """Return how many epochs the first of several stages has."""
        if "stage" not in self.history or self.history["stage"].nunique() < 2:
            return 0
        return int((self.history["stage"] == self.history["stage"].iloc[0]).sum())

    def _mark(self, panel: "Axes") -> None:
        if self.best_epoch is not None:
            panel.axvline(self.best_epoch, color=GREY, lw=0.8, ls=":", label="kept")
        if first := self._n_first():
            panel.axvspan(0.5, first + 0.5, color="0.93", lw=0, zorder=0)


def _fit_scale(panel: "Axes") -> None:
    """Take a logarithmic scale where the first epochs would press the others flat."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in panel.lines])
    values = values[~np.isnan(values)]
    if len(values) and values.min() > 0 and values.max() > 10 * np.median(values):
        from matplotlib.ticker import LogLocator, NullFormatter

        panel.set_yscale("log")
        few = values.max() < _WIDE * values.min()  # decades alone would be one label or none
        panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if few else (1.0,), numticks=5))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(NullFormatter())
    else:
        panel.locator_params(axis="y", nbins=4)
