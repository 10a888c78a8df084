"""Calibration to people of whom there are unlabelled frames."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import LightCNNClassifier
from skau.estimators._calibration import calibrate, measure_population
from skau.estimators._reference import rest_line
from skau.metrics import roc_auc
from skau.model_selection import SubjectKFold


@pytest.fixture(scope="module")
def people():
    """People whose resting face looks a little like either AU, and whose AUs differ in strength.

    Two of four features show the AUs, the others nothing.
    """
    rng = np.random.RandomState(0)
    n_people, n = 40, 24
    codes = np.repeat(np.arange(n_people), n)
    Y = rng.rand(n_people * n, 2) < 0.4
    rest, strength = rng.randn(n_people, 2), rng.uniform(0.5, 2, (n_people, 1))
    X = np.hstack([rest[codes] + strength[codes] * Y, np.zeros_like(Y)])
    X = X + 0.2 * rng.randn(*X.shape)
    return X, pd.DataFrame(Y, columns=["AU1", "AU12"]).astype(float), np.char.mod("P%02d", codes)


@pytest.fixture(scope="module", params=[True, False], ids=["DSN", "single encoder"])
def fitted(request, people):
    X, Y, groups = people
    train = groups < "P30"
    clf = DSNClassifier(
        person_encoder=request.param, max_epochs=30, validation_fraction=0, random_state=0
    )
    return clf.fit(X[train], Y[train], groups=groups[train])


def test_population_by_hand():
    logits = np.array([[0.0, 1], [2, 1], [4, 5], [8, 5]])
    labels = np.array([[0.0, 0], [0, 1], [0, 0], [0, np.nan]])
    found = measure_population(logits, np.array([3, 3, 7, 7]), np.array(["AU1", "AU2"]), labels)
    # AU1: variances 2 and 8, means 1 and 6, so 5 within people and 12.5 - 5 / 2 between them; AU2:
    # nobody ever moves, and the means 1 and 5 have the variance 8
    assert found.index.tolist() == ["AU1", "AU2"]
    np.testing.assert_allclose(found["mean"], [3.5, 3])
    np.testing.assert_allclose(found["std"], [5**0.5, 0])
    np.testing.assert_allclose(found["frames"], [5 / (12.5 - 2.5), 0])
    # no AU shows in rows 0, 2 and 3; of AU2, it is known of rows 0 and 2: one a person
    np.testing.assert_allclose(found["rest"], [(0 + 6) / 2, (1 + 5) / 2])
    np.testing.assert_allclose(found["rest_frames"], [5 / (12.5 - 2.5), np.nan])


def test_as_many_frames_without_the_au_pass_a_threshold_when_calibrated():
    """People's bias is taken out, so that the rest of such frames varies less by itself."""
    rng = np.random.RandomState(0)
    codes = np.repeat(np.arange(60), 200)
    labels = rng.rand(len(codes), 1) < 0.3
    logits = 2 * rng.randn(60, 1)[codes] + rng.randn(len(codes), 1) + 3 * labels - 1
    population = measure_population(logits, codes, np.array(["AU1"]), labels.astype(float))
    calibrated = calibrate(logits, codes, population)
    for threshold in (-1, 1, 2):
        shares = (logits > threshold)[~labels].mean(), (calibrated > threshold)[~labels].mean()
        np.testing.assert_allclose(*shares, atol=0.03)
        missed = (logits <= threshold)[labels].mean(), (calibrated <= threshold)[labels].mean()
        assert missed[1] < 0.6 * missed[0]
    unlabelled = measure_population(
        logits, codes, np.array(["AU1"]), np.full(labels.shape, np.nan)
    )
    calibrated = calibrate(logits, codes, unlabelled)
    np.testing.assert_allclose(calibrated.std(), logits.std(), rtol=0.02)
    np.testing.assert_allclose(calibrated.mean(), logits.mean(), atol=0.02)


def test_rest_is_without_the_au_where_some_au_always_shows():
    logits, codes = np.array([[0.0, 9], [2, 9], [4, 9], [8, 9]]), np.array([0, 0, 1, 1])
    labels = np.array([[0.0, 1], [0, 1], [0, 1], [1, 1]])
    found = measure_population(logits, codes, np.array(["AU1", "AU2"]), labels)
    assert found.loc["AU1", "rest"] == ((0 + 2) / 2 + 4) / 2
    assert found.loc["AU2", ["rest", "rest_frames"]].isna().all()


