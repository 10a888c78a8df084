"""Thresholds and calibration, learned on people held out."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    make_scorer,
    precision_recall_curve,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skau import DSNClassifier, RegionClassifier
from skau.metrics import au_report, calibration_error, f1_frame, f1_frame_scorer, false_alarm_rate
from skau.model_selection import (
    CalibratedAUClassifier,
    RepeatedSubjectKFold,
    SubjectKFold,
    TunedThresholdsClassifier,
    cross_val_predict,
)
from skau.preprocessing import FaceCropper

NAMES = ["AU1", "AU4", "AU12"]


class Known(ClassifierMixin, BaseEstimator):
    """Probabilities that stand in X already; fit notes who it has seen."""

    def __init__(self, sharpen=1.0):
        self.sharpen = sharpen

    def fit(self, X, y, groups=None):
        self.seen_ = None if groups is None else sorted(set(groups))
        self.classes_ = np.arange(X.shape[1])
        if isinstance(y, pd.DataFrame):
            self.au_names_ = np.array(y.columns)
        return self

    def decision_function(self, X):
        return self.sharpen * np.log(X / (1 - X))

    def predict_proba(self, X):
        return 1 / (1 + np.exp(-self.decision_function(X)))

    def predict(self, X):
        return (self.predict_proba(X) > 0.5).astype(int)


@pytest.fixture(scope="module")
def frames():
    """Probabilities and labels drawn from them: rare AUs, NaN labels, 20 people of 100 frames."""
    rng = np.random.RandomState(0)
    P = rng.beta([0.5, 0.6, 1], [3, 4, 1], (2000, 3)).clip(1e-3, 1 - 1e-3)
    Y = pd.DataFrame((rng.rand(2000, 3) < P).astype(float), columns=NAMES)
    Y = Y.mask(rng.rand(2000, 3) < 0.2)
    return P, Y, np.repeat([f"S{i:02}" for i in range(20)], 100)


def best_f1(y, p):
    known = y.notna()
    precision, recall, _ = precision_recall_curve(y[known], p[known])
    return (2 * precision * recall / (precision + recall)).max()


def test_thresholds_are_the_best_of_all_for_f1(frames):
    P, Y, groups = frames
    tuned = TunedThresholdsClassifier(Known()).fit(P, Y, groups=groups)
    assert tuned.au_names_.tolist() == NAMES
    assert (tuned.thresholds_ < 0.5).all()
    for j, au in enumerate(NAMES):
        assert tuned.best_scores_[j] == pytest.approx(best_f1(Y[au], P[:, j]))
    predicted = tuned.predict(P)
    np.testing.assert_array_equal(predicted, tuned.thresholds_ < P)
    np.testing.assert_allclose(f1_frame(Y, predicted), tuned.best_scores_)
    assert f1_frame_scorer(tuned, P, Y) > f1_frame_scorer(tuned.estimator_, P, Y) + 0.05
    report = au_report(Y, tuned.predict_proba(P), threshold=tuned.thresholds_)
    np.testing.assert_allclose(report["f1"].iloc[:-1], tuned.best_scores_)
    np.testing.assert_allclose(tuned.predict_proba(P), P)
    assert tuned.estimator_.seen_ == sorted(set(groups))  # fitted on everybody in the end
    assert tuned.classes_.tolist() == [0, 1, 2]


def test_columns_in_another_order_give_the_same(frames):
    P, Y, groups = frames
    fitted = Known().fit(P, Y)
    tuned = TunedThresholdsClassifier(fitted, cv="prefit").fit(P, Y, groups=groups)
    again = TunedThresholdsClassifier(fitted, cv="prefit").fit(P, Y[NAMES[::-1]], groups=groups)
    np.testing.assert_array_equal(again.thresholds_, tuned.thresholds_)
    assert f1_frame_scorer(tuned, P, Y[NAMES[::-1]]) == f1_frame_scorer(tuned, P, Y)
    with pytest.raises(ValueError, match="y lacks AU4"):
        TunedThresholdsClassifier(fitted, cv="prefit").fit(P, Y[["AU1", "AU12"]])


class Nosy(Known):
    """Knows by heart whom it has seen: perfect there, and at chance elsewhere."""

    def fit(self, X, y, groups=None):
        self.table_ = {tuple(x): row for x, row in zip(X, np.asarray(y), strict=True)}
        return super().fit(X, y, groups)

    def predict_proba(self, X):
        chance = np.full(X.shape[1], 0.3)
        known = [np.nan_to_num(self.table_.get(tuple(x), chance), nan=0.3) for x in X]
        return 0.9 * np.array(known) + 0.05


def test_nobody_is_predicted_by_a_model_that_has_seen_them(frames):
    P, Y, groups = frames
    tuned = TunedThresholdsClassifier(Nosy()).fit(P, Y, groups=groups)
    rate = Y.mean().to_numpy()
    np.testing.assert_allclose(tuned.best_scores_, 2 * rate / (1 + rate))  # F1 of always yes


def test_faces_at_rest_are_enough_for_a_false_alarm_rate(frames):
    P, Y, groups = frames
    known = Known().fit(P, Y)
    rest = Y.where(Y == 0).assign(AU12=1.0)
    with pytest.warns(UserWarning, match="has the label 0, absent, of AU12; its threshold is 0.5"):
        tuned = TunedThresholdsClassifier(FrozenEstimator(known), false_alarm_rate=0.05).fit(
            P, rest, groups=groups
        )
    reached = false_alarm_rate(rest, tuned.predict(P))[:2]
    np.testing.assert_allclose(reached, tuned.best_scores_[:2])
    np.testing.assert_allclose(reached, 0.05, atol=1e-3)
    assert tuned.thresholds_[2] == 0.5


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3])
def test_a_wanted_false_alarm_rate(frames, rate):
    P, Y, groups = frames
    tuned = TunedThresholdsClassifier(Known(), false_alarm_rate=rate).fit(P, Y, groups=groups)
    reached = false_alarm_rate(Y, tuned.predict(P))
    np.testing.assert_allclose(reached, tuned.best_scores_)
    assert (reached <= rate).all()
    for j, threshold in enumerate(tuned.thresholds_):
        y, p = Y.iloc[:, j], P[:, j]
        lower = p[(y == 0) & (p < threshold)].max()  # there, it would be too many
        assert false_alarm_rate(y, (p >= lower - 1e-9).astype(int)).item() > rate


def test_a_false_alarm_rate_for_each_au(frames):
    P, Y, groups = frames
    rates = dict(zip(NAMES, (0.3, 0.0, 0.05), strict=True))

    def tuned(rate):
        return TunedThresholdsClassifier(Known(), false_alarm_rate=rate).fit(P, Y, groups=groups)

    several = tuned(dict(reversed(rates.items())))
    for j, rate in enumerate(rates.values()):
        assert several.thresholds_[j] == tuned(rate).thresholds_[j]
    with pytest.raises(ValueError, match="false_alarm_rate has no share for AU4; give every AU"):
        tuned({"AU1": 0.1, "AU12": 0.1})
    with pytest.raises(ValueError, match="no share for AU1, AU4, AU12, but one for AU9; give"):
        tuned({"AU9": 0.1})
    with pytest.raises(ValueError, match="has a share for AU9; the classifier's AUs are AU1, AU4"):
        tuned(rates | {"AU9": 0.1})
    rest = tuned(dict.fromkeys(NAMES, 0.05) | {"AU1": 0.3})  # as the message says
    assert rest.thresholds_[0] == several.thresholds_[0]
    with pytest.raises(
        ValueError, match=rf"false_alarm_rate\['{NAMES[1]}'\] is 1.5; give a share"
    ):
        tuned(rates | {NAMES[1]: 1.5})


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("balanced_accuracy", balanced_accuracy_score),
        (balanced_accuracy_score, balanced_accuracy_score),
        (f1_frame, f1_score),
        (f1_frame_scorer, f1_score),
        (make_scorer(fbeta_score, beta=2), lambda y, p: fbeta_score(y, p, beta=2)),
    ],
)
def test_other_scores(frames, scoring, metric):
    P, Y, groups = frames
    P, Y, groups = P[::20], Y[::20], groups[::20]
    tuned = TunedThresholdsClassifier(Known(), scoring=scoring).fit(P, Y, groups=groups)
    for j, au in enumerate(NAMES):
        known = Y[au].notna().to_numpy()
        y, p = Y[au][known], P[known, j]
        assert tuned.best_scores_[j] == pytest.approx(metric(y, p > tuned.thresholds_[j]))
        reached = [metric(y, p > t) for t in np.unique(p)[:-1]]
        assert tuned.best_scores_[j] > max(reached) - 0.01


def test_scores_that_need_no_threshold_are_refused(frames):
    P, Y, groups = frames
    with pytest.raises(ValueError, match="scoring='roc_auc' needs no threshold"):
        TunedThresholdsClassifier(Known(), scoring="roc_auc").fit(P, Y, groups=groups)


@pytest.mark.parametrize("scoring", ["f1", make_scorer(f1_score)])
def test_a_rare_au_gets_the_best_of_all_thresholds(scoring):
    rng = np.random.RandomState(0)
    y = np.repeat((np.arange(20_000) < 40).astype(float)[:, None], 2, axis=1)
    p = 1 / (1 + np.exp(6 - [12, 3.5] * y - rng.randn(*y.shape)))  # clear, and hardly to be seen
    tuned = TunedThresholdsClassifier(FrozenEstimator(Known().fit(p, y)), scoring=scoring)
    for j, reached in enumerate(tuned.fit(p, y).best_scores_):
        assert reached == pytest.approx(best_f1(pd.Series(y[:, j]), p[:, j]))


def test_absent_everywhere_may_be_best():
    p, y = np.array([[0.6, 0.7, 0.8, 0.9]] * 2).T, np.array([[0, 1, 0, 0]] * 2).T
    known = FrozenEstimator(Known().fit(p, y))
    tuned = TunedThresholdsClassifier(known, scoring="accuracy").fit(p, y)
    assert not tuned.predict(p).any()
    assert tuned.best_scores_.tolist() == [0.75, 0.75]
    precise = TunedThresholdsClassifier(known, scoring="precision").fit(p, y)  # has none there
    assert precise.best_scores_ == pytest.approx(1 / 3)


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_an_au_of_one_label_keeps_its_threshold_and_probabilities(frames, Meta):
    P, Y, groups = frames
    with pytest.warns(UserWarning, match="both labels, present and absent, of AU4"):
        meta = Meta(Known()).fit(P, Y.assign(AU4=0.0), groups=groups)
    np.testing.assert_allclose(meta.predict_proba(P)[:, 1], P[:, 1])
    np.testing.assert_array_equal(meta.predict(P)[:, 1], P[:, 1] > 0.5)


def test_a_tuned_model_tuned_again_keeps_the_thresholds_of_aus_without_labels(frames):
    P, Y, groups = frames
    tuned = TunedThresholdsClassifier(Known()).fit(P, Y, groups=groups)
    again = TunedThresholdsClassifier(FrozenEstimator(tuned), false_alarm_rate=0.02)
    with pytest.warns(UserWarning, match="the label 0, absent, of AU1, AU12; its thresh.* stays"):
        again.fit(P, Y[["AU4"]].reindex(columns=NAMES), groups=groups)
    np.testing.assert_array_equal(again.thresholds_[[0, 2]], tuned.thresholds_[[0, 2]])
    assert again.thresholds_[1] > tuned.thresholds_[1]
    np.testing.assert_array_equal(again.predict(P), again.thresholds_ < P)


@pytest.mark.parametrize("method", ["sigmoid", "temperature", "isotonic"])
def test_calibration_undoes_what_sharpens(frames, method):
    P, Y, groups = frames
    train, test = groups < "S10", groups >= "S10"
    sharp = Known(sharpen=4.0)
    before = calibration_error(Y[test], sharp.fit(P, Y).predict_proba(P[test]))
    fair = CalibratedAUClassifier(sharp, method=method).fit(P[train], Y[train], groups[train])
    after = calibration_error(Y[test], fair.predict_proba(P[test]))
    assert (after < before / 2).all()
    if method != "isotonic":
        np.testing.assert_allclose(fair.slopes_, 0.25, atol=0.06)
        np.testing.assert_allclose(fair.predict_proba(P), P, atol=0.15)
    if method == "temperature":
        np.testing.assert_array_equal(fair.predict(P), fair.estimator_.predict(P))
        assert (fair.offsets_ == 0).all()
    if method == "isotonic":
        known = Y["AU12"][train].notna().to_numpy()
        z = fair.estimator_.decision_function(P)[:, 2]
        curve = IsotonicRegression(out_of_bounds="clip")
        curve.fit(z[train][known], Y["AU12"][train][known])
        np.testing.assert_allclose(fair.predict_proba(P)[:, 2], curve.predict(z), atol=2e-6)
    assert (np.diff(fair.predict_proba(np.sort(P, axis=0)), axis=0) >= -1e-12).all()


def test_a_ranking_below_chance(frames):
    P, Y, groups = frames
    wrong = 1 - P  # of every AU
    temperature = CalibratedAUClassifier(Known(), method="temperature").fit(wrong, Y, groups)
    assert ((temperature.slopes_ > 0) & (temperature.slopes_ < 1e-3)).all()
    np.testing.assert_array_equal(
        temperature.predict(wrong), temperature.estimator_.predict(wrong)
    )
    np.testing.assert_allclose(temperature.predict_proba(wrong), 0.5, atol=1e-3)
    sigmoid = CalibratedAUClassifier(Known()).fit(wrong, Y, groups)
    y = Y["AU12"].dropna()
    z = sigmoid.estimator_.decision_function(wrong)[:, 2:]
    ranker = LogisticRegression().fit(z[y.index], 1 - y)  # the wrong way round, too
    theirs = CalibratedClassifierCV(FrozenEstimator(ranker)).fit(z[y.index], y)
    assert (sigmoid.slopes_ < 0).all()
    np.testing.assert_allclose(
        sigmoid.predict_proba(wrong)[:, 2], theirs.predict_proba(z)[:, 1], atol=0.01
    )


class Percent(ClassifierMixin, BaseEstimator):
    """Says percent, or logits, where probabilities are asked for."""

    def __init__(self, times=1.0):
        self.times = times

    def fit(self, X, y):
        self.au_names_, self.classes_ = np.array(NAMES), np.arange(3)
        return self

    def predict_proba(self, X):
        return self.times * X


def test_what_is_no_probability_is_not_calibrated(frames):
    P, Y, groups = frames
    message = "the output of Percent: row 0, column AU4 holds 20; probabilities lie between 0 and"
    X = P.copy()
    X[0] = 0.005, 0.2, 0.3
    with pytest.raises(ValueError, match=message):
        CalibratedAUClassifier(Percent(times=100)).fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match="column AU1 holds -"):
        CalibratedAUClassifier(Percent(), cv=2).fit(np.log(P), Y, groups=groups)
    fair = CalibratedAUClassifier(Percent()).fit(P, Y, groups=groups)
    with pytest.raises(ValueError, match=message):
        fair.predict_proba(100 * X)
    X[0, 1] = np.nan  # not predicted
    np.testing.assert_array_equal(np.isnan(fair.predict_proba(X)), np.isnan(X))


def test_thresholds_of_calibrated_probabilities(frames):
    P, Y, groups = frames
    both = TunedThresholdsClassifier(CalibratedAUClassifier(Known(sharpen=3.0)))
    both.fit(P, Y, groups=groups)
    plain = TunedThresholdsClassifier(Known()).fit(P, Y, groups=groups)
    np.testing.assert_allclose(both.best_scores_, plain.best_scores_, atol=0.02)
    assert both.decision_function(P).shape == both.predict_proba(P).shape == (2000, 3)


def test_calibration_around_thresholds_is_refused(frames):
    P, Y, groups = frames
    tuned = TunedThresholdsClassifier(Unasked())
    fitted = TunedThresholdsClassifier(FrozenEstimator(Known().fit(P, Y))).fit(P, Y)
    inside = [tuned, make_pipeline(search_over(2).set_params(estimator=tuned))]
    for wrong in [*inside, FrozenEstimator(fitted), FrozenEstimator(make_pipeline(fitted))]:
        with pytest.raises(ValueError, match="no effect inside CalibratedAUClassifier"):
            CalibratedAUClassifier(wrong).fit(P, Y, groups=groups)


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_fitted_beforehand(frames, Meta):
    P, Y, _ = frames
    fitted = Known(sharpen=2.0).fit(P, Y)
    prefit = Meta(fitted, cv="prefit").fit(P, Y)
    frozen = Meta(FrozenEstimator(fitted)).fit(P, Y)
    np.testing.assert_array_equal(prefit.predict_proba(P), frozen.predict_proba(P))
    np.testing.assert_array_equal(prefit.predict(P), frozen.predict(P))
    assert prefit.estimator_ is fitted
    with pytest.raises(NotFittedError):
        Meta(Known(), cv="prefit").fit(P, Y)
    with pytest.raises(NotFittedError):
        Meta(Known()).predict(P)


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_groups_and_folds(frames, Meta):
    P, Y, groups = frames
    for cv in (None, 2, np.int64(3)):
        with pytest.warns(UserWarning, match="not given, so the rows count as independent"):
            Meta(Known(), cv=cv).fit(P, Y)
    for routing in (False, True):
        with (
            config_context(enable_metadata_routing=routing),
            pytest.raises(ValueError, match="needs the subject of every row, but groups is None"),
        ):
            Meta(Known(), cv=SubjectKFold(2)).fit(P, Y)
    assert Meta(Known(), cv=KFold(2)).fit(P, Y).predict_proba(P).shape == P.shape
    with pytest.raises(ValueError, match="holds out whole subjects, but 1 has"):
        Meta(Known()).fit(P, Y, groups=np.zeros(len(P)))
    two = Meta(Known(), cv=SubjectKFold(2)).fit(P, Y, groups=groups)
    np.testing.assert_allclose(two.predict_proba(P), Meta(Known(), cv=2).fit(
        P, Y, groups=groups).predict_proba(P))  # fmt: skip


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
@pytest.mark.parametrize("y", ["words", "numbers", "column"])
def test_one_au(frames, Meta, y):
    P, Y, groups = frames
    known = Y["AU12"].notna().to_numpy()
    X, labels = np.log(P[known, 2:] / (1 - P[known, 2:])), Y["AU12"][known]
    y = {
        "words": np.where(labels == 1, "smile", "none"),
        "numbers": labels,
        "column": labels.to_frame(),
    }[y]
    inner = DSNClassifier(max_epochs=3, validation_fraction=0, random_state=0)
    meta = Meta(inner, cv=2).fit(X, y, groups=groups[known])
    proba = meta.predict_proba(X)
    assert proba.shape == (len(X), 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert set(meta.predict(X)) == set(meta.classes_)
    assert meta.score(X, y) > 0.5
    assert meta.decision_function(X).shape == (len(X),)


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.RandomState(1)
    X = rng.randn(240, 5)
    Y = (X[:, :3] + rng.randn(240, 3) > [0.5, 1, 0]).astype(float)
    Y = pd.DataFrame(Y, columns=NAMES).mask(rng.rand(240, 3) < 0.1)
    groups = np.repeat([f"S{i}" for i in range(8)], 30)
    Y[groups == "S7"] = np.nan  # known by identity alone
    return X, Y, groups


def quick():
    return DSNClassifier(max_epochs=3, lr=5e-3, validation_fraction=0, random_state=0)


@pytest.mark.filterwarnings("ignore:groups is not given")  # a search passes none without routing
@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_in_searches_and_around_pipelines(vectors, Meta, routing):
    X, Y, groups = vectors
    with config_context(enable_metadata_routing=routing):
        pipeline = make_pipeline(StandardScaler(), quick())
        meta = Meta(pipeline, cv=SubjectKFold(2)).fit(X, Y, groups=groups)
        inside = cross_val_predict(
            pipeline, X, Y, cv=SubjectKFold(2),
            **({"params": {"groups": groups}} if routing
               else {"groups": groups, "params": {"dsnclassifier__groups": groups}}),
        )  # fmt: skip
        assert np.isnan(inside[groups == "S7"]).all()
        np.testing.assert_array_equal(meta.predict(X), meta.predict(X, groups=None))
        person = meta.predict_proba(X, groups=groups)
        assert not np.array_equal(person, meta.predict_proba(X))
        search = GridSearchCV(
            Meta(quick(), cv=2), {"estimator__alpha": [0.0, 0.1]}, cv=SubjectKFold(2),
            scoring=f1_frame_scorer, error_score="raise",
        )  # fmt: skip
        search.fit(X, Y, groups=groups)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "meta",
    [
        TunedThresholdsClassifier(CalibratedAUClassifier(LogisticRegression(), method="isotonic")),
        TunedThresholdsClassifier(LogisticRegression(), false_alarm_rate=0.1),
        TunedThresholdsClassifier(LogisticRegression(), false_alarm_rate={"y0": 0.1}),
        CalibratedAUClassifier(LogisticRegression()),
    ],
)
def test_saved_without_pickle(vectors, meta, tmp_path):
    X, Y, groups = vectors
    y = np.where(Y["AU1"] == 1, "smile", "none")
    meta.fit(X, y, groups=groups)
    skops.io.dump(meta, tmp_path / "meta.skops")
    file = tmp_path / "meta.skops"
    loaded = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    np.testing.assert_array_equal(loaded.predict(X), meta.predict(X))
    again = pickle.loads(pickle.dumps(meta))
    np.testing.assert_array_equal(again.predict_proba(X), meta.predict_proba(X))


class Unasked(Known):
    def fit(self, X, y, groups=None):
        raise AssertionError("there is nothing to fit it for")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"false_alarm_rate": {"AU9": 0.1}}, "but one for AU9"),
        ({"false_alarm_rate": dict.fromkeys(NAMES, 1.5)}, "is 1.5; give a share"),
        ({"scoring": "roc_auc"}, "needs no threshold"),
        (
            {"scoring": make_scorer(roc_auc_score, response_method="predict_proba")},
            "needs no threshold",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_the_fit(frames, wrong, message):
    P, Y, groups = frames
    with pytest.raises(ValueError, match=message):
        TunedThresholdsClassifier(Unasked(), **wrong).fit(P, Y, groups=groups)


def test_an_array_names_no_au_that_a_false_alarm_rate_could_mean(frames):
    P, Y, groups = frames
    for y in (Y.to_numpy(), Y["AU1"].dropna().to_numpy()):
        with pytest.raises(ValueError, match="no share for y0.*, but one for AU1"):
            TunedThresholdsClassifier(Unasked(), false_alarm_rate={"AU1": 0.1}).fit(
                P[: len(y)], y, groups=groups[: len(y)]
            )


@pytest.mark.parametrize(
    ("params", "people", "message"),
    [
        ({}, lambda g: np.zeros(len(g)), "holds out whole subjects, but 1 has"),
        ({}, lambda g: np.where(g == "S01", None, g), "groups has no subject at row 100"),
        ({"n_jobs": 0}, lambda g: g, "n_jobs"),
        ({"cv": RepeatedSubjectKFold(2)}, lambda g: g, "in more than one test part"),
    ],
)
@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_people_who_cannot_be_held_out_are_told_of_before_any_fit(
    frames, Meta, params, people, message
):
    P, Y, groups = frames
    with pytest.raises(ValueError, match=message):
        Meta(Unasked(), **params).fit(P, Y, groups=people(groups))


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_crops_that_need_the_people_are_refused_before_any_fit(frames, Meta):
    P, Y, groups = frames
    cropper = FaceCropper(landmarks_per_subject=2)
    pipeline, fitted = (make_pipeline(cropper, m) for m in (Unasked(), Known().fit(P, Y)))
    told = r"needs groups in prediction.*X = FaceCropper\(landmarks_per_subject=2\).detect"
    for model in (pipeline, RegionClassifier(pipeline), FrozenEstimator(fitted)):
        with pytest.raises(ValueError, match=told):
            Meta(model, cv=2).fit(P, Y, groups=groups)
    with pytest.raises(ValueError, match=told):
        cross_val_predict(pipeline, P, Y, groups=groups)


def test_a_rate_just_below_one(frames):
    P, Y, groups = frames
    rate = float(np.nextafter(1, 0))
    tuned = TunedThresholdsClassifier(Known(), false_alarm_rate=rate).fit(P, Y, groups=groups)
    assert (tuned.best_scores_ < 1).all()


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_a_fit_that_fails_leaves_no_mixture(frames, Meta):
    P, Y, _ = frames
    meta = Meta(FrozenEstimator(Known().fit(P, Y))).fit(P, Y)
    before = meta.predict_proba(P)
    meta.set_params(estimator=FrozenEstimator(Known(sharpen=2).fit(P, Y)))
    with pytest.raises(ValueError, match="y lacks AU4"):
        meta.fit(P, Y[["AU1", "AU12"]])
    np.testing.assert_array_equal(meta.predict_proba(P), before)


def test_features_of_an_earlier_fit_are_forgotten(vectors):
    X, Y, groups = vectors
    y = Y["AU1"].fillna(0)
    meta = CalibratedAUClassifier(LogisticRegression(), cv=2)
    assert meta.fit(pd.DataFrame(X).add_prefix("f"), y, groups).feature_names_in_[0] == "f0"
    assert not hasattr(meta.fit(X, y, groups), "feature_names_in_")


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_fitted_beforehand_on_other_labels(frames, vectors, Meta):
    X, Y, _ = vectors
    y = Y["AU1"].fillna(0)
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    with pytest.raises(ValueError, match=r"y holds 2.0, which classes_ \[0.0, 1.0\] does not"):
        Meta(frozen).fit(X, y + 1)
    P, Y, _ = frames  # names that nobody gave, in another order
    Y = Y.set_axis(["y0", "y1", "y2"], axis=1)
    known = FrozenEstimator(Known().fit(P, Y))
    one, other = Meta(known).fit(P, Y), Meta(known).fit(P, Y[["y2", "y0", "y1"]])
    assert other.au_names_.tolist() == ["y0", "y1", "y2"]
    np.testing.assert_array_equal(one.predict(P), other.predict(P))


def search_over(cv):
    return GridSearchCV(quick(), {"alpha": [0.1]}, cv=cv, error_score="raise")


@pytest.mark.filterwarnings("ignore:groups is not given")  # a search passes none without routing
@pytest.mark.parametrize("routing", [False, True])
def test_a_search_inside_knows_the_people(vectors, routing):
    X, Y, groups = vectors
    with config_context(enable_metadata_routing=routing):
        for inner in (search_over(SubjectKFold(2)), make_pipeline(search_over(SubjectKFold(2)))):
            tuned = TunedThresholdsClassifier(inner, cv=2).fit(X, Y, groups=groups)
            assert np.isfinite(tuned.best_scores_).all()


@pytest.mark.parametrize("Meta", [TunedThresholdsClassifier, CalibratedAUClassifier])
def test_a_person_is_told_to_the_best_of_a_search(vectors, Meta):
    X, Y, groups = vectors
    with config_context(enable_metadata_routing=True):
        search = search_over(SubjectKFold(2)).fit(X, Y, groups=groups)
    pipeline = make_pipeline(StandardScaler(with_mean=False, with_std=False).fit(X), search)
    for inside in (search, pipeline):
        meta = Meta(FrozenEstimator(inside)).fit(X, Y)
        person = meta.predict_proba(X, groups=groups)
        assert not np.array_equal(person, meta.predict_proba(X))


def test_routed_around_what_takes_no_groups(vectors):
    X, Y, groups = vectors
    y = Y["AU1"].fillna(0)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression())
        search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2)
        for inner in (pipeline, search):
            tuned = TunedThresholdsClassifier(inner, cv=SubjectKFold(2))
            assert tuned.fit(X, y, groups=groups).score(X, y) > 0.5
