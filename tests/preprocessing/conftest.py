import numpy as np
import pytest
from PIL import Image

from skau.datasets import load_sample_faces


@pytest.fixture(scope="session")
def photos():
    """Eight rendered faces, two of each of four people."""
    sample = load_sample_faces()
    subjects = list(dict.fromkeys(sample.groups))[:4]
    rows = [row for s in subjects for row in np.flatnonzero(sample.groups == s)[:2]]
    return np.asarray(sample.images[rows])


@pytest.fixture(scope="session")
def photo_paths(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"{i}.png" for i in range(len(photos))]
    for path, photo in zip(paths, photos, strict=True):
        Image.fromarray(photo).save(path)
    return paths
