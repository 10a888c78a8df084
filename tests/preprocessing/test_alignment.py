"""Geometry against transforms worked out by hand."""

import numpy as np
import pytest

from skau.preprocessing._alignment import (
    box_matrix,
    eye_distance_matrix,
    eye_matrix,
    region_matrix,
    whole_matrix,
)

# Eyes level at y = 40, 48 pixels above the mouth, in pixel indices (edge places less 0.5).
TEMPLATE = np.array([[43.5, 39.5], [83.5, 39.5], [63.5, 66.5], [49.5, 87.5], [77.5, 87.5]])


def _to_crop(matrix, points):
    """Take points in pixel indices of the image to pixel indices of the crop."""
    places = np.asarray(points) + 0.5
    return np.linalg.solve(matrix[:, :2], (places - matrix[:, 2]).T).T - 0.5


def test_template_face_is_left_alone():
    np.testing.assert_allclose(eye_matrix(TEMPLATE, 128), [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_scale_by_hand():
    # Twice as large and moved by (10, 20): the matrix takes crop places to those.
    points = (TEMPLATE + 0.5) * 2 + [10, 20] - 0.5
    np.testing.assert_allclose(eye_matrix(points, 128), [[2, 0, 10], [0, 2, 20]], atol=1e-9)
    np.testing.assert_allclose(eye_matrix(points, 64), [[4, 0, 10], [0, 4, 20]], atol=1e-9)


def test_quarter_turn_by_hand():
    # The person lies on their side: crop right is image down, crop down is image left.
    x, y = (TEMPLATE + 0.5).T
    points = np.column_stack([200 - y, x]) - 0.5
    expected = [[0, -1, 200], [1, 0, 0]]
    np.testing.assert_allclose(eye_matrix(points, 128), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_eyes_and_mouth_come_to_the_template(seed):
    rng = np.random.default_rng(seed)
    angle, scale = rng.uniform(-0.6, 0.6), rng.uniform(0.3, 5)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = TEMPLATE @ turn.T + rng.uniform(-50, 500, 2) + rng.normal(0, 2 * scale, (5, 2))
    crop = _to_crop(eye_matrix(points, 128), points)
    assert crop[0, 1] == pytest.approx(crop[1, 1])  # level
    np.testing.assert_allclose(crop[:2].mean(axis=0), [63.5, 39.5])
    assert crop[3:].mean(axis=0)[1] == pytest.approx(87.5)


def test_eye_distance_by_hand():
    # Eyes 40 px apart come to 48 px, so a crop of 128 px covers 128 * 40 / 48 of the image; the
    # eyes stay at 40/128 of its height, in the middle.
    scale = 40 / 48
    expected = [[scale, 0, 64 - 64 * scale], [0, scale, 40 - 40 * scale]]
    np.testing.assert_allclose(eye_distance_matrix(TEMPLATE, 128), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_eye_distance_does_not_follow_the_mouth(seed):
    rng = np.random.default_rng(seed)
    angle, scale = rng.uniform(-0.6, 0.6), rng.uniform(0.3, 5)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = TEMPLATE @ turn.T + rng.uniform(-50, 500, 2)
    smile = points.copy()
    smile[3:] += rng.uniform(-5, 5, (2, 2)) * scale
    matrix = eye_distance_matrix(points, 128)
    np.testing.assert_allclose(eye_distance_matrix(smile, 128), matrix)
    assert np.abs(eye_matrix(smile, 128) - eye_matrix(points, 128)).max() > 0.01
    np.testing.assert_allclose(_to_crop(matrix, points)[:2], [[39.5, 39.5], [87.5, 39.5]])


@pytest.mark.parametrize("region", ["upper", "lower"])
def test_regions_of_crops_scaled_by_the_eyes(region):
    # The line lies 13.5 px below the eyes, of which 48/40 are 16.2 in the crop.
    part = region_matrix(eye_distance_matrix(TEMPLATE, 128), TEMPLATE, 128, region)
    line = (part @ [0, 128 if region == "upper" else 0, 1])[1]
    assert line == pytest.approx(53.5)
    assert part[1, 1] * 48 / 40 == pytest.approx((56.2 if region == "upper" else 71.8) / 128)


def test_margin_widens_about_the_centre():
    for matrix in (
        eye_matrix,
        eye_distance_matrix,
        lambda _, size, margin: box_matrix([0, 0, 99, 99], size, margin),
    ):
        plain, wide = matrix(TEMPLATE, 100, 0.0), matrix(TEMPLATE, 100, 0.25)
        np.testing.assert_allclose(wide[:, :2], 1.5 * plain[:, :2])
        np.testing.assert_allclose(wide @ [50, 50, 1], plain @ [50, 50, 1])


def test_box_takes_the_longer_side():
    matrix = box_matrix([10, 20, 30, 60], 20)
    np.testing.assert_allclose(matrix, [[2, 0, 0.5], [0, 2, 20.5]])


@pytest.mark.parametrize(
    ("turned", "matrix"),
    [
        ([1, 1], [[2, 0, 0.5], [0, 2, 20.5]]),
        ([-1, -1], [[-2, 0, 40.5], [0, -2, 60.5]]),  # crop right is image left
        ([1, -1], [[0, -2, 40.5], [2, 0, 20.5]]),  # crop right is image down, crop down left
        ([-1, 1], [[0, 2, 0.5], [-2, 0, 60.5]]),
    ],
)
def test_boxes_of_turned_faces_by_hand(turned, matrix):
    points = TEMPLATE * turned if turned[0] == turned[1] else TEMPLATE[:, ::-1] * turned[::-1]
    np.testing.assert_allclose(box_matrix([10, 20, 30, 60], 20, 0, points), matrix)


def test_whole_image_keeps_proportions():
    np.testing.assert_allclose(whole_matrix(50, 100, 10), [[10, 0, -25], [0, 10, 0]])


def test_regions_share_the_line_between_eyes_and_nose():
    # Mid-point of eyes (y = 40) and nose (y = 67) is 53.5.
    matrix = eye_matrix(TEMPLATE, 128)
    upper = region_matrix(matrix, TEMPLATE, 128, "upper")
    lower = region_matrix(matrix, TEMPLATE, 128, "lower")
    np.testing.assert_allclose(upper, [[1, 0, 0], [0, 53.5 / 128, 0]], atol=1e-12)
    np.testing.assert_allclose(lower, [[1, 0, 0], [0, 74.5 / 128, 53.5]], atol=1e-12)
    assert region_matrix(matrix, TEMPLATE, 128, "full") is matrix


def test_unusable_landmarks():
    for matrix in (eye_matrix, eye_distance_matrix):
        with pytest.raises(ValueError, match="same place"):
            matrix(np.zeros((5, 2)), 128)
        with pytest.raises(ValueError, match="below the line of the eyes"):
            matrix([[0, 9], [9, 9], [5, 5], [3, 1], [6, 1]], 128)
    with pytest.raises(ValueError, match="empty"):
        box_matrix([5, 5, 5, 5], 128)
