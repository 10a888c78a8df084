"""Intervals over people and over folds."""

import numpy as np
import pandas as pd
import pytest

from skau.metrics import (
    accuracy,
    au_report,
    bootstrap_interval,
    f1_frame,
    paired_interval,
    roc_auc,
)


def test_two_people_by_hand():
    """One always right, one always wrong: draws score 1, 1/2 and 0, a quarter, half, a quarter."""
    truth, groups = np.tile([0.0, 1.0], 4), np.repeat(["a", "b"], 4)
    told = np.where(groups == "a", truth, 1 - truth)
    kind = {"metric": accuracy, "n_resamples": 400, "random_state": 0}
    found = bootstrap_interval(truth, told, groups, **kind)
    assert found == (0.5, 0.0, 1.0)
    assert bootstrap_interval(truth, told, groups, confidence=0.4, **kind) == (0.5, 0.5, 0.5)
    margin = bootstrap_interval(truth, told, groups, baseline=1 - told, **kind)
    assert margin == (0.0, -1.0, 1.0)
    same = bootstrap_interval(truth, told, groups, baseline=told, **kind)
    assert same == (0.0, 0.0, 0.0)


def test_scores_of_folds_are_averaged_and_people_stay_in_theirs():
    rng = np.random.RandomState(0)
    Y = pd.DataFrame(rng.randint(0, 2, (60, 2)).astype(float), columns=["AU1", "AU12"])
    Y.iloc[:5, 0] = np.nan
    told = pd.DataFrame(rng.rand(60, 2), columns=["AU12", "AU1"])  # matched by name
    groups, folds = np.repeat(np.arange(6), 10), np.repeat([0, 1], 30)
    each = [
        np.nanmean(roc_auc(Y[folds == k], told.loc[folds == k, ["AU1", "AU12"]])) for k in (0, 1)
    ]
    found = bootstrap_interval(
        Y, told, groups, metric=roc_auc, folds=folds, n_resamples=50, random_state=0
    )
    assert found.score == pytest.approx(np.mean(each))
    assert found.low < found.score < found.high
    again = bootstrap_interval(
        Y, told, groups, metric=roc_auc, folds=folds, n_resamples=50, random_state=0
    )
    assert again == found


