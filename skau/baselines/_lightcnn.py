"""LightCNN: IdenNet without its identity branch."""

from typing import Any

import numpy as np
from torch import Tensor

from ..estimators._identity import BaseIdentityClassifier, MinedTriplets
from ..estimators._part import make_part
from ..modules import AUOutput
from ..modules._blocks import he_init
from ..modules._lightcnn import LightCNN, lightcnn_branch
from ..training._data import AUDataset
from ..training._stage import Loss, Stage, Term


class _PretrainingLoss(Loss):
    """The triplet loss of an identity head on the trunk, dropped with the stage."""

    def __init__(self, width: int, triplets: MinedTriplets) -> None:
        super().__init__()
        self.head = lightcnn_branch(width, normalize=True)
        he_init(self)
        self.triplets = triplets

    def forward(
        self, output: AUOutput, y: Tensor, batch: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Term]]:
        assert output.identity is not None
        triplet = self.triplets(self.head(output.identity), batch)
        return triplet[0], {"triplet": triplet}


class LightCNNClassifier(BaseIdentityClassifier):
    r"""AU detection by IdenNet's trunk, without an identity branch.

    .. math:: G(x) = \sigma(\mathrm{FC7}(\mathrm{MFM}(\mathrm{FC6}(S(x)))))

    with the trunk :math:`S`, FC6 and FC7 of [1]_: what IdenNet has to beat. With 128 x 128 x 3
    images and 12 AUs it has 4,115,232 parameters, IdenNet's 6,572,832 less FC5.

    The baseline of [1]_ had been trained on identities. ``identity_epochs`` starts it in the
    same way: through stage 1 of :class:`skau.IdenNetClassifier`, whose identity layer is dropped
    at the end of the stage.

    Parameters
    ----------
    {identity_parameters}
    {trunk_parameter}
    pretrained : str or path, default=None
        File of weights from which the trunk starts, such as that of a fitted IdenNet; see
        :class:`skau.IdenNetClassifier`.
    identity_epochs : int, default=0
        Epochs of training on identities before that on AUs; needs ``groups``.
    identity_lr : float, default=1e-4
        Learning rate of these epochs.
    {schedule_parameters}
    {training_parameters}

    {network_attributes}

    Notes
    -----
    Identity-only rows train stage 1 alone. [1]_ does not say how its baseline was trained
    otherwise; here everything is as in IdenNet. Vectors get a small multilayer perceptron as
    trunk.

    References
    ----------
    .. [1] C.-H. Tu, C.-Y. Yang, J. Y. Hsu, "IdenNet: Identity-Aware Facial Action Unit Detection",
       FG 2019.
    .. [2] X. Wu, R. He, Z. Sun, T. Tan, "A Light CNN for Deep Face Representation With Noisy
       Labels", IEEE Transactions on Information Forensics and Security 13(11), 2018.

    {baseline_example}
    """

    identity_epochs: int = 0

    _network_parameters = ("trunk", "pretrained")

    def _make_module(self, input_shape: tuple[int, ...], n_aus: int) -> LightCNN:
        return LightCNN(input_shape, n_aus, make_part(self.trunk, "trunk"))

    def _make_stages(
        self, train: AUDataset, valid: AUDataset | None, rng: np.random.RandomState
    ) -> list[Stage]:
        stages = super()._make_stages(train, valid, rng)
        if self.identity_epochs:
            identities = self._make_identity_batches(
                train, rng, "training on identities is left out"
            )
            if identities:
                assert isinstance(self.module_, LightCNN)
                triplets = MinedTriplets(self.margin, self._n_identities)
                with self._seeded():
                    loss = _PretrainingLoss(self.module_.width, triplets)
                stages.insert(0, self._identity_stage(loss, identities, train))
        return stages
