"""What both estimators promise."""

from copy import copy

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn import config_context
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier
from skau.metrics import f1_frame_scorer, roc_auc_scorer
from skau.model_selection import SubjectKFold

QUICK = {"max_epochs": 1, "batch_size": 16, "lr": 1e-3, "random_state": 0, "device": "cpu"}


def test_learns_aus_of_subjects_never_seen(make, few):
    X, Y, groups = few
    test = np.isin(groups, ["S1", "S5"])
    clf = make(max_epochs=10, lr=2e-3, validation_fraction=0, augment=None)
    clf.fit(X[~test], Y[~test], groups=groups[~test])
    assert roc_auc_scorer(clf, X[test], Y[test]) > 0.9


def test_outputs(fitted, few):
    X, Y, _ = few
    clf = fitted
    logits, proba = clf.decision_function(X), clf.predict_proba(X)
    np.testing.assert_allclose(proba, 1 / (1 + np.exp(-logits)))
    assert proba.shape == (32, 2)
    assert np.array_equal(clf.predict(X), (proba > 0.5).astype(int))
    assert clf.transform(X).shape == (32, len(clf.get_feature_names_out()))
    assert clf.identity_features(X).shape[0] == 32
    assert clf.au_names_.tolist() == ["AU1", "AU12"]
    assert clf.classes_.tolist() == [0, 1]
    assert clf.n_features_in_ == 32 * 32 * 3
    assert isinstance(clf.module_, torch.nn.Module)
    assert clf.score(X, Y) == pytest.approx((clf.predict(X) == Y).mean(axis=None))


def test_no_probability_is_lost_to_rounding(fitted):
    logits = np.array([[-700.0, -40.0], [40.0, 1000.0]])
    proba = fitted._to_proba(logits)
    np.testing.assert_allclose(proba[0], np.exp(logits[0]), rtol=1e-12)
    assert proba[1].tolist() == [1, 1]
    one = copy(fitted)
    one._single = True
    np.testing.assert_allclose(one._to_proba(np.array([40.0])), [[np.exp(-40), 1]], rtol=1e-12)


def test_one_au_of_any_two_labels(make, few):
    X, Y, groups = few
    y = np.where(Y["AU12"] == 1, "smile", "none")
    clf = make(max_epochs=1).fit(X, y, groups=groups)
    assert clf.classes_.tolist() == ["none", "smile"]
    assert clf.predict_proba(X).shape == (32, 2)
    assert clf.decision_function(X).shape == (32,)
    assert set(clf.predict(X)) <= {"none", "smile"}
    numbers = make(max_epochs=1).fit(X, Y["AU12"], groups=groups)
    np.testing.assert_array_equal(numbers.predict_proba(X), clf.predict_proba(X))
    assert numbers.au_names_.tolist() == ["AU12"]
    assert clf.score(X, y) == numbers.score(X, Y["AU12"])


def test_same_seed_same_predictions_and_torch_left_alone(make, fitted, few):
    X, Y, groups = few
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = make().fit(X, Y, groups=groups)
    assert torch.equal(torch.get_rng_state(), before)
    other = make(random_state=4).fit(X, Y, groups=groups)
    np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(fitted.predict_proba(X), other.predict_proba(X))


def test_history_names_every_loss_term(Estimator, fitted):
    clf = fitted
    own = {"reconstruction", "difference"} if Estimator is DSNClassifier else {"triplet"}
    for part in ("train", "valid"):
        names = {f"{part}_{term}_loss" for term in own | {"class"}} | {f"{part}_loss"}
        assert names <= set(clf.history_.columns)
    last = clf.history_.iloc[-1]
    if Estimator is DSNClassifier:
        total = last["train_class_loss"] + 0.01 * last["train_reconstruction_loss"]
        total += 0.05 * last["train_difference_loss"]
        assert last["train_loss"] == pytest.approx(total, rel=1e-4)
    assert "batches" not in clf.history_


def test_missing_labels_change_nothing_but_their_own(make, few):
    X, Y, groups = few
    Y = Y.copy()
    Y.loc[::3, "AU1"] = np.nan
    clf = make().fit(X, Y, groups=groups)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert np.isfinite(clf.history_.filter(like="class").to_numpy()[-1]).all()
    known = Y.notna()
    hits = (clf.predict(X) == Y).where(known)
    assert clf.score(X, Y) == pytest.approx(hits.astype(float).mean().mean())


