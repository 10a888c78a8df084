"""What every network here offers, and layers and first weights that several share."""

from itertools import pairwise
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn


class AUOutput(NamedTuple):
    """What a network says about a batch; the losses read it by name.

    Examples
    --------
    >>> import torch
    >>> from skau.modules import DSN
    >>> out = DSN((6,), 2)(torch.rand(4, 6))
    >>> out.logits.shape
    torch.Size([4, 2])
    """

    logits: Tensor  # (b, n_aus), before the sigmoid
    features: Tensor  # (b, d), what the AU head sees
    identity: Tensor | None = None  # (b, m), what a loss on identities reads
    reconstruction: Tensor | None = None  # like the input


class AUModule(nn.Module):
    """A network that an estimator can train and question.

    ``forward`` computes everything that a loss may need. Where that is more than prediction needs,
    such as a decoder, a network has ways of its own to ``logits`` and ``features``.
    """

    input_shape: tuple[int, ...]  # (c, h, w) or (d,)
    n_features: int  # d of ``features``

    def train(self, mode: bool = True) -> Self:
        """Set the training mode; parts of which no weight learns stand still, dropout and all."""
        super().train(mode)
        for part in self.children():
            weights = list(part.parameters())
            if weights and not any(weight.requires_grad for weight in weights):
                part.eval()
        return self

    def features(self, x: Tensor) -> Tensor:
        """Compute the expression features, (b, d)."""
        return self.forward(x).features

    def logits(self, x: Tensor) -> Tensor:
        """Compute the AU logits, (b, n_aus)."""
        return self.forward(x).logits

    def identity(self, x: Tensor) -> Tensor:
        """Compute the identity features, (b, m), where the network has any."""
        raise NotImplementedError


class MaxFeatureMap(nn.Module):
    """Max-Feature-Map: the larger of two halves of the channels, (b, 2c, ...) -> (b, c, ...).

    Examples
    --------
    >>> import torch
    >>> from skau.modules import MaxFeatureMap
    >>> MaxFeatureMap()(torch.tensor([[1.0, 5.0, 3.0, 2.0]])).tolist()
    [[3.0, 5.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Halve the channels of ``x``."""
        first, second = x.chunk(2, dim=1)
        if torch.is_grad_enabled():  # the gradient of torch.maximum takes more passes
            return torch.where(first > second, first, second)
        return torch.maximum(first, second)


def mlp(*widths: int) -> nn.Sequential:
    """Build linear layers with a ReLU between them: ``mlp(d, 64, 32)`` maps (b, d) -> (b, 32)."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def he_init(module: nn.Module) -> None:
    """Draw He et al.'s normal weights, in place.

    Without normalisation torch's default lets the signal fade from layer to layer; in IdenNet
    the unit vector then drowns the AU features that it is subtracted from.
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
