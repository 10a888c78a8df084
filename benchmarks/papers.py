"""All tables of both papers, from the corpora that the papers used.

    python benchmarks/papers.py --work CROPS --bp4d DIR --disfa DIR --unbc DIR --celeba DIR --plan
    python benchmarks/papers.py --work CROPS --bp4d DIR --disfa DIR --unbc DIR --celeba DIR

``--plan`` says which fits there are, and what they cost here by a short trial, and ends.

The folders are laid out as the loaders in ``skau.datasets`` describe. Paper 2 compares its systems
within BP4D, DISFA and UNBC-McMaster and from BP4D to the other two, with CelebA's identities
(``bp4d``, ``disfa``, ``unbc``), and tells their size and speed (``speed-methods.txt``, by
``speed.py``). Paper 1 compares its two systems on draws of five subjects of BP4D (``draws``; on
all subjects: ``dsn``) and puts models of one AU beside a model of four (``regions``, and beside
the model of twelve of ``dsn``), on crops by the landmarks of each subject. Each is a run of
``tables.py`` with a CSV of its cells and a report in ``--out``, in which the papers' own figures
stand beside those measured; where matplotlib is, there is a figure of the F1 of all systems, and
paper 2's Figure 2: IdenNet's features before and after the subtraction. What is done is not done
again. Further options, such as ``--epochs 60``, ``--lr 1e-4``, ``--every 10``, ``--seeds 0``,
``--dask ADDRESS``, go to all runs; ``--draws`` and ``--partial`` are this script's own.

The rows "as released" and "as printed" have the papers' own budgets, which no option changes.

A corpus with fewer people than its owners hand out is refused, since folds would lack them
without a word; ``--partial`` takes it all the same, and its report says so.

At 128 px a crop is 49 kB: ``CROPS`` needs 40 GB, and 15 GB more for every cell that runs at a
time, whose training part lies there as long and never in the memory. That holds the crops of
BP4D's test fold (2.4 GB, of the region models three times as much) and SVTPT's features (4 GB).
``--every 10`` takes every tenth frame of each person, and so a tenth of all that.
"""

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import speed
import tables
from _corpora import LOADERS
from _methods import make_estimator, parse_method
from _published import N_SUBJECTS
from _report import PAIR, PRINTED

BASELINES = [
    "LightCNN", "LightCNN-pretrained", "AlexNet", "DRML", "ATF", "ROINet", "R-T1", "R-T2", "SVTPT",
]  # fmt: skip
PAPER_2 = ["IdenNet", "IdenNet-released", "IdenNet:normalize=False", "MixedEffects", *BASELINES]
CORPORA = ("bp4d", "disfa", "unbc", "celeba")
LANDMARK_FRAMES = 10  # of each subject, whose median cuts all crops of paper 1


def plan(folders: dict[str, Path], out: Path, draws: int) -> dict[str, list[str]]:
    """Return the arguments of every run of ``tables.py``, by its name."""
    bp4d, disfa, unbc, celeba = (f"{name}={folders[name]}" for name in CORPORA)
    figure = ["--figure"] if find_spec("matplotlib") else []
    systems = [*figure, "--identities", celeba, "--methods", *PAPER_2]
    paper_1 = [
        "--train", bp4d, "--monitor", "loss", "--landmark-frames", str(LANDMARK_FRAMES),
    ]  # fmt: skip
    return {
        "bp4d": ["--train", bp4d, "--test", disfa, "--test", unbc, *systems],
        "disfa": ["--train", disfa, *systems],
        "unbc": ["--train", unbc, *systems],
        "dsn": [*paper_1, "--methods", *PAIR, *PRINTED],
        "draws": [
            *paper_1, "--draws", str(draws), "--beside", str(out / "dsn.csv"),
            "--methods", *PAIR, *PRINTED,
        ],
        "regions": [
            *paper_1, "--aus", "AU1", "AU6", "AU12", "AU14", "--beside", str(out / "dsn.csv"),
            "--methods", "DSN", "DSN-regions", "DSN-single-AU",
        ],
    }  # fmt: skip


