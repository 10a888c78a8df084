r"""The papers' tables: every method, fold and seed, within a corpus and across to others.

    python benchmarks/tables.py --work CROPS --train ict-lab=DIR --test ict-wild=DIR \
        --test london=DIR --identities ict-ids=DIR

The papers' own tables, from their corpora, are made by ``papers.py``. The AUs are those that paper
2 uses within a corpus it knows; across, those that both have.

A *cell* is one fit of one method, on all folds but one, with one seed; it is tested on the fold
left out and on every other corpus. Cells are written to ``--out`` as they are done, and a run
that was stopped goes on with what is missing. ``--methods`` takes any name of ``_methods.py``
and variants such as ``IdenNet:normalize=False``; give variants a file of their own. ``--draws``
replaces the folds by paper 1's protocol: random draws of five subjects, four to train (one of
them to validate) and one to test; their margin is shown next to that of ``--beside``, a CSV of
all subjects. ``--inside FOLD`` splits the training subjects of that fold again, to choose settings
without its test subjects. ``--test-epoch`` shows, in a row beside each network's, what the choice
of the epoch on the test fold, as in much public code, would be worth. ``--figure`` draws the
margins of draws, the effect of a parameter of which several values are run (``DSN:beta=0
DSN:beta=0.05 DSN:beta=0.5``), or all methods, and of IdenNet and DSN the features of unseen people
before and after the person is taken out (Figure 2 of paper 2). ``--predictions OpenFace=FILE``
puts what another tool wrote of the images (Py-Feat, OpenFace, LibreFace, or a CSV of probabilities
with a column ``image``) beside, scored on the same people; each image has a row in it, of empty
cells where no face was found. ``--methods`` without a name runs nothing else. ``--dask ADDRESS``
runs the cells on the workers of a Dask cluster that share ``--work`` and were started with
``PYTHONPATH=benchmarks``.
"""

import argparse
import json
import platform
import sys
import traceback
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from _cells import Setting, run_cell, score_predictions
from _feature_figure import draw_feature_space
from _figures import write_figure
from _folds import Fold, make_draws, pick_folds
from _methods import REGIONS, describe, make_estimator, parse_method
from _options import make_parser, open_setting
from _record import gpu
from _report import write_report
from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from skau.utils._cache import write_whole
from skau.utils._cluster import on_cluster
from skau.utils._extras import import_extra

HEADLINE = (
    "DSN", "SingleEncoder", "LightCNN", "LightCNN-pretrained", "IdenNet", "MixedEffects",
    "DSN-printed", "SingleEncoder-printed", "IdenNet-released",
)  # fmt: skip
RESULTS = Path(__file__).parent / "results" / "tables.csv"
CELL = ["method", "train", "fold", "seed"]
PLAIN = {"every": 1, "align": "eyes", "landmark_frames": None, "test_epoch": False}
"""What a configuration means that does not name these."""


def try_cell(setting: Setting, spec: str, fold: Fold, seed: int) -> pd.DataFrame | str:
    """Run a cell; one that fails says so and leaves the others alone."""
    try:
        return run_cell(setting, spec, fold, seed)
    except Exception:
        return f"{spec}, {fold.name}, seed {seed}:\n{traceback.format_exc()}"


def read_results(out: Path) -> pd.DataFrame | None:
    """Return the cells done so far, or None."""
    return pd.read_csv(out, dtype={"fold": str}) if out.exists() else None


def missing_cells(
    results: pd.DataFrame | None,
    setting: Setting,
    methods: list[str],
    folds: list[Fold],
    seeds: list[int],
) -> list[tuple[str, Fold, int]]:
    """Seeds outermost, so that a run stopped early has whole rows of few seeds.

    A cell that was not tested on one of the corpora is run again.
    """
    train = setting.corpus.name
    wanted = {train, *(other.name for other in setting.others)}
    tests = {} if results is None else results.groupby(CELL)["test"].agg(set)
    done = {cell for cell, names in tests.items() if wanted <= names}
    return [
        (spec, fold, seed)
        for seed in seeds
        for fold in folds
        for spec in methods
        if (spec, train, fold.name, seed) not in done
    ]


def add_cell(results: pd.DataFrame, result: pd.DataFrame) -> pd.DataFrame:
    """Add a cell in place of what there may be of it already."""
    old = results.set_index(CELL).index.isin(result.set_index(CELL).index)
    return pd.concat([results[~old], result], ignore_index=True)


def run(
    setting: Setting,
    methods: list[str],
    folds: list[Fold],
    seeds: list[int],
    out: Path,
    jobs: int,
    told: dict[str, list[Path]],
) -> pd.DataFrame:
    """Run the cells that ``out`` does not hold, and write each as it is done.

    ``told`` are the files of other tools, which are read anew each time.
    """
    results = read_results(out)
    cells = missing_cells(results, setting, methods, folds, seeds)
    failures = []
    work: Iterator[Any] = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(try_cell)(setting, *cell) for cell in cells
    )
    for result in tqdm(work, total=len(cells), desc="cells", disable=not cells):
        if isinstance(result, str):
            failures.append(result)
            tqdm.write(result)
            continue
        results = result if results is None else add_cell(results, result)
        with write_whole(out) as file:  # at no time is there half a cell on disk
            results.to_csv(file, index=False, float_format="%.6g")
    for name, files in told.items():
        result = score_predictions(setting, folds, name, files)
        results = result if results is None else add_cell(results, result)
        with write_whole(out) as file:
            results.to_csv(file, index=False, float_format="%.6g")
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(cells)} cells failed; run again after a mend")
    assert results is not None
    return results


