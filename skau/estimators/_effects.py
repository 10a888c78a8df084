"""A mixed-effects model of features: what is the person's, what is the AU's, what is neither."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.linalg import cholesky, eigh, solve_triangular

from ..utils._arrays import plain
from ..utils._groups import are_strangers_enough, check_groups, subject_codes

# Of how many times their mean variance the features get more noise than was seen. Chosen among 0.1
# to 10 on people of no test fold, where 1 to 3 were alike (benchmarks/results/person.md).
_NOISE = 2.0


@dataclass(frozen=True)
class PersonEffects:
    """How features differ between and within people, and what each AU does to them.

    A frame's features are ``mean + b + D y + e``: ``b`` of the person, normal with covariance
    ``B``; ``D y`` of the AUs shown; ``e`` of the frame, with covariance ``E``. All is kept in the
    coordinates ``u = whiten @ (features - mean)``, in which ``E`` is the identity and ``B`` is
    ``diag(between)``, so that to foretell ``b`` is to shrink each coordinate by itself.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    whiten : ndarray of shape (d, d)
    between : ndarray of shape (d,)
    directions : ndarray of shape (n_aus, d)
        What each AU does to ``u``, scaled so that the scores of single frames have variance 1.
    scale, offset : ndarray of shape (n_aus,)
        From scores to logits.
    rest : ndarray of shape (d,)
        Mean of ``u`` over frames without any AU, NaN where there were none.
    """

    mean: np.ndarray
    whiten: np.ndarray
    between: np.ndarray
    directions: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    rest: np.ndarray

    @classmethod
    def unknown(cls, head: np.ndarray) -> Self:
        """Make one that changes nothing: scores are the logits of a head (n_aus, d)."""
        n_aus, d = head.shape
        zero, one = np.zeros(n_aus), np.ones(n_aus)
        return cls(np.zeros(d), np.eye(d), np.zeros(d), head, one, zero, np.full(d, np.nan))

    @classmethod
    def fit(
        cls, features: np.ndarray, Y: np.ndarray, people: np.ndarray, head: np.ndarray
    ) -> Self | None:
        """Estimate all of it, in closed form.

        Parameters
        ----------
        features : ndarray of shape (n, d)
        Y : ndarray of shape (n, n_aus)
            1, 0, or NaN where it is not known.
        people : ndarray of shape (n,)
            Codes of the people.
        head : ndarray of shape (n_aus, d)
            The network's own weights, from which the logits get their mean and spread, and the
            direction of an AU that nobody was seen both with and without.

        Returns
        -------
        PersonEffects, or None where there are no two people of whom one has two frames
        """
        labelled = ~np.isnan(Y).all(axis=1)
        rows = np.ones(len(people), bool)
        # Of those whom the network was trained on it knows the labels by heart, which hides how
        # people differ, so the others tell it better wherever they are as many.
        if are_strangers_enough(people, labelled):
            rows = ~np.isin(people, people[labelled])
        mean, within, between = _covariances(features[rows], people[rows])
        if within is None or between is None:
            return None
        d = len(mean)
        noise = within + max(_NOISE * np.trace(within) / d, 1e-12) * np.eye(d)
        root = cholesky(noise, lower=True)
        half = solve_triangular(root, between, lower=True)
        variances, basis = eigh(solve_triangular(root, half.T, lower=True))
        whiten = basis.T @ solve_triangular(root, np.eye(d), lower=True)
        variances = np.clip(variances, 0, None)
        effects = _label_effects(features[labelled], Y[labelled], people[labelled])
        never = np.isnan(effects).any(axis=1)
        effects[never] = head[never] @ noise
        directions = effects @ whiten.T
        u = (features - mean) @ whiten.T
        scores = (u[rows] / (1 + variances)) @ directions.T
        spread = scores.std(axis=0)
        spread[spread == 0] = 1
        logits = features[rows] @ head.T
        scale = logits.std(axis=0)
        offset = logits.mean(axis=0) - scale * scores.mean(axis=0) / spread
        calm = labelled & ~(Y == 1).any(axis=1)
        rest = pd.DataFrame(u[calm]).groupby(people[calm]).mean().mean().to_numpy()
        rest = rest if calm.any() else np.full(d, np.nan)
        return cls(mean, whiten, variances, directions / spread[:, None], scale, offset, rest)

    def person_effects(self, u: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Foretell ``b`` of people from the means (n_people, d) over their ``n`` frames."""
        known = n[:, None] * self.between
        return known / (1 + known) * u

    def scores(self, u: np.ndarray, groups: Any = None, reference: Any = None) -> np.ndarray:
        """Score each AU, (n, n_aus), by ``u`` less the person's foretold effect.

        ``groups`` pools a person's frames, ``reference`` those of them that show the person at
        rest; without both each frame is taken by itself.
        """
        if groups is None and reference is None:
            return (u / (1 + self.between)) @ self.directions.T
        codes = np.zeros(len(u), int) if groups is None else subject_codes(groups, len(u))
        if reference is None:
            means = pd.DataFrame(u).groupby(codes).mean().to_numpy()
            own = self.person_effects(means, np.bincount(codes))
        else:
            at_rest = _check_reference(reference, groups, codes)
            if np.isnan(self.rest).any():
                raise ValueError(
                    "reference needs a classifier that knows what people look like at rest: one "
                    "fitted with groups on some frames that show none of the AUs"
                )
            means = pd.DataFrame(u[at_rest]).groupby(codes[at_rest]).mean().to_numpy()
            own = self.person_effects(means - self.rest, np.bincount(codes[at_rest]))
        return (u - own[codes]) @ self.directions.T


