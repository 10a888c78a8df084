"""The code on the pages runs; what needs a file of the reader's own is at least code."""

import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
from PIL import Image

from skau.cli import main as skau_command
from skau.datasets import load_sample_faces

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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "docs/start.md"], ids=lambda p: p.stem
)
def test_the_first_pages_run_on_a_readers_own_files(page, tmp_path, monkeypatch):
    av = pytest.importorskip("av", reason='films need pip install "skau[video]"')
    corpus = load_sample_faces()
    some = np.flatnonzero(np.arange(480) % 20 < 6)[:36]  # of six people
    pictures = [Image.fromarray(image).resize((256, 256)) for image in corpus.images[some]]
    (tmp_path / "faces").mkdir()
    for i, picture in enumerate(pictures):
        picture.save(tmp_path / f"faces/{i}.png")
    labels = corpus.target.iloc[some][["AU1", "AU12"]].astype(int)
    labels.insert(0, "image", [f"{i}.png" for i in range(len(some))])
    labels.insert(1, "subject", corpus.groups[some])
    labels.to_csv(tmp_path / "faces/labels.csv", index=False)
    pictures[0].save(tmp_path / "photo.jpg")
    with av.open(str(tmp_path / "interview.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 512
        for left, right in zip(pictures[:6], pictures[6:12], strict=True):  # two people
            frame = Image.new("RGB", (512, 512))
            frame.paste(left, (0, 128))
            frame.paste(right, (256, 128))
            film.mux(stream.encode(av.VideoFrame.from_image(frame)))
        film.mux(stream.encode())
    monkeypatch.chdir(tmp_path)
    if page.stem == "start":
        skau_command(["train", "faces/", "-o", "run/", "--epochs", "1"])
    names = {}
    with sklearn.config_context():
        for block in blocks(page):
            exec(block.replace("random_state=0)", "random_state=0, max_epochs=1)"), names)
    if page.stem == "start":
        assert names["photos"][["AU1", "AU12"]].notna().all(axis=None)
        assert len(names["film"]) == 6
        assert names["limits"].index.tolist() == ["AU1", "AU12"]
        assert names["probabilities"].shape == (1, 18)
        assert names["own"].named_steps["dsnclassifier"].au_names_.tolist() == ["AU1", "AU12"]
        assert (tmp_path / "guest.html").exists()
    else:
        assert names["search"].predict(["photo.jpg"]).shape == (1, 2)
        assert len(names["table"]) == 1
