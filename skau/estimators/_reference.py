"""Photos of people at rest: what makes a person's resting logits everybody's."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from ..preprocessing._image_source import ImageSource
from ..preprocessing._results import run
from ..preprocessing._storage import Crops
from ..utils._text import first_few
from ._scorer import Scorer

ANYBODY = -1  # of whom the photos are where nobody said so


class OfSeveral(dict[int, Any]):
    """Photos by person for several films, not all of which need to show everybody."""


def rest_lines(scorer: Scorer, reference: Any) -> dict[int, np.ndarray]:
    """Compute the lines that correct the logits of people of whom there are photos at rest.

    The mean over a person's photos is known from few, so of ``n`` photos the deviation from the
    resting mean of the population counts ``n / (n + rest_frames)``, the best linear prediction of
    a random effect. What is left of a face at rest varies less than faces of all people, by
    whom thresholds are chosen, so it is stretched to vary as much.

    Parameters
    ----------
    scorer : Scorer
    reference : list of photos, or dict of int to list of photos

    Returns
    -------
    dict of int to ndarray of shape (2, n_aus)
        By person, the slopes and what is then added; under `ANYBODY` where nobody said whose
        the photos are.
    """
    population = scorer.population("reference")
    if population["rest_frames"][scorer.learned].isna().any():
        raise ValueError(
            "reference needs a model that knows what people's logits are at rest: one fitted with "
            "groups and several frames of people that show none of the AUs"
        )
    cropper = scorer.cropper
    photos = reference if isinstance(reference, Mapping) else {ANYBODY: reference}
    lines: dict[int, np.ndarray] = {}
    for person in reference if isinstance(reference, Mapping) else ():
        if isinstance(person, bool) or not isinstance(person, Integral) or person < 0:
            raise ValueError(
                f"reference names the person {person!r}; expected numbers of the column person"
            )
    for person, images in photos.items():
        if isinstance(images, str) or not len(images):
            raise ValueError(
                f"reference must hold lists of photos, not {images!r:.80}: [photo], or "
                "{person: [photo, photo], ...} by the numbers of the column person"
            )
        source = ImageSource(images, "reference" if person == ANYBODY else f"reference[{person}]")
        # without `transform`, which would warn: no filter may be held while threads work
        crops = Crops(int(cropper.size), len(source), None)
        problems = run(cropper, source, crops=crops).problems
        if problems:
            names = [source.name(row) for row in sorted(problems)]
            raise ValueError(
                f"reference: no face found in {first_few(names)}, or it is no image; leave it out"
            )
        lines[int(person)] = rest_line(scorer.logits(crops.array()), population)
    return lines


def rest_line(logits: np.ndarray, population: pd.DataFrame) -> np.ndarray:
    """Compute the slopes and what is then added, (2, n_aus), from logits of one person at rest."""
    rest, rest_frames = population[["rest", "rest_frames"]].to_numpy().T
    people = np.divide(1, rest_frames, out=np.zeros_like(rest), where=rest_frames > 0)
    trust = len(logits) / (len(logits) + rest_frames)
    own = rest + trust * (logits.mean(axis=0) - rest)
    # the variance at rest of all people, and of somebody of whom so much is known
    slope = np.sqrt((1 + people) / (1 + (1 - trust) * people))
    return np.array([slope, rest - slope * own])


def nobody_has(numbers: list[int], people: Iterable[int], where: str) -> str:
    """Say that photos are of numbers that nobody has."""
    return (
        f"reference: nobody{where} has the number {', '.join(map(str, numbers))}; the column "
        f"person holds {', '.join(map(str, sorted(set(people))))}"
    )


def taken_for_one(person: int, others: list[int], where: str, calibrated: bool) -> str:
    """Say for whom photos were taken of which nobody said whose they are."""
    left = "calibrated by their frames" if calibrated else "not corrected"
    return (
        f"reference: taken for person {person}{where}, the first of those seen most; "
        f"{first_few(others)} {'is' if len(others) == 1 else 'are'} {left}. Say whose photos they "
        "are by numbers of the column person: "
        f"reference={{{person}: [photo], {others[0]}: [photo]}}"
    )
