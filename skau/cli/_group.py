"""The group of subcommands, each imported when it is called, and what is said of their errors.

Nothing here imports torch before a subcommand runs, so ``skau --help`` answers at once.
"""

import sys
import traceback
from importlib import import_module

import click

from .._version import __version__
from ._warnings import as_lines
from ._words import plain

# What each subcommand is for, here so that the help imports none of them.
_COMMANDS = {
    "predict": "Score the AUs of photos, folders and films.",
    "crop": "Find, align and cut faces.",
    "train": "Train on a corpus and score people never seen.",
    "report": "Write an HTML report of a training run or a table of AUs.",
    "models": "List the models that come with skau.",
    "export": "Write a model as ONNX.",
}


class _Commands(click.Group):
    """Subcommands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = import_module(f"._{name}", __package__).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Completion: eval "$(_SKAU_COMPLETE=bash_source skau)"  in a shell that finds skau, or '
    "at the end of its environment's bin/activate (zsh: zsh_source, after compinit; fish: "
    "_SKAU_COMPLETE=fish_source skau | source).",
)
@click.version_option(__version__, prog_name="skau")
def skau() -> None:
    """Facial Action Units of photos and films.

    Try:  skau predict photo.jpg
    """


def run(args: list[str]) -> None:
    """Run the command, and leave with 0, 1 (failed), 2 (called wrongly) or 130 (stopped)."""
    try:
        with as_lines():
            skau.main(args, prog_name="skau", standalone_mode=False)
    except click.ClickException as error:
        if "--verbose" in args and error.__cause__ is not None:
            traceback.print_exc()
        error.show()
        if isinstance(error, click.NoSuchOption) and (file := _file_like(args)):
            click.echo(f"A file is meant? Then write ./{file}", err=True)
        for note in getattr(error.__cause__, "__notes__", ()) if _keeps(args) else ():
            click.echo(note, err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        told = "; the same command goes on where it stopped" if _keeps(args) else ""
        click.echo(f"\nstopped{told}", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if "--verbose" in args:
            traceback.print_exc()
        foreseen = isinstance(error, ValueError | OSError | ImportError) and str(error)
        told = (
            plain(error) if foreseen else f"{type(error).__name__}: {error}; --verbose shows where"
        )
        click.echo(f"skau: {told}", err=True)
        sys.exit(1)


def _file_like(args: list[str]) -> str | None:
    """Return what looks like an option and is a file here, as a pattern of the shell finds it."""
    from pathlib import Path

    return next((arg for arg in args if arg.startswith("-") and Path(arg).is_file()), None)


def _keeps(args: list[str]) -> bool:
    """Whether what is done has a place to stay."""
    keep = args[:1] in (["predict"], ["crop"], ["train"])
    return keep and any(arg.startswith(("-o", "--out")) for arg in args)
