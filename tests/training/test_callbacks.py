"""skorch's own callbacks beside the net's; what stops a training and what is kept then."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    GradientNormClipping,
    Initializer,
    InputShapeSetter,
    LRScheduler,
    PassthroughScoring,
    TrainEndCheckpoint,
)
from skorch.history import History
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau, StepLR

from skau import DSNClassifier, IdenNetClassifier, ResumeTraining
from skau.baselines import LightCNNClassifier
from skau.metrics import f1_frame_scorer

ESTIMATORS = {"DSN": DSNClassifier, "IdenNet": IdenNetClassifier, "LightCNN": LightCNNClassifier}


@pytest.fixture(scope="module")
def vectors():
    """Of 8 subjects; who it is and which AU is there are written in them."""
    rng = np.random.RandomState(0)
    groups = np.repeat([f"S{i}" for i in range(8)], 8)
    Y = rng.randint(0, 2, (64, 3)).astype(float)
    X = rng.normal(0, 0.3, (64, 6))
    X[:, :3] += 2 * Y
    X[:, 3:] += rng.normal(0, 1, (8, 3)).repeat(8, 0)
    return X, pd.DataFrame(Y, columns=["AU1", "AU6", "AU12"]), groups


def make(Estimator, **params):
    usual = {"batch_size": 16, "max_epochs": 4, "lr": 1e-3, "random_state": 0}
    if Estimator is not DSNClassifier:
        usual |= {"identity_epochs": 2}
    return Estimator(**usual | params)


def last_stage(clf):
    return clf.history_[clf.history_["stage"] == clf.history_["stage"].iloc[-1]]


@pytest.mark.parametrize("Estimator", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.filterwarnings("ignore:n_identities")
def test_skorchs_callbacks_work_in_the_last_stage(Estimator, vectors, tmp_path):
    X, Y, groups = vectors
    stopping = EarlyStopping(monitor="valid_f1", lower_is_better=False, patience=2, threshold=9.0)
    callbacks = [
        EpochScoring(f1_frame_scorer, lower_is_better=False, name="f1_again"),
        EpochScoring("f1_macro", lower_is_better=False, on_train=True, name="train_f1"),
        BatchScoring(f1_frame_scorer, lower_is_better=False, name="batch_f1"),
        LRScheduler(policy=ReduceLROnPlateau, monitor="valid_loss", patience=0, threshold=9.0),
        LRScheduler(policy=StepLR, step_every="batch", step_size=2, gamma=0.5, event_name=None),
        GradientNormClipping(1.0),
        Checkpoint(dirname=tmp_path, monitor="valid_f1_best", f_pickle=None),
        TrainEndCheckpoint(dirname=tmp_path),
        stopping,
    ]
    clf = make(Estimator, max_epochs=9, callbacks=callbacks).fit(X, Y, groups=groups)
    last = last_stage(clf)
    assert set(last["stage"]) == {"AU"}
    assert len(last) == 3  # no gain is large enough, so it stops after the second such epoch
    np.testing.assert_allclose(last["f1_again"], last["valid_f1"])
    assert last["batch_f1"].notna().all()
    assert last["train_f1"].notna().all()
    assert {"params.pt", "optimizer.pt", "train_end_params.pt"} <= {
        path.name for path in tmp_path.iterdir()
    }
    if Estimator is not DSNClassifier:
        assert clf.history_["stage"].tolist()[:2] == ["identity"] * 2
        assert clf.history_["train_f1"].isna()[:2].all()
    assert clf.history_["epoch"].tolist() == list(range(1, len(clf.history_) + 1))
    assert clf.best_epoch_ in last["epoch"].tolist()


@pytest.mark.parametrize("n_aus", [1, 2, 3])
def test_scores_of_probabilities_for_any_number_of_aus(vectors, n_aus):
    X, Y, groups = vectors
    names = ["roc_auc", "average_precision"]
    callbacks = [EpochScoring(name, lower_is_better=False) for name in names]
    callbacks.append(EpochScoring(_mean_auc, lower_is_better=False, name="mean_auc"))
    clf = make(DSNClassifier, max_epochs=1, callbacks=callbacks)
    clf.fit(X, Y.iloc[:, :n_aus], groups=groups)
    assert np.isfinite(clf.history_[names].to_numpy(dtype=float)).all()
    np.testing.assert_allclose(clf.history_["roc_auc"], clf.history_["mean_auc"])


def _mean_auc(net, X, y):
    return np.mean(
        [roc_auc_score(*au) for au in zip(np.asarray(y).T, net.predict_proba(X).T, strict=True)]
    )


@pytest.mark.filterwarnings("ignore:n_identities")
def test_the_schedule_of_the_paper(vectors):
    """The released code divides the rate by 10 after so many steps of stage 2."""
    X, Y, groups = vectors
    schedule = LRScheduler(policy=StepLR, step_every="batch", step_size=6, gamma=0.1)
    clf = make(IdenNetClassifier, callbacks=[schedule], validation_fraction=0)
    clf.fit(X, Y, groups=groups)  # 4 batches of 16 an epoch, 16 steps
    (group,) = clf.net_.optimizer_.param_groups
    assert group["lr"] == pytest.approx(1e-5)
    clf.partial_fit(X, Y, groups=groups)  # and goes on
    assert clf.net_.optimizer_.param_groups[0]["lr"] <= 1e-5 * 1.001


class _Explode(Callback):
    """Makes a weight infinite in the middle of an epoch of stage 2."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_begin(self, net, training=False, **kwargs):
        if training and len(net.history) == self.epoch:
            next(net.module_.parameters()).data.fill_(float("inf"))


