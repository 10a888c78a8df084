"""Quantized networks: close to what they come from, and ordinary scikit-learn estimators."""

import logging
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skau import DSNClassifier, IdenNetClassifier, Int8Classifier, MixedEffectsClassifier
from skau.baselines import SVTPTClassifier
from skau.datasets import load_sample_faces
from skau.estimators import _openvino
from skau.estimators._calibration import calibrate
from skau.metrics import f1_frame_scorer
from skau.model_selection import SubjectKFold


@pytest.fixture(scope="module")
def faces():
    faces = load_sample_faces()
    return faces.images[::6, ::4, ::4].copy(), faces.target[::6], faces.groups[::6]


@pytest.fixture(scope="module")
def clf(faces):
    X, Y, groups = faces
    clf = IdenNetClassifier(identity_epochs=0, max_epochs=3, lr=1e-3, random_state=0)
    return clf.fit(X, Y, groups=groups)


@pytest.fixture(scope="module")
def quantized(faces, clf):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    X, _, _ = faces
    return Int8Classifier(FrozenEstimator(clf), n_calibration=20, random_state=0).fit(X)


def test_probabilities_stay_close(faces, clf, quantized):
    X, Y, _ = faces
    exact, rounded = clf.predict_proba(X), quantized.predict_proba(X)
    assert rounded.shape == Y.shape
    assert np.abs(exact - rounded).mean() < 0.02
    assert (exact != rounded).any()  # it did not fall back to the network itself
    assert np.array_equal(quantized.predict(X), rounded > 0.5)


def test_people_are_known_by_their_other_frames(faces, clf, quantized):
    X, _, groups = faces
    exact, rounded = (model.predict_proba(X, groups=groups) for model in (clf, quantized))
    assert np.abs(exact - rounded).mean() < 0.02
    assert np.abs(rounded - quantized.predict_proba(X)).max() > 0.01


@pytest.mark.slow
def test_logits_of_a_mixed_model_are_calibrated_as_any_others(faces):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    X, Y, groups = faces
    mixed = MixedEffectsClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    int8 = Int8Classifier(FrozenEstimator(mixed), n_calibration=5, random_state=0).fit(X)
    expected = calibrate(int8.decision_function(X), groups, mixed.population_)
    np.testing.assert_allclose(int8.decision_function(X, groups=groups), expected)
    assert np.isfinite(expected).all()


def test_one_image_and_many_have_the_same_result(faces, quantized):
    X, _, _ = faces
    # sums of another order may end on the other side of a step of 8 bits
    assert np.allclose(quantized.predict_proba(X)[:1], quantized.predict_proba(X[:1]), atol=1e-2)


def test_pickle_holds_the_model(faces, quantized):
    X, _, _ = faces
    before = quantized.predict_proba(X)
    after = pickle.loads(pickle.dumps(quantized))
    assert np.array_equal(after.predict_proba(X), before)
    assert after.au_names_.tolist() == quantized.au_names_.tolist()


@pytest.mark.slow
def test_the_seed_draws_the_calibration_images(faces):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    X, Y, groups = faces
    dsn = DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    int8 = Int8Classifier(FrozenEstimator(dsn), n_calibration=5, random_state=0)
    first, again = (clone(int8).fit(X).predict_proba(X) for _ in range(2))
    assert np.array_equal(first, again)
    other = clone(int8).set_params(random_state=1).fit(X)
    assert not np.array_equal(other.predict_proba(X), first)


@pytest.mark.slow
def test_search_in_a_pipeline(faces):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    X, Y, groups = faces
    bright = FunctionTransformer(lambda X: X // 2 + 128)
    dsn = DSNClassifier(max_epochs=1, lr=1e-3, random_state=0)
    search = GridSearchCV(
        make_pipeline(bright, Int8Classifier(dsn, n_calibration=5, random_state=0)),
        {"int8classifier__estimator__beta": [0.5]},  # each fit is quantized anew
        cv=list(SubjectKFold(2).split(X, Y, groups))[:1],
        scoring=f1_frame_scorer,
        error_score="raise",
    )
    search.fit(X, Y, groups=groups, int8classifier__groups=groups)
    assert search.best_estimator_[-1].estimator_.beta == 0.5
    assert search.predict_proba(X).shape == Y.shape


def test_single_au_and_grey_images(faces):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    X, Y, groups = faces
    X, y = X[..., 1].copy(), np.where(Y["AU12"] == 1, "smile", "neutral")
    clf = DSNClassifier(max_epochs=1, random_state=0).fit(X, y, groups=groups)
    fast = Int8Classifier(FrozenEstimator(clf), n_calibration=20, random_state=0).fit(X, y)
    assert fast.classes_.tolist() == ["neutral", "smile"]
    assert fast.predict_proba(X).shape == (len(X), 2)
    assert np.abs(fast.predict_proba(X) - clf.predict_proba(X)).mean() < 0.02


def test_bad_input(faces, quantized):
    X, _, _ = faces
    with pytest.raises(ValueError, match="was fitted on RGB images of 32 x 32"):
        quantized.predict(np.repeat(X, 2, axis=1))
    vectors = np.random.RandomState(0).rand(20, 5)
    labels = np.arange(20) % 2
    with pytest.raises(ValueError, match="X holds vectors of 5 features"):
        Int8Classifier(DSNClassifier(max_epochs=1, validation_fraction=0, random_state=0)).fit(
            vectors, labels
        )
    pipeline = make_pipeline(DSNClassifier())
    for wrong, name in [
        (SVTPTClassifier(), "SVTPTClassifier"),
        (pipeline, "Pipeline"),
        (FrozenEstimator(pipeline), "Pipeline"),  # as it is before any fit
    ]:
        with pytest.raises(ValueError, match=f"with a network, but {name} has none; put crop"):
            Int8Classifier(wrong).fit(vectors, labels)


def test_the_import_error_names_the_extra(faces, monkeypatch):
    X, Y, _ = faces
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[openvino\]"'):
        Int8Classifier(DSNClassifier()).fit(X, Y)


def test_quantizing_says_nothing_of_cuda():
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    logger, records = logging.getLogger("torch.utils.cpp_extension"), []
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)  # not every version of torch hands its messages up
    try:
        with _openvino._quietly(bars=False):
            logger.warning("No CUDA")
        logger.warning("later")
    finally:
        logger.removeHandler(handler)
    assert [record.getMessage() for record in records] == ["later"]
