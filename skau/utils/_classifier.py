"""What every classifier of AUs has, whether it trains a network or wraps another classifier."""

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import Tags, get_tags

from ._fit_tasks import CallbacksMixin
from ._pages import PagesMixin


class MultiAUMixin(CallbacksMixin, PagesMixin, ClassifierMixin):
    """Predictions from ``decision_function``, which groups reach, and scikit-learn's tags."""

    _single: bool  # one AU: y was (n,) or (n, 1)

    # groups reach these methods through pipelines and searches without set_*_request
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__decision_function: ClassVar[dict[str, bool]] = {"groups": True}

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits: (n, n_aus), or (n,) of a single AU."""
        raise NotImplementedError

    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the probability of each AU.

        Parameters are those of ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n, 2) of a single AU
            Probability that the AU is present, NaN for an AU that had no label in ``fit``; of a
            single AU (``y`` of shape (n,) or (n, 1)) that of the two ``classes_``, in their
            order, as scikit-learn's binary classifiers give it.
        """
        return self._to_proba(self.decision_function(X, groups))

    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Say which AUs are present, with a probability above one half.

        Parameters are those of ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), int, or (n,) of the two classes of a single AU
            Float, with columns of NaN, if an AU had no label in ``fit``.
        """
        logits = self.decision_function(X, groups)
        return self._decide(logits > 0, logits)

    def _to_proba(self, logits: np.ndarray) -> np.ndarray:
        """Turn logits (n, n_aus), or (n,) of a single AU, into what ``predict_proba`` returns."""
        p = expit(logits)
        return np.column_stack([expit(-logits), p]) if logits.ndim == 1 else p

    def _decide(self, present: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Give decisions the form in which ``predict`` returns them; unknown by NaN in scores."""
        if self._single:
            return self.classes_[present.ravel().astype(int)]
        unknown = np.isnan(scores)
        return np.where(unknown, np.nan, present) if unknown.any() else present.astype(int)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


class WrapsClassifierMixin(MetaEstimatorMixin):
    """Around another classifier, ``estimator``, that sees the same inputs."""

    estimator: Any

    def _take_features_of(self, fitted: Any) -> None:
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # of an earlier fit
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
