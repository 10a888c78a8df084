"""Bad input gets an error that names it."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError


def _no_optimizer(weights, lr):
    return [weights, lr]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y, g: (X / 255.0, Y, g), r"uint8.*\(X \* 255\)"),
        (lambda X, Y, g: (np.full(X.shape, np.nan), Y, g), "uint8"),
        (lambda X, Y, g: (np.moveaxis(X, -1, 1), Y, g), "np.moveaxis"),
        (lambda X, Y, g: (np.concatenate([X, X[..., :1]], -1), Y, g), "RGBA"),
        (lambda X, Y, g: (X[:, :20, :20], Y, g), "at least 32 x 32"),
        (lambda X, Y, g: (X[None], Y, g), "dim"),
        (lambda X, Y, g: ([X[0], X[1][:-1], *X[2:]], Y, g), "FaceCropper"),
        (lambda X, Y, g: (X[:0], Y[:0], g[:0]), "0 sample"),
        (lambda X, Y, g: (X, Y * 9, g), "row .* 'AU1' holds 9|'AU12' holds 9"),
        (lambda X, Y, g: (X, Y - 1, g), "holds -1"),
        (lambda X, Y, g: (X, Y[:-1], g), "inconsistent numbers of samples"),
        (lambda X, Y, g: (X, Y * np.nan, g), "no label for AU1, AU12"),
        (lambda X, Y, g: (X, Y["AU1"] * np.nan, g), "no label"),
        (lambda X, Y, g: (X, np.arange(32) % 3, g), "Only binary"),
        (lambda X, Y, g: (X, np.zeros(32), g), "1 class"),
        (lambda X, Y, g: (X, None, g), "requires y"),
        (lambda X, Y, g: (X, Y, g[:-1]), "one subject for each of the 32 rows"),
        (lambda X, Y, g: (X, Y, np.where(g == "S3", None, g)), "no subject at row 12"),
        (lambda X, Y, g: ([f"/nowhere/{i}.png" for i in range(32)], Y, g), r"row 0 .*nowhere"),
    ],
)
def test_bad_input_is_named(make, change, message, few):
    X, Y, groups = change(*few)
    with pytest.raises((ValueError, TypeError), match=message):
        make().fit(X, Y, groups=groups)


def test_bad_parameters_are_named(make, few):
    X, Y, groups = few
    for bad in ({"lr": 0}, {"alpha": -1}, {"precision": "half"}, {"augment": "flop"}):
        with pytest.raises(ValueError, match=f"'{next(iter(bad))}' parameter"):
            make(**bad).fit(X, Y, groups=groups)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (torch.optim.LBFGS, "optimizer: LBFGS cannot train"),
        (partial(torch.optim.LBFGS, max_iter=2), "optimizer: LBFGS cannot train"),
        (torch.optim.SparseAdam, "optimizer: SparseAdam cannot train"),
        (partial(torch.optim.SGD, speed=2), "optimizer=.*SGD.*lr=0.*speed"),
        (partial(torch.optim.SGD, lr=0.5), "optimizer=.*a learning rate of its own.* pass lr"),
        (_no_optimizer, "optimizer=.*_no_optimizer.* must make a torch.optim.Optimizer"),
    ],
)
def test_optimisers_that_cannot_train_are_named(make, optimizer, message, few):
    X, Y, groups = few
    with pytest.raises((ValueError, TypeError), match=message):
        make(optimizer=optimizer).fit(X, Y, groups=groups)


def test_an_au_without_a_positive_is_warned_of(make, few):
    X, Y, groups = few
    with pytest.warns(UserWarning, match="no positive example of AU12"):
        make().fit(X, Y.assign(AU12=0), groups=groups)
    with pytest.warns(UserWarning, match="no negative example of AU1 "):
        make().fit(X, Y.assign(AU1=1), groups=groups)


def test_predict_refuses_what_fit_did_not_see(make, fitted, few):
    X, _, _ = few
    with pytest.raises(NotFittedError):
        make().predict(X)
    with pytest.raises(ValueError, match="RGB images of 40 x 32.*fitted on RGB images of 32 x 32"):
        fitted.predict(np.zeros((2, 40, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="grey images"):
        fitted.predict(X[..., 0])
    with pytest.raises(ValueError, match="np.newaxis"):
        fitted.predict(X[0])
