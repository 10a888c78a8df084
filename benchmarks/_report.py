"""From the CSV of cells to Markdown tables and a figure."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _cells import UNLABELLED, history_file

from skau.metrics import drop_rate


def per_seed(results: pd.DataFrame, score: str = "f1") -> pd.DataFrame:
    """Mean over folds: rows (method, train, test, seed), columns AUs."""
    keys = ["method", "train", "test", "seed"]
    aus = sorted(results["au"].unique(), key=lambda au: int(au.removeprefix("AU")))
    table = results.pivot_table(score, [*keys], "au", aggfunc="mean", sort=False, observed=True)
    return table.reindex(columns=aus)


def spread(values: pd.Series) -> str:
    """Mean and standard deviation over seeds."""
    if len(values) == 1:
        return f"{values.mean():.1f}"
    return f"{values.mean():.1f} ± {values.std():.1f}"


def markdown(table: pd.DataFrame) -> str:
    """Write a table with its index as first column."""
    names = [table.index.name or "", *map(str, table.columns)]
    rows = [
        [str(key), *map(str, row)] for key, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    lines = [names, ["---"] + ["--:"] * (len(names) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def score_table(results: pd.DataFrame, train: str, test: str) -> pd.DataFrame:
    """One row a method, F1 of each AU and their mean, then mean accuracy and AUC; in percent."""
    cells = results[(results["train"] == train) & (results["test"] == test)]
    f1 = per_seed(cells) * 100
    f1 = f1.dropna(axis=1, how="all")
    rows = {}
    for method in cells["method"].unique():
        own = f1.loc[method]
        row = {au: f"{value:.1f}" for au, value in own.mean().items()}
        row["mean F1"] = spread(own.mean(axis=1))
        for score in ("accuracy", "auc"):
            table = per_seed(cells[cells["method"] == method], score) * 100
            row[score] = spread(table.mean(axis=1))
        mine = cells[cells["method"] == method]
        seeds, folds = mine["seed"].nunique(), mine["fold"].nunique()
        row["seeds x folds"] = f"{seeds} x {folds}"
        rows[method] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def drop_table(results: pd.DataFrame, train: str) -> pd.DataFrame:
    """Drop rates from ``train`` to every other test corpus, both formulas, in percent."""
    f1 = per_seed(results[results["train"] == train])
    rows = {}
    for method in f1.index.unique("method"):
        own = f1.loc[method, train].groupby(level="test").mean()
        if train not in own.index:
            continue
        rows[method] = {}
        for test in own.index.drop(train):
            for formula in ("mean_of_rates", "rate_of_means"):
                rate = 100 * drop_rate(own.loc[train], own.loc[test], method=formula)
                rows[method][f"{test}, {formula.replace('_', ' ')}"] = f"{rate:.1f}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def cost_table(results: pd.DataFrame) -> pd.DataFrame:
    """Size, time and identity leakage of each method."""
    fits = results[~results["method"].str.endswith(UNLABELLED)]
    one = fits.drop_duplicates(["method", "fold", "seed"]).groupby("method", sort=False)
    table = pd.DataFrame(
        {
            "parameters": one["n_parameters"].first().map(
                lambda n: "" if np.isnan(n) else f"{n / 1000:,.1f}K"
            ),
            "seconds a fit": one["fit_seconds"].median().map("{:.0f}".format),
            "best epoch": one["best_epoch"].median().map(
                lambda n: "" if np.isnan(n) else f"{n:.0f}"
            ),
            "identity leakage": one["leakage"].mean().map(
                lambda x: "" if np.isnan(x) else f"{x:.2f}"
            ),
        }
    )  # fmt: skip
    return table.rename_axis("method")


def conditions(results: pd.DataFrame, config: dict[str, Any]) -> str:
    """Say what all cells share, where and how long they ran."""
    cells = results[~results["method"].str.endswith(UNLABELLED)]
    fits = cells.drop_duplicates(["method", "train", "fold", "seed"])
    budget = ", ".join(f"{key}={value}" for key, value in config["budget"].items())
    return (
        f"Crops of {config['size']} px; every network has {budget}. Mean over folds; "
        f"± is the standard deviation over seeds. {len(fits)} fits took "
        f"{fits['fit_seconds'].sum() / 3600:.1f} hours in all ({config['machine']}; "
        f"{config['versions']}; {config['date']})."
    )


def write_report(results: pd.DataFrame, config: dict[str, Any], file: Path) -> None:
    """Write all tables of a CSV of cells as Markdown."""
    command = f"The last command was `{config['command']}`."
    parts = ["# Results", "", conditions(results, config), "", command, ""]
    for train in results["train"].unique():
        for test in results.loc[results["train"] == train, "test"].unique():
            title = f"Within {train}" if test == train else f"From {train} to {test}"
            parts += [
                f"## {title}: F1-frame (%)",
                "",
                markdown(score_table(results, train, test)),
                "",
            ]
        drops = drop_table(results, train)
        if drops.size:
            parts += [f"## Drop rate from {train} (%)", "", markdown(drops), ""]
    parts += ["## Size, time, identity leakage", "", markdown(cost_table(results)), ""]
    file.write_text("\n".join(parts), encoding="utf-8")


def learning_curves(cells: pd.DataFrame, histories: Path) -> dict[str, pd.DataFrame]:
    """Class losses by epoch of the last stage, mean over folds and seeds, by method."""
    curves = {}
    for method, own in cells.groupby("method", sort=False):
        keys = own[["train", "fold", "seed"]].drop_duplicates().itertuples(index=False, name=None)
        files = [history_file(histories, train, method, fold, seed) for train, fold, seed in keys]
        parts = []
        for file in filter(Path.exists, files):
            history = pd.read_csv(file)
            last = history[history["stage"] == history["stage"].iloc[-1]]
            losses = last.reindex(columns=["train_class_loss", "valid_class_loss"])
            parts.append(losses.set_axis(range(1, len(losses) + 1)))
        if parts:
            curves[method] = pd.concat(parts).groupby(level=0).mean()
    return curves


def write_figure(results: pd.DataFrame, histories: Path, file: Path) -> None:
    """Draw mean F1 of every method, a panel a test corpus, and their learning curves."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    pairs = results[["train", "test"]].drop_duplicates().to_numpy().tolist()
    n = len(pairs) + 1
    fig, axes = plt.subplots(1, n, figsize=(4.5 * n, 3.4), squeeze=False, layout="constrained")
    for ax, (train, test) in zip(axes[0], pairs, strict=False):
        cells = results[(results["train"] == train) & (results["test"] == test)]
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
    ax = axes[0, -1]
    for i, (method, curve) in enumerate(learning_curves(results, histories).items()):
        ax.plot(curve["train_class_loss"], f"C{i % 10}--", lw=1)
        ax.plot(curve["valid_class_loss"], f"C{i % 10}-", label=method)
    ax.set(title="class loss: training - -, validation —", xlabel="epoch", ylim=(0, 1))
    ax.legend(fontsize="small")
    fig.savefig(file, dpi=150)
    plt.close(fig)
