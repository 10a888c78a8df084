"""The score of each AU, with its spread over folds."""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from ..metrics import f1_frame, roc_auc
from ..metrics._frame import always_present_f1
from ..utils._labels import read_names, read_table
from ..utils._text import first_few
from ._parts import Part, PartsMixin
from ._plotting import (
    COLOURS,
    GREY,
    MARKERS,
    WIDTH,
    au_ticks,
    legend_above,
    legend_height,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS = {"f1": "F1-frame", "roc_auc": "area under the ROC curve"}


@dataclass(eq=False, repr=False)
class AUScoreDisplay(PartsMixin):
    """F1 or the area under the ROC curve of each AU, over folds, beside a baseline and chance.

    The large marker is the mean over folds, the bar their standard deviation, a small dot one
    fold. The dashes are what needs no picture: for F1 to call an AU present everywhere, the mean
    of ``2 r / (1 + r)`` over folds with a base rate of ``r``, without those that do not show it;
    for the area one half. It is recommended to use
    `from_estimator`, `from_predictions` or `from_cv_results` to make a display; their further
    option is ``metric``, "f1" (the default; decided at the ``thresholds_`` of the
    estimator if it has some, else at one half) or "roc_auc".

    Parameters
    ----------
    scores : dict of DataFrames of shape (n_folds, n_aus)
        The scores of each method, by its name, from 0 to 1; all of the same AUs, whose order is
        that of the first.
    chance : Series of shape (n_aus,), default=None
        What chance reaches.
    metric : str, default="f1"
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of a new figure two columns wide where there are more than three methods or 18 AUs.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skau.inspection import AUScoreDisplay
    >>> display = AUScoreDisplay.from_predictions(
    ...     [[1, 0], [0, 1], [1, 1], [0, 0]],
    ...     [[0.9, 0.2], [0.4, 0.3], [0.8, 0.9], [0.1, 0.1]],
    ...     folds=[0, 0, 1, 1],
    ... )
    >>> display.scores["classifier"]["y1"].tolist()
    [0.0, 1.0]
    """

    scores: dict[str, pd.DataFrame]
    _: KW_ONLY
    chance: pd.Series | None = None
    metric: str = "f1"

    def __post_init__(self) -> None:
        for name, table in self.scores.items():
            values = table.to_numpy(float)
            wrong = values[(values < 0) | (values > 1)]
            if len(wrong):
                raise ValueError(
                    f"scores[{name!r}] holds {wrong[0]:g}; a score lies between 0 and 1: divide "
                    "percent by 100"
                )
        first, table = next(iter(self.scores.items()))
        self.scores = {
            name: own if own is table else _in_order(own, table, name, first)
            for name, own in self.scores.items()
        }
        if isinstance(self.chance, pd.Series) and read_names(self.chance.to_frame().T):
            if lacking := [au for au in table if au not in self.chance]:
                raise ValueError(f"chance has none for {first_few(lacking)}; give every AU one")
            self.chance = self.chance[table.columns]

    @classmethod
    def _from_parts(  # type: ignore[override]
        cls, parts: dict[str, list[Part]], *, metric: str = "f1"
    ) -> Self:
        if metric not in _LABELS:
            raise ValueError(f"metric must be one of {list(_LABELS)}, got {metric!r}")
        scores = {
            name: pd.DataFrame([_score(part, metric) for part in own]).reset_index(drop=True)
            for name, own in parts.items()
        }
        first = next(iter(parts.values()))
        rates = pd.DataFrame([part.labels.mean() for part in first])
        chance = always_present_f1(rates) if metric == "f1" else rates * 0 + 0.5
        return cls(scores, chance=chance.mean(), metric=metric)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        aus = [str(name) for name in next(iter(self.scores.values()))]
        many = len(self.scores) > 3 or len(aus) > 18
        width = 2 * WIDTH if many else WIDTH
        height = 2.1 + legend_height(["always present", *self.scores], width)
        self.figure_, (self.ax_,) = panels(ax, 1, 1, height, width=width)
        at, names = np.arange(float(len(aus))), aus
        if len(aus) > 1:  # their mean stands apart
            mean = len(aus) + max(0.35, 0.04 * len(aus))  # the narrower a step, the further
            at, names = np.append(at, mean), [*aus, "mean"]
            self.ax_.axvline((at[-2] + mean) / 2, color="0.85", lw=0.6)
        if self.chance is not None:
            chance = np.append(self.chance, self.chance.mean())[: len(names)]
            self.ax_.hlines(
                chance, at - 0.4, at + 0.4, colors=GREY, linestyles="--", lw=1,
                label="always present" if self.metric == "f1" else "chance",
            )  # fmt: skip
        n = len(self.scores)
        for i, (name, table) in enumerate(self.scores.items()):
            values = table.assign(mean=table.mean(axis=1)).iloc[:, : len(names)]
            x = at + (i - (n - 1) / 2) * min(0.32, 0.8 / n)
            colour = COLOURS[i % (len(COLOURS) - 1)]  # the yellow one is too light for dots
            if len(values) > 1:
                spread = np.tile(x, (len(values), 1))
                self.ax_.plot(spread.T, values.T, ".", color=colour, ms=2.5, alpha=0.6, mew=0)
            self.ax_.errorbar(
                x, values.mean(), values.std() if len(values) > 1 else None,
                fmt=MARKERS[i % len(MARKERS)], color=colour, ms=3.5, lw=1, label=name,
                mfc=colour if i == 0 else "white",
            )  # fmt: skip
        au_ticks(self.ax_, at, names)
        self.ax_.set(ylim=(0, 1.02), ylabel=_LABELS[self.metric])
        handles, labels = self.ax_.get_legend_handles_labels()
        legend_above(self.figure_, handles, labels, self.ax_)

    def _caption(self) -> str:
        if max(map(len, self.scores.values())) < 2:
            return ""
        return (
            "Large markers: mean over folds. Bars: one standard deviation over folds up and down. "
            "Small dots: single folds."
        )


def _in_order(table: pd.DataFrame, first: pd.DataFrame, name: str, owner: str) -> pd.DataFrame:
    """Bring the AUs of a method into the order of the first one's."""
    argument, owner = f"scores[{name!r}]", f"scores[{owner!r}]"
    wanted = read_names(first, owner)
    found = read_table(table, argument, binary=False).match(
        wanted, first.shape[1], argument, owner
    )
    return pd.DataFrame(found.values, index=table.index, columns=first.columns)


def _score(part: Part, metric: str) -> Any:
    if metric == "roc_auc":  # of which logits have the same
        return roc_auc(part.labels, part.proba)
    part.require_probabilities()
    return f1_frame(part.labels, (part.proba > part.threshold).astype(float))
