"""Identity-adversarial training: features from which nobody can be told."""

import warnings
from numbers import Real
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..estimators._class_weight import ClassificationLoss
from ..modules import AUOutput
from ..modules._blocks import he_init, mlp
from ..modules._lightcnn import N_FEATURES, lightcnn_branch, lightcnn_trunk
from ..training._data import AUDataset
from ..training._stage import Loss, Term
from ..utils._sklearn import Interval, StrOptions
from ..utils._warnings import user_level
from ._au_centres import Centres, attention_maps, check_centres
from ._base import BaseNetBaseline


class Enhance(nn.Module):
    """E-Net's enhancing: multiply a feature map by 1 + attention.

    Parameters
    ----------
    centres : sequence of (x, y)
        In fractions of the sides; the same for every image. See `attention_maps`.
    """

    centres: Tensor

    def __init__(self, centres: tuple[tuple[float, float], ...]) -> None:
        super().__init__()
        self.register_buffer("centres", torch.tensor(centres, dtype=torch.float32), False)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, h, w)."""
        return x * (1 + attention_maps(self.centres, *x.shape[2:])).to(x.dtype)


class EnhanceByMap(nn.Module):
    """The same where the attention of every image comes with it, as its last channel.

    Parameters
    ----------
    below : nn.Module
        Sees the other channels; its feature map is multiplied.
    """

    def __init__(self, below: nn.Module) -> None:
        super().__init__()
        self.below = below

    def forward(self, x: Tensor) -> Tensor:
        """(b, c + 1, h, w) -> (b, n, h', w')."""
        y = self.below(x[:, :-1])
        attention = F.interpolate(x[:, -1:], y.shape[2:], mode="bilinear", align_corners=False)
        return y * (1 + attention).to(y.dtype)


def _reverse_gradient(x: Tensor, weight: float) -> Tensor:
    """Return ``x``; on the way back its gradient is multiplied by ``-weight``."""
    x = x.view_as(x)
    if x.requires_grad:  # not in validation
        x.register_hook(lambda gradient: -weight * gradient)
    return x


class _AdversarialLoss(Loss):
    """Classification, and an adversary that names the subject behind a gradient reversal."""

    subjects: Tensor

    def __init__(
        self,
        classification: ClassificationLoss,
        n_features: int,
        subjects: np.ndarray,
        adversary: float,
    ) -> None:
        super().__init__()
        self.classification, self.adversary = classification, adversary
        self.register_buffer("subjects", torch.from_numpy(subjects))  # sorted codes
        # Without a norm the features would win by growing, and soon overflow.
        norm = nn.LayerNorm(n_features, elementwise_affine=False)
        self.head = nn.Sequential(norm, mlp(n_features, n_features, len(subjects)))

    def forward(
        self, output: AUOutput, y: Tensor, batch: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Term]]:
        total, terms = self.classification(output, y, batch)
        group = batch["group"]
        label = torch.searchsorted(self.subjects, group).clamp(max=len(self.subjects) - 1)
        known = self.subjects[label] == group  # subjects held out for validation are nobody
        if known.any():
            scores = self.head(_reverse_gradient(output.features[known], self.adversary))
            identity = F.cross_entropy(scores, label[known])
            terms["identity"] = (identity, int(known.sum()))
            total = total + identity
        return total, terms


class ATFClassifier(BaseNetBaseline):
    r"""AU detection from features that identity was trained out of.

    An adversary learns to name the training subject from the features :math:`f(x)` of the AU
    outputs; its gradient reaches the features with the sign turned [1]_, [2]_:

    .. math:: \min_f \max_\mathrm{ID}\; L_\mathrm{AU}(f) - \lambda L_\mathrm{ID}(f)

    with :math:`L_\mathrm{ID}` the cross-entropy of the subject. The adversary is no part of the
    fitted network.

    Before its second convolution the network multiplies its feature map by one plus an attention
    map about the AUs' places on the face, as E-Net does [3]_: a map for all, or each image's own
    by its landmarks. The latter come with the images, ``X`` of shape (n, h, w, 4), from
    :func:`skau.baselines.add_enhancing_maps`.

    Parameters
    ----------
    adversary : float, default=0.1
        :math:`\lambda`, the weight of the reversed gradient; 0 trains without it.
    centres : "template", array-like of shape (k, 2) or None, default="template"
        Where the AUs show in every image that has no map of its own: ``x, y`` from 0 to 1 in the
        crop. "template" is for crops aligned at the eyes by
        :class:`skau.preprocessing.FaceCropper`, None uses no attention map. Vectors have none.
    {schedule_parameters}
    {training_parameters}

    {network_attributes}

    Notes
    -----
    ``history_`` holds the adversary's loss as ``train_identity_loss``; ``log(n_subjects)`` is
    chance.

    4,115,244 parameters for 128 x 128 x 3 images and 12 AUs. It differs from [1]_ in the
    network, which there is an E-Net on VGG-19 trained on ImageNet: here it is the LightCNN trunk,
    so that the comparison with LightCNN and IdenNet shows what the adversary does. The adversary
    sees the features normalised, or they would escape it by growing. The attention
    maps of [3]_ multiply deeper feature maps. Every call of ``partial_fit`` begins with a new
    adversary. Vectors get a small multilayer perceptron.

    References
    ----------
    .. [1] Z. Zhang, S. Zhai, L. Yin, "Identity-based Adversarial Training of Deep CNNs for
       Facial Action Unit Recognition", BMVC 2018.
    .. [2] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17, 2016.
    .. [3] W. Li, F. Abtahi, Z. Zhu, L. Yin, "EAC-Net: A Region-based Deep Enhancing and Cropping
       Approach for Facial Action Unit Detection", FG 2017.

    {baseline_example}
    """

    adversary: Annotated[float, Interval(Real, 0, 1e6, closed="both")] = 0.1
    centres: Annotated[Centres | None, StrOptions({"template"}), "array-like", None] = "template"

    _takes_maps = True
    _network_parameters = ("centres",)

    def _make_encoder(self, input_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
        mapped = input_shape[0] == 4
        trunk, width = lightcnn_trunk(
            (input_shape[1], input_shape[2]), 3 if mapped else input_shape[0]
        )
        layers: list[nn.Module] = list(trunk)
        second = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)][1]
        if mapped:
            layers[:second] = [EnhanceByMap(nn.Sequential(*layers[:second]))]
        elif self.centres is not None:
            layers.insert(second, Enhance(check_centres(self.centres)))
        encoder = nn.Sequential(*layers, *lightcnn_branch(width))
        he_init(encoder)
        return encoder, N_FEATURES

    def _make_loss(self, train: AUDataset) -> Loss:
        group = train.group[train.rows[train.annotated]]
        subjects = np.unique(group[group >= 0])
        if self.adversary == 0 or len(group) == 0:
            return self._classification_loss(train)
        if len(subjects) < 2:
            said = "is not given" if len(subjects) == 0 else "names one annotated subject"
            warnings.warn(
                f"groups {said}, so there is nobody to tell apart; training goes on without the "
                "adversary",
                stacklevel=user_level(),
            )
            return self._classification_loss(train)
        with self._seeded():
            return _AdversarialLoss(
                self._classification_loss(train),
                self.module_.n_features,
                subjects,
                float(self.adversary),
            )
