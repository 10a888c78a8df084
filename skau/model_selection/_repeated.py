"""Folds drawn again and again, and what a margin over them is worth."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from ..utils._labels import as_numbers
from ..utils._sklearn import Interval, validate_params
from ..utils._warnings import user_level
from ._kfold import Parts, SubjectKFold, SubjectSplitter


class RepeatedSubjectKFold(SubjectSplitter, BaseCrossValidator):
    """K folds of whole subjects, drawn anew several times.

    The scores of one division into folds depend on who happened to be tested together: on real
    corpora a mean F1 moves by several points. Repeated, they say by how much, and
    :func:`paired_interval` whether a margin between two methods is larger.

    Parameters
    ----------
    n_splits : int, default=5
        Folds of each repetition, as in :class:`SubjectKFold`.
    n_repeats : int, default=10
        Repetitions, each with subjects given out in another random order. Their folds follow one
        another.
    random_state : int, RandomState instance or None, default=None
        Seed of the orders.

    See Also
    --------
    sklearn.model_selection.RepeatedKFold : The same by rows.
    paired_interval : The interval of a margin over such folds.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.model_selection import RepeatedSubjectKFold
    >>> cv = RepeatedSubjectKFold(2, n_repeats=2, random_state=0)
    >>> for train, test in cv.split(np.zeros(4), groups=["a", "b", "c", "d"]):
    ...     print(test)
    [1 2]
    [0 3]
    [0 1]
    [2 3]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        n_repeats: int = 10,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        if not Interval(Integral, 1, None, closed="left").is_satisfied_by(n_repeats):
            raise ValueError(f"n_repeats must be a whole number from 1, not {n_repeats!r}.")
        SubjectKFold(n_splits)  # says what is wrong with it
        self.n_splits, self.n_repeats, self.random_state = n_splits, n_repeats, random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds in all. All arguments are ignored."""
        return self.n_splits * self.n_repeats

    def _split(self, X: Any, y: Any, subjects: np.ndarray) -> Parts:
        rng = check_random_state(self.random_state)
        for _ in range(self.n_repeats):
            yield from SubjectKFold(self.n_splits, random_state=rng).split(X, y, subjects)


class PairedInterval(NamedTuple):
    """A margin and what it may be by chance."""

    margin: float
    low: float
    high: float
    p_value: float


@validate_params(
    {
        "test_share": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def paired_interval(
    first: ArrayLike, second: ArrayLike, *, test_share: float, confidence: float = 0.95
) -> PairedInterval:
    r"""Give the interval of a margin between two methods scored on the same folds.

    Folds share training subjects, so their scores are not independent, and a plain t interval is
    far too narrow. The corrected one [1]_ takes, for the differences :math:`d_1, ..., d_J` of
    :math:`J` folds with variance :math:`s^2`,

    .. math:: \bar d \pm t_{J-1} \sqrt{\left(\frac{1}{J} + \frac{q}{1 - q}\right) s^2}

    with the share :math:`q` of the subjects that a fold tests.

    Parameters
    ----------
    first, second : array-like of shape (n_folds,)
        A score of each method on each fold, in the same order; of several seeds on a fold, their
        mean. A fold on which either is NaN is left out of both.
    test_share : float between 0 and 1
        Share of the subjects in a test part: ``1 / n_splits`` of K folds.
    confidence : float between 0 and 1, default=0.95

    Returns
    -------
    margin : float
        Mean of ``first - second``.
    low, high : float
        The interval of that confidence.
    p_value : float
        Of the hypothesis that the methods are equal, two-sided.

    Raises
    ------
    ValueError
        If the scores are not one for each of the same folds, there are fewer than two folds, or a
        share is out of range.

    Warns
    -----
    UserWarning
        If both methods have a score on fewer than two of the folds: ``low``, ``high`` and
        ``p_value`` are NaN.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine Learning 52,
       2003.

    Examples
    --------
    >>> from skau.model_selection import paired_interval
    >>> found = paired_interval([0.52, 0.50, 0.57], [0.50, 0.49, 0.52], test_share=1 / 3)
    >>> print(f"{found.margin:.3f} from {found.low:.3f} to {found.high:.3f}")
    0.027 from -0.055 to 0.108
    """
    a, b = as_numbers(first, "first"), as_numbers(second, "second")
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(
            "first and second must hold one score for each of the same folds, but have the shapes "
            f"{a.shape} and {b.shape}."
        )
    if (np.abs([a, b]) > np.finfo(np.float32).max).any():
        raise ValueError("first and second must hold finite scores, or NaN for folds without one.")
    if len(a) < 2:
        raise ValueError(
            f"first and second hold the scores of {len(a)} fold{'s' * (not len(a))}, and an "
            "interval needs two or more; score both methods on more folds, as of "
            "RepeatedSubjectKFold"
        )
    differences = a - b
    differences = differences[~np.isnan(differences)]
    n = len(differences)
    if n < 2:
        warnings.warn(
            f"first and second both have a score on {n} of {len(a)} folds, and an interval needs "
            "two: it is NaN. Take folds of more people",
            UserWarning,
            stacklevel=user_level(),
        )
        margin = float(differences.mean()) if n else float("nan")
        return PairedInterval(margin, float("nan"), float("nan"), float("nan"))
    margin = float(differences.mean())
    error = np.sqrt((1 / n + test_share / (1 - test_share)) * differences.var(ddof=1))
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1) * error)
    if error == 0:
        return PairedInterval(margin, margin, margin, float(margin == 0))
    p_value = 2 * stats.t.sf(abs(margin) / error, n - 1)
    return PairedInterval(margin, margin - reach, margin + reach, float(p_value))
