"""Mixed effects: the person is a random effect, foretold and taken out of the features."""

import warnings
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from ..modules._mixed_effects import MixedEffectsNet
from ..training._data import AUDataset
from ..training._stage import Stage
from ..utils._rows import require_same_rows
from ..utils._warnings import user_level
from ._base import BaseAUClassifier
from ._effects import PersonEffects
from ._part import Part, make_part


class MixedEffectsClassifier(BaseAUClassifier):
    r"""AU detection that foretells a person's bias and takes it out of the features.

    A LightCNN network learns the AUs. Then its features
    :math:`\phi = \mathrm{MFM}(\mathrm{FC6}(S(x)))` of all people, with labels or without, are
    described by a linear mixed model, in which a person is a random effect:

    .. math::
        \phi_{pi} = \mu + b_p + D y_{pi} + e_{pi}, \qquad b_p \sim N(0, B), \quad
        e_{pi} \sim N(0, E)

    :math:`B` and :math:`E` are the covariances between and within people, from frames of people
    without labels where these are as many as those with labels, counting people with two frames:
    the network never saw them.
    Column :math:`d_a` of :math:`D` is what AU :math:`a` adds to the features of one and the same
    person. Of :math:`n` frames of a person, with mean :math:`\bar\phi_p`, the best linear
    prediction of the person's bias, which is their mean feature in *other* frames, is

    .. math::
        \hat b_p = B (B + E / n)^{-1} (\bar\phi_p - \mu)

    and the AU's logit, with a scale and an offset that give it the mean and the spread of the
    network's own,

    .. math::
        G_a(x) = s_a\, d_a^\top E^{-1} (\phi(x) - \mu - \hat b_p) + o_a .

    One frame alone (:math:`n = 1`) is corrected by what it foretells of its person; ``groups``
    pools a person's frames; ``reference`` those that show the person at rest, whose mean is
    compared with that of the training people at rest. All of it is solved in closed form, in a
    second for some thousand frames. To the sample's :math:`E` twice its mean variance is added on
    the diagonal.

    The mixed model of the person is that of probabilistic linear discriminant analysis [1]_, the
    prediction of its effect that of [2]_.

    Parameters
    ----------
    {trunk_parameter}
    {schedule_parameters}
    {training_parameters}

    {network_attributes}

    Notes
    -----
    Without ``groups``, or where all people have one frame, or one person all, there is nothing to
    learn of people: ``fit`` warns, and the AU outputs are those of LightCNN. ``partial_fit``
    forgets the mixed model, as the features that it describes are changed.

    Identity-only rows train nothing but the mixed model, so more of them cost no training.

    References
    ----------
    .. [1] S. J. D. Prince, J. H. Elder, "Probabilistic Linear Discriminant Analysis for
       Inferences About Identity", ICCV 2007.
    .. [2] G. K. Robinson, "That BLUP is a Good Thing: The Estimation of Random Effects",
       Statistical Science 6(1), 1991.

    Examples
    --------
    >>> from skau import MixedEffectsClassifier
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> X, Y, groups = faces.images[::4, ::4, ::4], faces.target[::4], faces.groups[::4]
    >>> clf = MixedEffectsClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    >>> clf.predict_proba(X, groups=groups).shape
    (120, 12)
    >>> at_rest = ~(Y == 1).any(axis=1)
    >>> known = set(groups[at_rest])
    >>> rows = [subject in known for subject in groups]
    >>> proba = clf.predict_proba(X[rows], groups=groups[rows], reference=at_rest[rows])
    """

    trunk: Part = None

    _network_parameters = ("trunk",)

    def _make_module(self, input_shape: tuple[int, ...], n_aus: int) -> MixedEffectsNet:
        return MixedEffectsNet(input_shape, n_aus, make_part(self.trunk, "trunk"))

    # -- the mixed model --------------------------------------------------------------------

    @property
    def _effects(self) -> PersonEffects:
        """What the network's buffers hold, in float64."""
        return PersonEffects(*(
            getattr(self.module_, field.name).numpy(force=True).astype(np.float64)
            for field in fields(PersonEffects)
        ))  # fmt: skip

    @_effects.setter
    def _effects(self, effects: PersonEffects) -> None:
        for field in fields(PersonEffects):
            value = torch.tensor(getattr(effects, field.name))
            getattr(self.module_, field.name).copy_(value)

    @property
    def _head(self) -> np.ndarray:
        assert isinstance(self.module_, MixedEffectsNet)
        return self.module_.fc7.weight.numpy(force=True).astype(np.float64)

    def _after_stage(self, stage: Stage) -> None:
        self._effects = PersonEffects.unknown(self._head)  # of these weights nothing is known yet

    def _measure_population(self, train: AUDataset) -> None:
        rows = train.rows[train.group[train.rows] >= 0]
        effects = None
        if len(rows):
            assert isinstance(self.module_, MixedEffectsNet)
            features = self.net_.run(self.module_.au_features, train.X, rows=rows)
            effects = PersonEffects.fit(
                features.astype(np.float64), train.Y[rows], train.group[rows], self._head
            )
        if effects is None:
            lack = (
                "groups is not given, so nobody knows which images show the same person"
                if not len(rows)
                else "groups names no two people of whom one has two frames"
            )
            warnings.warn(f"{lack}; the AU outputs are LightCNN's", stacklevel=user_level())
        else:
            self._effects = effects
        super()._measure_population(train)

    # -- prediction -------------------------------------------------------------------------

    def decision_function(self, X: Any, groups: Any = None, reference: Any = None) -> np.ndarray:
        """Compute the AU logits.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.
        groups : array-like of shape (n,), default=None
            The person of each row, whose frames are then pooled to foretell the person's bias.
            It supposes that people show an AU about equally often. **It uses the test person's
            other frames**: report such results as a row of their own. None takes each frame by
            itself, as the papers do.
        reference : array-like of bool of shape (n,), default=None
            Which rows show their person at rest: the bias is then foretold from these alone, one
            at least of each person. Without ``groups`` all rows are of one person.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n,) of a single AU
            Positive where an AU is more likely present than not.
        """
        require_same_rows({"groups": groups, "reference": reference}, {"X": X})
        u = self._infer(X, "whitened").astype(np.float64)
        effects = self._effects
        return self._squeeze(effects.scores(u, groups, reference) * effects.scale + effects.offset)

    def predict_proba(self, X: Any, groups: Any = None, reference: Any = None) -> np.ndarray:
        """Compute the probability of each AU.

        Parameters are those of ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), or (n, 2) of a single AU
            As every classifier here gives it.
        """
        return self._to_proba(self.decision_function(X, groups, reference))

    def predict(self, X: Any, groups: Any = None, reference: Any = None) -> np.ndarray:
        """Say which AUs are present, with a probability above one half.

        Parameters are those of ``decision_function``.

        Returns
        -------
        ndarray of shape (n, n_aus), int, or (n,) of the two classes of a single AU
        """
        logits = self.decision_function(X, groups, reference)
        return self._decide(logits > 0, logits)

    def identity_features(self, X: Any) -> np.ndarray:
        """Compute the person's bias as each frame by itself foretells it.

        Parameters
        ----------
        X : array-like
            Images or vectors as at ``fit``.

        Returns
        -------
        ndarray of shape (n, 256)
            In coordinates of independent parts, those that differ most between people last.
        """
        return self._infer(X, "identity")
