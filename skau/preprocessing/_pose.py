"""Where a head looks, from its five points."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The points of a mean face, in distances between its eyes: x to the right of the image, y up, z
# towards the camera. Fitted to the points that MTCNN finds in rendered heads of known pose.
TEMPLATE = np.array(
    [
        [-0.5, 0.583, -0.101],
        [0.5, 0.583, -0.101],
        [0.0, -0.052, 0.421],
        [-0.427, -0.557, -0.109],
        [0.427, -0.557, -0.109],
    ]
)
STEPS = 15
SPREAD = np.radians(25.0)  # heads turn by about so much: an ill-determined angle stays small
ERROR = 0.08  # of a point, in distances between the eyes


def head_pose(points: ArrayLike) -> NDArray[np.float64]:
    """Compute the pose of heads from five points each.

    A mean face in space is turned, scaled and moved until its points, seen from far away (weak
    perspective), lie as near to those of the image as they can: damped least squares.

    Parameters
    ----------
    points : array-like of shape (n, 5, 2)
        ``x, y`` in pixels of the eye on the left of the image, the eye on its right, the nose
        tip, the mouth corner on the left and on the right of the image: the columns
        ``left_eye_x ... mouth_right_y`` of the landmark table. NaN where there is no face.

    Returns
    -------
    ndarray of shape (n, 3)
        ``yaw, pitch, roll`` in degrees, all 0 for a face that looks straight into the camera.
        ``yaw`` is positive where the face looks to the right of the image (to its own left),
        ``pitch`` where it looks up, and ``roll`` where the head is inclined counter-clockwise
        (its crown to the left of the image). The head is turned by yaw first, then by pitch, then
        by roll, about the axes of the camera.

    Notes
    -----
    Five points say little: on rendered heads within 30 degrees the median errors are a few
    degrees. Pitch is the least certain, because a long nose looks like a lowered head.

    Examples
    --------
    >>> from skau.preprocessing import head_pose
    >>> head_pose([[[-20, 0], [20, 0], [0, 25], [-15, 45], [15, 45]]]).round()[:, ::2] + 0
    array([[0., 0.]])
    """
    image = np.asarray(points, dtype=float).reshape(-1, 5, 2) * [1, -1]
    result = np.full((len(image), 3), np.nan)
    known = ~np.isnan(image).any(axis=(1, 2))
    result[known] = np.degrees(_fit(image[known]))
    return result


def _fit(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return yaw, pitch and roll (n, 3) in radians of points (n, 5, 2), y up."""
    image = image - image.mean(axis=1, keepdims=True)
    model = TEMPLATE - TEMPLATE.mean(axis=0)
    size = np.sqrt((image**2).sum(axis=(1, 2)) / (model[:, :2] ** 2).sum())
    image = image / np.maximum(size, 1e-9)[:, None, None]
    eyes = image[:, 1] - image[:, 0]
    # angles and the logarithm of the scale
    state = np.zeros((len(image), 4))
    state[:, 2] = np.arctan2(eyes[:, 1], eyes[:, 0])
    weight = np.array([1, 1, 0, 0]) * (ERROR / SPREAD) ** 2
    for _ in range(STEPS):
        seen = _project(model, state)
        slopes = np.stack(
            [(_project(model, state + step) - seen) / 1e-5 for step in 1e-5 * np.eye(4)], axis=-1
        ).reshape(len(image), 10, 4)
        error = (image - seen).reshape(len(image), 10, 1)
        across = slopes.swapaxes(1, 2)
        normal = across @ slopes + np.diag(weight + 1e-6)
        pull = across @ error - (weight * state)[..., None]
        state = state + np.linalg.solve(normal, pull)[..., 0].clip(-0.5, 0.5)
    return state[:, :3]


def _project(model: NDArray[np.float64], state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the model's points (5, 3) are seen, (n, 5, 2)."""
    turned = rotation(state[:, :3]) @ model.T
    return (turned[:, :2] * np.exp(state[:, 3, None, None])).swapaxes(1, 2)


def rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrices (n, 3, 3) that turn by yaw, then pitch, then roll (n, 3) in radians."""
    (a, b, c), (x, y, z) = np.cos(angles.T), np.sin(angles.T)
    y = -y  # looking up turns the face's axis (0, 0, 1) towards +y
    one, zero = np.ones_like(a), np.zeros_like(a)
    about_y = np.array([[a, zero, x], [zero, one, zero], [-x, zero, a]])
    about_x = np.array([[one, zero, zero], [zero, b, -y], [zero, y, b]])
    about_z = np.array([[c, -z, zero], [z, c, zero], [zero, zero, one]])
    across, up, around = (np.moveaxis(matrix, -1, 0) for matrix in (about_y, about_x, about_z))
    return np.asarray(around @ up @ across)
