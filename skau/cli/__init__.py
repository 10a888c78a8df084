"""The ``skau`` command: a file a subcommand, imported when it is called."""

import sys

__all__ = ["main"]


def main(args: list[str] | None = None) -> None:
    """Run the command, and leave with 0, 1 (failed), 2 (called wrongly) or 130 (stopped)."""
    try:
        from ._group import run  # here, so that Ctrl-C meanwhile shows no traceback

        run(sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
        sys.exit(130)
