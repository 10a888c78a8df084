from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skau import DSNClassifier
from skau.baselines import SVTPTClassifier
from skau.datasets import load_sample_faces
from skau.estimators._regions import FACS_REGIONS, RegionClassifier
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold, TunedThresholdsClassifier
from skau.preprocessing import FaceCropper


class Half(TransformerMixin, BaseEstimator):
    """A cropper of images that are aligned already."""

    def __init__(self, region="full"):
        self.region = region

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        middle = X.shape[1] // 2
        half = {"full": X, "upper": X[:, :middle], "lower": X[:, middle:]}[self.region]
        return half.reshape(len(X), -1).astype(float) / 255

    def __sklearn_is_fitted__(self):
        return True


def pipeline(**params):
    return make_pipeline(Half(), DSNClassifier(max_epochs=2, random_state=0, **params))


def test_every_au_has_the_model_of_its_region(blobs):
    X, Y, groups = blobs
    clf = RegionClassifier(pipeline()).fit(X, Y, groups=groups)
    assert clf.regions_ == {"AU1": "upper", "AU12": "lower"}
    for j, (au, region) in enumerate(clf.regions_.items()):
        own = clone(pipeline()).set_params(half__region=region)
        own.fit(X, Y[[au]], dsnclassifier__groups=groups)
        np.testing.assert_array_equal(clf.predict_proba(X)[:, j], own.predict_proba(X)[:, 1])
        assert clf.estimators_[j].named_steps["half"].region == region
    assert clf.predict(X).shape == (64, 2)
    assert clf.estimator.named_steps["half"].region == "full"  # the given one stays as it was


@pytest.mark.parametrize("routing", [True, False])
def test_every_model_is_calibrated_to_the_person(routing, blobs):
    X, Y, groups = blobs
    with config_context(enable_metadata_routing=routing):
        clf = RegionClassifier(pipeline()).fit(X, Y, groups=groups)
        logits = clf.decision_function(X, groups)
    for j, model in enumerate(clf.estimators_):
        halves = model[:-1].transform(X)
        own = model[-1].decision_function(halves, groups)
        np.testing.assert_array_equal(logits[:, j], own)
    assert not np.allclose(logits, clf.decision_function(X), atol=1e-3)
    np.testing.assert_array_equal(clf.predict(X, groups=groups), logits > 0)


def test_models_without_a_pipeline_get_the_person_too(blobs):
    X, Y, groups = blobs
    X = X.reshape(len(X), -1)[:, ::7] / 255
    clf = RegionClassifier(SVTPTClassifier(), regions=None).fit(X, Y, groups=groups)
    own = SVTPTClassifier().fit(X, Y[["AU1"]], groups=groups)
    np.testing.assert_array_equal(
        clf.decision_function(X, groups)[:, 0], own.decision_function(X, groups)
    )


class Centred(Half):
    """Takes the mean of each person away, whom it must be told."""

    def fit(self, X, y=None, groups=None):
        return self

    def fit_transform(self, X, y=None, groups=None):
        return self.transform(X, groups)

    def transform(self, X, groups=None):
        X = super().transform(X)
        return X - pd.DataFrame(X).groupby(np.asarray(groups)).transform("mean").to_numpy()


def test_people_are_told_to_the_steps_before_the_classifier(blobs):
    X, Y, groups = blobs
    scaler = StandardScaler(with_mean=False, with_std=False)
    steps = make_pipeline(Centred(), "passthrough", scaler), "passthrough", SVTPTClassifier()
    clf = RegionClassifier(make_pipeline(*steps), regions=None).fit(X, Y, groups=groups)
    centred = Centred().transform(X, groups)
    expected = SVTPTClassifier().fit(centred, Y, groups).decision_function(centred, groups)
    np.testing.assert_allclose(clf.decision_function(X, groups), expected)


