"""What a fit that fails leaves behind."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def all_or_nothing(fit: F) -> F:
    """Let a ``fit`` that fails leave its estimator as it was: fitted before, or not at all.

    What an interrupted one has learnt is kept. ``partial_fit`` changes what there is in place, so
    its estimator has a method ``_snapshot``, which returns what puts that back.
    """
    in_place = fit.__name__ == "partial_fit"

    @wraps(fit)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = vars(self).copy()
        put_back = self._snapshot() if in_place else None
        try:
            return fit(self, *args, **kwargs)
        except Exception:
            vars(self).clear()
            vars(self).update(before)
            if put_back is not None:
                put_back()
            raise

    return guarded  # type: ignore[return-value]
