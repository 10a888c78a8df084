"""Copies, and training that goes on."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn
from torch.optim.lr_scheduler import (
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    ReduceLROnPlateau,
    StepLR,
)

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import ATFClassifier, LightCNNClassifier, ROINetClassifier
from skau.utils import all_estimators

QUICK = {"max_epochs": 1, "batch_size": 16, "lr": 1e-3, "random_state": 0, "device": "cpu"}


@pytest.mark.parametrize("copy", [lambda c: pickle.loads(pickle.dumps(c)), "joblib"])
def test_pickle_and_joblib(fitted, copy, few, tmp_path):
    X, Y, groups = few
    clf = fitted
    state = torch.get_rng_state()
    if copy == "joblib":
        joblib.dump(clf, tmp_path / "clf.joblib")
        loaded = joblib.load(tmp_path / "clf.joblib")
    else:
        loaded = copy(clf)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    pd.testing.assert_frame_equal(loaded.history_, clf.history_)
    loaded.partial_fit(X, Y, groups=groups)
    assert len(loaded.history_) == len(clf.history_) + 1


def test_no_torch_object_is_pickled(fitted):
    state = fitted.__getstate__()
    weights = state["_weights"].values()
    assert all(isinstance(w, np.ndarray) for w in weights)
    assert not any(isinstance(v, (torch.Tensor, torch.nn.Module)) for v in state.values())


def test_parameters_set_after_the_fit_do_not_break_a_copy(few):
    X, Y, groups = few
    clf = DSNClassifier(**QUICK).fit(X, Y, groups=groups)
    expected = clf.predict_proba(X)
    clf.set_params(person_encoder=False)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    assert again.person_encoder is False


def test_fit_begins_anew_and_partial_fit_adds_an_epoch(make, few):
    X, Y, groups = few
    clf = make(validation_fraction=0).fit(X, Y, groups=groups)
    n, first = len(clf.history_), clf.predict_proba(X)
    clf.partial_fit(X, Y, groups=groups)
    assert len(clf.history_) == n + 1
    assert clf.best_epoch_ == n + 1
    assert not np.array_equal(clf.predict_proba(X), first)
    clf.fit(X, Y, groups=groups)
    assert len(clf.history_) == n
    np.testing.assert_array_equal(clf.predict_proba(X), first)


def test_partial_fit_from_nothing(make, few):
    X, Y, groups = few
    clf = make()
    for part in (slice(0, 16), slice(16, 32)):
        clf.partial_fit(X[part], Y[part], groups=groups[part])
    assert len(clf.history_) == 2
    nothing = np.full((16, 2), np.nan)
    clf.partial_fit(X[:16], pd.DataFrame(nothing, columns=Y.columns), groups=groups[:16])
    y = Y["AU1"].to_numpy()
    one = make().partial_fit(X[y == 1], y[y == 1], groups[y == 1], classes=[0, 1])
    one.partial_fit(X[y == 0], y[y == 0], groups[y == 0])
    assert one.classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="y holds 1 class .* partial_fit takes both as classes"):
        make().partial_fit(X[y == 1], y[y == 1], groups[y == 1])
    with pytest.raises(ValueError, match="classes names 3 labels"):
        make().partial_fit(X, y, groups, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="y lacks AU1 and has AU2"):
        clf.partial_fit(X, Y.rename(columns={"AU1": "AU2"}), groups=groups)


def test_early_stopping_ends_quietly_and_an_interrupt_is_passed_on(Estimator, make, few):
    X, Y, groups = few
    stop = EarlyStopping("train_loss", patience=1, threshold=1e9, threshold_mode="abs")
    clf = make(max_epochs=9, callbacks=[stop])
    if Estimator is IdenNetClassifier:
        clf.set_params(identity_epochs=0)
    clf.fit(X, Y, groups=groups)
    assert len(clf.history_) < 9

    class Interrupt(torch.optim.Adam):
        steps = 0

        def step(self, closure=None):
            type(self).steps += 1
            if self.steps > 6:
                raise KeyboardInterrupt
            return super().step(closure)

    clf = make(max_epochs=50, optimizer=Interrupt, validation_fraction=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y, groups=groups)
    assert 1 <= len(clf.history_) < 50
    assert clf.predict(X).shape == (32, 2)  # what was learnt is kept


def test_training_goes_on_with_the_parameters_set_since(few):
    X, Y, groups = few
    clf = DSNClassifier(**QUICK).fit(X, Y, groups=groups)
    before = clf.predict_proba(X)
    moments = len(clf.net_.optimizer_.state)
    seen = []

    class Note(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.batch_size)

    clf.set_params(lr=1e-12, batch_size=8, callbacks=[Note()])
    clf.partial_fit(X, Y, groups=groups)
    assert clf.net_.optimizer_.param_groups[0]["lr"] == 1e-12
    assert len(clf.net_.optimizer_.state) == moments
    assert seen == [8]
    assert len(clf.history_) == 2
    np.testing.assert_allclose(clf.predict_proba(X), before, atol=1e-6)
    clf.set_params(optimizer=torch.optim.SGD).partial_fit(X, Y, groups=groups)
    assert isinstance(clf.net_.optimizer_, torch.optim.SGD)
    with pytest.raises(ValueError, match="person_encoder was set since the last fit"):
        clf.set_params(person_encoder=False).partial_fit(X, Y, groups=groups)


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        (StepLR, {"step_size": 2, "gamma": 0.1}),
        (StepLR, {"step_size": 3, "gamma": 0.1, "step_every": "batch"}),
        (MultiStepLR, {"milestones": [1, 3], "gamma": 0.1}),
        (ExponentialLR, {"gamma": 0.5}),
        (LambdaLR, {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
        (ReduceLROnPlateau, {"monitor": "train_loss", "patience": 1, "threshold": 9.0}),
    ],
)
def test_a_schedule_goes_on(policy, options, few):
    X, Y, groups = few
    vectors = X[:, 0, :6].mean(axis=2) / 255
    usual = QUICK | {"validation_fraction": 0, "batch_size": 16}

    def rates(clf):
        return [group["lr"] for group in clf.net_.optimizer_.param_groups]

    def make(**params):
        return DSNClassifier(**usual | params, callbacks=[LRScheduler(policy, **options)])

    parts = make()
    for n in range(1, 6):
        parts.partial_fit(vectors, Y, groups=groups)
        whole = make(max_epochs=n).fit(vectors, Y, groups=groups)
        np.testing.assert_allclose(rates(parts), rates(whole))
    assert rates(parts)[0] < QUICK["lr"]


def test_a_rate_that_a_schedule_has_changed_stays_until_lr_is_set(few):
    X, Y, groups = few
    clf = DSNClassifier(**QUICK, callbacks=[LRScheduler(ExponentialLR, gamma=0.1)])
    clf.fit(X, Y, groups=groups)
    (group,) = clf.net_.optimizer_.param_groups
    assert group["lr"] == pytest.approx(1e-4)
    clf.set_params(batch_size=8, callbacks=None).partial_fit(X, Y, groups=groups)
    (group,) = clf.net_.optimizer_.param_groups
    assert group["lr"] == pytest.approx(1e-4)
    clf.set_params(lr=0.01).partial_fit(X, Y, groups=groups)
    (group,) = clf.net_.optimizer_.param_groups
    assert group["lr"] == 0.01


@pytest.mark.parametrize(
    "Network", [cls for _, cls in all_estimators("classifier") if hasattr(cls, "_make_module")]
)
def test_every_parameter_that_makes_a_network_is_known_as_one(Network):
    """One that was forgotten could be set between two calls of partial_fit, in silence."""
    read = set()

    class Watched(Network):
        def __getattribute__(self, name):
            read.add(name)
            return super().__getattribute__(name)

    clf = Watched()
    parameters = set(clf.get_params())
    for shape in ((3, 32, 32), (5,)):
        read.clear()
        with torch.device("meta"):
            clf._make_module(shape, 2)
        makes = read & parameters
        assert makes <= set(Network._network_parameters) | {"pretrained"}
        if len(shape) == 3:
            assert makes == set(Network._network_parameters) - {"pretrained"}
    assert ("pretrained" in parameters) == ("pretrained" in Network._network_parameters)


@pytest.mark.parametrize(
    ("clf", "change"),
    [
        (ROINetClassifier(), {"centres": [[0.2, 0.3], [0.8, 0.3]]}),
        (ATFClassifier(), {"centres": [[0.2, 0.3]]}),
        (ATFClassifier(), {"centres": None}),
        (IdenNetClassifier(), {"normalize": False}),
        (IdenNetClassifier(backbone=nn.Flatten()), {"backbone": nn.Flatten()}),
        (IdenNetClassifier(), {"pretrained": "weights.pt"}),
        (LightCNNClassifier(), {"pretrained": "weights.pt"}),
    ],
)
def test_training_does_not_go_on_with_another_network(clf, change, few):
    X, Y, groups = few
    clf.set_params(random_state=0, device="cpu")
    clf.partial_fit(X[:16], Y[:16], groups=groups[:16])
    before = clf.predict_proba(X)
    clf.set_params(**change)
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} was set since the last fit"):
        clf.partial_fit(X[:16], Y[:16], groups=groups[:16])
    # a copy is made of the network that was fitted, whatever was set since
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), before)


def test_equal_places_are_the_same_network(few):
    X, Y, groups = few
    clf = ROINetClassifier(centres=[[0.2, 0.3]], random_state=0)
    clf.partial_fit(X[:16], Y[:16], groups=groups[:16])
    clf.set_params(centres=np.array([[0.2, 0.3]])).partial_fit(X[:16], Y[:16], groups=groups[:16])
    assert len(clf.history_) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_a_classifier_of_a_machine_with_cuda_predicts_on_the_cpu(fitted, few):
    X, Y, groups = few
    there = pickle.loads(pickle.dumps(fitted)).set_params(device="cuda:1")
    there._built = there.get_params(deep=False)  # as a fit on such a machine leaves it
    state = pickle.dumps(there)
    with pytest.warns(UserWarning, match="device='cuda:1' cannot be used here.*the CPU") as caught:
        here = pickle.loads(state)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(here.predict_proba(X), fitted.predict_proba(X))
    here.partial_fit(X, Y, groups=groups)  # and goes on there
    assert here.device == "cuda:1"
    with pytest.raises(ValueError, match="device='cuda:1' cannot be used here"):
        here.fit(X, Y, groups=groups)
