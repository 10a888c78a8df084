"""Reports of a training run, of a benchmark and of a film."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from ..metrics import au_report
from ..utils._formats import thresholds_of
from ..utils._text import first_few
from ..utils._unwrap import classifier_of
from ._curves import AUPrecisionRecallDisplay, AURocDisplay
from ._history import TrainingHistoryDisplay
from ._loss_weights import LossWeightsDisplay, searched_parameters, short_name, varied
from ._page import write_report
from ._parts import label_table, predict_part
from ._plotting import WIDTH
from ._scores import AUScoreDisplay
from ._timeline import TimelineDisplay, numbered_aus, people_of


def training_report(
    path: str | PathLike[str],
    estimator: Any,
    X: Any,
    y: Any,
    *,
    title: str = "Training run",
    card: Mapping[str, Any] | str | None = None,
) -> Path:
    """Write the page of a fitted classifier: how it learnt, and what it does on unseen people.

    Parameters
    ----------
    path : path-like
        The ``.html`` file to write, over one that is there.
    estimator : estimator
        A fitted AU classifier, or a pipeline or search with one at its end. A search over two
        parameters gets its heat map.
    X, y : array-likes of length n
        Images and labels of people that it has not seen.
    title : str, default="Training run"
    card : dict or str, default=None
        What else is to be said of the model: its data, its licence, its limits.

    Returns
    -------
    Path

    Examples
    --------
    >>> from skau.inspection import training_report
    >>> training_report("run.html", clf, X_test, Y_test)  # doctest: +SKIP
    """
    labels = label_table(y)
    part = predict_part(estimator, X, labels)
    classifier = classifier_of(estimator)
    history = getattr(classifier, "history_", None)
    epochs = None if history is None else history.round(4).set_index("epoch")
    candidates = _candidates(estimator) if hasattr(estimator, "cv_results_") else None
    two = candidates is not None and len(varied(searched_parameters(estimator.cv_results_))) > 1
    sections = {
        "Model": [card, classifier.get_params(deep=False)],
        "Unseen people": [
            f"{len(labels)} rows. F1, precision, recall and accuracy of the decisions.",
            au_report(part.labels, part.proba, threshold=part.threshold).rename_axis("AU"),
            AUScoreDisplay.from_predictions(
                part.labels, part.proba, threshold=part.threshold, name="F1"
            ),
            AURocDisplay.from_predictions(part.labels, part.proba),
            AUPrecisionRecallDisplay.from_predictions(part.labels, part.proba),
        ],
        "Search": [LossWeightsDisplay.from_estimator(estimator) if two else None, candidates],
        "Training": [
            None if history is None else TrainingHistoryDisplay.from_estimator(classifier),
            epochs,
        ],
    }
    return _write(path, title, sections)


def benchmark_report(
    path: str | PathLike[str],
    scores: Mapping[str, pd.DataFrame],
    *,
    title: str = "Benchmark",
    about: Mapping[str, Any] | str | None = None,
) -> Path:
    """Write the page of several methods under one protocol.

    Parameters
    ----------
    path : path-like
        The ``.html`` file to write, over one that is there.
    scores : dict of DataFrames of shape (n_folds, n_aus)
        F1 of each method, fold and AU; all methods are scored on the same AUs.
    title : str, default="Benchmark"
    about : dict or str, default=None
        The protocol: corpus, folds, seeds, machine.

    Returns
    -------
    Path

    Examples
    --------
    >>> from skau.inspection import benchmark_report
    >>> scores = {"DSN": f1_of_folds, "IdenNet": others}  # doctest: +SKIP
    >>> benchmark_report("benchmark.html", scores, about={"folds": "3"})  # doctest: +SKIP
    """
    display = AUScoreDisplay(dict(scores)).plot()  # refuses other AUs, of which means say nothing
    by_fold = pd.DataFrame({name: table.mean(axis=1) for name, table in scores.items()})
    summary = pd.DataFrame({"mean F1": by_fold.mean(), "std over folds": by_fold.std()})
    by_au = pd.DataFrame({name: table.mean() for name, table in scores.items()})
    sections = {
        "Protocol": about,
        "Methods": [summary.rename_axis("method"), display],
        "F1 of each AU": by_au.T.rename_axis("method"),
        "F1 of each fold": by_fold.T.rename_axis("method"),
    }
    return _write(path, title, sections)


def film_report(
    path: str | PathLike[str],
    table: pd.DataFrame,
    *,
    person: int | None = None,
    video: Any = None,
    threshold: Any = None,
    title: str = "Film",
    card: Mapping[str, Any] | str | None = None,
) -> Path:
    """Write the page of one person of a film: a time line, and how long each AU was there.

    Parameters
    ----------
    path : path-like
        The ``.html`` file to write, over one that is there.
    table : DataFrame with one row a frame and face
        As :func:`skau.predict_video` returns it.
    person : int, default=None
        Whose page, by the column ``person``; frames without them count as without a face. None is
        for a table without two faces in a frame; of several people in it the page is one, and
        says so.
    video : path-like, Video, array or mapping, default=None
        Where the pictures of the peaks come from; see `TimelineDisplay`.
    threshold
        As in :func:`draw_overlay`.
    title : str, default="Film"
    card : dict or str, default=None
        What is to be said of the model; None is what the table remembers of it.

    Returns
    -------
    Path

    Notes
    -----
    Which film it is, by what model and whether it was calibrated stands there if the table
    remembers it (``table.attrs``): as it is returned by skau, or rows of it. One that was read by
    pandas remembers nothing; ``skau report`` reads what stands beside the file, too.

    Examples
    --------
    >>> import skau
    >>> from skau.inspection import film_report
    >>> table = skau.predict_video(skau.load_model("open-1"), "film.mp4")  # doctest: +SKIP
    >>> film_report("film.html", table, video="film.mp4")  # doctest: +SKIP
    """
    timeline = TimelineDisplay.from_predictions(
        table, person=person, video=video, threshold=threshold
    )
    table = timeline.table
    timeline.figure_.set_figwidth(2 * WIDTH)  # as wide as the page
    scores = table[numbered_aus(table)]
    limits = thresholds_of(table, threshold, numbered_aus(table))
    present = (scores > limits).where(scores.notna())
    begins = (scores > limits) & ~(scores.shift() > limits)
    at = scores.apply(lambda column: None if column.isna().all() else column.idxmax())
    summary = pd.DataFrame({
        "threshold": limits,
        "share of frames": present.astype(float).mean(),
        "events": begins.sum(),
        "mean probability": scores.mean(),
        "highest": scores.max(),
        "at (s)": [float("nan") if pd.isna(row) else float(table.loc[row, "time"]) for row in at],
    })  # fmt: skip
    seen = table["probability"].notna() if "probability" in table else scores.notna().any(axis=1)
    about = _story(table, video) | {
        "frames": len(table),
        "duration (s)": float(table["time"].iloc[-1]),
        "frames with a face": f"{seen.mean():.1%}",
    }
    if len(people := people_of(table)) > 1:
        about["people"] = f"{first_few(people)}, taken for one"
    sections = {
        "Film": about,
        "Time line": timeline,
        "Action Units": summary.rename_axis("AU"),
        "Model": table.attrs.get("model") if card is None else card,
    }
    return _write(path, title, sections)


def _story(table: pd.DataFrame, video: Any) -> dict[str, str]:
    """Say which film a table is of, and how it was corrected for people, as far as is known."""
    told: dict[str, str] = {}
    files = table["path"].dropna().unique().tolist() if "path" in table else []
    video = getattr(video, "path", video)
    film = files[0] if len(files) == 1 else table.attrs.get("film")
    if film is None and isinstance(video, str | PathLike):
        film = video
    if film is not None:
        told["film"] = Path(film).name
    if {"calibrate", "reference"} <= set(table.attrs):
        ways = {"calibrate": "all of their frames", "reference": "photos at rest"}
        by = " and ".join(way for key, way in ways.items() if table.attrs[key])
        told["calibrated to people"] = f"by {by}" if by else "no"
    return told


def _write(path: str | PathLike[str], title: str, sections: Mapping[str, Any]) -> Path:
    """Write the page, and close the figures that were made for it."""
    from matplotlib import pyplot as plt

    written = write_report(path, title, sections)
    for content in sections.values():
        for thing in content if isinstance(content, list) else [content]:
            if hasattr(thing, "figure_"):
                plt.close(thing.figure_)
    return written


def _candidates(search: Any) -> pd.DataFrame:
    results = search.cv_results_
    table = searched_parameters(results).rename(columns=short_name)
    if "iter" in results:  # in every round those that are left are tried on more
        table = table.assign(round=results["iter"], resources=results["n_resources"])
    scores = {"mean test score": results["mean_test_score"], "std": results["std_test_score"]}
    return table.assign(**scores).rename_axis("candidate")
