"""Warnings of the command: lines on standard error, as all that it says, each of them once."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ._words import plain


@contextmanager
def as_lines() -> Iterator[None]:
    """Show warnings as lines meanwhile."""
    with warnings.catch_warnings():
        _show_as_lines()
        yield


@contextmanager
def workers(dask: str | None) -> Iterator[None]:
    """Share out joblib's work: among processes that warn in lines, too, or those of a cluster."""
    import joblib

    from ..utils._cluster import on_cluster

    config = joblib.parallel_config
    with config("loky", initializer=_show_as_lines) if dask is None else on_cluster(dask):
        yield


def _show_as_lines() -> None:
    said: set[str] = set()

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: object = None, line: str | None = None,
    ) -> None:  # fmt: skip
        text = f"skau: {plain(message)}"
        if text not in said:
            said.add(text)
            from tqdm import tqdm  # which moves a progress bar out of the way

            tqdm.write(text, file=sys.stderr)

    # a photo of more than 90 million pixels; it is read, and what is too large is refused by name
    warnings.filterwarnings("ignore", "Image size .* decompression bomb")
    warnings.showwarning = show
