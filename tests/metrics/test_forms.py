"""Missing values in every form that arrays and tables have for them: none is taken for a value."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skau.datasets import stack_corpora
from skau.metrics import (
    accuracy,
    au_report,
    bootstrap_interval,
    drop_rate,
    f1_frame,
    f1_gap,
    identity_leakage,
    paired_interval,
    roc_auc,
)
from skau.model_selection import SubjectKFold
from skau.utils._labels import code_present

RNG = np.random.RandomState(0)
PEOPLE = np.repeat(np.arange(6), 8)
Y = RNG.randint(0, 2, (48, 2)).astype(float)
GUESS = RNG.randint(0, 2, (48, 2)).astype(float)
HIDDEN = np.zeros(Y.shape, dtype=bool)
HIDDEN[::5, 0] = HIDDEN[3::7, 1] = True


def _objects(values, hidden, missing):
    return pd.DataFrame(values).astype(object).mask(hidden, missing)


FORMS = {
    "masked": np.ma.masked_array,
    "masked int": lambda values, hidden: np.ma.masked_array(values.astype(int), hidden),
    "None": lambda values, hidden: _objects(values, hidden, None),
    "NA": lambda values, hidden: _objects(values, hidden, pd.NA),
    "Int64": lambda values, hidden: _objects(values, hidden, pd.NA).astype("Int64"),
    "boolean": lambda values, hidden: _objects(values == 1, hidden, pd.NA).astype("boolean"),
    "Float32": lambda values, hidden: _objects(values, hidden, pd.NA).astype("Float32"),
    "category": lambda values, hidden: _objects(values, hidden, pd.NA).astype("category"),
    "nested lists": lambda values, hidden: _objects(values, hidden, pd.NA).to_numpy().tolist(),
}
DRAWS = {"n_resamples": 5, "random_state": 0}
USES = {
    "f1_frame of labels": lambda form: f1_frame(form(Y), GUESS),
    "accuracy of predictions": lambda form: accuracy(Y, form(GUESS)),
    "roc_auc of scores": lambda form: roc_auc(Y, form(GUESS)),
    "au_report of labels": lambda form: au_report(form(Y), GUESS),
    "f1_gap of predictions": lambda form: f1_gap(Y, form(GUESS), PEOPLE % 2),
    "bootstrap of labels": lambda form: bootstrap_interval(form(Y), GUESS, PEOPLE, **DRAWS),
    "bootstrap of predictions": lambda form: bootstrap_interval(Y, form(GUESS), PEOPLE, **DRAWS),
    "bootstrap of a baseline": lambda form: bootstrap_interval(
        Y, Y, PEOPLE, baseline=form(GUESS), **DRAWS
    ),
    "splitter": lambda form: np.concatenate(
        [test for _, test in SubjectKFold(2).split(Y, form(Y), PEOPLE)]
    ),
}


@pytest.mark.filterwarnings("ignore:Y_(pred|proba|score) is NaN")
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_hidden_is_missing(use, form):
    def as_nan(values):
        return np.where(HIDDEN, np.nan, values)

    got = USES[use](lambda values: FORMS[form](values, HIDDEN))
    np.testing.assert_array_equal(got, USES[use](as_nan))


COLUMNS = {
    "masked": np.ma.masked_array([0.4, 0.4, 0.1], [False, False, True]),
    "list with NA": [0.4, 0.4, pd.NA],
    "Float64": pd.Series([0.4, 0.4, None], dtype="Float64"),
    "category": pd.Series([0.4, 0.4, None]).astype("category"),
}


@pytest.mark.parametrize("form", COLUMNS)
def test_scores_that_are_hidden_are_missing(form):
    scores, within = COLUMNS[form], [0.8, 0.4, 0.6]
    assert drop_rate(within, scores) == pytest.approx(0.25)  # 0.444 with the value under the mask
    found = paired_interval(within, scores, test_share=0.5)
    assert found.margin == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"threshold is NaN for y\d; give a number"):
        au_report(np.ones((2, 3)), np.ones((2, 3)), threshold=getattr(scores, "array", scores))


@pytest.mark.parametrize("form", COLUMNS)
def test_nobody_and_no_fold_hide_under_a_mask(form):
    places = COLUMNS[form]
    with pytest.raises(ValueError, match=r"folds has no fold at row 2 \(1 such rows in all\)"):
        bootstrap_interval(np.ones(3), np.ones(3), ["a", "b", "c"], folds=places)
    with pytest.raises(ValueError, match="groups has no subject at row 2"):
        identity_leakage(np.ones((3, 1)), places)
    corpus = Bunch(
        name="A", images=np.zeros((3, 4, 4)), target=np.ones((3, 1)), groups=places,
        au_names=["AU1"],
    )  # fmt: skip
    with pytest.raises(ValueError, match="the groups of A has no subject at row 2"):
        stack_corpora(corpus, corpus, names=["A", "B"])


def test_features_under_a_mask_are_missing():
    with pytest.raises(ValueError, match="features: .*contains NaN"):
        identity_leakage(np.ma.masked_array(Y, HIDDEN), PEOPLE)


@pytest.mark.parametrize("wrong", [np.inf, -1.0, 101.0])
def test_an_f1_is_none_beyond_all_bounds(wrong):
    with pytest.raises(ValueError, match=f"new holds {wrong:g}; an F1 lies between"):
        drop_rate([0.5, 0.5], [0.5, wrong])
    if np.isinf(wrong):
        with pytest.raises(ValueError, match="first and second must hold finite scores"):
            paired_interval([0.5, 0.5], [0.5, wrong], test_share=0.5)


def test_folds_and_draws_without_a_score_are_left_out():
    """The first fold shows no AU, so that neither it nor any draw of it has an F1."""
    truth = np.array([0, 0, 0, 0, 1, 1, 0, 1.0])
    told, people, folds = truth.copy(), list("aabbccdd"), np.repeat([0, 1], 4)
    told[6] = 1  # d: F1 2/3; c: 1; both: 6/7
    found = bootstrap_interval(truth, told, people, folds=folds, n_resamples=50, random_state=0)
    assert found == pytest.approx((6 / 7, 2 / 3, 1))
    assert np.isnan(
        bootstrap_interval(np.zeros(4), np.zeros(4), list("aabb"), n_resamples=2)
    ).all()


def test_na_among_words_is_missing():
    words = pd.Series(["no", "yes", pd.NA], dtype="string", name="smile")
    coded = code_present(words, ["no", "yes"])
    assert coded.name == "smile"
    np.testing.assert_array_equal(coded, [0, 1, np.nan])
