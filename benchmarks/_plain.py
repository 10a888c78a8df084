"""IdenNet in plain PyTorch, to compare with: float32, NCHW, batches of 64."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

BATCH = 64


class Halves(nn.Module):
    """Max-Feature-Map, as commonly written."""

    def forward(self, x: Tensor) -> Tensor:
        """Take the larger half of the channels."""
        return torch.maximum(*x.chunk(2, dim=1))


class Plain(nn.Module):
    """IdenNet for 128 x 128 x 3 in plain PyTorch."""

    def __init__(self, n_aus: int, pool_first: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for kernel, n_in, n_out in ((9, 3, 96), (5, 48, 192), (5, 96, 256), (4, 128, 384)):
            smaller = [Halves(), nn.MaxPool2d(2, ceil_mode=True)]
            layers.append(nn.Conv2d(n_in, n_out, kernel, bias=False))
            layers += smaller[::-1] if pool_first else smaller
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        self.fc5 = nn.Sequential(nn.Linear(4800, 512, bias=False), Halves())
        self.fc6 = nn.Sequential(nn.Linear(4800, 512, bias=False), Halves())
        self.fc7 = nn.Linear(256, n_aus, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and identity."""
        s = self.trunk(x)
        identity = F.normalize(self.fc5(s), dim=1)
        return self.fc7(self.fc6(s) - identity), identity


def plain_images(X: np.ndarray) -> Tensor:
    """Turn a uint8 batch into floats, NCHW, as torchvision's ToTensor does."""
    return torch.from_numpy(X).permute(0, 3, 1, 2).contiguous().float() / 255


def plain_predict(net: nn.Module, X: np.ndarray) -> np.ndarray:
    """Predict in batches of 64."""
    net.eval()
    with torch.inference_mode():
        parts = [
            torch.sigmoid(net(plain_images(X[i : i + BATCH]))[0]) for i in range(0, len(X), BATCH)
        ]
    return torch.cat(parts).numpy()
