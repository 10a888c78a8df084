"""Lists in messages."""

from collections.abc import Iterable

__all__ = ["first_few"]


def first_few(items: Iterable[object], limit: int = 5) -> str:
    """Write out the first few items, and how many more there are."""
    names = [str(item) for item in items]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
