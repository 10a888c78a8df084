from contextlib import nullcontext

import numpy as np
import pytest

from skau import DSNClassifier


@pytest.fixture(scope="module")
def fitted(blobs):
    X, Y, groups = blobs
    clf = DSNClassifier(
        alpha=10, max_epochs=20, batch_size=16, augment=None, validation_fraction=0, random_state=0
    )
    return clf.fit(X, Y, groups=groups)


def test_reconstruction_resembles_the_image(fitted, blobs):
    X = blobs[0]
    again = fitted.reconstruct(X)
    assert again.shape == X.shape
    assert again.dtype == np.uint8
    error = np.abs(again.astype(float) - X).mean()
    assert error < 0.7 * np.abs(X - X.mean(axis=(1, 2, 3), keepdims=True)).mean()


def test_reconstruction_takes_person_and_brightness_from_person(fitted, blobs):
    X = blobs[0]
    one = fitted.reconstruct(X[:4], person=X[-1:])
    each = fitted.reconstruct(X[:4], person=np.repeat(X[-1:], 4, axis=0))
    # batches of other sizes add in another order: a pixel at a half goes to either side, and in
    # bfloat16 the step from one number to the next is as large
    assert np.abs(one.astype(int) - each).max() <= 2
    again = fitted.reconstruct(X[:4], person=X[:4]).astype(int)
    assert np.abs(again - fitted.reconstruct(X[:4])).max() <= 2
    assert np.abs(one.mean((1, 2, 3)) - X[-1].mean()).max() < 2
    with pytest.raises(ValueError, match="1 or 4 images, got 3"):
        fitted.reconstruct(X[:4], person=X[:3])
    with pytest.raises(ValueError, match=r"person, which is read as X is: .* pixels, got 20 x 32"):
        fitted.reconstruct(X[:4], person=X[:4, :20])


def test_the_person_code_does_not_die(fitted, blobs):
    """Zero for every face would be the cheapest difference loss of all."""
    X, _, _ = blobs
    codes = fitted.identity_features(X)
    assert codes.std(axis=0).mean() > 0.01 * np.abs(codes).mean()
    bar = slice(13, 19)  # where the picture says who it is
    own, other = fitted.reconstruct(X[:8]), fitted.reconstruct(X[:8], person=X[-8:])
    changed = np.abs(own.astype(float) - other).mean(axis=(0, 3))
    assert changed[bar].mean() > 3


def test_grey_images_and_vectors_are_rebuilt_in_their_own_shape(blobs):
    X, Y, groups = blobs
    quick = DSNClassifier(max_epochs=1, random_state=0)
    grey = quick.fit(X[..., 0], Y, groups=groups).reconstruct(X[..., 0])
    assert grey.shape == (64, 32, 32)
    V = np.random.RandomState(0).randn(64, 7)
    assert quick.fit(V, Y, groups=groups).reconstruct(V).shape == (64, 7)


def test_single_encoder(blobs):
    X, Y, groups = blobs
    clf = DSNClassifier(person_encoder=False, max_epochs=1, random_state=0)
    assert not hasattr(clf, "identity_features")
    clf.fit(X, Y, groups=groups)
    assert "train_difference_loss" not in clf.history_
    assert "train_reconstruction_loss" in clf.history_
    assert clf.reconstruct(X).shape == X.shape
    with pytest.raises(ValueError, match="single encoder"):
        clf.reconstruct(X, person=X)


@pytest.mark.parametrize("person_encoder", [False, True])
def test_after_fit_the_network_says_whether_it_knows_a_person(blobs, person_encoder):
    X, Y, groups = blobs
    clf = DSNClassifier(person_encoder=person_encoder, max_epochs=1, random_state=0)
    clf.fit(X, Y, groups=groups).set_params(person_encoder=not person_encoder)
    assert hasattr(clf, "identity_features") == person_encoder
    with nullcontext() if person_encoder else pytest.raises(ValueError, match="single encoder"):
        clf.reconstruct(X[:2], person=X[-1:])


def test_weights_of_the_losses_matter(blobs):
    X, Y, groups = blobs
    proba = [
        DSNClassifier(max_epochs=2, random_state=0, **params)
        .fit(X, Y, groups=groups)
        .predict_proba(X)
        for params in (
            {},
            {"alpha": 1.0},
            {"beta": 1.0},
            {"difference": "literal"},
            {"class_weight": "balanced"},
        )
    ]
    for other in proba[1:]:
        assert not np.array_equal(proba[0], other)


def test_a_larger_beta_lowers_the_difference_loss(blobs):
    X, Y, groups = blobs
    last = [
        DSNClassifier(beta=beta, max_epochs=10, validation_fraction=0, random_state=0)
        .fit(X, Y, groups=groups)
        .history_["train_difference_loss"]
        .iloc[-1]
        for beta in (0.0, 1.0)
    ]
    assert last[1] < 0.5 * last[0]


def test_identity_only_rows_train_the_reconstruction(blobs):
    X, Y, groups = blobs
    Y = Y.copy()
    Y.iloc[:16] = np.nan
    params = {"max_epochs": 2, "validation_fraction": 0, "random_state": 0}
    with_them = DSNClassifier(**params).fit(X, Y, groups=groups)
    others = X.copy()
    others[:16] = 255 - others[:16]
    changed = DSNClassifier(**params).fit(others, Y, groups=groups)
    assert not np.array_equal(with_them.predict_proba(X), changed.predict_proba(X))
