"""Whatever people hand a classifier as X is taken as the cropper takes it, or explained."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from PIL import Image

from skau.baselines import LightCNNClassifier, SVTPTClassifier
from skau.estimators._validation import check_inputs
from skau.training._data import ImageFiles

RGB = np.random.RandomState(0).randint(0, 256, (3, 32, 40, 3)).astype(np.uint8)
GREY = RGB[..., 0]


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, image in zip(paths, RGB, strict=True):
        Image.fromarray(image).save(path)
    return paths


def read(X, like=RGB):
    """Return what the classifiers see of ``X``, once that it has the right shape."""
    X = check_inputs(LightCNNClassifier(), X, reset=True)
    assert X.shape == like.shape
    return X[:]


def test_columns_and_arrays_of_paths(paths):
    names = [str(path) for path in paths]
    for X in (
        names,
        paths,
        [*names[:2], paths[2]],
        pd.DataFrame({"path": names}, index=[5, 1, 3]),
        pd.DataFrame({"path": pd.Categorical(names)}),
        pd.Series(names, index=[7, 3, 1]),
        pd.Series(names, dtype="string"),
        np.array(names),
        np.array(names)[:, None],
        np.array(paths, dtype=object),
        pd.DataFrame({"path": paths}).to_numpy(),
        tuple(paths),
        pd.Index(names),
    ):
        assert isinstance(check_inputs(LightCNNClassifier(), X, reset=True), ImageFiles)
        np.testing.assert_array_equal(read(X), RGB)


def test_columns_of_arrow(paths):
    pyarrow = pytest.importorskip("pyarrow")
    column = pyarrow.array([str(path) for path in paths])
    for X in (column, pyarrow.chunked_array([column])):
        np.testing.assert_array_equal(read(X), RGB)


def test_images_in_memory(paths):
    objects = np.empty(3, dtype=object)
    objects[:] = list(RGB)
    for X in (
        list(RGB),
        objects,
        [Image.fromarray(image) for image in RGB],
        torch.from_numpy(RGB),
        [torch.from_numpy(image) for image in RGB],
        [paths[0], RGB[1], Image.fromarray(RGB[2])],
        RGB.astype(np.uint16) * 257,
        list(RGB.astype(np.uint16) * 257),
    ):
        np.testing.assert_array_equal(read(X), RGB)
    for X in (GREY, list(GREY), [Image.fromarray(image) for image in GREY]):
        np.testing.assert_array_equal(read(X, GREY), GREY)


def test_files_are_read_as_the_cropper_reads_them(tmp_path):
    def kept(name, image, **options):
        image.save(tmp_path / name, **options)
        return tmp_path / name

    exif = Image.Exif()
    exif[0x0112] = 6
    clear = np.dstack([RGB[0], np.full(RGB.shape[1:3], 255, np.uint8)])
    clear[:5, :5, 3] = 0
    on_white = RGB[0].copy()
    on_white[:5, :5] = 255
    keyed = RGB[0].copy()
    keyed[keyed.sum(axis=2) == keyed.sum(axis=2).max()] = RGB[0, 0, 0]
    shown = keyed.copy()
    shown[(keyed == RGB[0, 0, 0]).all(axis=2)] = 255
    black_and_white = GREY[0] > 127
    cases = {
        "16.png": (Image.fromarray(GREY[0].astype(np.uint16) * 257), {}, GREY[0]),
        "turned.png": (Image.fromarray(RGB[0]), {"exif": exif}, np.rot90(RGB[0], -1)),
        "clear.png": (Image.fromarray(clear), {}, on_white),
        "keyed.png": (
            Image.fromarray(keyed), {"transparency": tuple(RGB[0, 0, 0].tolist())}, shown,
        ),
        "1.png": (Image.fromarray(black_and_white), {}, 255 * black_and_white),
        "grey.png": (Image.fromarray(GREY[0]), {}, GREY[0]),
        "clear-grey.png": (Image.fromarray(clear[..., [0, 3]]), {}, on_white[..., 0]),
    }  # fmt: skip
    cases["clear-grey.png"][2][:5, :5] = 255
    for name, (image, options, expected) in cases.items():
        got = read([kept(name, image, **options)], expected[None])
        np.testing.assert_array_equal(got[0], expected, err_msg=name)
    floating = kept("float.tiff", Image.fromarray(GREY[0].astype(np.float32)))
    with pytest.raises(ValueError, match=r"float\.tiff.*mode 'F'.*white is not fixed"):
        read([floating])


def test_images_that_do_not_fit_together_are_named(paths, tmp_path):
    Image.fromarray(GREY[1]).save(paths[1])
    message = r"row 1 .*1\.png.* a grey image of 40 x 32 pixels, but row 0 .*0\.png.* an RGB image"
    with pytest.raises(ValueError, match=message):
        read(paths)
    Image.fromarray(RGB[1, :, :33]).save(paths[1])
    with pytest.raises(ValueError, match=r"1\.png.* an RGB image of 33 x 32 pixels"):
        read(paths)
    stacked = np.empty(2, dtype=object)
    stacked[:] = [RGB[0], RGB[1, :, :36]]
    for X in (stacked, list(stacked)):
        with pytest.raises(ValueError, match="row 1 is an RGB image of 36 x 32 pixels, but row 0"):
            read(X)


class Frame:
    """A table that is none of pandas, as polars has."""

    def __init__(self, values):
        self.values = np.array(values, dtype=object)

    def __array__(self, dtype=None, copy=None):
        return self.values


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "X holds no image"),
        ((), "X holds no image"),
        (pd.Series([], dtype=object), "X holds no image"),
        ("a.png", r"X is one str.*pass \[X\]"),
        (b"a.png", r"X is one bytes"),
        (Image.fromarray(RGB[0]), r"X is one Image.*pass \[X\]"),
        (pd.Series(["a.png", None], dtype=object), r"X\[1\] is None.*expected a path"),
        (pd.Series([np.nan, "a.png"]), r"X\[0\] is nan"),
        (pd.DataFrame({"path": ["a.png", np.nan]}), r"X\[1\] is nan"),
        (pd.DataFrame({"path": ["a.png"], "age": [3]}), r"\['path', 'age'\].*X\['path'\]"),
        ([b"a.png"], r"X\[0\] is b'a.png'.*os.fsdecode"),
        ([["a.png"], ["b.png"]], r"X\[0\] is \['a.png'\] \(list\)"),
        (RGB.tolist(), r"X\[0\] is \[\[\[.*\(list\); expected a path, a PIL image or an array"),
        (np.array([["a.png", "b.png"]]), r"X is an array of shape \(1, 2\)"),
        ({"path": ["a.png"]}, "X is a dict"),
        (iter(["a.png"]), r"X is a list_iterator.*pass list\(X\)"),
        (None, "X is a NoneType"),
        (torch.from_numpy(RGB).permute(0, 3, 1, 2), r"np.moveaxis\(X, 1, -1\)"),
        (torch.from_numpy(RGB).permute(0, 3, 1, 2) / 255, r"np.moveaxis\(X, 1, -1\)"),
        ([torch.from_numpy(RGB[0]).permute(2, 0, 1)], r"row 0.*np.moveaxis\(x, 0, -1\)"),
        (
            torch.from_numpy(RGB) / 255,
            r"dtype float32.*\(x \* 255\)\.round\(\)\.astype\('uint8'\)",
        ),
        (RGB.astype(float), r"uint8, 0 to 255, got float64; .*pass X\.astype\('uint8'\)"),
        ((RGB / 255).astype(np.float16), r"float16; .*0 to 1, so pass \(X \* 255\)\.round"),
        (RGB / 127.5 - 1, r"-1 to 1, so pass \(\(X \+ 1\) \* 127\.5\)\.round"),
        (RGB.astype(object), "got object; bring the values to whole numbers from 0 to 255"),
        (np.ma.masked_greater(RGB, 200), r"X has masked pixels \(row 0\); .*np\.ma\.filled"),
        ([RGB[0], np.ma.masked_greater(RGB[1], 200)], r"X\[1\] has masked pixels; choose"),
        (RGB > 99, r"got bool; pass 255 \* X\.astype\('uint8'\)"),
        (torch.zeros(2, 32, 32, 3, dtype=torch.uint8, device="meta"), "X is a tensor on the meta"),
        ([torch.zeros(32, 32, device="meta")] * 2, "an image is a tensor on the meta device"),
        (torch.zeros(2, 3, device="meta"), "X is a tensor on the meta device"),
        (Frame([["a.png", "b.png"], ["c.png", "d.png"]]), r"X is an array of shape \(2, 2\)"),
        (pd.Series([np.zeros(3)] * 2), r"arrays in the cells of one column: pass np\.stack\(X\)"),
        (pd.DataFrame({"vector": [[0.0, 1.0]] * 2}), r"pass np\.stack\(X\['vector'\]\)"),
        (np.full((2, 3), 10**400, dtype=object), "X: int too large"),
        (scipy.sparse.csr_matrix(np.eye(3)), "[Ss]parse"),
    ],
)
def test_what_cannot_be_taken_is_explained(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        check_inputs(LightCNNClassifier(), X, reset=True)


def test_tables_of_numbers_stay_vectors():
    rows = np.arange(12.0).reshape(4, 3)
    for X in (
        rows,
        rows.tolist(),
        list(rows),
        pd.DataFrame(rows, columns=list("abc")),
        rows.astype(object),
        pd.DataFrame(rows.astype(object), columns=list("abc")),
        torch.from_numpy(rows),
    ):
        np.testing.assert_array_equal(check_inputs(LightCNNClassifier(), X, reset=True), rows)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: torch.from_numpy(a).requires_grad_(),
        lambda a: torch.from_numpy(a).bfloat16(),
        lambda a: np.ma.array(a),
        lambda a: memoryview(np.ascontiguousarray(a)),
        lambda a: torch.complex(torch.zeros(a.shape), -torch.from_numpy(a).float()).conj().imag,
    ],
    ids=["with a gradient", "bfloat16", "masked", "memory view", "negative bit"],
)
def test_tensors_and_other_arrays(change):
    X = np.arange(24.0).reshape(8, 3)
    y = np.arange(8.0) % 2
    expected = SVTPTClassifier().fit(X, y).predict_proba(X)
    there = SVTPTClassifier().fit(change(X), change(y), change(y + 1), change(y + 1))
    weighted = SVTPTClassifier().fit(X, y, y + 1, y + 1)
    np.testing.assert_array_equal(there.predict_proba(X), weighted.predict_proba(X))
    np.testing.assert_array_equal(
        SVTPTClassifier().fit(change(X), change(y)).predict_proba(change(X)), expected
    )


def test_what_a_mask_hides_is_missing():
    X, y = np.arange(24.0).reshape(8, 3), np.arange(8) % 2
    mask = np.arange(8) == 3
    hidden = SVTPTClassifier().fit(X, np.ma.array(y, mask=mask))
    known = SVTPTClassifier().fit(X, np.where(mask, np.nan, y))
    np.testing.assert_array_equal(hidden.predict_proba(X), known.predict_proba(X))
    with pytest.raises(ValueError, match="X: Input X contains NaN"):
        SVTPTClassifier().fit(np.ma.array(X, mask=X == 4), y)
    with pytest.raises(ValueError, match="groups has no subject at row 3"):
        SVTPTClassifier().fit(X, y, groups=np.ma.array(y, mask=mask))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ({"AU1": [0, 1] * 4}, "y is a dict; expected a DataFrame"),
        (scipy.sparse.csr_array(np.eye(8)), r"y is a csr_array.*\.toarray\(\)"),
        (torch.eye(8).to_sparse(), r"y is a sparse tensor; pass y\.to_dense"),
        (np.zeros(8, [("AU1", float)]), "y is a ndarray; expected a DataFrame"),
        (torch.zeros(8, device="meta"), "y is a tensor on the meta device"),
        (np.zeros((8, 2)) * 1j, "y must hold the numbers 0, 1 and NaN, got complex128"),
        (pd.Series([np.zeros(2)] * 8), r"y holds lists or arrays .*np\.stack\(y\)"),
        (pd.Series([["AU1"], ["AU1", "AU2"]] * 4), "y holds lists .*each AU needs a column"),
        (pd.Series([0.2, 0.7] * 4), "y: Unknown label type"),
        (1.0, "y is a float; expected"),
        ([0, 1], r"X and y: .*inconsistent numbers of samples: \[8, 2\]"),
    ],
)
def test_labels_that_are_no_table_are_named(y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        SVTPTClassifier().fit(np.arange(24.0).reshape(8, 3), y)


def test_groups_that_are_no_column_are_named():
    X, y = np.arange(24.0).reshape(8, 3), np.arange(8) % 2
    levels = pd.MultiIndex.from_arrays([list("aabbccdd"), range(8)], names=["subject", None])
    with pytest.raises(TypeError, match=r"groups is a MultiIndex.*get_level_values\('subject'\)"):
        SVTPTClassifier().fit(X, y, groups=levels)
    with pytest.raises(ValueError, match="groups must hold one subject"):
        SVTPTClassifier().fit(X, y, groups=[[1], [1, 2]] * 4)


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y.astype(str),
        lambda y: pd.DataFrame(y, columns=["AU1", "AU2"]).astype("string"),
        lambda y: y.astype(bool).astype(object),
    ],
    ids=["text", "pandas' text", "objects"],
)
def test_tables_of_zeros_and_ones_of_any_kind(change):
    X = np.arange(24.0).reshape(8, 3)
    y = np.array([[0, 1], [1, 0], [1, 1], [0, 0]] * 2)
    there = SVTPTClassifier().fit(X, change(y))
    np.testing.assert_array_equal(
        there.predict_proba(X), SVTPTClassifier().fit(X, y).predict_proba(X)
    )


@pytest.mark.parametrize("kind", ["boolean", "Int64", object])
def test_one_au_with_missing_labels_of_pandas(kind):
    X, y = np.arange(24.0).reshape(8, 3), np.arange(8) % 2
    missing = pd.Series(y == 1).astype(kind)
    missing[3] = None
    there = SVTPTClassifier().fit(X, missing)
    known = SVTPTClassifier().fit(X, np.where(np.arange(8) == 3, np.nan, y))
    np.testing.assert_array_equal(there.predict_proba(X), known.predict_proba(X))
