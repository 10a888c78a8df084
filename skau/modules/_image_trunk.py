"""A network of images from elsewhere, in place of LightCNN's convolutions."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._weights import load_weights

# What torchvision and timm call the layer that tells classes apart.
_HEADS = ("fc", "classifier", "heads", "head")


def count_features(module: nn.Module, input_shape: tuple[int, ...], name: str) -> int:
    """Ask a module how long its vectors are; ``name`` is the parameter that it came by."""
    with torch.no_grad():
        image = torch.zeros(1, *input_shape, dtype=torch.float32)
        try:  # where tensors are made: a network that is only looked at lies on "meta"
            features = module.to(image.device).eval()(image)
        except RuntimeError as error:
            raise ValueError(
                f"{name} does not take inputs of shape {input_shape}: {error}"
            ) from error
    if not isinstance(features, Tensor) or features.ndim != 2:
        found = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(
            f"{name} must turn (b, {', '.join(map(str, input_shape))}) into features (b, d); "
            f"of a batch of one it made {found}"
        )
    return features.shape[1]


class ImageTrunk(nn.Module):
    """A pretrained image network as the ``trunk`` or ``backbone`` of a classifier.

    It takes the layer off that tells the classes of the pretraining apart, scales the images as
    the network knows them, and says how fast its weights learn.

    Parameters
    ----------
    network : nn.Module or callable
        Maps images (b, 3, h, w) to a tensor of b rows: a network of torchvision or timm, of which
        a copy is taken, or what makes one when called. A last layer named ``fc``,
        ``classifier``, ``heads`` or ``head`` is left out, in timm's networks by their
        ``reset_classifier``.
    weights : str or path, default=None
        Local file of its weights, read by ``torch.load(..., weights_only=True)``. Every weight of
        the network must be there; further ones, such as those of the last layer or of the decoder
        of a masked autoencoder, are passed over. None takes the network as it is.
    lr_scale : float, default=0
        Its weights learn at ``lr`` times so much. 0 keeps them as they are: then its dropout and
        the statistics of its norms stand still too.
    size : int, default=None
        Side in pixels to which images are resized first, for a network that asks for one, as a
        vision transformer does.
    mean, std : sequence of three floats
        Of the colours, in images from 0 to 1, that the network was trained on; by default those
        of ImageNet.

    Raises
    ------
    ValueError
        If a file is no file of weights, or not of this network; the message names them.

    Examples
    --------
    >>> from torchvision.models import resnet18
    >>> from skau.baselines import LightCNNClassifier
    >>> from skau.modules import ImageTrunk
    >>> clf = LightCNNClassifier(trunk=ImageTrunk(resnet18(), lr_scale=0.1))

    With ``weights="resnet18.pt"`` it starts from a file, and of a masked autoencoder of timm it is
    ``ImageTrunk(timm.create_model("vit_base_patch16_224"), "mae_pretrain_vit_base.pth",
    size=224)``.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module | Callable[[], nn.Module],
        weights: str | Path | None = None,
        *,
        lr_scale: float = 0.0,
        size: int | None = None,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        # a copy: the module given keeps its last layer, and goes on learning elsewhere
        made = deepcopy(network) if isinstance(network, nn.Module) else network()
        if not isinstance(made, nn.Module):
            raise TypeError(f"network must make a torch.nn.Module, not {type(made).__name__}")
        if not 0 <= lr_scale < float("inf"):
            raise ValueError(f"lr_scale must be a number from 0, not {lr_scale!r}")
        self.network, self.lr_scale, self.size = made, lr_scale, size
        self._leave_out_head()
        if weights is not None:
            load_weights(made, weights, argument="weights", partly=True)
        where = next(made.parameters(), torch.empty(0)).device
        for name, value in (("mean", mean), ("std", std)):
            colours = torch.tensor(value, device=where).reshape(-1, 1, 1)
            self.register_buffer(name, colours, persistent=False)
        if lr_scale == 0:
            self.requires_grad_(False)

    def _leave_out_head(self) -> None:
        if callable(reset := getattr(self.network, "reset_classifier", None)):
            reset(0)
            return
        for name in _HEADS:
            if isinstance(getattr(self.network, name, None), nn.Module):
                setattr(self.network, name, nn.Identity())
                return

    def train(self, mode: bool = True) -> "ImageTrunk":
        """Set the training mode; what does not learn is never in it."""
        return super().train(mode and self.lr_scale > 0)

    def forward(self, x: Tensor) -> Tensor:
        """Turn images, (b, 3, h, w) or grey (b, 1, h, w) from 0 to 1, into features (b, d)."""
        if self.size is not None:
            side = (self.size, self.size)
            x = F.interpolate(x, side, mode="bilinear", align_corners=False, antialias=True)
        features: Tensor = self.network((x - self.mean) / self.std)  # grey becomes three channels
        return features.flatten(1)
