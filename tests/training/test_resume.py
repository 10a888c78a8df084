"""The whole road: photos, crops, a search over subjects."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn import config_context
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EarlyStopping, PrintLog
from torch import nn

from skau import DSNClassifier, IdenNetClassifier, ResumeTraining
from skau.baselines import ATFClassifier, ROINetClassifier
from skau.datasets import load_sample_faces
from skau.metrics import f1_frame_scorer, roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper
from skau.preprocessing._worker import Worker
from skau.training._resume import _describe


class Power(nn.Module):
    """A backbone whose setting neither its text nor its weights show."""

    def __init__(self, power):
        super().__init__()
        self.power = power

    def forward(self, x):
        return x.mean(dim=(2, 3)) ** self.power


@pytest.fixture(scope="module")
def faces():
    faces = load_sample_faces()
    rows = np.flatnonzero(np.isin(faces.groups, np.unique(faces.groups)[:6]))
    rows = np.concatenate(
        [rows[faces.groups[rows] == s][:3] for s in np.unique(faces.groups[rows])]
    )
    return faces.images[rows], faces.target.iloc[rows][["AU1", "AU6", "AU12"]], faces.groups[rows]


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@pytest.mark.parametrize("routing", [False, True])
def test_pipeline_in_grid_search(routing, faces):
    X, Y, groups = faces
    search = GridSearchCV(
        make_pipeline(FaceCropper(size=32), DSNClassifier(max_epochs=1, random_state=0)),
        {"dsnclassifier__alpha": [0.01, 0.1], "dsnclassifier__beta": [0.05]},
        cv=SubjectKFold(3), scoring=f1_frame_scorer, error_score="raise",
    )  # fmt: skip
    with config_context(enable_metadata_routing=routing):
        if routing:
            search.fit(X, Y, groups=groups)
        else:
            search.fit(X, Y, groups=groups, dsnclassifier__groups=groups)
    assert search.cv_results_["mean_test_score"].shape == (2,)
    assert search.predict_proba(X[:2]).shape == (2, 3)


@pytest.fixture
def looked_at(monkeypatch):
    """How many images are read and searched."""
    counts, work = [], Worker.work

    def count(self, items, *, cut):
        counts.extend(items)
        return work(self, items, cut=cut)

    monkeypatch.setattr(Worker, "work", count)
    return counts


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
def test_a_search_crops_each_image_once(faces, tmp_path, looked_at):
    X, Y, groups = faces
    results = []
    for memory in (None, tmp_path):
        looked_at.clear()
        search = GridSearchCV(
            make_pipeline(
                FaceCropper(size=32, memory=memory), DSNClassifier(max_epochs=1, random_state=0)
            ),
            {"dsnclassifier__alpha": [0.01, 0.1]}, cv=SubjectKFold(3), scoring=roc_auc_scorer,
            error_score="raise",
        )  # fmt: skip
        search.fit(X, Y, groups=groups, dsnclassifier__groups=groups)
        results.append(search.cv_results_["mean_test_score"])
        assert len(looked_at) == (len(X) if memory else 7 * len(X))
    np.testing.assert_array_equal(*results)


def test_crops_are_known_by_content_and_settings(faces, tmp_path, looked_at):
    X = [Path(tmp_path / f"{i}.png") for i in range(4)]
    for path, image in zip(X, faces[0], strict=False):
        Image.fromarray(image).save(path)
    cropper = FaceCropper(size=32, memory=tmp_path / "cache", on_missing="warn")
    crops = cropper.transform(X)
    np.testing.assert_array_equal(crops, FaceCropper(size=32).transform(X))
    looked_at.clear()
    (tmp_path / "copies").mkdir()
    copies = [shutil.copy(path, tmp_path / "copies") for path in X]
    np.testing.assert_array_equal(cropper.transform(copies[::-1]), crops[::-1])
    assert not looked_at
    X[0].write_bytes(X[1].read_bytes())
    np.testing.assert_array_equal(cropper.transform(X), crops[[1, 1, 2, 3]])
    assert not looked_at
    FaceCropper(size=40, memory=tmp_path / "cache").transform(X[:2])
    pd.testing.assert_frame_equal(cropper.detect(X), FaceCropper().detect(X))
    looked_at.clear()
    X[2].unlink()
    black = np.zeros((1, 32, 32, 3), np.uint8)
    for _ in range(2):  # a file that cannot be read is tried again
        with pytest.warns(UserWarning, match=r"cannot use row 2 .*2\.png"):
            np.testing.assert_array_equal(cropper.transform(X)[2:3], black)
    assert len(looked_at) == 2


def states(clf):
    return {k: v.numpy(force=True) for k, v in clf.module_.state_dict().items()}


@pytest.mark.parametrize("Estimator", [DSNClassifier, IdenNetClassifier])
@pytest.mark.parametrize("identity_only", [False, True])
def test_resumed_training_is_training_in_one_go(Estimator, identity_only, blobs, tmp_path):
    X, Y, groups = (part[::4] for part in blobs)
    if identity_only:
        Y = Y.copy()
        Y.iloc[:4] = np.nan
    params = {"batch_size": 8, "random_state": 0, "precision": "float32", "lr": 2e-3}
    if Estimator is IdenNetClassifier:
        params |= {"identity_epochs": 1}
    whole = Estimator(max_epochs=4, **params).fit(X, Y, groups=groups)
    resume = ResumeTraining(tmp_path)
    for epochs, kept in ((2, 0), (4, 2), (4, 4), (1, 0)):
        clf = Estimator(max_epochs=epochs, callbacks=[resume], **params)
        clf.fit(X, Y, groups=groups)
        assert resume.resumed_ == kept
        if epochs == 4:
            for name, value in states(whole).items():
                np.testing.assert_array_equal(value, states(clf)[name])
            losses = clf.history_.filter(like="loss")
            pd.testing.assert_frame_equal(losses, whole.history_.filter(like="loss"))
            assert clf.best_epoch_ == whole.best_epoch_
            assert (clf.predict_proba(X) == whole.predict_proba(X)).all()


@pytest.mark.parametrize(
    "change",
    [{"random_state": 1}, {"alpha": 0.2}, {"lr": 1e-4}, {"augment": None}, {"batch_size": 8},
     {"validation_fraction": 0.4}, "X", "Y", "groups"],
)  # fmt: skip
def test_other_training_is_not_resumed(change, blobs, tmp_path):
    X, Y, groups = blobs
    resume = ResumeTraining(tmp_path)
    clf = DSNClassifier(max_epochs=1, callbacks=[resume], random_state=0)
    clf.fit(X, Y, groups=groups)
    clf.set_params(max_epochs=2)
    if change == "X":
        X = X ^ (np.arange(64) == 63).astype(np.uint8)[:, None, None, None]
    elif change == "Y":
        Y = 1 - Y
    elif change == "groups":
        groups = np.roll(groups, 1)
    else:
        clf.set_params(**change)
    clf.fit(X, Y, groups=groups)
    assert resume.resumed_ == 0


def test_training_on_another_kind_of_device_is_not_resumed(blobs):
    """Its random numbers come from generators that there may not be here."""
    X, Y, groups = blobs
    net = DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups).net_
    keys = []
    for device in ("cpu", "cuda", "cuda:0", torch.device("cuda")):
        net.device = device
        keys.append(_describe(net))
    assert keys[0] != keys[1] == keys[2] == keys[3]


def test_the_training_of_another_network_is_not_resumed(blobs, tmp_path):
    """Their layers print the same: what they were declared with tells them apart."""
    X, Y, groups = blobs
    few = slice(0, 32)

    def resumed(clf):
        resume = ResumeTraining(tmp_path)
        clf.set_params(max_epochs=1, callbacks=[resume], random_state=0, validation_fraction=0)
        clf.fit(X[few], Y[few], groups=groups[few])
        return resume.resumed_

    places = [[0.2, 0.3], [0.8, 0.3]]
    for Network in (ROINetClassifier, ATFClassifier):
        assert resumed(Network(centres=places)) == 0
        assert resumed(Network(centres=np.array(places))) == 1
        assert resumed(Network(centres=[[0.2, 0.9], [0.8, 0.9]])) == 0
    for power, kept in ((1.0, 0), (1.0, 1), (2.0, 0)):
        backbone = Power(power)
        assert resumed(IdenNetClassifier(backbone=backbone, identity_epochs=0)) == kept


def test_resuming_needs_to_know_all(blobs, tmp_path):
    X, Y, groups = blobs
    clf = DSNClassifier(max_epochs=1, callbacks=[PrintLog(), ResumeTraining(tmp_path)])
    with pytest.raises(ValueError, match="does not know what PrintLog would"):
        clf.fit(X, Y, groups=groups)


@pytest.fixture
def groups_reach_the_classifier():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("groups_reach_the_classifier")
def test_halving_goes_on_where_candidates_stopped(blobs, tmp_path):
    X, Y, groups = (part[::2] for part in blobs)
    results = []
    for callbacks in (None, [ResumeTraining(tmp_path)]):
        search = HalvingGridSearchCV(
            DSNClassifier(batch_size=16, lr=5e-3, random_state=0, callbacks=callbacks),
            {"alpha": [0.0, 0.1], "beta": [0.0, 0.5]}, resource="max_epochs", factor=2,
            min_resources=1, max_resources=4, cv=SubjectKFold(2), scoring=roc_auc_scorer,
            error_score="raise", random_state=0,
        )  # fmt: skip
        search.fit(X, Y, groups=groups)
        assert search.n_resources_ == [1, 2, 4]
        results.append(search)
    cold, warm = results
    assert warm.best_params_ == cold.best_params_
    for name in ("mean_test_score", "param_max_epochs"):
        np.testing.assert_array_equal(*(np.asarray(r.cv_results_[name], float) for r in results))
    again = DSNClassifier(batch_size=16, lr=5e-3, random_state=0, **warm.best_params_)
    resume = ResumeTraining(tmp_path)
    train = next(SubjectKFold(2).split(X, Y, groups))[0]
    again.set_params(callbacks=[resume]).fit(X[train], Y.iloc[train], groups=groups[train])
    assert resume.resumed_ == 4  # every rung and fold has left its state


def test_import_is_light():
    """Nothing heavy is imported before it is used."""
    import subprocess
    import sys

    code = (
        "import skau, sys; print([m for m in ('torch', 'sklearn', 'skorch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6))
    Y = pd.DataFrame(X @ rng.normal(size=(6, 2)) > 0, columns=["AU1", "AU12"]).astype(float)
    return X, Y, np.repeat(np.arange(6), 10)


def test_another_loss_inside_the_loss_is_another_training(vectors, tmp_path):
    X, _, groups = vectors
    y = (X[:, :1] > np.median(X[:, 0])).astype(float)  # as many present as absent
    quick = {"max_epochs": 3, "lr": 1e-2, "random_state": 0, "validation_fraction": 0}
    for weight, resumed in (({0: 1, 1: 1}, 0), ("asymmetric", 0), ("asymmetric", 3)):
        resume = ResumeTraining(tmp_path)
        DSNClassifier(**quick, class_weight=weight, callbacks=[resume]).fit(X, y, groups=groups)
        assert resume.resumed_ == resumed


def test_a_training_that_early_stopping_ended_is_not_trained_again(vectors, tmp_path):
    X, Y, groups = vectors
    fits = []
    for epochs in (40, 40, 60):
        resume = ResumeTraining(tmp_path)
        stop = EarlyStopping(monitor="valid_class_loss", patience=2)
        clf = DSNClassifier(max_epochs=epochs, lr=3e-2, random_state=0, callbacks=[stop, resume])
        fits.append((clf.fit(X, Y, groups=groups), resume.resumed_))
    (first, none), *others = fits
    assert none == 0
    assert len(first.history_) < 40
    for again, resumed in others:
        assert resumed == len(first.history_) == len(again.history_)
        assert again.best_epoch_ == first.best_epoch_
        np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))


def test_another_folder_counts_from_the_next_fit_on(vectors, tmp_path):
    X, Y, groups = vectors
    resume = ResumeTraining(tmp_path / "one")
    clf = DSNClassifier(max_epochs=2, random_state=0, callbacks=[resume])
    clf.fit(X, Y, groups=groups)
    resume.memory = tmp_path / "other"
    clf.fit(X, Y, groups=groups)
    assert resume.resumed_ == 0
    assert list((tmp_path / "other").glob("*.npz"))
