"""Inference over many rows: a chunk at a time, the next one read meanwhile."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ._data import ImageFiles, read_ahead

# On a CPU, chunks of 8 images of 128 x 128 keep the activations in the cache.
_CPU_PIXELS, _GPU_CHUNK, _VECTOR_CHUNK = 8 * 128 * 128, 256, 4096


def chunk_length(input_shape: tuple[int, ...], device: torch.device) -> int:
    """Return how many inputs of a shape (c, h, w) or (d,) are inferred at once."""
    if len(input_shape) == 1:
        return _VECTOR_CHUNK
    if device.type == "cuda":
        return _GPU_CHUNK
    return max(1, _CPU_PIXELS // (input_shape[1] * input_shape[2]))


def in_chunks(
    function: Callable[..., Tensor],
    *inputs: np.ndarray | ImageFiles,
    rows: np.ndarray | None,
    step: int,
    bar: bool,
) -> np.ndarray:
    """Apply ``function`` to the rows of ``inputs``, ``step`` rows at a time.

    ``rows`` chooses rows of every input; None takes all. An input of one row goes with every
    chunk.
    """
    n = max(len(X) for X in inputs) if rows is None else len(rows)

    def read(start: int) -> list[np.ndarray]:
        chunk = slice(start, start + step) if rows is None else rows[start : start + step]
        return [X[:1] if len(X) == 1 else X[chunk] for X in inputs]

    starts = range(0, n, step)
    chunks = tqdm(
        read_ahead(read, starts, *inputs), total=len(starts), disable=not bar, leave=False
    )
    out: np.ndarray | None = None
    for start, arrays in zip(starts, chunks, strict=True):
        # torch takes no read-only memory map: such a chunk is copied
        chunk = (torch.from_numpy(np.require(a, None, ["C", "W"])) for a in arrays)
        result = at_least_float32(function(*chunk)).cpu().numpy()
        if out is None:
            out = np.empty((n, *result.shape[1:]), result.dtype)
        out[start : start + len(result)] = result
    assert out is not None  # input validation leaves no empty X
    return out


def at_least_float32(x: Tensor) -> Tensor:
    """Return what the layers computed in half the precision in float32."""
    return x.float() if x.dtype == torch.bfloat16 else x
