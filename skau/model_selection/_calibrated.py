"""Probabilities of each AU that are as often right as they say."""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from ..utils._labels import require_probabilities
from ..utils._parameters import parameters
from ..utils._sklearn import StrOptions
from ._held_out import HeldOutClassifier
from ._thresholds import refuse_thresholds

_EDGE = 1e-6  # isotonic regression says 0 and 1, whose logits are infinite
_FLATTEST = np.exp(-10.0)  # slope of a temperature, as in scikit-learn: decisions stay


@parameters
class CalibratedAUClassifier(HeldOutClassifier):
    """Calibrate the probability of each AU on people that the classifier has not seen.

    Every annotated subject is predicted by a clone fitted on other subjects, and a curve from
    logits to probabilities is fitted for each AU over the frames annotated for it; then the
    classifier is fitted on all rows. It does for several AUs what
    :class:`sklearn.calibration.CalibratedClassifierCV` does for one output with
    ``ensemble=False``.

    Parameters
    ----------
    estimator : classifier
        With ``decision_function`` or ``predict_proba``; also a pipeline or search. A
        :class:`~sklearn.frozen.FrozenEstimator` is taken as it is.
    method : {"sigmoid", "temperature", "isotonic"}, default="sigmoid"
        "sigmoid" is Platt's [1]_: a slope and an offset of the logit. As in scikit-learn, the
        slope is negative where the classifier ranks people held out the wrong way round.
        "temperature" is a positive slope alone [2]_, so that nothing changes at one half.
        "isotonic" is any rising curve, which needs some thousand frames.
    cv : int, splitter, "prefit" or None, default=None
        Who is held out. None is ``SubjectKFold(5)``, a number that many folds of subjects.
        "prefit" takes ``estimator`` as it is, fitted on other people than those of ``fit``;
        one that knows no names of AUs takes the columns of ``y`` by position.
    n_jobs : int, default=None
        Folds fitted at the same time, as in joblib.

    Attributes
    ----------
    estimator_ : classifier
        The classifier fitted on all rows, or as it was given.
    slopes_, offsets_ : ndarray of shape (n_aus,)
        The calibrated logit is ``slope * logit + offset``; 1 and 0 with ``method="isotonic"``.
    curves_ : list of ndarray of shape (2, n_points)
        With ``method="isotonic"`` the points of each AU's curve: logits and probabilities.
    au_names_ : ndarray of str
        The columns of ``y``, or "y0", "y1", ...
    classes_ : ndarray
        ``arange(n_aus)``, or the two labels of a single AU.

    Warns
    -----
    UserWarning
        If an AU has no positive or no negative label among people held out: its probabilities
        stay as they are. If ``groups`` is not given.

    See Also
    --------
    skau.metrics.calibration_error : How far probabilities are from frequencies.
    TunedThresholdsClassifier : Choose thresholds, and leave probabilities alone. For both, put
        it around.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines", 1999.
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skau.metrics import calibration_error
    >>> from skau.model_selection import CalibratedAUClassifier
    >>> rng = np.random.RandomState(0)
    >>> X = rng.randn(400, 4)
    >>> Y = (X[:, :2] + 2 * rng.randn(400, 2) > 0).astype(int)
    >>> overfit = MLPClassifier((50,), solver="lbfgs", max_iter=5000, alpha=0, random_state=0)
    >>> fair = CalibratedAUClassifier(overfit).fit(X[:200], Y[:200], groups=np.arange(200) // 10)
    >>> before = calibration_error(Y[200:], fair.estimator_.predict_proba(X[200:]))
    >>> after = calibration_error(Y[200:], fair.predict_proba(X[200:]))
    >>> bool(after.mean() < before.mean() / 2)
    True
    """

    method: Annotated[str, StrOptions({"sigmoid", "temperature", "isotonic"})] = "sigmoid"

    def _check(self, names: list[str]) -> None:
        refuse_thresholds(self.estimator, type(self).__name__)

    def _response(self, model: Any) -> str:
        return "decision_function" if hasattr(model, "decision_function") else "predict_proba"

    def _scores(self, output: np.ndarray, method: str) -> np.ndarray:
        if method == "decision_function":
            return output
        named = pd.DataFrame(output, columns=self.au_names_)
        require_probabilities(named, f"the output of {type(self.estimator_).__name__}")
        return _logit(output)

    def _learn(self, scores: np.ndarray, labels: np.ndarray) -> None:
        n_aus = labels.shape[1]
        self.slopes_, self.offsets_ = np.ones(n_aus), np.zeros(n_aus)
        curves = [np.empty((2, 0)) for _ in range(n_aus)]
        for j, y, z in self._known(scores, labels, "its probabilities stay as they are"):
            if self.method == "isotonic":
                curves[j] = _rising(z, y)
            else:
                self.slopes_[j], self.offsets_[j] = _line(z, y, self.method == "sigmoid")
        self.curves_ = curves if self.method == "isotonic" else []

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the calibrated AU logits.

        Parameters
        ----------
        X : array-like
            As at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row, for classifiers that calibrate to a person.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
            Positive where an AU is more likely present than not.
        """
        check_is_fitted(self)
        method = self._response(self.estimator_)
        z = self._scores(self._table(self._infer(X, method, groups)), method)
        calibrated = z * self.slopes_ + self.offsets_
        for j, (x, p) in enumerate(self.curves_):
            if len(x):
                calibrated[:, j] = _logit(np.interp(z[:, j], x, p))
        return calibrated[:, 0] if self._single else calibrated


def _logit(p: np.ndarray) -> np.ndarray:
    return logit(np.clip(p, _EDGE, 1 - _EDGE))


def _line(z: np.ndarray, y: np.ndarray, offset: bool) -> tuple[float, float]:
    """Return slope and offset by Platt's likelihood, whose targets keep away from 0 and 1."""
    n_pos = y.sum()
    n_neg = len(y) - n_pos
    target = np.where(y == 1, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    model = LogisticRegression(C=np.inf, fit_intercept=offset, max_iter=1000)
    model.fit(
        np.concatenate([z, z])[:, None],
        np.repeat([1, 0], len(z)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope = float(model.coef_[0, 0])
    return (slope, float(model.intercept_[0])) if offset else (float(max(slope, _FLATTEST)), 0.0)


def _rising(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the points (2, n) of the rising curve that is nearest to the labels."""
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(z, y)
    return np.array([model.X_thresholds_, model.y_thresholds_])
