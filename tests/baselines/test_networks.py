"""The compared networks: their sizes, their parts, and that they learn."""

import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from skau.baselines import (
    AlexNetClassifier,
    ATFClassifier,
    DRMLClassifier,
    LightCNNClassifier,
    ResNetClassifier,
    ROINetClassifier,
)
from skau.baselines._atf import Enhance, _reverse_gradient
from skau.baselines._au_centres import TEMPLATE_CENTRES, attention_maps
from skau.baselines._drml import RegionLayer
from skau.baselines._roinet import ROIHead
from skau.metrics import roc_auc_scorer
from skau.training._net import AUNet

QUICK = {"max_epochs": 1, "batch_size": 32, "lr": 1e-3, "random_state": 0, "device": "cpu"}
LIGHT = pytest.mark.parametrize("Estimator", [LightCNNClassifier, ATFClassifier, ROINetClassifier])


def size(module, of_bias=True):
    return sum(p.numel() for p in module.parameters() if of_bias or p.ndim > 1)


def test_sizes():
    assert size(LightCNNClassifier()._make_module((3, 128, 128), 12)) == 4_115_232
    assert size(ATFClassifier()._make_module((3, 128, 128), 12)) == 4_115_244
    assert size(ROINetClassifier()._make_module((3, 128, 128), 12)) == 5_339_896
    with torch.device("meta"):
        assert size(AlexNetClassifier()._make_module((3, 224, 224), 12)) == 57_053_004
        drml = DRMLClassifier()._make_module((3, 170, 170), 12)
    assert size(drml, of_bias=False) == 56_855_136  # published, 56,855.1K
    assert size(drml) - size(drml, of_bias=False) == 8_300


@pytest.mark.parametrize("Estimator", [AlexNetClassifier, DRMLClassifier])
def test_first_weights_let_images_through(Estimator):
    # with torch's own the features are 0.008 long and differ by a twelfth of that, or less
    torch.manual_seed(0)
    x = F.avg_pool2d(torch.randn(8, 3, 64, 64), 9, 1, 4) * 5
    with torch.inference_mode():
        features = Estimator()._make_encoder((3, 64, 64))[0].eval()(x)
    length = features.square().mean().sqrt()
    assert 0.1 < length < 10
    assert features.std(0).square().mean().sqrt() > 0.1 * length


@LIGHT
def test_learns_aus_of_subjects_never_seen(Estimator, blobs):
    X, Y, groups = blobs
    test = np.isin(groups, ["S1", "S5"])
    clf = Estimator(**QUICK | {"max_epochs": 6, "lr": 2e-3}, validation_fraction=0, augment=None)
    clf.fit(X[~test], Y[~test], groups=groups[~test])
    assert roc_auc_scorer(clf, X[test], Y[test]) > 0.9


@pytest.mark.parametrize(
    ("Estimator", "lr"),
    [pytest.param(AlexNetClassifier, 1e-4, marks=pytest.mark.slow), (DRMLClassifier, 1e-3)],
)
def test_the_large_ones_fit_a_batch(Estimator, lr, blobs):
    X, Y, groups = (part[::4] for part in blobs)
    clf = Estimator(
        max_epochs=5, batch_size=16, lr=lr, validation_fraction=0, augment=None, random_state=0
    )
    clf.fit(X, Y, groups=groups)
    # the losses of so few steps tell above all what dropout has drawn
    y, loss = torch.tensor(Y.to_numpy()), F.binary_cross_entropy
    told = torch.from_numpy(clf.predict_proba(X).astype(np.float64))
    assert loss(told, y) < 0.9 * loss(y.mean(0).expand_as(y), y)
    assert clf.transform(X[:3]).shape == (3, clf.module_.n_features)


@LIGHT
def test_identity_only_rows_parts_without_labels_and_copies(Estimator, blobs):
    X, Y, groups = blobs
    Y = Y.copy()
    Y.iloc[48:] = np.nan
    clf = Estimator(**QUICK).fit(X, Y, groups=groups)
    assert np.isfinite(clf.predict_proba(X)).all()
    before = clf.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), before)
    clf.partial_fit(X[48:], Y[48:], groups=groups[48:])
    np.testing.assert_array_equal(clf.predict_proba(X), before)