@pytest.mark.filterwarnings("ignore:n_identities")
@pytest.mark.parametrize("Estimator", [DSNClassifier, IdenNetClassifier])
@pytest.mark.parametrize("validation_fraction", [0, 0.25])
def test_a_loss_that_is_not_finite_stops_and_the_best_stays(
    Estimator, validation_fraction, vectors
):
    X, Y, groups = vectors
    clf = make(Estimator, callbacks=[_Explode(3)], validation_fraction=validation_fraction)
    with pytest.warns(ConvergenceWarning, match=r"not finite in epoch .* lower lr \(now 0.001\)"):
        clf.fit(X, Y, groups=groups)
    assert len(last_stage(clf)) == 3
    assert clf.best_epoch_ < clf.history_["epoch"].iloc[-1]
    assert np.isfinite(clf.predict_proba(X)).all()
    clf.set_params(callbacks=[_Explode(1)])
    with pytest.raises(ValueError, match="nothing was learned; what helps: a lower lr"):
        clf.fit(X, Y, groups=groups)


@pytest.mark.filterwarnings("ignore:n_identities")
def test_a_rate_far_too_large_is_told_of(vectors):
    X, Y, groups = vectors
    clf = make(DSNClassifier, lr=1e150, optimizer=torch.optim.SGD)
    with pytest.raises(ValueError, match=r"not finite in epoch 1.*a lower lr \(now 1e\+150\)"):
        clf.fit(X, Y, groups=groups)


@pytest.mark.parametrize("rate", ["lr", "identity_lr"])
def test_clipping_is_advised_where_callbacks_are_called(rate, blobs):
    X, Y, groups = blobs
    clf = make(IdenNetClassifier, **{rate: 1e300})
    with pytest.raises(ValueError, match=f" helps: a lower {rate} .now") as told:
        clf.fit(X, Y, groups=groups)
    assert ("GradientNormClipping" in str(told.value)) == (rate == "lr")


@pytest.mark.parametrize("lr", [1e38, 1e300])
@pytest.mark.parametrize("Estimator", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.filterwarnings("ignore:n_identities")
def test_a_step_beyond_all_numbers_is_told_of(Estimator, lr, blobs):
    """Where the optimizer itself fails: the first step of Adam is ten times the rate."""
    clf = make(Estimator, lr=lr)
    with pytest.raises(
        ValueError,
        match=r"^a step of the optimizer is not finite .* a lower (identity_)?lr \(now 1e",
    ):
        clf.fit(*blobs[:2], groups=blobs[2])


@pytest.mark.filterwarnings("ignore:n_identities")
def test_a_schedule_beyond_all_numbers_keeps_the_best_epoch(blobs):
    grow = LRScheduler(LambdaLR, lr_lambda=_soar)
    clf = make(LightCNNClassifier, callbacks=[grow], batch_size=64, validation_fraction=0)
    with pytest.warns(
        ConvergenceWarning, match="a step of the optimizer .* after epoch 3 is kept"
    ):
        clf.fit(*blobs[:2], groups=blobs[2])
    assert np.isfinite(clf.predict_proba(blobs[0])).all()


def _soar(epoch):
    return 1e60**epoch


def test_a_network_whose_answers_are_not_finite_is_not_kept():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (24, 32, 32, 3), dtype=np.uint8)
    Y, groups = rng.integers(0, 2, (24, 2)), np.repeat(np.arange(6), 4)
    usual = {"batch_size": 8, "optimizer": torch.optim.SGD, "validation_fraction": 0.34}
    clf = make(DSNClassifier, **usual | {"lr": 1e4, "precision": "float32"})
    with pytest.raises(ValueError, match="not finite in epoch 1, before an epoch was complete"):
        clf.fit(X, Y, groups=groups)


