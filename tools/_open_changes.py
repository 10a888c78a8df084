"""Random changes of the crops that the open model is trained on.

Everything a photograph may differ in without another expression: where the crop lies, light from
one side, colours, sharpness, noise, JPEG, what covers a part of the face. All of it is drawn from
torch's generator, which an estimator seeds.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

# The template of FaceCropper(align="eye_distance"), in fractions of the side.
_EYE_LINE, _HALF_BETWEEN_EYES = 40 / 128, 24 / 128


def change(images: Tensor) -> Tensor:
    """Change each image of a batch (b, 3, h, w), uint8, in a way of its own."""
    with images.device:  # where all is made and drawn that is laid over them
        x = images.float().div_(255)
        x = _cover(x)
        x = _move(x)
        x = _light(x)
        x = _soften(x)
        x = _noise(x)
        x = x.clamp_(0, 1).mul_(255).round_().to(torch.uint8)
        return _compress(x).contiguous(memory_format=torch.channels_last)


def _some(n: int, share: float) -> Tensor:
    return torch.nonzero(torch.rand(n) < share).flatten()


def _uniform(n: int, low: float, high: float, *rest: int) -> Tensor:
    return low + (high - low) * torch.rand(n, *rest)


def _places(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Give x and y of each pixel's centre, 0 to 1, shapes (1, 1, w) and (1, h, 1)."""
    x = (torch.arange(width) + 0.5) / width
    y = (torch.arange(height) + 0.5) / height
    return x[None, None], y[None, :, None]


def _paint(x: Tensor, rows: Tensor, mask: Tensor, colour: Tensor) -> None:
    """Lay a colour (k, 3, 1, 1) over some images where a mask (k, h, w) is 1."""
    part = x[rows]
    x[rows] = part + mask[:, None] * (colour - part)


def _cover(x: Tensor) -> Tensor:
    """Glasses, a fringe, a hand or a microphone, a shadow with an edge."""
    n, _, height, width = x.shape
    across, down = _places(height, width)

    rows = _some(n, 0.15)  # glasses
    k = len(rows)
    if k:
        wide, high = _uniform(k, 0.11, 0.17, 1, 1), _uniform(k, 0.07, 0.13, 1, 1)
        line, apart = _uniform(k, -0.01, 0.05, 1, 1) + _EYE_LINE, _uniform(k, 0.0, 0.02, 1, 1)
        power = torch.where(torch.rand(k, 1, 1) < 0.5, 2.0, 4.0)  # round or square
        rim = _uniform(k, 0.006, 0.022, 1, 1)
        vertical = ((down - line) / high).abs() ** power
        frame = torch.zeros(k, height, width)
        glass = torch.zeros(k, height, width)
        for side in (-1, 1):
            middle = 0.5 + side * (_HALF_BETWEEN_EYES + apart)
            level = (((across - middle) / wide).abs() ** power + vertical) ** (1 / power)
            frame = torch.maximum(frame, (1.5 - (level - 1).abs() * high / rim).clamp(0, 1))
            glass = torch.maximum(glass, ((1 - level) * 20).clamp(0, 1))
        bridge = (1.5 - (down - line + 0.02).abs() / rim).clamp(0, 1)
        frame = torch.maximum(
            frame, bridge * ((across - 0.5).abs() < _HALF_BETWEEN_EYES + apart - wide)
        )
        tint = torch.where(torch.rand(k, 1, 1) < 0.3, _uniform(k, 0, 0.35, 1, 1), torch.zeros(1))
        _paint(x, rows, tint * glass, _uniform(k, 0, 1, 1, 1, 1))
        dark = torch.where(torch.rand(k, 1, 1, 1) < 0.7, 0.15, 0.8)
        _paint(x, rows, frame * _uniform(k, 0.5, 1, 1, 1), dark * torch.rand(k, 3, 1, 1))

    rows = _some(n, 0.12)  # hair on the forehead
    k = len(rows)
    if k:
        bend, slope = _uniform(k, -1.5, 1.5, 1, 1), _uniform(k, -0.4, 0.4, 1, 1)
        edge = _uniform(k, 0.0, 0.2, 1, 1) + slope * (across - 0.5) + bend * (across - 0.5) ** 2
        edge = edge + 0.02 * torch.randn(k, 1, width)
        mask = ((edge - down) * 25 + 0.5).clamp(0, 1)
        _paint(x, rows, mask, 0.5 * torch.rand(k, 1, 1, 1) * _uniform(k, 0.5, 1, 3, 1, 1))

    rows = _some(n, 0.12)  # a blob before the face
    k = len(rows)
    if k:
        cx, cy = _uniform(k, 0, 1, 1, 1), _uniform(k, 0, 1, 1, 1)
        rx, ry = _uniform(k, 0.03, 0.16, 1, 1), _uniform(k, 0.03, 0.16, 1, 1)
        power = torch.where(torch.rand(k, 1, 1) < 0.5, 2.0, 8.0)
        level = ((across - cx) / rx).abs() ** power + ((down - cy) / ry).abs() ** power
        _paint(x, rows, ((1 - level) * 4).clamp(0, 1), torch.rand(k, 3, 1, 1))

    rows = _some(n, 0.2)  # a shadow or a beam with an edge
    k = len(rows)
    if k:
        turn = _uniform(k, 0, 2 * np.pi, 1, 1)
        side = (
            (across - 0.5) * turn.cos() + (down - 0.5) * turn.sin() - _uniform(k, -0.3, 0.3, 1, 1)
        )
        mask = torch.sigmoid(side * torch.exp(_uniform(k, 1.5, 4.5, 1, 1)))
        x[rows] *= torch.exp(mask * _uniform(k, -1.0, 0.4, 1, 1))[:, None]
    return x


