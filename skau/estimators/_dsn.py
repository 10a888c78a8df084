"""Domain separation: a person encoder and an expression encoder of one face."""

from numbers import Real
from typing import Annotated, Any

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..losses import difference_loss, simse
from ..modules import DSN, AUOutput
from ..training._batches import ShuffledBatches
from ..training._data import AUDataset
from ..training._stage import Loss, Stage, Term
from ..utils._sklearn import Interval, StrOptions
from ._base import BaseAUClassifier
from ._class_weight import ClassificationLoss
from ._validation import check_inputs


class _DSNLoss(Loss):
    def __init__(
        self, alpha: float, beta: float, difference: str, classification: ClassificationLoss
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.difference = alpha, beta, difference
        self.classification = classification

    def forward(
        self, output: AUOutput, y: Tensor, batch: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Term]]:
        weight = batch["weight"]
        classification, terms = self.classification(output, y, batch)
        assert output.reconstruction is not None
        reconstruction = simse(batch["input"], output.reconstruction, weight)
        total = classification + self.alpha * reconstruction
        terms["reconstruction"] = (reconstruction, float(weight.sum()))
        if output.identity is not None:
            difference = difference_loss(output.identity, output.features, self.difference, weight)
            total = total + self.beta * difference
            terms["difference"] = (difference, float(weight.sum()))
        return total, terms


class DSNClassifier(BaseAUClassifier):
    r"""AU detection that separates the person from the expression.

    Two encoders see the same face: :math:`E_p` codes the person and :math:`E_e` the
    expression. A decoder rebuilds the face from :math:`E_p(x) + E_e(x)`; the AU outputs see
    :math:`E_e(x)` alone, so what identifies a person has a place to go other than the
    features of the classifier. What is minimised [1]_ is

    .. math:: L = L_\mathrm{class} + \alpha L_\mathrm{recon} + \beta L_\mathrm{diff}

    with binary cross-entropy over the annotated AUs, the scale-invariant mean squared error
    of the reconstruction (averaged over samples) and the difference loss of the two codes.

    Parameters
    ----------
    alpha : float, default=0.01
        Weight of the reconstruction loss, 0 to 1e6.
    beta : float, default=0.05
        Weight of the difference loss, 0 to 1e6.
    person_encoder : bool, default=True
        False is the paper's single-encoder baseline: no person encoder and no difference loss;
        the decoder rebuilds the face from the expression code.
    difference : {"normalized", "mean", "literal"}, default="normalized"
        Scaling of the difference loss, on which the meaning of ``beta`` rests; see
        :func:`skau.losses.difference_loss`.
    max_epochs : int, default=20
        Epochs of training.
    batch_size : int, default=64
        Images in a batch.
    lr : float, default=1e-3
        Learning rate.
    {training_parameters}

    {network_attributes}

    References
    ----------
    .. [1] "Domain Separation for Person-Specific Aspects in Facial Expression Recognition",
       2021; its authors, and where it appeared, are not known to us.
    .. [2] K. Bousmalis et al., "Domain Separation Networks", NeurIPS 2016.

    Examples
    --------
    >>> from skau import DSNClassifier
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> few = slice(0, None, 4)  # enough to show how
    >>> X, Y, groups = faces.images[few, ::2, ::2], faces.target[few], faces.groups[few]
    >>> clf = DSNClassifier(max_epochs=1, random_state=0)
    >>> clf = clf.fit(X, Y, groups=groups)
    >>> clf.predict_proba(X).shape
    (120, 12)
    """

    alpha: Annotated[float, Interval(Real, 0, 1e6, closed="both")] = 0.01
    beta: Annotated[float, Interval(Real, 0, 1e6, closed="both")] = 0.05
    person_encoder: Annotated[bool, "boolean"] = True
    difference: Annotated[str, StrOptions({"normalized", "mean", "literal"})] = "normalized"
    lr: float = 1e-3

    _network_parameters = ("person_encoder",)

    def _make_module(self, input_shape: tuple[int, ...], n_aus: int) -> DSN:
        return DSN(input_shape, n_aus, self.person_encoder)

    def _make_loss(self, train: AUDataset) -> _DSNLoss:
        return _DSNLoss(self.alpha, self.beta, self.difference, self._classification_loss(train))

    def _make_stages(
        self, train: AUDataset, valid: AUDataset | None, rng: np.random.RandomState
    ) -> list[Stage]:
        (stage,) = super()._make_stages(train, valid, rng)
        # identity-only rows have a reconstruction and a difference loss like any other
        stage.batches = ShuffledBatches(np.arange(len(train)), self.batch_size, rng)
        return [stage]

    def _has_person(self) -> bool:
        """Whether there is a person encoder, or would be after ``fit``."""
        fitted = hasattr(self, "net_")
        return self.module_.person is not None if fitted else self.person_encoder

    @available_if(_has_person)
    def identity_features(self, X: Any) -> np.ndarray:
        """Compute the person code :math:`E_p(x)`.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.

        Returns
        -------
        ndarray of shape (n, n_features_out)
        """
        return self._infer(X, "identity")

    def reconstruct(self, X: Any, person: Any = None) -> np.ndarray:
        """Rebuild faces from their codes.

        The reconstruction loss is blind to a constant shift of a whole image, so the mean
        brightness is taken from the images that give the person.

        Parameters
        ----------
        X : array-like of n images or vectors as at ``fit``
            They give the expression.
        person : array-like of n images or vectors, or of one, default=None
            They give the person; default is ``X`` itself.

        Returns
        -------
        ndarray
            Images, uint8, of the shape of ``X``; or vectors.
        """
        check_is_fitted(self)
        X = check_inputs(self, X, reset=False)
        if person is not None and not self._has_person():
            raise ValueError("person: a single encoder has no person code to exchange")
        try:
            Z = X if person is None else check_inputs(self, person, reset=False)
        except (ValueError, TypeError) as error:
            raise type(error)(f"person, which is read as X is: {error}") from error
        if len(Z) not in (1, len(X)):
            raise ValueError(f"person must hold 1 or {len(X)} images, got {len(Z)}")
        return self.net_.run(self._reconstruct, X, Z)

    def _decode_one(self, X: np.ndarray, encoder: str) -> np.ndarray:
        """Decode one of the two codes: that of "person" or of "expression"."""

        def decode(x: Tensor) -> Tensor:
            assert isinstance(self.module_, DSN)
            return self._to_images(self.module_.decoder(getattr(self.module_, encoder)(x)), x)

        return self.net_.run(decode, check_inputs(self, X, reset=False))

    def _reconstruct(self, x: Tensor, z: Tensor) -> Tensor:
        assert isinstance(self.module_, DSN)
        return self._to_images(self.module_.reconstruct(x, z), z)

    def _to_images(self, x_hat: Tensor, z: Tensor) -> Tensor:
        """Give decoded images the mean brightness of ``z``."""
        x_hat = x_hat.to(z.dtype)
        dims = tuple(range(1, x_hat.ndim))
        x_hat = x_hat + (z.mean(dims, keepdim=True) - x_hat.mean(dims, keepdim=True))
        if len(self.input_shape_) == 1:
            return x_hat
        image = x_hat.mul(255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return image[..., 0] if self.input_shape_[0] == 1 else image
