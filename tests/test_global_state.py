"""What belongs to the whole process - generators, threads, filters - is left as it was; results
do not depend on where the work is done: in processes, threads, a cluster or a forked child."""

import json
import logging
import os
import pickle
import random
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import deepcopy
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback

from skau import DSNClassifier, IdenNetClassifier, Int8Classifier
from skau.baselines import ATFClassifier, SVTPTClassifier
from skau.datasets import load_sample_faces
from skau.preprocessing import FaceCropper
from skau.preprocessing._mtcnn._networks import load_networks


def test_images_in_threads_train_as_alone(blobs):
    """With dropout, flips and mining, of which all draw."""
    X, Y, groups = blobs
    make = {
        0: lambda: DSNClassifier(max_epochs=1, augment="flip", random_state=0),
        1: lambda: IdenNetClassifier(identity_epochs=1, max_epochs=1, random_state=0),
    }

    def proba(i):
        return make[i % 2]().fit(X[:32], Y[:32], groups=groups[:32]).predict_proba(X[:8])

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a new thread may have another number
    try:
        with ThreadPoolExecutor(3, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            there = list(pool.map(proba, range(4)))
        here = [proba(0), proba(1)]
    finally:
        torch.set_num_threads(threads)
    for i, result in enumerate(there):
        np.testing.assert_allclose(result, here[i % 2], rtol=1e-4, atol=1e-6)


def _state():
    """All that a process has one of."""
    backends = torch.backends
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002 - the user's own
        "python": random.getstate(),
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "device": str(torch.get_default_device()),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "cudnn": (backends.cudnn.enabled, backends.cudnn.benchmark, backends.cudnn.deterministic),
        "mkldnn": backends.mkldnn.enabled,
        "filters": list(warnings.filters),
        "levels": {name: logging.getLogger(name).level for name in ("nncf", "torch", "", "skau")},
        "numpy errors": np.geterr(),
    }


class _Raise(Callback):
    def __init__(self, error):
        self.error = error

    def on_batch_end(self, net, training=False, **kwargs):
        raise self.error


@pytest.fixture(scope="module")
def dsn(blobs):
    X, Y, groups = blobs
    return DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)


def _fit(**params):
    return lambda dsn, X, Y, g: DSNClassifier(max_epochs=1, **params).fit(X, Y, groups=g)


