"""What every AU classifier has in common: checks, training, prediction."""

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..training._augment import AUGMENTATIONS
from ..training._batches import ShuffledBatches
from ..training._callbacks import check_monitors
from ..training._data import AUDataset, ImageFiles
from ..training._stage import Loss, Stage
from ..utils._device import own_modes
from ..utils._failure import all_or_nothing
from ..utils._groups import subject_codes
from ..utils._rows import require_same_rows
from ..utils._sample_weight import read_weights
from ..utils._sklearn import Interval, StrOptions, fit_context
from ..utils._warnings import user_level
from ._calibration import calibrate, measure_population, unknown_population
from ._class_weight import ClassificationLoss, ClassWeight, class_weights
from ._hold_out import hold_out, warn_of_held_out
from ._network import BaseNetworkEstimator
from ._prediction import AUClassifierMixin
from ._trained_on import training_facts
from ._validation import check_inputs, check_labels, warn_of_rare


class BaseAUClassifier(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    AUClassifierMixin,
    BaseNetworkEstimator,
):
    """Fit, predict and transform around a network and its training schedule.

    A method says what is its own in up to three places: ``_make_module`` builds the network,
    ``_make_loss`` says what is minimised, and ``_make_stages`` over which batches, for how long.
    """

    __metadata_request__partial_fit: ClassVar[dict[str, bool]] = {"groups": True}

    max_epochs: Annotated[int, Interval(Integral, 1, None, closed="left")] = 20
    batch_size: Annotated[int, Interval(Integral, 1, None, closed="left")] = 64
    lr: Annotated[float, Interval(Real, 0, None, closed="neither")] = 1e-4
    optimizer: Annotated[Callable[..., torch.optim.Optimizer], callable] = torch.optim.Adam
    augment: Annotated[
        str | Callable[[Tensor], Tensor] | None, StrOptions(set(AUGMENTATIONS)), callable, None
    ] = "flip"
    class_weight: ClassWeight = None
    validation_fraction: Annotated[float, Interval(Real, 0, 1, closed="left")] = 0.2
    monitor: Annotated[str, StrOptions({"loss", "f1"})] = "f1"
    device: Annotated[str | torch.device, str, torch.device] = "auto"
    precision: Annotated[str, StrOptions({"auto", "float32", "bfloat16"})] = "auto"
    callbacks: Annotated[list | None, list, None] = None
    random_state: Annotated[int | np.random.RandomState | None, "random_state"] = None
    verbose: Annotated[int, "verbose"] = 0

    def _make_loss(self, train: AUDataset) -> Loss:
        """Return what is minimised, here the classification loss alone."""
        return self._classification_loss(train)

    def _make_stages(
        self, train: AUDataset, valid: AUDataset | None, rng: np.random.RandomState
    ) -> list[Stage]:
        """Return the training schedule, here one stage over the annotated rows.

        ``partial_fit`` repeats an epoch of the last stage.
        """
        batches = ShuffledBatches(train.annotated, self.batch_size, rng)
        return [Stage("AU", self.max_epochs, self._make_loss(train), batches, train, valid)]

    def _classification_loss(self, train: AUDataset) -> ClassificationLoss:
        """Return the loss of the labels, weighted as ``class_weight`` says for these rows."""
        rows = train.rows
        weights = class_weights(
            self.class_weight, train.Y[rows], train.weight[rows], self.classes_, self._single
        )
        return ClassificationLoss(weights, asymmetric=self.class_weight == "asymmetric")

    def _after_stage(self, stage: Stage) -> None:
        """Look at what a stage has made of the network, whether or not it was interrupted."""

    # -- training ---------------------------------------------------------------------------

    @all_or_nothing
    @own_modes()
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Train on images with AU labels.

        Parameters
        ----------
        X : array-like
            Images, uint8, of shape (n, h, w, 3) or (n, h, w), at least 32 x 32 (an array or a
            memory map), the paths of n image files of one size, or float vectors of shape
            (n, d).
        y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
            1 where an AU is present, 0 where it is absent, NaN where it is not annotated. A
            row of NaN is an identity-only image. The columns of a DataFrame name the AUs; an AU
            without any label in the rows trained on is predicted as NaN. A 1-D ``y`` holds one
            AU, of any two labels; the larger one is "present".
        groups : array-like of shape (n,), default=None
            The subject of each row.
        sample_weight : array-like of shape (n,), default=None
            Weight of each row in the losses that are means over rows: 2 is the row twice, and 0
            leaves it out of everything. A largest weight beyond 1e6 or below 1e-6 becomes 1, and
            the others in proportion.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an input has the wrong shape, type or values, or no AU has a label.
        """
        data = self._check_data(X, y, groups, sample_weight, reset=True)
        Y, group = data.Y[data.rows], data.group[data.rows]
        warn_of_rare(Y, self.au_names_)
        self._build()
        train, valid = hold_out(
            data, self.validation_fraction, self._rng, by_subject=groups is not None
        )
        self._unlearned = warn_of_held_out(Y, train.Y[train.rows], self.au_names_)
        if valid is not None and self.monitor == "f1" and not (valid.Y[valid.rows] == 1).any():
            warnings.warn(
                f"the {len(valid)} rows held out for validation show no AU, so they have no F1 "
                "and the epoch is chosen by their loss; another random_state or a larger "
                "validation_fraction may hold out some that do",
                stacklevel=user_level(),
            )
        if valid is None:
            check_monitors(self.callbacks)
        held_out = 0 if valid is None else len(valid)
        self.trained_on_ = training_facts(Y, self.au_names_, group, held_out)
        stages = self._make_stages(train, valid, self._rng)
        context = self._begin_fit(sum(stage.epochs for stage in stages), X, y)
        for stage in stages:
            stage.task, stage.told = context, {"estimator": self, "X": X, "y": y}
            if len(stages) > 1:
                # Gradients of another loss are of another size: until Adam had forgotten those
                # of the triplets, its steps on the AUs would be several times too long.
                self.net_.initialize_optimizer()
            self._run(stage)
        self._measure_population(train)
        self._end_fit(context, X, y)
        return self

    @all_or_nothing
    @own_modes()
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        groups: Any = None,
        sample_weight: Any = None,
        classes: Any = None,
    ) -> Self:
        """Train one more epoch, from where the last call stopped.

        Nothing is held out for validation, and the state after the epoch is kept; after a call
        that fails it is that before. A schedule of ``lr`` in ``callbacks`` goes on with every
        call, and begins anew, from the rate that it has come to, where a parameter was set since;
        EarlyStopping counts from 0 each time, so it ends nothing.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in ``fit``. A part of the data may miss labels of an AU altogether.
        classes : array-like of shape (2,), default=None
            The two labels of a 1-D ``y``; needed in the first call if that holds only one.

        Returns
        -------
        self
        """
        first = not hasattr(self, "net_")
        data = self._check_data(X, y, groups, sample_weight, reset=first, classes=classes)
        if first:
            self._build()
        else:
            self._refresh()
        Y, group = data.Y[data.rows], data.group[data.rows]
        unlabelled = np.isnan(Y).all(axis=0)
        self._unlearned = unlabelled & (True if first else self._unlearned)
        check_monitors(self.callbacks)
        before = None if first else getattr(self, "trained_on_", None)
        self.trained_on_ = training_facts(Y, self.au_names_, group, before=before)
        stage = self._make_stages(data, None, self._rng)[-1]
        stage.epochs = 1
        self._run(stage)
        return self

    def _check_data(
        self,
        X: Any,
        Y: Any,
        groups: Any,
        sample_weight: Any,
        *,
        reset: bool,
        classes: Any = None,
    ) -> AUDataset:
        given = {"groups": groups, "sample_weight": sample_weight}
        require_same_rows(given, {"y": Y, "X": X})
        X = check_inputs(self, X, reset=reset)
        if not reset and self._single:
            if classes is not None and set(np.ravel(classes)) != set(self.classes_):
                raise ValueError(
                    f"classes is {np.ravel(classes).tolist()}, but the first call had "
                    f"{self.classes_.tolist()}"
                )
            classes = self.classes_
        labels = check_labels(Y, X, self, classes, None if reset else self.au_names_)
        if reset:
            self.classes_, self.au_names_, self._single = (
                labels.classes, labels.names, labels.single,
            )  # fmt: skip
        weight = read_weights(sample_weight, len(X))
        # A weight of 2 is the row twice, also in the difference loss, which grows with the rows of
        # a batch. Only what float32 cannot add up counts relative to the largest.
        if not 1e-6 <= weight.max() <= 1e6:
            weight = weight / weight.max()
        group = np.full(len(X), -1)
        if groups is not None:
            group = subject_codes(groups, len(X))
        weight = weight.astype(np.float32)
        rows = np.flatnonzero(weight)
        if isinstance(X, ImageFiles):
            X.check(rows)
        return AUDataset(X, labels.values, weight, group, rows)

    def _run(self, stage: Stage) -> None:
        finished = self.net_.fit_stage(stage, self._seeded())
        self.history_ = self._make_history()
        self.best_epoch_ = dict(self.net_.callbacks_)["keep_best"].best_epoch
        self.population_ = unknown_population(self.au_names_)  # of these weights
        self._after_stage(stage)
        if not finished:
            # What was learned so far is kept; the user, or the search around us, shall know.
            raise KeyboardInterrupt

    def _measure_population(self, train: AUDataset) -> None:
        rows = train.rows[train.annotated]
        if len(rows) and (train.group[rows] >= 0).any():
            logits = self.net_.run(self.module_.logits, train.X, rows=rows).astype(np.float64)
            self.population_ = measure_population(
                logits, train.group[rows], self.au_names_, train.Y[rows]
            )

    # -- prediction -------------------------------------------------------------------------

    def _infer(self, X: Any, method: str) -> np.ndarray:
        check_is_fitted(self)
        return self.net_.run(getattr(self.module_, method), check_inputs(self, X, reset=False))

    def decision_function(self, X: Any, groups: Any = None) -> np.ndarray:
        """Compute the AU logits.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row. If given, the logits are calibrated to each person: a face
            that always looks a little like an AU has a high mean, one that shows little has a
            small standard deviation, and both are brought to those of ``population_``, the
            further the more frames of the person there are, so that frames without the AU pass a
            threshold about as often as without ``groups``. The AU outputs are linear in the
            expression features, so taking the mean from the logits takes the deviation of the
            person's mean expression from the features. It supposes that people show an AU about
            equally often. **It uses the test person's other frames**: report such results as a
            row of their own. None takes each frame by itself, as the papers do.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
            Positive where an AU is more likely present than not.
        """
        require_same_rows({"groups": groups}, {"X": X})
        logits = self._infer(X, "logits").astype(np.float64)
        return self._squeeze(calibrate(logits, groups, self.population_))

    def transform(self, X: Any) -> np.ndarray:
        """Compute the expression features, which the AU outputs are computed from.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.

        Returns
        -------
        ndarray of shape (n, n_features_out)
        """
        return self._infer(X, "features")