# -- LightCNN --------------------------------------------------------------------------------


def test_pretraining_learns_who_is_who_and_leaves_no_trace_but_the_trunk(blobs):
    X, Y, groups = blobs
    pretrained = {"identity_epochs": 15, "lr": 3e-4, "augment": None}
    clf = LightCNNClassifier(**QUICK | pretrained).fit(X, Y, groups=groups)
    first = clf.history_[clf.history_["stage"] == "identity"]["train_triplet_loss"]
    assert len(first) == 15
    assert first.iloc[-1] < 0.7 * first.iloc[0]
    plain = LightCNNClassifier(**QUICK)
    names = plain._make_module((3, 32, 32), 2).state_dict().keys()
    assert clf.module_.state_dict().keys() == names
    known = {id(p) for p in clf.module_.parameters()}
    assert {id(p) for group in clf.net_.optimizer_.param_groups for p in group["params"]} == known
    assert {id(p) for p in clf.net_.optimizer_.state} <= known


def test_the_identity_head_learns_at_the_rate_of_its_stage(blobs, monkeypatch):
    X, Y, groups = blobs
    rates = []

    def note(net, *args, **kwargs):
        rates.append([weights["lr"] for weights in net.optimizer_.param_groups])

    monkeypatch.setattr(AUNet, "on_train_begin", note)
    params = {"identity_epochs": 1, "identity_lr": 2e-4, "lr": 1e-3}
    LightCNNClassifier(**QUICK | params).fit(X, Y, groups=groups)
    assert rates == [[2e-4, 2e-4], [1e-3]]


def test_pretraining_is_what_identity_epochs_adds(blobs):
    X, Y, groups = blobs
    usual = LightCNNClassifier(**QUICK).fit(X, Y, groups=groups)
    started = LightCNNClassifier(**QUICK, identity_epochs=1)
    started.fit(X, Y, groups=groups)
    assert not np.array_equal(usual.predict_proba(X), started.predict_proba(X))
    with pytest.warns(UserWarning, match=r"groups is not given.*identities is left out"):
        nobody = LightCNNClassifier(**QUICK, identity_epochs=1, validation_fraction=0).fit(X, Y)
    assert "train_triplet_loss" not in nobody.history_


# -- ATF -------------------------------------------------------------------------------------


def test_the_adversary_makes_subjects_harder_to_tell():
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(8), 25)
    Y = rng.randint(0, 2, (200, 1)).astype(float)
    X = np.column_stack([2 * Y - 1, rng.randn(8, 7)[groups]]) + 0.2 * rng.randn(200, 8)
    loss = {}
    for adversary in (1e-9, 1.0):
        clf = ATFClassifier(
            adversary=adversary, max_epochs=60, lr=3e-3, validation_fraction=0, random_state=0
        )
        clf.fit(X, Y, groups=groups)
        assert clf.score(X, Y) > 0.98
        loss[adversary] = clf.history_["train_identity_loss"].iloc[-30:].mean()
    assert loss[1e-9] < 0.05  # features that nobody cleans tell them apart
    assert loss[1.0] > 0.2
    assert not any("head.1" in name for name in clf.module_.state_dict())


def test_the_reversed_gradient_by_hand():
    x = torch.ones(2, requires_grad=True)
    (3 * _reverse_gradient(x, 0.5)).sum().backward()
    assert x.grad.tolist() == [-1.5, -1.5]
    (3 * x).sum().backward()  # x itself is as it was
    assert x.grad.tolist() == [1.5, 1.5]
    with torch.inference_mode():
        assert torch.equal(_reverse_gradient(x, 0.5), x)


def test_subjects_held_out_are_nobody_to_the_adversary(blobs):
    X, Y, groups = blobs
    clf = ATFClassifier(**QUICK, validation_fraction=0.3).fit(X, Y, groups=groups)
    assert "valid_identity_loss" not in clf.history_
    assert clf.history_["train_identity_loss"].notna().all()


