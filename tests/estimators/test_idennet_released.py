"""The released IdenNet against values worked out by hand from its formulas."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skau import IdenNetClassifier
from skau.estimators._class_weight import ClassificationLoss
from skau.estimators._identity import IdenNetLoss, MinedTriplets
from skau.modules import IdenNet
from skau.training._batches import IdentityBatches, MixedBatches, ShuffledBatches


def test_the_released_network_has_its_biases_and_first_weights():
    torch.manual_seed(0)
    net = IdenNet((3, 128, 128), 12, released=True)
    assert sum(p.numel() for p in net.parameters()) == 6_572_832 + 1_964
    assert net.fc6[0].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert net.fc7.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert all((layer.bias == 0).all() for layer in (net.fc6[0], net.fc7, net.trunk[0]))
    reach = np.sqrt(3 / (3 * 9 * 9))
    assert net.trunk[0].weight.abs().max().item() == pytest.approx(reach, rel=0.01)
    he = IdenNet((3, 128, 128), 12)
    x = torch.rand(8, 3, 128, 128)
    with torch.no_grad():
        lengths = [n.au_features(x).norm(dim=1).mean() for n in (net, he)]
    assert lengths[0] < lengths[1] / 4  # the subtraction counts for several times more


def test_identity_weighs_one_to_twelve():
    """Summed over 12 AUs and divided by 64 images of which 32 have AUs: 6 of our means.

    Half a hinge of margin 1: half of ours. So a twelfth.
    """
    clf = IdenNetClassifier.as_released()
    assert clf.alpha / (1 - clf.alpha) == pytest.approx(0.5 / 6)
    assert clf.margin == 1


def test_mixed_batches_are_half_and_half():
    rng = np.random.RandomState(0)
    group = np.repeat(np.arange(20), 4)
    identities = IdentityBatches(np.arange(100, 180), group, 64, 16, 0, rng)
    batches = list(MixedBatches(ShuffledBatches(np.arange(50), 32, rng), identities.halved()))
    assert [len(batch) for batch in batches] == [32 + 32, 18 + 32]
    for batch in batches:
        own = [row for row in batch if row >= 100]
        people, counts = np.unique(group[np.array(own) - 100], return_counts=True)
        assert len(people) == 16
        assert (counts == 2).all()
    assert sorted(row for batch in batches for row in batch if row < 100) == list(range(50))
    assert identities.n_each == 4  # stage 1 keeps its batches


def test_the_loss_of_a_mixed_batch():
    """Two AU rows, and two of one person beside one of another: worked out by hand."""
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    logits = torch.zeros(5, 1)
    y = torch.tensor([[1.0], [0.0], [torch.nan], [torch.nan], [torch.nan]])
    output = type("Output", (), {"logits": logits, "identity": z, "features": z})
    group = torch.tensor([-1, -1, 0, 0, 1])
    batch = {"weight": torch.ones(5), "group": group, "generator": torch.Generator()}
    triplets = MinedTriplets(1.0, 16)
    total, terms = IdenNetLoss(1 / 13, triplets, ClassificationLoss(None), 0.0)(output, y, batch)
    # |a - p|^2 = 0.8 either way; to the other person 2 (from [1, 0]) or 0.4 (from [0.6, 0.8])
    hinge = terms["triplet"][0].item()
    assert min(abs(hinge - max(0, 0.8 - 2 + 1)), abs(hinge - (0.8 - 0.4 + 1))) < 1e-6
    assert terms["class"][1] == 2
    assert total.item() == pytest.approx(hinge / 13 + 12 / 13 * np.log(2), rel=1e-6)


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
def test_a_released_fit_keeps_to_its_schedule(blobs):
    X, Y, groups = blobs
    half = groups < "S4"
    Y = Y.copy()
    Y[~half] = np.nan
    clf = IdenNetClassifier.as_released(
        max_epochs=2, identity_epochs=1, batch_size=16, random_state=0
    )
    clf = clone(clf).fit(X, Y, groups=groups)
    assert clf.history_["stage"].tolist() == ["identity", "AU", "AU"]
    assert clf.history_["train_triplet_loss"].notna().all()
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize("biases", [True, False])
def test_trunk_and_identity_start_from_lightened_cnn_a(blobs, tmp_path, biases):
    X, Y, groups = blobs
    source = IdenNet((1, 32, 32), 2, released=True)
    names = {"conv1": source.trunk[0], "conv2": source.trunk[3], "conv3": source.trunk[6],
             "conv4": source.trunk[9], "fc1": source.fc5[0]}  # fmt: skip
    weights = {f"{name}.weight": layer.weight.detach() for name, layer in names.items()}
    weights["fc2.weight"] = torch.zeros(10, 256)  # of the people that it was trained on
    if biases:
        weights |= {f"{name}.bias": layer.bias.detach() + 0.5 for name, layer in names.items()}
    path = tmp_path / "LightenedCNN_A.pth"
    torch.save(weights, path)
    clf = IdenNetClassifier(
        pretrained=path, first_weights="released" if biases else "he", identity_epochs=0,
        max_epochs=1, lr=1e-12, validation_fraction=0, random_state=0, device="cpu",
    )  # fmt: skip
    clf.fit(X, Y, groups=groups)
    net = clf.module_
    torch.testing.assert_close(net.fc5[0].weight, weights["fc1.weight"])
    grey = weights["conv1.weight"].expand(-1, 3, -1, -1) / 3
    torch.testing.assert_close(net.trunk[0].weight, grey, rtol=0, atol=1e-6)
    if biases:
        torch.testing.assert_close(net.trunk[9].bias, weights["conv4.bias"])
        with pytest.raises(ValueError, match=r"unexpected: trunk.0.bias"):
            IdenNetClassifier(pretrained=path, validation_fraction=0).fit(X, Y, groups=groups)


def test_a_whole_network_fills_trunk_and_fc5(blobs, tmp_path):
    X, Y, groups = blobs
    source = IdenNet((3, 32, 32), 7)
    torch.save(source.state_dict(), tmp_path / "net.pth")
    clf = IdenNetClassifier(
        pretrained=tmp_path / "net.pth", identity_epochs=0, max_epochs=1, lr=1e-12,
        validation_fraction=0, random_state=0, device="cpu",
    )  # fmt: skip
    net = clf.fit(X, Y, groups=groups).module_
    torch.testing.assert_close(net.fc5[0].weight, source.fc5[0].weight)
    torch.testing.assert_close(net.trunk[3].weight, source.trunk[3].weight)
