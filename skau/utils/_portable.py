"""What a state leaves out when it is written for other machines, not for another process here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_left_out: ContextVar[list[str] | None] = ContextVar("left_out", default=None)


@contextmanager
def portable() -> Iterator[list[str]]:
    """Have `leave_out` leave code out, and note in the list what it was."""
    names: list[str] = []
    token = _left_out.set(names)
    try:
        yield names
    finally:
        _left_out.reset(token)


def leave_out(owner: object, state: dict[str, Any], *parameters: str) -> dict[str, Any]:
    """Put None in place of parameters of a state that hold code, inside `portable` alone."""
    names = _left_out.get()
    if names is None:
        return state
    for name in parameters:
        value = state.get(name)
        if value is not None and not isinstance(value, str):
            state[name] = None
            if value != []:
                names.append(f"{type(owner).__name__}.{name}")
    return state
