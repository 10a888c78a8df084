"""Check what users hand in: images or vectors, labels."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, validate_data

from ..preprocessing._image_source import holds_images
from ..preprocessing._images import advise_uint8
from ..training._data import ImageFiles, open_images
from ..utils._arrays import plain
from ..utils._labels import LabelTable, encoded_hint, label_array, read_names, read_table
from ..utils._text import first_few
from ..utils._warnings import user_level

_MIN_SIDE = 32


class Labels(NamedTuple):
    """Labels as a table, whatever form they came in."""

    values: np.ndarray  # (n, n_aus) float32: 1, 0, NaN
    names: np.ndarray  # (n_aus,) str
    classes: np.ndarray  # the two labels of one AU, else arange(n_aus)
    single: bool  # one AU: came as (n,) or (n, 1)


def check_inputs(estimator: Any, X: Any, reset: bool) -> np.ndarray | ImageFiles:
    """Return images (uint8 array, memory map or files) or float64 vectors.

    Sets ``n_features_in_`` and ``input_shape_`` of ``estimator`` when ``reset``, and compares
    with them otherwise.
    """
    X = plain(X, "X") if getattr(X, "ndim", 0) < 3 else X  # images have a reader
    if holds_images(X):
        X = open_images(X)
    if not (isinstance(X, ImageFiles) or getattr(X, "ndim", 0) in (3, 4)):
        _check_cells(X)
        try:
            X = validate_data(estimator, X, dtype=np.float64, reset=reset)
        # which scikit-learn and NumPy do not always name
        except (ValueError, TypeError, OverflowError, NotImplementedError, RuntimeError) as error:
            kind = ValueError if isinstance(error, ValueError | OverflowError) else TypeError
            raise kind(f"X: {error}") from error
        largest = max(X.max(), -X.min())
        if largest > np.finfo(np.float32).max:  # in which networks are trained
            raise ValueError(f"X holds {largest:g}, too large for float32; scale the features")
        shape: tuple[int, ...] = X.shape[1:]
    else:
        if not isinstance(X, ImageFiles):
            _check_image_array(X, getattr(estimator, "_takes_maps", False))
        height, width = X.shape[1:3]
        shape = (X.shape[3] if len(X.shape) == 4 else 1, height, width)
        if min(height, width) < _MIN_SIDE:
            raise ValueError(
                f"X: images must be at least {_MIN_SIDE} x {_MIN_SIDE} pixels, got {height} x "
                f"{width}; a single image of shape (h, w, 3) is passed as X[np.newaxis]"
            )
    if reset:
        estimator.input_shape_ = shape
        estimator.n_features_in_ = int(np.prod(shape))
        if len(shape) == 3 and hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_  # of an earlier fit on a DataFrame of vectors
    elif shape != estimator.input_shape_:
        known = estimator.input_shape_
        mend = "crop to the size" if shape[1:] != known[1:] else "give images of the kind"
        raise ValueError(
            f"X has {_describe(shape)}, but {type(estimator).__name__} was fitted on "
            f"{_describe(known)}; {mend} used at fit"
        )
    return X


def _check_cells(X: Any) -> None:
    """Say how to stack rows that are arrays in the cells of a column, as embeddings often are."""
    column = "X"
    if isinstance(X, pd.DataFrame) and X.shape[1] == 1:
        X, column = X.iloc[:, 0], f"X[{X.columns[0]!r}]"
    cells = np.asarray(X) if isinstance(X, np.ndarray | pd.Series) else np.zeros(0)
    if cells.dtype == object and cells.ndim == 1 and len(cells):
        first = cells[0]
        if isinstance(first, list | tuple) or getattr(first, "ndim", 0) > 0:
            raise ValueError(
                f"X holds arrays in the cells of one column: pass np.stack({column}) (n, d)"
            )


def _describe(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"vectors of {shape[0]} features"
    kind = {1: "grey images", 3: "RGB images", 4: "RGB images with maps"}[shape[0]]
    return f"{kind} of {shape[1]} x {shape[2]} pixels"


def _check_image_array(X: Any, takes_maps: bool) -> None:
    if X.dtype != np.uint8:
        raise ValueError(
            f"X: images must be uint8, 0 to 255, got {X.dtype}; {advise_uint8(X[:1], 'X')}"
        )
    if len(X) == 0:
        raise ValueError(f"X: found 0 sample(s) (shape {X.shape}), at least 1 image is needed")
    if X.ndim == 4 and X.shape[3] != 3 and not (takes_maps and X.shape[3] == 4):
        if X.shape[1] in (1, 3):
            mend = "move the channels last: np.moveaxis(X, 1, -1)"
        elif X.shape[3] == 1:
            mend = "drop the last axis of grey images: X[..., 0]"
        else:
            mend = "RGBA and other channels are not understood; convert to RGB"
        raise ValueError(
            f"X: images must have shape (n, h, w, 3) or (n, h, w), got {X.shape}; {mend}"
        )


def check_labels(
    Y: Any, X: Any, estimator: Any, classes: Any = None, names: np.ndarray | None = None
) -> Labels:
    """Return labels as a table with NaN where not annotated.

    Parameters
    ----------
    Y : array-like or DataFrame of shape (n, n_aus), or array-like of shape (n,)
        A table of one column is one AU, as a 1-D ``y`` is.
    X : the inputs, for their length
    estimator : for its name in messages
    classes : array-like of two labels, optional
        For a 1-D ``y`` that may not hold both.
    names : ndarray of str, optional
        The AUs of an earlier call, whose order the columns are brought to.
    """
    if Y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None; an "
            "identity-only image has a row of NaN"
        )
    array = label_array(Y)
    try:
        check_consistent_length(X, array)
    except (ValueError, TypeError) as error:  # which does not say whose lengths they are
        raise type(error)(f"X and y: {error}") from error
    if array.ndim == 1:
        values, labels = _check_single(array, classes)
        table = LabelTable(values, read_names(Y), True)
    else:
        table = read_table(Y)
        if not table.values.shape[1]:
            raise ValueError("y has no column; each AU needs one")
        labels = np.arange(2 if table.one_column else table.values.shape[1])
        if classes is not None and not (table.one_column and set(np.ravel(classes)) <= {0, 1}):
            raise ValueError(
                "y is a table, whose labels are 0, 1 and NaN; the classes "
                f"{np.ravel(classes).tolist()} are those of a 1-D y"
            )
    if names is not None:
        table = table.match(names.tolist(), len(names), "y", type(estimator).__name__)
    return Labels(table.values.astype(np.float32), np.array(table.names), labels, table.one_column)


def _check_single(y: np.ndarray, classes: Any) -> tuple[np.ndarray, np.ndarray]:
    missing = pd.isna(y)
    known = y[~missing]
    if classes is None:
        if len(known) == 0:
            raise ValueError("y holds no label: every value is NaN")
        if known.dtype.kind == "f" and not np.isfinite(known).all():
            raise ValueError("y holds infinity; labels are two finite values and NaN")
        try:
            check_classification_targets(known)
        except ValueError as error:  # which does not say whose labels they are
            raise ValueError(f"y: {error}") from error
        labels = np.unique(known)
        if type_of_target(known, input_name="y") == "multiclass":
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: "
                f"{labels.tolist()}; pass one column of 0 and 1 for each AU{encoded_hint(known)}"
            )
        if len(labels) != 2:
            raise ValueError(
                f"y holds {len(labels)} class ({labels.tolist()}); two are needed to learn from. "
                "Where a part of the data holds one, partial_fit takes both as classes"
            )
    else:
        labels = np.unique(classes)
        unknown = np.setdiff1d(known, labels)
        if len(unknown):
            raise ValueError(f"y holds {unknown.tolist()}, which classes does not name")
        if len(labels) != 2:
            raise ValueError(f"classes names {len(labels)} labels; a 1-D y has two")
    values = np.full((len(y), 1), np.nan, np.float32)
    values[~missing, 0] = known == labels[1]
    return values, labels


def warn_of_rare(Y: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Warn of AUs without a label, and of those that show one class only.

    Returns
    -------
    ndarray of bool, shape (n_aus,)
        Which AUs have no label, and so cannot be learned.
    """
    unlabelled = np.isnan(Y).all(axis=0)
    if unlabelled.all():
        raise ValueError(
            f"y has no label for {first_few(names)}: every value is NaN, or in a row whose "
            "sample_weight is 0"
        )
    if unlabelled.any():
        warnings.warn(
            f"y has no label for {first_few(names[unlabelled])}; it is not learned and is "
            "predicted as NaN",
            stacklevel=user_level(),
        )
    for value, word in ((1, "positive"), (0, "negative")):
        none = ~np.equal(Y, value).any(axis=0) & ~unlabelled
        if none.any():
            warnings.warn(
                f"no {word} example of {', '.join(names[none])} in y; what is predicted for it "
                "means nothing",
                stacklevel=user_level(),
            )
    return unlabelled
