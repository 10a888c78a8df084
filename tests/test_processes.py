"""What joblib's processes compute is what is computed here.

All in one file, so that the two processes, which import everything, are started once.
"""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import ScoringMonitor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier, Int8Classifier, RegionClassifier
from skau.baselines import SVTPTClassifier
from skau.datasets import load_sample_faces, make_au_faces
from skau.metrics import f1_frame_scorer, roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

QUICK = {"max_epochs": 1, "batch_size": 32, "random_state": 0}


@pytest.fixture(autouse=True)
def mapped():
    """Arrays reach the processes as read-only maps, small ones too."""
    with joblib.parallel_config("loky", max_nbytes=100):
        yield


def test_processes_share_the_processors():
    threads = joblib.Parallel(n_jobs=2)(joblib.delayed(torch.get_num_threads)() for _ in range(2))
    assert threads == [max(1, joblib.cpu_count() // 2)] * 2


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@pytest.mark.parametrize("routing", [pytest.param(False, marks=pytest.mark.slow), True])
def test_photos_in_a_search(routing):
    faces = load_sample_faces()
    people = np.unique(faces.groups)[:6]
    rows = np.concatenate([np.flatnonzero(faces.groups == who)[:3] for who in people])
    X, Y, groups = faces.images[rows], faces.target.iloc[rows], faces.groups[rows]
    model = make_pipeline(FaceCropper(size=32), DSNClassifier(**QUICK))
    search = GridSearchCV(
        model, {"dsnclassifier__alpha": [0.01, 0.1], "dsnclassifier__beta": [0.05]},
        cv=SubjectKFold(3), scoring=f1_frame_scorer, n_jobs=2, error_score="raise",
    )  # fmt: skip
    with config_context(enable_metadata_routing=routing):
        if routing:
            search.fit(X, Y[["AU1", "AU6", "AU12"]], groups=groups)
        else:
            search.fit(X, Y[["AU1", "AU6", "AU12"]], groups=groups, dsnclassifier__groups=groups)
    assert search.cv_results_["mean_test_score"].shape == (2,)
    assert search.predict_proba(X[:2]).shape == (2, 3)


def test_a_search_gives_the_same_to_the_bit(blobs):
    """The processes compute with one thread each; sums over threads differ in the last bit."""
    X, Y, groups = blobs
    threads, scores = torch.get_num_threads(), []
    torch.set_num_threads(1)
    try:
        for n_jobs in (1, 2):
            search = GridSearchCV(
                DSNClassifier(max_epochs=2, batch_size=16, lr=5e-3, random_state=0),
                {"beta": [0.0, 0.5]}, cv=SubjectKFold(2), scoring=roc_auc_scorer, n_jobs=n_jobs,
            )  # fmt: skip
            with config_context(enable_metadata_routing=True):
                search.fit(X, Y, groups=groups)
            scores.append(search.cv_results_["mean_test_score"])
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(*scores)


def test_cross_validate_gives_the_same(blobs):
    X, Y, groups = blobs
    scores = [
        cross_validate(
            DSNClassifier(**QUICK, lr=1e-3, precision="float32", device="cpu"), X, Y,
            cv=SubjectKFold(2), groups=groups, params={"groups": groups}, scoring=roc_auc_scorer,
            n_jobs=n_jobs,
        )["test_score"]
        for n_jobs in (1, 2)
    ]  # fmt: skip
    np.testing.assert_allclose(*scores, atol=0.02)


class Half(TransformerMixin, BaseEstimator):
    """A cropper of images that are aligned already."""

    def __init__(self, region="upper"):
        self.region = region

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        half = X[:, :16] if self.region == "upper" else X[:, 16:]
        return half.reshape(len(X), -1) / 255

    def __sklearn_is_fitted__(self):
        return True


def test_models_of_regions_with_missing_labels(blobs):
    X, Y, groups = blobs
    Y = Y.copy()
    Y.iloc[:24, 0] = np.nan
    models = [
        RegionClassifier(
            make_pipeline(Half(), DSNClassifier(max_epochs=2, random_state=0)), n_jobs=n_jobs
        ).fit(X, Y, groups=groups)
        for n_jobs in (None, 2)
    ]
    one, two = models
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-6)
    hits = (one.predict(X) == Y).where(Y.notna()).astype(float)
    assert one.score(X, Y) == pytest.approx(hits.mean().mean())


def test_parts_hand_their_callbacks_on(blobs):
    X, Y, groups = blobs
    monitor = ScoringMonitor(scoring={"f1": f1_frame_scorer})
    model = make_pipeline(DSNClassifier(**QUICK, validation_fraction=0))
    clf = RegionClassifier(model, regions=None, n_jobs=2)
    clf.set_callbacks(monitor).fit(X, Y, groups=groups)
    assert len(monitor.get_logs().data) >= 1


def test_rendered_people_are_the_same():
    how = {"n_subjects": 2, "n_frames": 3, "image_size": 32, "random_state": 3, "cache": False}
    here, there = (make_au_faces(**how, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(there.images, here.images)
    pd.testing.assert_frame_equal(there.intensity, here.intensity)


def _warned(what, X):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if isinstance(what, FaceCropper):
            what.transform(X)
        else:
            what.predict_proba(X)
    return [text for w in told if "no face" not in (text := str(w.message))]


@pytest.fixture(scope="module")
def dsn(blobs):
    X, Y, groups = blobs
    return DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)


@pytest.mark.parametrize("kind", ["arrays", "files", "quantized"])
def test_large_arrays_are_taken_without_a_word(kind, dsn, blobs, tmp_path, capfd):
    X, Y, groups = blobs
    models = [dsn]
    if kind == "arrays":
        models += [SVTPTClassifier().fit(X, Y, groups=groups)]
        models += [FaceCropper(size=32, on_missing="warn")]
    elif kind == "quantized":
        pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
        models = [Int8Classifier(FrozenEstimator(dsn), n_calibration=4, random_state=0).fit(X)]
    else:
        for i, image in enumerate(X[:9]):
            Image.fromarray(image).save(tmp_path / f"{i}.png")
        X = sorted(tmp_path.iterdir())
        models += [FaceCropper(size=32, align=None)]
    told = joblib.Parallel(n_jobs=2)(joblib.delayed(_warned)(model, X) for model in models)
    assert told == [[]] * len(models)
    out, err = capfd.readouterr()
    assert "not writable" not in out + err
