"""What is saved is what is loaded: every estimator, other processes, other machines."""

import pickle
import subprocess
import sys
import warnings
from functools import partial
from io import BytesIO

import numpy as np
import pandas as pd
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
    RegionClassifier,
)
from skau.baselines import (
    AlexNetClassifier,
    SVTPTClassifier,
)
from skau.datasets import load_sample_faces
from skau.metrics import f1_frame_scorer
from skau.model_selection import CalibratedAUClassifier, SubjectKFold, TunedThresholdsClassifier
from skau.models import load, save
from skau.models._trusted import trusted_types
from skau.preprocessing import FaceCropper
from skau.utils import all_estimators

ESTIMATORS = [
    DSNClassifier(max_epochs=1),
    DSNClassifier(max_epochs=1, person_encoder=False, precision="bfloat16"),
    IdenNetClassifier(max_epochs=1, identity_epochs=1, identity_transform="affine"),
    IdenNetClassifier(max_epochs=1, identity_epochs=1, precision="bfloat16"),
    SVTPTClassifier(),
]
ESTIMATORS += [
    cls(max_epochs=1)
    for _, cls in all_estimators("classifier")
    if hasattr(cls, "_make_module") and cls not in (DSNClassifier, IdenNetClassifier)
    and cls is not AlexNetClassifier  # of 57 million weights: below, on vectors
]  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore:n_identities", "ignore:identities")


def there_and_back(model, folder, **options):
    save(model, folder / "model.skau", **options)
    return load(folder / "model.skau")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_every_estimator_predicts_the_same(estimator, blobs, tmp_path):
    X, Y, groups = blobs
    clf = clone(estimator).fit(X, Y, groups=groups)
    again = there_and_back(clf, tmp_path)
    assert type(again) is type(clf)
    assert str(again.get_params()) == str(clf.get_params())
    assert np.array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert np.array_equal(
        again.predict_proba(X, groups=groups), clf.predict_proba(X, groups=groups)
    )
    assert again.au_names_.tolist() == ["AU1", "AU12"]
    if hasattr(clf, "history_"):
        pd.testing.assert_frame_equal(again.history_, clf.history_)
        pd.testing.assert_frame_equal(again.population_, clf.population_)


def test_alexnet_without_its_training(tmp_path):
    rng = np.random.RandomState(0)
    X, y = rng.rand(20, 4), np.repeat(["no", "yes"], 10)
    clf = AlexNetClassifier(max_epochs=1, validation_fraction=0).fit(X, y)
    again = there_and_back(clf, tmp_path)
    assert np.array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert again.predict(X).tolist() == clf.predict(X).tolist()


