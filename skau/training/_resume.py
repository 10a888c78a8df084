"""Training that goes on where an equal one stopped, in this process or in another."""

import time
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch.callbacks import (
    BatchScoring,
    Callback,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    GradientNormClipping,
    LRScheduler,
    PassthroughScoring,
)
from skorch.history import History
from torch import Tensor, nn

from .._version import __version__
from ..utils._cache import Cache
from ._net import AUNet
from ._stage import Stage

_PAUSE = 20  # times as long as writing took, until the next time

# what a callback has of its own that its next epoch depends on
_REMEMBERED: dict[type[Callback], tuple[str, ...]] = {
    BatchScoring: ("best_score_",),
    EarlyStopping: ("misses_", "dynamic_threshold_", "best_epoch_", "best_model_weights_"),
    EpochScoring: ("best_score_",),
    EpochTimer: (),
    GradientNormClipping: (),
    LRScheduler: ("batch_idx_",),
    PassthroughScoring: ("best_score_",),
}


class ResumeTraining(Callback):
    """Keep the state of training, and go on from it when the same training is asked for again.

    Pass it in ``callbacks``. While ``fit`` runs, the weights, the optimiser's moments, the
    random streams and the best epoch are written to a folder, after so many epochs that writing
    takes a twentieth of the time at most. A later ``fit`` that begins in the same way - equal
    data, labels, validation subjects, parameters and seed, on a device of the same kind - goes on
    from there, whether the earlier one was killed, or has ended after fewer epochs; an equal one
    that has ended is not trained again at all. The result is that of training in one go, to the
    bit.

    So a search that was stopped goes on, and
    :class:`~sklearn.model_selection.HalvingGridSearchCV` with ``max_epochs`` as its resource
    warm-starts every candidate and fold.

    Parameters
    ----------
    memory : str, path-like or joblib.Memory
        Where the states are: four times the size of the network for each fit. Each file is
        written whole or not at all, and one that is damaged counts as missing. The folder may be
        shared by processes, and by machines if its file system is. Where it cannot be written,
        training goes on and warns once. Delete it when you are done.

    Notes
    -----
    Without ``random_state`` no training is the same as another, so nothing is ever found. Image
    files are known by their paths, sizes and times of change, functions (``augment``) by their
    names. Of skorch's callbacks EarlyStopping, LRScheduler, EpochScoring, BatchScoring,
    PassthroughScoring, GradientNormClipping and EpochTimer may stand beside it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skau import DSNClassifier, ResumeTraining
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> X, Y = faces.images[:40, ::4, ::4], faces.target[:40]
    >>> with TemporaryDirectory() as folder:
    ...     resume = ResumeTraining(folder)
    ...     for epochs in (1, 3):
    ...         clf = DSNClassifier(max_epochs=epochs, callbacks=[resume], random_state=0)
    ...         clf = clf.fit(X, Y, groups=faces.groups[:40])
    ...         print(len(clf.history_), "epochs,", resume.resumed_, "from the folder")
    1 epochs, 0 from the folder
    3 epochs, 1 from the folder
    """

    resumed_: int
    every_stage = True

    def __init__(self, memory: Any) -> None:
        self.memory = memory

    def on_train_begin(self, net: AUNet, **kwargs: Any) -> None:
        """Look for the longest equal training that is not longer than this one."""
        others = _others(net)
        unknown = [type(cb).__name__ for cb in others.values() if type(cb) not in _REMEMBERED]
        if unknown:
            known = ", ".join(sorted(kind.__name__ for kind in _REMEMBERED))
            raise ValueError(
                f"callbacks: ResumeTraining does not know what {', '.join(unknown)} would have to "
                f"remember; beside it may stand {known}"
            )
        if getattr(self, "_memory", None) is not self.memory:
            self._cache, self._memory = Cache(self.memory), self.memory
        self._key, stage = _describe(net), net._stage
        self.resumed_, self._wanted = 0, stage.epochs
        state = self._find(stage.epochs)
        if state is not None:
            _restore(net, state)
            self.resumed_ = state["epochs"]
            stage.epochs = 0 if state.get("stopped") else stage.epochs - self.resumed_
        self._epochs = self.resumed_
        self._next = 0.0  # when to write again

    def _find(self, epochs: int) -> dict[str, Any] | None:
        running = self._cache.get(self._key)
        least = 0
        if running is not None and running["epochs"] <= epochs:
            least = running["epochs"]
        for ended in range(epochs, least, -1):
            state = self._cache.get(f"{self._key}-{ended}")
            if state is not None:
                return state
        return running if least else None

    def on_epoch_end(self, net: AUNet, **kwargs: Any) -> None:
        """Keep the state now and then, and after the last epoch."""
        self._epochs += 1
        start = time.monotonic()
        if self._epochs == self._wanted:
            self._keep_end(net)
        elif start >= self._next:
            self._cache.put(self._key, _state(net) | {"epochs": self._epochs})
            now = time.monotonic()
            self._next = now + _PAUSE * (now - start)

    def on_stopped(self, net: AUNet) -> None:
        """Keep the state where EarlyStopping has ended the training."""
        if any(isinstance(cb, EarlyStopping) and cb.misses_ == cb.patience
               for cb in _others(net).values()):  # fmt: skip
            self._epochs += 1
            self._keep_end(net, stopped=True)

    def _keep_end(self, net: AUNet, **more: bool) -> None:
        state = _state(net) | {"epochs": self._epochs} | more
        self._cache.put(f"{self._key}-{self._epochs}", state)
        self._cache.drop(self._key)

    def __getstate__(self) -> dict[str, Any]:
        return {"memory": self.memory}