def test_grey_images_paths_and_memory_maps(make, fitted, few, tmp_path):
    X, Y, groups = few
    grey = X[..., 0]
    assert make(max_epochs=1).fit(grey, Y, groups=groups).predict(grey).shape == (32, 2)
    np.save(tmp_path / "X.npy", X)
    paths = [tmp_path / f"{i}.png" for i in range(len(X))]
    for image, path in zip(X, paths, strict=True):
        Image.fromarray(image).save(path)
    expected = fitted.predict_proba(X)
    for lazy in (np.load(tmp_path / "X.npy", mmap_mode="r"), paths, pd.Series(map(str, paths))):
        got = make().fit(lazy, Y, groups=groups).predict_proba(lazy)
        np.testing.assert_array_equal(got, expected)


def test_sample_weight(make, few):
    X, Y, groups = few
    plain = make(alpha=0.0, max_epochs=1).fit(X, Y, groups=groups)
    ones = make(alpha=0.0, max_epochs=1).fit(X, Y, groups=groups, sample_weight=np.ones(32))
    some = make(alpha=0.0, max_epochs=1).fit(X, Y, groups=groups, sample_weight=np.arange(32) % 2)
    np.testing.assert_array_equal(plain.predict_proba(X), ones.predict_proba(X))
    assert not np.array_equal(plain.predict_proba(X), some.predict_proba(X))
    # a row of weight zero is not learnt from, whatever its label
    lied = np.where(np.arange(32)[:, None] % 2 == 1, Y, 1 - Y)
    lying = make(alpha=0.0, max_epochs=1).fit(
        X, pd.DataFrame(lied, columns=Y.columns), groups=groups, sample_weight=np.arange(32) % 2
    )
    np.testing.assert_array_equal(some.predict_proba(X), lying.predict_proba(X))


def test_verbose(make, few, capfd):
    X, Y, groups = few
    make(max_epochs=1).fit(X, Y, groups=groups)
    assert capfd.readouterr() == ("", "")
    make(max_epochs=1, verbose=1).fit(X, Y, groups=groups)
    out, err = capfd.readouterr()
    assert out == ""
    assert "train_class_loss" in err


def test_float32_and_bfloat16_agree(make, few):
    X, Y, groups = few
    clf = make(precision="float32", max_epochs=2).fit(X, Y, groups=groups)
    exact = clf.predict_proba(X)
    clf.net_.precision = "bfloat16"
    assert np.abs(clf.predict_proba(X) - exact).max() < 0.03
    assert make(precision="bfloat16").fit(X, Y, groups=groups).precision_ == "bfloat16"


@pytest.mark.parametrize("routing", [False, True])
def test_search_over_subjects(Estimator, make, routing, few):
    X, Y, groups = few
    Y = Y.copy()
    Y.iloc[:4] = np.nan  # S0 is known by identity alone
    name = Estimator.__name__.lower()
    grid = {f"{name}__alpha": [0.1, 0.5]}
    scoring = {"f1": f1_frame_scorer, "auc": roc_auc_scorer}
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            make_pipeline(make(max_epochs=1)), grid, cv=SubjectKFold(2),
            scoring=scoring, refit="auc", error_score="raise",
        )  # fmt: skip
        if routing:
            search.fit(X, Y, groups=groups)
        else:
            search.fit(X, Y, groups=groups, **{f"{name}__groups": groups})
    assert np.isfinite(search.cv_results_["mean_test_auc"]).all()
    assert search.predict_proba(X).shape == (32, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda(make, few):
    X, Y, groups = few
    clf = make(device="auto").fit(X, Y, groups=groups)
    assert next(clf.module_.parameters()).is_cuda
    assert np.isfinite(clf.predict_proba(X)).all()


def test_a_list_of_labels_with_a_missing_one(few):
    X, Y, groups = few
    y = np.where(np.asarray(Y)[:, 0] == 1, "smile", "none").tolist()
    y[0] = float("nan")
    clf = DSNClassifier(**QUICK).fit(X, y, groups=groups)
    assert clf.classes_.tolist() == ["none", "smile"]
