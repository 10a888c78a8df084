"""Warnings that point at the line of the user."""

import sys

__all__ = ["user_level"]

_NOT_THE_USER = {"skau", "sklearn", "joblib"}


def user_level() -> int:
    """Return the ``stacklevel`` of the innermost line outside of skau, scikit-learn and joblib.

    scikit-learn wraps methods, by how much depends on the way to them; so it cannot be counted.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _NOT_THE_USER:
        level, frame = level + 1, frame.f_back
    return level
