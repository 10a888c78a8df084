"""Starting from weights on disk, and a backbone in the identity branch."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from skau import IdenNetClassifier
from skau.baselines import LightCNNClassifier
from skau.modules._weights import load_weights

QUICK = {"max_epochs": 1, "batch_size": 32, "lr": 1e-3, "random_state": 0}


class Tiny(nn.Sequential):
    """Images (b, c, h, w) -> (b, 12), with what makes training and evaluation differ."""

    def __init__(self, channels=3, frozen=False):
        super().__init__(
            nn.Conv2d(channels, 6, 5, stride=4), nn.BatchNorm2d(6), nn.Dropout(0.5),
            nn.AdaptiveAvgPool2d((2, 1)), nn.Flatten(),
        )  # fmt: skip
        self.requires_grad_(not frozen)


def arrays(module):
    return {name: w.numpy(force=True).copy() for name, w in module.state_dict().items()}


def changed(before, module):
    return {k for k, v in arrays(module).items() if not np.array_equal(before[k], v)}


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(7)
    module = Tiny()
    torch.save(module.state_dict(), tmp_path / "tiny.pt")
    return module, tmp_path / "tiny.pt"


# -- the backbone ----------------------------------------------------------------------------


def test_the_identity_comes_from_the_backbone_alone(blobs):
    X, Y, groups = blobs
    clf = IdenNetClassifier(**QUICK, backbone=Tiny, precision="float32", device="cpu")
    clf.fit(X, Y, groups=groups)
    x = torch.from_numpy(X).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        z = clf.module_.fc5(clf.module_.backbone(x))
    np.testing.assert_allclose(clf.identity_features(X), z.numpy(), atol=1e-5)
    np.testing.assert_allclose(torch.linalg.norm(z, dim=1), 1, rtol=1e-5)
    before = clf.predict_proba(X)
    with torch.no_grad():
        clf.module_.trunk[0].weight.zero_()
    np.testing.assert_allclose(clf.identity_features(X), z.numpy(), atol=1e-5)
    assert not np.allclose(clf.predict_proba(X), before)


def test_stage_one_trains_the_backbone_and_not_the_trunk(blobs):
    X, Y, groups = blobs
    clf = IdenNetClassifier(**QUICK, backbone=Tiny).fit(X, Y, groups=groups)
    before = arrays(clf.module_)
    data = clf._check_data(X, Y, groups, None, reset=False)
    clf.net_.fit_stage(clf._make_stages(data, None, clf._rng)[0], clf._seeded())
    names = {name.split(".")[0] for name in changed(before, clf.module_)}
    assert names == {"backbone", "fc5"}


def test_a_frozen_backbone_stands_still(blobs):
    X, Y, groups = blobs
    frozen = Tiny(frozen=True)
    before = arrays(frozen)
    clf = IdenNetClassifier(**QUICK, backbone=frozen).fit(X, Y, groups=groups)
    assert not changed(before, clf.module_.backbone)  # nor the statistics of its norm
    learning = IdenNetClassifier(**QUICK, backbone=Tiny()).fit(X, Y, groups=groups)
    assert {"0.weight", "1.running_mean"} <= changed(before, learning.module_.backbone)


def test_a_module_as_parameter_is_copied_and_never_trained(blobs):
    X, Y, groups = blobs
    mine = Tiny()
    before = arrays(mine)
    clf = IdenNetClassifier(**QUICK, backbone=mine)
    first = clf.fit(X, Y, groups=groups).predict_proba(X)
    assert not changed(before, mine)
    assert clf.get_params()["backbone"] is mine
    np.testing.assert_array_equal(clf.fit(X, Y, groups=groups).predict_proba(X), first)
    other = clone(clf)
    assert other.backbone is not mine
    np.testing.assert_array_equal(other.fit(X, Y, groups=groups).predict_proba(X), first)


def test_a_factory_draws_from_random_state(blobs):
    X, Y, groups = blobs
    clf = IdenNetClassifier(**QUICK, backbone=partial(Tiny, 3))
    first = clf.fit(X, Y, groups=groups).predict_proba(X)
    np.testing.assert_array_equal(clone(clf).fit(X, Y, groups=groups).predict_proba(X), first)
    clf.set_params(random_state=1).fit(X, Y, groups=groups)
    assert not np.array_equal(clf.predict_proba(X), first)


@pytest.mark.parametrize(
    ("backbone", "error", "message"),
    [
        (nn.Identity, ValueError, r"features \(b, d\).*\(1, 3, 32, 32\)"),
        (partial(Tiny, 1), ValueError, r"does not take inputs of shape \(3, 32, 32\)"),
        (dict, TypeError, "it made dict"),
        ("facenet", ValueError, "'backbone' parameter"),
    ],
)
def test_what_is_no_backbone(backbone, error, message, blobs):
    X, Y, groups = blobs
    with pytest.raises(error, match=message):
        IdenNetClassifier(**QUICK, backbone=backbone).fit(X, Y, groups=groups)


def test_facenet_as_backbone():
    from facenet_pytorch import InceptionResnetV1

    rng = np.random.RandomState(0)
    X = rng.randint(0, 256, (4, 80, 80, 3)).astype(np.uint8)
    Y = np.tile([[0.0, 1.0], [1.0, 0.0]], (2, 1))

    def frozen():
        return InceptionResnetV1(pretrained=None).requires_grad_(False)

    quick = QUICK | {"precision": "float32", "validation_fraction": 0}
    clf = IdenNetClassifier(**quick, backbone=frozen)
    clf.fit(X, Y, groups=[0, 0, 1, 1])
    assert clf.module_.fc5[0].in_features == 512
    assert clf.identity_features(X).shape == (4, 256)


# -- weights from a file ---------------------------------------------------------------------


def test_pretrained_fills_the_backbone(saved, blobs):
    X, Y, groups = blobs
    module, path = saved
    clf = IdenNetClassifier(**QUICK, backbone=partial(Tiny, frozen=True), pretrained=path)
    clf.fit(X, Y, groups=groups)
    assert not changed(arrays(module), clf.module_.backbone)
    path.unlink()  # a copy of what was fitted does without
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert not changed(arrays(module), again.module_.backbone)


@pytest.mark.parametrize("Estimator", [IdenNetClassifier, LightCNNClassifier])
def test_pretrained_fills_the_trunk(Estimator, tmp_path, blobs):
    X, Y, groups = blobs
    first = IdenNetClassifier(**QUICK).fit(X, Y, groups=groups)
    path = str(tmp_path / "trunk.pt")
    torch.save(first.module_.trunk.state_dict(), path)
    # a step too small to move a weight shows what the training started from
    clf = Estimator(**QUICK | {"lr": 1e-30}, identity_epochs=0, pretrained=path)
    clf.fit(X, Y, groups=groups)
    assert not changed(arrays(first.module_.trunk), clf.module_.trunk)
    usual = Estimator(**QUICK | {"lr": 1e-30}, identity_epochs=0).fit(X, Y, groups=groups)
    assert changed(arrays(first.module_.trunk), usual.module_.trunk)
    for layer in ("fc6.0.weight", "fc7.weight"):  # the others are drawn as ever
        assert layer not in changed(arrays(usual.module_), clf.module_)
    clf.fit(X.repeat(2, axis=1).repeat(2, axis=2), Y, groups=groups)  # images of any size
    assert not changed(arrays(first.module_.trunk), clf.module_.trunk)


def test_wrappings_of_training_scripts(saved, tmp_path):
    module, _ = saved
    wrapped = {f"module.{name}": w for name, w in module.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "wrapped.pt")
    other = Tiny()
    load_weights(other, tmp_path / "wrapped.pt")
    assert not changed(arrays(module), other)


def test_a_grey_first_layer_gives_the_same_on_grey_images(tmp_path):
    grey, rgb = Tiny(1).eval(), Tiny(3).eval()
    torch.save(grey.state_dict(), tmp_path / "grey.pt")
    load_weights(rgb, tmp_path / "grey.pt")
    x = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(rgb(x.expand(-1, 3, -1, -1)), grey(x))


def test_weights_of_another_network_change_nothing(saved):
    _, path = saved
    other = nn.Sequential(nn.Conv2d(3, 8, 5), nn.BatchNorm2d(6), nn.Flatten(), nn.PReLU())
    before = arrays(other)
    with pytest.raises(ValueError, match="does not hold the weights of this network") as error:
        load_weights(other, path)
    said = str(error.value)
    assert "missing: 3.weight" in said
    assert "of another shape: 0.weight (6, 3, 5, 5), not (8, 3, 5, 5), 0.bias (6,)" in said
    assert "unexpected" not in said
    assert not changed(before, other)
    with pytest.raises(ValueError, match=r"unexpected: 0\.weight, 0\.bias, 1\.weight"):
        load_weights(nn.Flatten(), path)


def test_files_that_hold_no_weights(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "module.pt")
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("weights")
    for name in ("module", "list", "text"):
        with pytest.raises(ValueError, match=rf"pretrained: .*{name}\.pt.*torch\.save"):
            load_weights(nn.Linear(2, 2), tmp_path / f"{name}.pt")
    with pytest.raises(FileNotFoundError):
        load_weights(nn.Linear(2, 2), tmp_path / "nothing.pt")
