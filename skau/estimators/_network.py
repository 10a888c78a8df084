"""An estimator's network: made, changed, stored and made again."""

import inspect
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from torch import nn

from ..modules import AUModule
from ..training._augment import AUGMENTATIONS
from ..training._callbacks import check_callbacks
from ..training._net import AUNet
from ..training._stage import Loss
from ..utils._device import device_or_cpu, own_modes, resolve_device, resolve_precision
from ..utils._memory import keep_freed_memory
from ..utils._parameters import parameters
from ..utils._portable import leave_out
from ..utils._random import RandomStream
from ._calibration import population_table, unknown_population
from ._part import StoredPart

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, eq_default=False)
class BaseNetworkEstimator(BaseEstimator, metaclass=ABCMeta):
    """An estimator around a network, of which model files hold the weights alone.

    The annotated defaults of its subclasses are their parameters, as `parameters` says.
    """

    input_shape_: tuple[int, ...]
    precision_: str
    best_epoch_: int | None
    history_: pd.DataFrame
    population_: pd.DataFrame
    net_: AUNet
    _built: dict[str, Any]  # the parameters that the network was made with
    _network_parameters: ClassVar[tuple[str, ...]] = ()  # those that another network would have

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" not in vars(cls) and inspect.get_annotations(cls):
            parameters(cls)

    @abstractmethod
    def _make_module(self, input_shape: tuple[int, ...], n_aus: int) -> AUModule:
        """Build the network for images (c, h, w) or vectors (d,)."""

    def _build(self) -> None:
        """Make a fresh network, seeded, behind a fresh skorch net."""
        self._rng = check_random_state(self.random_state)
        self._built = self.get_params(deep=False)
        device = resolve_device(self.device)
        with self._seeded():
            module = self._make_module(self.input_shape_, len(self.au_names_))
        self._net_on(module, device)
        self._n_features_out = self.module_.n_features
        # a callback may look at what there is before the first stage has ended
        self.history_, self.population_ = self._make_history(), unknown_population(self.au_names_)

    def _refresh(self) -> None:
        """Let parameters that were set since count, but for those that make the network."""
        now = self.get_params(deep=False)
        changed = [name for name, value in now.items() if not _equal(value, self._built[name])]
        if not changed:
            return
        other = [name for name in changed if name in self._network_parameters]
        if other:
            raise ValueError(
                f"{', '.join(other)} was set since the last fit, and would make another network "
                "than the one that training shall go on with; set it back, or fit a clone"
            )
        old, self._built = self.net_, now
        device = old.device if "device" not in changed else resolve_device(self.device)
        self._net_on(old.module_, torch.device(device))
        self.net_.begin_history(old.epochs())
        if type(old.optimizer_) is type(self.net_.optimizer_):
            moments = {"state": old.optimizer_.state_dict()["state"]}
            self.net_.optimizer_.load_state_dict(self.net_.optimizer_.state_dict() | moments)
        if not {"lr", "optimizer"} & set(changed):  # a schedule may have changed the rates
            groups = self.net_.optimizer_.param_groups, old.optimizer_.param_groups
            for group, before in zip(*groups, strict=True):
                group["lr"] = before["lr"]

    def _snapshot(self) -> Callable[[], None] | None:
        """Return what undoes training that goes on from here, if there has been any."""
        return self.net_.snapshot() if hasattr(self, "net_") else None

    def _seeded(self) -> RandomStream:
        """Return where torch's random numbers come from, inside ``with``."""
        return RandomStream(self._rng.randint(np.iinfo(np.int32).max))

    def _net_on(self, module: AUModule, device: torch.device) -> None:
        keep_freed_memory()
        check_callbacks(self.callbacks)
        if len(self.input_shape_) == 1:
            # Vectors are cheap, and float64 gives the same answer whatever the batch size.
            self.precision_ = "float64"
            module = module.double()
        else:
            self.precision_ = resolve_precision(self.precision, device)
            module = module.float().to(memory_format=torch.channels_last)
        images = len(self.input_shape_) == 3
        slower = [  # of a pretrained trunk; a scheduler multiplies the rates of all groups alike
            (f"{name}.*", {"lr": self.lr * part.lr_scale, "lr_scale": part.lr_scale})
            for name, part in module.named_modules()
            if getattr(part, "lr_scale", 0)
        ]
        augment = AUGMENTATIONS[self.augment] if isinstance(self.augment, str) else self.augment
        self.net_ = AUNet(
            module=module,
            criterion=Loss,
            optimizer=self.optimizer,
            optimizer__param_groups=slower,
            lr=self.lr,
            batch_size=self.batch_size,
            callbacks=self.callbacks,
            device=device,
            precision=self.precision_,
            augment=augment if images else None,
            monitor=self.monitor,
            bar=bool(self.verbose),
            verbose=0,
        ).initialize()

    def _make_history(self) -> pd.DataFrame:
        rows = self.net_.epochs()
        for_callbacks = ("batch_count", "_best")
        columns = dict.fromkeys(k for row in rows for k in row if not k.endswith(for_callbacks))
        return pd.DataFrame(rows, columns=list(columns))

    # -- scikit-learn's protocols -----------------------------------------------------------

    @property
    def module_(self) -> AUModule:
        """The fitted ``torch.nn.Module``."""
        return self.net_.module_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether also those of estimators among them.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = super(BaseNetworkEstimator, _plain(self)).get_params(deep)
        return params | {"augment": self.augment} if "augment" in params else params

    def __sklearn_clone__(self) -> Self:
        clone: Self = super(BaseNetworkEstimator, _plain(self)).__sklearn_clone__()
        clone.augment = deepcopy(self.augment)
        return clone

    def __getstate__(self) -> dict[str, Any]:
        """Return the state as numbers, text, arrays and containers of these, beside parameters.

        So no torch pickle is read, unless a parameter is a module itself. The optimiser's moments
        are left out: training that goes on after a copy or a load starts them afresh.
        """
        state = dict(super().__getstate__())
        state = leave_out(self, state, "augment", "callbacks")
        net = state.pop("net_", None)
        if net is not None:
            weights = net.module_.state_dict()
            state["_weights"] = {name: w.numpy(force=True).copy() for name, w in weights.items()}
            state["_epochs"] = net.epochs()
            state["_built"] = {name: self._built[name] for name in self._network_parameters}
            state["population_"] = self.population_.to_numpy()
            del state["history_"]
        return state

    @own_modes()
    def __setstate__(self, state: dict[str, Any]) -> None:
        # one that was saved before a parameter existed means that parameter's default
        signature = inspect.signature(type(self)).parameters
        state = {name: parameter.default for name, parameter in signature.items()} | state
        weights, epochs = state.pop("_weights", None), state.pop("_epochs", None)
        super().__setstate__(state)
        if weights is not None:
            # what makes the network may have been set since the fit; all else counts from now on
            self._built = self.get_params(deep=False) | self._built
            maker = type(self)(**self._built)
            shape = self.input_shape_, len(self.au_names_)
            parts = (getattr(maker, name, None) for name in ("backbone", "trunk"))
            if all(part is None or isinstance(part, StoredPart) for part in parts):
                with torch.device("meta"):  # which asks for no memory
                    _check_weights(maker._make_module(*shape), weights)
            with RandomStream(0):  # the first weights are thrown away
                module = maker._make_module(*shape)
            self._net_on(module, device_or_cpu(self.device))
            # joblib maps large arrays for reading only, of which torch warns
            own = {name: np.require(w, None, "W") for name, w in weights.items()}
            self.module_.load_state_dict({k: torch.from_numpy(w) for k, w in own.items()})
            self.net_.begin_history(epochs)
            self.history_ = self._make_history()
            self.population_ = population_table(self.population_, self.au_names_)


def _plain(estimator: T) -> T:
    """Return an estimator that augments nothing.

    Transforms of torchvision have a ``get_params`` which scikit-learn would take for that of an
    estimator.
    """
    plain = object.__new__(type(estimator))
    vars(plain).update(vars(estimator), augment=None)
    return plain


def _check_weights(module: AUModule, weights: dict[str, np.ndarray]) -> None:
    """Raise ValueError if a state's weights are not those of the network that it describes."""
    expected = {name: tuple(w.shape) for name, w in module.state_dict().items()}
    if expected != {name: w.shape for name, w in weights.items()}:
        raise ValueError("the weights are not those of the network that the parameters describe")


def _equal(a: Any, b: Any) -> bool:
    """Whether two values of a parameter say the same; modules never do, for their weights."""
    return a is b or (
        not isinstance(a, nn.Module) and not isinstance(b, nn.Module) and np.array_equal(a, b)
    )
