"""Domain separation network: face = person + expression."""

import math

from torch import Tensor, nn

from ._blocks import AUModule, AUOutput, he_init, mlp

_WIDTHS = (32, 64, 128)  # channels of the first stages; later ones keep the last
_VECTOR_CODE = 32


def _n_stages(image_size: tuple[int, int]) -> int:
    """Halvings that leave a code map of 8 to 15 pixels on the shorter side."""
    return int(math.log2(min(image_size))) - 3


def _widths(n_stages: int) -> list[int]:
    return [_WIDTHS[min(stage, len(_WIDTHS) - 1)] for stage in range(n_stages)]


def _encoder(in_channels: int, n_stages: int) -> nn.Sequential:
    """Halve the image ``n_stages`` times, (b, c, h, w) -> (b, 64 or 128, h / 2**n, w / 2**n).

    No ReLU ends it: the cheapest way to a difference loss of zero would be a code that is zero
    for every face.
    """
    first, *others = _widths(n_stages)
    layers: list[nn.Module] = [nn.Conv2d(in_channels, first, 5, stride=2, padding=2)]
    channels = first
    for width in others:
        layers += [
            nn.ReLU(),
            nn.Conv2d(channels, width, 3, padding=1),
            nn.MaxPool2d(2, ceil_mode=True),
        ]
        channels = width
    return nn.Sequential(*layers)


class _Decoder(nn.Module):
    """A code map to an image of ``image_size``, doubled at every stage."""

    def __init__(self, out_channels: int, n_stages: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.image_size = image_size
        channels = _widths(n_stages)[-1]
        layers: list[nn.Module] = []
        for _ in range(n_stages):
            width = max(channels // 2, 16)
            layers += [
                nn.Conv2d(channels, width, 3, padding=1),
                nn.ReLU(),
                nn.Upsample(scale_factor=2, mode="nearest"),
            ]
            channels = width
        self.body = nn.Sequential(*layers, nn.Conv2d(channels, out_channels, 3, padding=1))

    def forward(self, code: Tensor) -> Tensor:
        image = self.body(code)
        # sides that are no multiple of 2**n were rounded up on the way down
        return image[..., : self.image_size[0], : self.image_size[1]]


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

    Examples
    --------
    >>> import torch
    >>> from skau.modules import DSN
    >>> out = DSN((3, 32, 32), 12)(torch.rand(2, 3, 32, 32))
    >>> out.logits.shape, out.reconstruction.shape
    (torch.Size([2, 12]), torch.Size([2, 3, 32, 32]))
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
            n_code = _widths(n)[-1] * sides[0] * sides[1]
        else:
            (d,) = input_shape
            self.expression = mlp(d, 64, _VECTOR_CODE)
            person = mlp(d, 64, _VECTOR_CODE) if person_encoder else None
            self.decoder = mlp(_VECTOR_CODE, 64, d)
            n_code = _VECTOR_CODE
        self.person = person
        self.n_features = n_code
        he_init(self)
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
