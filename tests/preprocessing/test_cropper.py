"""FaceCropper: what comes in, what comes out, what is said when it does not."""

import contextlib
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import zlib

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.pipeline import make_pipeline

from skau.preprocessing import FaceCropper, _image_source, _results, _worker, pool_by_subject
from skau.preprocessing._landmarks import COLUMNS

EYES = ["left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"]
# On a GPU the last bits of a sum depend on its batch, and with them the last digit of a landmark.
DIGIT = 0.011 if torch.cuda.is_available() else 0


def assert_same_crops(found, expected):
    """Crops of other batches are equal; on a GPU but for some pixels on edges."""
    if DIGIT:
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).mean(axis=(-3, -2, -1)).max() < 1
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def crops(photos):
    return FaceCropper(size=64).fit_transform(photos)


def _png_header(width, height):
    """Return the start of a PNG file, without its pixels."""
    chunks = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT"
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


@pytest.fixture
def mixed(photo_paths, tmp_path):
    """Two photos with, among them, one without a face and all kinds of broken files."""
    names = ["grey.png", "cut.jpg", "empty.jpg", "text.jpg", "dot.png", "huge.png", "gone.jpg"]
    grey, cut, empty, text, dot, huge, gone = (tmp_path / name for name in names)
    Image.new("RGB", (200, 150), (90, 90, 90)).save(grey)
    Image.open(photo_paths[0]).save(cut)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    empty.write_bytes(b"")
    text.write_text("not a picture")
    Image.new("RGB", (1, 1)).save(dot)
    huge.write_bytes(_png_header(20_000, 20_000))
    return [photo_paths[0], grey, cut, empty, text, dot, huge, gone, photo_paths[1]]


def test_all_kinds_of_input_give_the_same_crops(photos, photo_paths, crops):
    assert crops.shape == (len(photos), 64, 64, 3)
    assert crops.dtype == np.uint8
    for X in (
        list(photos),
        [Image.fromarray(photo) for photo in photos],
        photo_paths,
        pd.Series(list(map(str, photo_paths))),
        pd.DataFrame({"path": list(map(str, photo_paths))}),
        pd.Series(list(map(str, photo_paths)), dtype="string"),
    ):
        np.testing.assert_array_equal(FaceCropper(size=64).transform(X), crops)


def test_images_of_different_sizes(photos, crops):
    wide = np.pad(photos[1], ((0, 0), (40, 0), (0, 0)), "edge")
    both = FaceCropper(size=64).transform([photos[0], wide])
    assert_same_crops(both[0], crops[0])
    assert np.abs(both[1].astype(int) - crops[1]).mean() < 12  # the same face elsewhere


def test_eyes_come_to_the_template(photos):
    # A wide margin leaves the detector the surroundings that it knows faces in.
    cropper = FaceCropper(size=256, margin=0.5)
    again = cropper.detect(cropper.transform(photos))
    eyes = again[EYES].to_numpy().reshape(-1, 2, 2).mean(axis=1)
    assert np.median(np.linalg.norm(eyes - [127.5, 103.5], axis=1)) < 3
    assert np.median(np.abs(again.left_eye_y - again.right_eye_y)) < 3