def test_what_does_not_fit_is_told():
    truth = np.array([0.0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"Y_true has shape \(4, 1\), but baseline \(3, 1"):
        bootstrap_interval(truth, truth, list("aabb"), baseline=truth[:3])
    with pytest.raises(ValueError, match=r"pass baseline\[:, 1\]"):
        bootstrap_interval(truth, truth, list("aabb"), baseline=np.zeros((4, 2)))
    Y = pd.DataFrame({"AU1": truth, "AU2": truth})
    for others in (["AU2", "AU3"], ["AU1", "AU2", "AU3"]):
        told = pd.DataFrame(0.0, index=Y.index, columns=others)
        with pytest.raises(ValueError, match=r"baseline .*has AU3, but Y_true has AU1, AU2\. Col"):
            bootstrap_interval(Y, Y, list("aabb"), baseline=told)
    with pytest.raises(ValueError, match="groups names one subject, a, and people are drawn"):
        bootstrap_interval(truth, truth, list("aaaa"))
    with pytest.raises(ValueError, match="folds: fold 1 has one subject, c, .* join it to"):
        bootstrap_interval(truth, truth, list("abcc"), folds=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="groups must hold .* the 4 rows of Y_true"):
        bootstrap_interval(truth, truth, list("aab"))
    with pytest.raises(ValueError, match="folds must hold one fold for each of the 4 rows of Y_"):
        bootstrap_interval(truth, truth, list("aabb"), folds=[1, 2])
    assert bootstrap_interval(truth, truth, list("aabb"), metric=f1_frame, n_resamples=5).low == 1


def test_the_name_of_a_series_is_none_of_an_au():
    """As in the metrics."""
    truth = pd.Series([0.0, 1, 0, 1], name="AU12")
    told = pd.Series([0.0, 1, 0, 0], name="predicted")
    found = bootstrap_interval(truth, told, list("aabb"), n_resamples=5, random_state=0)
    assert found.score == f1_frame(truth, told)["AU12"]


def test_the_corrected_interval_by_hand():
    found = paired_interval([0.52, 0.50, 0.57, np.nan], [0.50, 0.49, 0.52, 0.1], test_share=1 / 3)
    # differences 0.02, 0.01, 0.05: variance 13/30000; t of 2 degrees at 0.975 is 4.302653
    reach = 4.302653 * np.sqrt((1 / 3 + 1 / 2) * 13 / 30000)
    assert found.margin == pytest.approx(0.08 / 3)
    assert (found.low, found.high) == pytest.approx((0.08 / 3 - reach, 0.08 / 3 + reach))
    assert {type(value) for value in found} == {float}  # it prints as plain numbers
    # with 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(2 + t^2)
    t = 0.08 / 3 / np.sqrt((1 / 3 + 1 / 2) * 13 / 30000)
    assert found.p_value == pytest.approx(1 - t / np.sqrt(2 + t**2))


def test_what_an_interval_says_of_few_or_equal_folds():
    with pytest.warns(UserWarning, match=r"both have a score on 1 of 3 folds.* it is NaN"):
        found = paired_interval([0.5, np.nan, 0.1], [0.4, 0.2, np.nan], test_share=0.2)
    assert found.margin == pytest.approx(0.1)
    assert np.isnan(found[1:]).all()
    for scores, told in (([0.5], "1 fold,"), ([], "0 folds,")):
        with pytest.raises(ValueError, match=f"first and second hold the scores of {told}"):
            paired_interval(scores, scores, test_share=0.2)
    assert paired_interval([0.5, 0.6], [0.5, 0.6], test_share=0.2) == (0, 0, 0, 1)
    with pytest.raises(ValueError, match="the same folds"):
        paired_interval([0.5], [0.4, 0.3], test_share=0.2)
    with pytest.raises(ValueError, match=r"test_share.* in the range \(0.0, 1.0\)"):
        paired_interval([0.5, 0.6], [0.4, 0.3], test_share=3)


def test_the_interval_holds_equal_methods_as_often_as_it_says():
    """Scores of folds that share training people: a plain t interval would fail here.

    Of two equal methods, every fold's difference has a part that belongs to the training people
    that it shares with the others.
    """
    rng = np.random.RandomState(0)
    held = 0
    for _ in range(500):
        shared, own = rng.normal(0, 1, 1), rng.normal(0, 1, 50)
        scores = np.sqrt(0.25 / 1.25) * shared + np.sqrt(1 / 1.25) * own  # correlation q = 0.2
        found = paired_interval(scores, np.zeros(50), test_share=0.2)
        held += found.low <= 0 <= found.high
    assert 0.92 < held / 500 < 0.98


def test_a_margin_is_one_of_aus_that_both_methods_predict():
    rng = np.random.RandomState(0)
    truth = rng.randint(0, 2, (60, 2)).astype(float)
    told = np.where(rng.rand(60, 2) < [0.05, 0.4], 1 - truth, truth)
    fewer = told.copy()
    fewer[:, 1] = np.nan
    people = np.repeat(np.arange(6), 10)
    for one, other in ((fewer, told), (told, fewer)):
        found = bootstrap_interval(truth, one, people, baseline=other, n_resamples=20)
        assert found == (0, 0, 0)


def test_rows_in_another_order_are_refused():
    truth = pd.Series([0.0, 1, 0, 1], index=list("wxyz"))
    with pytest.raises(ValueError, match="baseline names the rows of Y_true in another order"):
        bootstrap_interval(truth, truth, list("aabb"), baseline=truth[::-1])


def test_folds_of_two_series_are_matched_by_name():
    first = pd.Series([0.5, 0.6, 0.8], index=["P1", "P2", "P3"])
    second = first - [0.1, 0.1, 0.2]
    found = paired_interval(first, second, test_share=1 / 3)
    assert paired_interval(first, second[::-1], test_share=1 / 3) == found
    other = second.set_axis([1, 2, 3])  # by position
    assert paired_interval(first, other, test_share=1 / 3) == found


def test_folds_of_two_series_that_differ_are_no_pairs():
    first = pd.Series([0.5, 0.6, 0.7, 0.8, np.nan], index=list("abcde"))
    second = pd.Series([0.4, np.nan, 0.5, 0.6, 0.7], index=list("abcde"))
    assert paired_interval(first, second, test_share=0.2).margin == pytest.approx(0.5 / 3)
    with pytest.raises(ValueError, match="first alone has 'b' and second alone has 'e'; keep all"):
        paired_interval(first.dropna(), second.dropna(), test_share=0.2)
    with pytest.raises(ValueError, match="but first alone has 'e'; keep"):
        paired_interval(first, second[:4], test_share=0.2)
    seeds = pd.Series([0.5, 0.9, 0.7, 0.1], index=list("aabb"))
    for other in (seeds, seeds[::-1], pd.Series([0.4, 0.2], index=list("ab"))):
        with pytest.raises(ValueError, match=r"first names fold 'a' more .*first\.groupby\(lev"):
            paired_interval(seeds, other, test_share=0.2)
        with pytest.raises(ValueError, match="names fold '[ab]' more than once"):
            paired_interval(other, seeds, test_share=0.2)


def test_a_person_of_several_folds_is_drawn_once_for_all():
    """Copies of a fold, as of seeds that agree, tell nothing new of the people."""
    rng = np.random.RandomState(0)
    truth, groups = rng.randint(0, 2, 200), np.repeat(np.arange(20), 10)
    told = np.where(rng.rand(200) < np.repeat(rng.rand(20) / 2, 10), 1 - truth, truth)
    kind = {"n_resamples": 100, "random_state": 0, "metric": accuracy}
    one = bootstrap_interval(truth, told, groups, **kind)
    again = [np.tile(each, 8) for each in (truth, told, groups)]
    copies = bootstrap_interval(*again, folds=np.repeat(np.arange(8), 200), **kind)
    assert copies == pytest.approx(one)
    two = groups // 10  # two folds, and a seed that divides people otherwise
    apart = bootstrap_interval(truth, told, groups, folds=two, **kind)
    other = np.concatenate([two, 2 + groups % 2])
    both = bootstrap_interval(*(each[:400] for each in again), folds=other, **kind)
    assert both.score == pytest.approx(apart.score)
    assert both.high - both.low > 0.8 * (one.high - one.low)


def test_gaps_are_told_of_once_and_draws_without_a_score_counted():
    rng = np.random.RandomState(0)
    truth, groups = rng.randint(0, 2, (60, 2)), np.repeat(np.arange(12), 5)
    told = truth.astype(float)
    told[3:9, 0] = np.nan
    with pytest.warns(UserWarning, match=r"of y0 \(6 of 60\); the first is row 3") as warned:
        bootstrap_interval(truth, told, groups, n_resamples=20, random_state=0)
    assert len(warned) == 1
    folds = np.where(groups < 1, 1, groups // 6)  # people 1 to 5, and 0 with 6 to 11
    with pytest.warns(UserWarning, match=r"y0 \([24] of \d\d\); the first is row [35]") as warned:
        bootstrap_interval(truth, told, groups, folds=folds, n_resamples=20, random_state=0)
    assert len(warned) == 2
    rare = np.zeros(60)
    rare[:3] = 1
    with pytest.warns(UserWarning, match=r"^\d+ of 50 draws have no score, .* of the others"):
        found = bootstrap_interval(rare, rare, groups, n_resamples=50, random_state=0)
    assert found == (1, 1, 1)


def test_a_metric_gives_a_score_or_one_an_au():
    truth, people = np.tile([[0.0, 1], [1, 0]], (4, 1)), list("aabbccdd")
    for metric, told in (
        (au_report, r"metric gives values of shape \(3, 9\), not a score or one of each of th"),
        (
            lambda y, p: au_report(y, p)["f1"],
            r"of shape \(3,\).*: .* au_report\(y, p\)\['f1'\]\.drop",
        ),
        (lambda y, p: {"f1": 1}, "what metric gives must hold numbers"),
    ):
        with pytest.raises(ValueError, match=told):
            bootstrap_interval(truth, truth, people, metric=metric)
    found = bootstrap_interval(
        truth, truth, people, n_resamples=5, metric=lambda y, p: au_report(y, p)["f1"].drop("mean")
    )
    assert found == (1, 1, 1)
