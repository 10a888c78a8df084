"""What a benchmark says, printed at once and kept in a file."""

import os
import platform
from datetime import date
from pathlib import Path

import torch


class Record:
    """Lines under a head that tells the day, the machine and its load.

    Parameters
    ----------
    file : Path
        Written when the benchmark is done, in a folder that is made if need be.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: list[str] = []
        self.say(
            f"{date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, load "
            f"average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, torch "
            f"{torch.__version__}"
        )

    def say(self, line: str) -> None:
        """Print a line and keep it."""
        print(line, flush=True)
        self.lines.append(line)

    def write(self) -> None:
        """Write what was said."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("\n".join(self.lines) + "\n")