def test_table(photos, photo_paths):
    table = FaceCropper().detect(photo_paths)
    assert list(table.columns) == ["path", *COLUMNS]
    assert table["path"].tolist() == list(map(str, photo_paths))
    assert (table["width"] == photos.shape[2]).all()
    assert (table["left_eye_x"] < table["right_eye_x"]).all()  # the sides of the image
    assert (table["left_eye_y"] < table["mouth_left_y"]).all()
    assert "path" not in FaceCropper().detect(photos[:1]).columns


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_kept_table_gives_the_same_crops(photo_paths, crops, tmp_path, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    kept = tmp_path / f"faces.{suffix}"
    table = FaceCropper().detect(photo_paths, out=kept)
    again = pd.read_csv(kept) if suffix == "csv" else pd.read_parquet(kept)
    pd.testing.assert_frame_equal(again, table)
    assert os.listdir(tmp_path) == [kept.name]
    cropper = FaceCropper(size=64).fit(again)
    np.testing.assert_array_equal(cropper.transform(again), crops)
    np.testing.assert_array_equal(cropper.transform(again.iloc[[5, 2]]), crops[[5, 2]])


def test_regions_and_alignments_differ(photos):
    kinds = [
        *({"align": align} for align in ("eyes", "eye_distance", "box", None)),
        *({"region": region} for region in ("upper", "lower")),
        {"region": "lower", "align": "eye_distance"},
    ]
    several = [FaceCropper(size=32, **kind).transform(photos[:2]) for kind in kinds]
    for i, one in enumerate(several):
        assert one.shape == (2, 32, 32, 3)
        assert all(np.abs(one.astype(int) - other).mean() > 2 for other in several[:i])


@pytest.mark.parametrize("options", [{"align": "eyes"}, {"align": "box", "margin": 0.2}])
def test_crops_of_turned_photos_are_upright(photos, options):
    photo = np.pad(photos[0], ((30, 30), (30, 30), (0, 0)), "edge")
    cropper = FaceCropper(size=48, **options)
    upright = cropper.transform([photo])[0].astype(int)
    for turns in (1, 2, 3):
        crop = cropper.transform([np.ascontiguousarray(np.rot90(photo, turns))])[0]
        assert np.abs(crop - upright).mean() < 9
        assert np.abs(crop - np.rot90(upright, turns)).mean() > 18


def test_no_alignment_needs_no_face():
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    crop = FaceCropper(size=32, align=None).transform([photo])
    np.testing.assert_array_equal(crop[0], photo)


def test_which_face(photos):
    small, large = (Image.fromarray(photos[i]).resize((s, s)) for i, s in ((0, 90), (2, 140)))
    scene = Image.new("RGB", (500, 200), (120, 130, 140))
    scene.paste(small, (200, 50))
    scene.paste(large, (340, 30))
    middle = {}
    for select in ("largest", "central", "most_confident"):
        table = FaceCropper(select=select).detect([scene])
        middle[select] = (table.box_x1 + table.box_x2).item() / 2
    assert middle["largest"] == pytest.approx(410, abs=20)
    assert middle["central"] == pytest.approx(245, abs=20)
    assert middle["most_confident"] in (middle["largest"], middle["central"])


def test_missing_face_is_named(photos):
    blank = np.zeros((60, 80, 3), dtype=np.uint8)
    cropper = FaceCropper(size=32)
    with pytest.raises(ValueError, match=r"no face found in row 1, row 3\. .*on_missing='warn'"):
        cropper.transform([photos[0], blank, photos[1], blank])
    np.testing.assert_array_equal(cropper.missing_, [1, 3])
    # the line that the message gives for a pipeline
    with pytest.raises(ValueError, match="no face found") as error:
        make_pipeline(cropper, "passthrough").transform([blank])
    mend = re.search(r"set_params\((\w+)='(\w+)'\)", str(error.value))
    pipeline = make_pipeline(cropper, "passthrough").set_params(**{mend[1]: mend[2]})
    with pytest.warns(UserWarning, match="no face found"):
        pipeline.transform([blank])
    with pytest.warns(UserWarning, match="no face found in row 1, row 3"):
        crops = cropper.transform([photos[0], blank + 9, photos[1], blank])
    assert (crops[1] == 9).all()  # the fallback: the whole image
    table = cropper.detect([photos[0], blank])
    assert table[list(COLUMNS[:15])].isna().all(axis=1).tolist() == [False, True]
    assert table["width"].tolist() == [photos.shape[2], 80]
    np.testing.assert_array_equal(cropper.missing_, [1])


def test_broken_files_are_named_and_the_rest_is_done(mixed, crops):
    cropper = FaceCropper(size=64)
    with pytest.raises(ValueError, match="no face found in row 1 .*dot.png.*cannot use") as error:
        cropper.transform(mixed)
    for path in mixed[1:-1]:
        assert str(path) in str(error.value)
    assert "DecompressionBombError" in str(error.value)
    assert "raise PIL.Image.MAX_IMAGE_PIXELS" in str(error.value)
    cropper.set_params(on_missing="warn")
    with pytest.warns(UserWarning, match="cannot use row 2 .*cut.jpg"):
        done = cropper.transform(mixed)
    assert_same_crops(done[[0, -1]], crops[:2])
    assert not done[2].any()
    np.testing.assert_array_equal(cropper.missing_, range(1, 8))
    with pytest.warns(UserWarning, match="gone.jpg"):
        table = cropper.detect(mixed)
    assert table["probability"].notna().tolist() == [True, *[False] * 7, True]
    assert table["width"].isna().tolist() == [False, False, *[True] * 3, False, *[True] * 2, False]


def test_landmarks_per_subject(photo_paths):
    groups = np.repeat(["a", "b", "c", "d"], 2)
    single = FaceCropper().detect(photo_paths)
    pooled = FaceCropper().detect(photo_paths, groups=groups)
    expected = single.groupby(groups)[EYES].transform("median").round(2)
    np.testing.assert_allclose(pooled[EYES], expected, atol=0.011)
    first = FaceCropper(landmarks_per_subject=1).detect(photo_paths, groups=groups)
    one_each = single[EYES].iloc[[0, 0, 2, 2, 4, 4, 6, 6]]
    np.testing.assert_allclose(first[EYES], one_each, atol=DIGIT)
    cropper = FaceCropper(size=32, landmarks_per_subject=1)
    np.testing.assert_array_equal(
        cropper.transform(photo_paths, groups=groups), FaceCropper(size=32).transform(first)
    )
    with pytest.raises(ValueError, match="needs groups"):
        cropper.transform(photo_paths)
    with pytest.raises(ValueError, match=r"each of the 8 rows of X; its shape is \(3,\)"):
        cropper.transform(photo_paths, groups=["a", "b", "c"])


def test_further_images_are_looked_at_where_the_first_show_no_face(photos):
    X = photos.copy()
    X[[0, 3, 6]] = 0  # of four of ann: the first and the last; all that there are of cid
    groups = np.array(["ann"] * 4 + ["bob"] * 2 + ["cid"])
    cropper = FaceCropper(size=32, landmarks_per_subject=1, on_missing="warn")
    table = cropper.detect(X[:7], groups=groups)
    assert cropper.missing_.tolist() == [6]
    single = FaceCropper().detect(X[:6])
    known = single.iloc[1:3][EYES].median()
    np.testing.assert_allclose(table[EYES].iloc[:4], np.tile(known, (4, 1)), atol=0.011)
    np.testing.assert_allclose(table[EYES].iloc[4:6], single[EYES].iloc[[4, 4]], atol=DIGIT)
    with pytest.warns(UserWarning, match="^no face found in row 6$"):
        crops = cropper.transform(X[:7], groups=groups)
    assert crops[:6].any(axis=(1, 2, 3)).tolist() == [False, True, True, False, True, True]


def test_pooling_a_table(photo_paths):
    groups = np.repeat(["a", "b", "c", "d"], 2)
    cropper = FaceCropper()
    pooled = pool_by_subject(cropper.detect(photo_paths), groups)
    pd.testing.assert_frame_equal(pooled, cropper.detect(photo_paths, groups=groups))
    with pytest.raises(ValueError, match="each of the 8 rows of table"):
        pool_by_subject(pooled, groups[:3])


def test_pooling_needs_one_size_a_subject(photos):
    values = FaceCropper().detect([photos[0], np.pad(photos[1], ((0, 9), (0, 0), (0, 0)))])
    with pytest.raises(ValueError, match="'a' differ in size"):
        pool_by_subject(values, ["a", "a"])


def test_crops_on_disk(photos, crops, tmp_path):
    out = tmp_path / "crops.npy"
    mapped = FaceCropper(size=64).transform(photos, out=out)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, crops)
    np.testing.assert_array_equal(np.load(out), crops)
    assert os.listdir(tmp_path) == ["crops.npy"]


