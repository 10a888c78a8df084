"""A pretrained image network in place of LightCNN's convolutions."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torchvision.models import convnext_tiny, resnet18, vit_b_16
from torchvision.models.resnet import BasicBlock, ResNet

from skau import IdenNetClassifier, MixedEffectsClassifier
from skau.baselines import LightCNNClassifier
from skau.models import save
from skau.modules import ImageTrunk

QUICK = {"max_epochs": 1, "batch_size": 32, "lr": 1e-2, "random_state": 0, "precision": "float32"}
CLASSIFIERS = [
    partial(LightCNNClassifier, **QUICK),
    partial(LightCNNClassifier, identity_epochs=1, **QUICK),
    partial(MixedEffectsClassifier, **QUICK),
    partial(IdenNetClassifier, identity_epochs=1, **QUICK),
    partial(IdenNetClassifier.as_released, identity_epochs=1, **QUICK),
]


class Narrow(ResNet):
    """A residual network of torchvision's make, a 64th of ResNet-18's size."""

    def __init__(self):
        super().__init__(BasicBlock, [1, 1, 1, 1], width_per_group=64)
        self.conv1 = nn.Conv2d(3, 64, 7, stride=4, padding=3, bias=False)
        self.layer2 = self.layer3 = self.layer4 = nn.Identity()
        self.fc = nn.Linear(64, 1000)


@pytest.fixture
def weights(tmp_path):
    """Of a network with its last layer, as they are published."""
    torch.manual_seed(3)
    network = Narrow()
    torch.save(network.state_dict(), tmp_path / "narrow.pt")
    return network, tmp_path / "narrow.pt"


def arrays(module):
    return {name: w.numpy(force=True).copy() for name, w in module.state_dict().items()}


def test_the_network_sees_images_as_it_knows_them(weights):
    network, path = weights
    trunk = ImageTrunk(Narrow, path).eval()
    x = torch.rand(2, 3, 32, 32)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    network.fc = nn.Identity()
    with torch.inference_mode():
        own = network.eval()((x - mean) / std)
        torch.testing.assert_close(trunk(x), own)
        grey = trunk(x[:, :1])
        torch.testing.assert_close(grey, trunk(x[:, :1].expand(-1, 3, -1, -1)))
    assert not trunk.train().network.bn1.training  # frozen: its statistics stand still
    assert ImageTrunk(Narrow, lr_scale=0.1).train().network.bn1.training


@pytest.mark.parametrize(
    ("make", "width", "size"),
    [(resnet18, 512, None), (convnext_tiny, 768, None), (vit_b_16, 768, 224)],
)
def test_networks_of_torchvision(make, width, size):
    with torch.device("meta"):  # their sizes alone: no memory, no time
        trunk = ImageTrunk(make, size=size).eval()
        assert trunk(torch.rand(1, 3, 64, 64)).shape == (1, width)


def test_all_of_it_is_where_its_network_is():
    trunk = ImageTrunk(Narrow().to("meta"))
    assert all(part.is_meta for part in (*trunk.parameters(), *trunk.buffers()))


def test_the_module_given_stays_as_it_is():
    network = Narrow()
    ImageTrunk(network)
    assert network.fc.out_features == 1000
    assert all(weight.requires_grad for weight in network.parameters())
    learning = ImageTrunk(network, lr_scale=0.1)
    assert all(weight.requires_grad for weight in learning.parameters())


def test_a_network_of_timms_make_takes_its_own_head_off():
    class Timm(nn.Sequential):
        def reset_classifier(self, num_classes):
            self.asked = num_classes

    assert ImageTrunk(Timm(nn.Flatten())).network.asked == 0


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_a_frozen_trunk_is_the_files(make, weights, blobs):
    network, path = weights
    X, Y, groups = blobs
    mine = ImageTrunk(Narrow, path)
    clf = make(trunk=mine).fit(X, Y, groups=groups)
    found = arrays(clf.module_.trunk.network)
    assert found
    for name, w in found.items():
        np.testing.assert_array_equal(w, arrays(network)[name])
    assert clf.module_.fc6[0].in_features == 64
    assert clf.trunk is mine
    path.unlink()  # the parameter holds what it read
    proba = clf.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), proba)
    again = clone(clf).fit(X, Y, groups=groups)
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    with torch.no_grad():
        for w in clf.module_.trunk.parameters():
            w.zero_()
    assert not np.allclose(clf.predict_proba(X), proba)  # the AUs are told by it


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_a_trunk_learns_at_a_rate_of_its_own(make, weights, blobs):
    """Plain gradient descent: a tenth of the rate moves the weights a tenth as far."""
    _, path = weights
    X, Y, groups = blobs
    moved = {}
    for scale in (1, 0.1):
        clf = make(trunk=ImageTrunk(Narrow, path, lr_scale=scale), optimizer=torch.optim.SGD)
        clf.set_params(validation_fraction=0, lr=1e-4)
        if hasattr(clf, "identity_epochs"):
            clf.set_params(identity_epochs=0)
        if hasattr(clf, "callbacks"):
            clf.set_params(callbacks=None)
        clf.fit(X, Y, groups=groups)
        before = torch.load(path, weights_only=True)["conv1.weight"]
        after = clf.module_.trunk.network.conv1.weight.detach().cpu()
        moved[scale] = (after - before).norm().item()
        rates = {group["lr"] for group in clf.net_.optimizer_.param_groups}
        assert rates == {1e-4, scale * 1e-4}
    assert moved[0.1] == pytest.approx(moved[1] / 10, rel=0.05)


def test_stage_one_has_the_scale_too(weights, blobs):
    X, Y, groups = blobs
    seen = []

    class Look(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(tuple(group["lr"] for group in self.param_groups))
            return super().step(closure)

    IdenNetClassifier(
        **QUICK | {"lr": 1e-3}, identity_epochs=1, identity_lr=1e-4, optimizer=Look,
        trunk=ImageTrunk(Narrow, lr_scale=0.5),
    ).fit(X, Y, groups=groups)  # fmt: skip
    assert list(dict.fromkeys(seen)) == [(5e-5, 1e-4), (5e-4, 1e-3)]


def test_any_module_is_a_trunk(blobs):
    X, Y, groups = blobs
    pixels = partial(nn.Flatten)
    clf = LightCNNClassifier(**QUICK, trunk=pixels).fit(X, Y, groups=groups)
    assert clf.module_.fc6[0].in_features == X[0].size
    both = IdenNetClassifier(**QUICK, trunk=pixels, backbone=ImageTrunk(Narrow))
    both.fit(X, Y, groups=groups)
    assert both.module_.fc5[0].in_features == 64
    assert both.module_.fc6[0].in_features == X[0].size


def test_vectors_have_trunks_too():
    rng = np.random.RandomState(0)
    X, Y, groups = rng.normal(size=(40, 6)), rng.randint(0, 2, (40, 2)), np.arange(40) // 4
    clf = MixedEffectsClassifier(
        **QUICK | {"precision": "auto"}, trunk=partial(nn.Linear, 6, 5)
    ).fit(X, Y, groups=groups)
    assert clf.module_.fc6[0].in_features == 5


@pytest.mark.parametrize(
    ("trunk", "error", "message"),
    [
        (nn.Identity, ValueError, r"trunk must turn .* into features \(b, d\)"),
        (partial(nn.Conv2d, 1, 2, 3), ValueError, r"trunk does not take inputs of shape"),
        (dict, TypeError, "trunk must make a torch.nn.Module, but it made dict"),
        ("resnet18", ValueError, "'trunk' parameter"),
    ],
)
@pytest.mark.parametrize("make", [CLASSIFIERS[0], *CLASSIFIERS[2:4]])
def test_what_is_no_trunk(make, trunk, error, message, blobs):
    X, Y, groups = blobs
    with pytest.raises(error, match=message):
        make(trunk=trunk).fit(X, Y, groups=groups)


def test_files_that_do_not_fit(weights, tmp_path):
    network, path = weights
    names = network.state_dict()
    del names["bn1.weight"]
    torch.save({"model": names}, path)
    with pytest.raises(ValueError, match=r"weights: .*narrow.pt.* missing: bn1.weight"):
        ImageTrunk(Narrow, path)
    path.write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"weights: .* is no file of weights"):
        ImageTrunk(Narrow, path)
    with pytest.raises(ValueError, match="lr_scale"):
        ImageTrunk(Narrow, lr_scale=-1)
    with pytest.raises(TypeError, match="network must make a torch.nn.Module, not dict"):
        ImageTrunk(dict)
    state = {f"module.{name}": w for name, w in network.state_dict().items()}
    torch.save({"model": state, "epoch": 3}, path)  # of a training script
    trunk = ImageTrunk(Narrow, path)
    torch.testing.assert_close(trunk.network.conv1.weight, network.conv1.weight)


def test_a_trunk_is_not_saved_without_its_code(tmp_path, blobs):
    X, Y, groups = blobs
    clf = LightCNNClassifier(**QUICK, trunk=ImageTrunk(Narrow)).fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match="cannot be saved: trunk holds code"):
        save(clf, tmp_path / "model.skau")
    with pytest.raises(ValueError, match="trunk was set since the last fit"):
        clf.set_params(trunk=None).partial_fit(X, Y, groups=groups)
