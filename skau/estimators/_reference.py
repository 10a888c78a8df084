"""Photos of people at rest: how far a person's resting logits are from everybody's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from ..preprocessing._image_source import ImageSource
from ..utils._text import first_few
from ..utils._warnings import quietly
from ._scorer import Scorer

__all__ = ["ANYBODY", "rest_shifts"]

ANYBODY = -1  # of whom the photos are where nobody said so


def rest_shifts(scorer: Scorer, reference: Any) -> dict[int, np.ndarray]:
    """Compute what is to be added to the logits of people of whom there are photos at rest.

    The mean over a person's photos is known from few, so of ``n`` photos the deviation from the
    resting mean of the population counts ``n / (n + rest_frames)``, the best linear prediction of
    a random effect.

    Parameters
    ----------
    scorer : Scorer
    reference : list of photos, or dict of int to list of photos

    Returns
    -------
    dict of int to ndarray of shape (n_aus,)
        By person; under `ANYBODY` where nobody said whose the photos are.
    """
    population = scorer.population("reference")
    if not {"rest", "rest_frames"} <= set(population) or population["rest_frames"].isna().any():
        raise ValueError(
            "reference needs a model that knows what people's logits are at rest: one fitted by "
            "this version of skau, with groups, several frames of people that show none of the AUs"
        )
    photos = reference if isinstance(reference, Mapping) else {ANYBODY: reference}
    shifts: dict[int, np.ndarray] = {}
    for person, images in photos.items():
        if isinstance(images, str) or not len(images):
            raise ValueError(
                f"reference must hold lists of photos, not {images!r:.80}: [photo], or "
                "{person: [photo, photo], ...} by the numbers of the column person"
            )
        cropper = clone(scorer.cropper).set_params(on_missing="warn")
        try:
            with quietly():
                crops = cropper.fit_transform(images)
        except (ValueError, TypeError) as error:
            raise ValueError(f"reference: {error}") from error
        if len(cropper.missing_):
            names = [ImageSource(images).name(row) for row in cropper.missing_]
            raise ValueError(
                f"reference: no face found in {first_few(names)}, or it is no image; leave it out"
            )
        logits = scorer.logits(crops)
        trust = len(logits) / (len(logits) + population["rest_frames"].to_numpy())
        shifts[int(person)] = -trust * (logits.mean(axis=0) - population["rest"].to_numpy())
    return shifts
