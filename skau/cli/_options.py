"""Options of several subcommands, and errors of how they were used."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from ._words import plain


def shared_options(function: Any) -> Any:
    """Add the options that every subcommand has."""
    function = click.option("--force", is_flag=True, help="Write over what is there.")(function)
    text = "Show the traceback of an error."  # which `skau.cli._group.run` does
    return click.option("--verbose", is_flag=True, expose_value=False, help=text)(function)


def jobs_option(text: str, default: int | None = 1) -> Callable[[Any], Any]:
    """Return what adds the option of how much is done at a time."""
    return click.option(
        "--jobs", type=int, default=default, show_default=default is not None, metavar="N",
        callback=_jobs, help=text,
    )  # fmt: skip


def _jobs(context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    if value == 0:
        raise click.BadParameter("0 does nothing; -1 takes all processors")
    return value


def dask_option(function: Any) -> Any:
    """Add the option of a cluster."""
    text = "Share the work out to a Dask cluster: tcp://host:8786; needs the extra dask."
    return click.option("--dask", metavar="ADDRESS", callback=_address, help=text)(function)


def _address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.search(r".:\d+$", value):
        raise click.BadParameter(f"{value!r} is no address; one is tcp://host:8786")
    return value


@contextmanager
def as_usage(option: str = "", kinds: Any = (ValueError, OSError)) -> Iterator[None]:
    """Say of an error that it is one of how the command was called, by an option or argument."""
    try:
        yield
    except kinds as error:
        what = plain(error)
        raise click.UsageError(f"{option}: {what}" if option else what) from error
