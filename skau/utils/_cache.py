"""What was computed before and need not be computed again, on disk."""

from os import PathLike, fspath
from typing import Any

import joblib
from sklearn.utils.validation import check_memory

__all__ = ["Kept"]


def _keep(key: str, value: Any) -> Any:
    """Return the value: joblib stores what a function returns."""
    return value


class Kept:
    """Values by key, in the folder of a ``joblib.Memory``.

    Several processes may share the folder: each value is written whole or not at all.

    Parameters
    ----------
    memory : str, path-like or joblib.Memory
    """

    def __init__(self, memory: Any) -> None:
        if isinstance(memory, PathLike):
            memory = fspath(memory)
        self._memory = check_memory(memory).cache(_keep, ignore=["value"])

    def get(self, key: str) -> Any:
        """Return the value, or None where there is none."""
        if not self._memory.check_call_in_cache(key, None):
            return None
        return self._memory(key, None)

    def put(self, value: Any, key: str) -> None:
        """Keep a value."""
        self._memory(key, value)

    @staticmethod
    def key(*parts: Any) -> str:
        """Return a short text that differs for different parts."""
        return str(joblib.hash(parts))
