"""The one private skorch net: how a batch is prepared, trained on and inferred."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from ._data import AUDataset, Batches, ImageFiles, read_ahead

__all__ = ["AUNet", "Loss", "Stage", "Term", "chunk_length"]

# On a CPU, chunks of 8 images of 128 x 128 keep the activations in the cache.
_CPU_PIXELS, _GPU_CHUNK, _VECTOR_CHUNK = 8 * 128 * 128, 256, 4096

Term = tuple[Tensor, int]
"""A loss term and the number of things it is the mean of."""


def chunk_length(input_shape: tuple[int, ...], device: torch.device) -> int:
    """Return how many inputs of a shape (c, h, w) or (d,) are inferred at once."""
    if len(input_shape) == 1:
        return _VECTOR_CHUNK
    if device.type == "cuda":
        return _GPU_CHUNK
    return max(1, _CPU_PIXELS // (input_shape[1] * input_shape[2]))


class Loss(nn.Module):
    """Turns a network's output into what is minimised, and says what it is made of.

    Layers of its own (a head that nothing but training needs) learn with the network, for as
    long as its stage lasts.
    """

    def forward(
        self, output: Any, y: Tensor, batch: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Term]]:
        """Return the total and its unweighted terms by name.

        ``batch`` holds ``input`` (what the network saw), ``weight`` and ``group``.
        """
        raise NotImplementedError


@dataclass
class Stage:
    """One part of a training schedule."""

    name: str
    epochs: int
    loss: Loss
    batches: Iterable[list[int]]  # positions into ``train``; iterated once an epoch
    train: AUDataset
    valid: AUDataset | None = None
    lr: float | None = None  # in place of the net's


class AUNet(NeuralNet):
    """Train a ``Stage`` at a time; everything else is skorch's.

    The rows' weights and subjects travel in skorch's X dict and reach the loss, never the
    module.
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
            ("epoch_terms", _EpochTerms()),
            ("keep_best", _KeepBest()),
            ("bar", _Bar()),
        ]

    def fit_stage(self, stage: Stage) -> bool:
        """Train through ``stage``; return False if the user interrupted it.

        skorch ends a run on KeyboardInterrupt, and its callbacks raise the same to stop early;
        only the first is the user's.
        """
        self._stage = stage
        dtype = next(self.module_.parameters()).dtype
        self.criterion_ = stage.loss.to(self.device, dtype)
        self._stopped_by: str | None = "user"
        own = list(stage.loss.parameters())
        if own:
            self.optimizer_.add_param_group({"params": own})
        for weights in self.optimizer_.param_groups:
            weights["lr"] = self.lr if stage.lr is None else stage.lr
        self.partial_fit(stage)
        if own:
            self.optimizer_.param_groups.pop()
            for weight in own:
                self.optimizer_.state.pop(weight, None)
            self.criterion_ = self.criterion()  # or its layers would be in the next optimizer
        return self._stopped_by != "user"

    def fit_loop(self, X: Stage, y: None = None, **kwargs: Any) -> "AUNet":
        """Run the epochs of a stage."""
        super().fit_loop(X, y, epochs=X.epochs, **kwargs)
        self._stopped_by = None
        return self

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks, and remember if one of them stops the training."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt:
            self._stopped_by = "callback"
            raise

    def get_split_datasets(self, X: Stage, y: None = None, **kwargs: Any) -> tuple[Any, Any]:
        """Return the stage's own training and validation parts."""
        return X.train, X.valid

    def get_iterator(self, dataset: AUDataset, training: bool = False) -> DataLoader:
        """Return whole batches, drawn by the stage (training) or in order."""
        if training:
            batches: Any = self._stage.batches
        else:
            n, step = len(dataset), self.batch_size
            batches = [list(range(i, min(i + step, n))) for i in range(0, n, step)]
        pin = torch.device(self.device).type == "cuda"
        return DataLoader(
            Batches(dataset, batches), batch_size=None, collate_fn=_whole, pin_memory=pin
        )

    def _autocast(self) -> AbstractContextManager:
        kind = torch.device(self.device).type
        return torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bfloat16")

    def prepare(self, X: Tensor) -> Tensor:
        """Images (b, h, w[, c]) uint8 -> (b, c, h, w) in [0, 1]; vectors stay as they are."""
        X = X.to(self.device, non_blocking=True)
        if X.dtype != torch.uint8:
            return X
        if X.ndim == 3:
            X = X[..., None]
        X = X.permute(0, 3, 1, 2)  # of a contiguous batch: channels_last without a copy
        if self.augment is not None and self.module_.training:
            X = self.augment(X)
        return X.float().div_(255)

    def infer(self, x: dict[str, Tensor], **fit_params: Any) -> Any:
        """Run the module on a batch, and leave in it what the module saw, for the loss."""
        x["input"] = self.prepare(x["X"])
        with self._autocast():
            output = self.module_(x["input"])
        return type(output)(*(o if o is None else _full(o) for o in output))

    def get_loss(
        self, y_pred: Any, y_true: Tensor, X: dict[str, Tensor], training: bool = False
    ) -> Tensor:
        """Compute the total and record every term under its name."""
        kind = {"device": self.device, "dtype": y_pred.logits.dtype}
        batch = {
            "input": X["input"],
            "weight": X["weight"].to(**kind),
            "group": X["group"].to(self.device),
        }
        total, terms = self.criterion_(y_pred, y_true.to(**kind), batch)
        if not training:
            self.history.record_batch("valid_counts", _counts(y_pred.logits, y_true, X["weight"]))
        prefix = "train" if training else "valid"
        terms = {"": (total, len(y_true)), **{f"{name}_": term for name, term in terms.items()}}
        for name, (value, n) in terms.items():
            self.history.record_batch(f"{prefix}_{name}loss#", (value.item(), n))
        return total

    def run(
        self,
        function: Callable[..., Tensor],
        *inputs: np.ndarray | ImageFiles,
        rows: np.ndarray | None = None,
    ) -> np.ndarray:
        """Apply ``function`` to the rows of ``inputs``, a chunk at a time.

        ``rows`` chooses rows of every input; the default is all. An input of one row goes with
        every chunk.
        """
        n = max(len(X) for X in inputs) if rows is None else len(rows)
        step = chunk_length(self.module_.input_shape, torch.device(self.device))

        def read(start: int) -> list[np.ndarray]:
            chunk = slice(start, start + step) if rows is None else rows[start : start + step]
            return [X[:1] if len(X) == 1 else X[chunk] for X in inputs]

        starts = range(0, n, step)
        chunks = read_ahead(read, starts, *inputs)
        self._set_training(False)
        out: np.ndarray | None = None
        with torch.inference_mode(), self._autocast():
            bar = tqdm(chunks, total=len(starts), disable=not self.bar, leave=False)
            for start, arrays in zip(starts, bar, strict=True):
                # torch takes no read-only memory map: such a chunk is copied
                chunk = (
                    self.prepare(torch.from_numpy(np.require(a, None, ["C", "W"]))) for a in arrays
                )
                result = _full(function(*chunk)).cpu().numpy()
                if out is None:
                    out = np.empty((n, *result.shape[1:]), result.dtype)
                out[start : start + len(result)] = result
        assert out is not None  # input validation leaves no empty X
        return out


