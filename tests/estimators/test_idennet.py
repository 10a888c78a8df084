import warnings
from copy import copy

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from skau import IdenNetClassifier
from skau.metrics import f1_frame
from skau.modules import IdenNet
from skau.training._net import AUNet
from skau.training._stage import Stage

QUICK = {"max_epochs": 1, "identity_epochs": 1, "batch_size": 16, "lr": 1e-3, "random_state": 0}


@pytest.fixture(scope="module")
def usual(few):
    """For tests that only look: a fit costs a second."""
    X, Y, groups = few
    return IdenNetClassifier(**QUICK).fit(X, Y, groups=groups)


@pytest.fixture(scope="module")
def unlabelled(few):
    """The last four subjects are known by identity alone."""
    X, Y, groups = few
    Y = Y.copy()
    Y.iloc[16:] = np.nan
    return X, Y, groups


def test_published_number_of_parameters():
    rng = np.random.RandomState(0)
    X = rng.randint(0, 256, (4, 128, 128, 3)).astype(np.uint8)
    Y = np.tile([[0.0], [1.0]], (2, 12))
    clf = IdenNetClassifier(**{**QUICK, "max_epochs": 1}, validation_fraction=0)
    clf.fit(X, Y, groups=[0, 0, 1, 1])
    assert sum(p.numel() for p in clf.module_.parameters() if p.requires_grad) == 6_572_832


class _Learned(Callback):
    def on_epoch_end(self, net, **kwargs):
        if net.history[-1]["train_class_loss"] < 0.15:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_overfits_its_frames_after_a_short_stage_1_at_a_large_lr(few):
    """Stage 1 has a rate of its own: at that of stage 2 it would spoil the trunk."""
    X, _, groups = few
    rng = np.random.RandomState(0)
    noise = rng.randint(0, 256, X.shape).astype(np.uint8)
    Y = rng.randint(0, 2, (32, 2))
    clf = IdenNetClassifier(
        lr=1e-3, max_epochs=60, identity_epochs=1, validation_fraction=0,
        augment=None, random_state=0, callbacks=[_Learned()],
    )  # fmt: skip
    clf.fit(noise, Y, groups=groups)
    assert clf.history_["stage"].iloc[0] == "identity"
    assert (f1_frame(Y, clf.predict(noise)) == 1).all()


def test_identity_has_unit_length_unless_told_otherwise(few):
    X, Y, groups = few
    z = IdenNetClassifier(**QUICK, precision="float32").fit(X, Y, groups=groups)
    np.testing.assert_allclose(np.linalg.norm(z.identity_features(X), axis=1), 1, rtol=1e-5)
    z = IdenNetClassifier(**QUICK, normalize=False).fit(X, Y, groups=groups)
    assert np.ptp(np.linalg.norm(z.identity_features(X), axis=1)) > 1e-3


def test_stage_one_clusters_identities(blobs):
    X, Y, groups = blobs
    clf = IdenNetClassifier(
        lr=3e-4, identity_epochs=15, max_epochs=1, augment=None, random_state=0
    )
    clf.fit(X, Y, groups=groups)
    first = clf.history_[clf.history_["stage"] == "identity"]
    assert len(first) == 15
    assert first["train_triplet_loss"].iloc[-1] < 0.5 * first["train_triplet_loss"].iloc[0]
    assert "train_class_loss" not in first.dropna(axis=1)


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.1}, {"margin": 0.01},
        {"normalize": False}, {"identity_epochs": 0}, {"identity_lr": 1e-3}, {"negative_pool": 8},
        {"identity_transform": "affine"},
    ],
)  # fmt: skip
def test_every_parameter_changes_the_result(change, usual, few):
    X, Y, groups = few
    other = IdenNetClassifier(**QUICK | change).fit(X, Y, groups=groups).predict_proba(X)
    assert not np.array_equal(usual.predict_proba(X), other)


def one_step(clf, data, rows):
    """Weights before and after one batch of ``rows``."""
    stage = clf._make_stages(data, None, clf._rng)[-1]
    step = Stage("AU", 1, stage.loss, [rows], stage.train)
    before = {k: v.clone() for k, v in clf.module_.state_dict().items()}
    clf.net_.fit_stage(step, clf._seeded())
    return {k for k, v in clf.module_.state_dict().items() if not torch.equal(v, before[k])}


