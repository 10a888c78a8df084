import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone

import skau
from skau import IdenNetClassifier, MixedEffectsClassifier, PretrainedTrunk
from skau.baselines import LightCNNClassifier
from skau.datasets import load_sample_faces
from skau.models import ModelFileError

QUICK = {"max_epochs": 1, "validation_fraction": 0, "random_state": 0}


@pytest.fixture(scope="module")
def faces():
    faces = load_sample_faces()
    return faces.images[::15, ::2, ::2], faces.target.iloc[::15, :2], faces.groups[::15]


@pytest.fixture(scope="module")
def fitted(faces):
    X, Y, _ = faces
    return LightCNNClassifier(trunk=PretrainedTrunk("open-1"), lr=1e-3, **QUICK).fit(X, Y)


@pytest.mark.parametrize("name", skau.list_models()["name"])
def test_a_trunk_gives_the_features_of_its_model(name):
    model = skau.load_model(name)
    size = model[0].size
    X = load_sample_faces().images[::15, :size, :size]
    trunk = PretrainedTrunk(name)().eval()
    both = [torch.from_numpy(x.copy()).permute(0, 3, 1, 2) / 255 for x in (X, X[:, :, ::-1])]
    with torch.no_grad():
        features = (trunk(both[0]) + trunk(both[1])) / 2  # the model looks at the mirror, too
    expected = model[-1].estimator_.transform(X)
    np.testing.assert_allclose(features, expected, atol=1e-3)
    assert expected.std(0).mean() > 0.05


def test_an_unknown_name_is_told_the_known(faces):
    with pytest.raises(ValueError, match=r"no model is called 'nope'; shipped are: open-1"):
        LightCNNClassifier(trunk=PretrainedTrunk("nope")).fit(*faces[:2])


def test_it_learns_with_the_rest_or_not_at_all(faces, fitted):
    frozen = clone(fitted).set_params(trunk=PretrainedTrunk("open-1", lr_scale=0)).fit(*faces[:2])
    before = PretrainedTrunk("open-1")().network.state_dict()
    moved = {
        clf: [
            float((weight.cpu() - before[name]).abs().max())
            for name, weight in clf.module_.trunk.network.state_dict().items()
            if name.endswith("weight")
        ]
        for clf in (frozen, fitted)
    }
    assert max(moved[frozen]) == 0
    # Adam's first steps are as long as the rate
    assert 0.5e-3 < min(moved[fitted]) <= max(moved[fitted]) < 5e-3


def test_it_is_cloned_searched_over_and_copied():
    clf = LightCNNClassifier(trunk=PretrainedTrunk("open-1"))
    assert clone(clf).trunk == clf.trunk == copy.deepcopy(clf).trunk
    assert clf.trunk != PretrainedTrunk("open-1", lr_scale=0)
    assert "PretrainedTrunk(name='open-1', lr_scale=1.0)" in repr(clf)


@pytest.mark.parametrize("kind", [LightCNNClassifier, IdenNetClassifier, MixedEffectsClassifier])
def test_a_classifier_on_it_is_saved(kind, faces, tmp_path):
    X, Y, groups = faces
    clf = kind(trunk=PretrainedTrunk("open-1"), **QUICK).fit(X, Y, groups=groups)
    skau.save(clf, tmp_path / "model.skau")
    again = skau.load(tmp_path / "model.skau")
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert again.trunk == clf.trunk
    again.partial_fit(X, Y, groups=groups)  # the same network goes on


def test_weights_of_another_network_are_refused_before_it_is_made(fitted, tmp_path):
    """FC6 of images of 60,000 px would take 4 TB."""
    changed = copy.deepcopy(fitted)
    changed.input_shape_ = (3, 60_000, 60_000)
    skau.save(changed, tmp_path / "model.skau")
    with pytest.raises(ModelFileError, match="weights are not those of the network"):
        skau.load(tmp_path / "model.skau")


def test_a_trunk_that_no_file_may_name(fitted, tmp_path):
    changed = copy.deepcopy(fitted)
    object.__setattr__(changed.trunk, "name", "../elsewhere")
    skau.save(changed, tmp_path / "model.skau")
    with pytest.raises(ModelFileError, match=r"no model is called '../elsewhere'"):
        skau.load(tmp_path / "model.skau")
