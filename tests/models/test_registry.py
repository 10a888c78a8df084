import json

import numpy as np
import pytest

import skau
from skau.models import ModelFileError, _cards, _registry

CARD = {"au_names": ["AU1", "AU12"], "licence": "BSD-3-Clause", "summary": "Of blobs."}


@pytest.fixture
def shelf(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(_cards, "_FOLDER", tmp_path)
    _registry.ship(fitted, "blobs-1", {**CARD, "trained_on": "blobs"})
    return tmp_path


def test_a_shipped_model_is_listed_and_loaded(shelf, fitted, blobs):
    X, _, _ = blobs
    table = skau.list_models()
    assert table["name"].tolist() == ["blobs-1"]
    assert table.iloc[0].to_dict() == {
        "name": "blobs-1", **CARD, "size": (shelf / "blobs-1.skau").stat().st_size,
    }  # fmt: skip
    model, card = skau.load_model("blobs-1", return_card=True)
    assert card["trained_on"] == "blobs"
    assert np.abs(model.predict_proba(X) - fitted.predict_proba(X)).max() < 0.01


def test_an_unknown_name_is_told_the_known(shelf, saved):
    with pytest.raises(ValueError, match=r"no model is called 'nope'; shipped are: blobs-1$"):
        skau.load_model("nope")
    with pytest.raises(ValueError, match=r"skau.load reads a file of your own"):
        skau.load_model("my.skau")


@pytest.mark.parametrize("name", ["blobs-1", "blobs-1.skau"])
def test_a_name_in_place_of_a_file_is_told_how_it_is_loaded(
    shelf, fitted, tmp_path, monkeypatch, name
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    mend = rf"there is no file '{name}'; .* loaded by skau.load_model\('blobs-1'\)"
    with pytest.raises(FileNotFoundError, match=mend):
        skau.load(name)
    with pytest.raises(FileNotFoundError, match="No such file or directory: 'nope.skau'"):
        skau.load("nope.skau")
    skau.save(fitted, name)  # a file of this name is one
    assert skau.load(name)
    with pytest.raises(ValueError, match="skau.load reads a file of your own"):
        skau.load_model(f"./{name}")


def test_another_file_in_its_place_is_refused(shelf, saved):
    (shelf / "blobs-1.skau").write_bytes(saved.read_bytes())
    with pytest.raises(ModelFileError, match=r"blobs-1.skau' is not the file that was shipped"):
        skau.load_model("blobs-1")


def test_a_card_says_the_least(shelf, fitted):
    with pytest.raises(ValueError, match="card lacks licence, summary"):
        _registry.ship(fitted, "x", {"au_names": []})


def test_every_model_that_ships_can_be_loaded():
    names = {path.stem for path in _cards._FOLDER.glob("*.skau")}
    assert names == set(skau.list_models()["name"])
    for name in names:
        model, card = skau.load_model(name, return_card=True)
        assert hasattr(model, "predict_proba")
        assert json.dumps(card)
