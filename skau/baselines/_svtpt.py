"""SVTPT: an SVM for a person without labels, transferred from those of training people."""

from dataclasses import dataclass
from numbers import Real
from typing import Annotated, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from ..estimators._prediction import AUClassifierMixin
from ..estimators._trained_on import training_facts
from ..estimators._validation import check_inputs, check_labels, warn_of_rare
from ..training._data import ImageFiles
from ..utils._failure import all_or_nothing
from ..utils._groups import subject_codes
from ..utils._parameters import parameters
from ..utils._rows import require_same_rows
from ..utils._sample_weight import read_weights
from ..utils._sklearn import Interval, StrOptions, fit_context
from ._lbp import lbp_histograms

_CHUNK = 1024  # rows whose kernel with all support vectors is in memory at once
_FLATTEST = np.exp(-10.0)  # slope of logits, in units of the distances' spread


@dataclass
class _Transfer:
    """From a sample of a person to the hyperplane of that person's SVM, for one AU."""

    mean: np.ndarray  # (d + 1,), weights and bias
    dual: np.ndarray  # (n_sources, d + 1): how the plane changes with likeness to each source
    vectors: np.ndarray  # (n_vectors, d), of all sources
    starts: np.ndarray  # (n_sources,), where each source's vectors begin
    slope: float = 1.0  # from a distance to a logit
    shift: float = 0.0

    def likeness(self, X: np.ndarray, gamma: float) -> np.ndarray:
        """Mean kernel of each row with the support vectors of each source, (n, n_sources)."""
        out = np.empty((len(X), len(self.starts)))
        n_each = np.diff(np.append(self.starts, len(self.vectors)))
        for i in range(0, len(X), _CHUNK):
            kernel = rbf_kernel(X[i : i + _CHUNK], self.vectors, gamma=gamma)
            out[i : i + _CHUNK] = np.add.reduceat(kernel, self.starts, axis=1) / n_each
        return out

    def decide(self, X: np.ndarray, codes: np.ndarray | None, gamma: float) -> np.ndarray:
        """Logit of each row by the plane of its person."""
        X1 = np.column_stack([X, np.ones(len(X))])
        distance = X1 @ self.mean
        if not len(self.dual):
            return distance
        like = self.likeness(X, gamma)
        if codes is not None:  # a person's sample is all the rows there are
            sums = np.zeros((codes.max() + 1, like.shape[1]))
            np.add.at(sums, codes, like)
            like = (sums / np.bincount(codes)[:, None])[codes]
        distance += np.einsum("ij,ij->i", X1 @ self.dual.T, like)
        return self.slope * distance + self.shift


def _fit_logits(
    kernel: np.ndarray,
    planes: np.ndarray,
    Xs: list[np.ndarray],
    ys: list[np.ndarray],
    weights: list[np.ndarray],
) -> tuple[float, float]:
    """Return slope and shift from distances to logits, learned on subjects left out in turn.

    ``kernel`` is that of the sources, (n, n), with the ridge on its diagonal.
    """
    distances = []
    for i, X in enumerate(Xs):
        others = np.flatnonzero(np.arange(len(Xs)) != i)
        mean = planes[others].mean(axis=0)
        dual = np.linalg.solve(kernel[np.ix_(others, others)], kernel[others, i])
        plane = mean + dual @ (planes[others] - mean)
        distances.append(X @ plane[:-1] + plane[-1])
    distance, y, weight = (np.concatenate(parts) for parts in (distances, ys, weights))
    unit = distance.std() or 1.0  # the solver wants numbers near one
    logistic = LogisticRegression(class_weight="balanced").fit(
        distance[:, None] / unit, y, sample_weight=weight
    )
    slope, shift = float(logistic.coef_[0, 0] / unit), float(logistic.intercept_[0])
    if slope > 0:
        return slope, shift
    # few people left out may be ranked the wrong way round, which says nothing of the planes
    slope = _FLATTEST / unit
    middle = np.mean([np.average(distance[y == k], weights=weight[y == k]) for k in (0, 1)])
    return slope, float(-slope * middle)


