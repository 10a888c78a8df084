"""`Int8Classifier`: a fitted classifier whose network predicts in 8-bit integers."""

from dataclasses import field
from numbers import Integral
from typing import Annotated, Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..training._chunks import chunk_length
from ..utils._classifier import WrapsClassifierMixin
from ..utils._failure import all_or_nothing
from ..utils._fit_tasks import fit_part
from ..utils._parameters import parameters
from ..utils._routing import fit_groups
from ..utils._rows import require_same_rows
from ..utils._sklearn import HasMethods, Interval, fit_context
from ._calibration import calibrate
from ._network import BaseNetworkEstimator
from ._openvino import compile_here, import_openvino, is_of_this_process, quantize, run_compiled
from ._prediction import AUClassifierMixin
from ._validation import check_inputs


@parameters
class Int8Classifier(WrapsClassifierMixin, AUClassifierMixin, BaseEstimator):
    """Predict in 8-bit integers what a network has learnt in floating point.

    The estimator is fitted as it is. Then its network becomes an OpenVINO model [1]_ whose
    convolutions and linear layers, but for the last, NNCF quantizes after training [2]_: their
    weights are rounded, and the ranges of what they read are taken from a sample of the training
    images. On a CPU this predicts about twice as fast as bfloat16 and six times as fast as
    float32 in plain PyTorch (``benchmarks/speed.py``). Probabilities move a little: compare the
    F1 of both before you rely on it.

    Parameters
    ----------
    estimator : classifier of skau with a network
        Put one that is fitted already into :class:`sklearn.frozen.FrozenEstimator`: ``fit`` then
        only quantizes it.
    n_calibration : int, default=300
        Number of images from which the ranges are taken, at random.
    random_state : int, RandomState instance or None, default=None
        Draws these images.

    Attributes
    ----------
    estimator_ : classifier
        The fitted estimator.
    {au_attributes}
    n_features_in_ : int
        The product of the shape of an image.

    Raises
    ------
    ImportError
        If OpenVINO or NNCF is not installed (extra ``openvino``).

    Notes
    -----
    NNCF shows its progress bars if the estimator is ``verbose``. Fits in several threads quantize
    one after the other. Prediction uses as many threads as PyTorch (``torch.get_num_threads()``)
    and the CPU alone. A pickle holds the model; it is compiled again, in a moment, at the first
    prediction.

    References
    ----------
    .. [1] OpenVINO toolkit, https://docs.openvino.ai
    .. [2] A. Kozlov, I. Lazarevich, V. Shamporov, N. Lyalyushkin, Y. Gorbachev, "Neural Network
       Compression Framework for fast model inference", arXiv:2002.08679, 2020.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from skau import DSNClassifier, Int8Classifier
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> X = faces.images[::2, ::4, ::4]
    >>> clf = DSNClassifier(max_epochs=1, random_state=0)
    >>> clf = clf.fit(X, faces.target[::2], groups=faces.groups[::2])
    >>> fast = Int8Classifier(FrozenEstimator(clf), random_state=0).fit(X)  # doctest: +SKIP
    >>> fast.predict_proba(X).shape  # doctest: +SKIP
    (240, 12)
    """

    estimator: Annotated[Any, HasMethods(["fit", "decision_function"])] = field(kw_only=False)
    n_calibration: Annotated[int, Interval(Integral, 1, None, closed="left")] = 300
    random_state: Annotated[int | np.random.RandomState | None, "random_state"] = None

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Fit the estimator, then quantize its network.

        Parameters
        ----------
        X : array-like
            Images, as the estimator takes them.
        y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
            Labels, as the estimator takes them. A frozen estimator needs none.
        groups : array-like of shape (n,), default=None
            The subject of each row, for the estimator.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X holds vectors, or the estimator has no network.
        """
        import_openvino()  # before a long training
        estimator = clone(self.estimator)
        inner = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
        if not isinstance(inner, BaseNetworkEstimator):
            raise ValueError(
                "estimator must be a classifier of skau with a network, but "
                f"{type(inner).__name__} has none; put cropping before Int8Classifier, not inside"
            )
        params = fit_groups(estimator, groups)
        context = self._begin_fit(1, X, y)
        self.estimator_ = fit_part(estimator, context.subcontext("fit"), self, X, y, params)
        module = self.estimator_.module_
        images = check_inputs(self.estimator_, X, reset=False)
        if len(module.input_shape) == 1:
            raise ValueError(
                f"X holds vectors of {module.input_shape[0]} features; Int8Classifier quantizes "
                "networks of images, and those of vectors need no more speed"
            )
        rng = check_random_state(self.random_state)
        rows = rng.permutation(len(images))[: self.n_calibration]
        bars = bool(getattr(self.estimator_, "verbose", 0))
        self._model = quantize(module, images, np.sort(rows), bars)
        self.classes_, self.au_names_ = self.estimator_.classes_, self.estimator_.au_names_
        self._take_features_of(self.estimator_)
        self._single, self._unlearned = self.estimator_._single, self.estimator_._unlearned
        self.__dict__.pop("_compiled", None)
        self._end_fit(context, X, y)
        return self

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits.

        Parameters
        ----------
        X : array-like
            Images as at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row, to calibrate the logits to each person as the estimator does.
            A :class:`~skau.MixedEffectsClassifier` corrects for people in a way of its own; here
            its logits of single images are calibrated, as any other network's are.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
            Positive where an AU is more likely present than not.
        """
        check_is_fitted(self)
        require_same_rows({"groups": groups}, {"X": X})
        images = check_inputs(self.estimator_, X, reset=False)
        step = chunk_length(self.estimator_.input_shape_, torch.device("cpu"))
        logits = run_compiled(self._compile(), images, step).astype(np.float64)
        return self._squeeze(calibrate(logits, groups, self.estimator_.population_))

    def _compile(self) -> Any:
        """Return the network compiled in this process."""
        compiled = self.__dict__.get("_compiled")
        if not is_of_this_process(compiled):
            compiled = self._compiled = compile_here(*self._model)
        return compiled

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what was compiled for this machine."""
        state = dict(super().__getstate__())
        state.pop("_compiled", None)
        return state