def test_an_identity_only_batch_changes_the_identity_branch_and_not_the_au_head(unlabelled):
    X, Y, groups = unlabelled
    clf = IdenNetClassifier(**QUICK).fit(X, Y, groups=groups)
    data = clf._check_data(X, Y, groups, None, reset=False)
    changed = one_step(clf, data, list(range(24, 32)))
    trunk = {k for k in clf.module_.state_dict() if k.startswith("trunk")}
    assert changed == trunk | {"fc5.0.weight"}
    assert {"fc6.0.weight", "fc7.weight"} <= one_step(clf, data, list(range(16)))


def test_every_stage_begins_with_a_fresh_optimizer_and_its_own_rate(few, monkeypatch):
    X, Y, groups = few
    steps, rates = [], []

    def note(net, *args, **kwargs):
        steps.append([int(state["step"]) for state in net.optimizer_.state.values()])
        rates.append(net.optimizer_.param_groups[0]["lr"])

    monkeypatch.setattr(AUNet, "on_train_begin", note)
    params = {**QUICK, "identity_epochs": 1, "max_epochs": 1}
    clf = IdenNetClassifier(**params).fit(X, Y, groups=groups)
    assert steps == [[], []]
    assert rates == [1e-4, 1e-3]  # stage 1 has the paper's rate, whatever lr is
    clf.partial_fit(X, Y, groups=groups)  # the last stage, continued
    assert steps[-1]


def test_stage_two_alternates_where_there_are_identity_only_rows(unlabelled):
    X, Y, groups = unlabelled
    clf = IdenNetClassifier(**QUICK | {"batch_size": 12}).fit(X, Y, groups=groups)
    data = clf._check_data(X, Y, groups, None, reset=False)
    one, two = clf._make_stages(data, None, np.random.RandomState(0))
    assert all(row >= 16 for batch in one.batches for row in batch)
    kinds = [all(row >= 16 for row in batch) for batch in two.batches]
    assert kinds == [False, True, False, True]  # 16 annotated rows in batches of 12
    annotated = [row for batch in list(two.batches)[::2] for row in batch]
    assert sorted(annotated) == list(range(16))
    clf.set_params(identity_weight=0)
    _, two = clf._make_stages(data, None, np.random.RandomState(0))
    assert len(list(two.batches)) == 2


@pytest.mark.parametrize("weight", [0.02, 1.0])
def test_weights_of_the_triplets(weight, unlabelled):
    X, Y, groups = unlabelled
    quick = QUICK | {"alpha": 0.3, "identity_weight": weight, "device": "cpu"}
    clf = IdenNetClassifier(**quick).fit(X, Y, groups=groups)
    data = clf._check_data(X, Y, groups, None, reset=False)
    loss = clf._make_stages(data, None, np.random.RandomState(0))[-1].loss
    for rows, expected in ((slice(16), None), (slice(16, 32), weight)):
        x, y = data.take(list(range(32))[rows])
        clf.net_.infer(x)
        total, terms = loss(x["output"], y, x | {"generator": torch.Generator()})
        parts = {name: term for name, (term, _) in terms.items()}
        if expected is None:
            expected = 0.3 + 0.7 * parts["class"] / parts["triplet"]
        torch.testing.assert_close(total, expected * parts["triplet"])


def test_identity_only_rows_are_seen_by_the_result(unlabelled):
    X, Y, groups = unlabelled
    quick = QUICK
    usual = IdenNetClassifier(**quick).fit(X, Y, groups=groups)
    other = X.copy()
    other[16:] = 255 - other[16:]
    changed = IdenNetClassifier(**quick).fit(other, Y, groups=groups)
    assert not np.array_equal(usual.predict_proba(X), changed.predict_proba(X))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "groups is not given"),
        (np.arange(32), "no identity has two images"),
        (np.repeat([0, *range(2, 18)], [16, *[1] * 16]), "only one identity has two images"),
    ],
)
def test_too_little_identity_is_warned_of_and_works(groups, message, few):
    X, Y, _ = few
    with pytest.warns(UserWarning, match=message):
        clf = IdenNetClassifier(**QUICK, validation_fraction=0).fit(X, Y, groups=groups)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert np.isfinite(clf.history_["train_class_loss"].iloc[-1])


