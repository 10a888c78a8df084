from threading import current_thread, main_thread

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.svm import SVC

from skau.baselines import SVTPTClassifier, _lbp
from skau.baselines._lbp import lbp_histograms
from skau.metrics import roc_auc
from skau.training._data import ImageFiles


@pytest.fixture(scope="module")
def people():
    """People whose resting place and whose AU's direction go together."""
    rng = np.random.RandomState(0)
    n, d = 30, 6
    X, y, groups = [], [], []
    for person in range(30):
        angle = rng.uniform(0, np.pi)
        rest = 3 * np.array([np.cos(angle), np.sin(angle), *np.zeros(d - 2)])
        direction = np.array([0, 0, np.cos(angle), np.sin(angle), *np.zeros(d - 4)])
        present = rng.permutation(n) % 2
        X.append(rest + np.outer(2 * present - 1, direction) + 0.3 * rng.randn(n, d))
        y.append(present)
        groups += [f"P{person:02d}"] * n
    return np.concatenate(X), np.concatenate(y), np.array(groups)


def auc(y, logits):
    return roc_auc(y, logits).mean()


def test_a_plane_made_for_the_person_beats_one_for_everybody(people):
    X, y, groups = people
    test = groups >= "P20"
    clf = SVTPTClassifier().fit(X[~test], y[~test], groups=groups[~test])
    assert clf.n_sources_.tolist() == [20]
    own = auc(y[test], clf.decision_function(X[test], groups=groups[test]))
    plain = SVC(kernel="linear").fit(X[~test], y[~test])
    everybody = auc(y[test], plain.decision_function(X[test]))
    assert own > 0.95
    assert own > everybody + 0.05


def test_a_person_is_the_rows_of_one_call_in_any_order(people):
    X, y, groups = people
    clf = SVTPTClassifier().fit(X, y, groups=groups)
    order = np.random.RandomState(1).permutation(len(X))
    logits = clf.decision_function(X, groups=groups)
    shuffled = clf.decision_function(X[order], groups=groups[order])
    np.testing.assert_allclose(shuffled, logits[order], atol=1e-9)
    one = groups == "P03"
    np.testing.assert_allclose(
        clf.decision_function(X[one], groups=groups[one]), logits[one], atol=1e-9
    )
    each = clf.decision_function(X[one], groups=np.arange(one.sum()))
    np.testing.assert_allclose(clf.decision_function(X[one]), each)
    np.testing.assert_array_equal(clf.predict(X, groups=groups), (logits > 0).astype(int))
    proba = clf.predict_proba(X, groups=groups)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-logits)))


def test_much_ridge_gives_everybody_the_mean_plane(people):
    X, y, groups = people
    clf = SVTPTClassifier(ridge=1e9).fit(X, y, groups=groups)
    planes = [SVC(kernel="linear").fit(X[groups == g], y[groups == g]) for g in np.unique(groups)]
    mean = np.mean([svm.decision_function(X) for svm in planes], axis=0)
    logits = clf.decision_function(X, groups=groups)
    slope, shift = np.polyfit(mean, logits, 1)
    assert slope > 0
    np.testing.assert_allclose(logits, slope * mean + shift, atol=1e-5)


def test_rare_aus_are_not_absent_everywhere():
    """One frame of ten is positive, and there are more features than frames."""
    rng = np.random.RandomState(0)
    n_people, n, d = 20, 30, 200
    groups = np.repeat(np.arange(n_people), n)
    y = np.tile(np.arange(n) % 10 == 0, n_people).astype(int)
    X = rng.randn(n_people * n, d)
    X[:, :20] += 0.8 * y[:, None]
    test = groups >= 14
    clf = SVTPTClassifier().fit(X[~test], y[~test], groups=groups[~test])
    present = clf.predict(X[test], groups=groups[test])
    assert present[y[test] == 1].mean() > 0.7
    assert present[y[test] == 0].mean() < 0.3


@pytest.mark.parametrize("seed", [9, 21, 29])  # four people, ranked the wrong way round
def test_few_subjects_do_not_turn_the_decisions_round(seed):
    rng = np.random.RandomState(seed)
    groups = np.repeat(np.arange(4), 15)
    y = rng.randint(0, 2, 60)
    X = rng.randn(60, 6)
    X[:, 0] += 0.8 * y
    X_test = rng.randn(400, 6)
    y_test = rng.randint(0, 2, 400)
    X_test[:, 0] += 0.8 * y_test
    clf = SVTPTClassifier().fit(X, y, groups=groups)
    logits = clf.decision_function(X_test)
    assert auc(y_test, logits) > 0.65
    assert clf.score(X_test, y_test) > 0.6
    assert np.abs(logits).max() < 0.01


