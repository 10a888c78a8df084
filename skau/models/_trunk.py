"""The image network of a shipped model as the trunk of a classifier of one's own."""

from dataclasses import dataclass

from ..estimators._part import StoredPart
from ..modules import ImageTrunk
from ._registry import load_model


@dataclass(frozen=True)
class PretrainedTrunk(StoredPart):
    """The image network of a model that ships, as ``trunk=`` of a classifier of one's own.

    A classifier that begins with it needs fewer people and fewer epochs than one that begins
    with random weights. Cut the faces as that model does, by its own cropper,
    ``load_model(name)[0]``. A fitted classifier can be saved by :func:`skau.save`; one on any
    other pretrained network, a :class:`skau.modules.ImageTrunk`, only by joblib.

    Parameters
    ----------
    name : str
        One of :func:`skau.list_models`.
    lr_scale : float, default=1
        Its weights learn at ``lr`` times so much; 0 keeps them as they are. With the network of
        64 px that ``open-1`` was before, on people of no test fold, 1 was best, and 0.3, 0.1 and 0
        each worse than the one before (``benchmarks/results/trunk.md``).

    Raises
    ------
    ValueError
        When a classifier is fitted, if there is no such model; the message names those there are.

    Examples
    --------
    >>> import skau
    >>> from sklearn.base import clone
    >>> from sklearn.pipeline import make_pipeline
    >>> trunk = skau.PretrainedTrunk("open-1")
    >>> model = make_pipeline(
    ...     clone(skau.load_model("open-1")[0]),
    ...     skau.MixedEffectsClassifier(trunk=trunk, lr=1e-3, max_epochs=15),
    ... )
    """

    name: str
    lr_scale: float = 1.0

    def __call__(self) -> ImageTrunk:
        """Make the network: images (b, 3, h, w), from 0 to 1, to features (b, d)."""
        model = load_model(self.name)[-1].estimator_
        network = model.module_.encoder.cpu()  # where modules are made: models are on a GPU
        # it takes images as they come
        return ImageTrunk(network, lr_scale=self.lr_scale, mean=(0, 0, 0), std=(1, 1, 1))
