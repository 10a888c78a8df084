"""One processor for a thread, and the end of threads."""

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import monotonic, sleep

import torch
from threadpoolctl import threadpool_limits

from ._memory import keep_freed_memory

_PATIENCE = 5.0  # seconds in which a thread is gone, if it ever goes


def use_one_processor() -> Callable[[], None]:
    """Let this thread compute on one processor; return what takes that back.

    ``torch.set_num_threads`` would also decide for every thread that is started later, by
    whomever, and two callers at once would leave one another's number.
    """
    keep_freed_memory()
    torch.get_num_threads()  # takes over the number for all threads, once a thread
    openmp = threadpool_limits(1, user_api="openmp")
    set_mkl = _mkl_setter()
    mkl = set_mkl(1)

    def restore() -> None:
        openmp.restore_original_limits()
        set_mkl(mkl)

    return restore


@cache
def _mkl_setter() -> Callable[[int], int]:
    """Return the function that sets MKL's number of threads for one thread, and tells the last.

    MKL is part of PyTorch's library, where threadpoolctl does not find it, and follows a number
    of its own before OpenMP's.
    """
    library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    try:
        setter: Callable[[int], int] = ctypes.CDLL(str(library)).MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):  # another system, or PyTorch without MKL
        return lambda threads: 0
    return setter


def wait_until_gone(threads: list[int]) -> None:
    """Wait until the system has ended threads, given by their native ids.

    Python's join waits for that only since 3.13.  A thread that is about to end gives its memory
    back to MKL under a lock of MKL's: a process that is forked in that moment inherits the lock
    and would wait for it for ever.
    """
    folder = Path("/proc/self/task")  # Linux; elsewhere nothing says which threads are there
    end = monotonic() + _PATIENCE
    while any((folder / str(thread)).exists() for thread in threads) and monotonic() < end:
        sleep(0.001)
