"""Choose the device and the arithmetic that the machine really has."""

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from ._warnings import user_level


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn ``"auto"`` into a CUDA device where there is one, else the CPU.

    Raises
    ------
    ValueError
        If there is no such device here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.empty(0, device=device).device
        if found.type == "meta":
            raise RuntimeError("its tensors hold no numbers")
        return found
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        reason = str(error).partition(". ")[0].rstrip(".")
        raise ValueError(f"device={str(device)!r} cannot be used here: {reason}") from error


def device_or_cpu(device: str | torch.device) -> torch.device:
    """Turn the device of something that was saved into one that is here, and say so if it is not.

    So does ``torch.load`` with ``map_location="cpu"``.
    """
    try:
        return resolve_device(device)
    except ValueError as error:
        warnings.warn(f"{error}; the CPU takes its place", stacklevel=user_level())
        return torch.device("cpu")


def _has_native_bfloat16(device: torch.device) -> bool:
    if os.environ.get("SKAU_TEST_PRECISION") == "float32":  # also in the tests' worker processes
        return False
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # Without these instructions oneDNN emulates bfloat16, slower than float32.
        cpu = torch.cpu
        return cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported()
    return False


def resolve_precision(precision: str, device: torch.device) -> str:
    """Turn ``"auto"`` into ``"bfloat16"`` where the device computes it natively."""
    if precision == "auto":
        return "bfloat16" if _has_native_bfloat16(device) else "float32"
    return precision


@contextmanager
def own_modes() -> Iterator[None]:
    """Compute with gradients, without autocast, and make tensors on the CPU if no device is named.

    So it is whatever modes of torch the caller is in. Weights that are made in the caller's
    inference mode could never be trained, and in that of ``torch.device("meta")`` never filled.
    The default dtype is no such mode: it is every thread's, so we name ours.
    """
    with ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            modes.enter_context(torch.autocast(kind, enabled=False))
        theirs = torch.empty(0).device
        if theirs.type != "cpu":  # only then, as the mode itself takes time at each call
            modes.callback(_set_back, theirs)
            modes.enter_context(torch.device("cpu"))
        yield


def _set_back(device: torch.device) -> None:
    """Go on in the caller's mode, which ours has ended in older versions of torch."""
    if torch.empty(0).device != device:
        device.__enter__()


def _one_thread() -> None:
    """Let a forked child compute, with one thread.

    A fork takes no threads along: the child would wait for ever for those that have computed in
    its parent, for whatever purpose.
    """
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread)
