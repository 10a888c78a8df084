"""What knowing the person is worth, on a few of the faces that ship with skau."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skau.datasets import load_sample_faces
from skau.estimators._base import BaseAUClassifier

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def person():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import person

        yield person


@pytest.fixture(scope="module")
def measures(person):
    import _person_measures

    return _person_measures


def test_shares_and_reference_frames_by_hand(measures):
    people = np.repeat(["a", "b"], 2)
    # means 1 and 5: variance 8; within 2 each; between 8 - 2 / 2
    assert measures.share_between(np.array([[0.0], [2], [4], [6]]), people) == 7 / 9
    Y = np.array([[1, 1], [0, 1], [0, 0], [0, 0]])
    assert measures.fewest(Y, people, 1).tolist() == [False, True, True, False]
    # present ones have mean 5, absent 1: the person who shows more by 1 has a bias of 1
    bias = measures.bias_from_labels(
        np.array([[6.0], [2], [4], [0]]), np.array([[1.0], [0], [1], [0]]), people
    )
    assert bias[:, 0].tolist() == [1, 1, -1, -1]


def test_stability_by_hand(measures):
    people = np.repeat(["a", "b"], 2)
    # means 1 and 5 and twice 0.5: variance 8 and 0; within 2 and 0.5
    F = np.array([[0.0, 1], [2, 0], [4, 0], [6, 1]])
    within = 2 + 0.5
    assert measures.stability(F, people) == pytest.approx((8 - within / 2) / (8 + within / 2))
    assert measures.stability(np.repeat(F[:2], 2, axis=0), people) == 1
    assert measures.stability(np.array([[0.0], [1], [0], [1]]), people) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
def test_the_table_of_a_corpus(person, measures, tmp_path, monkeypatch):
    from _corpora import Corpus

    monkeypatch.setattr(measures, "RESAMPLES", 5)
    faces = load_sample_faces()
    subjects = np.unique(faces.groups)
    some = np.arange(len(faces.groups)) % 4 == 0  # of each person's frames
    lab, ids = (some & np.isin(faces.groups, part) for part in (subjects[:8], subjects[8:18]))
    own, strangers = (
        Corpus(
            name, {"full": faces.images[rows][:, ::4, ::4]},
            faces.target[rows].reset_index(drop=True), faces.groups[rows], None,
        )
        for name, rows in (("lab", lab), ("ids", ids))
    )  # fmt: skip

    cut = []

    def opened(spec, *_, align):
        cut.append(align)
        return own if spec.startswith("lab") else strangers

    monkeypatch.setattr(person, "open_corpus", opened)
    call = [
        "--work", str(tmp_path), "--train", "lab=x", "--identities", "ids=x", "--folds", "2",
        "--epochs", "1", "--aus", "AU1", "AU12", "--out", str(tmp_path / "person.txt"),
        "--systems", "IdenNet", "DSN", "SingleEncoder",
    ]  # fmt: skip
    person.main(call)
    report = (tmp_path / "person.txt").read_text()
    assert "lab: 2 cells" in report
    assert "10 further people" in report
    assert "MixedEffects + 1 frame at rest" in report
    kept = sorted(tmp_path.glob("person-lab-ids-S0*.npz"))
    assert len(kept) == 2
    figures = pd.read_csv(tmp_path / "person.csv").set_index("system")
    assert figures.loc["IdenNet", "over"] == "LightCNN"
    assert figures.loc["DSN", "over"] == "SingleEncoder"
    assert figures.loc["DSN", "F1 margin"] == pytest.approx(
        figures.loc["DSN", "F1"] - figures.loc["SingleEncoder", "F1"], abs=0.02
    )
    margin = figures.loc["MixedEffects + unlabelled frames"]
    assert margin["AUC low"] <= margin["AUC margin"] <= margin["AUC high"]
    for name in ("IdenNet", "MixedEffects"):
        assert 0 < figures.loc[name, "stability of F"] < 1
    assert figures.loc["DSN", "of features"] > figures.loc["DSN", "leakage of logits"] - 1

    def fit(*_, **__):
        raise RuntimeError("a network is trained")

    monkeypatch.setattr(BaseAUClassifier, "fit", fit)
    person.main(call)  # nothing is trained again
    assert (tmp_path / "person.txt").read_text().split("\n", 1)[1] == report.split("\n", 1)[1]
    with np.load(kept[0]) as cell:
        assert cell["features"].shape == (lab.sum(), 256)
    # what learns from other crops, labels or people, or otherwise, is another network
    changes = [
        ("--align", "eye_distance"), ("--lr", "1e-1"), ("--size", "128"), ("--aus", "AU1", "AU2"),
        ("--inside", "S001-S004"),
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(RuntimeError, match="a network is trained"):
            person.main([*call, *change])
    assert cut[:6] == ["eyes"] * 4 + ["eye_distance"] * 2
    own.target["AU1"] = 1 - own.target["AU1"]
    with pytest.raises(RuntimeError, match="a network is trained"):
        person.main(call)


def test_the_figure_of_margin_against_likeness(measures, tmp_path):
    pytest.importorskip("matplotlib")
    from _person_figure import write_person_figure

    rng = np.random.RandomState(0)
    systems = ["LightCNN", "MixedEffects", "MixedEffects + 1 frame at rest", "IdenNet",
               "MixedEffects + unlabelled frames", measures.ORACLE]  # fmt: skip
    rows = []
    for likeness in (0, 0.5, 0.9):
        for i, name in enumerate(systems):
            row = {"system": name, "corpus": f"likeness {likeness}", "likeness": likeness}
            row |= {"resting": 1.0, "share between people": 0.3, "stability of F": 0.5}
            for score in ("F1", "AUC"):
                margin = i * (1 + likeness) + rng.rand()
                row[f"{score} margin"] = margin
                row[f"{score} low"], row[f"{score} high"] = margin - 1, margin + 1
            rows.append(row)
    table = pd.DataFrame(rows)
    write_person_figure(table, tmp_path / "person.png")
    assert (tmp_path / "person.png").stat().st_size > 20_000
    with pytest.raises(ValueError, match="no corpus with a likeness"):
        write_person_figure(table.assign(likeness=np.nan), tmp_path / "none.png")