def test_without_subjects_there_is_no_adversary(blobs):
    X, Y, groups = blobs
    with pytest.warns(UserWarning, match="groups is not given"):
        clf = ATFClassifier(**QUICK, validation_fraction=0).fit(X, Y)
    assert "train_identity_loss" not in clf.history_
    clf = ATFClassifier(**QUICK, adversary=0).fit(X, Y, groups=groups)
    assert "train_identity_loss" not in clf.history_


# -- parts -----------------------------------------------------------------------------------


def test_a_cell_of_the_region_layer_by_hand():
    torch.manual_seed(0)
    layer, x = RegionLayer(4, grid=2), torch.rand(3, 4, 10, 12)
    y = layer(x)
    cell, own = x[:, :, 5:, :6], slice(8, 12)  # row 1, column 0: the third cell
    centred = cell - cell.mean((0, 2, 3), keepdim=True)
    normal = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    conv = layer.conv
    change = F.conv2d(F.relu(normal), conv.weight[own], conv.bias[own], padding=1)
    torch.testing.assert_close(y[:, :, 5:, :6], F.relu(cell + change))
    assert layer(torch.rand(2, 4, 11, 13)).shape == (2, 4, 11, 13)


@pytest.mark.parametrize("shape", [(32, 32), (40, 65), (64, 64), (66, 90)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_size(shape, channels):
    with torch.device("meta"):
        x = torch.zeros(2, channels, *shape)
        for clf in (DRMLClassifier(), AlexNetClassifier()):
            encoder, n = clf._make_encoder((channels, *shape))
            assert encoder(x).shape == (2, n)


def test_attention_is_highest_at_the_centres():
    attention = attention_maps(torch.tensor([[0.25, 0.75]]), 64, 32, radius=0.2)
    peak = attention[47:49, 7:9]  # the centre is where these four meet
    torch.testing.assert_close(peak, attention.max().expand(2, 2))
    assert (attention > 0.99 * attention.max()).sum() == 4
    assert attention.max() > 0.8
    assert attention[:, 16:].max() == 0  # further than 0.2
    x, layer = torch.rand(1, 2, 64, 32), Enhance(((0.25, 0.75),))
    attention = attention_maps(layer.centres, 64, 32)
    torch.testing.assert_close(layer(x), x + x * attention)


def test_the_templates_centres_are_symmetric_and_in_the_crop():
    centres = np.array(TEMPLATE_CENTRES)
    assert ((centres > 0) & (centres < 1)).all()
    mirrored = centres * [-1, 1] + [1, 0]
    np.testing.assert_allclose(np.sort(mirrored, axis=0), np.sort(centres, axis=0))


def test_a_roi_sees_its_window_alone():
    head = ROIHead(((0.1, 0.1), (0.9, 0.9)), channels=3, size=(12, 12))
    x = torch.rand(2, 3, 12, 12)
    other = x.clone()
    other[:, :, 6:] = 0  # away from the first window, over the second
    first, second = head(x)[:, :150], head(x)[:, 150:]
    torch.testing.assert_close(head(other)[:, :150], first)
    assert not torch.allclose(head(other)[:, 150:], second)


@pytest.mark.parametrize(
    ("centres", "message"),
    [([0.2, 0.3], "shape"), ([[20, 30]], "fractions"), ("middle", "'centres' parameter")],
)
def test_bad_centres(centres, message, blobs):
    X, Y, groups = blobs
    with pytest.raises(ValueError, match=message):
        ROINetClassifier(**QUICK, centres=centres).fit(X, Y, groups=groups)


def test_resnet_answers_the_same_to_a_mirror_image(blobs):
    X, Y, groups = blobs
    test = np.isin(groups, ["S1", "S5"])
    clf = ResNetClassifier(**QUICK | {"max_epochs": 15}, validation_fraction=0, augment=None)
    clf.fit(X[~test], Y[~test], groups=groups[~test])
    assert roc_auc_scorer(clf, X[test], Y[test]) > 0.9
    mirrored = np.ascontiguousarray(X[test][:, :, ::-1])
    np.testing.assert_allclose(
        clf.decision_function(mirrored), clf.decision_function(X[test]), rtol=0.02, atol=0.02
    )
    assert size(ResNetClassifier()._make_module((3, 80, 80), 18)) == 933_930
