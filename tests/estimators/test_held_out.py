"""Who is held out for validation, and what epoch they choose."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skau import DSNClassifier
from skau.estimators._hold_out import hold_out
from skau.metrics import f1_frame, f1_frame_scorer
from skau.model_selection import SubjectKFold
from skau.training._data import AUDataset

QUICK = {"max_epochs": 1, "batch_size": 16, "lr": 1e-3, "random_state": 0, "device": "cpu"}


def test_the_best_epoch_of_whole_held_out_subjects_is_kept(make, few):
    X, Y, groups = few
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            if dataset_valid is not None:
                parts = [set(d.group[d.rows]) for d in (net._stage.train, dataset_valid)]
                seen.append(parts)

    clf = make(max_epochs=4, lr=1e-2, validation_fraction=0.3, monitor="loss",
        callbacks=[Watch()],
    ).fit(X, Y, groups=groups)  # fmt: skip
    train, valid = seen[0]
    assert not train & valid
    assert len(valid) == 3  # 0.3 of 8, rounded up
    losses = clf.history_.set_index("epoch")["valid_class_loss"]
    assert clf.best_epoch_ == losses.idxmin()


def test_the_epoch_may_be_chosen_by_f1(make, few):
    X, Y, groups = few
    held_out = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            if dataset_valid is not None:
                held_out.append(dataset_valid.rows)

    clf = make(max_epochs=4, lr=1e-2, validation_fraction=0.3, monitor="f1",
        callbacks=[Watch()],
    ).fit(X, Y, groups=groups)  # fmt: skip
    last = clf.history_["stage"].iloc[-1]
    epochs = clf.history_[clf.history_["stage"] == last].set_index("epoch")
    assert epochs.loc[clf.best_epoch_, "valid_f1"] == epochs["valid_f1"].max() > 0
    rows = held_out[0]
    f1 = np.nanmean(f1_frame(Y.iloc[rows], clf.predict(X[rows])))
    np.testing.assert_allclose(epochs["valid_f1"].max(), f1, atol=0.02)  # of other batches


def test_the_kept_state_is_the_best_epochs(make, few):
    X, Y, groups = few
    kept = make(max_epochs=5, lr=1e-2, validation_fraction=0.3).fit(X, Y, groups=groups)
    best = kept.best_epoch_
    stages = kept.history_["stage"].value_counts()
    epochs = best - (len(kept.history_) - stages[kept.history_["stage"].iloc[-1]])
    short = make(max_epochs=int(epochs), lr=1e-2, validation_fraction=0.3)
    short.fit(X, Y, groups=groups)
    np.testing.assert_array_equal(kept.predict_proba(X), short.predict_proba(X))


@pytest.mark.filterwarnings("ignore:groups names one person")
def test_one_subject_cannot_be_validated_on(make, few):
    X, Y, _ = few
    with pytest.warns(UserWarning, match="groups names one annotated subject"):
        clf = make().fit(X, Y, groups=np.zeros(32))
    assert clf.best_epoch_ == len(clf.history_)


def test_where_nobody_held_out_shows_an_au_the_loss_chooses(few):
    X, Y, groups = few
    held_out = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            held_out.append(dataset_valid.rows)

    clf = DSNClassifier(**QUICK | {"max_epochs": 3}, callbacks=[Watch()])
    clf.fit(X, Y, groups=groups)
    Y = np.array(Y)
    Y[held_out[0]] = 0
    with pytest.warns(UserWarning, match="show no AU, so they have no F1"):
        clf.fit(X, Y, groups=groups)
    losses = clf.history_["valid_class_loss"]
    assert clf.best_epoch_ == losses.idxmin() + 1


def test_rows_held_out_without_groups_are_warned_of_once_at_the_users_line(make, few):
    X, Y, groups = few
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(max_epochs=1).fit(X, Y)
    own = [w for w in caught if "rows are held out for validation" in str(w.message)]
    assert len(own) == 1
    assert own[0].filename == __file__
    for mend in ("<step>__groups=", "enable_metadata_routing=True", "validation_fraction=0"):
        assert mend in str(own[0].message)
    make(max_epochs=1).fit(X, Y, groups=groups)  # says nothing: a warning would be an error here


def test_a_search_that_keeps_groups_to_its_splitter_is_warned_of(few):
    X, Y, groups = few
    seen = []

    class Watch(Callback):
        def on_train_begin(self, net, **kwargs):
            train, valid = net._stage.train, net._stage.valid
            seen.append(set(groups[train.rows]) & set(groups[valid.rows]))

    search = GridSearchCV(
        DSNClassifier(**QUICK, callbacks=[Watch()]), {"alpha": [0.01]}, cv=SubjectKFold(2),
        scoring=f1_frame_scorer,
    )  # fmt: skip
    told = "rows are held out for validation, whoever they show"
    with pytest.warns(UserWarning, match=told) as caught:
        search.fit(X, Y, groups=groups)
    assert len(caught) == 3  # of two folds, and of all rows in the end
    assert len({str(warning.message) for warning in caught}) == 1
    with config_context(enable_metadata_routing=True):
        search.fit(X, Y, groups=groups)
    assert [len(both) > 0 for both in seen] == [True] * 3 + [False] * 3


def test_aus_of_people_who_are_all_held_out_are_told_of(few):
    X, Y, groups = few
    held_out = []

    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            held_out.append(dataset_valid.rows)

    clf = DSNClassifier(**QUICK, callbacks=[Watch()])
    clf.fit(X, Y, groups=groups)
    rows = np.isin(np.arange(len(Y)), held_out[0])
    lost = Y.copy()
    lost.loc[~rows, "AU12"] = np.nan
    told = "no label of AU12 is left .* predicted as NaN: all are in rows held out .* random_state"
    with pytest.warns(UserWarning, match=told):
        clf.fit(X, lost, groups=groups)
    np.testing.assert_array_equal(np.isnan(clf.predict_proba(X)), [[False, True]] * len(X))
    for value, word in ((1, "positive"), (0, "negative")):
        one = Y.copy()
        one.loc[~rows, "AU12"] = 1 - value
        with pytest.warns(UserWarning, match=f"no {word} example of AU12 is left to train on"):
            clf.fit(X, one, groups=groups)
        assert np.isfinite(clf.predict_proba(X)).all()
    clf.set_params(validation_fraction=0, callbacks=None).fit(X, lost, groups=groups)
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("fraction", "n", "n_held_out"), [(0.07, 100, 7), (0.28, 25, 7), (0.3, 8, 3)]
)
def test_a_share_of_people_is_rounded_up_where_it_is_no_whole_number(fraction, n, n_held_out):
    data = AUDataset(np.zeros((n, 1)), np.ones((n, 1)), np.ones(n), np.arange(n))
    _, valid = hold_out(data, fraction, np.random.RandomState(0), by_subject=True)
    assert len(valid) == n_held_out
