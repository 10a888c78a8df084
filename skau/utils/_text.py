"""Lists in messages."""

from collections.abc import Iterable

_LINES = 20


def first_few(items: Iterable[object], limit: int = 5) -> str:
    """Write out the first few items, and how many more there are."""
    names = [str(item) for item in items]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def first_lines(items: Iterable[object]) -> str:
    """Write the first items below a message, a line each, and how many more there are."""
    lines = [str(item) for item in items]
    more = [f"and {len(lines) - _LINES} more"] * (len(lines) > _LINES)
    return "\n  ".join(["", *lines[:_LINES], *more])
