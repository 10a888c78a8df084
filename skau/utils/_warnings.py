"""Warnings that point at the line of the user, and silence of other libraries."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_NOT_THE_USER = {"skau", "sklearn", "joblib", "contextlib"}  # the last wraps methods in modes
_one_at_a_time = RLock()


def user_level() -> int:
    """Return the ``stacklevel`` of the innermost line outside of skau, scikit-learn and joblib.

    Methods are wrapped, by how much depends on the way to them; so it cannot be counted.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _NOT_THE_USER:
        level, frame = level + 1, frame.f_back
    return level


@contextmanager
def own_filters() -> Iterator[None]:
    """Set back afterwards which warnings are shown.

    That is a matter of the whole process, so threads wait for one another: of two at once the
    second would find the first one's filters, and leave them behind. So nothing in the block may
    wait for threads of skau: one that imports or reads a table waits for the block.
    """
    with _one_at_a_time, warnings.catch_warnings():
        yield


@contextmanager
def quietly(*loggers: str) -> Iterator[None]:
    """Hide all warnings, and what is below an error in the logs of ``loggers``."""
    with own_filters():
        warnings.simplefilter("ignore")
        levels = {name: logging.getLogger(name).level for name in loggers}
        for name in loggers:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
