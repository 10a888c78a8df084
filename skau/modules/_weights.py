"""Start a network from a file of weights."""

import pickle
from collections.abc import Mapping
from os import PathLike
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor, nn


def load_weights(
    module: nn.Module,
    path: str | PathLike[str],
    *,
    argument: str = "pretrained",
    partly: bool = False,
) -> None:
    """Fill ``module`` from a file of weights, every one of them or none.

    Parameters
    ----------
    module : nn.Module
        Filled in place; it keeps its device and dtype.
    path : str or Path
        What ``torch.save(other.state_dict(), path)`` wrote. Where ``module`` is an
        ``nn.ModuleDict`` of a trunk and FC5, the file may hold the trunk alone, both and more
        layers, or LightenedCNN-A. A ``"state_dict"`` or ``"model"`` about it, as training
        scripts write, and a prefix ``module.``, which ``DataParallel`` leaves, are taken off.
        Where ``module`` takes RGB and the file's first layer takes grey, its kernels are repeated
        for the three channels and divided by 3, so that a grey face gives the same.
    argument : str, default="pretrained"
        The parameter that the file came by, for messages.
    partly : bool, default=False
        Whether the file may hold more than the module.

    Raises
    ------
    ValueError
        If the file holds anything but tensors, or its weights are not those of ``module``; the
        message names them.
    """
    weights = _read(path, argument)
    if weights and all(name.startswith("module.") for name in weights):
        weights = {name.removeprefix("module."): w for name, w in weights.items()}
    if isinstance(module, nn.ModuleDict):
        weights = _of_trunk_and_fc5(module, weights)
        if not any(name.startswith("fc5.") for name in weights):
            module = nn.ModuleDict({"trunk": module["trunk"]})
    own = module.state_dict()
    if partly:
        weights = {name: w for name, w in weights.items() if name in own}
    for name, w in weights.items():
        if name in own and w.ndim == 4 and own[name].shape == (len(w), 3, *w.shape[2:]):
            weights[name] = w.expand_as(own[name]) / 3 if w.shape[1] == 1 else w
    wrong = {
        "missing": [name for name in own if name not in weights],
        "unexpected": [name for name in weights if name not in own],
        "of another shape": [
            f"{name} {tuple(w.shape)}, not {tuple(own[name].shape)}"
            for name, w in weights.items()
            if name in own and w.shape != own[name].shape
        ],
    }
    said = "; ".join(
        f"{what}: {shorten(', '.join(names), 120, placeholder=' ...')}"
        for what, names in wrong.items()
        if names
    )
    if said:
        raise ValueError(
            f"{argument}: {str(path)!r} does not hold the weights of this network. {said}"
        )
    module.load_state_dict(weights)


def _of_trunk_and_fc5(module: nn.ModuleDict, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name weights as a trunk's and FC5's, whichever way the file names them."""
    if any(name.startswith("trunk.") for name in weights):
        return {n: w for n, w in weights.items() if n.startswith(("trunk.", "fc5."))}
    if "conv1.weight" not in weights:
        return {f"trunk.{name}": w for name, w in weights.items()}
    trunk = module["trunk"]
    assert isinstance(trunk, nn.Sequential)
    places = [str(i) for i, layer in enumerate(trunk) if isinstance(layer, nn.Conv2d)]
    layers = {f"conv{i}": f"trunk.{place}" for i, place in enumerate(places, start=1)}
    layers["fc1"] = "fc5.0"
    named = {}
    for name, w in weights.items():
        layer, _, kind = name.partition(".")
        if layer in layers:  # LightenedCNN-A goes on to the people that it was trained on
            named[f"{layers[layer]}.{kind}"] = w
    return named


def _read(path: str | PathLike[str], argument: str) -> dict[str, Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(
            f"{argument}: {str(path)!r} is no file of weights alone; write one with "
            "torch.save(module.state_dict(), path)"
        ) from error
    for name in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(
        isinstance(w, Tensor) for w in content.values()
    ):
        raise ValueError(
            f"{argument}: {str(path)!r} holds no table of tensors by name; write one with "
            "torch.save(module.state_dict(), path)"
        )
    return dict(content)
