"""One processor for a thread, and the end of threads."""

import re
import sys
from pathlib import Path
from threading import Thread, get_native_id

import pytest
import torch

from skau.preprocessing._results import in_threads
from skau.utils._threads import use_one_processor


def _numbers():
    """All numbers of threads that PyTorch reports of the present thread."""
    return [int(number) for number in re.findall(r"_threads\(\) : (\d+)", _parallel_info())]


def _parallel_info():
    return torch.__config__.parallel_info().replace("at::get_num_interop_threads()", "")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_one_processor_for_openmp_and_mkl_in_this_thread_alone(two_threads):
    before = _numbers()
    assert set(before) == {2}
    restore = use_one_processor()
    try:
        here, there = _numbers(), []
        other = Thread(target=lambda: there.extend(_numbers()))
        other.start()
        other.join()
    finally:
        restore()
    assert set(here) == {1}
    assert (there, _numbers()) == (before, before)


def test_the_threads_of_a_pool_compute_on_one_processor_each(two_threads):
    numbers = [n for chunk in in_threads(lambda items: _numbers(), range(40), 2) for n in chunk]
    assert set(numbers) == {1}
    assert set(_numbers()) == {2}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_threads_of_a_pool_have_ended_when_the_work_is_done():
    for _ in range(20):
        threads = {
            thread for chunk in in_threads(lambda items: [get_native_id()], range(40), 4)
            for thread in chunk
        }  # fmt: skip
        assert threads
        assert not [thread for thread in threads if Path(f"/proc/self/task/{thread}").exists()]
