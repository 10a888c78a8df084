"""What the C library does with memory that is freed."""

import ctypes
import os
import sys
from functools import cache

_DASK = "65536"  # its workers' MALLOC_TRIM_THRESHOLD_, unless the user says otherwise
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # numbers of glibc's malloc.h


@cache
def keep_freed_memory() -> None:
    """Let a Dask worker keep freed memory for the next step of a network.

    Dask has its workers give back at once what is freed, and glibc, once it is told how much to
    keep, no longer learns which sizes return. Then the system hands out every buffer of a network
    anew, page by page, which takes as long as the network itself. We set what glibc reaches where
    nobody tells it anything: buffers of up to 32 MB, and 64 MB in all.
    """
    if sys.platform != "linux" or os.environ.get("MALLOC_TRIM_THRESHOLD_") != _DASK:
        return  # Dask sets it on every system, and only here is there a library to be told
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 64 << 20)
