"""Who is held out of training to choose the epoch that is kept."""

import warnings

import numpy as np

from ..training._data import AUDataset
from ..utils._text import first_few
from ..utils._warnings import user_level


def hold_out(
    data: AUDataset, fraction: float, rng: np.random.RandomState, *, by_subject: bool
) -> tuple[AUDataset, AUDataset | None]:
    """Split into a training and a validation part, with a warning where that says little.

    Parameters
    ----------
    data : AUDataset
    fraction : float in [0, 1)
        Share of the annotated subjects, rounded up; one is always left to train on.
    rng : numpy.random.RandomState
        Draws them.
    by_subject : bool
        False holds out annotated rows: nobody said whose they are.

    Returns
    -------
    train, valid : AUDataset
        ``valid`` has the annotated rows alone, and is None where nothing is held out. Rows of a
        held-out subject that are not annotated are in neither.
    """
    if fraction == 0:
        return data, None
    rows, annotated = data.rows, data.rows[data.annotated]
    unit = data.group if by_subject else np.arange(len(data.group))
    units = rng.permutation(np.unique(unit[annotated]))
    # 0.07 of 100 is 7, which float64 makes a little more
    n_valid = min(int(np.ceil(fraction * len(units) - 1e-9)), len(units) - 1)
    if n_valid == 0:
        if by_subject:
            warnings.warn(
                "groups names one annotated subject, so no other can be held out for "
                "validation; the last epoch is kept (validation_fraction=0 says so)",
                stacklevel=user_level(),
            )
        return data, None
    if not by_subject:
        warnings.warn(
            # the same of every fold and refit, so that it is shown once
            "groups is not given, so rows are held out for validation, whoever "
            "they show: a person who stands on both sides makes the epoch that is kept look "
            "good. Pass groups to fit; in a pipeline as <step>__groups=, and in a search, "
            "which keeps groups to its splitter, by "
            "sklearn.set_config(enable_metadata_routing=True). validation_fraction=0 holds "
            "nothing out",
            stacklevel=user_level(),
        )
    held_out = np.isin(unit, units[:n_valid])
    return data.part(rows[~held_out[rows]]), data.part(annotated[held_out[annotated]])


def warn_of_held_out(Y: np.ndarray, train: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Warn of AUs of which all labels, or all of one class, are held out.

    Parameters
    ----------
    Y : ndarray of shape (n, n_aus)
        1, 0, NaN of all rows.
    train : ndarray of shape (n_train, n_aus)
        Of those that are left to train on.
    names : ndarray of str, shape (n_aus,)

    Returns
    -------
    ndarray of bool, shape (n_aus,)
        Which AUs have no label to train on, and so cannot be learned.
    """
    unlabelled = np.isnan(train).all(axis=0)
    lost = unlabelled & ~np.isnan(Y).all(axis=0)
    mend = (
        "all are in rows held out for validation; another random_state or a smaller "
        "validation_fraction may leave some"
    )
    if lost.any():
        warnings.warn(
            f"no label of {first_few(names[lost])} is left to train on, so it is not learned and "
            f"is predicted as NaN: {mend}",
            stacklevel=user_level(),
        )
    for value, word in ((1, "positive"), (0, "negative")):
        shown, learned = (np.equal(part, value).any(axis=0) for part in (Y, train))
        only = shown & ~learned & ~lost
        if only.any():
            warnings.warn(
                f"no {word} example of {first_few(names[only])} is left to train on, so what is "
                f"predicted for it means nothing: {mend}",
                stacklevel=user_level(),
            )
    return unlabelled
