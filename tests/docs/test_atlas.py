"""The page of all AUs, without its pictures."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

from skau.datasets._rendering._rig import ACTION_UNITS

ATLAS = Path(__file__).parents[2] / "docs" / "_ext" / "au_atlas.py"


def test_every_au_has_a_name_and_what_it_is_taken_for(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("au_atlas", ATLAS)
    atlas = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(atlas)
    monkeypatch.setattr(atlas, "strip", lambda au: Image.new("RGB", (2, 2)))
    atlas.build(SimpleNamespace(srcdir=tmp_path))
    page = (tmp_path / "atlas" / "index.md").read_text()
    assert page.count("\n## AU") == len(ACTION_UNITS)
    assert "## AU14: dimpler" in page
    assert (tmp_path / "atlas" / "AU14.png").exists()
