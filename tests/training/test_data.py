"""Files are read ahead in threads, and nobody can tell but by the clock."""

import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image
from skorch.callbacks import Callback

from skau import DSNClassifier, IdenNetClassifier, ResumeTraining
from skau.baselines import SVTPTClassifier
from skau.training import _data as data_module
from skau.training._data import AUDataset, Batches, ImageFiles, read_ahead


@pytest.fixture
def files(blobs, tmp_path):
    X, Y, groups = (part[::2] for part in blobs)
    paths = [tmp_path / f"{i}.png" for i in range(len(X))]
    for image, path in zip(X, paths, strict=True):
        Image.fromarray(image).save(path)
    return paths, Y, groups


def idennet(**params):
    usual = {"batch_size": 8, "identity_epochs": 1, "random_state": 0}
    return IdenNetClassifier(**usual | {"max_epochs": 2} | params)


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("read")]


@pytest.fixture
def two_readers(monkeypatch):
    monkeypatch.setattr(data_module.torch, "get_num_threads", lambda: 2)


def test_two_reads_at_once_in_order_and_a_few_ahead(files, two_readers):
    drawn, both = [], threading.Barrier(2)

    def keys():
        for key in range(8):
            assert threading.current_thread() is threading.main_thread()
            drawn.append(key)
            yield key

    def read(key):
        both.wait(timeout=10)  # breaks where reads come one after the other
        return key

    got = []
    for key in read_ahead(read, keys(), ImageFiles(files[0])):
        got.append(key)
        assert len(drawn) <= len(got) + 2
    assert got == drawn == list(range(8))
    assert not readers()


def test_arrays_are_read_when_they_are_asked_for():
    drawn = []
    parts = read_ahead(drawn.append, range(8), np.zeros(8))
    next(parts)
    assert drawn == [0]
    assert not readers()


def test_the_number_of_readers_changes_nothing(files, monkeypatch):
    paths, Y, groups = files
    expected = None
    for threads in (1, 3):
        monkeypatch.setattr(data_module, "_MOST_THREADS", threads)
        monkeypatch.setattr(data_module.torch, "get_num_threads", lambda: 4)
        got = idennet().fit(paths, Y, groups=groups).predict_proba(paths)
        expected = got if expected is None else expected
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("identity_only", [False, True])
def test_training_from_files_resumes_to_the_bit(files, identity_only, tmp_path, two_readers):
    paths, Y, groups = files
    if identity_only:
        Y = Y.copy()
        Y.iloc[:8] = np.nan
    whole = idennet().fit(paths, Y, groups=groups)
    for epochs in (1, 2):
        resume = ResumeTraining(tmp_path / "states")
        clf = idennet(max_epochs=epochs, callbacks=[resume]).fit(paths, Y, groups=groups)
    assert resume.resumed_ == 1
    pd.testing.assert_frame_equal(
        clf.history_.filter(like="loss"), whole.history_.filter(like="loss")
    )
    np.testing.assert_array_equal(clf.predict_proba(paths), whole.predict_proba(paths))


def test_a_file_that_cannot_be_read_is_named(files, two_readers):
    paths, Y, groups = files
    clf = idennet().fit(paths, Y, groups=groups)
    paths[17].write_bytes(b"not an image")
    for work in (lambda: idennet().fit(paths, Y, groups=groups), lambda: clf.predict(paths)):
        with pytest.raises(ValueError, match=r"X: cannot read the image of row 17 .*17\.png"):
            work()
    Image.new("RGB", (40, 33)).save(paths[17])
    with pytest.raises(ValueError, match=r"row 17 .*17\.png\) is an RGB image of 40 x 33 pix"):
        clf.predict(paths)
    assert not readers()


@pytest.mark.parametrize("estimator", [idennet(identity_epochs=3), SVTPTClassifier()])
def test_all_files_that_do_not_fit_are_named_before_training(files, estimator, monkeypatch):
    paths, Y, groups = files
    monkeypatch.setattr("skau.training._net.AUNet.fit_stage", None)
    Image.new("L", (32, 32)).save(paths[5])
    Image.new("RGB", (40, 33)).save(paths[12])
    paths[17].write_bytes(b"not an image")
    paths[20].unlink()
    with pytest.raises(ValueError, match="a grey image") as told:
        estimator.fit(paths, Y, groups=groups)
    said = [f"row {row} ({paths[row]})" in str(told.value) for row in range(len(paths))]
    assert np.flatnonzero(said).tolist() == [0, 5, 12, 17, 20]


@pytest.mark.filterwarnings("ignore:.*no .* example")
def test_what_is_like_the_first_but_for_the_header_is_no_fault(files):
    paths, Y, groups = files
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    for path in paths:
        Image.new("RGB", (32, 40)).save(path)
    Image.new("RGB", (40, 32)).save(paths[3], exif=turned)
    other = paths[4].with_suffix(".tiff")
    Image.new("RGB", (40, 32)).save(other, exif=turned)
    Image.new("P", (32, 40)).save(paths[5])
    Image.new("RGBA", (32, 40)).save(paths[6])
    Image.new("L", (9, 9)).save(paths[7])
    weight = (np.arange(len(paths)) != 7).astype(float)  # who counts nowhere, is not looked at
    images = [*paths[:4], other, *paths[5:]]
    DSNClassifier(max_epochs=1).fit(images, Y, groups=groups, sample_weight=weight)


class _Interrupt(Callback):
    def on_batch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def test_an_interrupted_fit_leaves_no_reader(files, two_readers):
    paths, Y, groups = files
    idennet(callbacks=[_Interrupt()]).fit(paths, Y, groups=groups)  # a callback's early stop
    assert not readers()


def resident(file):
    """KiB of a mapped file that count as this process's memory."""
    total, mine = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
            mine = line.endswith(str(file))
        elif mine and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_pages_of_a_memory_map_are_let_go(tmp_path, mode):
    file = tmp_path / "X.npy"
    np.save(file, np.ones((400, 64, 64, 3), np.uint8))  # 4.7 MB
    X = np.load(file, mmap_mode=mode)
    if mode == "r+":
        X[3] = 7
    data = AUDataset(X[:], np.zeros((400, 1), np.float32), np.ones(400), np.zeros(400, int))
    for batch, _ in Batches(data, np.arange(400).reshape(50, 8).tolist()):
        assert batch["X"].all()
    assert resident(file) < 1000
    assert X.sum() == 400 * 64 * 64 * 3 + (6 * 64 * 64 * 3 if mode == "r+" else 0)
    assert resident(file) > 4000  # which shows that the measurement can tell


def test_changes_of_a_copy_on_write_map_are_kept(tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((8, 32, 32, 3), np.uint8))
    X = np.load(tmp_path / "X.npy", mmap_mode="c")
    X[5] = 9
    chunks = list(read_ahead(lambda rows: X[rows].copy(), [slice(0, 4), slice(4, 8)], X))
    assert (chunks[1][1] == 9).all()
    assert (X[5] == 9).all()