def test_one_person_is_a_linear_svm(people):
    X, y, _ = people
    clf = SVTPTClassifier().fit(X, y)
    plain = SVC(kernel="linear").fit(X, y)
    np.testing.assert_allclose(clf.decision_function(X), plain.decision_function(X))
    assert clf.n_sources_.tolist() == [0]


def test_subjects_without_both_classes_teach_nothing(people):
    X, y, groups = people
    Y = pd.DataFrame({"AU1": y, "AU12": y}, dtype=float)
    Y.loc[(groups == "P00") & (y == 1), "AU1"] = np.nan
    Y.loc[groups == "P01", "AU12"] = np.nan
    clf = SVTPTClassifier().fit(X, Y, groups=groups)
    assert clf.n_sources_.tolist() == [29, 29]
    assert clf.predict(X, groups=groups).shape == (len(X), 2)
    with pytest.warns(UserWarning, match="no positive example of AU1 "):
        clf = SVTPTClassifier().fit(X, Y.assign(AU1=0.0), groups=groups)
    assert (clf.predict(X)[:, 0] == 0).all()
    with pytest.warns(UserWarning, match="no label for AU1; it is not learned"):
        clf = SVTPTClassifier().fit(X, Y.assign(AU1=np.nan), groups=groups)
    assert np.isnan(clf.predict(X)[:, 0]).all()


def test_images(blobs):
    X, Y, groups = blobs
    test = np.isin(groups, ["S1", "S5"])
    rng = np.random.RandomState(0)
    X = X.copy()
    rough = (
        rng.randint(-30, 30, X.shape[:3])[..., None]
        * (Y["AU1"] == 1).to_numpy()[:, None, None, None]
    )
    X = np.clip(X + rough, 0, 255).astype(np.uint8)
    clf = SVTPTClassifier().fit(X[~test], Y[~test], groups=groups[~test])
    logits = clf.decision_function(X[test], groups=groups[test])
    assert auc(Y["AU1"][test], logits[:, 0]) > 0.9
    with pytest.raises(ValueError, match="fitted on"):
        clf.predict(X[..., 0])
    with pytest.raises(ValueError, match="groups must"):
        clf.predict(X, groups=groups[:-1])


def test_patterns_by_hand():
    flat = lbp_histograms(np.full((1, 34, 34), 7, np.uint8)).reshape(64, 59)
    assert (flat.max(axis=1) == 1).all()  # one pattern: every neighbour is as bright
    assert (flat.argmax(axis=1) == 57).all()
    step = np.zeros((34, 34), np.uint8)
    step[:, 17:] = 9  # an edge between two columns
    edge = lbp_histograms(step[None]).reshape(8, 8, 59) ** 2
    np.testing.assert_allclose(edge.sum(axis=2), 1)
    assert edge[0, 0, 57] == 1
    bright = edge[:, 4]  # its first column has dark left neighbours: a uniform pattern
    np.testing.assert_allclose(bright[:, 57], 0.75)
    assert (bright[:, 58] == 0).all()
    colour = np.random.RandomState(0).randint(0, 256, (3, 40, 36)).astype(np.uint8)
    same = lbp_histograms(np.repeat(colour[..., None], 3, axis=3))
    np.testing.assert_array_equal(same, lbp_histograms(colour))


def test_files_are_read_ahead_and_give_the_histograms_of_their_pixels(tmp_path, monkeypatch):
    X = np.random.RandomState(0).randint(0, 256, (11, 34, 34, 3)).astype(np.uint8)
    for row, image in enumerate(X):
        Image.fromarray(image).save(tmp_path / f"{row}.png")
    readers = set()

    class Watched(ImageFiles):
        def _read(self, row):
            readers.add(current_thread().name)
            return super()._read(row)

    files = Watched([tmp_path / f"{row}.png" for row in range(len(X))])
    readers.clear()  # the first file was read for its size
    monkeypatch.setattr(_lbp, "_CHUNK", 4)
    np.testing.assert_array_equal(_lbp.lbp_histograms(files), _lbp.lbp_histograms(X))
    assert readers
    assert main_thread().name not in readers
