"""What a model was trained on, as numbers that travel with it and tell of nobody."""

from typing import Any

import numpy as np


def training_facts(
    Y: np.ndarray,
    names: np.ndarray,
    group: np.ndarray | None,
    held_out: int = 0,
    before: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Count rows, subjects and labels.

    Parameters
    ----------
    Y : ndarray of shape (n, n_aus)
        1, 0, NaN.
    names : ndarray of str, shape (n_aus,)
    group : ndarray of shape (n,) or None
        Codes of the subjects; None, or -1 throughout, where nobody said.
    held_out : int
        How many of the rows only chose the epoch.
    before : dict, optional
        The facts of earlier parts, which are added. How many people all parts show, nobody knows.

    Returns
    -------
    dict
        See ``trained_on_`` of the estimators.
    """
    named = group is not None and bool((group >= 0).any())
    facts: dict[str, Any] = {
        "rows": len(Y),
        "held_out_rows": held_out,
        "identity_only_rows": int(np.isnan(Y).all(axis=1).sum()),
        "subjects": len(np.unique(group)) if named else None,  # type: ignore[arg-type]
    }
    for value, word in ((1, "present"), (0, "absent")):
        counts = np.equal(Y, value).sum(axis=0)
        facts[word] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if before is None:
        return facts
    for word in ("present", "absent"):
        facts[word] = {name: n + before[word][name] for name, n in facts[word].items()}
    for key in ("rows", "held_out_rows", "identity_only_rows"):
        facts[key] += before[key]
    return facts | {"subjects": None}
