"""The figure of ``person.py``: what knowing the person is worth, against likeness."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skau.inspection._display import _STYLE
from skau.inspection._plotting import COLOURS, GREY, WIDTH

# In grey and without colour they differ by marker and line.
_STYLES = {
    "LightCNN less the bias known from labels": (GREY, "s", "--", "known from labels (ceiling)"),
    "MixedEffects + unlabelled frames": (COLOURS[0], "v", "-", "all frames of the person"),
    "MixedEffects + 1 frame at rest": (COLOURS[6], "^", "-", "one frame at rest"),
    "MixedEffects": (COLOURS[4], "o", "-", "one frame"),
    "IdenNet": ("black", "x", ":", "IdenNet"),
    "DSN": (COLOURS[1], "P", ":", "DSN over its single encoder"),
}


def write_person_figure(table: pd.DataFrame, file: Path) -> None:
    """Draw margins in F1 and AUC, and how stable the person is, against likeness.

    A column a strength of resting faces. ``table`` is what ``person.py`` writes as CSV.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    made = table.dropna(subset="likeness").sort_values("likeness")
    if made.empty:
        raise ValueError("no corpus with a likeness was measured, so there is nothing to draw")
    strengths = sorted(made["resting"].unique())
    width = WIDTH if len(strengths) == 1 else 2 * WIDTH  # one column, or both
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(
            3, len(strengths), figsize=(width, 5.2), squeeze=False, sharex=True, sharey="row",
            layout="constrained", height_ratios=[3, 3, 2],
        )  # fmt: skip
        for column, resting in zip(axes.T, strengths, strict=True):
            own = made[made["resting"] == resting]
            _draw_margins(column[0], own, "F1")
            _draw_margins(column[1], own, "AUC")
            _draw_person(column[2], own)
            column[0].set_title(f"resting faces {resting:g}")
            column[2].set(xlabel="likeness: how far looks tell the resting face", ylim=(0, 1))
            column[2].set_xticks(sorted(made["likeness"].unique()))
        for ax, label in zip(
            axes[:, 0],
            ("margin in F1 (points)", "margin in AUC (points)", "share between people"),
            strict=True,
        ):
            ax.set_ylabel(label)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
        axes[2, 0].legend(loc="lower center", ncols=3)
        figure.savefig(file)
        plt.close(figure)


def _draw_margins(ax: Any, own: pd.DataFrame, score: str) -> None:
    ax.axhline(0, color="0.8", lw=0.8)
    places = {name: i - (len(_STYLES) - 1) / 2 for i, name in enumerate(_STYLES)}
    for name, (colour, marker, line, label) in _STYLES.items():
        rows = own[own["system"] == name]
        if rows.empty:
            continue
        margin = rows[f"{score} margin"]
        reach = np.abs(rows[[f"{score} low", f"{score} high"]].T - margin.to_numpy())
        ax.errorbar(
            rows["likeness"] + 0.012 * places[name], margin, reach, color=colour, marker=marker,
            ls=line, ms=4, lw=1, capsize=1.5, label=label,
        )  # fmt: skip


def _draw_person(ax: Any, own: pd.DataFrame) -> None:
    rows = own[own["system"] == "LightCNN"]
    ax.plot(
        rows["likeness"], rows["share between people"], "k.-", lw=1,
        label="logits",
    )  # fmt: skip
    for name, label in (("MixedEffects", "F, one frame"), ("IdenNet", "F, IdenNet")):
        rows = own[own["system"] == name].dropna(subset="stability of F")
        if len(rows):
            colour, marker, line, _ = _STYLES[name]
            ax.plot(
                rows["likeness"], rows["stability of F"], color=colour, marker=marker, ls=line,
                ms=4, lw=1, label=label,
            )  # fmt: skip
