"""Predictions for everyone, each by an estimator that has not seen the person."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv, cross_validate
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import get_routing_for_object

from ..preprocessing._landmarks import is_landmark_table
from ..utils._groups import check_groups
from ..utils._labels import present_proba
from ..utils._rows import require_same_rows
from ..utils._sklearn import n_workers, num_samples, safe_indexing, validate_params
from ..utils._text import first_few
from ..utils._warnings import user_level
from ._kfold import SubjectKFold, n_subject_folds


@validate_params({"method": [str]}, prefer_skip_nested_validation=True)
def cross_val_predict(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    cv: Any = None,
    method: str = "predict_proba",
    params: dict[str, Any] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> np.ndarray:
    """Predict every annotated subject by an estimator fitted on other subjects.

    It does what :func:`sklearn.model_selection.cross_val_predict` does, where that one refuses:
    rows that are in no test part, as those of identity-only subjects, get NaN, and labels may be
    NaN. F1 scores belong to one fold: score each fold by itself, never all rows at once.

    Parameters
    ----------
    estimator : estimator
        Cloned and fitted for each fold.
    X : array-like of length n
        Images, paths or vectors.
    y : array-like of shape (n,) or (n, n_aus)
        Labels, NaN where not annotated.
    groups : array-like of shape (n,), default=None
        The subject of each row, for the splitter. With metadata routing pass it in `params`.
    cv : int, splitter or None, default=None
        None is ``SubjectKFold(5)``, a number that many folds of subjects. Test parts must not
        overlap.
    method : str, default="predict_proba"
        The estimator's method whose result is wanted.
    params : dict, default=None
        What the estimator's `fit` gets, usually ``{"groups": subjects}``; with metadata routing,
        what splitter and estimator get.
    n_jobs : int, default=None
        Folds fitted at the same time, as in joblib.
    verbose : int, default=0
        As in :func:`sklearn.model_selection.cross_validate`.

    Returns
    -------
    predictions : ndarray of shape (n, ...)
        The results of `method`, NaN in rows that no fold tests and for AUs that had no label in
        a training part. Where `method` gives a list, the probabilities of each larger label.

    Raises
    ------
    ValueError
        If there is no fold, a row is in two test parts, folds know different classes, or a fit
        fails.

    Warns
    -----
    UserWarning
        If `groups`, or those of `params`, tell that `cv` has somebody on both sides of a fold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from skau.model_selection import SubjectKFold, cross_val_predict
    >>> y = [0, 1, 0, 1, np.nan]
    >>> class Prior(DummyClassifier):
    ...     def fit(self, X, y):
    ...         return super().fit(X, np.nan_to_num(y))
    >>> cross_val_predict(Prior(), np.zeros((5, 1)), y, groups=["a", "a", "b", "b", "z"],
    ...                   cv=SubjectKFold(2), method="predict")
    array([ 0.,  0.,  0.,  0., nan])
    """
    if not hasattr(estimator, method):
        raise ValueError(f"method={method!r}: {type(estimator).__name__} has no such method")
    refuse_crops_by_subject(estimator, X)
    X, y = indexable(X, y)
    n_folds = n_subject_folds(cv)
    cv = cv if n_folds is None else SubjectKFold(n_folds)
    people = (params or {}).get("groups") if groups is None else groups
    if people is not None:
        require_same_rows({"groups": people}, {"y": y, "X": X})
        people = check_groups(people, num_samples(X))
    if isinstance(cv, Iterable):
        try:
            cv = [(train, test) for train, test in cv]
        except (TypeError, ValueError):
            raise ValueError(
                "cv must be a splitter, or hold the rows of a training and a test part for each "
                "fold"
            ) from None
    fitted = cross_validate(
        estimator,
        X,
        y,
        groups=groups,
        cv=_Apart(check_cv(cv), people),
        params=params,
        n_jobs=n_workers(n_jobs, num_samples(X)),
        verbose=verbose,
        scoring=_no_score,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    parts = fitted["indices"]["test"]
    if method != "predict":
        _require_equal_classes(fitted["estimator"])
    results = [
        _result(model, method, safe_indexing(X, test))
        for model, test in zip(fitted["estimator"], parts, strict=True)
    ]
    kind = float if all(result.dtype.kind in "bfiu" for result in results) else object
    predictions = np.full((num_samples(X), *results[0].shape[1:]), np.nan, dtype=kind)
    predictions[np.concatenate(parts)] = np.concatenate(results)
    return predictions


def refuse_crops_by_subject(estimator: Any, X: Any) -> None:
    """Refuse, before any fit, what cannot predict without knowing the people."""
    if is_landmark_table(X) or not hasattr(estimator, "get_params"):
        return
    inside = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
    for part in (inside, *inside.get_params().values()):
        k = getattr(part, "landmarks_per_subject", None)
        if k is not None:
            raise ValueError(
                f"estimator: {type(part).__name__}(landmarks_per_subject={k}) needs groups in "
                "prediction, too, but those held out are predicted without; look for the "
                "landmarks first, and let their table be X: "
                f"X = FaceCropper(landmarks_per_subject={k}).detect(X, groups=groups)"
            )


class _Apart:
    """A splitter whose parts are looked at before anything is fitted."""

    def __init__(self, cv: Any, people: np.ndarray | None) -> None:
        self.cv, self.people = cv, people

    def get_n_splits(self, *given: Any) -> int:  # without which it is no splitter
        return int(self.cv.get_n_splits(*given))

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self.cv)

    def split(self, X: Any, y: Any = None, **taken: Any) -> list[Any]:
        parts = list(self.cv.split(X, y, **taken))
        if not parts:
            raise ValueError("cv has no fold; give a splitter, or the two parts of each fold")
        rows, counts = np.unique(np.concatenate([test for _, test in parts]), return_counts=True)
        if (counts > 1).any():
            raise ValueError(f"Row {rows[counts > 1][0]} is in more than one test part of cv.")
        if self.people is not None:
            _warn_of_both_sides(parts, self.people)
        return parts


def _warn_of_both_sides(parts: list[Any], people: np.ndarray) -> None:
    """Tell of people who are tested by an estimator that has seen them."""
    both = [np.intersect1d(people[train], people[test]) for train, test in parts]
    if len(known := np.unique(np.concatenate(both))):
        warnings.warn(
            f"cv has {first_few(known)} on both sides of a fold, so they are predicted by an "
            "estimator that has seen them, and better than people never seen; pass a cv of whole "
            "subjects, such as SubjectKFold(5)",
            stacklevel=user_level(),
        )


def _result(model: Any, method: str, X: Any) -> np.ndarray:
    result = getattr(model, method)(X)
    if not isinstance(result, list):
        return np.asarray(result)
    # scikit-learn's own: the classes' columns for each AU
    if method != "predict_log_proba":
        return present_proba(result, len(result) == 1, model.classes_)
    proba = present_proba([np.exp(logs) for logs in result], len(result) == 1, model.classes_)
    with np.errstate(divide="ignore"):
        return np.log(proba)


def _require_equal_classes(models: list[Any]) -> None:
    """Refuse to put columns of different classes below each other.

    Of a list of classes for each AU, only the column of the larger is taken.
    """
    classes_ = [getattr(model, "classes_", []) for model in models]
    known = [[] if isinstance(each, list) else [str(label) for label in each] for each in classes_]
    for fold, classes in enumerate(known, 1):
        if classes != known[0]:
            raise ValueError(
                f"The training part of fold {fold} has the classes {', '.join(classes)}, that of "
                f"fold 1 {', '.join(known[0])}; choose a cv whose parts hold all of them, as "
                "StratifiedSubjectKFold tries to."
            )


def _no_score(estimator: Any, X: Any, y: Any) -> float:
    return 0.0