def describe_command(argv: list[str]) -> str:
    """Return the command without the folders of this machine."""
    words = []
    for word in argv:
        name, equals, place = word.partition("=")
        if equals and Path(place).exists():
            words.append(f"{name}={'DIR' if Path(place).is_dir() else Path(place).name}")
        else:
            words.append(Path(word).name)
    return " ".join(["python benchmarks/tables.py", *words])


def check_config(
    config: dict[str, Any], methods: list[str], command: str, out: Path
) -> dict[str, Any]:
    """Write the configuration beside the results; refuse to mix two in one file.

    Methods and corpora are compared with those of their names; of corpora that were not noted
    yet, it says so.
    """
    file = out.with_suffix(".json")
    own = {spec: describe(make_estimator(spec, config["budget"], seed=0)) for spec in methods}
    corpora: dict[str, str] = config["corpora"]
    old: dict[str, Any] = {}
    if out.exists() and file.exists():
        old = PLAIN | json.loads(file.read_text(encoding="utf-8"))
        before = old.get("corpora", {})
        changed = [key for key in config if key != "corpora" and old.get(key) != config[key]]
        changed += [spec for spec in own if old["methods"].get(spec, own[spec]) != own[spec]]
        changed += [
            f"{name} (its people, files or labels)"
            for name in corpora
            if before.get(name, corpora[name]) != corpora[name]
        ]
        if changed:
            raise ValueError(
                f"{out} was begun with another configuration of {', '.join(changed)}; choose "
                "another --out, or delete it"
            )
        own, corpora = old["methods"] | own, before | corpora
    if out.exists() and "corpora" not in old:
        print(
            f"nothing beside {out} tells of which people and labels its cells are; they are taken "
            f"for those of {', '.join(corpora)} as they are now"
        )
    machine = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {gpu()}{cpu_count()} cores",
        "versions": f"Python {platform.python_version()}, torch {torch.__version__}",
    }
    whole = {**config, "corpora": corpora, "methods": own, **machine, "command": command}
    file.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return whole


def make_tables_parser() -> argparse.ArgumentParser:
    """Return the parser of this script."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add("--test", action="append", default=[], metavar="NAME=DIR", help="other corpora")
    add("--out", type=Path, default=RESULTS)
    add("--methods", nargs="*", default=list(HEADLINE))
    add("--only-folds", nargs="+", help="names of the folds to run")
    add("--draws", type=int, help="draws of five subjects in place of folds")
    add("--beside", type=Path, default=RESULTS, metavar="CSV", help="cells of all subjects")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2])
    add("--monitor", choices=["loss", "f1"], default="f1", help="chooses the epoch")
    add(
        "--test-epoch", action="store_true",
        help="a row beside each network's: the epoch that is best on the test fold",
    )  # fmt: skip
    add(
        "--predictions", action="append", default=[], metavar="NAME=CSV",
        help="rows of another tool, from what it wrote of the images; one file a corpus",
    )  # fmt: skip
    add("--jobs", type=int, default=1, help="cells at a time")
    add("--dask", metavar="ADDRESS", help="of a cluster's scheduler, such as tcp://host:8786")
    add("--figure", action="store_true", help="needs matplotlib")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Read the arguments, run what is missing and write the report."""
    parser = make_tables_parser()
    args = parser.parse_args(argv)
    if args.draws and args.inside:
        parser.error(
            "--draws takes from all subjects, --inside from those of a fold: use one of them"
        )

    told: dict[str, list[Path]] = {}
    for spec in args.predictions:
        name, equals, file = spec.partition("=")
        if not equals or not Path(file).is_file():
            parser.error(f"--predictions takes NAME=CSV, and {spec!r} names no file")
        told.setdefault(name, []).append(Path(file))

    if args.figure:
        try:
            import_extra("matplotlib", "plot", "--figure needs matplotlib")
        except ImportError as error:
            parser.error(str(error))

    regions = REGIONS if any(parse_method(spec).regions for spec in args.methods) else ("full",)
    setting, folds = open_setting(
        args, args.test, regions, args.out.stem,
        monitor=args.monitor, validation_fraction=0.25 if args.draws else 0.15,
    )  # fmt: skip
    setting.test_epoch = args.test_epoch
    partition = f"{len(folds)} folds" + (f" inside {args.inside}" if args.inside else "")
    if args.draws:
        partition, folds = "draws", make_draws(setting.corpus, args.draws)
    if args.only_folds:
        folds = pick_folds(folds, args.only_folds, "--only-folds")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    config = {
        "size": args.size, "budget": setting.budget, "partition": partition,
        "identities": setting.identities.name if setting.identities else None, "aus": setting.aus,
        "corpora": {
            corpus.name: corpus.digest(setting.aus)
            for corpus in (setting.corpus, *setting.others, setting.identities)
            if corpus is not None
        },
    } | {key: getattr(args, key) for key in PLAIN}  # fmt: skip
    command = describe_command(sys.argv[1:] if argv is None else argv)
    config = check_config(config, args.methods, command, args.out)
    with on_cluster(args.dask):
        results = run(setting, args.methods, folds, args.seeds, args.out, args.jobs, told)
    beside = read_results(args.beside)
    write_report(results, config, args.out.with_suffix(".md"), beside, setting.records)
    if args.figure:
        write_figure(results, setting.records, args.out.with_suffix(".png"), beside)
        draw_feature_space(results, setting.records, args.out.parent, args.out.stem)


if __name__ == "__main__":
    main()
