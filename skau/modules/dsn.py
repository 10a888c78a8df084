"""Domain separation network: face = person + expression."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import AUModule, AUOutput, mlp

__all__ = ["DSN"]

_WIDTHS = (32, 64, 128)  # channels of the first stages; later ones keep the last
_VECTOR_CODE = 32


def _n_stages(image_size: tuple[int, int]) -> int:
    """Halvings that leave a code map of 4 to 7 pixels a side."""
    return int(math.log2(min(image_size))) - 2


def _encoder(in_channels: int, n_stages: int) -> nn.Sequential:
    """Strided convolutions, (b, in_channels, h, w) -> (b, 128, h / 2**n, w / 2**n)."""
    layers: list[nn.Module] = []
    channels = in_channels
    for stage in range(n_stages):
        width = _WIDTHS[min(stage, len(_WIDTHS) - 1)]
        layers += [
            nn.Conv2d(channels, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels = width
    return nn.Sequential(*layers)


class _Decoder(nn.Module):
    """The encoder turned round: a code map to an image of ``image_size``."""

    def __init__(self, out_channels: int, n_stages: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.image_size = image_size
        widths = [_WIDTHS[min(stage, len(_WIDTHS) - 1)] for stage in range(n_stages)][::-1]
        layers: list[nn.Module] = []
        for n_in, n_out in zip(widths, [*widths[1:], widths[-1]], strict=True):
            layers += [
                nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers)
        self.to_image = nn.Conv2d(widths[-1], out_channels, 3, padding=1)

    def forward(self, code: Tensor) -> Tensor:
        image = self.to_image(self.body(code))
        if image.shape[2:] != self.image_size:  # sides that are no power of two
            image = F.interpolate(image, self.image_size, mode="bilinear", align_corners=False)
        return image


class DSN(AUModule):
    """Two encoders of one face, a decoder of their sum, a classifier of one of them.

    ``E_p`` is the person encoder and ``E_e`` the expression encoder; the decoder sees
    ``E_p(x) + E_e(x)``, the AU head sees ``E_e(x)`` alone.

    Parameters
    ----------
    input_shape : (channels, height, width) of images, or (d,) of vectors
        Images get convolutions, vectors small multilayer perceptrons.
    n_aus : int
    person_encoder : bool, default=True
        False is the single-encoder baseline: the decoder sees ``E_e(x)`` alone.
    """

    def __init__(
        self, input_shape: tuple[int, ...], n_aus: int, person_encoder: bool = True
    ) -> None:
        super().__init__()
        self.input_shape = input_shape
        person: nn.Module | None = None
        if len(input_shape) == 3:
            channels, image_size = input_shape[0], (input_shape[1], input_shape[2])
            n = _n_stages(image_size)
            self.expression: nn.Module = _encoder(channels, n)
            person = _encoder(channels, n) if person_encoder else None
            self.decoder: nn.Module = _Decoder(channels, n, image_size)
            sides = [-(-side // 2**n) for side in image_size]
            n_code = _WIDTHS[min(n, len(_WIDTHS)) - 1] * sides[0] * sides[1]
        else:
            (d,) = input_shape
            self.expression = mlp(d, 64, _VECTOR_CODE)
            person = mlp(d, 64, _VECTOR_CODE) if person_encoder else None
            self.decoder = mlp(_VECTOR_CODE, 64, d)
            n_code = _VECTOR_CODE
        self.person = person
        self.n_features = n_code
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(n_code, n_aus))

    def forward(self, x: Tensor) -> AUOutput:
        """Compute logits, both codes (flattened) and the reconstruction of a batch."""
        e = self.expression(x)
        p = None if self.person is None else self.person(x)
        image = self.decoder(e if p is None else e + p)
        person = None if p is None else p.flatten(1)
        return AUOutput(self.classifier(e), e.flatten(1), person, image)

    def features(self, x: Tensor) -> Tensor:
        """``E_e(x)``, flattened."""
        return self.expression(x).flatten(1)

    def logits(self, x: Tensor) -> Tensor:
        """AU logits, (b, n_aus)."""
        return self.classifier(self.expression(x))

    def identity(self, x: Tensor) -> Tensor:
        """``E_p(x)``, flattened."""
        if self.person is None:
            raise ValueError("a single-encoder network has no person encoder")
        return self.person(x).flatten(1)

    def reconstruct(self, x: Tensor, person: Tensor | None = None) -> Tensor:
        """Decode the expression of ``x`` with the person of ``person`` (default: of ``x``)."""
        code = self.expression(x)
        if self.person is not None:
            code = code + self.person(x if person is None else person)
        return self.decoder(code)
