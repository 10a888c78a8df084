"""Values by key: whole or not there, whatever happens to the disk and the processes."""

import errno
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest

from skau._paths import check_out
from skau.utils._cache import Cache, write_whole

VALUE = {
    "weights": {"fc.weight": np.arange(6, dtype=np.float32).reshape(2, 3).T, "n": np.float64(0.1)},
    "state": ("MT19937", np.arange(3, dtype=np.uint32), 2, 0, -0.0),
    0: [None, True, 1.5, float("inf"), "ä", [], {}, (), 2**70],
    "crops": np.zeros((0, 32, 32, 3), np.uint8),
    "text": np.array(["AU1", "AU12"]),
}


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    else:
        np.testing.assert_array_equal(a, b)
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None)


def test_a_value_comes_back_as_it_was(tmp_path):
    cache = Cache(tmp_path / "new" / "folder")
    assert cache.get("a") is None
    cache.put("a", VALUE)
    same(Cache(str(tmp_path / "new" / "folder")).get("a"), VALUE)
    assert cache.get("a")["weights"]["fc.weight"].flags.writeable
    cache.put("a", [1])
    assert cache.get("a") == [1]
    cache.put("b", None)
    cache.drop("a")
    cache.drop("a")
    assert cache.get("a") is None
    cache.clear()
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("value", [object(), [np.array([None])], {"a": {1, 2}}])
def test_what_would_need_a_pickle_is_refused(value, tmp_path):
    with pytest.raises(TypeError, match="cannot be kept"):
        Cache(tmp_path).put("a", value)


def test_keys_differ_as_their_parts(tmp_path):
    parts = [("a", 1), ("a", 1.0), ("a1",), (["a", 1],), (np.array([1]),), (np.array([1.0]),)]
    assert len({Cache.key(*part) for part in parts}) == len(parts)
    assert Cache.key({"a": np.arange(3)}) == Cache.key({"a": np.arange(3)})


def test_a_damaged_value_is_missing_and_replaced(tmp_path):
    cache = Cache(tmp_path)
    cache.put("a", {"x": np.arange(9), "n": 3})
    (file,) = tmp_path.iterdir()
    whole, rng = file.read_bytes(), np.random.RandomState(0)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert cache.get("a") is None
    for place in rng.choice(len(whole), 100, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randint(8)
        file.write_bytes(damaged)
        found = cache.get("a")
        if found is not None:  # a date, or who made the file: nothing of the value
            same(found, {"x": np.arange(9), "n": 3})
    file.write_bytes(b"torn")
    cache.put("a", 1)
    assert cache.get("a") == 1
    (tmp_path / "b.npz").mkdir()
    assert cache.get("b") is None


def test_a_joblib_memory_lends_its_folder(tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    cache = Cache(memory)
    cache.put("a", 1)
    assert Cache(memory).get("a") == 1
    memory.clear(warn=False)
    assert cache.get("a") is None
    nowhere = Cache(joblib.Memory(None))
    nowhere.put("a", 1)
    assert nowhere.get("a") is None
    with pytest.raises(ValueError, match="memory must be a folder"):
        Cache(3)


def test_a_disk_that_takes_nothing_is_told_of_once(tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    cache = Cache(file / "folder")
    with pytest.warns(UserWarning, match="cannot be written .*work goes on"):
        cache.put("a", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put("a", 1)
    assert cache.get("a") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_leaves_nothing_half(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def write():
        with write_whole(path) as file:
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, file.fileno())
            os.close(full)
            file.write(b"new")

    with pytest.raises(OSError, match="No space left"):
        write()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert path.read_text() == "old"


def test_killed_while_writing(tmp_path):
    code = (
        "import sys, numpy as np\nfrom skau.utils._cache import Cache\n"
        "cache, n = Cache(sys.argv[1]), 0\n"
        "while True:\n    n += 1\n    cache.put('a', np.full(300_000, n))\n    print(flush=True)"
    )
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(0.03)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        values = Cache(tmp_path).get("a")
        assert len(values) == 300_000
        assert (values == values[0]).all()
    for part in tmp_path.glob(".*.part"):
        os.utime(part, (0, 0))
    others = [f".a.npz.{32 * '0'}.part", ".film.mkv.part", ".film.npz.part"]
    for name in others:  # of a process that is still at it, and of other programs
        (tmp_path / name).write_bytes(b"")
    for name in others[1:]:
        os.utime(tmp_path / name, (0, 0))
    Cache(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [*others, "a.npz"]


@pytest.mark.parametrize("name", ["table.csv", "[1] *.csv", 60 * "ä" + ".csv"])
def test_what_a_killed_process_left_of_a_file_goes(name, tmp_path):
    path, left = tmp_path / name, {}
    for age, who in ((0, path), (7200, path), (7200, tmp_path / "other.csv")):
        with pytest.raises(FileNotFoundError), write_whole(who) as file:  # noqa: PT012
            (part,) = tmp_path.glob(".*.part")
            assert part.name.startswith(f".{who.name[:9]}")  # it says whose it is
            left[part] = time.time() - age
            part.unlink()
            file.write(b"half")
    for part, changed in left.items():
        part.write_bytes(b"half")
        os.utime(part, (changed, changed))
    with write_whole(path) as file:
        file.write(b"whole")
    new, _, of_another = left  # of a process that may be still at it, and of another file
    assert set(tmp_path.iterdir()) == {path, new, of_another}
    assert path.read_bytes() == b"whole"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OSError, match=r"No space left.*'.*table\.csv'"):  # noqa: SIM117
        with write_whole(tmp_path / "table.csv"):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.csv").symlink_to(tmp_path / "pipe")
    for name, kind in (("pipe", "device or pipe"), ("link.csv", "device or pipe"), ("", "folder")):
        told = pytest.raises(OSError, match=f"is a {kind}; name a file")
        with told, write_whole(tmp_path / name) as file:
            file.write(b"content")
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(OSError, match="out='.*link.csv' is a device or pipe"):
        check_out(tmp_path / "link.csv", ".csv")