@parameters
class SVTPTClassifier(AUClassifierMixin, BaseEstimator):
    r"""AU detection by an SVM made for each person from that person's unlabelled frames.

    A linear SVM is trained for each AU and each training subject :math:`i`; its support vectors
    :math:`V_i` stand for how that subject looks. A regression learns what plane
    :math:`\theta = (w, b)` belongs to what look, so that a person without labels gets a plane
    from unlabelled frames :math:`X_t` alone [1]_, [2]_:

    .. math::
        \theta_t = \bar\theta + \sum_i \alpha_i\, \kappa(X_t, V_i), \qquad
        \kappa(X, V) = \frac{1}{|X||V|} \sum_{x \in X, v \in V} e^{-\gamma |x - v|^2}

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the SVMs' regularisation.
    ridge : float, default=1.0
        Regularisation of the regression; large values give everybody the mean plane.
    gamma : float or "scale", default="scale"
        Of the kernel between frames; "scale" is ``1 / (n_features * X.var())``.

    Attributes
    ----------
    {au_attributes}
    trained_on_ : dict
        Numbers of rows, subjects and labels, as those of :class:`skau.DSNClassifier`.
    n_sources_ : ndarray of int, shape (n_aus,)
        Subjects whose SVM the regression of each AU learned from.
    gamma_ : float
        The value used.
    {input_attributes}

    Notes
    -----
    Images become histograms of uniform local binary patterns in 8 x 8 cells; vectors are taken
    as they are, so scale them first. A subject without both a positive and a negative example
    of an AU has no SVM for it; where fewer than two have one, one SVM of all rows serves
    everybody. The size is that of the support vectors: of the order of
    ``n_aus * n_subjects * 20 * 3776`` numbers for images.

    A subject has fewer frames than features, so its SVM has a hard margin, and the mean of many
    such planes says "absent" to almost everybody. Therefore a logistic regression for each AU,
    whose classes weigh alike, turns distances into logits; it learns from the distances of each
    training subject to the plane that the others predict for it. Its slope is held above zero:
    where the subjects left out are ranked the wrong way round, all probabilities are near one
    half, in the order of the distances.

    It differs from [1]_ in the regression, a kernel ridge about the mean plane, where [1]_ uses
    support vector regression, in the features, where [2]_ adds facial landmarks and reduces
    them by principal components, and in that logistic regression. Probabilities are those of an
    AU that is present in every second frame.

    **Results with** ``groups`` **use the test person's unlabelled frames**, which the other
    methods do not see: report them as a row of their own.

    References
    ----------
    .. [1] G. Zen, E. Sangineto, E. Ricci, N. Sebe, "Unsupervised Domain Adaptation for
       Personalized Facial Emotion Recognition", ICMI 2014.
    .. [2] G. Zen, L. Porzi, E. Sangineto, E. Ricci, N. Sebe, "Learning Personalized Models for
       Facial Expression Analysis and Gesture Recognition", IEEE Transactions on Multimedia
       18(4), 2016.

    Examples
    --------
    >>> from skau.baselines import SVTPTClassifier
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> X, Y, subjects = faces.images, faces.target[["AU1", "AU12"]], faces.groups
    >>> test = subjects == "S001"
    >>> clf = SVTPTClassifier().fit(X[~test], Y[~test], groups=subjects[~test])
    >>> clf.predict(X[test], groups=subjects[test]).shape
    (20, 2)
    """

    C: Annotated[float, Interval(Real, 0, None, closed="neither")] = 1.0
    ridge: Annotated[float, Interval(Real, 0, None, closed="neither")] = 1.0
    gamma: Annotated[
        float | str, Interval(Real, 0, None, closed="neither"), StrOptions({"scale"})
    ] = "scale"

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Train the SVM of each subject, and the regression from subjects to SVMs.

        Parameters
        ----------
        X, y
            As in :meth:`skau.DSNClassifier.fit`.
        groups : array-like of shape (n,), default=None
            The subject of each row. Without it all rows are one person's.
        sample_weight : array-like of shape (n,), default=None
            Weight of each row in the SVMs; 0 leaves it out of everything.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an input has the wrong shape, type or values, or no AU has a label.
        """
        given = {"groups": groups, "sample_weight": sample_weight}
        require_same_rows(given, {"y": y, "X": X})
        X = check_inputs(self, X, reset=True)
        if isinstance(X, ImageFiles):
            X.check(np.arange(len(X)))
        labels = check_labels(y, X, self)
        self.classes_, self.au_names_ = labels.classes, labels.names
        self._single = labels.single
        codes = np.zeros(len(X), int) if groups is None else subject_codes(groups, len(X))
        weight = read_weights(sample_weight, len(X))
        rows = weight > 0
        counted = np.where(rows[:, None], labels.values, np.nan)
        self._unlearned = warn_of_rare(counted, labels.names)
        features = self._features(X)
        variance = features[rows].var()
        scale = 1 / (features.shape[1] * variance) if variance > 0 else 1.0
        self.gamma_ = float(scale if isinstance(self.gamma, str) else self.gamma)
        self._transfers = []
        context = self._begin_fit(len(labels.names), X, y)
        for name, shown in zip(labels.names, counted.T, strict=True):
            part = context.subcontext(str(name))
            part.call_on_fit_task_begin(estimator=self, X=X, y=y)
            used = ~np.isnan(shown)
            self._transfers.append(
                self._fit_au(features[used], shown[used], codes[used], weight[used])
            )
            part.call_on_fit_task_end(estimator=self, X=X, y=y)
        self.n_sources_ = np.array([len(transfer.dual) for transfer in self._transfers])
        self.trained_on_ = training_facts(
            labels.values[rows], labels.names, None if groups is None else codes[rows]
        )
        self._end_fit(context, X, y)
        return self

    def _features(self, X: Any) -> np.ndarray:
        return np.asarray(X) if len(self.input_shape_) == 1 else lbp_histograms(X)

    def _fit_au(
        self, X: np.ndarray, y: np.ndarray, codes: np.ndarray, weight: np.ndarray
    ) -> _Transfer:
        sources = [np.flatnonzero(codes == code) for code in np.unique(codes)]
        sources = [rows for rows in sources if len(np.unique(y[rows])) == 2]
        nobody = np.empty((0, X.shape[1]))
        if len(sources) < 2:
            plane = self._fit_svm(X, y, weight)[0]
            return _Transfer(plane, np.empty((0, len(plane))), nobody, np.empty(0, int))
        planes, vectors = zip(
            *(self._fit_svm(X[rows], y[rows], weight[rows]) for rows in sources), strict=True
        )
        starts = np.cumsum([0, *(len(own) for own in vectors)])[:-1]
        mean = np.mean(planes, axis=0)
        transfer = _Transfer(mean, np.empty((0, len(mean))), np.concatenate(vectors), starts)
        kernel = np.add.reduceat(transfer.likeness(transfer.vectors, self.gamma_), starts, axis=0)
        kernel /= np.array([len(own) for own in vectors])[:, None]
        kernel[np.diag_indices_from(kernel)] += self.ridge
        transfer.dual = np.linalg.solve(kernel, np.array(planes) - mean)
        transfer.slope, transfer.shift = _fit_logits(
            kernel, np.array(planes), [X[rows] for rows in sources],
            [y[rows] for rows in sources], [weight[rows] for rows in sources],
        )  # fmt: skip
        return transfer

    def _fit_svm(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the plane (weights and bias) and the support vectors."""
        if len(np.unique(y)) < 2:  # nothing to tell apart: always what there is
            return np.append(np.zeros(X.shape[1]), 1.0 if y.any() else -1.0), X
        # it draws nothing, and yet moves NumPy's own generator if it has no seed
        svm = SVC(C=self.C, kernel="linear", class_weight="balanced", random_state=0).fit(
            X, y, sample_weight=weight
        )
        return np.append(svm.coef_[0], svm.intercept_[0]), X[svm.support_]

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits by the plane of each row's person.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row: the plane comes from all rows of that person in this call.
            None takes every row for a person of its own.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
        """
        check_is_fitted(self)
        require_same_rows({"groups": groups}, {"X": X})
        X = check_inputs(self, X, reset=False)
        codes = None if groups is None else subject_codes(groups, len(X))
        features = self._features(X)
        columns = [transfer.decide(features, codes, self.gamma_) for transfer in self._transfers]
        return self._squeeze(np.column_stack(columns))
