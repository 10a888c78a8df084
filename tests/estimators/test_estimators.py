"""What both estimators promise."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping

from skau import DSNClassifier, IdenNetClassifier
from skau.metrics import f1_frame, f1_frame_scorer, roc_auc_scorer
from skau.model_selection import SubjectKFold

BOTH = pytest.mark.parametrize("Estimator", [DSNClassifier, IdenNetClassifier])


def make(Estimator, **params):
    """An estimator quick enough for a test."""
    quick = {"max_epochs": 2, "batch_size": 32, "lr": 1e-3, "random_state": 0, "device": "cpu"}
    if Estimator is IdenNetClassifier:
        quick |= {"identity_epochs": 1}
    return Estimator(**quick | params)


@BOTH
def test_learns_aus_of_subjects_never_seen(Estimator, blobs):
    X, Y, groups = blobs
    test = np.isin(groups, ["S1", "S5"])
    clf = make(Estimator, max_epochs=25, lr=2e-3, validation_fraction=0, augment=None)
    clf.fit(X[~test], Y[~test], groups=groups[~test])
    assert roc_auc_scorer(clf, X[test], Y[test]) > 0.9


@BOTH
def test_outputs(Estimator, blobs):
    X, Y, groups = blobs
    clf = make(Estimator).fit(X, Y, groups=groups)
    logits, proba = clf.decision_function(X), clf.predict_proba(X)
    np.testing.assert_allclose(proba, 1 / (1 + np.exp(-logits)))
    assert proba.shape == (64, 2)
    assert np.array_equal(clf.predict(X), (proba > 0.5).astype(int))
    assert clf.transform(X).shape == (64, len(clf.get_feature_names_out()))
    assert clf.identity_features(X).shape[0] == 64
    assert clf.au_names_.tolist() == ["AU1", "AU12"]
    assert clf.classes_.tolist() == [0, 1]
    assert clf.n_features_in_ == 32 * 32 * 3
    assert isinstance(clf.module_, torch.nn.Module)
    assert clf.score(X, Y) == pytest.approx((clf.predict(X) == Y).mean(axis=None))


@BOTH
def test_one_au_of_any_two_labels(Estimator, blobs):
    X, Y, groups = blobs
    y = np.where(Y["AU12"] == 1, "smile", "none")
    clf = make(Estimator).fit(X, y, groups=groups)
    assert clf.classes_.tolist() == ["none", "smile"]
    assert clf.predict_proba(X).shape == (64, 2)
    assert clf.decision_function(X).shape == (64,)
    assert set(clf.predict(X)) <= {"none", "smile"}
    numbers = make(Estimator).fit(X, Y["AU12"], groups=groups)
    np.testing.assert_array_equal(numbers.predict_proba(X), clf.predict_proba(X))
    assert numbers.au_names_.tolist() == ["AU12"]
    assert clf.score(X, y) == numbers.score(X, Y["AU12"])


@BOTH
def test_same_seed_same_predictions_and_torch_left_alone(Estimator, blobs):
    X, Y, groups = blobs
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = make(Estimator, random_state=3).fit(X, Y, groups=groups)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    again = make(Estimator, random_state=3).fit(X, Y, groups=groups)
    other = make(Estimator, random_state=4).fit(X, Y, groups=groups)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


@BOTH
@pytest.mark.parametrize("copy", [lambda c: pickle.loads(pickle.dumps(c)), "joblib"])
def test_pickle_and_joblib(Estimator, copy, blobs, tmp_path):
    X, Y, groups = blobs
    clf = make(Estimator).fit(X, Y, groups=groups)
    state = torch.get_rng_state()
    if copy == "joblib":
        joblib.dump(clf, tmp_path / "clf.joblib")
        loaded = joblib.load(tmp_path / "clf.joblib")
    else:
        loaded = copy(clf)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    pd.testing.assert_frame_equal(loaded.history_, clf.history_)
    loaded.partial_fit(X, Y, groups=groups)
    assert len(loaded.history_) == len(clf.history_) + 1


@BOTH
def test_no_torch_object_is_pickled(Estimator, blobs):
    X, Y, groups = blobs
    state = make(Estimator).fit(X, Y, groups=groups).__getstate__()
    weights = state["_weights"].values()
    assert all(isinstance(w, np.ndarray) for w in weights)
    assert not any(isinstance(v, (torch.Tensor, torch.nn.Module)) for v in state.values())


@BOTH
def test_the_best_epoch_of_whole_held_out_subjects_is_kept(Estimator, blobs):
    X, Y, groups = blobs
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            if dataset_valid is not None:
                parts = [set(d.group[d.rows]) for d in (net._stage.train, dataset_valid)]
                seen.append(parts)

    clf = make(
        Estimator, max_epochs=6, lr=1e-2, validation_fraction=0.3, monitor="loss",
        callbacks=[Watch()],
    ).fit(X, Y, groups=groups)  # fmt: skip
    train, valid = seen[0]
    assert not train & valid
    assert len(valid) == 3  # 0.3 of 8, rounded up
    losses = clf.history_.set_index("epoch")["valid_class_loss"]
    assert clf.best_epoch_ == losses.idxmin()


@BOTH
def test_the_epoch_may_be_chosen_by_f1(Estimator, blobs):
    X, Y, groups = blobs
    held_out = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            if dataset_valid is not None:
                held_out.append(dataset_valid.rows)

    clf = make(
        Estimator, max_epochs=6, lr=1e-2, validation_fraction=0.3, monitor="f1",
        callbacks=[Watch()],
    ).fit(X, Y, groups=groups)  # fmt: skip
    last = clf.history_["stage"].iloc[-1]
    epochs = clf.history_[clf.history_["stage"] == last].set_index("epoch")
    assert epochs.loc[clf.best_epoch_, "valid_f1"] == epochs["valid_f1"].max() > 0
    rows = held_out[0]
    f1 = np.nanmean(f1_frame(Y.iloc[rows], clf.predict(X[rows])))
    np.testing.assert_allclose(epochs["valid_f1"].max(), f1, atol=0.02)  # of other batches


@BOTH
def test_the_kept_state_is_the_best_epochs(Estimator, blobs):
    X, Y, groups = blobs
    kept = make(Estimator, max_epochs=8, lr=1e-2, validation_fraction=0.3).fit(X, Y, groups=groups)
    best = kept.best_epoch_
    stages = kept.history_["stage"].value_counts()
    epochs = best - (len(kept.history_) - stages[kept.history_["stage"].iloc[-1]])
    short = make(Estimator, max_epochs=int(epochs), lr=1e-2, validation_fraction=0.3)
    short.fit(X, Y, groups=groups)
    np.testing.assert_array_equal(kept.predict_proba(X), short.predict_proba(X))


@BOTH
def test_history_names_every_loss_term(Estimator, blobs):
    X, Y, groups = blobs
    clf = make(Estimator, validation_fraction=0.3).fit(X, Y, groups=groups)
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


@BOTH
def test_missing_labels_change_nothing_but_their_own(Estimator, blobs):
    X, Y, groups = blobs
    Y = Y.copy()
    Y.loc[::3, "AU1"] = np.nan
    clf = make(Estimator).fit(X, Y, groups=groups)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert np.isfinite(clf.history_.filter(like="class").to_numpy()[-1]).all()
    assert 0 <= clf.score(X, Y) <= 1


@BOTH
def test_grey_images_paths_and_memory_maps(Estimator, blobs, tmp_path):
    X, Y, groups = blobs
    grey = X[..., 0]
    assert make(Estimator).fit(grey, Y, groups=groups).predict(grey).shape == (64, 2)
    np.save(tmp_path / "X.npy", X)
    paths = [tmp_path / f"{i}.png" for i in range(len(X))]
    for image, path in zip(X, paths, strict=True):
        Image.fromarray(image).save(path)
    expected = make(Estimator).fit(X, Y, groups=groups).predict_proba(X)
    for lazy in (np.load(tmp_path / "X.npy", mmap_mode="r"), paths, pd.Series(map(str, paths))):
        got = make(Estimator).fit(lazy, Y, groups=groups).predict_proba(lazy)
        np.testing.assert_array_equal(got, expected)


@BOTH
def test_sample_weight(Estimator, blobs):
    X, Y, groups = blobs
    plain = make(Estimator, alpha=0.0).fit(X, Y, groups=groups)
    ones = make(Estimator, alpha=0.0).fit(X, Y, groups=groups, sample_weight=np.ones(64))
    some = make(Estimator, alpha=0.0).fit(X, Y, groups=groups, sample_weight=np.arange(64) % 2)
    np.testing.assert_array_equal(plain.predict_proba(X), ones.predict_proba(X))
    assert not np.array_equal(plain.predict_proba(X), some.predict_proba(X))
    # a row of weight zero is not learnt from, whatever its label
    lied = np.where(np.arange(64)[:, None] % 2 == 1, Y, 1 - Y)
    lying = make(Estimator, alpha=0.0).fit(
        X, pd.DataFrame(lied, columns=Y.columns), groups=groups, sample_weight=np.arange(64) % 2
    )
    np.testing.assert_array_equal(some.predict_proba(X), lying.predict_proba(X))


@BOTH
def test_fit_begins_anew_and_partial_fit_adds_an_epoch(Estimator, blobs):
    X, Y, groups = blobs
    clf = make(Estimator, validation_fraction=0).fit(X, Y, groups=groups)
    n, first = len(clf.history_), clf.predict_proba(X)
    clf.partial_fit(X, Y, groups=groups)
    assert len(clf.history_) == n + 1
    assert clf.best_epoch_ == n + 1
    assert not np.array_equal(clf.predict_proba(X), first)
    clf.fit(X, Y, groups=groups)
    assert len(clf.history_) == n
    np.testing.assert_array_equal(clf.predict_proba(X), first)


@BOTH
def test_partial_fit_from_nothing(Estimator, blobs):
    X, Y, groups = blobs
    clf = make(Estimator)
    for part in (slice(0, 32), slice(32, 64)):
        clf.partial_fit(X[part], Y[part], groups=groups[part])
    assert len(clf.history_) == 2
    nothing = np.full((32, 2), np.nan)
    clf.partial_fit(X[:32], pd.DataFrame(nothing, columns=Y.columns), groups=groups[:32])
    y = Y["AU1"].to_numpy()
    one = make(Estimator).partial_fit(X[y == 1], y[y == 1], groups[y == 1], classes=[0, 1])
    one.partial_fit(X[y == 0], y[y == 0], groups[y == 0])
    assert one.classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="same AUs"):
        clf.partial_fit(X, Y.rename(columns={"AU1": "AU2"}), groups=groups)


@BOTH
def test_early_stopping_ends_quietly_and_an_interrupt_is_passed_on(Estimator, blobs):
    X, Y, groups = blobs
    stop = EarlyStopping("train_loss", patience=1, threshold=1e9, threshold_mode="abs")
    clf = make(Estimator, max_epochs=9, callbacks=[stop])
    if Estimator is IdenNetClassifier:
        clf.set_params(identity_epochs=0)
    clf.fit(X, Y, groups=groups)
    assert len(clf.history_) < 9

    class Interrupt(torch.optim.Adam):
        steps = 0

        def step(self, closure=None):
            type(self).steps += 1
            if self.steps > 6:
                raise KeyboardInterrupt
            return super().step(closure)

    clf = make(Estimator, max_epochs=50, optimizer=Interrupt, validation_fraction=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y, groups=groups)
    assert 1 <= len(clf.history_) < 50
    assert clf.predict(X).shape == (64, 2)  # what was learnt is kept


@BOTH
def test_verbose(Estimator, blobs, capfd):
    X, Y, groups = blobs
    make(Estimator).fit(X, Y, groups=groups)
    assert capfd.readouterr() == ("", "")
    make(Estimator, verbose=1).fit(X, Y, groups=groups)
    out, err = capfd.readouterr()
    assert out == ""
    assert "train_class_loss" in err


@BOTH
def test_float32_and_bfloat16_agree(Estimator, blobs):
    X, Y, groups = blobs
    clf = make(Estimator, precision="float32", max_epochs=5).fit(X, Y, groups=groups)
    exact = clf.predict_proba(X)
    clf.net_.precision = "bfloat16"
    assert np.abs(clf.predict_proba(X) - exact).max() < 0.03
    assert make(Estimator, precision="bfloat16").fit(X, Y, groups=groups).precision_ == "bfloat16"


@BOTH
@pytest.mark.parametrize("routing", [False, True])
def test_search_over_subjects(Estimator, routing, blobs):
    X, Y, groups = blobs
    Y = Y.copy()
    Y.iloc[:8] = np.nan  # S0 is known by identity alone
    name = Estimator.__name__.lower()
    grid = {f"{name}__alpha": [0.1, 0.5]}
    scoring = {"f1": f1_frame_scorer, "auc": roc_auc_scorer}
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            make_pipeline(make(Estimator, max_epochs=1)), grid, cv=SubjectKFold(3),
            scoring=scoring, refit="auc", error_score="raise",
        )  # fmt: skip
        if routing:
            search.fit(X, Y, groups=groups)
        else:
            search.fit(X, Y, groups=groups, **{f"{name}__groups": groups})
    assert np.isfinite(search.cv_results_["mean_test_auc"]).all()
    assert search.predict_proba(X).shape == (64, 2)


def test_cross_validate_gives_the_same_with_two_workers(blobs):
    X, Y, groups = blobs
    scores = [
        cross_validate(
            make(DSNClassifier, max_epochs=1, precision="float32"), X, Y, cv=SubjectKFold(2),
            groups=groups, params={"groups": groups}, scoring=roc_auc_scorer, n_jobs=n_jobs,
        )["test_score"]
        for n_jobs in (1, 2)
    ]  # fmt: skip
    np.testing.assert_allclose(*scores, atol=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@BOTH
def test_cuda(Estimator, blobs):
    X, Y, groups = blobs
    clf = make(Estimator, device="auto").fit(X, Y, groups=groups)
    assert next(clf.module_.parameters()).is_cuda
    assert np.isfinite(clf.predict_proba(X)).all()


# -- bad input ------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y, g: (X / 255.0, Y, g), r"uint8.*\(X \* 255\)"),
        (lambda X, Y, g: (np.full(X.shape, np.nan), Y, g), "uint8"),
        (lambda X, Y, g: (np.moveaxis(X, -1, 1), Y, g), "np.moveaxis"),
        (lambda X, Y, g: (np.concatenate([X, X[..., :1]], -1), Y, g), "RGBA"),
        (lambda X, Y, g: (X[:, :20, :20], Y, g), "at least 32 x 32"),
        (lambda X, Y, g: (X[None], Y, g), "dim"),
        (lambda X, Y, g: ([X[0], X[1][:-1], *X[2:]], Y, g), "FaceCropper"),
        (lambda X, Y, g: (X[:0], Y[:0], g[:0]), "0 sample"),
        (lambda X, Y, g: (X, Y * 9, g), "row .* 'AU1' holds 9|'AU12' holds 9"),
        (lambda X, Y, g: (X, Y - 1, g), "holds -1"),
        (lambda X, Y, g: (X, Y[:-1], g), "inconsistent numbers of samples"),
        (lambda X, Y, g: (X, Y.assign(AU12=np.nan), g), "no label for AU12"),
        (lambda X, Y, g: (X, Y["AU1"] * np.nan, g), "no label"),
        (lambda X, Y, g: (X, np.arange(64) % 3, g), "Only binary"),
        (lambda X, Y, g: (X, np.zeros(64), g), "1 class"),
        (lambda X, Y, g: (X, None, g), "requires y"),
        (lambda X, Y, g: (X, Y, g[:-1]), "one subject for each of the 64 rows"),
        (lambda X, Y, g: (X, Y, np.where(g == "S3", None, g)), "no subject at row 24"),
        (lambda X, Y, g: ([f"/nowhere/{i}.png" for i in range(64)], Y, g), r"X\[0\].*nowhere"),
    ],
)
def test_bad_input_is_named(Estimator, change, message, blobs):
    X, Y, groups = change(*blobs)
    with pytest.raises((ValueError, TypeError), match=message):
        make(Estimator).fit(X, Y, groups=groups)


@BOTH
def test_bad_parameters_are_named(Estimator, blobs):
    X, Y, groups = blobs
    for bad in ({"lr": 0}, {"alpha": -1}, {"precision": "half"}, {"augment": "flop"}):
        with pytest.raises(ValueError, match=f"'{next(iter(bad))}' parameter"):
            make(Estimator, **bad).fit(X, Y, groups=groups)


@BOTH
def test_an_au_without_a_positive_is_warned_of(Estimator, blobs):
    X, Y, groups = blobs
    with pytest.warns(UserWarning, match="no positive example of AU12"):
        make(Estimator).fit(X, Y.assign(AU12=0), groups=groups)
    with pytest.warns(UserWarning, match="no negative example of AU1 "):
        make(Estimator).fit(X, Y.assign(AU1=1), groups=groups)


@BOTH
@pytest.mark.filterwarnings("ignore:groups names one person")
def test_one_subject_cannot_be_validated_on(Estimator, blobs):
    X, Y, _ = blobs
    with pytest.warns(UserWarning, match="groups names one annotated subject"):
        clf = make(Estimator).fit(X, Y, groups=np.zeros(64))
    assert clf.best_epoch_ == len(clf.history_)


@BOTH
def test_predict_refuses_what_fit_did_not_see(Estimator, blobs):
    X, Y, groups = blobs
    with pytest.raises(NotFittedError):
        make(Estimator).predict(X)
    clf = make(Estimator).fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match="RGB images of 40 x 32.*fitted on RGB images of 32 x 32"):
        clf.predict(np.zeros((2, 40, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="grey images"):
        clf.predict(X[..., 0])
    with pytest.raises(ValueError, match="np.newaxis"):
        clf.predict(X[0])


def test_parameters_set_after_the_fit_do_not_break_a_copy(blobs):
    X, Y, groups = blobs
    clf = make(DSNClassifier).fit(X, Y, groups=groups)
    expected = clf.predict_proba(X)
    clf.set_params(person_encoder=False)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    assert again.person_encoder is False


def test_training_goes_on_with_the_parameters_set_since(blobs):
    X, Y, groups = blobs
    clf = make(DSNClassifier, max_epochs=1).fit(X, Y, groups=groups)
    before = clf.predict_proba(X)
    moments = len(clf.net_.optimizer_.state)
    seen = []

    class Note(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.batch_size)

    clf.set_params(lr=1e-12, batch_size=8, callbacks=[Note()])
    clf.partial_fit(X, Y, groups=groups)
    assert clf.net_.optimizer_.param_groups[0]["lr"] == 1e-12
    assert len(clf.net_.optimizer_.state) == moments
    assert seen == [8]
    assert len(clf.history_) == 2
    np.testing.assert_allclose(clf.predict_proba(X), before, atol=1e-6)
    clf.set_params(optimizer=torch.optim.SGD).partial_fit(X, Y, groups=groups)
    assert isinstance(clf.net_.optimizer_, torch.optim.SGD)
    with pytest.raises(ValueError, match="person_encoder was set since the last fit"):
        clf.set_params(person_encoder=False).partial_fit(X, Y, groups=groups)


def test_where_nobody_held_out_shows_an_au_the_loss_chooses(blobs):
    X, Y, groups = blobs
    held_out = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            held_out.append(dataset_valid.rows)

    clf = make(DSNClassifier, max_epochs=3, random_state=0, callbacks=[Watch()])
    clf.fit(X, Y, groups=groups)
    Y = np.array(Y)
    Y[held_out[0]] = 0
    with pytest.warns(UserWarning, match="show no AU, so they have no F1"):
        clf.fit(X, Y, groups=groups)
    losses = clf.history_["valid_class_loss"]
    assert clf.best_epoch_ == losses.idxmin() + 1


def test_a_list_of_labels_with_a_missing_one(blobs):
    X, Y, groups = blobs
    y = np.where(np.asarray(Y)[:, 0] == 1, "smile", "none").tolist()
    y[0] = float("nan")
    clf = make(DSNClassifier, max_epochs=1).fit(X, y, groups=groups)
    assert clf.classes_.tolist() == ["none", "smile"]
