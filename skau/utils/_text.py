"""Lists in messages."""

from collections.abc import Iterable


def first_few(items: Iterable[object], limit: int = 5) -> str:
    """Write out the first few items, and how many more there are."""
    names = [str(item) for item in items]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def first_lines(items: Iterable[object], limit: int = 20) -> str:
    """Write the first few items below a message, a line each, and how many more there are."""
    lines = [str(item) for item in items]
    more = [f"and {len(lines) - limit} more"] * (len(lines) > limit)
    return "\n  ".join(["", *lines[:limit], *more])
