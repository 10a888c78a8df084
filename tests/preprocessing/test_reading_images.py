"""Everything that people call an image, as RGB or a clear error."""

import struct

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skau.preprocessing._image_source import ImageSource
from skau.preprocessing._images import read_image

RAMP = np.arange(12 * 10, dtype=np.uint8).reshape(12, 10)
RGB = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=-1)


HIDDEN = np.ma.masked_greater(RGB, 200)


def test_masked_pixels_are_refused_and_a_mask_of_nothing_is_none():
    with pytest.raises(ValueError, match="an image has masked pixels; .*leave these images out"):
        ImageSource([RGB, HIDDEN]).read(1)
    np.testing.assert_array_equal(ImageSource([np.ma.array(RGB)]).read(0), RGB)


def _read(image):
    return np.asarray(read_image(image))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (RGB, RGB),
        (RAMP, np.dstack([RAMP] * 3)),
        (RAMP[:, :, None], np.dstack([RAMP] * 3)),
        (RGB.astype(np.uint16) * 257, RGB),
        (RGB.astype(">u2") * 257, RGB),
    ],
    ids=["rgb", "grey", "grey-channel", "16-bit", "16-bit-big-endian"],
)
def test_arrays(array, expected):
    np.testing.assert_array_equal(_read(array), expected)


def test_transparent_pixels_lie_on_white():
    rgba = np.dstack([RGB, np.full_like(RAMP, 255)])
    rgba[0, 0] = (10, 20, 30, 0)
    expected = RGB.copy()
    expected[0, 0] = 255
    np.testing.assert_array_equal(_read(rgba), expected)
    np.testing.assert_array_equal(_read(Image.fromarray(rgba)), expected)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (RGB / 255.0, "dtype float64.*from 0 to 1, so pass"),
        (RGB.astype(np.int64), "dtype int64"),
        (RGB.transpose(2, 0, 1), "colours last"),
        (np.zeros((0, 5, 3), np.uint8), "shape"),
    ],
)
def test_wrong_arrays(array, message):
    with pytest.raises(ValueError, match=message):
        read_image(array)


@pytest.mark.parametrize("name", ["turned.png", "turned.tif"])  # Pillow turns a TIFF itself
def test_exif_orientation(name, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    Image.fromarray(RGB).save(tmp_path / name, exif=exif)
    np.testing.assert_array_equal(_read(tmp_path / name), np.rot90(RGB, -1))
    with Image.open(tmp_path / name) as opened:
        np.testing.assert_array_equal(_read(opened), np.rot90(RGB, -1))


def test_file_formats(tmp_path):
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / "16.png")
    np.testing.assert_array_equal(_read(tmp_path / "16.png"), np.dstack([RAMP] * 3))

    flat = Image.new("CMYK", (10, 12), (0, 255, 255, 0))
    flat.save(tmp_path / "cmyk.jpg", quality=95)
    assert np.abs(_read(tmp_path / "cmyk.jpg").astype(int) - [255, 0, 0]).max() < 8

    frames = [Image.new("RGB", (10, 12), colour) for colour in ("red", "blue")]
    for name in ("two.gif", "two.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        with pytest.warns(UserWarning, match=rf"{name}' is an animation; its first frame is read"):
            first = _read(str(tmp_path / name))
        np.testing.assert_array_equal(first[0, 0], [255, 0, 0])

    palette = Image.fromarray(RGB).convert("P")
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(_read(tmp_path / "palette.png"), palette.convert("RGB"))


def test_float_files_are_refused(tmp_path):
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "float.tiff")
    with pytest.raises(ValueError, match="white is not fixed"):
        read_image(tmp_path / "float.tiff")


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a.jpg", ValueError, r"pass \[X\]"),
        (Image.fromarray(RGB), ValueError, r"pass \[X\]"),
        (RGB, ValueError, r"pass X\[None\]"),
        (np.zeros((3, 4)), ValueError, "shape"),
        (np.zeros((2, 5, 5, 3)), ValueError, "dtype float64"),
        ([], ValueError, "no image"),
        (["a.jpg", 3], TypeError, r"X\[1\] is 3"),
        (pd.DataFrame({"path": ["a"], "au": [1]}), ValueError, r"X\['path'\]"),
        (17, TypeError, "X is a int"),
        (HIDDEN[None], ValueError, r"X has masked pixels \(row 0\); .*np.ma.filled"),
    ],
)
def test_wrong_input_is_named(X, error, message):
    with pytest.raises(error, match=message):
        ImageSource(X)


def test_kinds_of_path_lists(tmp_path):
    paths = [str(tmp_path / f"{i}.png") for i in range(2)]
    for path in paths:
        Image.fromarray(RGB).save(path)
    for X in (
        paths,
        tuple(paths),
        np.array(paths),
        pd.Series(paths, index=[7, 3]),
        pd.DataFrame({"path": paths}),
    ):
        source = ImageSource(X)
        assert source.paths == paths
        np.testing.assert_array_equal(source.read(1), RGB)
        assert source.name(1) == f"row 1 ({paths[1]})"


@pytest.mark.parametrize("dtype", ["string[python]", "string[pyarrow]", "str"])
def test_columns_of_strings(dtype):
    if dtype == "string[pyarrow]":
        pytest.importorskip("pyarrow")
    paths = ["a.png", "b.png"]
    column = pd.Series(paths, dtype=dtype)
    for X in (column, column.to_frame("path"), column.array, pd.Index(column)):
        assert ImageSource(X).paths == paths
    column[1] = None
    for X in (column, column.array):
        with pytest.raises(TypeError, match=r"X\[1\] is .*expected a path"):
            ImageSource(X)


def test_columns_of_arrow():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"path": ["a.png", "b.png"]})
    for X in (table["path"], table["path"].chunk(0)):
        assert ImageSource(X).paths == ["a.png", "b.png"]


def test_other_tags_do_not_matter_to_the_orientation(tmp_path):
    head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2)
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    unit = struct.pack("<HHI4s", 0x0128, 2, 2, b"2\0")  # a text, which should be a number
    exif = head + orientation + unit + bytes(4)
    Image.fromarray(np.dstack([RAMP] * 3)).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    turned = np.rot90(np.dstack([RAMP] * 3), -1)
    assert np.abs(_read(tmp_path / "turned.jpg").astype(int) - turned).max() < 8