@pytest.mark.parametrize("codes", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_one_person_or_one_frame_of_each_tells_nothing_about_people(codes):
    logits = np.random.RandomState(0).randn(4, 2)
    population = measure_population(
        logits, np.array(codes), np.array(["AU1", "AU2"]), np.zeros((4, 2))
    )
    assert population["frames"].isna().all()
    with pytest.warns(UserWarning, match="groups changes nothing"):
        same = calibrate(logits, np.array([0, 0, 1, 1]), population)
    np.testing.assert_allclose(same, logits)


def test_people_who_do_not_differ_are_left_as_they_are():
    logits = np.array([[1.0], [2], [2], [1]])
    population = measure_population(
        logits, np.array([0, 0, 1, 1]), np.array(["AU1"]), np.zeros((4, 1))
    )
    assert np.isinf(population["frames"]).all()
    np.testing.assert_allclose(calibrate(logits, np.array([0, 0, 0, 1]), population), logits)


def test_calibration_by_hand():
    values = {"mean": [1.0], "std": [2.0], "frames": [2.0], "level": [-1.0], "spread": [3.0]}
    population = pd.DataFrame(values, index=["AU1"])
    logits = np.array([[4.0], [6], [7]])
    # two frames count 1/2: mean 5 -> 3, std sqrt(2) -> 1 + sqrt(1/2); a single one 1/3: 7 -> 3
    expected = np.array([(4 - 3) / (1 + 0.5**0.5), (6 - 3) / (1 + 0.5**0.5), (7 - 3) / 2])
    found = calibrate(logits, np.array([0, 0, 1]), population)
    np.testing.assert_allclose(found[:, 0], 3 * expected - 1)


def test_many_frames_give_every_person_the_populations_mean_and_spread():
    rng = np.random.RandomState(0)
    codes = np.repeat([0, 1], 10_000)
    logits = rng.randn(20_000, 1) * np.array([[0.5], [3]])[codes] + codes[:, None] * 7
    values = {"mean": [0.5], "std": [2.5], "frames": [4.0], "level": [-2.0], "spread": [1.5]}
    population = pd.DataFrame(values)
    found = calibrate(logits, codes, population)[:, 0]
    for code in (0, 1):
        assert found[codes == code].mean() == pytest.approx(-2, abs=0.01)
        assert found[codes == code].std() == pytest.approx(1.5, abs=0.01)


def test_people_never_seen_are_told_better_from_their_other_frames(fitted, people):
    X, Y, groups = people
    test = groups >= "P30"
    alone = fitted.decision_function(X[test])
    pooled = fitted.decision_function(X[test], groups=groups[test])
    before, after = (roc_auc(Y[test], logits).mean() for logits in (alone, pooled))
    assert before < 0.8
    assert after > before + 0.1
    np.testing.assert_array_equal(
        fitted.predict(X[test], groups=groups[test]), (pooled > 0).astype(int)
    )


def test_a_person_is_the_rows_of_one_call_in_any_order(fitted, people):
    X, _, groups = people
    logits = fitted.decision_function(X, groups=groups)
    order = np.random.RandomState(1).permutation(len(X))
    shuffled = fitted.decision_function(X[order], groups=groups[order])
    np.testing.assert_allclose(shuffled, logits[order])
    one = groups == "P07"
    np.testing.assert_allclose(fitted.decision_function(X[one], groups=groups[one]), logits[one])
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.decision_function(X, groups=groups), logits)
    with pytest.raises(ValueError, match="groups must"):
        fitted.predict(X, groups=groups[:5])


def test_the_population_is_that_of_the_subjects_trained_on(people):
    X, Y, groups = people
    clf = DSNClassifier(max_epochs=1, validation_fraction=0.5, random_state=0)
    clf.fit(X, Y, groups=groups)
    logits, codes = clf.decision_function(X), np.unique(groups, return_inverse=True)[1]
    means = pd.DataFrame(logits).groupby(codes).mean()
    everybody = means.mean().to_numpy()
    assert np.abs(clf.population_["mean"] - everybody).max() > 1e-6
    clf.set_params(validation_fraction=0).fit(X, Y, groups=groups)
    means = pd.DataFrame(clf.decision_function(X)).groupby(codes).mean()
    np.testing.assert_allclose(clf.population_["mean"], means.mean())
    with_strangers = Y.copy()
    with_strangers[groups >= "P20"] = np.nan  # of identity-only people nothing is wanted
    clf.fit(X, with_strangers, groups=groups)
    means = pd.DataFrame(clf.decision_function(X)).groupby(codes).mean()
    np.testing.assert_allclose(clf.population_["mean"], means[:20].mean())


