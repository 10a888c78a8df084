"""From the CSV of cells to Markdown tables."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _cells import BESIDE
from _margins import METRICS, margin_interval
from _methods import parse_method
from _published import PER_AU, published_margin, published_mean

from skau.metrics import drop_rate
from skau.metrics._intervals import ScoreInterval

# Paper 1's comparison, whose margin is told draw by draw.
PAIR = ("DSN", "SingleEncoder")
PRINTED = ("DSN-printed", "SingleEncoder-printed")
PUBLISHED_MARGIN = published_margin("DSN", ("SingleEncoder",), "bp4d", "bp4d")

# A system, and those of whom it has to beat the better.
CLAIMS = (
    (PAIR[0], PAIR[1:]),
    (PRINTED[0], PRINTED[1:]),
    ("IdenNet", ("LightCNN", "LightCNN-pretrained")),
    ("IdenNet-released", ("LightCNN", "LightCNN-pretrained")),
    ("MixedEffects", ("LightCNN", "LightCNN-pretrained")),
)


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
    cells = select_pair(results, train, test)
    f1 = per_seed(cells) * 100
    f1 = f1.dropna(axis=1, how="all")
    rows = {}
    for method in cells["method"].unique():
        own = f1.loc[method]
        row = {au: "" if np.isnan(f) else f"{f:.1f}" for au, f in own.mean().items()}
        row["mean F1"] = spread(own.mean(axis=1))
        if (given := own.notna().any().sum()) < f1.shape[1]:
            row["mean F1"] += f" of {given} AUs"
        for score in ("accuracy", "auc"):
            table = per_seed(cells[cells["method"] == method], score) * 100
            row[score] = spread(table.mean(axis=1))
        mine = cells[cells["method"] == method]
        seeds, folds = mine["seed"].nunique(), mine["fold"].nunique()
        done = mine.groupby(["seed", "fold"]).ngroups
        missing = "" if done == seeds * folds else f"{done} of "
        row["seeds x folds"] = f"{missing}{seeds} x {folds}"
        published = published_mean(method, train, test)
        row["published F1"] = "" if np.isnan(published) else f"{published:.1f}"
        rows[method] = row
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
    return table if (table["published F1"] != "").any() else table.drop(columns="published F1")


def single_class_table(results: pd.DataFrame, beside: pd.DataFrame | None) -> pd.DataFrame:
    """Tables 2 and 3 of paper 1: accuracy and F1 of four AUs, and what the paper prints.

    The paper's multi-label model has all twelve AUs: it is the DSN of ``beside``.
    """
    parts = [results[results["method"].str.startswith("DSN")]]
    if beside is not None:
        twelve = beside[(beside["method"] == "DSN") & (beside["train"] == "bp4d")]
        parts.append(twelve.assign(method="DSN, 12 AUs"))
    cells = pd.concat(parts)
    cells = cells[(cells["train"] == "bp4d") & (cells["test"] == "bp4d")]
    aus = list(PER_AU["DSN", "f1"])
    rows = {}
    for score in ("accuracy", "f1"):
        for method in cells["method"].unique():
            own = per_seed(cells[cells["method"] == method], score)[aus].mean() * 100
            rows[f"{method}, {score}"] = {au: f"{value:.1f}" for au, value in own.items()}
        for name, told in (("DSN", "multi-label"), ("DSN-regions", "single class")):
            row = {au: f"{value:.1f}" for au, value in PER_AU[name, score].items()}
            rows[f"paper 1, {told}, {score}"] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("system")


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
    fits = results[~results["method"].str.endswith(BESIDE)]
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


def has_draws(results: pd.DataFrame) -> bool:
    """Whether both systems of paper 1 were run on random draws of subjects."""
    return set(PAIR) <= set(results["method"]) and results["fold"].str.startswith("draw").all()


def select_pair(results: pd.DataFrame, train: str, test: str) -> pd.DataFrame:
    """Rows of a training and a test corpus."""
    return results[(results["train"] == train) & (results["test"] == test)]


def margins(
    results: pd.DataFrame, train: str, test: str, pair: tuple[str, str] = PAIR
) -> pd.Series:
    """Mean F1 of the one system less that of the other, in percent, fold by fold and seed."""
    cells = select_pair(results, train, test)
    means = cells.pivot_table("f1", ["fold", "seed"], "method", aggfunc="mean", observed=True)
    means = means.reindex(columns=pair).dropna()
    return 100 * (means[pair[0]] - means[pair[1]])


def claim_table(results: pd.DataFrame, train: str, records: Path | None = None) -> pd.DataFrame:
    """Put the margins that the papers report beside those of these cells.

    Where ``records`` has what was told of each frame, with 95 % intervals over the people tested.
    """
    rows = {}
    for test in results.loc[results["train"] == train, "test"].unique():
        f1 = select_pair(results, train, test).groupby("method")["f1"].mean()
        variants = [  # IdenNet:alpha=0.1 has the rivals of IdenNet
            (spec, rivals)
            for claimed, rivals in CLAIMS
            for spec in f1.index
            if spec.partition(":")[0] == claimed and not spec.endswith(BESIDE)
        ]
        for ours, rivals in variants:
            best = f1.reindex(rivals).idxmax() if f1.reindex(rivals).notna().any() else None
            found = margins(results, train, test, (ours, best)) if best else []
            if len(found):
                published = published_margin(ours, rivals, train, test)
                rows[f"{ours} over {best}", test] = {
                    "margin": f"{found.mean():+.1f}",
                    "sd": f"{found.std():.1f}" if len(found) > 1 else "",
                    "above 0": f"{(found > 0).sum()} of {len(found)}",
                    "published": "" if np.isnan(published) else f"{published:+.1f}",
                }
                if records is not None:
                    rows[f"{ours} over {best}", test] |= {
                        f"{score} [95 % over people]": interval_text(
                            margin_interval(
                                records, list(found.index), (ours, best), train, test, score
                            )
                        )
                        for score in METRICS
                    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.insert(0, "test", [test for _, test in rows])
    return table.set_axis([claim for claim, _ in rows]).rename_axis("mean F1 of")


def interval_text(found: ScoreInterval | None) -> str:
    """Write a margin and its interval; nothing where the frames were not kept."""
    return "" if found is None else "{:+.1f} [{:+.1f}, {:+.1f}]".format(*found)


def margin_table(results: pd.DataFrame, beside: pd.DataFrame | None, train: str) -> pd.DataFrame:
    """How the margin is distributed over draws, and what it is with all subjects."""
    rows = {}
    tests = results.loc[results["train"] == train, "test"].unique()
    pairs = [pair for pair in (PAIR, PRINTED) if set(pair) <= set(results["method"])]
    for test, pair in product(tests, pairs):
        draws = margins(results, train, test, pair)
        row = {"draws": len(draws), "mean": f"{draws.mean():+.1f}", "sd": f"{draws.std():.1f}"}
        row |= {f"{q}%": f"{np.percentile(draws, q):+.1f}" for q in (5, 50, 95)}
        row["above 0"] = f"{100 * (draws > 0).mean():.0f}%"
        row["above 9.9"] = f"{100 * (draws > PUBLISHED_MARGIN).mean():.0f}%"
        if beside is not None:
            whole = margins(beside, train, test, pair)
            row["all subjects"] = f"{whole.mean():+.1f}" if len(whole) else ""
        rows[f"{pair[0]} over {pair[1]}, {test}"] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("margin")


def conditions(results: pd.DataFrame, config: dict[str, Any]) -> str:
    """Say what all cells share, where and how long they ran."""
    cells = results[~results["method"].str.endswith(BESIDE)]
    fits = cells.drop_duplicates(["method", "train", "fold", "seed"])
    budget = ", ".join(f"{key}={value}" for key, value in config["budget"].items())
    for spec in fits["method"].unique():
        own = parse_method(spec).params
        if own:
            budget += f"; {spec} has " + ", ".join(f"{key}={own[key]}" for key in own)
    return (
        f"Crops of {config['size']} px; every network has {budget}. Mean over folds; "
        f"± is the standard deviation over seeds. {len(fits)} fits took "
        f"{fits['fit_seconds'].sum() / 3600:.1f} hours in all ({config['machine']}; "
        f"{config['versions']}; {config['date']})."
    )


def write_report(
    results: pd.DataFrame,
    config: dict[str, Any],
    file: Path,
    beside: pd.DataFrame | None = None,
    records: Path | None = None,
) -> None:
    """Write all tables of a CSV of cells as Markdown.

    ``beside`` are the cells of all subjects, ``records`` the folder of what was told of frames.
    """
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
        claims = pd.DataFrame() if has_draws(results) else claim_table(results, train, records)
        if len(claims):
            about = "Of the same fold and seed; the standard deviation is over them."
            parts += [f"## The papers' margins, trained on {train}", "", about, ""]
            parts += [markdown(claims), ""]
        if train == "bp4d" and "DSN-regions" in set(results["method"]):
            title = "## Tables 2 and 3 of paper 1 (%)"
            parts += [title, "", markdown(single_class_table(results, beside)), ""]
        if has_draws(results):
            title = f"## Margins in mean F1 over draws of {train}"
            parts += [title, "", markdown(margin_table(results, beside, train)), ""]
    parts += ["## Size, time, identity leakage", "", markdown(cost_table(results)), ""]
    file.write_text("\n".join(parts), encoding="utf-8")
