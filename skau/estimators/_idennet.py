"""IdenNet: subtract who it is from what the face does."""

from functools import partial
from numbers import Real
from typing import Annotated, Any

import numpy as np
import torch
from skorch.callbacks import EarlyStopping, LRScheduler
from torch import nn
from torch.optim.lr_scheduler import StepLR

from ..modules import IdenNet
from ..training._batches import AlternatingBatches, MixedBatches, ShuffledBatches
from ..training._data import AUDataset
from ..training._stage import Stage
from ..utils._sklearn import Interval, StrOptions
from ._identity import BaseIdentityClassifier, IdenNetLoss, MinedTriplets
from ._part import Part, make_part


class IdenNetClassifier(BaseIdentityClassifier):
    r"""AU detection that subtracts a learnt identity from the features.

    A LightCNN trunk :math:`S` feeds an identity branch, trained to cluster the faces of a
    person by a triplet loss, and an AU branch. The identity, a vector of unit length, is
    subtracted from the AU features before the AU outputs [1]_:

    .. math::
        F(x) &= \mathrm{NORM}(\mathrm{MFM}(\mathrm{FC5}(S(x)))) \\
        G(x) &= \sigma(\mathrm{FC7}(\mathrm{MFM}(\mathrm{FC6}(S(x))) - F(x))) \\
        L &= \alpha L_\mathrm{ID} + (1 - \alpha) L_\mathrm{AU}

    :math:`L_\mathrm{ID}` is the mean over triplets of
    :math:`\max(0, |F(a) - F(p)|^2 - |F(a) - F(n)|^2 + \mathrm{margin})` and
    :math:`L_\mathrm{AU}` the binary cross-entropy, the mean over annotated labels (the paper
    sums the first, which would tie ``alpha`` to the batch).

    Training has two stages. Stage 1 trains :math:`S` and :math:`F` on identities: those of
    the identity-only rows, where these show as many people without any label as there are with
    labels, two at least, or else of all rows; only people with two images count.
    Stage 2 trains everything; an epoch is one pass over the annotated rows, and in the first
    case every AU batch is followed by a batch of identity-only rows, on which
    :math:`L = w_\mathrm{ID} L_\mathrm{ID}`.

    [1]_ has :math:`\alpha = 0.5` and :math:`w_\mathrm{ID} = 1`. With both losses as means, the
    triplets then move the trunk several times as far as the AUs do, which costs the AUs more
    than the identity brings; the defaults cost them nothing
    (``benchmarks/results/findings.md``).

    With 128 x 128 x 3 images and 12 AUs the network is that of Table I: 6,572,832 parameters.
    Images below 57 pixels, of which the unpadded convolutions would leave nothing, are padded.

    Parameters
    ----------
    alpha : float in [0, 1], default=0.02
        Weight of the triplet loss on batches with AU labels.
    identity_weight : float, default=0.02
        Weight of the triplet loss on batches of identity-only rows in stage 2; at 0 stage 2 does
        without them. None puts them into the batches with AU labels, half and half, as the
        released code does: then ``alpha`` weighs all triplets.
    normalize : bool, default=True
        False leaves NORM out (the paper's ablation).
    identity_transform : {"translation", "affine"}, default="translation"
        What the identity does to the AU features: "translation" subtracts it; "affine" scales
        and shifts them by linear functions of it that begin as the subtraction, the extension
        that [1]_ leaves open (131,584 parameters more).
    backbone : callable, torch.nn.Module or None, default=None
        A better model of faces in place of the trunk in the identity branch:
        :math:`F(x) = \mathrm{NORM}(\mathrm{MFM}(\mathrm{FC5}(B(x))))`. It maps images, RGB or
        grey floats from 0 to 1 of shape (b, c, h, w), to features (b, d). A class or another
        callable without arguments makes the module anew at every fit; of a module a copy is
        taken, with its weights. It learns with the network, but for weights with
        ``requires_grad=False``; where none learns, it is a fixed extractor, and stage 1 trains
        FC5 alone.
    first_weights : {"he", "released"}, default="he"
        How the weights begin: drawn as He et al. do, without biases, as Table I counts them; or
        as in the released code, with biases. See :meth:`as_released`.
    {identity_parameters}
    {trunk_parameter}
    pretrained : str or path, default=None
        File of weights, read by ``torch.load(..., weights_only=True)``, from which the backbone
        starts, or, without one, the trunk, and FC5 too if the file has it. Of a ``trunk`` of
        yours it has all weights and no others. It has the names of
        ``clf.module_.state_dict()``, of which those of other layers are passed over, or those of
        ``clf.module_.trunk.state_dict()``, which images of any size share, or those of
        LightenedCNN-A, whose face recognition the authors of [1]_ start from: ``conv1.weight``,
        ``conv1.bias``, ... ``conv4.bias``, ``fc1.weight``, ``fc1.bias``, which become the trunk
        and FC5 of a network with ``first_weights="released"``. It is read at ``fit`` alone: a
        pickle of the fitted classifier does without.
    identity_epochs : int, default=3
        Epochs of stage 1; 0 skips it.
    identity_lr : float, default=1e-4
        Learning rate of stage 1. Nothing in the triplet loss holds the length of the features, so
        stage 1 fails at rates that stage 2 bears well: at 1e-3 all faces may collapse into one
        identity (``fit`` warns of it).
    max_epochs : int, default=20
        Epochs of stage 2.
    batch_size : int, default=64
        Images in a batch. An identity batch holds four images of each of ``batch_size // 4``
        identities, or of all, where there are fewer.
    lr : float, default=1e-4
        Learning rate.
    {training_parameters}

    {network_attributes}

    Notes
    -----
    Without ``groups`` nobody knows who is who: stage 1 is skipped, the identity branch learns
    from the AU loss alone, and ``fit`` warns. An identity with one image can only be a
    negative; ``fit`` warns when no identity has two.

    References
    ----------
    .. [1] C.-H. Tu, C.-Y. Yang, J. Y. Hsu, "IdenNet: Identity-Aware Facial Action Unit Detection",
       FG 2019.

    Examples
    --------
    >>> from skau import IdenNetClassifier
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> few = slice(0, None, 4)  # enough to show how
    >>> X, Y, groups = faces.images[few, ::2, ::2], faces.target[few], faces.groups[few]
    >>> clf = IdenNetClassifier(identity_epochs=1, max_epochs=1, random_state=0)
    >>> clf = clf.fit(X, Y, groups=groups)
    >>> clf.identity_features(X[:5]).shape
    (5, 256)

    FaceNet as backbone, on crops of 80 pixels or more, frozen. Its weights are published for
    faces scaled to (-1, 1), and with outputs for the 8,631 people that it was trained on; both
    are dealt with here, so that the file fits as it is.

    >>> from facenet_pytorch import InceptionResnetV1
    >>> class FaceNet(InceptionResnetV1):
    ...     def __init__(self):
    ...         super().__init__(pretrained=None, classify=True, num_classes=8631)
    ...         self.classify = False  # the 512 features instead
    ...         self.requires_grad_(False)
    ...     def forward(self, x):
    ...         return super().forward((x * 255 - 127.5) / 128)
    >>> clf = IdenNetClassifier(backbone=FaceNet, pretrained="20180402-114759-vggface2.pt")
    """

    alpha: Annotated[float, Interval(Real, 0, 1, closed="both")] = 0.02
    identity_weight: Annotated[float | None, Interval(Real, 0, 1e6, closed="both"), None] = 0.02
    normalize: Annotated[bool, "boolean"] = True
    identity_transform: Annotated[str, StrOptions({"translation", "affine"})] = "translation"
    backbone: Part = None
    first_weights: Annotated[str, StrOptions({"he", "released"})] = "he"

    _network_parameters = (
        "normalize", "identity_transform", "backbone", "trunk", "pretrained", "first_weights",
    )  # fmt: skip

    @classmethod
    def as_released(cls, **params: Any) -> "IdenNetClassifier":
        """Make the estimator with the settings of the code that the paper's authors released.

        That code sums the cross-entropy over the AUs and divides by all images of a batch, of
        which one half has identities alone, and halves a hinge with margin 1. In means, as here,
        the identity then weighs 1 : 12 against twelve AUs: ``alpha=1/13`` in mixed batches,
        ``margin=1``. Biases, first weights (``first_weights="released"``), Adam at 1e-4 with a
        weight decay of 5e-4, a tenth of the rate after each 10,000 steps, at most 100 epochs,
        and an end after 10 without a better F1 of the validation part.

        Two things differ: negatives are mined as the paper says, where the released layer draws
        the hard ones from the nearest four; and without ``pretrained`` the trunk starts at
        random, where the authors start it and FC5 from face recognition. A small corpus teaches
        it nothing then; with ``first_weights="he", lr=1e-3`` the same losses and batches learn.

        Parameters
        ----------
        **params
            Parameters that shall be others, such as ``random_state`` or ``pretrained``.

        Returns
        -------
        IdenNetClassifier

        Examples
        --------
        >>> from skau import IdenNetClassifier
        >>> clf = IdenNetClassifier.as_released(max_epochs=5)
        >>> clf.margin, clf.lr, clf.max_epochs
        (1.0, 0.0001, 5)
        """
        released = {
            "alpha": 1 / 13,
            "identity_weight": None,
            "margin": 1.0,
            "first_weights": "released",
            "max_epochs": 100,
            "batch_size": 64,
            "lr": 1e-4,
            "identity_lr": 1e-4,
            "optimizer": partial(torch.optim.Adam, weight_decay=5e-4),
            "monitor": "f1",
            "callbacks": [
                LRScheduler(StepLR, step_every="batch", step_size=10_000, gamma=0.1),
                EarlyStopping("valid_f1", patience=10, lower_is_better=False),
            ],
        }
        return cls(**released | params)

    def _make_module(self, input_shape: tuple[int, ...], n_aus: int) -> IdenNet:
        affine = self.identity_transform == "affine"
        return IdenNet(
            input_shape,
            n_aus,
            self.normalize,
            affine,
            make_part(self.backbone, "backbone"),
            released=self.first_weights == "released",
            trunk=make_part(self.trunk, "trunk"),
        )

    def _identity_trunk(self) -> nn.Module:
        """Return what ``pretrained`` fills: the backbone, the trunk given, or S and F together."""
        for own in ("backbone", "trunk"):
            if getattr(self, own) is not None:
                return self.module_.get_submodule(own)
        parts = {name: self.module_.get_submodule(name) for name in ("trunk", "fc5")}
        return nn.ModuleDict(parts)

    def _make_stages(
        self, train: AUDataset, valid: AUDataset | None, rng: np.random.RandomState
    ) -> list[Stage]:
        otherwise = "the identity branch learns from the AU loss alone"
        identities = self._make_identity_batches(train, rng, otherwise)
        triplets = MinedTriplets(self.margin, self._n_identities)
        (stage,) = stages = super()._make_stages(train, valid, rng)
        classification = stage.loss
        if identities and self.identity_epochs:
            loss = IdenNetLoss(1.0, triplets, classification)
            stages.insert(0, self._identity_stage(loss, identities, train))
        annotated = train.annotated
        if identities and len(annotated) == 0:
            stage.batches = identities
        elif identities and len(identities.rows) < len(train) and self.identity_weight is None:
            half = ShuffledBatches(annotated, max(1, self.batch_size // 2), rng)
            stage.batches = MixedBatches(half, identities.halved())
        elif identities and len(identities.rows) < len(train) and self.identity_weight:
            stage.batches = AlternatingBatches(stage.batches, identities)  # of identity-only rows
        alpha = self.alpha if identities else 0.0
        stage.loss = IdenNetLoss(alpha, triplets, classification, self.identity_weight or 0.0)
        return stages

    def identity_features(self, X: Any) -> np.ndarray:
        """Compute the identity :math:`F(x)`.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.

        Returns
        -------
        ndarray of shape (n, 256)
            Of unit length, unless ``normalize=False``.
        """
        return self._infer(X, "identity")
