"""What ``class_weight`` makes of the labels, and of what is learnt from them."""

import inspect

import numpy as np
import pytest
import torch
from sklearn.utils import compute_class_weight

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import ATFClassifier, ResNetClassifier
from skau.estimators._class_weight import ClassificationLoss, class_weights
from skau.losses import masked_bce
from skau.modules import AUOutput

nan = np.nan
SEVERAL = np.arange(2)


def rare(n=200, shown=20, seed=0):
    """Vectors of which the first feature says a little of a rare AU."""
    rng = np.random.default_rng(seed)
    y = np.repeat([1, 0], [shown, n - shown])
    X = rng.normal(size=(n, 4))
    X[:, 0] += y
    return X, y, np.arange(n) % 10


def test_balanced_is_that_of_scikit_learn_for_each_au_without_the_missing():
    rng = np.random.default_rng(0)
    Y = (rng.random((60, 3)) < [0.1, 0.5, 0.8]).astype(float)
    Y[rng.random(Y.shape) < 0.3] = nan
    got = class_weights("balanced", Y, np.ones(60), np.arange(3), False)
    for au in range(3):
        known = Y[~np.isnan(Y[:, au]), au]
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=known)
        np.testing.assert_allclose(got[:, au], expected)


def test_rows_count_by_their_weight():
    Y = np.array([[1.0], [0.0], [0.0]])
    twice = class_weights("balanced", Y[[0, 0, 1, 2]], np.ones(4), SEVERAL, True)
    weighted = class_weights("balanced", Y, np.array([2.0, 1, 1]), SEVERAL, True)
    np.testing.assert_allclose(weighted, twice)


def test_an_au_of_one_class_keeps_its_weight():
    Y = np.array([[0.0, 1, nan], [0, 1, nan]])
    weights = class_weights("balanced", Y, np.ones(2), np.arange(3), False)
    np.testing.assert_array_equal(weights, np.ones((2, 3)))


def test_asymmetric_weighs_aus_by_the_inverse_of_their_rate():
    Y = np.zeros((20, 4))
    Y[:4, 0] = Y[:10, 1] = 1  # rates 1/5 and 1/2: 5 to 2
    Y[:, 2] = nan
    Y[:, 3] = Y[:, 0]
    present = class_weights("asymmetric", Y, np.ones(20), np.arange(4), False)[1]
    np.testing.assert_allclose(present[[0, 1, 3]], np.array([5, 2, 5]) / 4)


@pytest.mark.parametrize("scheme", ["balanced", "asymmetric"])
def test_the_unit_of_the_row_weights_does_not_count(scheme):
    Y = np.full((1000, 4), nan)
    Y[:, 0] = np.arange(1000) < 100
    Y[:200, 1] = np.arange(200) < 20  # of the same rate
    Y[:, 2] = 0
    weights = [class_weights(scheme, Y, np.full(1000, w), np.arange(4), False) for w in (1, 1e-3)]
    np.testing.assert_allclose(weights[0][1, 0], weights[0][1, 1])
    np.testing.assert_allclose(*weights)


def test_dicts_are_by_label():
    Y = np.array([[1.0, 0], [0, 1]])
    one, ones = {1: 4}, np.ones(2)
    np.testing.assert_array_equal(
        class_weights(one, Y, ones, np.arange(2), False), [[1, 1], [4, 4]]
    )
    np.testing.assert_array_equal(
        class_weights([one, {0: 2, 1: 3}], Y, ones, np.arange(2), False), [[1, 2], [4, 3]]
    )
    named = class_weights({"no": 2, "yes": 5}, Y[:, :1], ones, np.array(["no", "yes"]), True)
    np.testing.assert_array_equal(named, [[2], [5]])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{1: 2}], "holds 1 dicts, but y has 2 AUs"),
        ([{1: 2}, 3], "must hold dicts"),
        ([{1: 2}, {2: 1}], r"class_weight\[1\] names \[2\]"),
        ({1: -1}, "from 0 to 1e6"),
        ({1: nan}, "from 0 to 1e6"),
        ("even", "class_weight"),
    ],
)
def test_what_is_wrong_is_named(given, said):
    X, y, groups = rare()
    clf = DSNClassifier(class_weight=given, max_epochs=1)
    with pytest.raises(ValueError, match=said):
        clf.fit(X, np.column_stack([y, y]), groups=groups)


def test_the_loss_of_balanced_labels_has_the_size_of_the_plain_one():
    """So that alpha and beta keep their meaning: where nothing is known, both are log 2."""
    Y = np.array([[1.0, 0], [0, 0], [0, 1], [0, nan]])
    weights = class_weights("balanced", Y, np.ones(4), np.arange(2), False)
    output = AUOutput(torch.zeros(4, 2), torch.zeros(4, 1))
    batch = {"weight": torch.ones(4)}
    loss, terms = ClassificationLoss(weights)(output, torch.tensor(Y, dtype=torch.float32), batch)
    assert loss.item() == pytest.approx(np.log(2), rel=1e-6)
    assert terms["class"][1] == 7
    plain, _ = ClassificationLoss(None)(output, torch.tensor(Y), batch)
    assert plain.item() == masked_bce(output.logits, torch.tensor(Y)).item()


@pytest.mark.parametrize(
    "make",
    [
        DSNClassifier,
        lambda **params: IdenNetClassifier(**params, identity_epochs=0, lr=1e-3),
        lambda **params: ATFClassifier(**params, lr=1e-3),
        lambda **params: ResNetClassifier(**params, lr=1e-3),
    ],
    ids=["DSN", "IdenNet", "ATF", "ResNet"],
)
def test_a_rare_au_is_found_more_often(make):
    X, y, groups = rare()
    found = {}
    for weight in (None, "balanced", "asymmetric", {1: 9}):
        clf = make(
            max_epochs=6, batch_size=20, validation_fraction=0, class_weight=weight,
            random_state=0,
        )  # fmt: skip
        found[str(weight)] = clf.fit(X, y, groups=groups).predict_proba(X)[:, 1].mean()
    plain = found.pop("None")
    assert all(share > plain + 0.05 for share in found.values()), (plain, found)


def test_balanced_is_the_dict_that_it_stands_for():
    X, y, groups = rare()
    options = {"max_epochs": 2, "validation_fraction": 0, "random_state": 0}
    named = DSNClassifier(class_weight="balanced", **options).fit(X, y, groups=groups)
    spelled = DSNClassifier(class_weight={0: 200 / 360, 1: 5}, **options).fit(X, y, groups=groups)
    np.testing.assert_allclose(named.predict_proba(X), spelled.predict_proba(X), rtol=1e-12)


def test_the_number_of_parameters_is_bounded():
    """16 and 24, and class_weight and trunk. Those of the papers' equations stay among them."""
    dsn, idennet = (inspect.signature(c).parameters for c in (DSNClassifier, IdenNetClassifier))
    assert {"alpha", "beta", "person_encoder", "difference", "class_weight"} < set(dsn)
    assert {"normalize", "identity_transform", "negative_pool", "backbone"} < set(idennet)
    assert len(dsn) <= 17
    assert len(idennet) <= 26


def test_a_state_of_before_the_parameter_gets_its_default():
    X, y, groups = rare()
    state = DSNClassifier(max_epochs=1, random_state=0).fit(X, y, groups=groups).__getstate__()
    del state["class_weight"]
    old = DSNClassifier.__new__(DSNClassifier)
    old.__setstate__(state)
    assert old.class_weight is None
    assert "class_weight" in repr(old.set_params(class_weight="balanced"))
    assert old.partial_fit(X, y, groups=groups) is old
