"""Test parts of a display: labels beside probabilities, a fold at a time."""

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd

from ..utils import predict_table
from ..utils._groups import check_groups
from ..utils._labels import (
    read_predictions,
    read_table,
    read_thresholds,
    require_probabilities,
)
from ..utils._rows import require_same_rows
from ..utils._sklearn import safe_indexing
from ..utils._unwrap import classifier_of
from ._display import Display

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Part(NamedTuple):
    """What was predicted for people that the estimator had not seen."""

    labels: pd.DataFrame  # 1, 0, NaN; NaN too where nothing was predicted
    proba: pd.DataFrame  # of the same shape and columns
    argument: str  # that the probabilities came by, for messages
    threshold: Any = 0.5  # above it an AU is present; one number, or one an AU

    def require_probabilities(self) -> None:
        """Raise if a number is no probability."""
        require_probabilities(self.proba, self.argument)


Parts = list[Part]


def label_table(y: Any, argument: str = "y") -> pd.DataFrame:
    """Return labels as a table of floats with the AUs' names."""
    return read_table(y, argument).frame()


class PartsMixin(Display):
    """The constructors of displays of labels beside probabilities.

    A display says what it makes of the parts of each method in ``_from_parts``.
    """

    @classmethod
    def _from_parts(cls, parts: dict[str, Parts], **options: Any) -> Self:
        raise NotImplementedError

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        baseline: Any = None,
        name: str | None = None,
        baseline_name: str | None = None,
        ax: "Axes | np.ndarray | None" = None,
        **options: Any,
    ) -> Self:
        """Predict with a fitted estimator, and draw.

        Parameters
        ----------
        estimator : estimator
            A fitted AU classifier, or a pipeline or search with one at its end.
        X : array-like of length n
            Images, paths or vectors of people that it has not seen.
        y : DataFrame or array-like of shape (n, n_aus) or (n,)
            1 present, 0 absent, NaN not annotated. The columns of a DataFrame name the AUs.
        baseline : estimator, default=None
            Another fitted estimator, drawn beside it.
        name, baseline_name : str, default=None
            How they are called in the legend; by their classes, where None.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None makes a new figure.
        **options
            What the display itself takes.

        Returns
        -------
        display
        """
        labels = label_table(y)
        parts = {_name(name, estimator): [predict_part(estimator, X, labels)]}
        if baseline is not None:
            parts[_name(baseline_name, baseline)] = [predict_part(baseline, X, labels, "baseline")]
        return cls._from_parts(parts, **options).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_proba: Any,
        *,
        folds: Any = None,
        threshold: Any = 0.5,
        baseline: Any = None,
        name: str | None = None,
        baseline_name: str | None = None,
        ax: "Axes | np.ndarray | None" = None,
        **options: Any,
    ) -> Self:
        """Draw probabilities, such as :func:`skau.model_selection.cross_val_predict` gives.

        Parameters
        ----------
        y_true : DataFrame or array-like of shape (n, n_aus) or (n,)
            1 present, 0 absent, NaN not annotated.
        y_proba : DataFrame or array-like of shape (n, n_aus) or (n,)
            Probability of each AU; logits will do where their order alone counts: for ROC,
            precision-recall and areas. A NaN was not predicted, such as a row that no fold
            tested or an AU that had no label to learn from, and is not scored.
        folds : array-like of shape (n,), default=None
            The test fold of each row. Each fold is scored by itself; None takes all rows for one.
        threshold : float, array-like of shape (n_aus,), dict or Series, default=0.5
            Above it an AU is present, by name of a dict or Series; that of the baseline is one
            half.
        baseline : array-like like ``y_proba``, default=None
            Probabilities by another method, drawn beside.
        name, baseline_name : str, default=None
            How the two are called in the legend.
        ax, **options
            As in `from_estimator`.

        Returns
        -------
        display
        """
        labels = label_table(y_true, "y_true")
        told = {"y_proba": y_proba, "baseline": baseline, "folds": folds}
        require_same_rows(told, {"y_true": y_true})
        own = _split(labels, y_proba, folds, "y_proba")
        each = read_thresholds(threshold, labels.columns.tolist()).to_numpy()
        parts = {name or "classifier": [part._replace(threshold=each) for part in own]}
        if baseline is not None:
            parts[baseline_name or "baseline"] = _split(labels, baseline, folds, "baseline")
        return cls._from_parts(parts, **options).plot(ax=ax)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: dict[str, Any],
        X: Any,
        y: Any,
        *,
        baseline: dict[str, Any] | None = None,
        name: str | None = None,
        baseline_name: str | None = None,
        ax: "Axes | np.ndarray | None" = None,
        **options: Any,
    ) -> Self:
        """Predict each test fold with the estimator that has not seen it, and draw.

        Parameters
        ----------
        cv_results : dict
            What :func:`sklearn.model_selection.cross_validate` returned with
            ``return_estimator=True, return_indices=True``.
        X, y
            What it was given.
        baseline : dict, default=None
            The same of another estimator, drawn beside it.
        name, baseline_name, ax, **options
            As in `from_estimator`.

        Returns
        -------
        display
        """
        labels = label_table(y)
        parts = {}
        for given, own in ((name, cv_results), (baseline_name, baseline)):
            if own is None:
                continue
            source = "cv_results" if own is cv_results else "baseline"
            if missing := {"estimator", "indices"} - set(own):
                raise ValueError(
                    f"{source} has no {' and no '.join(sorted(missing))}: call cross_validate "
                    "with return_estimator=True and return_indices=True"
                )
            parts[_name(given, own["estimator"][0])] = [
                predict_part(
                    model, safe_indexing(X, test), labels.iloc[test], f"{source}['estimator']"
                )
                for model, test in zip(own["estimator"], own["indices"]["test"], strict=True)
            ]
        return cls._from_parts(parts, **options).plot(ax=ax)


def _name(given: str | None, estimator: Any) -> str:
    return given or type(classifier_of(estimator)).__name__.removesuffix("Classifier")


def predict_part(estimator: Any, X: Any, labels: pd.DataFrame, name: str = "estimator") -> Part:
    """Predict, and decide by the thresholds that the estimator has, if it was given some."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{name} must be a fitted AU classifier with predict_proba, got {estimator!r:.80}"
        )
    table = predict_table(estimator, X)
    proba = read_predictions(table, labels, f"the prediction of {name}", "y")
    part = _part(labels, proba, f"predict_proba of {name}")
    thresholds = getattr(classifier_of(estimator), "thresholds_", None)
    if thresholds is None:
        return part
    own = pd.Series(np.ravel(thresholds), index=table.columns)
    in_order = own[labels.columns] if set(own.index) == set(labels) else own
    return part._replace(threshold=in_order.to_numpy())


def _split(labels: pd.DataFrame, proba: Any, folds: Any, name: str) -> Parts:
    whole = _part(labels, read_predictions(proba, labels, name, "y_true"), name)
    fold = np.zeros(len(labels), int)
    if folds is not None:
        fold = check_groups(folds, len(labels), "folds", "fold", of="y_true")
    tested = whole.proba.notna().any(axis=1).to_numpy()
    if not tested.any():
        raise ValueError(f"{name} is NaN in every row")
    return [
        Part(whole.labels[rows], whole.proba[rows], name)
        for rows in (tested & (fold == which) for which in np.unique(fold[tested]))
    ]


def _part(labels: pd.DataFrame, proba: pd.DataFrame, name: str) -> Part:
    return Part(labels.where(proba.notna()), proba, name)
