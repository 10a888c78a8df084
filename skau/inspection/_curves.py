"""Curves of each AU in small panels: precision-recall, ROC, calibration."""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from ..utils._docs import substitute
from ._parts import Part, PartsMixin
from ._plotting import (
    COLOURS,
    GREY,
    WIDTH,
    darker,
    halo,
    legend_above,
    legend_height,
    panels,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID = np.linspace(0, 1, 101)
_DOCS = {
    "base_rates": """
base_rates : dict of float
    Share of positives of each AU.

Attributes
----------
axes_ : ndarray of matplotlib Axes
    One an AU.
figure_ : matplotlib Figure
"""
}


class Curve(NamedTuple):
    """One curve and the number that sums it up."""

    x: np.ndarray
    y: np.ndarray
    value: float


@dataclass(eq=False, repr=False)
class _CurvesDisplay(PartsMixin):
    """A panel an AU, a thin line a fold, a thick one their mean.

    ``curves`` holds, by method and AU, the curve of every fold that shows the AU both present
    and absent; ``base_rates`` the share of positives of each AU.
    """

    _xlabel: ClassVar[str]
    _ylabel: ClassVar[str]
    _value: ClassVar[str]
    _corner: ClassVar[tuple[float, float]]  # that curves seldom reach: the numbers' place

    curves: dict[str, dict[str, list[Curve]]]
    _: KW_ONLY
    base_rates: dict[str, float]

    @staticmethod
    def _curve(t: np.ndarray, p: np.ndarray, **options: Any) -> Curve:
        raise NotImplementedError

    @classmethod
    def _from_parts(cls, parts: dict[str, list[Part]], **options: Any) -> Self:
        names = next(iter(parts.values()))[0].labels.columns
        curves = {
            method: {name: cls._of_au(own, name, options) for name in names}
            for method, own in parts.items()
        }
        labels = [part.labels for part in next(iter(parts.values()))]
        rates = pd.concat(labels).mean()
        return cls(curves, base_rates={str(name): float(rate) for name, rate in rates.items()})

    @classmethod
    def _of_au(cls, parts: list[Part], name: str, options: dict[str, Any]) -> list[Curve]:
        curves = []
        for part in parts:
            known = part.labels[name].notna()
            t, p = part.labels.loc[known, name].to_numpy(), part.proba.loc[known, name].to_numpy()
            if len(np.unique(t)) == 2:
                curves.append(cls._curve(t, p, **options))
        return curves

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        names = list(next(iter(self.curves.values())))
        columns = min(4, len(names))
        rows = -(-len(names) // columns)
        titles = [wrapped(name, 0.75 * WIDTH / columns) for name in names]
        lines = max(title.count("\n") for title in titles)
        height = 0.55 + (3.1 / columns + 0.16 * lines) * rows + legend_height(list(self.curves))
        self.figure_, self.axes_ = panels(ax, len(names), columns, height, share=True)
        for panel, name, title in zip(self.axes_, names, titles, strict=True):
            self._draw_chance(panel, name)
            for i, (method, own) in enumerate(self.curves.items()):
                self._draw_curves(panel, own[name], i, method)
            if not next(iter(self.curves.values()))[name]:
                why = "no rows" if np.isnan(self.base_rates[name]) else "one class"
                panel.text(0.5, 0.5, why, ha="center", color=GREY, transform=panel.transAxes)
            panel.set_title(title, pad=2)
            panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.05), aspect="equal")
            panel.set(xticks=[0, 1], yticks=[0, 1])
            # inwards, or the 1 of a panel and the 0 of the next read as ten; some are hidden
            for label, side in zip(panel.get_xticklabels(), ("left", "right"), strict=False):
                label.set_ha(side)
        self._label()

    def _draw_chance(self, panel: "Axes", name: str) -> None:
        panel.plot([0, 1], [0, 1], ":", color=GREY, lw=0.8)

    def _draw_curves(self, panel: "Axes", curves: list[Curve], i: int, method: str) -> None:
        colour, dashes = COLOURS[i], ("-", "--", "-.", ":")[i % 4]
        style: dict[str, Any] = {"color": colour, "ls": dashes, "label": method}
        if len(curves) > 1:
            for x, y, _ in curves:
                panel.plot(x, y, color=colour, lw=0.4, alpha=0.4)
        if len(curves) == 1:
            panel.plot(curves[0].x, curves[0].y, **style)
        elif curves:
            panel.plot(_GRID, np.mean([self._on_grid(curve) for curve in curves], axis=0), **style)
        if curves:
            value = np.mean([curve.value for curve in curves])
            across, up = self._corner
            line = i if up > 0.5 else i + 1 - len(self.curves)  # in the order of the legend
            panel.annotate(
                f"{value:.2f}", self._corner, (0, -7 * line), xycoords="axes fraction",
                textcoords="offset points", color=darker(colour), fontsize=6,
                ha="left" if across < 0.5 else "right", va="top" if up > 0.5 else "bottom",
                path_effects=halo(),
            )  # fmt: skip

    def _caption(self) -> str:
        folds = max(len(own) for aus in self.curves.values() for own in aus.values())
        return "Thin lines: single folds. Thick lines: their mean." if folds > 1 else ""

    def _on_grid(self, curve: Curve) -> np.ndarray:
        order = np.argsort(curve.x, kind="stable")
        return np.interp(_GRID, curve.x[order], curve.y[order])

    def _label(self) -> None:
        corner = self.axes_[0]
        handles, labels = corner.get_legend_handles_labels()
        if len(labels) > 1:
            legend_above(self.figure_, handles, labels)
        self.figure_.supxlabel(f"{self._xlabel} (in the panel: {self._value})", fontsize=7)
        self.figure_.supylabel(self._ylabel, fontsize=7)