def _check_reference(reference: Any, groups: Any, codes: np.ndarray) -> np.ndarray:
    at_rest = np.asarray(plain(reference, "reference"))
    if at_rest.dtype != bool or at_rest.shape != codes.shape:
        raise ValueError(
            f"reference must say of each of the {len(codes)} rows whether it shows the person at "
            f"rest, True or False; got {at_rest.dtype} of shape {at_rest.shape}"
        )
    lacking = np.setdiff1d(codes, codes[at_rest])
    if len(lacking):
        who = (
            "nobody"
            if groups is None
            else str(np.unique(check_groups(groups, len(codes)))[lacking[0]])
        )
        raise ValueError(
            f"reference marks no frame of {who}: each person needs one at least, or predict "
            "those who have none by themselves"
        )
    return at_rest


def _covariances(
    features: np.ndarray, people: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Mean over people, covariance within them, and between them, by the analysis of variance."""
    codes = np.unique(people, return_inverse=True)[1]
    n = np.bincount(codes)
    means = pd.DataFrame(features).groupby(codes).mean().to_numpy()
    free = len(codes) - len(n)
    if len(n) < 2 or free < 1:
        return means.mean(axis=0), None, None
    deviations = features - means[codes]
    within = deviations.T @ deviations / free
    between = np.cov(means.T) - within * (1 / n).mean()
    values, basis = eigh(between)  # an estimate of a covariance may have negative ones
    return means.mean(axis=0), within, (basis * np.clip(values, 0, None)) @ basis.T


def _label_effects(features: np.ndarray, Y: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Average over people what an AU adds to the features of one and the same person.

    The mean of the frames with it less that of those without, people weighted by
    ``n_with * n_without / n``: (n_aus, d), NaN where nobody was seen both with and without.
    """
    effects = np.full((Y.shape[1], features.shape[1]), np.nan)
    for j, y in enumerate(Y.T):
        known = ~np.isnan(y)
        own = pd.Series(y[known]).groupby(people[known]).transform("mean").to_numpy()
        deviation = y[known] - own
        total = np.clip(deviation, 0, None).sum()
        if total > 0:
            effects[j] = deviation @ features[known] / total
    return effects