def test_an_au_that_shows_elsewhere_cannot_be_learnt(blobs):
    X, Y, groups = blobs  # AU1 shows above the middle, AU12 below
    test = np.isin(groups, ["S1", "S5"])
    right = RegionClassifier(make_pipeline(Half(), SVTPTClassifier()))
    wrong = clone(right).set_params(regions={"AU1": "lower", "AU12": "upper"})
    auc = {}
    for name, clf in (("right", right), ("wrong", wrong)):
        clf.fit(X[~test], Y[~test])
        auc[name] = roc_auc_score(Y[test], clf.decision_function(X[test]))
    assert auc["right"] > 0.95
    assert auc["wrong"] < 0.8


def test_one_au_of_any_two_labels(blobs):
    X, Y, groups = blobs
    y = pd.Series(np.where(Y["AU12"] == 1, "smile", "none"), name="AU12")
    clf = RegionClassifier(pipeline()).fit(X, y, groups=groups)
    assert clf.classes_.tolist() == ["none", "smile"]
    assert clf.predict_proba(X).shape == (64, 2)
    assert set(clf.predict(X)) <= {"none", "smile"}


@pytest.mark.parametrize("routing", [False, True])
def test_in_a_search_over_subjects(routing, blobs):
    X, Y, groups = blobs
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            RegionClassifier(pipeline()), {"estimator__dsnclassifier__alpha": [0.01, 0.1]},
            cv=SubjectKFold(2), scoring=roc_auc_scorer, error_score="raise",
        )  # fmt: skip
        # without routing a search keeps groups to its splitter, and the models say so
        warned = pytest.warns(UserWarning, match="groups is not given, so")
        with nullcontext() if routing else warned:
            search.fit(X, Y, groups=groups)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_photographs_and_landmark_tables(tmp_path):
    from PIL import Image

    faces = load_sample_faces()
    rows = np.arange(0, 480, 24)
    paths = [str(tmp_path / f"{row}.png") for row in rows]
    for path, row in zip(paths, rows, strict=True):
        Image.fromarray(faces.images[row]).save(path)
    Y = (
        faces.target.iloc[rows][["AU1", "AU9", "AU12"]]
        if "AU9" in faces.target
        else (faces.target.iloc[rows][["AU1", "AU12"]])
    )
    cropper = FaceCropper(size=32)
    table = cropper.detect(paths)
    model = make_pipeline(
        cropper, DSNClassifier(max_epochs=1, random_state=0, validation_fraction=0)
    )
    from_table = RegionClassifier(model).fit(table, Y)
    from_files = RegionClassifier(model).fit(paths, Y)
    np.testing.assert_array_equal(from_table.predict_proba(table), from_files.predict_proba(paths))


def test_the_map_covers_what_the_corpora_annotate():
    aus = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 27, 43]
    assert {f"AU{n}" for n in aus} <= set(FACS_REGIONS)
    assert FACS_REGIONS["AU6"] == "upper"
    assert FACS_REGIONS["AU17"] == "lower"
    copied = clone(RegionClassifier(DSNClassifier(), regions=FACS_REGIONS))
    assert copied.regions == FACS_REGIONS


@pytest.mark.parametrize(
    ("model", "rename", "message"),
    [
        (DSNClassifier(), str, "no parameter named 'region'"),
        (make_pipeline(Half(), Half(), SVTPTClassifier()), str, "several parameters"),
        (make_pipeline(Half(), SVTPTClassifier()), "brow {}".format, "no region for brow AU1"),
        (TunedThresholdsClassifier(pipeline()), str, "thresholds of Tuned.* no effect inside"),
        (
            make_pipeline(Half(), FixedThresholdClassifier(SVTPTClassifier())),
            str,
            r"thresholds of Fixed.* around: TunedThresholdsClassifier\(RegionClassifier",
        ),
    ],
)
def test_what_cannot_be_done_is_said(model, rename, message, blobs):
    X, Y, _groups = blobs
    with pytest.raises(ValueError, match=message):
        RegionClassifier(model).fit(X, Y.rename(columns=rename))
