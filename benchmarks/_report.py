"""From the CSV of cells to Markdown tables and a figure."""

from pathlib import Path

import numpy as np
import pandas as pd
from _cells import UNLABELLED

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


def write_report(results: pd.DataFrame, file: Path) -> None:
    """Write all tables of a CSV of cells as Markdown."""
    parts = ["# Results", ""]
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


def write_figure(results: pd.DataFrame, file: Path) -> None:
    """Draw mean F1 of every method with its spread over seeds, one panel a test corpus."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    pairs = results[["train", "test"]].drop_duplicates().to_numpy().tolist()
    fig, axes = plt.subplots(1, len(pairs), figsize=(4.5 * len(pairs), 3.2), squeeze=False)
    for ax, (train, test) in zip(axes[0], pairs, strict=True):
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
    fig.tight_layout()
    fig.savefig(file, dpi=150)
    plt.close(fig)
