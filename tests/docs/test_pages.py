"""The code on the pages runs; what needs a file of the reader's own is at least code."""

import re
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/guide").glob("*.md")]
)
NEEDS_A_FILE = (
    "doctest: skip",
    "faces/",
    "photo.jpg",
    ".mp4",
    "LocalCluster",
    "KubeCluster",
    "SLURM",
    "ray.",
)


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.stem)
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    with sklearn.config_context():
        for number, block in enumerate(blocks(page)):
            code = compile(block, f"{page.name}, block {number}", "exec")
            if not any(mark in block for mark in NEEDS_A_FILE):
                exec(code, names)


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if not target.startswith(("http", "mailto")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