def test_pipeline_with_a_cropper(blobs, tmp_path):
    X, Y, groups = blobs
    cropper = FaceCropper(size=32, align=None, memory=tmp_path / "crops")
    model = make_pipeline(cropper, DSNClassifier(max_epochs=1), memory=str(tmp_path / "steps"))
    model.fit(X, Y, dsnclassifier__groups=groups)
    again = there_and_back(model, tmp_path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again[0].get_params() == {**cropper.get_params(), "memory": None}
    assert again.memory is None


@pytest.mark.parametrize("listed", [False, True], ids=["splitter", "list of splits"])
def test_search_with_its_results(blobs, tmp_path, listed):
    X, Y, groups = blobs
    cv = SubjectKFold(2)
    cv = list(cv.split(X, Y, groups)) if listed else cv
    grid = {
        "alpha": [0.0, 0.1],
        "optimizer": [torch.optim.SGD, partial(torch.optim.AdamW, weight_decay=0.1)],
    }
    clf = DSNClassifier(max_epochs=1, validation_fraction=0)
    search = GridSearchCV(clf, grid, cv=cv, scoring=f1_frame_scorer)
    search.fit(X, Y, groups=groups)
    again = there_and_back(search, tmp_path)
    assert np.array_equal(again.predict_proba(X), search.predict_proba(X))
    assert again.score(X, Y) == search.score(X, Y)
    assert again.best_params_["alpha"] == search.best_params_["alpha"]
    left_out = ["params", "param_optimizer"]  # partial objects are equal to themselves alone
    before, after = (pd.DataFrame(s.cv_results_).drop(columns=left_out) for s in (search, again))
    pd.testing.assert_frame_equal(before, after)


def test_one_model_an_au(blobs, tmp_path):
    X, Y, _ = blobs
    model = RegionClassifier(make_pipeline(FaceCropper(size=32, align=None), SVTPTClassifier()))
    model.set_params(regions=None).fit(X, Y)
    again = there_and_back(model, tmp_path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_thresholds_and_calibration(blobs, fitted, tmp_path, method):
    X, Y, groups = blobs
    model = CalibratedAUClassifier(fitted, method=method, cv="prefit").fit(X, Y, groups=groups)
    model = TunedThresholdsClassifier(model, cv="prefit").fit(X, Y, groups=groups)
    again = there_and_back(model, tmp_path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(again.predict(X), model.predict(X))


def test_every_estimator_is_trusted():
    """A class that moves or is new must be one that files may name."""
    names = {f"{cls.__module__}.{cls.__qualname__}" for _, cls in all_estimators()}
    assert names <= set(trusted_types())


def test_quantized_network(blobs, fitted, tmp_path):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    X, _, _ = blobs
    model = Int8Classifier(FrozenEstimator(fitted), n_calibration=20, random_state=0).fit(X)
    again = there_and_back(model, tmp_path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_another_process_predicts_the_same(blobs, fitted, saved, tmp_path):
    X, _, _ = blobs
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys, numpy as np, skau, torch\n"
        "torch.set_num_threads(int(sys.argv[3]))\n"
        "p = skau.load(sys.argv[1]).predict_proba(np.load(sys.argv[2] + '/X.npy'))\n"
        "np.save(sys.argv[2] + '/p.npy', p)"
    )
    threads = str(torch.get_num_threads())
    subprocess.run([sys.executable, "-c", code, saved, tmp_path, threads], check=True)
    assert np.array_equal(np.load(tmp_path / "p.npy"), fitted.predict_proba(X))


def test_a_machine_without_the_device(blobs, fitted, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    X, _, _ = blobs
    elsewhere = pickle.loads(pickle.dumps(fitted)).set_params(device="cuda:1")
    save(elsewhere, tmp_path / "model.skau")
    with pytest.warns(UserWarning, match="CPU takes its place"):
        again = load(tmp_path / "model.skau")
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    save(make_pipeline(FaceCropper(size=32, device="cuda"), elsewhere), tmp_path / "model.skau")
    with pytest.warns(UserWarning, match="CPU takes its place") as caught:
        pipeline = load(tmp_path / "model.skau")
    assert len(caught) == 2  # of the cropper, and of the classifier
    face = load_sample_faces().images[:1]
    assert pipeline.predict_proba(face).shape == (1, 2)
    with pytest.warns(UserWarning, match="device='cuda' cannot .* CPU takes its place"):
        cropper = pickle.loads(pickle.dumps(FaceCropper(size=32, device="cuda")))
    assert np.array_equal(cropper.transform(face), FaceCropper(size=32).transform(face))
    with pytest.raises(ValueError, match="device='cuda' cannot be used here"):
        FaceCropper(size=32, device="cuda").transform(face)  # whoever asks for it now


def test_half_the_size(blobs, fitted, saved, tmp_path):
    X, _, _ = blobs
    again = there_and_back(fitted, tmp_path, half=True)
    assert (tmp_path / "model.skau").stat().st_size < 0.6 * saved.stat().st_size
    difference = np.abs(again.predict_proba(X) - fitted.predict_proba(X)).max()
    assert 0 < difference < 0.01
    assert next(again.module_.parameters()).dtype == torch.float32


def test_a_weight_that_16_bits_do_not_hold(fitted, tmp_path):
    clf = pickle.loads(pickle.dumps(fitted))
    with torch.no_grad():
        next(clf.module_.parameters()).fill_(1e5)
    with pytest.raises(ValueError, match="half=True: a weight is too large .* without half"):
        save(clf, tmp_path / "model.skau", half=True)


def test_training_goes_on_after_loading(blobs, saved):
    X, Y, groups = blobs
    clf = load(saved)
    clf.set_params(lr=1e-4).partial_fit(X, Y, groups=groups)
    assert len(clf.history_) == 2


def test_equal_models_make_equal_files(fitted, saved, tmp_path):
    save(fitted, tmp_path / "model.skau", card={"trained_on": "blobs"})
    assert (tmp_path / "model.skau").read_bytes() == saved.read_bytes()


def test_what_is_one_object_in_memory_does_not_show_in_the_file(tmp_path):
    value = 0.0123
    save(DSNClassifier(lr=value, alpha=value), tmp_path / "one.skau")
    save(DSNClassifier(lr=value, alpha=float("0.0123")), tmp_path / "two.skau")
    assert (tmp_path / "one.skau").read_bytes() == (tmp_path / "two.skau").read_bytes()


def test_the_card_comes_back(saved, fitted, tmp_path):
    _, card = load(saved, return_card=True)
    assert card["trained_on"] == "blobs"
    assert card["versions"]["skau"] == skau.__version__
    assert card["versions"]["torch"] == torch.__version__.partition("+")[0]
    for bad in ({"versions": 1}, {"x": object()}, [1]):
        with pytest.raises(ValueError, match="card must"):
            save(fitted, tmp_path / "model.skau", card=bad)


def test_unfitted_and_scikit_learn_s_own(tmp_path):
    model = make_pipeline(FaceCropper(), IdenNetClassifier(alpha=0.1))
    assert str(there_and_back(model, tmp_path)) == str(model)


def test_what_training_alone_needs_stays_at_home(blobs, fitted, tmp_path):
    from skorch.callbacks import EpochTimer

    X, Y, groups = blobs
    clf = DSNClassifier(max_epochs=1, augment=lambda x: x, callbacks=[EpochTimer()])
    clf.fit(X, Y, groups=groups)
    with pytest.warns(UserWarning, match=r"DSNClassifier.augment, DSNClassifier.callbacks"):
        save(clf, tmp_path / "model.skau")
    again = load(tmp_path / "model.skau")
    assert again.augment is again.callbacks is None
    assert np.array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert clone(fitted).augment == "flip"  # copies within a process keep all
    assert pickle.loads(pickle.dumps(DSNClassifier(augment=abs))).augment is abs


class Backbone(torch.nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :8]


def test_code_of_one_s_own_is_refused_by_name(blobs, tmp_path):
    path = tmp_path / "model.skau"
    with pytest.raises(ValueError, match=r"cannot be saved: backbone holds code"):
        save(IdenNetClassifier(backbone=Backbone), path)
    with pytest.raises(ValueError, match=r"cannot be saved: idennetclassifier__backbone holds"):
        save(make_pipeline(FaceCropper(), IdenNetClassifier(backbone=Backbone())), path)
    steps = make_pipeline(FunctionTransformer(lambda X: X), SVTPTClassifier())
    with pytest.raises(ValueError, match=r"functiontransformer__func holds code"):
        save(steps, path)
    assert not path.exists()


def test_what_load_would_refuse_is_not_written(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("skau.models._container._JSON_LIMIT", 1000)
    path = tmp_path / "model.skau"
    with pytest.raises(ValueError, match=r"load would not read .*more than it may; save a part"):
        save(fitted, path)
    assert not path.exists()


def test_distributions_of_a_random_search_are_refused(blobs, tmp_path):
    from scipy.stats import loguniform
    from sklearn.model_selection import RandomizedSearchCV

    search = RandomizedSearchCV(SVTPTClassifier(), {"C": loguniform(0.1, 1)}, cv=2)
    with pytest.raises(ValueError, match=r"param_distributions holds .* search.best_estimator_"):
        save(search, tmp_path / "model.skau")


def test_a_file_is_written_whole_or_not_at_all(fitted, saved, tmp_path, monkeypatch):
    path = tmp_path / "model.skau"
    path.write_bytes(saved.read_bytes())

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(fitted, path)
    assert path.read_bytes() == saved.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["model.skau"]


def test_a_link_stays_and_leads_to_the_new_file(fitted, saved, tmp_path):
    (tmp_path / "store").mkdir()
    link = tmp_path / "latest.skau"
    link.symlink_to(tmp_path / "store" / "first.skau")  # not there yet
    for _ in range(2):
        skau.save(fitted, link)
        assert link.is_symlink()
        assert (tmp_path / "store" / "first.skau").read_bytes() == link.read_bytes()
    skau.load(link)


@pytest.mark.parametrize("path", [3, None, b"model.skau", BytesIO()])
def test_what_is_no_path(fitted, path):
    with pytest.raises(TypeError, match="path must be a path"):
        skau.load(path)
    with pytest.raises(TypeError, match="path must be a path"):
        skau.save(fitted, path)


def test_pickle_reads_no_arrays_of_objects(fitted):
    state = fitted.__getstate__()
    assert all(w.dtype != object for w in state["_weights"].values())
    assert not any(isinstance(v, pd.DataFrame) for v in state.values())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(fitted))


@pytest.mark.parametrize("wrong", [DSNClassifier, "model", None])
def test_what_is_no_estimator_is_not_saved(wrong, tmp_path):
    with pytest.raises(TypeError, match="model must be an estimator, got"):
        save(wrong, tmp_path / "model.skau")
    assert not list(tmp_path.iterdir())
