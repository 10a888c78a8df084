import gc
import os
from contextlib import contextmanager
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # two processes with a thread each, before torch starts
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import pytest

UNENDED = "ignore::pytest.PytestUnraisableExceptionWarning"
"""Old versions of NumPy leave an archive that could not be ended, which complains as it goes."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real and rendered faces that lies beside the project."""
    beside = Path(__file__).resolve().parents[1].parent / "shared"
    folder = Path(os.environ.get("SKAU_SHARED", beside))
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; set SKAU_SHARED to the folder that holds london/")
    return folder


@pytest.fixture(scope="session")
def blobs():
    """Tiny images of 8 subjects: a bar in the middle says who, two patches say which AU."""
    rng = np.random.RandomState(0)
    n, subjects = 64, 8
    groups = np.repeat([f"S{i}" for i in range(subjects)], n // subjects)
    Y = rng.randint(0, 2, (n, 2)).astype(float)
    X = rng.randint(0, 40, (n, 32, 32, 3))
    for i, own in enumerate(X.reshape(subjects, -1, 32, 32, 3)):
        own[:, 13:19, 4 * i : 4 * i + 4] += 140
    X[:, 4:12, 4:28] += (Y[:, 0] * 110).astype(int)[:, None, None, None]
    X[:, 20:28, 4:28] += (Y[:, 1] * 110).astype(int)[:, None, None, None]
    return X.clip(0, 255).astype(np.uint8), pd.DataFrame(Y, columns=["AU1", "AU12"]), groups


@pytest.fixture(scope="session")
def little_space():
    """``with little_space(n)``: no file grows beyond n bytes, as if the disk were full then."""
    resource = pytest.importorskip("resource", reason="Windows limits no files")

    @contextmanager
    def limited(n):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            gc.collect()

    return limited


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(3600))
        if "little_space" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings(UNENDED))
