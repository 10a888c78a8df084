"""Callbacks, links, the HTML diagram and table output, as scikit-learn has them."""

import inspect
import pickle
from email.message import Message
from importlib import import_module
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback
from torchvision.transforms import v2

import skau
from skau import (
    DSNClassifier,
    IdenNetClassifier,
    Int8Classifier,
    RegionClassifier,
    load,
    save,
)
from skau.baselines import AlexNetClassifier, LightCNNClassifier, SVTPTClassifier
from skau.metrics import f1_frame_scorer
from skau.model_selection import (
    CalibratedAUClassifier,
    SubjectKFold,
    TunedThresholdsClassifier,
)
from skau.preprocessing import FaceCropper
from skau.utils import _pages, all_estimators, predict_table


class Recorder:
    """A callback of scikit-learn that notes what it is told, and may stop the fit."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.told = []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.told.append(f"end {context.task_name}")
        return self.told.count("end epoch") == self.stop_after


class Told(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.epochs = getattr(self, "epochs", 0) + 1


def make(**params):
    return DSNClassifier(
        **{"max_epochs": 2, "batch_size": 16, "validation_fraction": 0, "random_state": 0} | params
    )


def test_callbacks_of_both_kinds_are_told_of_each_epoch(few):
    X, Y, _ = few
    recorder, told = Recorder(), Told()
    clf = make(callbacks=[told]).set_callbacks(recorder)
    clf.fit(X, Y)
    epoch = ["begin epoch", "end epoch"]
    assert recorder.told == ["setup", "begin fit", *epoch, *epoch, "end fit", "teardown"]
    assert told.epochs == 2
    # and what was learnt is the same as without
    plain = make().fit(X, Y)
    np.testing.assert_array_equal(plain.predict_proba(X), clf.predict_proba(X))


def test_a_callback_may_stop_the_training(few):
    X, Y, _ = few
    clf = make(max_epochs=5).set_callbacks(Recorder(stop_after=2)).fit(X, Y)
    assert len(clf.history_) == 2


def test_two_stages_are_one_fit(few):
    X, Y, groups = few
    recorder = Recorder()
    IdenNetClassifier(
        max_epochs=1, identity_epochs=1, batch_size=16, random_state=0
    ).set_callbacks(recorder).fit(X, Y, groups=groups)
    assert recorder.told.count("end epoch") == 2


def test_scoring_monitor_sees_the_weights_of_each_epoch(few):
    X, Y, _ = few
    monitor = ScoringMonitor(scoring={"f1": f1_frame_scorer})
    clf = make(max_epochs=3).set_callbacks(monitor).fit(X, Y)
    scores = monitor.get_logs().data_as_pandas["f1"]
    assert len(scores) == 4  # of the fit, and of each epoch
    assert scores.iloc[0] == f1_frame_scorer(clf, X, Y)
    # to score in between disturbs nothing
    alone = make(max_epochs=3).fit(X, Y)
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))


def test_a_search_passes_its_callbacks_on(few):
    X, Y, groups = few
    recorder = Recorder()
    search = GridSearchCV(
        make_pipeline(make(max_epochs=1)), {"dsnclassifier__alpha": [0.0, 0.1]},
        cv=SubjectKFold(2), scoring=f1_frame_scorer, refit=False,
    ).set_callbacks(recorder)  # fmt: skip
    search.fit(X, Y, groups=groups)
    assert recorder.told.count("end epoch") == 4


def fitted_by_callbacks(Estimator):
    """Small, on images of two AUs; what wraps an estimator wraps a DSN."""
    if Estimator is RegionClassifier:
        return RegionClassifier(make_pipeline(make(max_epochs=1)), regions=None), 2 * 1
    if Estimator in (Int8Classifier, TunedThresholdsClassifier, CalibratedAUClassifier):
        return Estimator(make(max_epochs=1)), 1
    if Estimator is SVTPTClassifier:
        return SVTPTClassifier(), 0
    clf = Estimator(max_epochs=1, batch_size=16, validation_fraction=0, random_state=0)
    if "identity_epochs" in clf.get_params():
        clf.set_params(identity_epochs=0)
    return clf, 1


@pytest.mark.parametrize(
    "Estimator", [cls for name, cls in all_estimators("classifier")], ids=lambda cls: cls.__name__
)
@pytest.mark.filterwarnings("ignore:groups is not given")
def test_every_classifier_takes_a_progress_bar_and_a_scoring_monitor(Estimator, few, capsys):
    if Estimator is Int8Classifier:
        pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    pytest.importorskip("rich", reason="scikit-learn's ProgressBar needs rich")
    X, Y, groups = few
    if Estimator is AlexNetClassifier:  # of images it has 57 million weights
        X = X.reshape(len(X), -1)[:, ::64] / 255
    clf, epochs = fitted_by_callbacks(Estimator)
    recorder, monitor = Recorder(), ScoringMonitor(scoring={"f1": f1_frame_scorer})
    clf.set_callbacks(recorder, monitor, ProgressBar())
    clf.fit(X, Y, groups=groups)
    assert recorder.told.count("setup") == recorder.told.count("teardown") == 1
    assert recorder.told.count("end epoch") == epochs
    assert recorder.told[1] == "begin fit"
    assert recorder.told[-2:] == ["end fit", "teardown"]
    log = monitor.get_logs().data_as_pandas
    # the row of the whole fit: what it scored is the classifier that it left
    assert log.loc[log["task_name"] == "fit", "f1"].iloc[0] == f1_frame_scorer(clf, X, Y)
    assert Estimator.__name__ in capsys.readouterr().out
    # callbacks are nothing of the model's: it predicts the same without, and pickles with them
    assert pickle.loads(pickle.dumps(clf)).predict(X).shape == Y.shape


def test_a_model_file_holds_no_callback(few, tmp_path):
    X, Y, groups = few
    clf = RegionClassifier(make(max_epochs=1), regions=None).set_callbacks(Recorder())
    clf.fit(X, Y, groups=groups)
    with pytest.warns(UserWarning, match="_skl_callbacks hold code"):
        save(clf, tmp_path / "regions.skau")
    np.testing.assert_array_equal(load(tmp_path / "regions.skau").predict(X), clf.predict(X))


def test_features_and_probabilities_as_tables(few):
    X, Y, groups = few
    clf = make(max_epochs=1).fit(X, Y, groups=groups)
    table = clone(clf).set_output(transform="pandas").fit(X, Y).transform(X)
    assert isinstance(table, pd.DataFrame)
    assert table.columns[0] == "dsnclassifier0"
    proba = predict_table(make_pipeline(clf), X)
    assert proba.columns.tolist() == ["AU1", "AU12"]
    np.testing.assert_array_equal(proba, clf.predict_proba(X))
    by_person = predict_table(clf, X, groups=groups)
    np.testing.assert_array_equal(by_person, clf.predict_proba(X, groups=groups))


def test_table_of_one_au_named_by_its_index(few):
    rng = np.random.RandomState(0)
    X = pd.DataFrame(rng.randn(20, 3), columns=list("abc"), index=[f"row {i}" for i in range(20)])
    y = pd.Series(X["a"] > 0, name="AU4").astype(int)
    clf = make(max_epochs=1).fit(X, y)
    table = predict_table(clf, X)
    assert table.shape == (20, 1)
    assert table.index.equals(X.index)
    np.testing.assert_array_equal(table.iloc[:, 0], clf.predict_proba(X)[:, 1])


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(_pages, "_address", lambda: "https://pages.example/skau/")


def test_the_diagram_links_to_our_pages(address):
    links = {
        DSNClassifier(): "https://pages.example/skau/api/skau.DSNClassifier.html",
        LightCNNClassifier(): "https://pages.example/skau/api/skau.baselines.LightCNNClassifier.html",
        FaceCropper(): "https://pages.example/skau/api/skau.preprocessing.FaceCropper.html",
    }
    for estimator, link in links.items():
        assert estimator._get_doc_link() == link
        assert link in estimator._repr_html_()


def test_the_diagram_links_to_the_pages_built_in_a_clone(monkeypatch, tmp_path):
    clone = tmp_path / "my clone"
    monkeypatch.setattr(_pages, "__file__", str(clone / "skau" / "utils" / "_pages.py"))
    monkeypatch.setattr(_pages, "metadata", lambda name: Message())  # without an address
    monkeypatch.setattr(_pages, "_address", _pages._address.__wrapped__)  # that keeps nothing
    assert DSNClassifier()._get_doc_link() == ""
    page = clone / "docs" / "_build" / "api" / "skau.DSNClassifier.html"
    page.parent.mkdir(parents=True)
    page.write_text("the page")
    link = DSNClassifier()._get_doc_link()
    assert link in DSNClassifier()._repr_html_()
    with urlopen(link) as opened:
        assert opened.read() == b"the page"


def test_every_page_is_named_by_where_users_import_from():
    linked = [cls for _, cls in all_estimators() if issubclass(cls, _pages.PagesMixin)]
    assert len(linked) > 5
    for cls in linked:
        page = cls.__new__(cls)._doc_link_url_param_generator()["page"]
        room, _, name = page.rpartition(".")
        assert getattr(import_module(room), name) is cls
        assert (room == "skau") == (cls.__name__ in skau.__all__)


def test_without_an_address_there_is_no_link(monkeypatch):
    monkeypatch.setattr(_pages, "_address", lambda: "")
    assert DSNClassifier()._get_doc_link() == ""
    assert 'href=""' not in DSNClassifier()._repr_html_()


def test_a_transform_of_torchvision_is_a_parameter_like_any_other(few):
    """Its ``get_params`` is not that of an estimator."""
    X, Y, groups = few
    clf = make(augment=v2.RandomRotation(30), max_epochs=1).set_params(lr=2e-3)
    clf.set_output(transform="pandas")
    with config_context(enable_metadata_routing=True):
        clf.set_fit_request(sample_weight=True)
    again = clone(clf)
    assert again.augment is not clf.augment
    assert again.augment.degrees == clf.augment.degrees
    assert again.get_params() == clf.get_params() | {"augment": again.augment}
    assert again.get_metadata_routing().fit.requests["sample_weight"] is True
    assert isinstance(again.fit(X[:16], Y[:16]).transform(X[:2]), pd.DataFrame)
    assert "RandomRotation" in again._repr_html_()
    search = GridSearchCV(
        make_pipeline(clf), {"dsnclassifier__alpha": [0.1]}, cv=SubjectKFold(2), refit=False,
        scoring=f1_frame_scorer, error_score="raise",
    ).fit(X, Y, groups=groups)  # fmt: skip
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


MANY = inspect.signature(DSNClassifier).parameters


class Wider(DSNClassifier):
    """A user's own, as scikit-learn's developer guide has it.

    {kept}
    """

    def __init__(self, *, factor=2.0, max_epochs=1, person_encoder=True):
        super().__init__(max_epochs=max_epochs, person_encoder=person_encoder)
        self.factor = factor


class Widest(Wider):
    pass


class Declared(DSNClassifier):
    factor: float = 2.0
    max_epochs: int = 1
    bias_: np.ndarray  # set by fit, so no parameter


@pytest.mark.parametrize("Estimator", [Wider, Widest, Declared])
def test_a_subclass_of_ones_own(Estimator, few):
    X, Y, groups = few
    names = list(inspect.signature(Estimator).parameters)
    assert names[0] == "factor"
    assert len(names) == (3 if issubclass(Estimator, Wider) else 1 + len(MANY))
    clf = pickle.loads(pickle.dumps(clone(Estimator(factor=3.0)).fit(X, Y, groups=groups)))
    assert (clf.factor, len(clf.history_)) == (3, 1)
    assert clf.predict(X).shape == Y.shape
    with pytest.raises(ValueError, match="'max_epochs' parameter of"):
        Estimator(max_epochs=0).fit(X, Y, groups=groups)
    assert "\n    {kept}\n" in Wider.__doc__


def test_the_diagram_shows_what_was_fitted(few):
    X, Y, _ = few
    html = make(max_epochs=1).fit(X, Y)._repr_html_()
    assert "au_names_" in html
    assert "best_epoch_" in html


def test_all_estimators():
    classifiers = dict(all_estimators("classifier"))
    assert {"DSNClassifier", "LightCNNClassifier", "SVTPTClassifier"} <= set(classifiers)
    assert "FaceCropper" not in classifiers
    assert "FaceCropper" in dict(all_estimators("transformer"))
    assert set(classifiers) < set(dict(all_estimators()))
    with pytest.raises(ValueError, match="type_filter must be None or one of"):
        all_estimators("regressor")