def _move(x: Tensor) -> Tensor:
    """Mirror, turn, scale, shear and shift the crop; the border goes on by reflection."""
    n = len(x)
    turn = torch.randn(n) * 0.06
    wide, high = (torch.exp(torch.randn(n) * 0.04) for _ in range(2))
    zoom = torch.exp(_uniform(n, -0.1, 0.1))
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    shear = torch.randn(n) * 0.03
    cos, sin = turn.cos() * zoom, turn.sin() * zoom
    matrix = torch.stack(
        [
            torch.stack([mirror * wide * cos, -sin * high + shear, _uniform(n, -0.08, 0.08)], 1),
            torch.stack([mirror * wide * sin, cos * high, _uniform(n, -0.08, 0.08)], 1),
        ],
        1,
    )
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def _light(x: Tensor) -> Tensor:
    """Uneven light, gamma, exposure, contrast, casts of colour, saturation down to grey."""
    n, _, height, width = x.shape
    field = torch.randn(n, 1, 3, 3) * _uniform(n, 0, 0.4, 1, 1, 1)
    field = F.interpolate(field, size=(height, width), mode="bicubic", align_corners=False)
    cast = torch.randn(n, 3, 1, 1) * _uniform(n, 0, 0.2, 1, 1, 1)
    gain = torch.randn(n, 1, 1, 1) * 0.2
    gamma = torch.exp(torch.randn(n, 1, 1, 1) * 0.25)
    x = x.clamp_(0.002, 1).log_().mul_(gamma).add_(field).add_(cast + gain).exp_()
    grey = x.mean(1, keepdim=True)
    colour = torch.where(torch.rand(n, 1, 1, 1) < 0.12, 0.0, _uniform(n, 0.4, 1.4, 1, 1, 1))
    x = grey + (x - grey) * colour
    level = x.mean((1, 2, 3), keepdim=True)
    return level + (x - level) * torch.exp(torch.randn(n, 1, 1, 1) * 0.2)


def _soften(x: Tensor) -> Tensor:
    """Fewer pixels, or a blur along one way, in some images; sharper in others."""
    n, _, height, width = x.shape
    for share in (0.5, 0.6, 0.75):
        rows = _some(n, 0.1)
        if len(rows):
            small = F.interpolate(x[rows], scale_factor=share, mode="area")
            x[rows] = F.interpolate(small, size=(height, width), mode="bilinear")
    rows = _some(n, 0.08)
    if len(rows):
        step = int(torch.randint(1, 3, ()))
        axis = 2 + int(torch.randint(2, ()))
        x[rows] = (x[rows] + x[rows].roll(step, axis) + x[rows].roll(-step, axis)) / 3
    rows = _some(n, 0.2)
    if len(rows):
        part = x[rows]
        smooth = F.avg_pool2d(part, 3, 1, 1, count_include_pad=False)
        x[rows] = part + (part - smooth) * _uniform(len(rows), 0.2, 1.2, 1, 1, 1)
    return x


def _noise(x: Tensor) -> Tensor:
    rows = _some(len(x), 0.4)
    if len(rows):
        part = x[rows]
        channels = 3 if torch.rand(()) < 0.7 else 1
        grain = torch.randn(len(part), channels, *part.shape[2:])
        x[rows] = part + grain * _uniform(len(rows), 0, 0.045, 1, 1, 1)
    return x


def _compress(x: Tensor) -> Tensor:
    """Save and read some images as JPEG of a poor quality."""
    for row in _some(len(x), 0.25).tolist():
        quality = int(torch.randint(20, 85, ()))
        file = BytesIO()
        pixels = x[row].permute(1, 2, 0).numpy(force=True)
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        x[row] = torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1)
    return x
