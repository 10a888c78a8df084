"""OpenVINO: a network quantized to 8-bit integers by NNCF, compiled, and run."""

import ctypes
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakSet

import numpy as np
import torch
from torch import Tensor, nn

from ..modules import AUModule
from ..training._data import ImageFiles, read_ahead
from ..utils._extras import import_extra
from ..utils._warnings import quietly

_COMPILED: WeakSet[Any] = WeakSet()  # networks whose threads run in this process


def _forget_the_parents() -> None:
    """In a forked child, use nothing that the parent compiled, and never free it.

    A fork takes no threads along: OpenVINO would wait for those of the parent for ever.
    """
    for compiled in _COMPILED:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(compiled))
    _COMPILED.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents)


def import_openvino() -> tuple[Any, ...]:
    """Return OpenVINO and NNCF, or say how they are installed."""
    need = "Int8Classifier needs OpenVINO and NNCF"
    return tuple(import_extra(name, "openvino", need) for name in ("openvino", "nncf"))


class _FromPixels(nn.Module):
    """The network with what comes before it: (b, h, w, c) uint8 -> (b, n_aus)."""

    def __init__(self, module: AUModule) -> None:
        super().__init__()
        self.module = module

    def forward(self, X: Tensor) -> Tensor:
        return self.module.logits(X.permute(0, 3, 1, 2).float() / 255)


def quantize(
    module: AUModule, images: np.ndarray | ImageFiles, rows: np.ndarray, bars: bool
) -> tuple[bytes, bytes]:
    """Return the quantized network as OpenVINO's XML and weights.

    Parameters
    ----------
    module : AUModule
        It stays as it is.
    images : uint8 array of shape (n, h, w[, 3]), or ImageFiles
    rows : ndarray of int
        The images from which the ranges are taken.
    bars : bool
        Whether NNCF may draw its progress bars.
    """
    openvino, nncf = import_openvino()
    module = deepcopy(module).cpu().eval()  # the estimator's own stays on its device
    plain = torch.autocast("cpu", enabled=False)  # the user may have set it
    with _quietly(bars), torch.no_grad(), plain:
        model = openvino.convert_model(
            _FromPixels(module), example_input=torch.from_numpy(_pixels(images, 0, 2))
        )
        channels, height, width = module.input_shape
        model.reshape([-1, height, width, channels])
        data = nncf.Dataset(rows.tolist(), lambda row: _pixels(images, row, 1))
        # The layer of the logits stays in floating point: it costs nothing, and of a quantized one
        # with one output OpenVINO 2026.4 returns anything when it runs streams in parallel.
        products = [op for op in model.get_ordered_ops() if op.get_type_name() == "MatMul"]
        head = nncf.IgnoredScope(names=[products[-1].get_friendly_name()])
        model = nncf.quantize(model, data, subset_size=len(rows), ignored_scope=head)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        openvino.save_model(model, file, compress_to_fp16=False)
        return file.read_bytes(), file.with_suffix(".bin").read_bytes()


@contextmanager
def _quietly(bars: bool) -> Iterator[None]:
    """Silence the tracer's and the quantizer's remarks on what is meant as it is."""
    from rich import get_console  # comes with NNCF, which draws on this one

    # The quantizer imports what looks for CUDA, and says that there is none.
    with quietly("nncf", "torch.utils.cpp_extension"):
        console = get_console()
        before = console.quiet, console.is_jupyter
        if not bars:  # a notebook would show them of a quiet console too
            console.quiet, console.is_jupyter = True, False
        try:
            yield
        finally:
            console.quiet, console.is_jupyter = before


def compile_here(xml: bytes, weights: bytes) -> Any:
    """Return a quantized network, compiled for this process and as many threads as PyTorch has."""
    core = import_openvino()[0].Core()
    compiled = core.compile_model(
        core.read_model(xml, weights),
        "CPU",
        {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        },
    )
    _COMPILED.add(compiled)
    return compiled


def is_of_this_process(compiled: Any) -> bool:
    """Whether `compile_here` has returned it, and not in a process that this one was forked of."""
    return compiled in _COMPILED


def run_compiled(compiled: Any, images: np.ndarray | ImageFiles, step: int) -> np.ndarray:
    """Return the logits of images, ``step`` of them at a time in each stream."""
    starts = range(0, len(images), step)
    # Not AsyncInferQueue: its threads call back into Python, and one that still waits for the
    # interpreter while the model is thrown away waits for ever.
    n_streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    idle = deque(compiled.create_infer_request() for _ in range(n_streams))
    running: deque[Any] = deque()
    parts = []

    def finish() -> None:
        idle.append(running.popleft())
        idle[-1].wait()
        parts.append(idle[-1].get_output_tensor().data.copy())

    for chunk in read_ahead(lambda start: _pixels(images, start, step), starts, images):
        if not idle:
            finish()
        running.append(idle.popleft())
        running[-1].start_async(chunk)
    while running:
        finish()
    return np.concatenate(parts)


def _pixels(images: np.ndarray | ImageFiles, start: int, n: int) -> np.ndarray:
    """Return n images as (n, h, w, c), a memory map's too as an array of its own."""
    part = np.array(images[start : start + n])
    return part[..., None] if part.ndim == 3 else part
