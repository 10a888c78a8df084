"""Searches and benchmarks on a cluster of two worker processes."""

import os
import pickle
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier, save
from skau.cli import main
from skau.datasets import load_sample_faces
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

distributed = pytest.importorskip("distributed", reason='needs pip install "skau[dask]"')

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*(unclosed|Unclosed).*"),
]


@pytest.fixture(scope="module")
def client():
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")  # workers inherit it
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
            memory_limit=0, silence_logs=50,  # where memory is short, a worker would wait for ever
        ) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        client.wait_for_workers(2)
        yield client
    patch.undo()


@pytest.fixture(autouse=True)
def groups_reach_the_classifier():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(autouse=True)
def one_thread():
    """As in the workers: sums over threads differ in the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def search(max_epochs=2, **params):
    return GridSearchCV(
        DSNClassifier(max_epochs=max_epochs, batch_size=16, lr=5e-3, random_state=0),
        {"beta": [0.0, 0.05, 0.5]}, cv=SubjectKFold(2), scoring=roc_auc_scorer,
        error_score="raise", **params,
    )  # fmt: skip


def test_workers_compute_with_one_thread(client):
    assert list(client.run(torch.get_num_threads).values()) == [1, 1]


@pytest.mark.slow
def test_search_gives_the_same_and_data_go_once(client, blobs):
    X, Y, groups = blobs
    local = search().fit(X, Y, groups=groups)
    with joblib.parallel_config("dask", scatter=[X, Y]):
        there = search().fit(X, Y, groups=groups)
    for name in ("mean_test_score", "split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(there.cv_results_[name], local.cv_results_[name])
    np.testing.assert_array_equal(there.predict_proba(X), local.predict_proba(X))


def test_scores_of_photos_by_path(client, blobs, tmp_path):
    X, Y, groups = blobs
    paths = [str(tmp_path / f"{i}.png") for i in range(len(X))]
    for image, path in zip(X, paths, strict=True):
        Image.fromarray(image).save(path)
    model = make_pipeline(
        FaceCropper(size=32, align=None, memory=tmp_path / "cache"),
        DSNClassifier(max_epochs=1, random_state=0),
    )
    kwargs = {"params": {"groups": groups}}
    kwargs |= {"cv": SubjectKFold(2), "scoring": roc_auc_scorer}
    local = cross_val_score(model, paths, Y, **kwargs)
    with joblib.parallel_config("dask"):
        there = cross_val_score(model, paths, Y, **kwargs)
    np.testing.assert_array_equal(there, local)


@contextmanager
def a_busy_worker_is_killed(client):
    """Kill the first worker that has work; go on when another has taken its place."""
    pids, killed, over = client.run(os.getpid), [], threading.Event()

    def wait_and_kill():
        while not killed and not over.wait(0.02):
            busy = [worker for worker, keys in client.processing().items() if keys]
            if busy:
                time.sleep(0.3)  # into the work
                os.kill(pids[busy[0]], signal.SIGKILL)
                killed.append(busy[0])

    killer = threading.Thread(target=wait_and_kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
    assert killed
    while killed[0] in client.nthreads():
        time.sleep(0.05)
    try:
        client.wait_for_workers(2, timeout=30)
    except TimeoutError:  # a worker that dies may be given up, by older versions of Dask
        client.cluster.scale(len(client.cluster.worker_spec) + 1)
        client.wait_for_workers(2, timeout=60)


@pytest.mark.slow
def test_a_killed_workers_tasks_are_done_again(client, blobs):
    X, Y, groups = blobs
    local = search(max_epochs=6).fit(X, Y, groups=groups)
    with a_busy_worker_is_killed(client), joblib.parallel_config("dask", scatter=[X, Y]):
        there = search(max_epochs=6).fit(X, Y, groups=groups)
    np.testing.assert_array_equal(
        there.cv_results_["mean_test_score"], local.cv_results_["mean_test_score"]
    )


def test_tables(client, tmp_path):
    """Memory maps of crops go to workers by name; the table is that of a local run."""
    import tables
    from _corpora import open_corpus

    faces = load_sample_faces()
    rows = np.flatnonzero(np.isin(faces.groups, np.unique(faces.groups)[:6]))[::2]
    for row in rows:
        Image.fromarray(faces.images[row]).save(tmp_path / f"{row}.png")
    labels = faces.target.iloc[rows].astype(int)
    labels.insert(0, "subject", faces.groups[rows])
    labels.insert(0, "image", [f"{row}.png" for row in rows])
    labels.to_csv(tmp_path / "labels.csv", index=False)
    results = []
    for more in ([], ["--dask", client.scheduler.address]):
        out = tmp_path / f"{len(more)}" / "results.csv"
        tables.main([
            "--work", str(tmp_path / "work"), "--train", f"lab={tmp_path}", "--out", str(out),
            "--folds", "2", "--seeds", "0", "--size", "32", "--epochs", "1", "--methods", "DSN",
            "--aus", "AU1", "AU12", *more,
        ])  # fmt: skip
        table = pd.read_csv(out).drop(columns="fit_seconds")
        results.append(table.sort_values(["fold", "au"], ignore_index=True))
    pd.testing.assert_frame_equal(*results)
    corpus = open_corpus(f"lab={tmp_path}", tmp_path / "work", 32, ("full",))
    sent = pickle.dumps(corpus)
    assert len(sent) < corpus.crops["full"].nbytes / 5
    np.testing.assert_array_equal(pickle.loads(sent).crops["full"], corpus.crops["full"])


# -- the command -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Films of a face that changes its place, and a model in a file."""
    av = pytest.importorskip("av", reason='needs pip install "skau[video]"')
    root = tmp_path_factory.mktemp("films")
    faces = load_sample_faces()
    for number in range(4):
        with av.open(str(root / f"{number}.mp4"), "w") as out:
            stream = out.add_stream("mpeg4", rate=5)
            stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
            for k in range(20):
                frame = Image.new("RGB", (192, 128), (120, 130, 140))
                frame.paste(Image.fromarray(faces.images[40 * number]), (2 * k, 0))
                out.mux(stream.encode(av.VideoFrame.from_image(frame)))
            out.mux(stream.encode())
    clf = DSNClassifier(person_encoder=False, max_epochs=1, validation_fraction=0, random_state=0)
    rows = slice(0, 24)
    cropper = FaceCropper(size=32)
    clf.fit(cropper.fit_transform(faces.images[rows]), faces.target[["AU1", "AU12"]][rows],
            groups=faces.groups[rows])  # fmt: skip
    save(make_pipeline(cropper, clf), root / "model.skau")
    return root


