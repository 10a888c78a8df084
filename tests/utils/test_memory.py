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
import resource, sys
import torch
from skau.utils._memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def steps(n):
    for _ in range(n):
        torch.empty(1 << 20).fill_(1)
steps(4)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
steps(50)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(threshold, kept="kept"):
    env = os.environ | {"MALLOC_TRIM_THRESHOLD_": threshold, "OMP_NUM_THREADS": "1"}
    out = subprocess.run(
        [sys.executable, "-c", CODE, kept], env=env, check=True, capture_output=True, text=True
    )
    return int(out.stdout)


def test_dasks_workers_keep_it():
    assert page_faults("65536", "as started") > 5_000
    assert page_faults("65536") < 1_000


def test_a_choice_of_the_user_stays():
    assert page_faults("4096") > 5_000
