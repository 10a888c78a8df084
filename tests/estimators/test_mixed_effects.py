"""The mixed model against its formulas, and the classifier around it."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skau import MixedEffectsClassifier
from skau.estimators._effects import PersonEffects, _covariances, _label_effects
from skau.metrics import roc_auc


@pytest.fixture(scope="module")
def drawn():
    """Features of a mixed model: 60 people with labels, 200 without, 8 frames of each."""
    rng = np.random.RandomState(0)
    people = np.repeat(np.arange(260), 8)
    Y = (rng.rand(len(people), 2) < 0.3).astype(float)
    directions = np.array([[1.0, 0.5, 0, 0, 0], [0, 0, 1.0, 0, 0.5]])
    bias = rng.normal(size=(260, 5)) * [2, 0.1, 1, 0.1, 0.1]
    noise = rng.normal(size=(len(people), 5)) * [0.5, 0.5, 0.5, 0.5, 0.5]
    features = 3 + bias[people] + Y @ directions + noise
    labels = np.where((people < 60)[:, None], Y, np.nan)
    return features, Y, labels, people, directions


def test_the_analysis_of_variance_by_hand():
    features = np.array([[1.0], [3.0], [6.0], [10.0]])
    mean, within, between = _covariances(features, np.array([7, 7, 2, 2]))
    assert mean == [5]  # of the people's means 2 and 8
    assert within == [[(2 + 8) / 2]]
    assert between == [[18 - 5 / 2]]
    assert _covariances(features, np.arange(4))[1] is None
    # where people differ by less than their frames do, they do not differ
    assert _covariances(np.array([[0.0], [4.0], [1.0], [3.0]]), np.array([0, 0, 1, 1]))[2] == 0


def test_what_an_au_adds_by_hand():
    """Person 0 gains 4 by it, person 1 nothing, person 2 never shows it."""
    features = np.array([[10.0], [14.0], [1.0], [1.0], [99.0], [77.0]])
    Y = np.array([[0.0, 1], [1, np.nan], [0, 1], [1, 1], [0, 1], [np.nan, 1]])
    effects = _label_effects(features, Y, np.array([0, 0, 1, 1, 2, 2]))
    assert effects[0] == [2]  # mean of 4 and 0
    assert np.isnan(effects[1]).all()  # nobody was seen without it


def test_scores_are_those_of_the_formulas(drawn):
    features, _, labels, people, _ = drawn
    head = np.ones((2, 5))
    effects = PersonEffects.fit(features, labels, people, head)
    strangers = people >= 60
    mean, within, between = _covariances(features[strangers], people[strangers])
    noise = within + 2 * np.trace(within) / 5 * np.eye(5)
    d = _label_effects(features[~strangers], labels[~strangers], people[~strangers])
    rows = np.flatnonzero(people < 3)
    x, who = features[rows] - mean, people[rows]
    single = x @ np.linalg.solve(noise + between, d.T)
    whole = (features[strangers] - mean) @ np.linalg.solve(noise + between, d.T)
    spread = whole.std(axis=0)
    u = x @ effects.whiten.T
    np.testing.assert_allclose(effects.scores(u), single / spread)
    # eight frames: b = B (B + E / 8)^-1 mean
    means = np.array([x[who == p].mean(axis=0) for p in range(3)])
    b = means @ np.linalg.inv(between + noise / 8) @ between
    pooled = (x - b[who]) @ np.linalg.solve(noise, d.T)
    np.testing.assert_allclose(effects.scores(u, who), pooled / spread)
    # two frames at rest, against everybody at rest
    at_rest = np.isin(np.arange(24) % 8, [0, 3])
    calm = (labels[people < 60] == 0).all(axis=1)
    own = [
        features[people < 60][calm & (people[people < 60] == p)].mean(axis=0)
        for p in np.unique(people[people < 60][calm])
    ]
    rest = np.mean(own, axis=0) - mean
    means = np.array([x[at_rest & (who == p)].mean(axis=0) for p in range(3)])
    b = (means - rest) @ np.linalg.inv(between + noise / 2) @ between
    np.testing.assert_allclose(
        effects.scores(u, who, at_rest), (x - b[who]) @ np.linalg.solve(noise, d.T) / spread
    )
    # the logits have the mean and the spread of the head's own
    logits = effects.scores((features[strangers] - mean) @ effects.whiten.T)
    logits = logits * effects.scale + effects.offset
    np.testing.assert_allclose(logits.mean(axis=0), (features[strangers] @ head.T).mean(axis=0))
    np.testing.assert_allclose(logits.std(axis=0), (features[strangers] @ head.T).std(axis=0))


def test_strangers_are_told_better_with_each_thing_that_is_known(drawn):
    features, Y, labels, people, directions = drawn
    effects = PersonEffects.fit(features, labels, people, directions)
    new = people >= 60
    u = (features[new] - effects.mean) @ effects.whiten.T
    auc = [
        np.mean(roc_auc(Y[new], scores))
        for scores in (
            features[new] @ directions.T,
            effects.scores(u),
            effects.scores(u, people[new]),
        )
    ]
    assert auc[0] + 0.05 < auc[1] < auc[2] - 0.05
    at_rest = ~(Y[new] == 1).any(axis=1)
    some = np.isin(people[new], people[new][at_rest])
    told = effects.scores(u[some], people[new][some], at_rest[some])
    assert np.mean(roc_auc(Y[new][some], told)) > auc[1] + 0.05


def test_one_person_or_one_frame_each_tells_nothing(drawn):
    features, _, labels, people, directions = drawn
    assert PersonEffects.fit(features[:8], labels[:8], people[:8], directions) is None
    assert PersonEffects.fit(features[::8], labels[::8], people[::8], directions) is None


def test_portraits_of_strangers_do_not_take_the_place_of_the_others(drawn):
    features, _, labels, people, directions = drawn
    few = people < 60
    alone = PersonEffects.fit(features[few], labels[few], people[few], directions)
    for twice in (0, 1):  # of the 200 strangers, how many are seen in two frames
        rows = few | (np.arange(len(people)) % 8 == 0)
        rows[np.flatnonzero(people == 60)[: 1 + twice]] = True
        effects = PersonEffects.fit(features[rows], labels[rows], people[rows], directions)
        np.testing.assert_allclose(effects.between[-1], alone.between[-1], rtol=0.3)


@pytest.fixture(scope="module")
def clf(blobs):
    X, Y, groups = blobs
    return MixedEffectsClassifier(
        max_epochs=2, lr=1e-3, batch_size=32, random_state=0, device="cpu", precision="float32"
    ).fit(X, Y, groups=groups)


def test_network_and_formula_say_the_same(clf, blobs):
    X, _, groups = blobs
    logits = clf.decision_function(X)
    np.testing.assert_allclose(logits, clf._infer(X, "logits"), atol=1e-4)
    scores = clf.transform(X)
    assert scores.shape == (len(X), 2)
    assert clf.get_feature_names_out().shape == (2,)
    scale, offset = (clf.module_.get_buffer(name).numpy() for name in ("scale", "offset"))
    np.testing.assert_allclose(scores * scale + offset, logits, atol=1e-4)
    u, between = clf._infer(X, "whitened"), clf.module_.between.numpy()
    np.testing.assert_allclose(clf.identity_features(X), u * between / (1 + between), atol=1e-5)
    assert (clf.module_.between > 0).any()
    assert abs(clf.decision_function(X, groups=groups) - logits).max() > 1e-3
    assert set(np.unique(clf.predict(X, groups=groups))) <= {0, 1}


def test_copies_predict_the_same(clf, blobs):
    X, _, groups = blobs
    copy = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(
        copy.predict_proba(X, groups=groups), clf.predict_proba(X, groups=groups)
    )


def test_going_on_forgets_the_people(clf, blobs):
    X, Y, groups = blobs
    more = pickle.loads(pickle.dumps(clf)).partial_fit(X, Y, groups=groups)
    assert not more.module_.between.any()
    features = more._infer(X, "au_features")
    head = more.module_.fc7.weight.numpy(force=True)
    np.testing.assert_allclose(more.decision_function(X), features @ head.T, atol=1e-4)
    with pytest.raises(ValueError, match="reference needs a classifier that knows"):
        more.predict_proba(X, reference=np.ones(len(X), bool))


def test_nobody_known_is_lightcnn_and_says_so(blobs):
    X, Y, _ = blobs
    quick = MixedEffectsClassifier(max_epochs=1, validation_fraction=0, random_state=0)
    with pytest.warns(UserWarning, match="groups is not given, so nobody knows .* LightCNN's"):
        alone = clone(quick).fit(X, Y)
    assert not alone.module_.between.any()
    with pytest.warns(UserWarning, match="groups names no two people"):
        clone(quick).fit(X, Y, groups=np.arange(len(X)))


def test_identity_only_people_count_and_train_nothing(blobs):
    """They change the mixed model, and not one weight."""
    X, Y, groups = blobs
    Y = Y.copy()
    half = groups >= "S4"
    Y[half] = np.nan
    params = {"max_epochs": 1, "validation_fraction": 0, "random_state": 0, "precision": "float32"}
    many = MixedEffectsClassifier(**params).fit(X, Y, groups=groups)
    few = MixedEffectsClassifier(**params).fit(X[~half], Y[~half], groups=groups[~half])
    np.testing.assert_array_equal(
        many.module_.fc7.weight.numpy(force=True), few.module_.fc7.weight.numpy(force=True)
    )
    assert (many.module_.between != few.module_.between).any()


def test_a_reference_that_does_not_fit_is_told(clf, blobs):
    X, _, groups = blobs
    with pytest.raises(ValueError, match="reference must say of each of the"):
        clf.predict(X, groups=groups, reference=np.zeros(len(X)))
    first = groups == groups[0]
    with pytest.raises(ValueError, match=f"reference marks no frame of (?!{groups[0]})"):
        clf.predict(X, groups=groups, reference=first)
    with pytest.raises(ValueError, match="reference marks no frame of nobody"):
        clf.predict(X, reference=np.zeros(len(X), bool))
