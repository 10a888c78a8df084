"""What knowing the person is worth, on a few of the faces that ship with skau."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skau.datasets import load_sample_faces
from skau.metrics import f1_frame, roc_auc

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def person():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import person

        yield person


def test_quick_metrics_are_the_usual_ones(person):
    rng = np.random.RandomState(0)
    true = pd.DataFrame(rng.randint(0, 2, (50, 3)).astype(float), columns=["AU1", "AU2", "AU4"])
    logits = pd.DataFrame(rng.normal(size=(50, 3)).round(1), columns=true.columns)  # with ties
    np.testing.assert_allclose(person.quick_auc(true, logits), roc_auc(true, logits))
    told = (logits > 0).astype(float)
    np.testing.assert_allclose(person.quick_f1(true, logits), f1_frame(true, told))


def test_shares_and_reference_frames_by_hand(person):
    people = np.repeat(["a", "b"], 2)
    # means 1 and 5: variance 8; within 2 each; between 8 - 2 / 2
    assert person.share_between(np.array([[0.0], [2], [4], [6]]), people) == 7 / 9
    Y = np.array([[1, 1], [0, 1], [0, 0], [0, 0]])
    assert person.fewest(Y, people, 1).tolist() == [False, True, True, False]
    # present ones have mean 5, absent 1: the person who shows more by 1 has a bias of 1
    bias = person.bias_from_labels(
        np.array([[6.0], [2], [4], [0]]), np.array([[1.0], [0], [1], [0]]), people
    )
    assert bias[:, 0].tolist() == [1, 1, -1, -1]


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
def test_the_table_of_a_corpus(person, tmp_path, monkeypatch):
    from _corpora import Corpus

    monkeypatch.setattr(person, "RESAMPLES", 5)
    faces = load_sample_faces()
    subjects = np.unique(faces.groups)
    lab, ids = (np.isin(faces.groups, part) for part in (subjects[:8], subjects[8:18]))
    own, strangers = (
        Corpus(
            name, {"full": faces.images[rows][:, ::4, ::4]},
            faces.target[rows].reset_index(drop=True), faces.groups[rows], None,
        )
        for name, rows in (("lab", lab), ("ids", ids))
    )  # fmt: skip

    def opened(spec, *_):
        return own if spec.startswith("lab") else strangers

    monkeypatch.setattr(person, "open_corpus", opened)
    call = [
        "--work", str(tmp_path), "--train", "lab=x", "--identities", "ids=x", "--folds", "2",
        "--epochs", "1", "--aus", "AU1", "AU12", "--out", str(tmp_path / "person.txt"),
    ]  # fmt: skip
    person.main(call)
    report = (tmp_path / "person.txt").read_text()
    assert "lab: 2 cells" in report
    assert "10 further people" in report
    assert "MixedEffects + 1 frame at rest" in report
    kept = sorted(tmp_path.glob("person-lab-ids-*.npz"))
    assert len(kept) == 2
    monkeypatch.setattr(person, "LightCNNClassifier", None)  # nothing is trained again
    person.main(call)
    assert (tmp_path / "person.txt").read_text().split("\n", 1)[1] == report.split("\n", 1)[1]
    with np.load(kept[0]) as cell:
        assert cell["features"].shape == (lab.sum(), 256)
