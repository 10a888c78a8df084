"""Random numbers of our own: torch's one generator belongs to the user, and to every thread."""

from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten
# before torch had generators for these, what they are made of had
_LIKE = {_aten.rand_like: "uniform_", _aten.randn_like: "normal_", _aten.randint_like: "random_"}
# what makes floats of the default dtype, where none is given; normal has forms that take no dtype
_MAKE = {_aten.empty, _aten.zeros, _aten.ones, _aten.rand, _aten.randn, _aten.normal}


class RandomStream(TorchDispatchMode):
    """A generator for each device, made from one seed.

    Inside ``with stream:`` whatever this thread draws by torch - the initial weights of layers,
    dropout, a transform of torchvision - comes from it, unless the caller names a generator.
    Torch's own generator is neither asked nor moved, so that other threads may draw meanwhile.
    Floats are made with 32 bits, whatever the default dtype, which is every thread's too.
    Every operation costs some microseconds more there: draw in it, compute outside.

    Parameters
    ----------
    seed : int

    Examples
    --------
    >>> from torch import nn
    >>> def weights():
    ...     with RandomStream(0):
    ...         return nn.Linear(2, 2).weight
    >>> before = torch.get_rng_state()
    >>> torch.equal(weights(), weights()), torch.equal(before, torch.get_rng_state())
    (True, True)
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self._generators: dict[str, Generator] = {}

    def on(self, device: torch.device) -> Generator:
        """Return the generator for tensors on a device."""
        name = str(device)
        if name not in self._generators and name != "cpu":  # "cuda" is one of "cuda:0", "cuda:1"
            name = str(torch.empty(0, device=device).device)
        if name not in self._generators:
            self._generators[name] = Generator(device).manual_seed(self.seed)
        return self._generators[name]

    def get_state(self) -> dict[str, Tensor]:
        """Return where every generator is."""
        return {name: own.get_state() for name, own in self._generators.items()}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Go on from there."""
        for name, own in state.items():
            self.on(torch.device(name)).set_state(own)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func.overloadpacket in _MAKE and _takes_dtype(func):
            kwargs.setdefault("dtype", torch.float32)
        if torch.Tag.nondeterministic_seeded not in func.tags or kwargs.get("generator"):
            return func(*args, **kwargs)
        given = next((x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)), None)
        device = torch.device(
            kwargs.get("device") or (given.device if given is not None else "cpu")
        )
        if device.type == "meta":  # tensors without values: nothing is drawn
            return func(*args, **kwargs)
        own = self.on(device)
        if func is _aten.native_dropout.default:  # what a GPU computes; it takes no generator
            return _dropout(own, *args)
        drawing = _with_generator(func)
        if drawing is not None:
            return drawing(*args, **kwargs, generator=own)
        if func.overloadpacket in _LIKE:
            empty = torch.empty_like(args[0], **kwargs)
            return getattr(empty, _LIKE[func.overloadpacket])(*args[1:], generator=own)
        return func(*args, **kwargs)  # attention, which draws nothing where it drops nothing


@cache
def _takes_dtype(func: Any) -> bool:
    return any(argument.name == "dtype" for argument in func._schema.arguments)


@cache
def _with_generator(func: Any) -> Any:
    """Return the overload of an operation that takes the same and a generator, if there is one."""
    wanted = {argument.name for argument in func._schema.arguments} | {"generator"}
    for name in (func._overloadname, *func.overloadpacket.overloads()):
        overload = getattr(func.overloadpacket, name)
        if {argument.name for argument in overload._schema.arguments} == wanted:
            return overload
    return None


def _dropout(generator: Generator, x: Tensor, p: float, train: bool | None) -> Any:
    if train is False or p == 0:
        return x.clone(), torch.ones_like(x, dtype=torch.bool)
    kept = torch.empty_like(x, dtype=torch.bool).bernoulli_(1 - p, generator=generator)
    return x * kept * (1 / (1 - p) if p < 1 else 0.0), kept
