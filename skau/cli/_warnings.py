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
        show_as_lines()
        yield


def show_as_lines() -> None:
    """Show warnings as lines from now on."""
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
