"""Calibration to a person from unlabelled frames: how much of a logit is just that face."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from ..utils._groups import subject_codes
from ..utils._warnings import user_level

_COLUMNS = ["mean", "std", "frames", "rest", "rest_frames", "level", "spread"]


def unknown_population(names: np.ndarray) -> pd.DataFrame:
    """Stand for a population that was not measured: NaN throughout."""
    return population_table(np.full((len(names), len(_COLUMNS)), np.nan), names)


def population_table(values: Any, names: np.ndarray) -> pd.DataFrame:
    """Return the table of a population."""
    return pd.DataFrame(values, index=names, columns=_COLUMNS)


def measure_population(
    logits: np.ndarray, codes: np.ndarray, names: np.ndarray, labels: np.ndarray
) -> pd.DataFrame:
    """Say what the logits of a person are usually like, and how much people differ.

    Parameters
    ----------
    logits : ndarray of shape (n, n_aus)
        Of training frames.
    codes : ndarray of shape (n,)
        The person of each frame.
    names : ndarray of shape (n_aus,)
    labels : ndarray of shape (n, n_aus)
        1, 0, or NaN where it is not known.

    Returns
    -------
    DataFrame with one row an AU
        ``mean`` over a person's frames, averaged over people, ``std`` within people, and
        ``frames``: how many frames tell as much about a person's mean as knowing people in
        general does, the variance within people over that between them. It is infinite where
        people do not differ, and NaN if nobody knows, as with one person or one frame of each.
        ``rest`` is the mean at rest, averaged over people: of frames with no AU, or without
        this one if there are none of those. ``rest_frames`` is ``frames`` among frames without
        this AU. ``level`` and ``spread`` are what `calibrate` brings a person's mean and
        standard deviation to.
    """
    values, absent = pd.DataFrame(logits, columns=names), np.asarray(labels) == 0
    resting = ~(np.asarray(labels) == 1).any(axis=1)
    mean, within, between = _variances(values, codes)
    table = pd.DataFrame(
        {"mean": mean, "std": np.sqrt(within), "frames": _frames(within, between)}
    )
    for j, name in enumerate(names):
        rows = absent[:, j]
        calm = rows & resting if (rows & resting).any() else rows
        rest = rest_frames = np.nan
        if calm.any():
            rest = values.loc[calm, name].groupby(codes[calm]).mean().mean()
            _, *variances = _variances(values.loc[rows, [name]], codes[rows])
            rest_frames = _frames(*variances)[name]
        table.loc[name, ["rest", "rest_frames"]] = rest, rest_frames
    table["level"], table["spread"] = mean, np.sqrt(within + between)
    if table["frames"].notna().all():
        standard = calibrate(logits, codes, table.assign(level=0.0, spread=1.0))
        for j, name in enumerate(names):
            before, after = logits[absent[:, j], j], standard[absent[:, j], j]
            if len(after) and after.std() > 0:
                spread = before.std() / after.std()
                level = before.mean() - spread * after.mean()
                table.loc[name, ["level", "spread"]] = level, spread
    return table[_COLUMNS]


def _variances(values: pd.DataFrame, codes: np.ndarray) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return people's mean, and the variances within and between people; NaN if unknown."""
    people = values.groupby(codes)
    n, means = people.size(), people.mean()
    within = people.var().mul(n - 1, axis=0).sum() / max(n.sum() - len(n), 1)
    between = (means.var() - within * (1 / n).mean()).clip(lower=0)
    if n.max() == 1:
        between = between * np.nan
    return means.mean(), within, between


def _frames(within: pd.Series, between: pd.Series) -> pd.Series:
    return (within / between).where(within > 0, 0 * between)


def calibrate(logits: np.ndarray, groups: Any, population: pd.DataFrame) -> np.ndarray:
    """Take out of every person's logits what is that person's own level and spread.

    A person's own mean and standard deviation are known from few frames, so they are drawn
    towards the population's: of ``n`` frames they count ``n / (n + frames)``, as in the best
    linear prediction of a random effect. Then logits are brought to a level and a spread at which
    those of frames without the AU have the mean and the standard deviation that they had, on
    the people trained on, before: a threshold takes as many of them for the AU.

    Parameters
    ----------
    logits : ndarray of shape (n, n_aus)
    groups : array-like of shape (n,) or None
        The person of each frame. None leaves the logits as they are.
    population : DataFrame
        From `measure_population`.

    Returns
    -------
    ndarray of shape (n, n_aus)
    """
    if groups is None:
        return logits
    codes = subject_codes(groups, len(logits))
    if population["frames"].isna().any():
        warnings.warn(
            "groups changes nothing: how people differ is measured at the end of fit, which needs "
            "groups that name two people or more, with several frames of each; partial_fit "
            "forgets it",
            stacklevel=user_level(),
        )
        return logits
    columns = ["mean", "std", "frames", "level", "spread"]
    mean, std, frames, level, spread = population[columns].to_numpy().T
    people = pd.DataFrame(logits).groupby(codes)
    n = people.size().to_numpy()[:, None]
    trust = n / (n + frames)
    own_mean, own_std = people.mean().to_numpy(), people.std().fillna(0).to_numpy()
    own_mean = mean + trust * (own_mean - mean)
    own_std = std + trust * np.where(n > 1, own_std - std, 0)
    divisor = np.where(own_std > 0, own_std, std)
    stretch = np.divide(spread, divisor, out=np.ones_like(divisor), where=divisor > 0)
    return (logits - own_mean[codes]) * stretch[codes] + level


def seen_once(nobody: str, *, film: bool) -> str:
    """Say that ``nobody`` is seen more than once, by which alone a face is known."""
    what = "frame that was looked at" if film else "photo"
    mend = "look at more frames, or leave calibrate out"
    if not film:
        mend = (
            "give several photos of each person, or leave calibrate out. If there are several, "
            "and a person was taken for another one in each, say who is who: "
            "model.predict_proba(photos, groups=people)"
        )
    return (
        f"calibrate: {nobody} is found in more than one {what}, so a face and what it shows "
        f"cannot be told apart, and a part of both is taken off; {mend}"
    )
