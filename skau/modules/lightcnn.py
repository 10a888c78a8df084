"""The four-convolution LightCNN trunk of IdenNet (Table I of the paper)."""

from torch import nn

from .blocks import MaxFeatureMap

__all__ = ["lightcnn_trunk"]

# kernel, channels before Max-Feature-Map
_LAYERS = ((9, 96), (5, 192), (5, 256), (4, 384))
# The smallest image of which the unpadded convolutions leave a pixel.
_UNPADDED_FROM = 57


def lightcnn_trunk(image_size: tuple[int, int], in_channels: int) -> tuple[nn.Sequential, int]:
    """Build the trunk S of paper 2, Table I, flattened at its end.

    Four convolutions without bias, each followed by Max-Feature-Map and 2 x 2 max-pooling in
    ceil mode. Table I pools first; the two commute exactly, and pooling half the channels is
    half the work. Images below 57 px keep no pixel through the unpadded convolutions, so there
    all four are padded.

    Parameters
    ----------
    image_size : (height, width), at least 32 each
    in_channels : 1 or 3

    Returns
    -------
    trunk : nn.Sequential, (b, in_channels, height, width) -> (b, n_features)
    n_features : int
        4,800 for 128 x 128 pixels.
    """
    padded = min(image_size) < _UNPADDED_FROM
    sides, channels = list(image_size), in_channels
    layers: list[nn.Module] = []
    for kernel, width in _LAYERS:
        padding = (kernel - 1) // 2 if padded else 0
        layers += [
            nn.Conv2d(channels, width, kernel, padding=padding, bias=False),
            MaxFeatureMap(),
            nn.MaxPool2d(2, ceil_mode=True),
        ]
        channels = width // 2
        sides = [-(-(side + 2 * padding - kernel + 1) // 2) for side in sides]
    return nn.Sequential(*layers, nn.Flatten()), channels * sides[0] * sides[1]