@pytest.mark.slow
def test_films_on_a_cluster_while_a_worker_is_killed(client, films, tmp_path):
    how = [str(films), "--model", str(films / "model.skau"), "--faces", "all"]
    main(["predict", *how, "-o", str(tmp_path / "here.csv")])
    address = client.scheduler.address
    with a_busy_worker_is_killed(client):
        main(["predict", *how, "-o", str(tmp_path / "there.csv"), "--dask", address])
    here, there = ((tmp_path / f"{name}.csv").read_bytes() for name in ("here", "there"))
    assert there == here
    assert len(pd.read_csv(tmp_path / "there.csv")) == 80


@pytest.mark.filterwarnings("ignore:no (positive|negative) example", "ignore:the .* rows held out")
def test_train_on_a_cluster(client, tmp_path):
    faces = load_sample_faces()
    rows = np.flatnonzero(np.isin(faces.groups, np.unique(faces.groups)[:4]))[::4]
    for row in rows:
        Image.fromarray(faces.images[row]).save(tmp_path / f"{row}.png")
    labels = faces.target[["AU1", "AU12"]].iloc[rows].astype(int)
    labels.insert(0, "subject", faces.groups[rows])
    labels.insert(0, "image", [f"{row}.png" for row in rows])
    labels.to_csv(tmp_path / "labels.csv", index=False)
    how = ["--folds", "2", "--epochs", "1", "--size", "32"]
    with config_context(enable_metadata_routing=False):  # as in a shell
        main(["train", str(tmp_path), "-o", str(tmp_path / "here"), *how])
        address = client.scheduler.address
        main(["train", str(tmp_path), "-o", str(tmp_path / "there"), *how, "--dask", address])
    for name in ("predictions.csv", "scores.csv"):
        here, there = (pd.read_csv(tmp_path / run / name) for run in ("here", "there"))
        pd.testing.assert_frame_equal(here, there)
