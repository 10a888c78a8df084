"""The one private skorch net: how a batch is prepared, trained on and inferred."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from math import isfinite
from typing import Any

import numpy as np
import torch
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from skorch.history import History
from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd

from ..utils._random import RandomStream
from ..utils._warnings import user_level
from ._callbacks import Bar, EpochTerms, KeepBest, Tasks, count_decisions, named
from ._chunks import at_least_float32, chunk_length, in_chunks
from ._data import AUDataset, Batches, ImageFiles
from ._optimizer import check_optimizer
from ._stage import Stage


class _Diverged(KeyboardInterrupt):
    """Stops skorch's loop, as its callbacks do."""


class AUNet(ClassifierMixin, NeuralNet):
    """Train a ``Stage`` at a time; everything else is skorch's.

    The rows' weights and subjects travel in skorch's X dict and reach the loss, never the
    module. ``history`` is of the running stage, so that the user's callbacks, which hear of no
    prelude, find what they expect; ``epochs`` returns all.
    """

    def __init__(
        self,
        *args: Any,
        precision: str = "float32",
        augment: Callable[[Tensor], Tensor] | None = None,
        monitor: str = "loss",
        bar: bool = False,
        **kwargs: Any,
    ) -> None:
        self.precision = precision
        self.augment = augment
        self.monitor = monitor
        self.bar = bar
        super().__init__(*args, **kwargs)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [
            ("epoch_timer", EpochTimer()),
            ("epoch_terms", EpochTerms()),
            ("keep_best", KeepBest()),
            ("bar", Bar()),
            ("tasks", Tasks()),
        ]

    def initialize_callbacks(self) -> "AUNet":
        """Make the callbacks; say what is wrong with them if that fails."""
        try:
            return super().initialize_callbacks()
        except (TypeError, ValueError) as error:
            raise type(error)(f"callbacks: {error}") from error

    def initialize_optimizer(self, *args: Any) -> "AUNet":
        """Make the optimiser afresh; say what is wrong with it if that fails."""
        try:
            super().initialize_optimizer(*args)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"optimizer={self.optimizer!r} does not take this network's weights and "
                f"lr={self.lr:g}: {error}"
            ) from error
        check_optimizer(self.optimizer_, self.optimizer)
        return self

    def initialize_history(self) -> "AUNet":
        """Forget all epochs."""
        self.past: list[dict[str, Any]] = []
        return super().initialize_history()

    def epochs(self) -> list[dict[str, Any]]:
        """Return a row for each epoch of all stages, without its batches."""
        now = [{k: v for k, v in row.items() if k != "batches"} for row in self.history]
        return self.past + now

    def begin_history(self, past: list[dict[str, Any]]) -> None:
        """Let the next epoch be the first in ``history``, after those of ``past``."""
        self.past, self.history_ = past, History()

    def snapshot(self) -> Callable[[], None]:
        """Return what puts back weights, moments, rates and epochs as they are now."""
        weights, steps = deepcopy((self.module_.state_dict(), self.optimizer_.state_dict()))
        past, history = self.past, History(self.history)
        schedules = [
            (one, one.state_dict()) for one in map(self._schedule, self.callbacks_) if one
        ]

        def put_back() -> None:
            self.module_.to(self.device).load_state_dict(weights)
            self.optimizer_.load_state_dict(steps)
            self.past, self.history_ = past, history
            for schedule, state in schedules:
                schedule.load_state_dict(state)

        return put_back

    def _schedule(self, named: tuple[str, Callback]) -> Any:
        """Return the schedule of rates that a callback has begun for this optimiser."""
        schedule = getattr(named[1], "lr_scheduler_", None)
        return schedule if getattr(schedule, "optimizer", None) is self.optimizer_ else None

    def fit_stage(self, stage: Stage, stream: RandomStream) -> bool:
        """Train through ``stage``; return False if the user interrupted it.

        skorch ends a run on KeyboardInterrupt, and its callbacks raise the same to stop early;
        only the first is the user's.
        """
        if self.history and self.history[-1]["stage"] != stage.name:
            self.begin_history(self.epochs())
        self._stage, self.stream = stage, stream
        self._drops = any(isinstance(layer, _DropoutNd) for layer in self.module_.modules())
        dtype = next(self.module_.parameters()).dtype
        self.criterion_ = stage.loss.to(self.device, dtype)
        self._stopped_by: str | None = "user"
        own = list(stage.loss.parameters())
        if own:
            self.optimizer_.add_param_group({"params": own})
        if stage.lr is not None:
            for weights in self.optimizer_.param_groups:
                weights["lr"] = stage.lr * weights.get("lr_scale", 1)
        try:
            self.partial_fit(stage.train)
        finally:
            if own:
                self.optimizer_.param_groups.pop()
                for weight in own:
                    self.optimizer_.state.pop(weight, None)
                self.criterion_ = self.criterion()  # or its layers would be in the next optimizer
        if self._stopped_by == "divergence":
            self._tell_of_divergence(stage)
        return self._stopped_by != "user"

    def fit_loop(self, X: AUDataset, y: None = None, **kwargs: Any) -> "AUNet":
        """Run the epochs of the stage."""
        super().fit_loop(X, y, epochs=self._stage.epochs, **kwargs)
        self._stopped_by = None
        return self

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks, and remember if one of them stops the training."""
        getattr(self, method_name)(self, **kwargs)
        ours = {name for name, _ in self._default_callbacks}
        # what callbacks draw once an epoch is ours too; a batch is too short a time for that
        stream = nullcontext() if "batch" in method_name or "grad" in method_name else self.stream
        try:
            # those who keep what the others remember come last
            for name, callback in sorted(self.callbacks_, key=_comes_last):
                if method_name == "on_train_begin" and self._schedule((name, callback)):
                    continue  # it goes on: one that is made anew begins with a step
                if name in ours:
                    getattr(callback, method_name)(self, **kwargs)
                elif not self._stage.prelude or _comes_last((name, callback)):
                    with stream, named(callback):
                        getattr(callback, method_name)(self, **kwargs)
        except _Diverged:
            raise
        except KeyboardInterrupt:
            self._stopped_by = "callback"
            for _, callback in filter(_comes_last, self.callbacks_):
                callback.on_stopped(self)
            raise

    def on_epoch_begin(self, net: "AUNet", **kwargs: Any) -> None:
        """Count the epochs over all stages."""
        super().on_epoch_begin(net, **kwargs)
        self.history.record("epoch", len(self.past) + len(self.history))

    def diverge(self, what: str) -> None:
        """Stop the training: something is not finite, and would never be again."""
        self._stopped_by, self._infinite = "divergence", what
        raise _Diverged

    def _tell_of_divergence(self, stage: Stage) -> None:
        best = dict(self.callbacks_)["keep_best"].best_epoch
        lr = "lr" if stage.lr is None else f"{stage.name}_lr"
        options = [f"a lower {lr} (now {self.lr if stage.lr is None else stage.lr:g})"]
        options += ["precision='float32'"] * (self.precision == "bfloat16")
        if not stage.prelude:  # of which callbacks hear nothing
            options.append("skorch's GradientNormClipping in callbacks")
        advice = ", or ".join(options)
        said = f"{self._infinite} is not finite in epoch {self.history[-1]['epoch']}"
        if best is None:
            raise ValueError(
                f"{said}, before an epoch was complete, so nothing was learned; what helps: "
                f"{advice}"
            )
        warnings.warn(
            f"{said}, so the training stopped; the state after epoch {best} is kept. What helps: "
            f"{advice}",
            ConvergenceWarning,
            stacklevel=user_level(),
        )

    def get_split_datasets(self, X: AUDataset, y: None = None, **kwargs: Any) -> tuple[Any, Any]:
        """Return the stage's own training and validation parts."""
        return self._stage.train, self._stage.valid

    def get_iterator(self, dataset: AUDataset, training: bool = False) -> Batches:
        """Return whole batches, drawn by the stage (training) or in order."""
        if training:
            batches: Any = self._stage.batches
        else:
            n, step = len(dataset), self.batch_size
            batches = [list(range(i, min(i + step, n))) for i in range(0, n, step)]
        return Batches(dataset, batches, pin=torch.device(self.device).type == "cuda")

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        kind = torch.device(self.device).type
        try:
            with torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bfloat16"):
                yield
        finally:
            # The weights of 16 bits are kept until the outermost autocast ends, which may be the
            # caller's; those of the next batch are others.
            torch.clear_autocast_cache()

    def prepare(self, X: Tensor) -> Tensor:
        """Images (b, h, w[, c]) uint8 -> (b, c, h, w) in [0, 1]; vectors stay as they are."""
        X = X.to(self.device, non_blocking=True)
        if X.dtype != torch.uint8:
            return X
        if X.ndim == 3:
            X = X[..., None]
        X = X.permute(0, 3, 1, 2)  # of a contiguous batch: channels_last without a copy
        if self.augment is not None and self.module_.training:
            given = X.shape
            with self.stream:
                X = self.augment(X)
            _check_augmented(X, given)
        return X.float().div_(255)

    def infer(self, x: dict[str, Any], **fit_params: Any) -> Tensor:
        """Return the logits of a batch, and leave in it what the module saw and said.

        So the loss has all of it, and skorch's callbacks have what any classifier gives.
        """
        x["input"] = self.prepare(x["X"])
        stream = self.stream if self._drops and self.module_.training else nullcontext()
        with self._autocast(), stream:
            output = self.module_(x["input"])
        x["output"] = type(output)(*(o if o is None else at_least_float32(o) for o in output))
        return x["output"].logits.detach()

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, X: dict[str, Any], training: bool = False
    ) -> Tensor:
        """Compute the total of what `infer` has left, and record every term under its name."""
        kind = {"device": self.device, "dtype": y_pred.dtype}
        batch = {
            "input": X["input"],
            "weight": X["weight"].to(**kind),
            "group": X["group"].to(self.device),
            "generator": self.stream.on(y_pred.device),
        }
        total, terms = self.criterion_(X.pop("output"), y_true.to(**kind), batch)
        if training and not isfinite(total.item()):
            self.diverge("the loss")
        if not training:
            if not y_pred.isfinite().all():  # of finite weights, the last step's
                self.diverge("what the network answers")
            self.history.record_batch("valid_counts", count_decisions(y_pred, y_true, X["weight"]))
        prefix = "train" if training else "valid"
        self.history.record_batch(f"{prefix}_loss#", (total.item(), X["weight"].sum().item()))
        for name, (value, n) in terms.items():
            self.history.record_batch(f"{prefix}_{name}_loss#", (value.item(), n))
        return total

    def _step_optimizer(self, step_fn: Any) -> None:
        """Step; what then does not fit into a number ends as a loss that is not finite does."""
        try:
            super()._step_optimizer(step_fn)
        except (OverflowError, RuntimeError) as error:
            if "overflow" not in str(error) and not isinstance(error, OverflowError):
                raise
            self.diverge("a step of the optimizer")

    @property
    def classes_(self) -> np.ndarray:
        """0 and 1 of each AU, (n_aus, 2): scikit-learn's scorers take `arange(2)` for one AU's."""
        return np.tile([0, 1], (self._stage.train.Y.shape[1], 1))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each AU, (n, n_aus)."""
        return expit(super().predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return which AUs are present, (n, n_aus) of 0 and 1."""
        return (super().predict_proba(X) > 0).astype(np.int64)

    def run(
        self,
        function: Callable[..., Tensor],
        *inputs: np.ndarray | ImageFiles,
        rows: np.ndarray | None = None,
    ) -> np.ndarray:
        """Apply ``function`` to the rows of ``inputs``, prepared; see `in_chunks`."""

        def compute(*chunk: Tensor) -> Tensor:
            return function(*(self.prepare(part) for part in chunk))

        self._set_training(False)
        step = chunk_length(self.module_.input_shape, torch.device(self.device))
        with torch.inference_mode(), self._autocast():
            return in_chunks(compute, *inputs, rows=rows, step=step, bar=self.bar)


def _check_augmented(X: Any, shape: torch.Size) -> None:
    """Refuse images of another kind than those that are predicted."""
    if isinstance(X, Tensor) and X.dtype == torch.uint8 and X.shape == shape:
        return
    found = type(X).__name__
    if isinstance(X, Tensor):
        found = f"{X.dtype} of shape {tuple(X.shape)}".removeprefix("torch.")
    raise ValueError(
        f"augment must return what it is given, a uint8 batch of shape {tuple(shape)}, got "
        f"{found}; leave ToDtype and Normalize out, since the images are scaled afterwards, and "
        "bring crops back to the size of the images"
    )


def _comes_last(named: tuple[str, Callback]) -> bool:
    """Whether it is `ResumeTraining`, which hears of every stage, after all the others."""
    return getattr(named[1], "every_stage", False)
