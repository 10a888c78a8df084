"""One model an AU, each on the part of the face where that AU shows."""

from collections.abc import Mapping
from dataclasses import field
from numbers import Integral
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from ..model_selection._thresholds import refuse_thresholds
from ..utils._classifier import WrapsClassifierMixin
from ..utils._fit_tasks import fit_part
from ..utils._groups import subject_codes
from ..utils._parameters import parameters
from ..utils._routing import fit_groups, predict_groups
from ..utils._rows import require_same_rows
from ..utils._sklearn import HasMethods, StrOptions, fit_context, n_workers
from ._prediction import AUClassifierMixin
from ._trained_on import training_facts
from ._validation import check_labels, warn_of_rare

_UPPER = (1, 2, 4, 5, 6, 7, 43, 45, 46)
_LOWER = (10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28)

# A plain dict, which scikit-learn can clone.
FACS_REGIONS: Mapping[str, str] = (
    {f"AU{n}": "upper" for n in _UPPER}
    | {f"AU{n}": "lower" for n in _LOWER}
    # FACS counts it to the lower face, but its wrinkles lie on both sides of the cut.
    | {"AU9": "full"}
)
"""The part of the face in which FACS describes each AU."""


@parameters
class RegionClassifier(WrapsClassifierMixin, AUClassifierMixin, BaseEstimator):
    """Fit one single-AU model per AU, each on the crop of that AU's own region.

    The "single class" models of paper 1, Tables 2 and 3 [1]_; the multi-label model beside
    them is the estimator itself. A clone of the estimator is made for each AU, its parameter
    ``region`` is set to the AU's region, and it is fitted on that AU's labels. So ``X`` is what
    the estimator takes: behind a :class:`skau.preprocessing.FaceCropper`, photographs, or the
    landmark table of its ``detect``, with which faces are looked for only once.

    Parameters
    ----------
    estimator : classifier of skau, or pipeline that ends in one
        With exactly one parameter named ``region``, of itself or of a step.
        :class:`~skau.model_selection.TunedThresholdsClassifier` goes around, not inside.
    regions : "facs", dict or None, default="facs"
        The region of each AU by its name in ``y``. "facs" is where FACS describes it: "upper"
        for AU 1, 2, 4 to 7, 43, 45 and 46, "lower" for AU 10 to 18, 20 and 22 to 28, "full" for
        AU 9, whose wrinkles lie on both sides of the cut. None sets nothing: single-AU models on
        the whole face, for comparison.
    n_jobs : int, default=None
        Number of AUs fitted at a time, as in joblib.

    Attributes
    ----------
    estimators_ : list of classifiers
        One an AU, fitted, in the order of ``au_names_``; None for an AU without any label.
    regions_ : dict
        The region of each AU; empty with ``regions=None``.
    {au_attributes}
    trained_on_ : dict
        Numbers of rows, subjects and labels, as those of :class:`skau.DSNClassifier`.

    Notes
    -----
    Every region is cropped once for each of its AUs; a pipeline with ``memory=`` keeps the
    crops of the training images.

    References
    ----------
    .. [1] "Domain Separation for Person-Specific Aspects in Facial Expression Recognition",
       2021; its authors, and where it appeared, are not known to us.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skau import DSNClassifier, RegionClassifier
    >>> from skau.datasets import load_sample_faces
    >>> from skau.preprocessing import FaceCropper
    >>> faces = load_sample_faces()
    >>> X, Y, groups = faces.images[::12], faces.target[["AU1", "AU12"]][::12], faces.groups[::12]
    >>> dsn = DSNClassifier(max_epochs=1, random_state=0)
    >>> clf = RegionClassifier(make_pipeline(FaceCropper(size=32), dsn)).fit(X, Y, groups=groups)
    >>> clf.regions_
    {'AU1': 'upper', 'AU12': 'lower'}
    >>> clf.predict_proba(X).shape
    (40, 2)
    """

    estimator: Annotated[Any, HasMethods(["fit", "decision_function"])] = field(kw_only=False)
    regions: Annotated[str | Mapping[str, str] | None, StrOptions({"facs"}), Mapping, None] = (
        "facs"
    )
    n_jobs: Annotated[int | None, Integral, None] = None

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the model of each AU.

        Parameters
        ----------
        X : array-like, list of paths or landmark table
            What the estimator takes.
        y : DataFrame of shape (n, n_aus), or array-like of shape (n, n_aus) or (n,)
            1 where an AU is present, 0 where it is absent, NaN where it is not annotated. The
            columns name the AUs. A row without the label of an AU is an identity-only image to
            that AU's model.
        groups : array-like of shape (n,), default=None
            The subject of each row, passed on to every model.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an AU has no region, or the estimator has no parameter ``region``, or several.
        """
        refuse_thresholds(self.estimator, type(self).__name__)
        labels = check_labels(y, X, self)
        require_same_rows({"groups": groups}, {"y": y, "X": X})
        unlearned = warn_of_rare(labels.values, labels.names)
        regions = self._check_regions(labels.names)
        parameter = self._region_parameter() if regions else ""
        models = [clone(self.estimator) for _ in labels.names]
        if regions:
            for au, model in zip(labels.names, models, strict=True):
                model.set_params(**{parameter: regions[au]})
        table = pd.DataFrame(labels.values, columns=labels.names)
        params = fit_groups(self.estimator, groups)
        codes = None if groups is None else subject_codes(groups, len(labels.values))
        context = self._begin_fit(int((~unlearned).sum()), X, y)
        fitted = Parallel(n_jobs=n_workers(self.n_jobs, len(models)))(
            delayed(fit_part)(model, context.subcontext(au), self, X, table[[au]], params)
            for au, model, none in zip(labels.names, models, unlearned, strict=True)
            if not none
        )
        self.estimators_ = [None if none else fitted.pop(0) for none in unlearned]
        self._unlearned = unlearned
        self.regions_ = regions
        self.classes_, self.au_names_ = labels.classes, labels.names
        self._single = labels.single
        self.trained_on_ = training_facts(labels.values, labels.names, codes)
        self._take_features_of(self._models()[0])
        self._end_fit(context, X, y)
        return self

    def _check_regions(self, names: np.ndarray) -> dict[str, str]:
        if self.regions is None:
            return {}
        known = FACS_REGIONS if isinstance(self.regions, str) else self.regions
        unknown = [au for au in names.tolist() if au not in known]
        if unknown:
            raise ValueError(
                f"regions has no region for {', '.join(unknown)}; name the columns of y after "
                "their AUs ('AU12'), or pass regions={name: 'upper', ...}"
            )
        return {au: known[au] for au in names.tolist()}

    def _region_parameter(self) -> str:
        params = self.estimator.get_params(deep=True)
        found = [name for name in params if name.rpartition("__")[2] == "region"]
        if len(found) != 1:
            said = "no parameter" if not found else f"several parameters ({', '.join(found)})"
            raise ValueError(
                f"estimator has {said} named 'region'; put one FaceCropper before the classifier: "
                "make_pipeline(FaceCropper(), DSNClassifier())"
            )
        return found[0]

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits, each by its AU's own model.

        Parameters
        ----------
        X : array-like, list of paths or landmark table
            As at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row, with which every model does what it does by itself: the
            networks calibrate their logits to each person.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
        """
        check_is_fitted(self)
        models = self._models()
        columns = Parallel(n_jobs=n_workers(self.n_jobs, len(models)))(
            delayed(predict_groups)(model, "decision_function", X, groups) for model in models
        )
        logits = np.full((len(columns[0]), len(self.estimators_)), np.nan)
        logits[:, ~self._unlearned] = np.column_stack(columns)
        return self._squeeze(logits)

    def _models(self) -> list[Any]:
        return [model for model in self.estimators_ if model is not None]