def test_without_triplets_the_au_loss_has_its_full_weight(few):
    X, Y, _ = few
    with pytest.warns(UserWarning, match="groups is not given, so nobody knows"):
        clf = IdenNetClassifier(**QUICK, alpha=0.9, validation_fraction=0).fit(X, Y)
    last = clf.history_.iloc[-1]
    assert last["train_loss"] == pytest.approx(last["train_class_loss"])


def test_a_union_of_corpora(few):
    """Two corpora with different AUs and one of identities: one call."""
    X, Y, groups = few
    union = pd.DataFrame({"AU1": Y["AU1"], "AU12": Y["AU12"]})
    union.iloc[:12, 1] = np.nan
    union.iloc[12:24, 0] = np.nan
    union.iloc[24:] = np.nan
    clf = IdenNetClassifier(**QUICK).fit(X, union, groups=groups)
    assert np.isfinite(clf.predict_proba(X)).all()


def test_an_affine_transform_begins_as_the_subtraction():
    torch.manual_seed(0)
    subtracting = IdenNet((3, 32, 32), 4)
    torch.manual_seed(0)
    affine = IdenNet((3, 32, 32), 4, affine=True)
    x = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(affine.features(x), subtracting.features(x))
    n, more = (sum(p.numel() for p in m.parameters()) for m in (subtracting, affine))
    assert more - n == 131_584


def test_warns_where_stage_1_leaves_all_faces_alike(few):
    X, Y, groups = few
    X = 1 + 1e-3 * np.random.RandomState(0).normal(size=(len(X), 8))  # of which an epoch is quick
    with pytest.warns(
        ConvergenceWarning, match="the triplet loss is 0.* a lower identity_lr .now 1e-09"
    ) as caught:
        IdenNetClassifier(**QUICK | {"identity_lr": 1e-9, "identity_epochs": 25}).fit(
            X, Y, groups=groups
        )
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("margin", "loss", "collapsed"),
    [
        (0.5, 0.5, True), (0.5, 0.493, True), (0.5, 0.3, False),
        (0.5, 0.8, False),  # spread, if not yet by person
        (1e-3, 0.2, False), (0.0, 0.2, False), (0.0, 0.0, False),
    ],
)  # fmt: skip
def test_a_collapse_is_a_loss_that_is_the_margin(margin, loss, collapsed, usual, few):
    X, Y, groups = few
    clf = copy(usual).set_params(margin=margin)
    data = clf._check_data(X, Y, groups, None, reset=False)
    first = clf._make_stages(data, None, clf._rng)[0]
    clf.history_ = pd.DataFrame({"stage": ["identity"] * 50, "train_triplet_loss": loss})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf._after_stage(first)
    assert [w.category for w in caught] == [ConvergenceWarning] * collapsed


def test_a_few_rows_without_a_label_are_no_identity_corpus(few):
    X, Y, groups = few
    Y = np.array(Y, dtype=float)
    Y[:1] = np.nan
    clf = IdenNetClassifier(identity_epochs=1, max_epochs=1, random_state=0)
    clf.fit(X, Y, groups=groups)
    assert clf.history_["stage"].tolist() == ["identity", "AU"]
    assert np.isfinite(clf.history_["train_triplet_loss"]).all()
    Y[np.asarray(groups) == np.asarray(groups)[0]] = np.nan  # one person without any label
    clf.fit(X, Y, groups=groups)
    assert np.isfinite(clf.history_["train_triplet_loss"]).all()


def test_strangers_with_few_images_do_not_take_the_place_of_the_others(few):
    X, Y, groups = few
    clf = IdenNetClassifier(**QUICK, validation_fraction=0).fit(X, Y, groups=groups)
    for more in ((), (0, 1), (0, 0, 1), (0, 0, 1, 1), range(30)):
        n = len(more)
        data = clf._check_data(
            np.concatenate([X, X[:n]]), np.concatenate([Y, np.full((n, 2), np.nan)]),
            np.concatenate([groups, [f"stranger {i}" for i in more]]), None, reset=False,
        )  # fmt: skip
        one, two = clf._make_stages(data, None, np.random.RandomState(0))
        assert len(one.batches.images) >= 8  # of whom triplets are made
        assert two.loss.alpha > 0
