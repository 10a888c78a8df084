"""One warp from the original pixels: exact where it can be, antialiased, reflected."""

import numpy as np
import pytest
from PIL import Image

from skau.preprocessing import _warp
from skau.preprocessing._alignment import whole_matrix
from skau.preprocessing._warp import warp


def _noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_identity_is_exact():
    pixels = _noise(40, 40)
    crop = warp(Image.fromarray(pixels), np.array([[1.0, 0, 4], [0, 1, 7]]), 16)
    np.testing.assert_array_equal(crop, pixels[7:23, 4:20])


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_shrinking_takes_the_mean_of_what_a_pixel_covers(factor):
    pixels = _noise(16 * factor, 16 * factor)
    crop = warp(Image.fromarray(pixels), np.array([[factor, 0, 0], [0, factor, 0.0]]), 16)
    blocks = pixels.reshape(16, factor, 16, factor, 3).mean(axis=(1, 3))
    assert np.abs(crop - blocks).max() <= 1


def test_fine_stripes_do_not_alias():
    # Stripes of one pixel, turned and shrunk: a sampled crop would show broad bands.
    pixels = np.zeros((300, 300, 3), dtype=np.uint8)
    pixels[:, ::2] = 255
    angle, scale = 0.1, 4.1
    axes = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([axes, [150, 150] - axes @ [16, 16]])
    crop = warp(Image.fromarray(pixels), matrix, 32)[8:24, 8:24].astype(float)
    assert abs(crop.mean() - 127.5) < 3
    assert crop.std() < 20  # 127 without antialiasing


def test_half_turn_turns_the_crop():
    pixels = _noise(20, 20)
    crop = warp(Image.fromarray(pixels), np.array([[-1.0, 0, 20], [0, -1, 20]]), 20)
    np.testing.assert_array_equal(crop, pixels[::-1, ::-1])


def test_border_is_reflected():
    pixels = _noise(8, 8)
    crop = warp(Image.fromarray(pixels), np.array([[1.0, 0, -20], [0, 1, -3]]), 32)
    np.testing.assert_array_equal(crop, np.pad(pixels, ((3, 21), (20, 4), (0, 0)), "symmetric"))


def test_no_black_wedges_when_enlarging_at_a_corner():
    pixels = np.full((30, 30, 3), 200, dtype=np.uint8)
    crop = warp(Image.fromarray(pixels), np.array([[0.3, 0.2, -5], [-0.2, 0.3, 3]]), 64)
    assert (crop == 200).all()


def test_a_long_image_takes_little_memory(monkeypatch):
    pixels = np.repeat(np.repeat(_noise(4, 100), 50, axis=0), 50, axis=1)  # 200 x 5000
    image, matrix = Image.fromarray(pixels), whole_matrix(5000, 200, 16)
    exact = warp(image, matrix, 16)
    monkeypatch.setattr(_warp, "_FINEST", 1000)
    sizes, transform = [], Image.Image.transform

    def note(self, size, *args, **kwargs):
        sizes.append(size)
        return transform(self, size, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "transform", note)
    coarse = warp(image, matrix, 16)
    assert max(sizes[0]) <= 1100
    assert np.abs(coarse.astype(int) - exact).mean() < 3