def _whole(batch: Any) -> Any:
    """Collate nothing: the dataset already returns whole batches."""
    return batch


def _full(x: Tensor) -> Tensor:
    """Losses and results are float32 at least, whatever the layers computed in."""
    return x.float() if x.dtype == torch.bfloat16 else x


def _counts(logits: Tensor, y: Tensor, weight: Tensor) -> np.ndarray:
    """Weights of hits, positive decisions and positive labels of each AU, (3, n_aus)."""
    y, weight = y.to(logits.device), weight.to(logits.device, torch.float64)
    decided, present = (logits > 0) & ~y.isnan(), y == 1
    counts = torch.stack([decided & present, decided, present])
    return torch.einsum("kna,n->ka", counts.to(weight), weight).cpu().numpy()


class _EpochTerms(Callback):
    """Average every recorded loss term over the epoch, weighted by what it is the mean of.

    F1-frame comes from the counts of the whole epoch; it is the mean over the AUs with a positive
    label.
    """

    def on_epoch_begin(self, net: AUNet, **kwargs: Any) -> None:
        net.history.record("stage", net._stage.name)

    def on_epoch_end(self, net: AUNet, **kwargs: Any) -> None:
        rows = net.history[-1]["batches"]
        names = dict.fromkeys(key for row in rows for key in row if key.endswith("loss#"))
        for name in names:
            pairs = np.array([row[name] for row in rows if name in row])
            n = pairs[:, 1].sum()
            mean = float(pairs[:, 0] @ pairs[:, 1] / n) if n else float("nan")
            net.history.record(name.removesuffix("#"), mean)
        counts = [row["valid_counts"] for row in rows if "valid_counts" in row]
        if counts:
            hits, decided, present = np.sum(counts, axis=0)
            known = present > 0
            f1 = 2 * hits[known] / (decided + present)[known]
            net.history.record("valid_f1", float(f1.mean()) if len(f1) else float("nan"))
        rows.clear()  # a long run would keep every batch of every epoch


class _KeepBest(Callback):
    """Go back, at the end, to the epoch that was best in what the net monitors."""

    def on_train_begin(self, net: AUNet, **kwargs: Any) -> None:
        self.best = (float("inf"), float("inf"))
        self.best_epoch: int | None = None
        self.state: dict[str, Tensor] | None = None

    def on_epoch_end(self, net: AUNet, **kwargs: Any) -> None:
        row = net.history[-1]
        loss = row.get("valid_class_loss", float("inf"))
        f1 = row.get("valid_f1", float("nan")) if net.monitor == "f1" else float("nan")
        # the loss decides between equal F1, which is zero for the first epochs, and where the
        # validation part shows no AU, of which there is no F1
        now = (loss if np.isnan(f1) else -f1, loss)
        if now < self.best:
            self.best, self.best_epoch = now, row["epoch"]
            self.state = deepcopy(net.module_.state_dict())

    def on_train_end(self, net: AUNet, **kwargs: Any) -> None:
        if self.state is not None:
            net.module_.load_state_dict(self.state)
            self.state = None
        elif len(net.history):
            self.best_epoch = net.history[-1]["epoch"]


class _Bar(Callback):
    """A progress bar over the epochs with the losses of the last one."""

    def on_train_begin(self, net: AUNet, **kwargs: Any) -> None:
        self.bar = tqdm(
            total=net._stage.epochs, disable=not net.bar, desc=net._stage.name, unit="epoch"
        )

    def on_epoch_end(self, net: AUNet, **kwargs: Any) -> None:
        row = net.history[-1]
        losses = {key: row[key] for key in row if key.endswith("loss")}
        self.bar.set_postfix({key: f"{value:.3f}" for key, value in losses.items()})
        self.bar.update()

    def on_train_end(self, net: AUNet, **kwargs: Any) -> None:
        self.bar.close()
