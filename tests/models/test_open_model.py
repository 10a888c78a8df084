"""The open model: that the file, the thresholds and the card belong together, and that it sees."""

import numpy as np
import pytest

import skau
from skau.datasets import load_sample_faces
from skau.metrics import au_report


@pytest.fixture(scope="module")
def open_1():
    return skau.load_model("open-1", return_card=True)


def test_it_sees_the_aus_of_rendered_people(open_1):
    model, _ = open_1
    faces = load_sample_faces()
    rows = slice(0, None, 4)
    scores = model.predict_proba(faces.images[rows])
    names = list(model[-1].au_names_)
    known = [names.index(au) for au in faces.au_names]
    report = au_report(faces.target.iloc[rows], scores[:, known])
    assert report.loc["mean", "roc_auc"] > 0.9


def test_its_decisions_are_those_of_the_thresholds_on_its_card(open_1):
    model, card = open_1
    classifier, faces = model[-1], load_sample_faces()
    assert card["au_names"] == list(classifier.au_names_) == list(card["per_au"])
    told = [card["per_au"][au]["threshold"] for au in card["au_names"]]
    np.testing.assert_allclose(classifier.thresholds_, told, atol=1e-3)
    few = faces.images[:8]
    expected = model.predict_proba(few) > classifier.thresholds_
    np.testing.assert_array_equal(model.predict(few), expected)


def test_it_is_small_enough_for_the_wheel(open_1):
    _, card = open_1
    assert card["size"] < 8e6
    assert card["licence"] == "CC0-1.0"
