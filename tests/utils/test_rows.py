"""Groups, folds, weights and predictions that name their rows must name them as the labels do."""

import functools

import numpy as np
import pandas as pd
import pytest

from skau import DSNClassifier, IdenNetClassifier, MixedEffectsClassifier
from skau.baselines import SVTPTClassifier
from skau.inspection import AUScoreDisplay, FeatureSpaceDisplay
from skau.metrics import (
    accuracy,
    accuracy_scorer,
    au_report,
    bootstrap_interval,
    f1_frame,
    f1_gap,
    identity_leakage,
)
from skau.model_selection import (
    CalibratedAUClassifier,
    RepeatedSubjectKFold,
    SubjectKFold,
    cross_val_predict,
    fold_table,
)
from skau.utils._rows import require_same_rows

N = 24
ROWS = [f"{i}.png" for i in range(N)]
RNG = np.random.RandomState(0)
X = pd.DataFrame(RNG.randn(N, 3), index=ROWS, columns=list("abc"))
Y = pd.DataFrame((X[["a", "b"]] > 0).astype(float).to_numpy(), index=ROWS, columns=["AU1", "AU2"])
WHO = pd.Series(np.repeat(list("stuv"), 6), index=ROWS)
ONES = pd.Series(1.0, index=ROWS)


def net(**params):
    return DSNClassifier(max_epochs=1, validation_fraction=0, **params)


@functools.cache
def fitted(kind=net, **params):
    return kind(**params).fit(X.to_numpy(), Y, groups=WHO)


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("groups", lambda g: SubjectKFold(2).split(X.to_numpy(), Y, g)),
        ("groups", lambda g: RepeatedSubjectKFold(2).split(X, groups=g)),
        ("groups", lambda g: fold_table(SubjectKFold(2), Y, g)),
        ("groups", lambda g: cross_val_predict(net(), X, Y, groups=g)),
        ("groups", lambda g: CalibratedAUClassifier(net()).fit(X, Y, groups=g)),
        ("groups", lambda g: net().fit(X, Y, groups=g)),
        ("groups", lambda g: net().partial_fit(X, Y, groups=g)),
        ("groups", lambda g: IdenNetClassifier().fit(X, Y.to_numpy(), groups=g)),
        ("groups", lambda g: SVTPTClassifier().fit(X, Y, groups=g)),
        ("groups", lambda g: fitted().predict_proba(X, groups=g)),
        ("groups", lambda g: fitted(MixedEffectsClassifier, max_epochs=1).predict(X, groups=g)),
        ("groups", lambda g: fitted(SVTPTClassifier).predict(X, groups=g)),
        ("groups", lambda g: bootstrap_interval(Y, Y, g)),
        ("folds", lambda g: bootstrap_interval(Y, Y, WHO, folds=g)),
        ("groups", lambda g: f1_gap(Y, Y, g)),
        ("groups", lambda g: identity_leakage(X, g)),
        ("folds", lambda g: AUScoreDisplay.from_predictions(Y, Y, folds=g)),
        ("groups", lambda g: FeatureSpaceDisplay.from_features(X.to_numpy(), Y, g)),
        ("sample_weight", lambda w: accuracy(Y, Y, sample_weight=w)),
        ("sample_weight", lambda w: au_report(Y, Y, sample_weight=w)),
        ("sample_weight", lambda w: fitted().score(X.to_numpy(), Y, sample_weight=w)),
        ("sample_weight", lambda w: accuracy_scorer(fitted(), X.to_numpy(), Y, sample_weight=w)),
        ("sample_weight", lambda w: net().fit(X, Y, sample_weight=w)),
        ("sample_weight", lambda w: SVTPTClassifier().fit(X, Y, sample_weight=w)),
    ],
)
def test_another_order_or_other_rows_are_refused(argument, call):
    given = ONES if argument == "sample_weight" else WHO
    with pytest.raises(ValueError, match=f"{argument} names the rows of .* in another order"):
        call(given[::-1])
    moved = given.set_axis([f"{i}.png" for i in range(1, N + 1)])
    with pytest.raises(ValueError, match=f"and .* but {argument} alone has 24.png and"):
        call(moved)


def test_what_names_tell():
    def same(one, other):
        require_same_rows({"groups": pd.Series(0, one)}, {"y": pd.DataFrame({"AU1": 0}, other)})

    for one, other in (
        (ROWS, ROWS),
        (ROWS, [*range(N)]),  # counted from 0, as where nobody names them
        ([*range(N)][::-1], [*range(N)]),
        (ROWS, [f"{row}!" for row in ROWS]),
        ([1, 4, 5], [1, 2, 4]),  # left of a selection, or counted anew
    ):
        same(one, other)
    with pytest.raises(ValueError, match=r"another order.* pass groups\.loc\[y\.index\]"):
        same([3, 2, 1], [1, 2, 3])
    with pytest.raises(ValueError, match=r"another order.* pass groups\.to_numpy\(\) if they"):
        same(list("aabb"), list("abab"))  # the names of people
    with pytest.raises(ValueError, match="but y alone has c; rows are taken by position: give"):
        same(list("aabb"), list("abcb"))
    with pytest.raises(ValueError, match=r"alone has \('S', 3\) and y alone has \('S', 1\); rows"):
        same(*(pd.MultiIndex.from_tuples([("S", i), ("S", 2)]) for i in (3, 1)))


def test_predictions_of_other_rows_are_refused():
    moved = Y.reindex([f"{i}.png" for i in range(1, N + 1)]).fillna(0)
    with pytest.raises(ValueError, match="Y_pred and Y_true name some .*_pred alone has 24.png"):
        f1_frame(Y, moved)
