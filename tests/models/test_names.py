"""What a model file calls things, and what it says its model was trained on."""

import json
import zipfile

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skau import RegionClassifier, load, save
from skau.baselines import SVTPTClassifier
from skau.models import _schema
from skau.models._trusted import trusted_types
from skau.preprocessing import FaceCropper

# Files that are out there hold these. What moves gets a line in skau.models._schema.MOVED, and
# its old name stays here; what is new is added.
NAMES = {
    "skau.baselines._alexnet.AlexNetClassifier",
    "skau.baselines._atf.ATFClassifier",
    "skau.baselines._drml.DRMLClassifier",
    "skau.baselines._lightcnn.LightCNNClassifier",
    "skau.baselines._resnet.ResNetClassifier",
    "skau.baselines._roinet.ROINetClassifier",
    "skau.baselines._svtpt.SVTPTClassifier",
    "skau.baselines._svtpt._Transfer",
    "skau.estimators._dsn.DSNClassifier",
    "skau.estimators._idennet.IdenNetClassifier",
    "skau.estimators._int8.Int8Classifier",
    "skau.estimators._mixed_effects.MixedEffectsClassifier",
    "skau.estimators._regions.RegionClassifier",
    "skau.metrics._scorers.accuracy_scorer",
    "skau.metrics._scorers.f1_frame_scorer",
    "skau.metrics._scorers.roc_auc_scorer",
    "skau.model_selection._calibrated.CalibratedAUClassifier",
    "skau.model_selection._corpora.LeaveOneCorpusOut",
    "skau.model_selection._kfold.SubjectKFold",
    "skau.model_selection._predefined.PredefinedSubjectSplit",
    "skau.model_selection._repeated.RepeatedSubjectKFold",
    "skau.model_selection._stratified.StratifiedSubjectKFold",
    "skau.model_selection._thresholds.TunedThresholdsClassifier",
    "skau.models._trunk.PretrainedTrunk",
    "skau.preprocessing._cropper.FaceCropper",
}


def test_names_in_files_stay_or_are_followed():
    now = {name for name in trusted_types() if name.startswith("skau.")}
    assert now | set(_schema.MOVED) == NAMES
    assert set(_schema.MOVED.values()) <= now
    assert not now & set(_schema.MOVED)


def test_a_class_that_has_moved_is_found(forge, fitted, blobs, monkeypatch):
    def as_before(schema, members):
        text = json.dumps(schema)
        assert '"skau.estimators._dsn"' in text
        return json.loads(text.replace('"skau.estimators._dsn"', '"skau.dsn"'))

    path = forge(as_before)
    with pytest.raises(ValueError, match=r"it names skau\.dsn\.DSNClassifier"):
        load(path)
    monkeypatch.setitem(
        _schema.MOVED, "skau.dsn.DSNClassifier", "skau.estimators._dsn.DSNClassifier"
    )
    assert np.array_equal(load(path).predict_proba(blobs[0]), fitted.predict_proba(blobs[0]))


def test_what_it_was_trained_on(fitted, blobs, tmp_path):
    _, Y, _ = blobs
    present = Y.sum().astype(int).to_dict()
    facts = {
        "rows": 64, "held_out_rows": 16, "identity_only_rows": 0, "subjects": 8,
        "present": present, "absent": {name: 64 - n for name, n in present.items()},
    }  # fmt: skip
    assert fitted.trained_on_ == facts
    save(make_pipeline(FaceCropper(size=32), fitted), tmp_path / "model.skau")
    again, card = load(tmp_path / "model.skau", return_card=True)
    assert card["trained_on"] == again[-1].trained_on_ == facts
    with zipfile.ZipFile(tmp_path / "model.skau") as file:  # for other tools to read
        assert json.loads(file.read("skau.json"))["card"]["trained_on"] == facts


def test_parts_add_up(fitted, blobs):
    X, Y, groups = blobs
    clf = type(fitted)(random_state=0).partial_fit(X[:20], Y[:20], groups=groups[:20])
    assert (clf.trained_on_["rows"], clf.trained_on_["subjects"]) == (20, 3)
    clf.partial_fit(X[20:], Y[20:] * np.nan, groups=groups[20:])
    facts = clf.trained_on_
    assert (facts["rows"], facts["identity_only_rows"], facts["subjects"]) == (64, 44, None)
    assert facts["present"] == Y[:20].sum().astype(int).to_dict()


def test_those_without_a_network_say_it_too(blobs, tmp_path):
    X, Y, groups = blobs
    Y = Y.copy()
    Y.iloc[3] = np.nan
    model = RegionClassifier(SVTPTClassifier(), regions=None).fit(X, Y, groups=groups)
    alone = model.estimators_[0].trained_on_
    assert (alone["rows"], alone["identity_only_rows"], alone["subjects"]) == (64, 1, 8)
    save(model, tmp_path / "model.skau")
    card = load(tmp_path / "model.skau", return_card=True)[1]
    assert card["trained_on"]["present"] == Y.sum().astype(int).to_dict()
    model = SVTPTClassifier().fit(X, Y)
    assert model.trained_on_["subjects"] is None
