"""Rows of weight 0 are not there, and a fit that fails leaves what there was."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, LRScheduler
from torch.optim.lr_scheduler import StepLR

from skau import DSNClassifier, IdenNetClassifier, MixedEffectsClassifier
from skau.baselines import ATFClassifier, LightCNNClassifier, SVTPTClassifier

QUICK = {"max_epochs": 2, "batch_size": 16, "lr": 1e-2, "random_state": 0, "device": "cpu"}
NETWORKS = [
    DSNClassifier, LightCNNClassifier, ATFClassifier, MixedEffectsClassifier, IdenNetClassifier,
]  # fmt: skip


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    Y = pd.DataFrame(X @ rng.normal(size=(6, 2)) > 0, columns=["AU1", "AU12"]).astype(float)
    return X, Y, np.repeat(np.arange(8), 10)


class Fails(Callback):
    def __init__(self, after=0):
        self.after = after

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) > self.after:
            raise RuntimeError("not today")


@pytest.mark.parametrize("Estimator", [*NETWORKS, SVTPTClassifier])
def test_a_weight_of_0_leaves_a_row_out(Estimator, vectors):
    X, Y, groups = vectors
    params = {} if Estimator is SVTPTClassifier else QUICK
    weight = (np.arange(80) % 3 > 0) & (groups != 5)  # a person as a whole, and a third of all
    false = (1 - Y).where(pd.Series(~weight), Y)
    clf = Estimator(**params).fit(X, false, groups=groups, sample_weight=weight.astype(float))
    without = Estimator(**params).fit(X[weight], Y[weight], groups=groups[weight])
    np.testing.assert_array_equal(clf.predict_proba(X), without.predict_proba(X))
    assert clf.trained_on_ == without.trained_on_
    if Estimator is not SVTPTClassifier:
        pd.testing.assert_frame_equal(clf.population_, without.population_)
        assert clf.best_epoch_ == without.best_epoch_


def test_the_loss_of_an_epoch_does_not_depend_on_its_batches(vectors):
    X, Y, groups = vectors
    weight = np.arange(1.0, 81)
    losses = [
        LightCNNClassifier(**{**QUICK, "batch_size": size, "lr": 1e-30, "max_epochs": 1})
        .fit(X, Y, groups=groups, sample_weight=weight)
        .history_["valid_class_loss"][0]
        for size in (2, 80)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.parametrize("Estimator", [*NETWORKS, SVTPTClassifier])
def test_a_refit_that_is_refused_leaves_the_names_with_their_outputs(Estimator, vectors):
    X, Y, groups = vectors
    clf = Estimator(**({} if Estimator is SVTPTClassifier else QUICK)).fit(X, Y, groups=groups)
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match="groups"):
        clf.fit(X, Y[["AU12", "AU1"]], groups=groups[:-1])
    with pytest.raises(ValueError, match="y"):
        clf.fit(X[:, :4], Y + 5)
    assert clf.au_names_.tolist() == ["AU1", "AU12"]
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize("Estimator", NETWORKS)
def test_a_fit_that_fails_is_no_fit(Estimator, vectors):
    X, Y, groups = vectors
    clf = Estimator(**QUICK, callbacks=[Fails()])
    with pytest.raises(RuntimeError, match="not today"):
        clf.fit(X, Y, groups=groups)
    with pytest.raises(NotFittedError):
        clf.predict_proba(X)
    clf.set_params(callbacks=None).fit(X, Y, groups=groups)
    before = clf.predict_proba(X)
    with pytest.raises(RuntimeError, match="not today"):
        clf.set_params(callbacks=[Fails()]).fit(X, 1 - Y, groups=groups)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


class Diverges(Fails):
    def on_epoch_end(self, net, **kwargs):
        """What comes before is enough."""

    def on_batch_begin(self, net, training=False, **kwargs):
        if training and len(net.history) > self.after and len(net.history[-1]["batches"]) == 2:
            next(net.module_.parameters()).data.fill_(float("inf"))


@pytest.mark.parametrize(
    ("Breaks", "error", "said"),
    [(Fails, RuntimeError, "not today"), (Diverges, ValueError, "nothing was learned")],
)
@pytest.mark.parametrize("Estimator", NETWORKS)
def test_a_partial_fit_that_fails_changes_nothing(Estimator, Breaks, error, said, vectors):
    X, Y, groups = vectors

    def grown(*callbacks):
        schedule = LRScheduler(StepLR, step_every="batch", step_size=7, gamma=0.5)
        clf = Estimator(**QUICK, callbacks=[schedule, *callbacks])
        return clf.partial_fit(X, Y, groups=groups)

    breaks = Breaks(after=1)
    clf, other = grown(breaks), grown()
    before, facts, history = clf.predict_proba(X), clf.trained_on_, clf.history_
    with pytest.raises(error, match=said):
        clf.partial_fit(X, 1 - Y, groups=groups)
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    pd.testing.assert_frame_equal(clf.history_, history)
    assert (clf.trained_on_, clf.best_epoch_) == (facts, 1)
    breaks.after = 9
    clf._rng, other._rng = (np.random.RandomState(1) for _ in range(2))
    for one in (clf, other):  # weights, moments, the rate and its schedule
        one.partial_fit(X, Y, groups=groups)
    np.testing.assert_array_equal(clf.predict_proba(X), other.predict_proba(X))
    assert len(clf.history_) == 2


@pytest.mark.parametrize("Estimator", [DSNClassifier, MixedEffectsClassifier])
def test_parameters_of_a_partial_fit_that_fails_leave_no_trace(Estimator, vectors):
    X, Y, groups = vectors
    clf, other = (Estimator(**QUICK).fit(X, Y, groups=groups) for _ in range(2))
    params = clf.get_params()
    with pytest.raises(RuntimeError, match="not today"):
        clf.set_params(callbacks=[Fails()], lr=0.5).partial_fit(X, Y, groups=groups)
    pd.testing.assert_frame_equal(clf.population_, other.population_)
    for kind in ({}, {"groups": groups}):
        np.testing.assert_array_equal(clf.predict_proba(X, **kind), other.predict_proba(X, **kind))
    clf.set_params(**params)
    clf._rng, other._rng = (np.random.RandomState(1) for _ in range(2))
    for one in (clf, other):
        one.partial_fit(X, Y, groups=groups)
    np.testing.assert_array_equal(clf.predict_proba(X), other.predict_proba(X))


def test_an_interrupted_refit_says_what_it_has_seen(vectors):
    class Stops(Callback):
        def on_batch_begin(self, net, **kwargs):
            raise KeyboardInterrupt

    X, Y, groups = vectors
    clf = DSNClassifier(**QUICK).fit(X, Y, groups=groups)
    rows = groups < 3
    clf.set_params(callbacks=[Stops()]).fit(X[rows], Y[rows], groups=groups[rows])
    assert clf.trained_on_["rows"] == 30


def test_parameters_that_were_refused_are_not_taken_for_known(vectors):
    X, Y, groups = vectors
    clf = DSNClassifier(**QUICK).partial_fit(X, Y, groups=groups)
    clf.set_params(lr=0.5, device="cuda:77")
    for _ in range(2):
        with pytest.raises((ValueError, RuntimeError, AssertionError)):
            clf.partial_fit(X, Y, groups=groups)
    clf.set_params(device="cpu").partial_fit(X, Y, groups=groups)
    assert clf.net_.optimizer_.param_groups[0]["lr"] == 0.5


def test_later_parts_have_the_classes_of_the_first(vectors):
    X, Y, groups = vectors
    y = Y["AU1"].astype(int)
    clf = DSNClassifier(**QUICK).partial_fit(X, y, groups=groups, classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes is \[1, 2\].*had \[0, 1\]"):
        clf.partial_fit(X, np.ones(80, int), groups=groups, classes=[1, 2])
    clf.partial_fit(X, np.ones(80, int), groups=groups, classes=[0, 1])
