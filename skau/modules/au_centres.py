"""Where in an aligned crop each AU shows, and what networks make of it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..preprocessing.alignment import EYE_LINE, EYE_TO_MOUTH

__all__ = ["TEMPLATE_CENTRES", "Enhance", "ROIHead"]

# From the mid-point of the eyes, in units of the distance to the mouth: how far to each side,
# how far down. After the rules of EAC-Net, which measures from 68 landmarks.
_OFFSETS = (
    (0.20, -0.42),  # AU1: above the inner end of the brow
    (0.65, -0.40),  # AU2: above its outer end
    (0.40, -0.25),  # AU4: below its middle
    (0.50, 0.35),  # AU6: cheek
    (0.45, 0.00),  # AU7: eye
    (0.20, 0.80),  # AU10: above the upper lip
    (0.37, 1.00),  # AU12, AU14, AU15: corner of the lips
    (0.20, 1.35),  # AU17: chin
    (0.12, 1.00),  # AU23, AU24: middle of the lips
)

TEMPLATE_CENTRES = tuple(
    (0.5 + side * across * EYE_TO_MOUTH, EYE_LINE + down * EYE_TO_MOUTH)
    for across, down in _OFFSETS
    for side in (-1, 1)
)
"""``x, y`` of 18 AU centres, 0 to 1, in a crop aligned at the eyes (``FaceCropper``)."""


class Enhance(nn.Module):
    """E-Net's enhancing: multiply a feature map by 1 + attention.

    Attention is 1 at every AU centre and falls to 0 linearly, in city-block distance, within
    ``radius`` (a fraction of the side).

    Parameters
    ----------
    centres : sequence of (x, y)
        In fractions of the sides.
    radius : float, default=0.1
    """

    centres: Tensor

    def __init__(self, centres: tuple[tuple[float, float], ...], radius: float = 0.1) -> None:
        super().__init__()
        self.radius = radius
        self.register_buffer("centres", torch.tensor(centres), persistent=False)

    def attention(self, height: int, width: int) -> Tensor:
        """Return the map, (height, width)."""
        x = (torch.arange(width).to(self.centres) + 0.5) / width
        y = (torch.arange(height).to(self.centres) + 0.5) / height
        cx, cy = self.centres.T
        distance = (x - cx[:, None]).abs()[:, None, :] + (y - cy[:, None]).abs()[:, :, None]
        return F.relu(1 - distance / self.radius).amax(dim=0)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, h, w)."""
        return x * (1 + self.attention(*x.shape[2:])).to(x.dtype)


class ROIHead(nn.Module):
    """ROI nets: a window of the feature map about every AU centre, each with its own layers.

    A window of a quarter of the map's sides is doubled in size, convolved and mapped to a
    vector; the windows' vectors are concatenated. The windows become groups of channels, so
    that all their layers are two grouped convolutions.

    Parameters
    ----------
    centres : sequence of (x, y)
        In fractions of the sides.
    channels : int
        Of the feature map.
    size : (height, width) of the feature map
    n_local, n_out : int
        Channels of a window's convolution, length of its vector.
    """

    def __init__(
        self,
        centres: tuple[tuple[float, float], ...],
        channels: int,
        size: tuple[int, int],
        n_local: int = 32,
        n_out: int = 150,
    ) -> None:
        super().__init__()
        k = len(centres)
        self.side = max(2, min(size) // 4)
        self.corners = [(self._start(y, size[0]), self._start(x, size[1])) for x, y in centres]
        self.local = nn.Conv2d(k * channels, k * n_local, 3, padding=1, groups=k)
        self.vector = nn.Conv2d(k * n_local, k * n_out, 2 * self.side, groups=k)
        self.n_features = k * n_out

    def _start(self, centre: float, length: int) -> int:
        """First row or column of the window nearest to ``centre`` that lies within the map."""
        return min(max(round(centre * length - self.side / 2), 0), length - self.side)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, h, w) -> (b, n_features)."""
        s = self.side
        windows = torch.cat([x[:, :, i : i + s, j : j + s] for i, j in self.corners], dim=1)
        windows = F.interpolate(windows, scale_factor=2, mode="bilinear", align_corners=False)
        return F.relu(self.vector(F.relu(self.local(windows)))).flatten(1)
