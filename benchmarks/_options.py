"""The options that every benchmark of the methods has, and what they say."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from _cells import Setting
from _corpora import open_corpus, published_aus
from _folds import Fold, make_folds


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that say what is fitted on what."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--work",
        type=Path,
        required=True,
        help="folder for crops, learning curves and predictions",
    )
    add("--train", required=True, metavar="NAME=DIR")
    add("--identities", metavar="NAME=DIR", help="for the methods that learn identities")
    add("--aus", nargs="+", help="default is what paper 2 uses of --train, else BP4D's twelve")
    add("--folds", type=int, default=3)
    add("--inside", metavar="FOLD", help="split the training subjects of this fold instead")
    add("--size", type=int, default=64, help="of the crops")
    add("--every", type=int, default=1, metavar="N", help="take every Nth frame of each person")
    add(
        "--landmark-frames", type=int, metavar="N",
        help="cut all crops of a person by the median landmarks of N frames, as paper 1 does",
    )  # fmt: skip
    add_align(parser)
    add("--epochs", type=int, default=30)
    add("--lr", type=float, default=1e-3, help="where _methods.py or --methods has no other")
    return parser


def add_align(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how faces are cut."""
    parser.add_argument(
        "--align", choices=["eyes", "eye_distance", "box"], default="eyes",
        help="how faces are cut, see FaceCropper",
    )  # fmt: skip


def open_setting(
    args: argparse.Namespace,
    tests: list[str],
    regions: tuple[str, ...],
    run: str,
    *,
    monitor: str = "f1",
    validation_fraction: float = 0.15,
) -> tuple[Setting, list[Fold]]:
    """Open the corpora and make the folds; every method that is trained gets the same budget.

    Learning curves and predictions of different runs, such as ``"tables"``, have folders of
    their own.
    """
    cut = partial(open_corpus, work=args.work, size=args.size, regions=regions, align=args.align)
    taken = {"every": args.every, "landmark_frames": args.landmark_frames}
    train, *others = (cut(spec, **taken) for spec in (args.train, *tests))
    ids = None
    if args.identities:  # few pictures of each: all are taken
        ids = cut(args.identities)
    budget: dict[str, Any] = {
        "max_epochs": args.epochs,
        "lr": args.lr,
        "monitor": monitor,
        "validation_fraction": validation_fraction,
    }
    aus = args.aus or published_aus(train.name)
    setting = Setting(train, others, ids, aus, budget, args.work, args.work / "records" / run)
    return setting, make_folds(train, args.folds, args.inside)
