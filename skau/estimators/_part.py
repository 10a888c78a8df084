"""A part of a network that comes as a parameter: a module, or what makes one."""

from collections.abc import Callable
from copy import deepcopy
from typing import Annotated

from torch import nn

Part = Annotated[
    Callable[[], nn.Module] | nn.Module | None, callable, None
]  # modules are callable


class StoredPart:
    """Base of what makes a part and may stand in a model file: it has plain values alone."""


def make_part(value: Part, name: str) -> nn.Module | None:
    """Make a part anew; of a module a copy is taken, since a parameter is never trained."""
    if value is None:
        return None
    if isinstance(value, nn.Module):
        return deepcopy(value)
    made: object = value()
    if not isinstance(made, nn.Module):
        raise TypeError(f"{name} must make a torch.nn.Module, but it made {type(made).__name__}")
    return made