def open_labels(folders: dict[str, Path], partial: bool) -> dict[str, pd.DataFrame]:
    """Read the labels of all corpora, and see that everybody is there.

    Returns
    -------
    dict of DataFrame
        The subject of every row, by corpus.
    """
    found, lacking = {}, []
    for name, folder in folders.items():
        groups = np.asarray(LOADERS[name](folder).groups)
        found[name] = pd.DataFrame({"subject": groups})
        people = len(np.unique(groups))
        if people < N_SUBJECTS[name]:
            lacking.append(f"{name} in {folder} has {people} of {N_SUBJECTS[name]} subjects")
    if lacking and not partial:
        raise SystemExit(
            f"{'; '.join(lacking)}: whole folds may lack theirs. Complete the folders, or pass "
            "--partial to run with those who are there."
        )
    for line in lacking:
        print(f"partial: {line}")
    return found


def seconds_an_image(spec: str, size: int) -> float:
    """Time one epoch of a method on a few random crops."""
    if not parse_method(spec).trained:
        return 0.0
    clf = make_estimator(spec, {"max_epochs": 1, "validation_fraction": 0}, 0)
    rng = np.random.RandomState(0)
    X = rng.randint(0, 256, (64, size, size, 3)).astype(np.uint8)
    Y, groups = rng.randint(0, 2, (64, 12)).astype(float), np.repeat(np.arange(8), 8)
    start = time.perf_counter()
    clf.partial_fit(X, Y, groups=groups)
    return (time.perf_counter() - start) / len(X)


def tell_cost(
    runs: dict[str, list[str]], labels: dict[str, pd.DataFrame], shared: list[str]
) -> None:
    """Print how many fits there are, of how many images, and about how long they take here."""
    parser = tables.make_tables_parser()
    total, cost = 0.0, {}
    print(f"{'run':8s} {'fits':>5s} {'images a fit':>13s} {'hours':>8s}")
    for name, arguments in runs.items():
        args = parser.parse_args([*arguments, *shared])
        train = args.train.partition("=")[0]
        people = labels[train]["subject"].nunique()
        each = len(labels[train]) / people / args.every
        images = each * (4 if args.draws else people * (1 - 1 / args.folds))
        folds = args.draws or args.folds
        hours = 0.0
        for spec in args.methods:
            if spec.startswith("DSN-") and "printed" not in spec:
                nets = len(args.aus or [])
                base = "DSN"
            elif parse_method(spec).film:
                nets, base = 1, "ROINet"  # beside which the LSTM costs little
            else:
                nets, base = 1, spec
            if (base, args.size) not in cost:
                cost[base, args.size] = seconds_an_image(base, args.size)
            epochs = parse_method(spec).params.get("max_epochs", args.epochs)
            one = cost[base, args.size] * images * epochs * nets
            hours += one * folds * len(args.seeds) / 3600
        fits = folds * len(args.seeds) * len(args.methods)
        print(f"{name:8s} {fits:5d} {images:13,.0f} {hours:8.1f}")
        total += hours
    print(f"about {total:,.0f} hours of training with one fit at a time, without identity batches")


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
    add("--draws", type=int, default=100, help="draws of five subjects for paper 1")
    add("--partial", action="store_true", help="take corpora with subjects missing")
    add("--plan", action="store_true", help="tell the fits and their cost, and end")
    options, rest = parser.parse_known_args(argv)
    # the last of two values of an option counts
    shared = ["--work", options.work, "--size", "128", *rest]
    folders = {name: getattr(options, name) for name in CORPORA}
    labels = open_labels(folders, options.partial)
    runs = plan(folders, options.out, options.draws)
    tell_cost(runs, labels, shared)
    if options.plan:
        return
    for name, arguments in runs.items():
        tables.main([*arguments, "--out", str(options.out / f"{name}.csv"), *shared])
    speed.main(["--only", "methods", "--out", str(options.out)])


if __name__ == "__main__":
    main()
