"""The figure of a CSV of cells: bars and learning curves, a sweep, or random draws."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _margins import cell_file
from _report import PAIR, PUBLISHED_MARGIN, has_draws, margins, per_seed, select_pair


def write_figure(
    results: pd.DataFrame, records: Path, file: Path, beside: pd.DataFrame | None = None
) -> None:
    """Draw what the cells are about.

    Draws give the distribution of the margin between the systems of paper 1, beside that of the
    folds of all subjects in ``beside``; values of one parameter its effect; anything else the
    mean F1 of every method and the learning curves.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    pairs = results[["train", "test"]].drop_duplicates().to_numpy().tolist()
    swept = list(sweeps(results))
    if has_draws(results):
        panels: list[Any] = [(draw_margins, results, beside, *pair) for pair in pairs]
    elif swept:
        panels = [(draw_sweep, results, records, *sweep) for sweep in swept]
    else:
        panels = [(draw_bars, results, *pair) for pair in pairs]
        panels.append((draw_curves, results, records))
    rows = 3 if panels[0][0] is draw_sweep else 1
    size = 4.5 * len(panels), 2.6 * rows + 0.8
    fig, axes = plt.subplots(
        rows, len(panels), figsize=size, squeeze=False, layout="constrained", sharex="col"
    )
    for column, (draw, *what) in zip(axes.T, panels, strict=True):
        draw(column if rows > 1 else column[0], *what)
        if draw is draw_bars and column[0] is not axes[0, 0]:
            column[0].tick_params(labelleft=False)  # the methods of the first panel
    fig.savefig(file, dpi=150)
    plt.close(fig)


# -- bars and learning curves ----------------------------------------------------------------


def draw_bars(ax: Any, results: pd.DataFrame, train: str, test: str) -> None:
    """Mean F1 of every method, a dot a seed."""
    cells = select_pair(results, train, test)
    mean = (per_seed(cells) * 100).mean(axis=1).groupby("method", sort=False)
    names = list(mean.groups)
    at = np.arange(len(names))
    ax.barh(at, mean.mean(), xerr=mean.std(), color="0.75", capsize=3)
    for y, name in enumerate(names):
        values = mean.get_group(name)
        ax.plot(values, np.full(len(values), y), "k.", ms=4)
    ax.set_yticks(at, names)
    ax.invert_yaxis()
    ax.set(title=f"{train} → {test}", xlabel="mean F1-frame (%)")


def draw_curves(ax: Any, results: pd.DataFrame, records: Path) -> None:
    """Class losses by epoch of the last stage, mean over folds and seeds."""
    for i, (method, own) in enumerate(results.groupby("method", sort=False)):
        parts = []
        for _, history in read_histories(own, records):
            last = history[history["stage"] == history["stage"].iloc[-1]]
            losses = last.reindex(columns=["train_class_loss", "valid_class_loss"])
            parts.append(losses.set_axis(range(1, len(losses) + 1)))
        if parts:
            curve = pd.concat(parts).groupby(level=0).mean()
            ax.plot(curve["train_class_loss"], f"C{i % 10}--", lw=1)
            ax.plot(curve["valid_class_loss"], f"C{i % 10}-", label=method)
    ax.set(title="class loss: training - -, validation —", xlabel="epoch", ylim=(0, 1))
    if ax.lines:
        ax.legend(fontsize="small")


def read_histories(cells: pd.DataFrame, folder: Path) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the first row of every cell that has a learning curve, and the curve."""
    for row in cells.drop_duplicates(["method", "train", "fold", "seed"]).itertuples():
        file = cell_file(
            folder, ".csv", train=row.train, spec=row.method, fold=row.fold, seed=row.seed
        )
        if file.exists():
            yield row, pd.read_csv(file)


# -- a sweep ---------------------------------------------------------------------------------


def sweeps(results: pd.DataFrame) -> Iterator[tuple[str, dict[float, str]]]:
    """Yield "DSN:beta" and the methods by value, where two values or more were run."""
    found: dict[str, dict[float, str]] = {}
    for method in results["method"].unique():
        name, equals, value = method.rpartition("=")
        try:
            number = float(value)
        except ValueError:  # a word, or the row of unlabelled frames
            continue
        if equals and "," not in name:
            found.setdefault(name, {})[number] = method
    for name, methods in found.items():
        if len(methods) > 1:
            yield name, dict(sorted(methods.items()))


def draw_sweep(
    axes: Any, results: pd.DataFrame, records: Path, name: str, methods: dict[float, str]
) -> None:
    """Mean F1 on every test corpus, and two measures of the separation, against the value.

    They are the identity leakage of the features, and the difference loss on the validation
    subjects at the epoch that was kept.
    """
    values = np.array(list(methods))
    for (train, test), cells in results.groupby(["train", "test"], sort=False):
        f1 = (per_seed(cells) * 100).mean(axis=1)
        label = f"within {train}" if test == train else f"{train} → {test}"
        draw_spread(axes[0], values, [f1.loc[[method]] for method in methods.values()], label)
    cells = results.drop_duplicates(["method", "train", "fold", "seed"])
    by_seed = cells.groupby(["method", "seed"], sort=False)["leakage"].mean()
    draw_spread(axes[1], values, [by_seed.loc[[method]] for method in methods.values()])
    losses = [
        pd.Series([
            history["valid_difference_loss"].iloc[int(row.best_epoch) - 1]
            for row, history in read_histories(results[results["method"] == method], records)
            if "valid_difference_loss" in history
        ], dtype=float)
        for method in methods.values()
    ]  # fmt: skip
    draw_spread(axes[2], values, losses)
    positive = values[values > 0]
    axes[0].legend(fontsize="small")
    axes[0].set(title=name, ylabel="mean F1-frame (%)")
    axes[1].set(ylabel="identity leakage")
    axes[2].set(ylabel="difference loss", xlabel=name.rpartition(":")[2])
    # linear below the least value, so that zero has a place
    axes[2].set_xscale("symlog", linthresh=positive.min() if len(positive) else 1)
    axes[2].set_xticks(values, [f"{value:g}" for value in values])


def draw_spread(
    ax: Any, values: np.ndarray, groups: list[pd.Series], label: str | None = None
) -> None:
    """Means with standard deviations."""
    means, spread = ([getattr(g, f)() for g in groups] for f in ("mean", "std"))
    if not np.isnan(means).all():
        ax.errorbar(values, means, np.nan_to_num(spread), fmt="o-", capsize=3, label=label)


# -- draws -----------------------------------------------------------------------------------


def draw_margins(
    ax: Any, results: pd.DataFrame, beside: pd.DataFrame | None, train: str, test: str
) -> None:
    """Draw the margin in every draw, and in every fold of all subjects."""
    draws = margins(results, train, test)
    ax.hist(draws, bins="auto", color="0.75", label=f"{len(draws)} draws of 5 subjects")
    ax.axvline(draws.mean(), color="0.4", label=f"their mean, {draws.mean():+.1f}")
    whole = pd.Series(dtype=float) if beside is None else margins(beside, train, test)
    if len(whole):
        ax.axvline(whole.mean(), color="C0", label=f"all subjects, {whole.mean():+.1f}")
        ax.plot(whole, np.zeros(len(whole)), "C0|", ms=16)
    if test == train:
        label = f"published, {PUBLISHED_MARGIN:+.1f}"
        ax.axvline(PUBLISHED_MARGIN, color="C3", ls="--", label=label)
    ax.legend(fontsize="small")
    ax.set(title=f"{train} → {test}", xlabel=f"mean F1 of {PAIR[0]} - {PAIR[1]} (points)")