CALLS = {
    "fit": _fit(random_state=0, augment="flip"),
    "fit of IdenNet": lambda dsn, X, Y, g: IdenNetClassifier(
        identity_epochs=1, max_epochs=1, random_state=0
    ).fit(X, Y, groups=g),
    "fit, an error": _fit(random_state=0, callbacks=[_Raise(RuntimeError())]),
    "fit, an interruption": _fit(random_state=0, callbacks=[_Raise(KeyboardInterrupt())]),
    "fit, a bad input": lambda dsn, X, Y, g: DSNClassifier().fit(X / 255, Y),
    "predict": lambda dsn, X, Y, g: dsn.predict(X),
    "predict, a bad input": lambda dsn, X, Y, g: dsn.predict(X[:, :20]),
    "SVTPT": lambda dsn, X, Y, g: SVTPTClassifier().fit(X, Y, groups=g).predict(X),
    "quantize": lambda dsn, X, Y, g: Int8Classifier(
        FrozenEstimator(dsn), n_calibration=4, random_state=0
    ).fit(X).predict(X),
    "crop": lambda dsn, X, Y, g: FaceCropper(size=32, on_missing="warn").transform(X[:3]),
    "crop, an error": lambda dsn, X, Y, g: FaceCropper(size=32).transform(["/nowhere.png"]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:no face")
@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_all_share_is_left_as_it_was(call, autocast, dsn, blobs):
    X, Y, groups = blobs
    if call is CALLS["quantize"]:
        pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002 - the user's own
    random.seed(7)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        before = _state()
        with suppress(RuntimeError, ValueError, OSError, KeyboardInterrupt):
            call(dsn, X[:32], Y[:32], groups[:32])
        after = _state()
    assert [name for name in before if before[name] != after[name]] == []


@contextmanager
def _default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


MODES = {
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "another device": lambda: torch.device("meta"),
    "float64": lambda: _default_dtype(torch.float64),
    "bfloat16": lambda: _default_dtype(torch.bfloat16),
}


def _results(X, Y, groups):
    load_networks.cache_clear()
    clf = IdenNetClassifier(identity_epochs=1, max_epochs=1, batch_size=32, random_state=0)
    clf.fit(X, Y, groups=groups)
    again = pickle.loads(pickle.dumps(clf))
    # its attention is made at each prediction
    enhancing = ATFClassifier(
        max_epochs=1, batch_size=16, validation_fraction=0, random_state=0
    ).fit(X[:16], Y[:16], groups=groups[:16])
    probabilities = [model.predict_proba(X) for model in (clf, again, enhancing)]
    face = load_sample_faces().images[0]
    return clf, again, [*probabilities, FaceCropper(size=32).transform([face])]


@pytest.fixture(scope="module")
def few(blobs):
    return tuple(part[:32] for part in blobs)


@pytest.fixture(scope="module")
def in_no_mode(few):
    return _results(*few)[2]


@pytest.mark.filterwarnings("ignore:no face")
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_results_do_not_depend_on_the_mode_of_the_caller(mode, few, in_no_mode):
    X, Y, groups = few
    with mode():
        clf, again, there = _results(X, Y, groups)
    for ours, others in zip(there, in_no_mode, strict=True):
        np.testing.assert_array_equal(ours, others)
    # what was made there goes on learning here
    for model in (clf, again):
        model.partial_fit(X, Y, groups=groups)
    load_networks.cache_clear()


def test_a_cropper_that_is_stopped_leaves_all_as_it_was(blobs, monkeypatch):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skau.preprocessing._worker.warp", stop)
    before = _state()
    with pytest.raises(KeyboardInterrupt):
        FaceCropper(size=32, align=None).transform(blobs[0])
    assert _state() == before


def test_quantizing_in_threads_leaves_filters_and_levels(dsn, blobs, capfd):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    before = _state()

    def quantize(_):
        Int8Classifier(FrozenEstimator(dsn), n_calibration=4, random_state=0).fit(blobs[0])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(quantize, range(2)))
    assert _state() == before
    assert capfd.readouterr() == ("", "")  # no bars


def test_bars_of_the_quantizer_on_demand(dsn, blobs, capfd):
    pytest.importorskip("nncf", reason='needs pip install "skau[openvino]"')
    talking = deepcopy(dsn).set_params(verbose=1)
    Int8Classifier(FrozenEstimator(talking), n_calibration=4, random_state=0).fit(blobs[0])
    assert "collection" in capfd.readouterr().out


# -- forked children ------------------------------------------------------------------------

# One process imports everything and computes nothing. Each parent is forked of it, which is as
# good as a process of its own and saves the imports; its child is forked of the parent.
_FORK = """
import json, multiprocessing, pickle, sys, traceback
import numpy as np, torch
from skau import DSNClassifier
from skau.preprocessing import FaceCropper
context = multiprocessing.get_context("fork")
path, forks = sys.argv[1], json.loads(sys.argv[2])

def answer(expression, names, queue):
    queue.put(eval(expression, names))

def play(parent, child):
    torch.set_num_threads(2)
    rng = np.random.RandomState(0)
    names = {**globals(), "X": rng.randint(0, 255, (32, 32, 32, 3)).astype(np.uint8)}
    names["Y"] = rng.randint(0, 2, (32, 2))
    exec(parent, names)
    queue = context.Queue()
    process = context.Process(target=answer, args=(child, names, queue), daemon=True)
    process.start()  # it ends with its parent
    there = queue.get(timeout=60)
    process.join()
    np.testing.assert_allclose(there, eval(child, names), rtol=1e-3, atol=1e-5)

def told(parent, child):
    try:
        play(parent, child)
        return "equal"
    except BaseException:
        return traceback.format_exc()

said = {}
for name, (parent, child) in forks.items():
    answers = context.Queue()
    process = context.Process(target=lambda: answers.put(told(parent, child)))
    process.start()
    said[name] = answers.get(timeout=100)
    process.join()
print(json.dumps(said))
"""
_TRAIN = "clf = DSNClassifier(max_epochs=1, precision='float32', random_state=0).fit(X, Y)"
_CROP = "FaceCropper(size=32, n_jobs=2, on_missing='warn')"
FORKS = {
    "trained": (_TRAIN, "clf.predict_proba(X)"),
    "loaded": (
        "clf = pickle.load(open(path, 'rb')); a = torch.ones(999, 999); a @ a",
        "clf.predict_proba(X)",
    ),
    "loaded, has predicted": (
        "clf = pickle.load(open(path, 'rb')); clf.predict_proba(X)", "clf.predict_proba(X)",
    ),
    "computed for something else": (
        "torch.nn.Conv2d(3, 16, 3)(torch.ones(8, 3, 128, 128)).sum().backward()",
        _TRAIN.partition(" = ")[2] + ".predict_proba(X)",
    ),
    "trains": (_TRAIN, _TRAIN.partition(" = ")[2] + ".predict_proba(X)"),
    "quantized, has predicted": (
        "from skau import Int8Classifier; from sklearn.frozen import FrozenEstimator; "
        "clf = FrozenEstimator(pickle.load(open(path, 'rb'))); "
        "clf = Int8Classifier(clf, n_calibration=4, random_state=0).fit(X); clf.predict_proba(X)",
        "clf.predict_proba(X)",
    ),
    "cropped": (f"crops = {_CROP}.transform(X)", f"{_CROP}.transform(X).astype(float)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def pickled(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.pickle"
    rng = np.random.RandomState(1)
    X, Y = rng.randint(0, 255, (16, 32, 32, 3)).astype(np.uint8), rng.randint(0, 2, (16, 2))
    clf = DSNClassifier(max_epochs=1, precision="float32", random_state=0, validation_fraction=0)
    path.write_bytes(pickle.dumps(clf.fit(X, Y)))
    return path


@pytest.fixture(scope="module")
def answers(pickled):
    """What each forked child says, as told by its parent: "equal", or an error."""
    forks = {
        name: fork for name, fork in FORKS.items() if "Int8" not in fork[0] or find_spec("nncf")
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORK, pickled, json.dumps(forks)],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},  # no child may use its parent's GPU
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("name", FORKS)
def test_a_forked_child_answers(name, answers):
    if name.startswith("quantized") and name not in answers:
        pytest.skip('needs pip install "skau[openvino]"')
    assert answers[name] == "equal", answers[name]
