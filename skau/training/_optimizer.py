"""Which optimisers train these networks."""

from typing import Any

import torch

# They are not made for a step by each batch's gradient of every weight.
_UNFIT: dict[type[torch.optim.Optimizer], str] = {
    torch.optim.LBFGS: "it asks for the loss of a batch several times a step, and takes one group "
    "of weights only",
    torch.optim.SparseAdam: "their gradients are not sparse",
}


def check_optimizer(made: Any, optimizer: Any) -> None:
    """Say what is wrong with what the parameter ``optimizer`` made."""
    if not isinstance(made, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer={optimizer!r} must make a torch.optim.Optimizer, as torch.optim.SGD does, "
            f"but made a {type(made).__name__}"
        )
    if "lr" in getattr(optimizer, "keywords", {}):  # of functools.partial
        raise ValueError(
            f"optimizer={optimizer!r} has a learning rate of its own, which would not count; "
            "leave it out and pass lr"
        )
    for kind, reason in _UNFIT.items():
        if isinstance(made, kind):
            raise ValueError(
                f"optimizer: {kind.__name__} cannot train these networks, for {reason}; take "
                "torch.optim.Adam, AdamW, SGD or another that steps by each batch's gradient"
            )
