"""Where a crop lies in its image: pure geometry.

A crop is given by a matrix ``A`` of shape (2, 3) that takes a place ``(u, v)`` in the crop to
the place ``A @ (u, v, 1)`` in the image.  Places are measured in pixels from the left and upper
*edge*, so the centre of the first pixel is (0.5, 0.5) and a square crop covers
``0 <= u, v <= size``.  Landmarks are given, as detectors do, in pixel *indices*: the centre of
the first pixel is (0, 0).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The LightCNN template, in fractions of the side of the crop (128 pixels there).
EYE_LINE = 40 / 128
EYE_TO_MOUTH = 48 / 128
EYE_TO_EYE = EYE_TO_MOUTH  # of rendered people it is 0.98 times as far, sd 0.07

Matrix = NDArray[np.float64]


def eye_matrix(points: ArrayLike, size: int, margin: float = 0.0) -> Matrix:
    """Align a face at its eyes, by rotation, one scale and translation.

    The eyes come level, their line 40/128 of the side below the top, their mid-point in the
    middle of the width, and the mouth's centre 48/128 of the side below the line of the eyes.

    Parameters
    ----------
    points : array-like of shape (5, 2)
        ``x, y`` in pixels of the eye on the left of the image, the eye on its right, the nose
        tip, the mouth corner on the left and on the right of the image.
    size : int
        Side of the crop, in pixels.
    margin : float, default=0.0
        Widens the crop on each side by this fraction of the template's side.

    Returns
    -------
    ndarray of shape (2, 3)
        Takes places in the crop to places in the image.

    Raises
    ------
    ValueError
        If the eyes coincide or the mouth is not below the line of the eyes.

    Examples
    --------
    Eyes 48 pixels above the mouth, level: only a translation is left.

    >>> eye_matrix([[43.5, 59.5], [83.5, 59.5], [63.5, 80], [50, 107.5], [77, 107.5]], 128)
    array([[ 1.,  0.,  0.],
           [ 0.,  1., 20.]])
    """
    eyes, across, _, drop = _frame(points)
    return _below_the_eyes(eyes, across, drop / EYE_TO_MOUTH, size, margin)


def eye_distance_matrix(points: ArrayLike, size: int, margin: float = 0.0) -> Matrix:
    """Align a face at its eyes, scaled by the distance between them alone.

    As `eye_matrix`, but the eyes come to 48/128 of the side from each other, wherever the mouth
    is: the mouth moves with what is said and felt, the eyes stay.  On the other hand, a head that
    turns to the side brings the eyes nearer to each other and so seems to grow.

    Parameters
    ----------
    points, size, margin
        As in `eye_matrix`.

    Returns
    -------
    ndarray of shape (2, 3)
        As that of `eye_matrix`, which raises the same errors.

    Examples
    --------
    Eyes 48 pixels apart, level: only a translation is left.

    >>> points = [[39.5, 59.5], [87.5, 59.5], [63.5, 80], [50, 101.5], [77, 101.5]]
    >>> eye_distance_matrix(points, 128)
    array([[ 1.,  0.,  0.],
           [ 0.,  1., 20.]])
    """
    eyes, across, apart, _ = _frame(points)
    return _below_the_eyes(eyes, across, apart / EYE_TO_EYE, size, margin)


def box_matrix(
    box: ArrayLike, size: int, margin: float = 0.0, points: ArrayLike | None = None
) -> Matrix:
    """Cut the square about the centre of a box; its side is the longer one of the box.

    Parameters
    ----------
    box : array-like of shape (4,)
        Left, top, right and bottom, in pixels.
    size : int
        Side of the crop, in pixels.
    margin : float, default=0.0
        Widens the crop on each side by this fraction of the square's side.
    points : array-like of shape (5, 2), optional
        As in `eye_matrix`.  If the face lies on its side or stands on its head, the square is
        turned by the quarter turns that bring it upright.

    Returns
    -------
    ndarray of shape (2, 3)

    Examples
    --------
    >>> box_matrix([9.5, 19.5, 49.5, 69.5], 100)
    array([[ 0.5,  0. ,  5. ],
           [ 0. ,  0.5, 20. ]])
    """
    low, high = np.asarray(box, dtype=float).reshape(2, 2) + 0.5
    side = (high - low).max()
    if not side > 0:
        raise ValueError(f"box: {np.asarray(box).tolist()} is empty")
    across = np.array([1.0, 0.0])
    if points is not None:
        x, y = np.subtract(*np.asarray(points, dtype=float)[[1, 0]])
        across = np.array([np.sign(x), 0.0] if abs(x) >= abs(y) else [0.0, np.sign(y)])
    return _square((low + high) / 2, side * (1 + 2 * margin), size, across)


def whole_matrix(
    width: int, height: int, size: int, margin: float = 0.0, points: ArrayLike | None = None
) -> Matrix:
    """Fit a whole image into a square crop, centred, its proportions kept.

    Parameters
    ----------
    width, height : int
        Of the image, in pixels.
    size : int
        Side of the crop, in pixels.
    margin : float, default=0.0
        Widens the crop on each side by this fraction of the longer side.
    points : array-like of shape (5, 2), optional
        As in `box_matrix`.

    Returns
    -------
    ndarray of shape (2, 3)

    Examples
    --------
    >>> whole_matrix(200, 100, 100)
    array([[  2.,   0.,   0.],
           [  0.,   2., -50.]])
    """
    return box_matrix([-0.5, -0.5, width - 0.5, height - 0.5], size, margin, points)


def region_matrix(matrix: Matrix, points: ArrayLike, size: int, region: str) -> Matrix:
    """Keep the part of a crop above or below the mid-point between the eyes and the nose.

    The part has the width of the whole crop and is stretched to its height, so that every region
    gives images of one shape.

    Parameters
    ----------
    matrix : ndarray of shape (2, 3)
        The whole crop.
    points : array-like of shape (5, 2)
        As in `eye_matrix`.
    size : int
        Side of the crop, in pixels.
    region : {"full", "upper", "lower"}

    Returns
    -------
    ndarray of shape (2, 3)

    Examples
    --------
    >>> points = [[40, 29.5], [60, 29.5], [50, 49.5], [45, 70], [55, 70]]
    >>> region_matrix(whole_matrix(100, 100, 100), points, 100, "upper")
    array([[1. , 0. , 0. ],
           [0. , 0.4, 0. ]])
    >>> region_matrix(whole_matrix(100, 100, 100), points, 100, "lower")
    array([[ 1. ,  0. ,  0. ],
           [ 0. ,  0.6, 40. ]])
    """
    if region == "full":
        return matrix
    p = np.asarray(points, dtype=float) + 0.5
    middle = (p[:2].mean(axis=0) + p[2]) / 2
    line = np.linalg.solve(matrix[:, :2], middle - matrix[:, 2])[1] / size
    line = float(np.clip(line, 0.1, 0.9))  # a turned head must not leave an empty part
    start, stop = (0.0, line) if region == "upper" else (line, 1.0)
    part = np.array([[1, 0, 0], [0, stop - start, start * size], [0, 0, 1]])
    return matrix @ part


def _square(
    centre: NDArray[np.float64], side: float, size: int, across: NDArray[np.float64]
) -> Matrix:
    """Place a square of the given side and direction of its width about a centre."""
    scale = side / size
    axes = np.column_stack([across, [-across[1], across[0]]]) * scale
    return np.column_stack([axes, centre - axes @ [size / 2, size / 2]]) + 0.0  # no -0.


def _frame(points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Return a face's mid-point of the eyes, its direction across, and two lengths.

    They are the distance between the eyes, and that from their line down to the mouth's centre.
    """
    p = np.asarray(points, dtype=float) + 0.5
    eyes = p[:2].mean(axis=0)
    across = p[1] - p[0]
    apart = float(np.linalg.norm(across))
    if not apart > 0:
        raise ValueError("points: the two eyes are at the same place")
    across = across / apart
    drop = float((p[3:5].mean(axis=0) - eyes) @ [-across[1], across[0]])
    if not drop > 0:
        raise ValueError("points: the mouth does not lie below the line of the eyes")
    return eyes, across, apart, drop


def _below_the_eyes(
    eyes: NDArray[np.float64],
    across: NDArray[np.float64],
    side: float,
    size: int,
    margin: float,
) -> Matrix:
    """Place a square of which the eyes are at the template's height, in the middle."""
    down = np.array([-across[1], across[0]])
    centre = eyes + down * side * (0.5 - EYE_LINE)
    return _square(centre, side * (1 + 2 * margin), size, across)
