"""How far a score, or a margin between two methods, depends on chance and on who was tested."""

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.utils import check_random_state

from ..utils._groups import check_groups
from ..utils._labels import as_numbers, read_predictions, read_table
from ..utils._rows import require_same_rows
from ..utils._sklearn import Interval, validate_params
from ..utils._text import first_few
from ..utils._warnings import user_level
from ._frame import f1_frame
from ._table import GAPS


class ScoreInterval(NamedTuple):
    """A score and the interval that it may lie in by chance."""

    score: float
    low: float
    high: float


@validate_params(
    {
        "metric": [callable],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def bootstrap_interval(
    Y_true: Any,
    Y_pred: Any,
    groups: Any,
    *,
    baseline: Any = None,
    metric: Callable[[Any, Any], Any] = f1_frame,
    folds: Any = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> ScoreInterval:
    """Bootstrap a score, or the margin between two methods, over the people tested.

    Frames of a person are nearly copies of each other, so it is people who are drawn, with
    replacement, each with all frames; both methods are scored on the same draw.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n, n_aus), or (n,)
        1 present, 0 absent, NaN not annotated.
    Y_pred : array-like of the same shape
        What ``metric`` takes: decisions for F1-frame, probabilities for ROC AUC.
    groups : array-like of shape (n,)
        The subject of each row.
    baseline : array-like of the same shape, default=None
        The predictions of another method on the same rows. Then the score is that of ``Y_pred``
        less that of ``baseline``, AU by AU: one without a score of either counts in neither.
    metric : callable, default=f1_frame
        ``metric(Y_true, Y_pred)`` gives a score or one of each AU, whose mean is taken without
        those that are NaN, as is that over folds.
    folds : array-like of shape (n,), default=None
        The test fold of each row. Then people are drawn within their fold, and scores are
        computed within each fold and averaged. Of folds that share people, as those of several
        seeds, people are drawn once, each with the rows of all these folds. None takes all rows
        as one.
    confidence : float between 0 and 1, default=0.95
    n_resamples : int, default=1000
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    score : float
        Of the people as they are.
    low, high : float
        Percentiles over the draws. They tell nothing of seeds or of who was trained on.

    Raises
    ------
    ValueError
        If the inputs do not fit together, ``metric`` gives something else, or a fold has fewer
        than two people.

    Warns
    -----
    UserWarning
        If some draws have no score; ``low`` and ``high`` are then those of the others.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.metrics import bootstrap_interval
    >>> rng = np.random.default_rng(0)
    >>> people, truth = np.repeat(np.arange(20), 10), rng.integers(0, 2, 200)
    >>> good = np.where(rng.random(200) < 0.1, 1 - truth, truth)
    >>> poor = np.where(rng.random(200) < 0.3, 1 - truth, truth)
    >>> margin = bootstrap_interval(
    ...     truth, good, people, baseline=poor, n_resamples=200, random_state=0
    ... )
    >>> bool(0 < margin.low < margin.score < margin.high)
    True
    """
    true = read_table(Y_true, "Y_true").frame()
    told = {"Y_pred": Y_pred, "baseline": baseline}
    require_same_rows(told | {"groups": groups, "folds": folds}, {"Y_true": Y_true})
    tables = [
        read_predictions(values, true, name, "Y_true")
        for name, values in told.items()
        if values is not None
    ]
    n = len(true)
    people = check_groups(groups, n, of="Y_true")
    part = np.zeros(n, int)
    if folds is not None:
        part = check_groups(folds, n, "folds", "fold", of="Y_true")
    blocks = _blocks_of_folds(people, part, folds is not None)

    def score(drawn: list[np.ndarray]) -> float:
        each = []
        for rows in drawn:
            if len(rows):  # nobody of a fold may be drawn
                own, *other = (_scores(metric, true.iloc[rows], t.iloc[rows]) for t in tables)
                each.append(pd.Series(own - other[0] if other else own, dtype=float).mean())
        return float(pd.Series(each, dtype=float).mean())

    found = score([np.flatnonzero(part == fold) for fold in np.unique(part)])
    rng = check_random_state(random_state)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", GAPS)  # told of once, with the rows as they are
        draws = pd.Series([score(_draw(blocks, rng)) for _ in range(n_resamples)], dtype=float)
    lost = int(draws.isna().sum())
    if 0 < lost < n_resamples:
        warnings.warn(
            f"{lost} of {n_resamples} draws have no score, as where nobody drawn shows an AU; low "
            "and high are percentiles of the others. Take more people",
            stacklevel=user_level(),
        )
    tail = (1 - confidence) / 2
    low, high = draws.quantile([tail, 1 - tail])
    return ScoreInterval(found, float(low), float(high))


def _scores(metric: Callable[[Any, Any], Any], true: pd.DataFrame, other: pd.DataFrame) -> Any:
    scores = as_numbers(metric(true, other), "what metric gives")
    if scores.size not in (1, true.shape[1]):
        raise ValueError(
            f"metric gives values of shape {scores.shape}, not a score or one of each of the "
            f"{true.shape[1]} AUs; of a table take a column without its mean: "
            "lambda y, p: au_report(y, p)['f1'].drop('mean')"
        )
    return np.ravel(scores)


def _blocks_of_folds(
    people: np.ndarray, part: np.ndarray, several: bool
) -> list[list[list[np.ndarray]]]:
    """Put folds into blocks that share nobody: of a block's folds, the rows of each of its people.

    People are drawn once for a block, so one who is in several folds, as of several seeds, is
    drawn for all of them.
    """
    (names, fold), (_, person) = (np.unique(each, return_inverse=True) for each in (part, people))
    for code, name in enumerate(names):
        own = people[fold == code]
        if (own == own[0]).all():
            one = f"one subject, {own[0]}, and people are drawn, so there must be two"
            raise ValueError(
                f"folds: fold {name} has {one}; join it to another, or leave folds out" if several
                else f"groups names {one}"
            )  # fmt: skip
    n = len(names) + person.max() + 1
    shown = coo_array((np.ones(len(fold)), (fold, len(names) + person)), shape=(n, n))
    block = connected_components(shown, directed=False)[1][: len(names)]
    blocks = []
    for which in dict.fromkeys(block):
        drawn = np.unique(person[block[fold] == which])
        rows = [np.flatnonzero(fold == code) for code in np.flatnonzero(block == which)]
        blocks.append([[own[person[own] == who] for who in drawn] for own in rows])
    return blocks


def _draw(blocks: list[list[list[np.ndarray]]], rng: np.random.RandomState) -> list[np.ndarray]:
    """Draw as many people of each block as it has, and return the rows of each fold."""
    drawn = [rng.randint(len(block[0]), size=len(block[0])) for block in blocks]
    return [
        np.concatenate([own[i] for i in chosen])
        for block, chosen in zip(blocks, drawn, strict=True)
        for own in block
    ]


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
        A score of each method on each fold, in the same order, or two Series that name the same
        folds; of several seeds on a fold, their mean. A fold on which either is NaN is left out
        of both. Two Series without a name in common are taken by position.
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
    >>> from skau.metrics import paired_interval
    >>> found = paired_interval([0.52, 0.50, 0.57], [0.50, 0.49, 0.52], test_share=1 / 3)
    >>> print(f"{found.margin:.3f} from {found.low:.3f} to {found.high:.3f}")
    0.027 from -0.055 to 0.108
    """
    if isinstance(first, pd.Series) and isinstance(second, pd.Series):
        second = _in_order_of(first, second)
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


def _in_order_of(first: pd.Series, second: pd.Series) -> pd.Series:
    """Bring the second's folds into the order of the first's; no name in common tells nothing."""
    both = (("first", first), ("second", second))
    alone = [
        f"{name} alone has {first_few(map(repr, lacking))}"
        for (name, one), other in zip(both, (second, first), strict=True)
        if len(lacking := one.index.difference(other.index, sort=False))
    ]
    if not first.index.isin(second.index).any():
        return second
    if alone:
        raise ValueError(
            f"first and second must name the same folds, but {' and '.join(alone)}; keep all of "
            "them in both, with NaN where a method has no score, or pass .to_numpy() of both if "
            "they are in the same order"
        )
    for name, scores in both:
        if scores.index.has_duplicates:
            raise ValueError(
                f"{name} names fold {scores.index[scores.index.duplicated()][0]!r} more than "
                f"once; of several seeds take the mean: {name}.groupby(level=0).mean()"
            )
    return second.loc[first.index]
