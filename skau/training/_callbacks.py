"""What the net itself does at every epoch, and which callbacks of the user may stand beside."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    InputShapeSetter,
    LRScheduler,
    PassthroughScoring,
    lr_scheduler,
)
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm.auto import tqdm


def check_callbacks(callbacks: list[Any] | None) -> None:
    """Refuse what is no callback of skorch, or could do nothing here."""
    for callback in _unnamed(callbacks):
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks: {callback!r:.80} is no callback of skorch; scikit-learn's are set by "
                "set_callbacks"
            )
        if issubclass(kind, InputShapeSetter):
            raise ValueError(
                f"callbacks: {kind.__name__} is of no use here, for the network is made to fit "
                "the images or vectors of fit; leave it out"
            )
        if isinstance(callback, PassthroughScoring):
            part = str(callback.name).partition("_")[0]
            if part in ("train", "valid") and (part == "train") != callback.on_train:
                raise ValueError(
                    f"callbacks: a figure of the {part} part needs PassthroughScoring("
                    f"{callback.name!r}, on_train={part == 'train'})"
                )
        if getattr(callback, "load_best", False):
            raise ValueError(
                f"callbacks: {kind.__name__}(load_best=True) would put other weights in place "
                "than those of best_epoch_, which is chosen by the parameter monitor without any "
                "callback; leave load_best out"
            )
        _check_direction(callback)
        policy = getattr(callback, "policy", None) if issubclass(kind, LRScheduler) else None
        if isinstance(policy, str) and not hasattr(lr_scheduler, policy):
            raise ValueError(
                f"callbacks: LRScheduler does not know {policy!r} by name; pass the class, "
                f"policy=torch.optim.lr_scheduler.{policy}"
            )


def _check_direction(callback: Any) -> None:
    """Refuse to wait for a lower F1."""
    if getattr(callback, "monitor", None) != "valid_f1":
        return
    mend = None
    if isinstance(callback, EarlyStopping) and callback.lower_is_better:
        mend = "lower_is_better=False"
    elif getattr(callback, "policy", None) in (ReduceLROnPlateau, "ReduceLROnPlateau"):
        mend = "mode='max'" if callback.kwargs.get("mode") != "max" else None
    if mend:
        raise ValueError(
            f"callbacks: {type(callback).__name__} takes a lower 'valid_f1' for a better one; "
            f"pass {mend}"
        )


def check_monitors(callbacks: list[Any] | None) -> None:
    """Refuse callbacks that wait for figures of a validation part, where there is none."""
    for given in _unnamed(callbacks):
        callback = given() if isinstance(given, type) else given
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor.startswith("valid"):
            raise ValueError(
                f"callbacks: {type(callback).__name__} looks at {monitor!r}, but nothing is held "
                "out for validation; let it look at monitor='train_loss"
                f"{'_best' * monitor.endswith('_best')}', or fit with a validation_fraction"
            )


@contextmanager
def named(callback: Callback) -> Iterator[None]:
    """Let errors of skorch's own callbacks name the parameter; those of the user's pass."""
    try:
        yield
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        if type(callback).__module__.startswith("skorch."):
            raise ValueError(
                f"callbacks: {type(callback).__name__} cannot be used like this "
                f"({type(error).__name__}: {error})"
            ) from error
        raise


def _unnamed(callbacks: list[Any] | None) -> Iterator[Any]:
    """Yield the callbacks; skorch takes them with a name too, in pairs."""
    for item in callbacks or []:
        pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
        yield item[1] if pair else item


class EpochTerms(Callback):
    """Average every recorded loss term over the epoch, weighted by what it is the mean of.

    F1-frame comes from the counts of the whole epoch; it is the mean over the AUs with a positive
    label. Beside every figure stands whether it is the best so far, as skorch's own callbacks
    want it.
    """

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        if len(net.history) > 1:  # a long run would keep every batch of every epoch
            net.history[-2]["batches"].clear()
        net.history.record("stage", net._stage.name)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        rows = net.history[-1]["batches"]
        names = dict.fromkeys(key for row in rows for key in row if key.endswith("loss#"))
        for name in names:
            pairs = np.array([row[name] for row in rows if name in row])
            n = pairs[:, 1].sum()
            mean = float(pairs[:, 0] @ pairs[:, 1] / n) if n else float("nan")
            _record(net, name.removesuffix("#"), mean)
        counts = [row["valid_counts"] for row in rows if "valid_counts" in row]
        if counts:
            hits, decided, present = np.sum(counts, axis=0)
            known = present > 0
            f1 = 2 * hits[known] / (decided + present)[known]
            _record(net, "valid_f1", float(f1.mean()) if len(f1) else float("nan"), sign=-1)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        # the callbacks after this one may still ask for the last batch
        for row in net.history[:-1]:
            row["batches"].clear()


def count_decisions(logits: Tensor, y: Tensor, weight: Tensor) -> list[list[float]]:
    """Weights of hits, positive decisions and positive labels of each AU, (3, n_aus).

    They are lists, since skorch's checkpoints write the history as JSON.
    """
    y, weight = y.to(logits.device), weight.to(logits.device, torch.float64)
    decided, present = (logits > 0) & ~y.isnan(), y == 1
    counts = torch.stack([decided & present, decided, present])
    table: list[list[float]] = torch.einsum("kna,n->ka", counts.to(weight), weight).tolist()
    return table


def _record(net: NeuralNet, name: str, value: float, sign: int = 1) -> None:
    """Write down a figure; ``sign`` is -1 where more is better."""
    earlier = [sign * row[name] for row in net.history[:-1] if name in row]
    net.history.record(name, value)
    net.history.record(f"{name}_best", bool(sign * value < np.nanmin([*earlier, np.inf])))


class KeepBest(Callback):
    """Go back, at the end, to the epoch that was best in what the net monitors.

    That is the last one where nothing is held out; and of all epochs none whose weights are not
    finite any more.
    """

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.best = (float("inf"), float("inf"))
        self.best_epoch: int | None = None
        self.state: dict[str, Tensor] | None = None

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        row = net.history[-1]
        if not all(weight.isfinite().all() for weight in net.module_.parameters()):
            net.diverge("a weight of the network")
        loss = row.get("valid_class_loss", float("inf"))
        f1 = row.get("valid_f1", float("nan")) if net.monitor == "f1" else float("nan")
        # the loss decides between equal F1, which is zero for the first epochs, and where the
        # validation part shows no AU, of which there is no F1
        now = (loss if np.isnan(f1) else -f1, loss)
        if now < self.best or net._stage.valid is None:
            self.best, self.best_epoch = now, row["epoch"]
            self.state = deepcopy(net.module_.state_dict())

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        if self.state is not None:
            net.module_.load_state_dict(self.state)
            self.state = None
        elif len(net.history) and net._stopped_by != "divergence":
            self.best_epoch = net.history[-1]["epoch"]


class Bar(Callback):
    """A progress bar over the epochs with the losses of the last one."""

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.bar = tqdm(
            total=net._stage.epochs, disable=not net.bar, desc=net._stage.name, unit="epoch"
        )

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        row = net.history[-1]
        losses = {key: row[key] for key in row if key.endswith("loss")}
        self.bar.set_postfix({key: f"{value:.3f}" for key, value in losses.items()})
        self.bar.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        self.bar.close()


class Tasks(Callback):
    """Tell scikit-learn's callbacks, those of ``set_callbacks``, of each epoch."""

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        stage = net._stage
        if stage.task is not None:
            self.epoch = stage.task.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(**stage.told)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        stage = net._stage
        # a copy of the estimator has the weights as they are now: nothing is to be added to it
        if stage.task is not None and self.epoch.call_on_fit_task_end(
            **stage.told, reconstruction_attributes={}
        ):
            raise KeyboardInterrupt  # as skorch's callbacks stop