def test_without_groups_at_fit_groups_changes_nothing(people):
    X, Y, groups = people
    clf = DSNClassifier(max_epochs=1, validation_fraction=0, random_state=0).fit(X, Y)
    assert clf.population_.isna().all(axis=None)
    with pytest.warns(UserWarning, match="groups changes nothing: .* fit, which needs groups"):
        pooled = clf.decision_function(X, groups=groups)
    np.testing.assert_allclose(pooled, clf.decision_function(X))


def test_images_and_a_single_au(blobs):
    X, Y, groups = blobs
    clf = DSNClassifier(max_epochs=2, random_state=0).fit(X, Y["AU1"], groups=groups)
    logits = clf.decision_function(X, groups=groups)
    assert logits.shape == (len(X),)
    proba = clf.predict_proba(X, groups=groups)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-logits)))


def test_a_population_is_that_of_the_weights_it_was_measured_with(people):
    X, Y, groups = people
    clf = DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    assert clf.population_.notna().all(axis=None)
    clf.partial_fit(X, Y, groups=groups)
    assert clf.population_.isna().all(axis=None)
    assert clf.population_.index.tolist() == ["AU1", "AU12"]
    with pytest.warns(UserWarning, match="partial_fit forgets it"):
        same = clf.predict_proba(X, groups=groups)
    np.testing.assert_array_equal(same, clf.predict_proba(X))


@pytest.mark.parametrize("kind", [IdenNetClassifier, LightCNNClassifier])
def test_every_network_knows_people_by_their_other_frames(people, kind):
    X, Y, groups = people
    clf = kind(max_epochs=2, lr=1e-3, validation_fraction=0, random_state=0)
    clf.fit(X, Y, groups=groups)
    alone, codes = clf.decision_function(X), np.unique(groups, return_inverse=True)[1]
    means = pd.DataFrame(alone).groupby(codes).mean()
    np.testing.assert_allclose(clf.population_["mean"], means.mean())
    pooled = clf.decision_function(X, groups=groups)
    np.testing.assert_allclose(pooled, calibrate(alone, codes, clf.population_))
    assert np.abs(pooled - alone).max() > 1e-4
    proba = clf.predict_proba(X, groups=groups)
    np.testing.assert_array_equal(clf.predict(X, groups=groups), (proba > 0.5).astype(int))


def test_groups_are_routed_to_prediction(people):
    X, Y, groups = people
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(StandardScaler(), DSNClassifier(max_epochs=1, random_state=0))
        cv = SubjectKFold(2)
        alone = cross_val_predict(model, X, Y, cv=cv, params={"groups": groups})
        model.fit(X, Y, groups=groups)
        assert not np.array_equal(model.predict_proba(X, groups=groups), model.predict_proba(X))
    assert alone.shape == Y.shape


def test_as_many_faces_at_rest_pass_a_threshold_with_photos_of_the_person():
    rng = np.random.default_rng(0)
    people = 3000
    own = rng.normal(-3.0, 1.5, people)
    photos, frames = (own[:, None] + rng.normal(0, 1, (people, n)) for n in (2, 10))
    table = pd.DataFrame({"rest": [-3.0], "rest_frames": [1 / 1.5**2]}, index=["AU1"])
    slope, offset = np.stack([rest_line(own[:, None], table) for own in photos])[:, :, 0].T
    threshold = np.quantile(frames, 0.95)
    corrected = slope[:, None] * frames + offset[:, None]
    assert (corrected > threshold).mean() == pytest.approx(0.05, abs=0.006)
    assert (corrected > threshold).mean(axis=1).std() < 0.7 * (frames > threshold).mean(
        axis=1
    ).std()
    table["rest_frames"] = np.inf  # people do not differ, so their photos say nothing
    np.testing.assert_array_equal(rest_line(photos[0][:, None], table), [[1.0], [0.0]])
