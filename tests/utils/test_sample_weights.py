"""Weights of rows: what is wrong with them is said by name, wherever they go."""

import numpy as np
import pandas as pd
import pytest

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import SVTPTClassifier
from skau.metrics import accuracy, au_report, calibration_error, f1_frame, roc_auc

N = 16
ONES = np.ones(N)


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.RandomState(0)
    return rng.randn(N, 4), rng.randint(0, 2, (N, 2)).astype(float), np.arange(N) % 4


CALLS = {
    "DSN": lambda X, Y, g, w: DSNClassifier(max_epochs=1).fit(X, Y, groups=g, sample_weight=w),
    "DSN in parts": lambda X, Y, g, w: DSNClassifier().partial_fit(X, Y, sample_weight=w),
    "IdenNet": lambda X, Y, g, w: IdenNetClassifier(max_epochs=1, identity_epochs=1).fit(
        X, Y, groups=g, sample_weight=w
    ),
    "SVTPT": lambda X, Y, g, w: SVTPTClassifier().fit(X, Y, groups=g, sample_weight=w),
    "score": lambda X, Y, g, w: SVTPTClassifier().fit(X, Y, g).score(X, Y, sample_weight=w),
    "f1_frame": lambda X, Y, g, w: f1_frame(Y, Y, sample_weight=w),
    "accuracy": lambda X, Y, g, w: accuracy(Y, Y, sample_weight=w),
    "roc_auc": lambda X, Y, g, w: roc_auc(Y, Y, sample_weight=w),
    "calibration_error": lambda X, Y, g, w: calibration_error(Y, Y, sample_weight=w),
    "au_report": lambda X, Y, g, w: au_report(Y, Y, sample_weight=w),
}
BAD = {
    "zero": (0 * ONES, "sample_weight is zero for every row"),
    "negative": (np.where(np.arange(N) == 3, -1, 1), r"sample_weight: row 3 has -1 \(1 such rows"),
    "missing": (np.where(np.arange(N) == 2, np.nan, 1), "sample_weight: row 2 has nan"),
    "infinite": (np.inf * ONES, "sample_weight: row 0 has inf"),
    "text": (["a"] * N, "sample_weight must hold numbers"),
    "short": (ONES[1:], f"sample_weight must hold one weight for each of the {N} rows"),
    "empty": ([], f"sample_weight must hold one weight for each of the {N} rows"),
    "a column": (ONES[:, None], r"its shape is \(16, 1\)"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("weight", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named(call, weight, message, vectors):
    with pytest.raises(ValueError, match=message):
        call(*vectors, weight)


@pytest.mark.parametrize("make", [DSNClassifier, SVTPTClassifier])
@pytest.mark.parametrize("weight", [1e300, 1e38, 1e-38])
def test_huge_and_tiny_ones_count_beside_each_other(make, weight, vectors):
    X, Y, groups = vectors
    few = {"max_epochs": 1, "random_state": 0} if make is DSNClassifier else {}
    proba = make(**few).fit(X, Y, groups, sample_weight=weight * ONES).predict_proba(X)
    assert np.isfinite(proba).all()
    if make is DSNClassifier:
        np.testing.assert_allclose(proba, make(**few).fit(X, Y, groups).predict_proba(X))


@pytest.mark.parametrize("make", [DSNClassifier, SVTPTClassifier])
def test_an_au_whose_rows_weigh_nothing_is_not_learned(make, vectors):
    X, Y, groups = vectors
    Y = pd.DataFrame(Y, columns=["AU1", "AU12"])
    weight = (np.arange(N) % 2).astype(float)
    Y.loc[weight > 0, "AU12"] = np.nan
    with pytest.warns(UserWarning, match="y has no label for AU12"):
        clf = make().fit(X, Y, groups=groups, sample_weight=weight)
    proba = clf.predict_proba(X)
    assert np.isfinite(proba[:, 0]).all()
    assert np.isnan(proba[:, 1]).all()
    with pytest.raises(ValueError, match="y has no label for AU12: .*sample_weight is 0"):
        make().fit(X, Y[["AU12"]], groups=groups, sample_weight=weight)
