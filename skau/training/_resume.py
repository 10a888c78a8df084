"""Training that goes on where an equal one stopped, in this process or in another."""

from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History
from torch import Tensor, nn

from .._version import __version__
from ..utils._cache import Cache
from ._net import AUNet, Stage

__all__ = ["ResumeTraining"]


class ResumeTraining(Callback):
    """Keep the state of training, and go on from it when the same training is asked for again.

    Pass it in ``callbacks``. At the end of ``fit`` the weights, the optimiser's moments, the
    random streams and the best epoch are written to a folder. A later ``fit`` that begins in the
    same way - equal data, labels, validation subjects, parameters and seed - but has more epochs
    trains only the epochs that are missing, and an equal one trains none. The result is that of
    training in one go, to the bit.

    So :class:`~sklearn.model_selection.HalvingGridSearchCV` with ``max_epochs`` as its resource
    warm-starts every candidate and fold, and a search that was stopped goes on.

    Parameters
    ----------
    memory : str, path-like or joblib.Memory
        Where the states are: four times the size of the network for each fit. It may be shared
        by processes, and by machines if its file system is. Delete it when you are done.

    Notes
    -----
    Without ``random_state`` no training is the same as another, so nothing is ever found. Image
    files are known by their paths, sizes and times of change. Other callbacks may have a state
    that is not kept, so there must be none.

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

    def __init__(self, memory: Any) -> None:
        self.memory = memory

    def on_train_begin(self, net: AUNet, **kwargs: Any) -> None:
        """Look for the longest equal training that is not longer than this one."""
        if len(net.callbacks or []) > 1:
            raise ValueError(
                "callbacks: ResumeTraining must be the only one; it does not know what others "
                "would have to remember"
            )
        self.resumed_, self._trained = 0, 0
        self._cache, self._key = Cache(self.memory), _describe(net)
        stage = net._stage
        for epochs in range(stage.epochs, 0, -1):
            state = self._cache.get(f"{self._key}-{epochs}")
            if state is not None:
                _restore(net, state)
                self.resumed_, stage.epochs = epochs, stage.epochs - epochs
                break
        self._wanted = stage.epochs

    def on_epoch_end(self, net: AUNet, **kwargs: Any) -> None:
        """Keep the state after the last epoch."""
        self._trained += 1
        if self._trained == self._wanted:
            self._cache.put(f"{self._key}-{self.resumed_ + self._trained}", _state(net))

    def __getstate__(self) -> dict[str, Any]:
        return {"memory": self.memory}


def _describe(net: AUNet) -> str:
    """Return a text that differs wherever training would take another course."""
    stage = net._stage
    settings = (
        net.batch_size, net.precision, net.augment, net.monitor, net.optimizer,
        _map(_layers(net.module_), partial(Tensor.numpy, force=True)), stage.name,
        vars(stage.train) | {"X": _inputs(stage)}, None if stage.valid is None else
        stage.valid.rows, stage.batches, len(net.history), __version__,
    )  # fmt: skip
    loss = {k: v for k, v in vars(stage.loss).items() if not k.startswith("_")}
    parts = (list(settings), type(stage.loss).__qualname__, loss, _state(net, past=False))
    # equal arrays may lie in memory in different orders
    return Cache.key(_map(parts, np.ascontiguousarray, np.ndarray))


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
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(net.device) if _on_cuda(net) else None,
    }
    if past:
        best = dict(net.callbacks_)["keep_best"]
        state["best"] = (best.best, best.best_epoch, best.state)
        state["history"] = deepcopy(list(net.history))
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
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], net.device)
    best = dict(net.callbacks_)["keep_best"]
    best.best, best.best_epoch, best.state = state["best"]
    net.history_ = History(state["history"])
    net._stage.batches.rng.set_state(state["numpy"])  # type: ignore[attr-defined]


def _map(x: Any, change: Any, kind: type = Tensor, skip: tuple[str, ...] = ()) -> Any:
    """Change every tensor (or what ``kind`` is) in nested dicts, lists and tuples."""
    if isinstance(x, kind):
        return change(x)
    if isinstance(x, dict):
        return {k: v if k in skip else _map(v, change, kind) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(_map(v, change, kind) for v in x)
    return x


def _on_cuda(net: AUNet) -> bool:
    return torch.device(net.device).type == "cuda"
