"""Several corpora as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ..utils._docs import substitute
from ..utils._groups import check_groups
from ..utils._labels import read_table
from ._bunch import DOCS, au_names, make_bunch


@substitute(DOCS)
def stack_corpora(
    *corpora: Bunch,
    names: Sequence[str] | None = None,
    as_frame: bool = True,
) -> Bunch:
    """Put corpora under each other: the union of their AUs, their subjects kept apart.

    Subjects become ``"BP4D/F001"``: two corpora never share one. An AU that a corpus does not
    annotate is NaN in its rows. Paths stay paths: no image is read.

    Parameters
    ----------
    *corpora : :class:`~sklearn.utils.Bunch`
        Two or more, as the loaders of :mod:`skau.datasets` return them. The columns of a `target`
        are the AUs that they are called; those of an array are `au_names`.
    names : sequence of str, default=None
        One name for each corpus, all different. None takes their `name`.
    {corpus}

        images : ndarray
            Where all corpora hold arrays of one shape, one array of shape (n, height, width[, 3]).
            Otherwise of shape (n,) and dtype object: paths, and views of images given as arrays.
        target : DataFrame of shape (n, n_aus)
            Columns by AU number. A corpus of identities adds rows of NaN.
        groups : ndarray of shape (n,), dtype str
            Subjects, with the name of their corpus in front.
        frame : DataFrame
            Columns image (where the images are paths), subject, corpus, the columns that the
            corpora's frames have, and the AUs.
        folds : dict or None
            The published folds of all corpora, such as ``"BP4D/P1"``. To test on those of one
            corpus and train on everything else, pass its folds to
            :class:`~skau.model_selection.PredefinedSubjectSplit` with ``rest="train"``.
        name, DESCR : str
            The names joined by "+", and the descriptions.

    Raises
    ------
    ValueError
        With fewer than two corpora, an incomplete one, one whose labels are not 0, 1 and NaN or
        whose `frame` has other rows than its `target`, or names that are missing, equal or contain
        "/".
    TypeError
        If a corpus is none.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sklearn.utils import Bunch
    >>> from skau.datasets import stack_corpora
    >>> def corpus(name, au):
    ...     return Bunch(name=name, images=np.zeros((2, 8, 8), np.uint8), groups=["1", "2"],
    ...                  target=pd.DataFrame({au: [0.0, 1.0]}), au_names=[au])
    >>> both = stack_corpora(corpus("A", "AU12"), corpus("B", "AU4"))
    >>> both.target.assign(subject=both.groups)
       AU4  AU12 subject
    0  NaN   0.0     A/1
    1  NaN   1.0     A/2
    2  0.0   NaN     B/1
    3  1.0   NaN     B/2
    """
    _check_corpora(corpora)
    names = _check_names(corpora, names)
    targets = [_labels(corpus, name) for name, corpus in zip(names, corpora, strict=True)]
    annotated = {str(au) for target in targets for au in target}
    union = sorted(annotated, key=lambda au: int(au[2:]))
    extras, groups = [], []
    folds: dict[str, list[str]] = {}
    for name, corpus, target in zip(names, corpora, targets, strict=True):
        subjects = check_groups(
            corpus.groups, len(target), f"the groups of {name}", of="its target"
        )
        groups += [f"{name}/{subject}" for subject in subjects]
        frame = corpus.get("frame")
        extra = pd.DataFrame({"corpus": name}, index=target.index)
        if isinstance(frame, pd.DataFrame):
            other = ["image", "subject", "corpus", *union, *corpus.au_names]
            known = frame.drop(columns=other, errors="ignore")
            extra = pd.concat([extra, known.reset_index(drop=True)], axis=1)
        extras.append(extra)
        for fold, tested in (corpus.get("folds") or {}).items():
            folds[f"{name}/{fold}"] = [f"{name}/{subject}" for subject in tested]
    return make_bunch(
        "+".join(names),
        _stack_images([corpus.images for corpus in corpora]),
        groups,
        pd.concat([target.reindex(columns=union) for target in targets], ignore_index=True),
        extra=pd.concat(extras, ignore_index=True),
        folds=folds or None,
        descr="\n\n".join(corpus.get("DESCR", "") for corpus in corpora),
        as_frame=as_frame,
    )


def _check_corpora(corpora: Sequence[Any]) -> None:
    for place, corpus in enumerate(corpora):
        if isinstance(corpus, Bunch):
            lacking = [k for k in ("images", "target", "groups", "au_names") if k not in corpus]
            if lacking:
                raise ValueError(
                    f"Corpus {place} has no {', '.join(lacking)}; pass what a loader returned."
                )
            lengths = [len(corpus[key]) for key in ("images", "target", "groups")]
            if len(set(lengths)) > 1:
                raise ValueError(
                    f"Corpus {place} has {lengths[0]} images, {lengths[1]} rows of target and "
                    f"{lengths[2]} groups; each image needs one of both."
                )
            _check_frame(corpus, place)
            continue
        mend = "pass what a loader returned, a Bunch with images, target, groups and au_names"
        if isinstance(corpus, (list, tuple)) and any(isinstance(part, Bunch) for part in corpus):
            mend = "pass the corpora one by one: stack_corpora(*corpora)"
        raise TypeError(f"Corpus {place} is a {type(corpus).__name__}: {mend}.")


def _check_frame(corpus: Bunch, place: int) -> None:
    """Raise if rows were selected or sorted everywhere but in `frame`."""
    frame, target = corpus.get("frame"), corpus.target
    if not isinstance(frame, pd.DataFrame):
        return
    if len(frame) != len(target):
        raise ValueError(
            f"The frame of corpus {place} has {len(frame)} rows, and its target {len(target)}: "
            "select the same rows of it, or set frame to None."
        )
    if not isinstance(target, pd.DataFrame | pd.Series):
        return
    rows, others = frame.index, target.index
    if rows.is_unique and not rows.equals(others) and set(rows) == set(others):
        raise ValueError(
            f"The frame of corpus {place} has the rows of its target in another order: bring "
            "both into one, or set frame to None."
        )


def _labels(corpus: Bunch, name: str) -> pd.DataFrame:
    """Return the labels in columns ``AUn``, which those of an array are by `au_names`."""
    table = read_table(corpus.target, f"the target of {name}")
    named = "au_names" if table.given is None else "columns"
    try:
        columns = au_names(corpus.au_names if table.given is None else table.given)
    except ValueError as error:
        raise ValueError(f"{named} of {name}: {error}") from None
    if len(columns) != table.values.shape[1]:
        raise ValueError(
            f"The target of {name} has {table.values.shape[1]} columns without names, and its "
            f"au_names are {len(columns)}: name in au_names what the columns are."
        )
    return pd.DataFrame(table.values, columns=columns)


def _check_names(corpora: Sequence[Bunch], names: Sequence[str] | None) -> list[str]:
    if len(corpora) < 2:
        raise ValueError(f"stack_corpora needs two or more corpora, not {len(corpora)}.")
    found = [corpus.get("name") for corpus in corpora] if names is None else list(names)
    if len(found) != len(corpora):
        raise ValueError(f"names must hold {len(corpora)} names, one a corpus, not {len(found)}.")
    if None in found:
        raise ValueError(f"Corpus {found.index(None)} has no name: pass names, one a corpus.")
    if len(set(found)) < len(found) or any("/" in str(name) for name in found):
        raise ValueError(
            f"The corpora's names have to differ and be free of '/', but are {found}: pass names. "
            "If two hold the same people, load them as one corpus instead, or a person would "
            "become two subjects."
        )
    return [str(name) for name in found]


def _stack_images(parts: list[Any]) -> Bunch:
    """One array if all are arrays of images of one shape; else an array of paths and images."""
    arrays = [part for part in parts if isinstance(part, np.ndarray) and part.ndim > 1]
    if len(arrays) == len(parts) and len({(a.shape[1:], a.dtype) for a in arrays}) == 1:
        return np.concatenate(arrays)
    images = [image for part in parts for image in part]
    if all(isinstance(image, str) for image in images):
        return images
    return np.fromiter(images, dtype=object, count=len(images))