@pytest.mark.parametrize("out", ["crops.npy", "faces.csv", "faces.parquet"])
@pytest.mark.parametrize("space", [0, 1000])
@pytest.mark.filterwarnings("ignore:.*cannot be written:UserWarning")
def test_a_full_disk_is_told_with_the_file(photo_paths, tmp_path, little_space, out, space):
    if out == "faces.parquet":
        pytest.importorskip("pyarrow", reason='needs pip install "skau[parquet]"')
    cropper, out = FaceCropper(size=64), tmp_path / out
    call = cropper.transform if out.suffix == ".npy" else cropper.detect
    with little_space(space), pytest.raises(OSError, match=rf"File too large.*{out.name}") as told:
        call(photo_paths, out=out)
    assert told.value.filename == str(out)
    assert not out.exists()
    call(photo_paths, out=out)
    assert os.listdir(tmp_path) == [out.name]


def interrupt(monkeypatch, call):
    """Call, and stop it as a user would, when four rows are done."""
    monkeypatch.setattr(_results, "CHUNK", 2)
    read, seen = _image_source.read_image, []

    def interrupted(path):
        if len(seen) == 5:
            raise KeyboardInterrupt
        seen.append(path)
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(_image_source, "read_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            call()


@pytest.mark.parametrize("what", ["transform", "detect"])
def test_an_interrupted_run_goes_on(photo_paths, crops, tmp_path, monkeypatch, what):
    out = tmp_path / ("crops.npy" if what == "transform" else "faces.csv")
    cropper = FaceCropper(size=64, n_jobs=1)
    interrupt(monkeypatch, lambda: getattr(cropper, what)(photo_paths, out=out))
    assert os.listdir(tmp_path) == [f"{out.name}.part"]
    kept = sorted((tmp_path / f"{out.name}.part").iterdir())
    assert len(kept) == 4
    kept[0].write_bytes(kept[0].read_bytes()[:-9])  # damaged: done again

    read, seen = _image_source.read_image, []
    monkeypatch.setattr(_image_source, "read_image", lambda path: seen.append(path) or read(path))
    done = getattr(cropper, what)(photo_paths, out=out)
    assert len(seen) == 5
    assert set(photo_paths[4:]) < set(seen)
    if what == "transform":
        assert_same_crops(done, crops)
        np.testing.assert_array_equal(np.load(out), done)
    else:
        pd.testing.assert_frame_equal(done, FaceCropper().detect(photo_paths), atol=DIGIT)
        pd.testing.assert_frame_equal(pd.read_csv(out), done)
    assert os.listdir(tmp_path) == [out.name]


def test_what_another_run_has_left_is_not_used(photos, photo_paths, crops, tmp_path, monkeypatch):
    out = tmp_path / "crops.npy"
    for X, other in ((photo_paths, {"min_face_size": 30}), (photos, {})):
        interrupt(
            monkeypatch,
            lambda: FaceCropper(size=64, n_jobs=1, align="box").transform(photo_paths, out=out),
        )
        done = FaceCropper(size=64, **other).transform(X, out=out)
        expected = FaceCropper(size=64, **other).transform(photos)
        np.testing.assert_array_equal(done, expected)
        assert os.listdir(tmp_path) == [out.name]


KILLED = """
import os, signal, sys
from skau.preprocessing import FaceCropper, _image_source
read, seen = _image_source.read_image, []
def fatal(path):
    seen.append(path)
    if len(seen) == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(path)
_image_source.read_image = fatal
FaceCropper(size=64, n_jobs=1).transform(sys.argv[2:], out=sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_goes_on(photo_paths, crops, tmp_path):
    paths = [*photo_paths, *(tmp_path / f"{i}.png" for i in range(8))]
    for i, path in enumerate(paths[8:]):
        Image.open(photo_paths[i]).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    out = tmp_path / "crops.npy"
    np.save(out, np.zeros(3))  # what was there stays until the run has ended
    code = subprocess.run([sys.executable, "-c", KILLED, out, *paths]).returncode
    assert code == -signal.SIGKILL
    np.testing.assert_array_equal(np.load(out), np.zeros(3))
    assert len(list((tmp_path / "crops.npy.part").glob("*.npz"))) >= 8
    cropper = FaceCropper(size=64)
    np.testing.assert_array_equal(cropper.transform(paths, out=out), cropper.transform(paths))
    assert not (tmp_path / "crops.npy.part").exists()


def test_an_array_on_disk_outlives_its_file(photos, crops, tmp_path):
    cropper = FaceCropper(size=64)
    first = cropper.transform(photos, out=tmp_path / "crops.npy")
    second = cropper.transform(photos[3:], out=tmp_path / "crops.npy")
    np.testing.assert_array_equal(first, crops)
    assert_same_crops(second, crops[3:])
    with pytest.raises(TypeError, match="X is a int"):
        cropper.transform(3, out=tmp_path / "crops.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "crops.npy"), second)
    assert os.listdir(tmp_path) == ["crops.npy"]


def test_numbers_and_texts_of_numpy(photo_paths, crops, tmp_path):
    cropper = FaceCropper(
        size=np.int64(64), margin=np.float32(0), align=np.str_("eyes"), min_face_size=np.int32(20),
        threshold=np.float64(0.85), n_jobs=np.int8(1), verbose=np.bool_(False),
        landmarks_per_subject=np.int64(1),
    )  # fmt: skip
    groups = np.arange(len(photo_paths))
    out = tmp_path / "crops.npy"
    np.testing.assert_array_equal(cropper.transform(photo_paths, groups, out=out), crops)


@pytest.mark.parametrize("side", [256, 257, 263])
def test_the_smallest_face_may_be_as_large_as_the_image(photos, side):
    photo = Image.fromarray(photos[0]).resize((side, side))
    FaceCropper(min_face_size=side, on_missing="warn", align=None, region="full").fit([photo])
    with contextlib.suppress(ValueError):  # whether it fills the image is not the question
        FaceCropper(min_face_size=side).transform([photo])


def test_too_little_memory_for_one_image(photo_paths, crops, monkeypatch):
    read, find = _image_source.read_image, _worker.find_faces
    large = np.asarray(read(photo_paths[2]))

    def scarce(path):
        if path == photo_paths[1]:
            raise MemoryError("image")
        return read(path)

    def scarcer(images, **options):
        if any(np.array_equal(image, large) for image in images):
            raise MemoryError("tables")
        return find(images, **options)

    monkeypatch.setattr(_image_source, "read_image", scarce)
    monkeypatch.setattr(_worker, "find_faces", scarcer)
    cropper = FaceCropper(size=64, on_missing="warn")
    message = "cannot use row 1 .*MemoryError: image, row 2 .*MemoryError: tables"
    with pytest.warns(UserWarning, match=message):
        done = cropper.transform(photo_paths)
    np.testing.assert_array_equal(cropper.missing_, [1, 2])
    others = np.delete(np.arange(len(crops)), [1, 2])
    assert_same_crops(done[others], crops[others])


def test_the_number_of_threads_stays(photos):
    def started_later():
        numbers = []
        thread = threading.Thread(target=lambda: numbers.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        return numbers[0]

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        seen = []

        def crop():
            cropper = FaceCropper(size=32, n_jobs=2)
            with contextlib.suppress(ValueError):
                cropper.transform([*photos, "gone.png"])
            seen.append((torch.get_num_threads(), started_later()))

        threads = [threading.Thread(target=crop) for _ in range(3)]
        for thread in threads:
            thread.start()
        during = started_later()
        for thread in threads:
            thread.join()
        crop()
        assert seen == [(3, 3)] * 4
        assert during == started_later() == 3
        inside = []
        for _ in _results.in_threads(lambda i: inside.append(torch.get_num_threads()), [1], 1):
            inside.append(torch.get_num_threads())
        assert inside == [1, 1]
    finally:
        torch.set_num_threads(before)


def test_a_file_mended_since_is_read_again(photo_paths, crops, tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for i in (0, 1, 3):
        paths[i].write_bytes(photo_paths[i].read_bytes())
    paths[1].write_bytes(b"no image")
    for memory in (None, tmp_path / "memory"):
        out = tmp_path / "crops.npy"
        cropper = FaceCropper(size=64, memory=memory)
        with pytest.raises(ValueError, match=r"row 1 .*; row 2|row 1 .*, row 2"):
            cropper.transform(paths, out=out)
        paths[1].write_bytes(photo_paths[1].read_bytes())
        with pytest.raises(ValueError, match="cannot use row 2"):
            cropper.transform(paths, out=out)
        paths[2].write_bytes(photo_paths[2].read_bytes())
        assert_same_crops(cropper.transform(paths, out=out), crops[:4])
        assert not (tmp_path / "crops.npy.part").exists()
        paths[1].write_bytes(b"no image")
        paths[2].unlink()


def test_only_what_depends_on_the_image_is_remembered(photo_paths, tmp_path, monkeypatch):
    cropper = FaceCropper(size=64, memory=tmp_path / "memory")
    with monkeypatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        with pytest.raises(ValueError, match="DecompressionBombError"):
            cropper.transform(photo_paths[:1])
    assert cropper.transform(photo_paths[:1]).shape == (1, 64, 64, 3)


def test_landmarks_of_images_of_another_size(photos, photo_paths, tmp_path):
    table = FaceCropper().detect(photo_paths[:2])
    small = tmp_path / "small.png"
    Image.fromarray(photos[1]).resize((60, 60)).save(small)
    table.loc[1, "path"] = str(small)
    with pytest.raises(ValueError, match=r"row 1 .*the image has 60 x 60 pixels, its landmarks"):
        FaceCropper(size=32).transform(table)
    cropper = FaceCropper(size=32, landmarks_per_subject=1)
    with pytest.raises(ValueError, match=r"row 1 .*the image has 60 x 60 pixels"):
        cropper.transform([photo_paths[0], small], groups=["ann", "ann"])
    assert cropper.detect(photo_paths[:2], groups=["ann", "ann"])["width"].notna().all()


def test_missing_subjects(photo_paths):
    cropper = FaceCropper(size=32, landmarks_per_subject=1)
    for groups in (["ann", float("nan")], [1.0, float("nan")], pd.array(["ann", None])):
        with pytest.raises(ValueError, match="groups has no subject at row 1"):
            cropper.transform(photo_paths[:2], groups=groups)
        with pytest.raises(ValueError, match="groups has no subject at row 1"):
            pool_by_subject(cropper.detect(photo_paths[:2]), groups)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_a_name_that_is_no_utf8(photo_paths, crops, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    with open(name, "wb") as file:
        file.write(photo_paths[0].read_bytes())
    assert_same_crops(FaceCropper(size=64).transform([name]), crops[:1])


@pytest.mark.parametrize(
    ("what", "out", "error", "message"),
    [
        ("detect", "gone/faces.csv", FileNotFoundError, r"out=.*no folder .*gone'; make it first"),
        ("detect", "gone/faces.parquet", FileNotFoundError, "out=.*no folder"),
        ("transform", "gone/crops.npy", FileNotFoundError, "out=.*no folder"),
        ("detect", "folder.csv", IsADirectoryError, r"out=.*is a folder; name a file"),
        ("transform", "folder.npy", IsADirectoryError, r"out=.*is a folder; name a file"),
        ("detect", "faces.xlsx", ValueError, r"out=.*must end in .csv or .parquet"),
        ("transform", "crops.csv", ValueError, r"out=.*must end in .npy"),
        ("detect", "faces.parquet", ImportError, r'out=.*pip install "\.\[parquet\]"'),
    ],
)
def test_where_to_write_is_checked_before_any_work(
    photo_paths, tmp_path, monkeypatch, what, out, error, message
):
    def nothing_is_read(path):
        raise AssertionError("the work had begun")

    monkeypatch.setattr("skau.preprocessing._image_source.read_image", nothing_is_read)
    if error is ImportError:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    if "folder" in out:
        (tmp_path / out).mkdir()
    before = os.listdir(tmp_path)
    with pytest.raises(error, match=message):
        getattr(FaceCropper(), what)(photo_paths, out=tmp_path / out)
    assert os.listdir(tmp_path) == before


@pytest.mark.parametrize("how", ["detect", "transform", "fit_transform", "pipeline"])
def test_warnings_point_at_the_line_of_the_user(photos, tmp_path, how):
    cropper = FaceCropper(size=16, on_missing="warn")
    X = [photos[0], tmp_path / "gone.jpg"]
    call = make_pipeline(cropper, "passthrough").transform if how == "pipeline" else None
    with pytest.warns(UserWarning, match=r"cannot use row 1 .*gone.jpg") as caught:
        (call or getattr(cropper, how))(X)
    assert caught[0].filename == __file__


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda(photos):
    on_gpu, on_cpu = (FaceCropper(size=64, device=device) for device in ("cuda", "cpu"))
    ours, theirs = (cropper.detect(photos) for cropper in (on_gpu, on_cpu))
    np.testing.assert_allclose(ours[EYES], theirs[EYES], atol=0.5)
    off = np.abs(on_gpu.transform(photos).astype(int) - on_cpu.transform(photos))
    assert off.mean() < 2
    assert _worker.Worker.of(FaceCropper()).device == "cuda"


def test_a_failed_run_is_kept(mixed, tmp_path):
    out = tmp_path / "kept" / "crops.npy"
    out.parent.mkdir()
    with pytest.raises(ValueError, match="cannot use"):
        FaceCropper(size=32).transform(mixed, out=out)
    assert len(np.load(out)) == len(mixed)
    assert len(list((tmp_path / "kept" / "crops.npy.part").iterdir())) > 2  # what went right
    with pytest.warns(UserWarning, match="cannot use"):
        FaceCropper(size=32, on_missing="warn").transform(mixed, out=out)
    assert os.listdir(out.parent) == ["crops.npy"]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"size": 0}, "size"),
        ({"align": "nose"}, "align"),
        ({"region": "left"}, "region"),
        ({"select": "first"}, "select"),
        ({"on_missing": "skip"}, "on_missing"),
        ({"threshold": 1.5}, "threshold"),
        ({"min_face_size": 3}, "min_face_size"),
        ({"landmarks_per_subject": 0}, "landmarks_per_subject"),
    ],
)
def test_wrong_parameters(photos, kwargs, message):
    with pytest.raises(ValueError, match=message):
        FaceCropper(**kwargs).fit(photos)


def test_wrong_tables(photos):
    table = FaceCropper().detect(photos[:2])
    with pytest.raises(ValueError, match="without a column 'path'"):
        FaceCropper().transform(table)
    with pytest.raises(ValueError, match="already is a landmark table"):
        FaceCropper().detect(table.assign(path="a.png"))


def test_london(shared):
    faces = pd.read_csv(shared / "london" / "faces.csv")
    faces = faces[faces["left_eye_x"].notna()].iloc[::6]
    cropper = FaceCropper()
    table = cropper.detect([shared / "london" / image for image in faces["image"]])
    assert not len(cropper.missing_)
    ours, theirs = (t[EYES].to_numpy().reshape(-1, 2, 2) for t in (table, faces))
    apart = np.linalg.norm(theirs[:, 0] - theirs[:, 1], axis=1)
    error = np.linalg.norm(ours - theirs, axis=2).mean(axis=1) / apart
    assert np.median(error) < 0.04
    assert error.max() < 0.10
    again = cropper.detect(cropper.transform(table))
    eyes = again[EYES].to_numpy().reshape(-1, 2, 2).mean(axis=1)
    assert np.median(np.linalg.norm(eyes - [63.5, 39.5], axis=1)) < 2
