"""What a benchmark says, printed at once and kept in a file."""

import os
import platform
from datetime import date
from pathlib import Path

import sklearn
import torch

from skau.utils._device import _has_native_bfloat16


def gpu() -> str:
    """Name the GPU, with a comma, where there is one: whatever can computes on it."""
    return f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""


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
        native = "with" if _has_native_bfloat16(torch.device("cpu")) else "without"
        self.say(
            f"{date.today()}, {platform.machine()} {native} native bfloat16, "
            f"{torch.get_num_threads()} threads on {os.cpu_count()} processors, {gpu()}load "
            f"average {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, torch "
            f"{torch.__version__}, scikit-learn {sklearn.__version__}"
        )

    def say(self, line: str) -> None:
        """Print a line and keep it."""
        print(line, flush=True)
        self.lines.append(line)

    def write(self) -> None:
        """Write what was said."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("\n".join(self.lines) + "\n")
