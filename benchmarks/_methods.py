"""The systems that the tables compare, by name, and any variant of them."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from _temporal import FilmClassifier
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier, IdenNetClassifier, MixedEffectsClassifier, PretrainedTrunk
from skau.baselines import (
    AlexNetClassifier,
    ATFClassifier,
    DRMLClassifier,
    LightCNNClassifier,
    ROINetClassifier,
    SVTPTClassifier,
)
from skau.estimators._regions import RegionClassifier

REGIONS = ("full", "upper", "lower")


class TakeRegion(TransformerMixin, BaseEstimator):
    """Pick one of the crops that were cut beforehand: (n, 3, h, w, c) -> (n, h, w, c)."""

    def __init__(self, region: str = "full") -> None:
        self.region = region

    def fit(self, X: np.ndarray, y: Any = None) -> "TakeRegion":
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return X[:, REGIONS.index(self.region)]

    def __sklearn_is_fitted__(self) -> bool:
        return True


def region_dsn(regions: str | None = "facs", **params: Any) -> RegionClassifier:
    return RegionClassifier(make_pipeline(TakeRegion(), DSNClassifier(**params)), regions=regions)


def film_roinet(n_layers: int, random_state: int, **params: Any) -> FilmClassifier:
    network = ROINetClassifier(random_state=random_state, **params)
    return FilmClassifier(network, n_layers=n_layers, random_state=random_state)


def on_open_1(
    make: Callable[..., BaseEstimator], lr_scale: float = 1.0, **params: Any
) -> BaseEstimator:
    """LightCNN's convolutions are the shipped model's; its crops are --align eye_distance."""
    return make(trunk=PretrainedTrunk("open-1", lr_scale), **params)


@dataclass(frozen=True)
class Method:
    """How to make an estimator, and what it is given."""

    make: Callable[..., BaseEstimator]
    params: dict[str, Any]
    identities: bool = False  # trained on the identity corpus too
    regions: bool = False  # sees the crops of all regions
    trained: bool = True  # has epochs, validation subjects and a seed
    film: bool = False  # sees all frames of a person, in order


# Stage 1 at the paper's learning rate: at 1e-3, good for the AUs, all faces become one identity.
STAGE_1 = {"identity_epochs": 3, "identity_lr": 1e-4}
# Every other batch of IdenNet's stage 2 has identities alone, and small gradients. Adam's second
# moments are half as large for it and there are twice as many steps, so AUs move about 1.4 times
# as fast; at 1e-3 the loss then exploded late in training.
STAGE_2 = {"lr": 5e-4}
# From random weights AlexNet learns slowly; at 1e-3 it had not begun to after six epochs.
ALEXNET = {"lr": 1e-4}

# Paper 1's own budget: twenty epochs, of which the lowest validation loss is kept.
PRINTED = {"max_epochs": 20, "monitor": "loss"}

# The budget of paper 2's code, which that of a table does not change.
RELEASED_BUDGET = {
    name: getattr(IdenNetClassifier.as_released(), name)
    for name in ("max_epochs", "lr", "monitor", "identity_epochs", "identity_lr")
}

# Its weight decay, without its identities.
DECAY = {"optimizer": IdenNetClassifier.as_released().optimizer}

METHODS = {
    "DSN": Method(DSNClassifier, {}),
    "DSN-printed": Method(DSNClassifier, PRINTED),
    "SingleEncoder": Method(DSNClassifier, {"person_encoder": False}),
    "SingleEncoder-printed": Method(DSNClassifier, {"person_encoder": False, **PRINTED}),
    "LightCNN": Method(LightCNNClassifier, {}),
    "LightCNN-decay": Method(LightCNNClassifier, DECAY),
    "LightCNN-pretrained": Method(LightCNNClassifier, STAGE_1, identities=True),
    "IdenNet": Method(IdenNetClassifier, STAGE_1 | STAGE_2, identities=True),
    "IdenNet-released": Method(IdenNetClassifier.as_released, RELEASED_BUDGET, identities=True),
    "IdenNet-no-identities": Method(IdenNetClassifier, STAGE_1),
    "LightCNN-open-1": Method(partial(on_open_1, LightCNNClassifier), {}),
    "IdenNet-open-1": Method(
        partial(on_open_1, IdenNetClassifier), STAGE_1 | STAGE_2, identities=True
    ),
    "MixedEffects-open-1": Method(partial(on_open_1, MixedEffectsClassifier), {}, identities=True),
    "MixedEffects": Method(MixedEffectsClassifier, {}, identities=True),
    "MixedEffects-no-identities": Method(MixedEffectsClassifier, {}),
    "AlexNet": Method(AlexNetClassifier, ALEXNET),
    "DRML": Method(DRMLClassifier, {}),
    "ATF": Method(ATFClassifier, {}),
    "ROINet": Method(ROINetClassifier, {}),
    "SVTPT": Method(SVTPTClassifier, {}, trained=False),
    "R-T1": Method(film_roinet, {"n_layers": 1}, film=True),
    "R-T2": Method(film_roinet, {"n_layers": 2}, film=True),
    "DSN-regions": Method(region_dsn, {}, regions=True),
    "DSN-single-AU": Method(region_dsn, {"regions": None}, regions=True),
}


def parse_method(spec: str) -> Method:
    """Read ``"IdenNet"``, or a variant such as ``"IdenNet:normalize=False,alpha=0.2"``."""
    name, _, changes = spec.partition(":")
    if name not in METHODS:
        raise ValueError(f"method {name!r} is not one of {', '.join(METHODS)}")
    method = METHODS[name]
    params = dict(method.params)
    for change in filter(None, changes.split(",")):
        key, _, value = change.partition("=")
        try:
            params[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            params[key] = value  # a word, such as difference=mean
    return replace(method, params=params)


def make_estimator(spec: str, budget: dict[str, Any], seed: int) -> BaseEstimator:
    """Make the estimator of a method; every one that is trained gets the same budget."""
    method = parse_method(spec)
    params = dict(method.params)
    if method.trained:
        params = {**budget, "random_state": seed, **params}
    return method.make(**params)


def describe(estimator: BaseEstimator) -> str:
    """Name all parameters: a changed default is a change too."""
    with config_context(print_changed_only=False):
        text = estimator.__repr__(N_CHAR_MAX=100_000)
    return re.sub(" at 0x[0-9a-f]+", "", text)  # where callbacks lie in memory
