"""The scores of a search over two parameters as a heat map."""

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from ._display import Display
from ._plotting import COLOURS, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class LossWeightsDisplay(Display):
    """The mean test score of a search over two parameters, such as the weights of two losses.

    The best cell has a frame. Where a cell stands for several candidates, as further parameters
    were searched too, it shows the best of them; of a search in rounds that use more and more
    rows, the best of those that came furthest, and the frame is in the last round. It is
    recommended to use `from_estimator` or `from_cv_results`.

    Parameters
    ----------
    scores : DataFrame
        Index and columns hold the values of the two parameters and are named by them.
    spread : DataFrame of the same shape, default=None
        Standard deviation over folds.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skau.inspection import LossWeightsDisplay
    >>> results = {
    ...     "param_dsnclassifier__alpha": [0.01, 0.01, 0.1, 0.1],
    ...     "param_dsnclassifier__beta": [0.005, 0.05, 0.005, 0.05],
    ...     "mean_test_score": [0.5, 0.6, 0.55, 0.4],
    ...     "std_test_score": [0.05, 0.02, 0.03, 0.04],
    ... }
    >>> LossWeightsDisplay.from_cv_results(results).scores
    alpha  0.01  0.10
    beta
    0.005   0.5  0.55
    0.050   0.6  0.40
    """

    scores: pd.DataFrame
    _: KW_ONLY
    spread: pd.DataFrame | None = None
    _rounds: pd.DataFrame | None = field(default=None, init=False)  # that the cells are of

    @classmethod
    def from_estimator(cls, search: Any, **options: Any) -> Self:
        """Draw a fitted search; see `from_cv_results` for the options.

        Parameters
        ----------
        search : GridSearchCV, HalvingGridSearchCV, ...
        **options
            As of `from_cv_results`.

        Returns
        -------
        display
        """
        if not hasattr(search, "cv_results_"):
            raise ValueError(
                f"search has no cv_results_; it is not fitted, or is no search: {search!r:.80}"
            )
        return cls.from_cv_results(search.cv_results_, **options)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: dict[str, Any],
        *,
        x: str | None = None,
        y: str | None = None,
        metric: str = "score",
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the results of a search.

        Parameters
        ----------
        cv_results : dict
            ``cv_results_`` of a search.
        x, y : str, default=None
            The parameters along the two axes, as in the grid ("dsnclassifier__alpha") or by their
            last word ("alpha"). None takes the first that has several values.
        metric : str, default="score"
            "score", or the name of one of several scorers.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display
        """
        table = searched_parameters(cv_results)
        searched = [str(name) for name in table]
        several = varied(table)
        x_name = _find(x, searched, "x") if x else next(iter(several), None)
        others = [name for name in several if name != x_name]
        y_name = _find(y, searched, "y") if y else next(iter(others), None)
        if x_name is None or y_name is None:
            raise ValueError(
                f"cv_results varies {several or 'no parameter'}; a heat map needs two, x and y"
            )
        if f"mean_test_{metric}" not in cv_results:
            known = [key[10:] for key in cv_results if key.startswith("mean_test_")]
            raise ValueError(f"metric={metric!r}: cv_results has {known}")
        table["mean"] = np.asarray(cv_results[f"mean_test_{metric}"], dtype=float)
        table["std"] = np.asarray(cv_results[f"std_test_{metric}"], dtype=float)
        table["round"] = cv_results.get("iter", 0)
        ranked = table.dropna(subset="mean").sort_values(["round", "mean"])
        best = ranked.groupby([y_name, x_name]).last()
        scores, spread = best["mean"].unstack(), best["std"].unstack()
        for frame in (scores, spread):
            frame.index.name, frame.columns.name = short_name(y_name), short_name(x_name)
        display = cls(scores, spread=spread)
        display._rounds = best["round"].unstack()
        return display.plot(ax=ax)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        from matplotlib.patches import Rectangle

        values = self.scores.to_numpy(float)
        spread = None if self.spread is None else self.spread.to_numpy(float)
        self.figure_, (self.ax_,) = panels(ax, 1, 1, 0.7 + 0.42 * len(values))
        image = self.ax_.imshow(values, cmap="cividis", origin="lower", aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            if np.isnan(value):
                continue
            text = f"{value:.3f}"
            if spread is not None:
                text += f"\n± {spread[row, column]:.3f}"
            dark = value - np.nanmin(values) < 0.45 * np.ptp(values[~np.isnan(values)])
            self.ax_.text(
                column, row, text, ha="center", va="center", fontsize=6,
                color="white" if dark else "black",
            )  # fmt: skip
        if not np.isnan(values).all():
            rounds = 0 * values if self._rounds is None else self._rounds.to_numpy(float)
            last = np.where(rounds == np.nanmax(rounds), values, np.nan)
            row, column = np.unravel_index(np.nanargmax(last), values.shape)
            frame = float(column) - 0.48, float(row) - 0.46
            self.ax_.add_patch(Rectangle(frame, 0.96, 0.92, fill=False, ec=COLOURS[4], lw=1.5))
        self.ax_.set_xticks(range(values.shape[1]), _labels(self.scores.columns))
        self.ax_.set_yticks(range(values.shape[0]), _labels(self.scores.index))
        self.ax_.set(xlabel=self.scores.columns.name, ylabel=self.scores.index.name)
        self.ax_.spines[:].set_visible(False)
        self.ax_.tick_params(length=0)
        bar = self.figure_.colorbar(image, ax=self.ax_, label="mean test score", pad=0.02)
        bar.outline.set_visible(False)


def searched_parameters(cv_results: dict[str, Any]) -> pd.DataFrame:
    """Return the parameters of the candidates of a search."""
    keys = [key for key in cv_results if key.startswith("param_")]
    return pd.DataFrame({
        key.removeprefix("param_"): [_named(value) for value in cv_results[key]] for key in keys
    })  # fmt: skip


def _named(value: Any) -> Any:
    """Write out what pandas would drop: None, NaN, and what a grid does not set."""
    nothing = value is np.ma.masked or (pd.api.types.is_scalar(value) and pd.isna(value))
    return str(value) if nothing else value


def varied(parameters: pd.DataFrame) -> list[str]:
    """Return the parameters of which a search tried several values."""
    return [str(name) for name in parameters if parameters[name].astype(str).nunique() > 1]


def _find(wanted: str, names: list[str], argument: str) -> str:
    found = [name for name in names if wanted in (name, short_name(name))]
    if len(found) != 1:
        raise ValueError(f"{argument}={wanted!r} is not one of the searched parameters {names}")
    return found[0]


def short_name(name: str) -> str:
    return name.rpartition("__")[2]


def _labels(values: pd.Index) -> list[str]:
    return [f"{v:g}" if isinstance(v, float | int) else str(v) for v in values]
