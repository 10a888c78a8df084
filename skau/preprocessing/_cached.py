"""Faces that were found or cut before, for these very pixels and settings."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from .._version import __version__
from ..utils._cache import Cache
from ._images import READ_ERRORS
from ._worker import NO_FACE, Done, Item, Worker


def work_or_remember(
    cache: Cache, worker: Worker, items: Sequence[tuple[Item, Callable[[], str]]], *, cut: bool
) -> list[Done]:
    """Do what `Worker.work` does, for the images that are not kept yet.

    Parameters
    ----------
    cache : Cache
    worker : Worker
    items : sequence of (item, function that returns the fingerprint of its image)
    cut : bool
    """
    settings = (replace(worker, device=""), cut, __version__)
    keys: dict[int, str] = {}
    done: dict[int, Done] = {}
    for place, ((_, known), fingerprint) in enumerate(items):
        with suppress(*READ_ERRORS):  # the worker says what is wrong with it
            keys[place] = Cache.key(settings, known, fingerprint())
            if (kept := cache.get(keys[place])) is not None:
                done[place] = Done(*kept)
    rest = [place for place in range(len(items)) if place not in done]
    results = worker.work([items[place][0] for place in rest], cut=cut) if rest else []
    for place, result in zip(rest, results, strict=True):
        if place in keys and result.problem in (None, NO_FACE):  # others may go right another time
            cache.put(keys[place], tuple(result))
        done[place] = result
    return [done[place] for place in range(len(items))]
