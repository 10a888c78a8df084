"""What ONNX Runtime answers is what the estimator answers."""

import json

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skau
from skau import (
    DSNClassifier,
    IdenNetClassifier,
    Int8Classifier,
    MixedEffectsClassifier,
    RegionClassifier,
)
from skau.baselines import (
    AlexNetClassifier,
    ATFClassifier,
    DRMLClassifier,
    LightCNNClassifier,
    ResNetClassifier,
    ROINetClassifier,
    SVTPTClassifier,
)
from skau.model_selection import CalibratedAUClassifier, TunedThresholdsClassifier
from skau.preprocessing import FaceCropper

onnxruntime = pytest.importorskip("onnxruntime", reason='needs pip install "skau[test]"')
pytest.importorskip("onnxscript", reason='needs pip install "skau[onnx]"')

ONCE = {"max_epochs": 1, "validation_fraction": 0, "precision": "float32", "random_state": 0}
# convolutions on a GPU are rounded to TF32, in torch and not in ONNX Runtime
CLOSE = 1e-3 if torch.cuda.is_available() else 1e-4
TORCH_2_6 = pytest.mark.skipif(
    torch.__version__.startswith("2.6."), reason="torch 2.6 cannot export this network"
)
ESTIMATORS = [
    IdenNetClassifier(identity_epochs=0, identity_transform="affine", **ONCE),
    LightCNNClassifier(identity_epochs=0, **ONCE),
    MixedEffectsClassifier(**ONCE),
    pytest.param(DRMLClassifier(**ONCE), marks=TORCH_2_6),
    ATFClassifier(**ONCE),
    pytest.param(ROINetClassifier(**ONCE), marks=TORCH_2_6),
    pytest.param(ResNetClassifier(**ONCE), marks=TORCH_2_6),
    pytest.param(AlexNetClassifier(**ONCE), marks=pytest.mark.slow),
]


def run(path, crops):
    session = onnxruntime.InferenceSession(path)
    (probabilities,) = session.run(["probabilities"], {"crops": crops})
    metadata = session.get_modelmeta().custom_metadata_map
    return probabilities, {name: json.loads(text) for name, text in metadata.items()}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_every_network(estimator, blobs, tmp_path):
    X, Y, groups = blobs
    clf = clone(estimator).fit(X[::4], Y[::4], groups=groups[::4])
    skau.export_onnx(clf, tmp_path / "model.onnx")
    for rows in (slice(1), slice(17)):
        found, _ = run(tmp_path / "model.onnx", X[rows])
        assert found.shape == (len(X[rows]), 2)
        assert np.abs(found - clf.predict_proba(X[rows])).max() < CLOSE


def test_a_search_over_a_pipeline_says_what_it_takes(blobs, tmp_path, capfd):
    X, Y, groups = blobs
    model = make_pipeline(FaceCropper(size=32, align=None, n_jobs=1), DSNClassifier(**ONCE))
    search = GridSearchCV(model, {"dsnclassifier__alpha": [0.1]}, cv=2)
    search.fit(X, Y["AU1"].astype(int), dsnclassifier__groups=groups)
    capfd.readouterr()
    skau.export_onnx(search, tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
    found, metadata = run(tmp_path / "model.onnx", X[:5])
    assert np.abs(found[:, 0] - search.predict_proba(X[:5])[:, 1]).max() < CLOSE
    assert metadata["au_names"] == search.best_estimator_[-1].au_names_.tolist()
    assert metadata["thresholds"] == [0.5]
    assert metadata["skau"] == skau.__version__
    assert metadata["input"] == {
        "dtype": "uint8", "layout": "NHWC", "height": 32, "width": 32,
        "channels": "RGB", "normalisation": "x / 255, inside",
    }  # fmt: skip
    assert metadata["cropper"]["size"] == 32
    assert metadata["cropper"]["align"] is None
    assert "n_jobs" not in metadata["cropper"]


def test_thresholds_and_calibration_are_inside(blobs, fitted, tmp_path):
    X, Y, groups = blobs
    calibrated = CalibratedAUClassifier(fitted, cv="prefit").fit(X, Y, groups=groups)
    tuned = TunedThresholdsClassifier(calibrated, cv="prefit").fit(X, Y, groups=groups)
    skau.export_onnx(tuned, tmp_path / "model.onnx")
    found, metadata = run(tmp_path / "model.onnx", X)
    assert np.abs(found - tuned.predict_proba(X)).max() < 1e-2  # bfloat16 where it is native
    assert np.abs(found - fitted.predict_proba(X)).max() > 1e-2
    assert metadata["thresholds"] == tuned.thresholds_.tolist()
    calibrated.set_params(method="isotonic").fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match="CalibratedAUClassifier cannot be exported"):
        skau.export_onnx(calibrated, tmp_path / "model.onnx")


