"""Random changes of training images, applied to a batch of shape (b, c, h, w), uint8.

They draw by torch, inside the net's own stream of random numbers.
"""

import torch
from torch import Tensor


def _flip(images: Tensor) -> Tensor:
    """Mirror each image with probability one half: AUs are coded without their side."""
    chosen = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


AUGMENTATIONS = {"flip": _flip}
