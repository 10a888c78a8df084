"""A worker of Dask keeps the buffers of a network."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is not glibc"
)

# Every new buffer of 4 MB is 1024 pages, which the system hands out at their first touch.
CODE = """
import resource
import torch
from skau.utils._memory import keep_freed_memory
def steps(n):
    for _ in range(n):
        torch.empty(1 << 20).fill_(1)
def faults():
    steps(4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    steps(50)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults())
keep_freed_memory()
print(faults())
"""


def page_faults(threshold):
    """Count them in a process as it was started, and after it was told to keep its memory."""
    env = os.environ | {"MALLOC_TRIM_THRESHOLD_": threshold, "OMP_NUM_THREADS": "1"}
    out = subprocess.run(
        [sys.executable, "-c", CODE], env=env, check=True, capture_output=True, text=True
    )
    return [int(line) for line in out.stdout.split()]


def test_dasks_workers_keep_it():
    as_started, kept = page_faults("65536")
    assert as_started > 5_000
    assert kept < 1_000


def test_a_choice_of_the_user_stays():
    as_started, kept = page_faults("4096")
    assert as_started > 5_000
    assert kept > 5_000