@pytest.mark.parametrize(
    ("callback", "mend"),
    [
        (EarlyStopping(), "EarlyStopping looks at 'valid_loss'.*monitor='train_loss'"),
        (("stop", EarlyStopping), "EarlyStopping looks at 'valid_loss'"),
        (Checkpoint(), "Checkpoint looks at 'valid_loss_best'.*monitor='train_loss_best'"),
        (
            LRScheduler(ReduceLROnPlateau, monitor="valid_f1", mode="max"),
            "LRScheduler looks at 'valid_f1'",
        ),
    ],
)
def test_callbacks_that_wait_for_a_validation_part_are_refused_without_one(
    vectors, callback, mend
):
    X, Y, groups = vectors
    clf = make(DSNClassifier, callbacks=[callback], validation_fraction=0)
    for fit in (clf.fit, clf.partial_fit):
        with pytest.raises(ValueError, match=f"callbacks: {mend}"):
            fit(X, Y, groups=groups)


def test_checkpoints_keep_the_history(vectors, tmp_path):
    X, Y, groups = vectors
    point = Checkpoint(dirname=tmp_path)
    clf = make(LightCNNClassifier, max_epochs=2, callbacks=[point]).fit(X, Y, groups=groups)
    kept = History.from_file(tmp_path / "history.json")
    valid = clf.history_["valid_loss"]
    assert kept[-1]["valid_loss"] == valid.min()
    assert kept[-1]["valid_f1"] == clf.history_["valid_f1"][valid.argmin()]


@pytest.mark.parametrize(
    ("callback", "error", "told"),
    [
        (InputShapeSetter(), ValueError, "InputShapeSetter is of no use here"),
        (("shape", InputShapeSetter), ValueError, "InputShapeSetter is of no use here"),
        (3, TypeError, "3 is no callback of skorch"),
        (print, TypeError, "is no callback of skorch; scikit-learn's are set by set_callbacks"),
        (LRScheduler("OneCycleLR"), ValueError, r"policy=torch\.optim\.lr_scheduler\.OneCycleLR"),
        (PassthroughScoring("train_loss"), ValueError, r"'train_loss', on_train=True"),
        (("a", PassthroughScoring("valid_loss", on_train=True)), ValueError, "on_train=False"),
        (PassthroughScoring, TypeError, "missing .* argument: 'name'"),
        (
            EarlyStopping(load_best=True),
            ValueError,
            r"EarlyStopping\(load_best=True\).*leave load",
        ),
        (("a", Checkpoint(load_best=True)), ValueError, "chosen by the parameter monitor .*leave"),
        (EarlyStopping("valid_f1"), ValueError, "a lower 'valid_f1' .* lower_is_better=False"),
        (LRScheduler(ReduceLROnPlateau, monitor="valid_f1"), ValueError, "pass mode='max'"),
        (("bar", EpochTimer()), ValueError, "duplicate .* name 'bar'"),
        ((3, EpochTimer()), TypeError, "is no callback of skorch"),
        (EpochScoring("f1_macro", use_caching=False), ValueError, "EpochScoring cannot be used"),
        (
            LRScheduler(OneCycleLR, total_steps=1, max_lr=1, step_every="batch"),
            ValueError,
            "LRScheduler cannot be used like this .*Tried to step 2 times",
        ),
    ],
)
def test_callbacks_that_can_do_nothing_are_refused_by_name(vectors, callback, error, told):
    X, Y, groups = vectors
    with pytest.raises(error, match=f"callbacks: .*{told}"):
        make(DSNClassifier, callbacks=[callback]).fit(X, Y, groups=groups)


