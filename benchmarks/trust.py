"""What skau survives, in figures.

    python benchmarks/trust.py [--only fit search crops film files inputs threads backends]

Each section stands under its own head in ``results/trust.txt``; one that is run again takes the
place of what it said before.
"""

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from _record import Record
from _trust_backends import backends, threads
from _trust_files import mutate_files
from _trust_inputs import try_inputs
from _trust_kills import WORK, kill

RESULTS = Path(__file__).parent / "results" / "trust.txt"

SECTIONS: dict[str, Callable[[Record, int | None], None]] = {
    name: lambda record, n, name=name: kill(name, record, n or 13)  # type: ignore[misc]
    for name in WORK
} | {
    "files": lambda record, n: mutate_files(record),
    "inputs": lambda record, n: try_inputs(record, n or 1000),
    "threads": lambda record, n: threads(record),
    "backends": lambda record, n: backends(record),
}


def merge(text: str, name: str, lines: list[str]) -> str:
    """Put a section's lines in place of what it said before."""
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    sections[name] = "\n".join(lines) + "\n\n"
    return "".join(f"## {key}\n{content}" for key, content in sections.items()).rstrip() + "\n"


def main() -> None:
    """Run the sections."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=SECTIONS, nargs="+", default=list(SECTIONS))
    parser.add_argument("--n", type=int, help="kills of each kind (13), inputs (1000)")
    options = parser.parse_args()
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            record = Record(Path(folder) / "unused")
            SECTIONS[name](record, options.n)
        before = RESULTS.read_text() if RESULTS.exists() else ""
        RESULTS.write_text(merge(before, name, record.lines))


if __name__ == "__main__":
    main()
