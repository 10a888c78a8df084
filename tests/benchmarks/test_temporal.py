"""An LSTM over the frames of each person."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


class Seen(TransformerMixin, BaseEstimator):
    """Features that are the input itself, in place of a network's."""

    max_epochs = 60

    def fit(self, X, y, groups):
        return self

    def transform(self, X):
        return X


@pytest.fixture(scope="module")
def film():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        from _temporal import FilmClassifier, _clips

        yield FilmClassifier, _clips


def frames(n_people, n_frames, seed):
    """AU1 is the input of the frame before, which no single frame tells."""
    rng = np.random.RandomState(seed)
    bits = rng.randint(0, 2, (n_people, n_frames))
    before = np.concatenate([np.zeros((n_people, 1), int), bits[:, :-1]], axis=1)
    groups = np.repeat([f"p{i}" for i in range(n_people)], n_frames)
    Y = pd.DataFrame({"AU1": before.ravel(), "AU2": bits.ravel()}, dtype=float)
    return bits.reshape(-1, 1).astype(np.float32), Y, groups


def test_clips_are_whole_people_in_order(film):
    _, clips = film
    rows = clips(np.array(["b", "a"] * 30))
    assert rows.shape == (4, 24)
    np.testing.assert_array_equal(rows[0], np.arange(1, 48, 2))
    np.testing.assert_array_equal(rows[1], [49, 51, 53, 55, 57, 59] + [-1] * 18)
    assert sorted(rows[rows >= 0]) == list(range(60))


@pytest.mark.parametrize("n_layers", [1, 2])
def test_it_learns_what_single_frames_do_not_tell(film, n_layers):
    FilmClassifier, _ = film
    X, Y, groups = frames(20, 30, 0)
    Y.iloc[::5, 0] = np.nan
    clf = FilmClassifier(Seen(), n_layers=n_layers, lr=1e-2, random_state=0)
    X_test, Y_test, people = frames(4, 30, 1)
    proba = clf.fit(X, Y, groups).predict_proba(X_test, groups=people)
    inside = np.arange(len(X_test)) % 30 % 24 > 0  # the first frame of a clip has none before it
    told = (proba > 0.5)[inside]
    assert (told == (Y_test.to_numpy() == 1)[inside]).mean(axis=0).min() > 0.95
    other = X_test.copy()
    other[people == "p3"] = 1 - other[people == "p3"]
    same = people != "p3"
    again = clf.predict_proba(other, groups=people)
    np.testing.assert_array_equal(again[same], proba[same])  # nobody sees another's frames
    twin = FilmClassifier(Seen(), n_layers=n_layers, lr=1e-2, random_state=0)
    np.testing.assert_array_equal(
        twin.fit(X, Y, groups).predict_proba(X_test, groups=people), proba
    )


def test_rows_of_the_tables(film):
    from _methods import make_estimator, parse_method

    for name, layers in (("R-T1", 1), ("R-T2", 2)):
        clf = make_estimator(name, {"max_epochs": 3, "lr": 1e-4}, seed=5)
        assert clf.n_layers == layers
        assert (clf.network.max_epochs, clf.network.lr) == (3, 1e-4)
        assert clf.random_state == clf.network.random_state == 5
        assert parse_method(name).film
