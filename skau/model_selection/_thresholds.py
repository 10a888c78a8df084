"""A decision threshold for each AU."""

import inspect
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Annotated, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..utils._parameters import parameters
from ..utils._sklearn import Interval, StrOptions
from ..utils._text import first_few
from ._held_out import HeldOutClassifier

_MOST_CANDIDATES = 200
_Metric = Callable[[np.ndarray, np.ndarray], float]
_SHARE = Interval(Real, 0, 1, closed="left")


def _has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)


@parameters
class TunedThresholdsClassifier(HeldOutClassifier):
    """Choose the threshold of each AU on people that the classifier has not seen.

    Present AUs are rare, so at one half a classifier finds too few of them. Here every annotated
    subject is predicted by a clone fitted on other subjects, and each AU gets the threshold that
    is best over the frames annotated for it; then the classifier is fitted on all rows. It does
    for several AUs what :class:`sklearn.model_selection.TunedThresholdClassifierCV` does for one.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba`` or ``decision_function``; also a pipeline or search. A
        :class:`~sklearn.frozen.FrozenEstimator` is taken as it is.
    scoring : str or callable, default="f1"
        What the thresholds are best in: a name of scikit-learn's scorers of decisions ("f1",
        "balanced_accuracy", "jaccard", ...), a metric ``metric(y_true, y_pred)`` or a scorer
        ``scorer(estimator, X, y)``; each AU by itself.
    false_alarm_rate : float in [0, 1) or dict of str to float, default=None
        If given, in place of ``scoring``: the lowest threshold at which the AU is predicted in no
        more than this share of the frames without it. A dict has a share for every AU of the
        classifier, by name: ``dict.fromkeys(names, 0.05) | {"AU12": 0.01}``.
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
    thresholds_ : ndarray of shape (n_aus,)
        An AU is present above it, in units of ``predict_proba``, or of ``decision_function``
        where the classifier has no probabilities. In the order of ``au_names_``.
    best_scores_ : ndarray of shape (n_aus,)
        What they reach in ``scoring`` on the people held out, or their false-alarm rate.
    au_names_ : ndarray of str
        The columns of ``y``, or "y0", "y1", ...
    classes_ : ndarray
        ``arange(n_aus)``, or the two labels of a single AU.

    Warns
    -----
    UserWarning
        If an AU has no positive or no negative label among people held out (with
        ``false_alarm_rate``, no negative one): its threshold is one half, or stays where
        ``estimator`` itself has thresholds. If ``groups`` is not given.

    See Also
    --------
    CalibratedAUClassifier : Make the probabilities themselves right.
    skau.metrics.au_report : Takes ``thresholds_`` as its ``threshold``.

    Notes
    -----
    For F1 every threshold is looked at; for another ``scoring``, of many frames, some 400: evenly
    over all frames, and over those below which the AU is absent and above which it is present.

    The predictions of all folds are taken together. Thresholds are learned from frames by
    themselves: they fit ``predict(X)``, and are good guesses for ``predict(X, groups=...)``.
    ``best_scores_`` is what the thresholds were chosen by, and too good for that reason: report
    scores on other people.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skau.model_selection import TunedThresholdsClassifier
    >>> rng = np.random.RandomState(0)
    >>> X = rng.randn(300, 4)
    >>> Y = (X[:, :2] + rng.randn(300, 2) > [0.5, 1.5]).astype(int)
    >>> clf = MLPClassifier((4,), solver="lbfgs", max_iter=5000, random_state=0)
    >>> tuned = TunedThresholdsClassifier(clf).fit(X, Y, groups=np.arange(300) // 10)
    >>> (tuned.thresholds_ < 0.5).tolist()
    [True, True]
    >>> tuned.predict(X).mean(axis=0) > clf.fit(X, Y).predict(X).mean(axis=0)
    array([ True,  True])
    """

    scoring: Annotated[str | Callable[..., Any], StrOptions(set(get_scorer_names())), callable] = (
        "f1"
    )
    false_alarm_rate: Annotated[float | dict[str, float] | None, _SHARE, dict, None] = None

    def _check(self, names: list[str]) -> None:
        if self.false_alarm_rate is None:
            _metric(self.scoring)
        else:
            self._false_alarm_rates(names)

    def _learn(self, scores: np.ndarray, labels: np.ndarray) -> None:
        rates = self._false_alarm_rates(self.au_names_.astype(str).tolist())
        metric = _metric(self.scoring) if rates is None else None
        neutral = 0.5 if self._response(self.estimator_) == "predict_proba" else 0.0
        n_aus = labels.shape[1]
        own = getattr(self.estimator_, "thresholds_", None)  # of a model that was tuned before
        self.thresholds_ = np.full(n_aus, neutral) if own is None else np.array(own, dtype=float)
        self.best_scores_ = np.full(n_aus, np.nan)
        untaught = f"its threshold is {neutral:g}" if own is None else "its threshold stays"
        needed = (0, 1) if rates is None else (0,)
        for j, y, s in self._known(scores, labels, untaught, needed):
            self.thresholds_[j], self.best_scores_[j] = (
                _best(metric, y.astype(int), s, neutral)
                if rates is None
                else _at_false_alarm_rate(y, s, rates[j])
            )

    def _false_alarm_rates(self, names: list[str]) -> list[float] | None:
        """Give the share allowed to each AU."""
        rates = self.false_alarm_rate
        if rates is None:
            return None
        if not isinstance(rates, dict):
            return [rates] * len(names)
        lacking = [name for name in names if name not in rates]
        further = [name for name in rates if name not in names]
        if lacking:
            told = f", but one for {first_few(further)}" if further else ""
            raise ValueError(
                f"false_alarm_rate has no share for {first_few(lacking)}{told}; give every AU of "
                f"the classifier one: dict.fromkeys(names, 0.05) | {{{names[0]!r}: 0.01}}"
            )
        if further:
            raise ValueError(
                f"false_alarm_rate has a share for {first_few(further)}; the classifier's AUs are "
                f"{', '.join(names)}, leave out others"
            )
        for name, rate in rates.items():
            if not _SHARE.is_satisfied_by(rate):
                raise ValueError(
                    f"false_alarm_rate[{name!r}] is {rate!r}; give a share, at least 0 and below 1"
                )
        return [rates[name] for name in names]

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any, groups: Any = None) -> Any:
        """Compute the probability of each AU, as the classifier does.

        Parameters
        ----------
        X, groups
            As the classifier's ``predict_proba`` takes them.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n, 2) of a single AU
        """
        return self._infer(X, "predict_proba", groups)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any, groups: Any = None) -> Any:
        """Compute the AU logits, as the classifier does; the thresholds do not change them.

        Parameters
        ----------
        X, groups
            As the classifier's ``decision_function`` takes them.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
        """
        return self._infer(X, "decision_function", groups)

    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Say which AUs are present: those above their thresholds.

        Parameters
        ----------
        X : array-like
            As at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row, for classifiers that calibrate to a person.

        Returns
        -------
        ndarray of shape (n, n_aus), int, or (n,) of the two classes of a single AU
        """
        check_is_fitted(self)
        scores = self._table(self._infer(X, self._response(self.estimator_), groups))
        return self._decide(scores > self.thresholds_, scores)


def refuse_thresholds(estimator: Any, owner: str) -> None:
    """Refuse an estimator whose thresholds would be lost: its owner goes by logits."""
    deciding = (TunedThresholdsClassifier, FixedThresholdClassifier, TunedThresholdClassifierCV)
    inner = estimator
    while inner is not None:
        if isinstance(inner, deciding):
            name = type(inner).__name__
            raise ValueError(
                f"estimator: the thresholds of {name} have no effect inside {owner}, which goes "
                f"by logits; put thresholds around: TunedThresholdsClassifier({owner}(...))"
            )
        held = None if isinstance(inner, FrozenEstimator) else getattr(inner, "steps", None)
        inner = held[-1][1] if held else getattr(inner, "estimator", None)


class _Decided(ClassifierMixin, BaseEstimator):
    """Decisions in the shape of a classifier, for scorers."""

    def __init__(self) -> None:
        self.classes_ = np.array([0, 1])

    def fit(self, X: Any, y: Any) -> Self:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X.astype(int)


def _metric(scoring: str | Callable[..., Any]) -> _Metric | None:
    """Return a function of labels and decisions of one AU; None is F1, which `_f1` knows."""
    if isinstance(scoring, str):
        if scoring == "f1":
            return None
        scorer = get_scorer(scoring)
    elif _n_arguments(scoring) == 2:
        return lambda y, decided: _number(scoring(y, decided))
    else:
        scorer = scoring
    if getattr(scorer, "_response_method", "predict") != "predict":
        raise ValueError(
            f"scoring={scoring!r} needs no threshold: it scores probabilities; choose a score of "
            "decisions, such as 'f1' or 'balanced_accuracy'"
        )
    model = _Decided()
    return lambda y, decided: _number(scorer(model, decided, y))


def _n_arguments(function: Callable[..., Any]) -> int:
    """Return how many arguments must be given by position."""
    if hasattr(function, "_score_func"):  # of make_scorer
        return 3
    taken = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in taken)


def _number(value: Any) -> float:
    """Return a metric's value, also of one that gives a value an AU."""
    return float(np.ravel(value)[0])


