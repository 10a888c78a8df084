"""All tables of both papers, from the corpora that the papers used.

    python benchmarks/papers.py --work CROPS --bp4d DIR --disfa DIR --unbc DIR --celeba DIR

The folders are laid out as the loaders in ``skau.datasets`` describe. Paper 2 compares its systems
within BP4D, DISFA and UNBC-McMaster and from BP4D to the other two, with CelebA's identities
(``bp4d``, ``disfa``, ``unbc``), and tells their size and speed (``speed-methods.txt``, by
``speed.py``). Paper 1 compares its two systems on draws of five subjects of BP4D (``draws``; on
all subjects: ``dsn``) and puts models of one AU beside a model of four (``regions``). Each is a
run of ``tables.py`` with a CSV of its cells and a report in ``--out``; what is done is not done
again. Further options, such as ``--epochs 60``, ``--seeds 0``, ``--figure`` or ``--dask ADDRESS``,
go to every run of it.

At 128 px a crop is 49 kB: ``CROPS`` needs 40 GB, and 15 GB more for every cell that runs at a
time, whose training part lies there as long and never in the memory. That holds the crops of
BP4D's test fold (2.4 GB, of the region models three times as much) and SVTPT's features (4 GB).
"""

import argparse
from pathlib import Path

import speed
import tables
from _report import PAIR

BASELINES = ["LightCNN", "LightCNN-pretrained", "AlexNet", "DRML", "ATF", "ROINet", "SVTPT"]
PAPER_2 = ["IdenNet", "IdenNet:normalize=False", *BASELINES]
DRAWS = 100
CORPORA = ("bp4d", "disfa", "unbc", "celeba")


def plan(folders: dict[str, Path], out: Path) -> dict[str, list[str]]:
    """Return the arguments of every run of ``tables.py``, by its name."""
    bp4d, disfa, unbc, celeba = (f"{name}={folders[name]}" for name in CORPORA)
    systems = ["--identities", celeba, "--methods", *PAPER_2]
    paper_1 = ["--train", bp4d, "--monitor", "loss"]
    return {
        "bp4d": ["--train", bp4d, "--test", disfa, "--test", unbc, *systems],
        "disfa": ["--train", disfa, *systems],
        "unbc": ["--train", unbc, *systems],
        "dsn": [*paper_1, "--methods", *PAIR],
        "draws": [
            *paper_1, "--draws", str(DRAWS), "--beside", str(out / "dsn.csv"),
            "--methods", *PAIR,
        ],
        "regions": [
            *paper_1, "--aus", "AU1", "AU6", "AU12", "AU14",
            "--methods", "DSN", "DSN-regions", "DSN-single-AU",
        ],
    }  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Run the tables one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", required=True, help="folder for crops and learning curves")
    for name in CORPORA:
        add(f"--{name}", type=Path, required=True, metavar="DIR")
    add("--out", type=Path, default=Path("papers"), help="folder of the results")
    options, rest = parser.parse_known_args(argv)
    # the last of two values of an option counts
    shared = ["--work", options.work, "--size", "128", *rest]
    folders = {name: getattr(options, name) for name in CORPORA}
    for name, arguments in plan(folders, options.out).items():
        tables.main([*arguments, "--out", str(options.out / f"{name}.csv"), *shared])
    speed.main(["--only", "methods", "--out", str(options.out)])


if __name__ == "__main__":
    main()
