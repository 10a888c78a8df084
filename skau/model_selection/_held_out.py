"""What thresholds and calibration share: predictions for people that a model has not seen."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import field
from numbers import Integral
from typing import Annotated, Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..metrics._scorers import AccuracyMixin
from ..utils._classifier import MultiAUMixin, WrapsClassifierMixin
from ..utils._failure import all_or_nothing
from ..utils._fit_tasks import fit_part
from ..utils._groups import check_groups
from ..utils._labels import (
    code_present,
    fitted_names,
    label_array,
    present_proba,
    read_names,
    read_table,
)  # fmt: skip
from ..utils._parameters import parameters
from ..utils._routing import fit_groups, predict_groups
from ..utils._rows import require_same_rows
from ..utils._sklearn import HasMethods, StrOptions, fit_context, num_samples
from ..utils._text import first_few
from ..utils._warnings import user_level
from ._cross_val_predict import cross_val_predict, refuse_crops_by_subject
from ._kfold import SubjectKFold, n_subject_folds, scored_rows


@parameters
class HeldOutClassifier(WrapsClassifierMixin, AccuracyMixin, MultiAUMixin, BaseEstimator):
    """Fit a classifier, and learn something of each AU from people held out.

    A subclass says what it learns in ``_learn``.
    """

    estimator: Annotated[
        Any, HasMethods(["fit", "predict_proba"]), HasMethods(["fit", "decision_function"])
    ] = field(kw_only=False)
    cv: Annotated[Any, "cv_object", StrOptions({"prefit"})] = None
    n_jobs: Annotated[int | None, Integral, None] = None

    @abstractmethod
    def _learn(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Learn from scores (n, n_aus), such as logits, and labels of 1, 0 and NaN."""

    def _known(
        self,
        scores: np.ndarray,
        labels: np.ndarray,
        otherwise: str,
        needed: tuple[int, ...] = (0, 1),
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield each AU's position, labels and scores where those needed are among its labels.

        Of the others it warns at the end: nothing is learned of them, ``otherwise``.
        """
        unknown = []
        for j, name in enumerate(self.au_names_):
            rows = ~np.isnan(labels[:, j])
            if not np.isin(needed, labels[rows, j]).all():
                unknown.append(str(name))
            else:
                yield j, labels[rows, j], scores[rows, j]
        if unknown:
            both = (
                "both labels, present and absent," if len(needed) > 1 else "the label 0, absent,"
            )
            warnings.warn(
                f"nobody held out has {both} of {first_few(unknown)}; {otherwise}",
                stacklevel=user_level(),
            )

    def _check(self, names: list[str]) -> None:
        """Refuse, before anything is fitted, what `_learn` cannot use."""

    def _scores(self, output: np.ndarray, method: str) -> np.ndarray:
        """Turn the output of ``predict_proba`` or ``decision_function`` into scores."""
        return output

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the classifier on all rows, and learn from predictions for people held out.

        Parameters
        ----------
        X : array-like
            What the classifier takes.
        y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
            1 where an AU is present, 0 where it is absent, NaN where it is not annotated. A
            1-D ``y`` holds one AU, of any two labels; the larger one is "present". A classifier
            that is fitted already knows its own two.
        groups : array-like of shape (n,), default=None
            The subject of each row. No subject is on both sides of a split. Without it the rows
            count as independent, and ``fit`` warns.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an input has the wrong shape or values, or the classifier cannot be fitted.
        """
        prefit = self.cv == "prefit" or isinstance(self.estimator, FrozenEstimator)
        names = fitted_names(self.estimator) if prefit else None
        if prefit:
            check_is_fitted(self.estimator)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        values = label_array(y)
        check_consistent_length(X, values)
        require_same_rows({"groups": groups}, {"y": y, "X": X})
        if names is None:
            names = read_names(y) or (["y0"] if values.ndim == 1 else read_table(y).names)
        self._check(names)
        refuse_crops_by_subject(self.estimator, X)
        context = self._begin_fit(0 if prefit else 1, X, y)
        method, model = self._response(self.estimator), self.estimator
        if not prefit:  # those held out first: folds that cannot be are told of before any fit
            output = self._predict_others(X, y, groups, method)
            model = clone(self.estimator)
            params = fit_groups(model, groups)
            fit_part(model, context.subcontext("fit"), self, X, y, params)
        self.estimator_ = model
        labels = self._read_labels(y)
        self.au_names_ = np.array(labels.names)
        self._take_features_of(model)
        if prefit:
            output = getattr(model, method)(X)
        scores = self._scores(self._table(output), method)
        self._learn(scores, np.where(np.isnan(scores), np.nan, labels.values))
        self._end_fit(context, X, y)
        return self

    def _read_labels(self, y: Any) -> Any:
        table = read_table(code_present(y, self.classes_) if label_array(y).ndim == 1 else y)
        self._single = table.one_column
        names = fitted_names(self.estimator_)
        if names is None:
            return table
        return table.match(names, len(names), "y", type(self.estimator_).__name__)

    def _predict_others(self, X: Any, y: Any, groups: Any, method: str) -> np.ndarray:
        """Predict every annotated subject by a model fitted on others."""
        params = fit_groups(self.estimator, groups)
        cv, n_folds = self.cv, n_subject_folds(self.cv)
        if groups is not None:
            groups = check_groups(groups, num_samples(X))
        elif n_folds is not None:
            warnings.warn(
                "groups is not given, so the rows count as independent: those of one person "
                "are on both sides of a split, and what is learned from them is too good for "
                "people never seen; pass groups=subjects",
                stacklevel=user_level(),
            )
            groups = np.arange(num_samples(X))
        if n_folds is not None:
            n_subjects = len(np.unique(groups[scored_rows(y, groups)]))
            if n_subjects < 2:
                n = len(groups)
                raise ValueError(
                    f"{type(self).__name__} holds out whole subjects, but {n_subjects} has a "
                    f"label in y ({n} sample{'s' * (n != 1)}); fit the estimator beforehand and "
                    "pass cv='prefit'"
                )
            cv = SubjectKFold(min(n_folds, n_subjects))
        options: dict[str, Any]
        if groups is None:  # a splitter that needs them says so
            options = {"params": params}
        elif get_config()["enable_metadata_routing"]:
            options = {"params": {"groups": groups}}
        else:
            options = {"groups": groups, "params": params}
        return cross_val_predict(
            self.estimator, X, y, cv=cv, method=method, n_jobs=self.n_jobs, **options
        )

    def _response(self, model: Any) -> str:
        """Return the method whose output is learned from."""
        return "predict_proba" if hasattr(model, "predict_proba") else "decision_function"

    def _table(self, output: Any) -> np.ndarray:
        """Return what a model gave as (n, n_aus)."""
        n_aus = len(self.au_names_)
        table = present_proba(output, n_aus == 1, getattr(self.estimator_, "classes_", None))
        return table.reshape(-1, n_aus)

    def _infer(self, X: Any, method: str, groups: Any) -> Any:
        check_is_fitted(self)
        return predict_groups(self.estimator_, method, X, groups)

    @property
    def classes_(self) -> np.ndarray:
        """``arange(n_aus)``, or the two labels of a single AU."""
        return self.estimator_.classes_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_") and hasattr(self, "au_names_")