@substitute(_DOCS)
class AURocDisplay(_CurvesDisplay):
    """ROC curve of each AU: a panel an AU, a thin line a fold, a thick one their mean.

    The number in a panel is the area under the curve, mean over folds. It is recommended to use
    `from_estimator`, `from_predictions` or `from_cv_results` to make a display.

    Parameters
    ----------
    curves : dict of dict of lists of (x, y, area)
        By method and AU, the curve of every fold that shows the AU both present and absent.
    {base_rates}

    Examples
    --------
    >>> from skau.inspection import AURocDisplay
    >>> labels, proba = [[1], [0], [1], [0]], [[0.9], [0.2], [0.6], [0.4]]
    >>> display = AURocDisplay.from_predictions(labels, proba)
    >>> len(display.axes_)
    1
    """

    _xlabel, _ylabel = "false positive rate", "true positive rate"
    _value, _corner = "area", (0.97, 0.04)

    @staticmethod
    def _curve(t: np.ndarray, p: np.ndarray) -> Curve:  # type: ignore[override]
        x, y, _ = sklearn_roc_curve(t, p)
        return Curve(x, y, float(roc_auc_score(t, p)))


@substitute(_DOCS)
class AUPrecisionRecallDisplay(_CurvesDisplay):
    """Precision-recall curve of each AU: a panel an AU, a thin line a fold, a thick one the mean.

    The number in a panel is the average precision, mean over folds; the dotted line the base
    rate, which is what chance reaches. It is recommended to use `from_estimator`,
    `from_predictions` or `from_cv_results` to make a display.

    Parameters
    ----------
    curves : dict of dict of lists of (x, y, average precision)
        By method and AU, the curve of every fold that shows the AU both present and absent.
    {base_rates}

    Examples
    --------
    >>> from skau.inspection import AUPrecisionRecallDisplay
    >>> labels, proba = [[1], [0], [1], [0]], [[0.9], [0.2], [0.6], [0.4]]
    >>> display = AUPrecisionRecallDisplay.from_predictions(labels, proba)
    >>> len(display.axes_)
    1
    """

    _xlabel, _ylabel = "recall", "precision"
    _value, _corner = "average precision", (0.06, 0.04)

    @staticmethod
    def _curve(t: np.ndarray, p: np.ndarray) -> Curve:  # type: ignore[override]
        precision, recall, _ = precision_recall_curve(t, p)
        return Curve(recall, precision, float(average_precision_score(t, p)))

    def _draw_chance(self, panel: "Axes", name: str) -> None:
        panel.axhline(self.base_rates[name], ls=":", color=GREY, lw=0.8)


@substitute(_DOCS)
class AUCalibrationDisplay(_CurvesDisplay):
    """Calibration of each AU: how often it is present where so much probability was given.

    The number in a panel is the expected calibration error: the distance from the diagonal,
    averaged over rows. Rows of all folds are taken together. It is recommended to use
    `from_estimator`, `from_predictions` or `from_cv_results` to make a display; their further
    option is ``n_bins=8``, the number of bins of as many rows each.

    Parameters
    ----------
    curves : dict of dict of lists of (probability, share present, calibration error)
        By method and AU.
    {base_rates}

    Examples
    --------
    >>> from skau.inspection import AUCalibrationDisplay
    >>> labels, proba = [[1], [0], [1], [0]], [[0.9], [0.2], [0.6], [0.4]]
    >>> display = AUCalibrationDisplay.from_predictions(labels, proba)
    >>> len(display.axes_)
    1
    """

    _xlabel, _ylabel = "probability", "share present"
    _value, _corner = "calibration error", (0.06, 0.97)

    @classmethod
    def _of_au(cls, parts: list[Part], name: str, options: dict[str, Any]) -> list[Curve]:
        for part in parts:
            part.require_probabilities()
        labels = np.concatenate([part.labels[name] for part in parts])
        proba = np.concatenate([part.proba[name] for part in parts])
        known = ~np.isnan(labels)
        if len(np.unique(labels[known])) < 2:
            return []
        return [cls._curve(labels[known], proba[known], **options)]

    @staticmethod
    def _curve(t: np.ndarray, p: np.ndarray, n_bins: int = 8) -> Curve:  # type: ignore[override]
        y, x = calibration_curve(t, p, n_bins=n_bins, strategy="quantile")
        edges = np.quantile(p, np.linspace(0, 1, n_bins + 1))
        bins = np.searchsorted(edges[1:-1], p)
        error = sum(abs(t[bins == b].sum() - p[bins == b].sum()) for b in np.unique(bins)) / len(p)
        return Curve(x, y, float(error))

    def _draw_curves(self, panel: "Axes", curves: list[Curve], i: int, method: str) -> None:
        super()._draw_curves(panel, curves, i, method)
        for x, y, _ in curves:
            panel.plot(x, y, "os"[i % 2], color=COLOURS[i], ms=2)