def _others(net: AUNet) -> dict[str, Callback]:
    """Return the user's other callbacks, where they are told of this stage."""
    ours = {name for name, _ in net._default_callbacks}
    return {
        name: callback
        for name, callback in net.callbacks_
        if name not in ours and not net._stage.prelude and not isinstance(callback, ResumeTraining)
    }


def _describe(net: AUNet) -> str:
    """Return a text that differs wherever training would take another course."""
    stage = net._stage
    settings = [
        torch.device(net.device).type, net.batch_size, net.precision, net.monitor, stage.name,
        stage.lr,
        [_map(_layers(part), partial(Tensor.numpy, force=True))
         for part in (net.module_, stage.loss)],
        vars(stage.train) | {"X": _inputs(stage)},
        None if stage.valid is None else stage.valid.rows,
        stage.batches, len(net.epochs()), __version__,
    ]  # fmt: skip
    parts = [settings, _state(net, past=False)]
    others = [(type(callback), callback.get_params()) for callback in _others(net).values()]
    named = {"augment": net.augment, "optimizer": net.optimizer, "callbacks": others}
    for name, value in named.items():
        try:
            parts.append(Cache.key(value))
        except Exception as error:
            raise _untold(name, repr(value), error) from error
    # equal arrays may lie in memory in different orders
    try:
        return Cache.key(_map(parts, np.ascontiguousarray, np.ndarray))
    except Exception:  # of all that stands there, layers alone may be of the user's making
        for name, kind, *own in _layers(net.module_):
            try:
                Cache.key(own)
            except Exception as error:
                layer = f"the layer {name!r} ({kind})"
                raise _untold("trunk or backbone", layer, error) from error
        raise


def _untold(argument: str, what: str, error: Exception) -> ValueError:
    """Return the error about what has no name that a later run would know it by."""
    return ValueError(
        f"{argument}: ResumeTraining cannot tell {what} from another one in a later run; in place "
        "of a lambda or a function inside a function take one of a module, or functools.partial "
        f"of it ({error.args[0] if error.args else error})"  # joblib adds all that it looked at
    )


def _layers(module: nn.Module) -> Any:
    """Return what every layer was declared with: two may differ in that, and print the same."""
    return [
        (name, type(layer).__qualname__,
         {k: v for k, v in vars(layer).items() if not (k.startswith("_") or k == "training")},
         dict(layer.named_buffers(recurse=False)))
        for name, layer in module.named_modules()
    ]  # fmt: skip


def _inputs(stage: Stage) -> Any:
    X = stage.train.X
    if isinstance(X, np.ndarray):
        return np.asarray(X)  # a memory map is its content
    stats = [path.stat() for path in X.paths]
    return [(str(path), s.st_size, s.st_mtime_ns) for path, s in zip(X.paths, stats, strict=True)]


def _state(net: AUNet, past: bool = True) -> dict[str, Any]:
    """Return all that the next epoch depends on; with ``past``, also the story so far."""
    state = {
        "weights": net.module_.state_dict(),
        "loss": net.criterion_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "stream": net.stream.get_state(),
        "seed": net.stream.seed,
    }
    if past:
        best = dict(net.callbacks_)["keep_best"]
        state["best"] = (best.best, best.best_epoch, best.state)
        state["history"] = [{**row, "batches": []} for row in net.history]
        state["callbacks"] = {name: _remembered(cb) for name, cb in _others(net).items()}
        state["numpy"] = net._stage.batches.rng.get_state()  # type: ignore[attr-defined]
    arrays: dict[str, Any] = _map(state, partial(Tensor.numpy, force=True))
    return arrays


def _restore(net: AUNet, arrays: dict[str, Any]) -> None:
    state = _map(arrays, torch.from_numpy, np.ndarray, skip=("numpy",))
    net.module_.load_state_dict(state["weights"])
    net.criterion_.load_state_dict(state["loss"])
    net.optimizer_.load_state_dict(state["optimizer"])
    for weight, moments in net.optimizer_.state.items():
        for name, value in moments.items():
            if value.shape == weight.shape:  # in the weight's memory format, which arrays lose
                moments[name] = torch.empty_like(weight.detach()).copy_(value)
    net.stream.set_state(state["stream"])
    best = dict(net.callbacks_)["keep_best"]
    best.best, best.best_epoch, best.state = state["best"]
    net.history_ = History(state["history"])
    net._stage.batches.rng.set_state(state["numpy"])  # type: ignore[attr-defined]
    for name, callback in _others(net).items():
        own = dict(state["callbacks"][name])
        schedule = own.pop("schedule", None)
        vars(callback).update(own)
        if schedule is not None:
            callback.lr_scheduler_.load_state_dict(schedule)


def _remembered(callback: Callback) -> dict[str, Any]:
    own = {name: getattr(callback, name, None) for name in _REMEMBERED[type(callback)]}
    if isinstance(callback, LRScheduler):
        own["schedule"] = callback.lr_scheduler_.state_dict()
    return own


def _map(x: Any, change: Any, kind: type = Tensor, skip: tuple[str, ...] = ()) -> Any:
    """Change every tensor (or what ``kind`` is) in nested dicts, lists and tuples."""
    if isinstance(x, kind):
        return change(x)
    if isinstance(x, dict):
        return {k: v if k in skip else _map(v, change, kind) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(_map(v, change, kind) for v in x)
    return x