def test_an_au_without_a_label_is_nan(blobs, tmp_path):
    X, Y, _ = blobs
    with pytest.warns(UserWarning, match="no label"):
        clf = DSNClassifier(**ONCE).fit(X, Y.assign(AU99=np.nan))
    skau.export_onnx(clf, tmp_path / "model.onnx")
    found, metadata = run(tmp_path / "model.onnx", X[:5])
    expected = clf.predict_proba(X[:5])
    assert np.isnan(expected[:, 2]).all()
    np.testing.assert_allclose(found, expected, atol=CLOSE)
    assert metadata["au_names"][2] == "AU99"


def test_vectors(tmp_path):
    rng = np.random.RandomState(0)
    X, Y = rng.rand(20, 5), rng.randint(0, 2, (20, 3))
    clf = FrozenEstimator(DSNClassifier(max_epochs=1, validation_fraction=0).fit(X, Y))
    skau.export_onnx(clf, tmp_path / "model.onnx")
    found, metadata = run(tmp_path / "model.onnx", X)
    assert np.abs(found - clf.predict_proba(X)).max() < 1e-10
    assert metadata["input"] == {"dtype": "float64", "layout": "NC", "features": 5}


def test_what_cannot_be_exported_says_so(blobs, fitted, tmp_path):
    X, Y, groups = blobs
    path = tmp_path / "model.onnx"
    svm = SVTPTClassifier().fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match="SVTPTClassifier cannot be exported"):
        skau.export_onnx(svm, path)
    with pytest.raises(ValueError, match=r"RegionClassifier cannot be .* export each of"):
        skau.export_onnx(RegionClassifier(SVTPTClassifier(), regions=None).fit(X, Y), path)
    int8 = Int8Classifier(FrozenEstimator(fitted))
    int8._model = b"", b""
    with pytest.raises(ValueError, match=r"Int8Classifier cannot be .* its estimator_"):
        skau.export_onnx(int8, path)
    two = make_pipeline(FunctionTransformer(), FrozenEstimator(fitted)).fit(X, Y)
    with pytest.raises(ValueError, match=r"but this one has FunctionTransformer"):
        skau.export_onnx(two, path)
    with pytest.raises(ValueError, match=r"not fitted yet"):
        skau.export_onnx(DSNClassifier(), path)
    assert not path.exists()


def refuse(*args, **options):
    raise torch.onnx.errors.OnnxExporterError("no translation")


@pytest.mark.parametrize("how", ["refused", "fixed"])
def test_what_this_torch_cannot_export_says_so(how, fitted, tmp_path, monkeypatch):
    def one_number_of_rows(*args, dynamic_shapes, **options):
        return export(*args, **options)

    export = torch.onnx.export
    monkeypatch.setattr(torch.onnx, "export", refuse if how == "refused" else one_number_of_rows)
    with pytest.raises(RuntimeError, match=r"cannot export the network of DSNClassifier for any"):
        skau.export_onnx(fitted, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