def _best(
    metric: _Metric | None, y: np.ndarray, s: np.ndarray, neutral: float
) -> tuple[float, float]:
    """Return the best threshold and its score; among equals the one nearest to neutral."""
    values = np.unique(s)
    between = (values[:-1] + values[1:]) / 2
    if metric is not None and len(between) > _MOST_CANDIDATES:
        # where most metrics are best: an absent frame below, a present one above
        steps = np.isin(values[:-1], s[y == 0]) & np.isin(values[1:], s[y == 1])
        between = np.union1d(_evenly(between), _evenly(between[steps]))
    everywhere, nowhere = np.nextafter(values[0], -np.inf), values[-1]
    candidates = np.array([everywhere, *between, neutral, nowhere])
    if metric is None:
        reached = _f1(y, s, candidates)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # as of no frame with the AU
            reached = np.array([metric(y, (s > t).astype(int)) for t in candidates])
    reached = np.where(np.isnan(reached), -np.inf, reached)
    top = np.flatnonzero(reached == reached.max())
    best = top[np.abs(candidates[top] - neutral).argmin()]
    return float(candidates[best]), float(reached[best])


def _evenly(thresholds: np.ndarray) -> np.ndarray:
    n = min(len(thresholds), _MOST_CANDIDATES)
    return thresholds[np.linspace(0, len(thresholds) - 1, n).round().astype(int)]


def _f1(y: np.ndarray, s: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the F1 of all thresholds."""
    shown = np.sort(s[y == 1])
    tp, decided = (
        len(of) - np.searchsorted(of, thresholds, side="right") for of in (shown, np.sort(s))
    )
    return 2 * tp / (len(shown) + decided)


def _at_false_alarm_rate(y: np.ndarray, s: np.ndarray, rate: float) -> tuple[float, float]:
    """Return the lowest threshold with at most this share of false alarms, and their share."""
    absent = np.sort(s[y == 0])[::-1]
    allowed = min(int(np.floor(rate * len(absent) + 1e-9)), len(absent) - 1)
    larger = s[s > absent[allowed]]
    # half-way to the next score: computed in another batch, the last bit of a score may differ
    threshold = float((absent[allowed] + larger.min()) / 2 if len(larger) else absent[allowed])
    return threshold, float((absent > threshold).mean())