def test_what_callbacks_and_augmentation_draw_is_seeded(vectors, blobs):
    X, Y, groups = vectors
    again = Initializer("*", fn=partial(torch.nn.init.uniform_, a=-0.1, b=0.1))
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        clf = make(DSNClassifier, max_epochs=1, callbacks=[again]).fit(X, Y, groups=groups)
        assert torch.equal(before, torch.get_rng_state())
        found.append(clf.predict_proba(X))
    np.testing.assert_array_equal(*found)
    X, Y, groups = blobs
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        clf = make(DSNClassifier, max_epochs=1, augment=_noise, precision="float32")
        found.append(clf.fit(X, Y, groups=groups).predict_proba(X))
        assert torch.initial_seed() == seed
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("augment", "found"),
    [
        (lambda images: images.float() / 255, r"float32 of shape \(16, 3, 32, 32\)"),
        (lambda images: images[..., 2:-2, 2:-2], r"uint8 of shape \(16, 3, 28, 28\)"),
        (lambda images: None, "NoneType"),
    ],
)
def test_augmentation_that_makes_other_images_is_refused(blobs, augment, found):
    X, Y, groups = blobs
    with pytest.raises(ValueError, match=rf"augment must return .*\(16, 3, 32, 32\), got {found}"):
        make(LightCNNClassifier, identity_epochs=0, augment=augment).fit(X, Y, groups=groups)


def _noise(images):
    return torch.where(torch.rand(images.shape, device=images.device) < 0.1, 0, images)


@pytest.mark.parametrize("Estimator", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.filterwarnings("ignore:n_identities")
def test_training_goes_on_with_its_callbacks(Estimator, vectors, tmp_path, monkeypatch):
    X, Y, groups = vectors

    def callbacks(*more):
        return [
            LRScheduler(policy=ReduceLROnPlateau, monitor="valid_loss", patience=0, threshold=9.0),
            EarlyStopping(patience=5, threshold=9.0), *more,
        ]  # fmt: skip

    whole = make(Estimator, max_epochs=8, callbacks=callbacks()).fit(X, Y, groups=groups)
    assert len(last_stage(whole)) == 6
    monkeypatch.setattr("skau.training._resume._PAUSE", 0)  # write after every epoch
    dies = ResumeTraining(tmp_path)
    save = dies.on_epoch_end

    def die(net, **kwargs):
        save(net, **kwargs)
        if len(net.history) == 3:
            raise RuntimeError("killed")

    dies.on_epoch_end = die
    with pytest.raises(RuntimeError, match="killed"):
        make(Estimator, max_epochs=8, callbacks=callbacks(dies)).fit(X, Y, groups=groups)
    resume = ResumeTraining(tmp_path)
    clf = make(Estimator, max_epochs=8, callbacks=callbacks(resume)).fit(X, Y, groups=groups)
    assert resume.resumed_ == 3
    pd.testing.assert_frame_equal(
        clf.history_.drop(columns="dur"), whole.history_.drop(columns="dur")
    )
    np.testing.assert_array_equal(clf.predict_proba(X), whole.predict_proba(X))


def test_what_cannot_be_told_apart_is_named(blobs, tmp_path):
    X, Y, groups = blobs
    clf = make(DSNClassifier, augment=lambda images: images, callbacks=[ResumeTraining(tmp_path)])
    with pytest.raises(ValueError, match="^augment: ResumeTraining cannot tell"):
        clf.fit(X, Y, groups=groups)


class _Nameless(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(6, 5)
        self.activation = lambda x: x

    def forward(self, x):
        return self.activation(self.linear(x))


def test_a_layer_that_cannot_be_told_apart_is_named(vectors, tmp_path):
    X, Y, groups = vectors
    clf = make(LightCNNClassifier, trunk=_Nameless, callbacks=[ResumeTraining(tmp_path)])
    with pytest.raises(ValueError, match=r"^trunk or .* layer '.*' \(_Nameless\)") as told:
        clf.fit(X, Y, groups=groups)
    assert len(str(told.value)) < 500


def test_training_goes_on_where_nothing_can_be_written(vectors, tmp_path):
    X, Y, groups = vectors
    (tmp_path / "file").write_text("")
    clf = make(DSNClassifier, callbacks=[ResumeTraining(tmp_path / "file" / "folder")])
    with pytest.warns(UserWarning, match="cannot be written") as told:
        clf.fit(X, Y, groups=groups)
    assert len(told) == 1
    assert len(clf.history_) == 4
