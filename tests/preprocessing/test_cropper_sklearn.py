"""FaceCropper as a scikit-learn step."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skau.preprocessing import FaceCropper


def _flat(images):
    return images.reshape(len(images), -1) / 255.0


def _pipeline(memory=None, **kwargs):
    cropper = FaceCropper(size=16, **kwargs)
    steps = cropper, FunctionTransformer(_flat), PCA(2), LogisticRegression()
    return make_pipeline(*steps, memory=memory)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("table", [False, True])
def test_first_step_of_a_search(photo_paths, routing, table):
    y, groups = np.arange(8) % 2, np.arange(8) // 2
    X = FaceCropper().detect(photo_paths, groups=groups) if table else photo_paths
    search = GridSearchCV(
        _pipeline(),
        {"facecropper__align": ["eyes", "box"]},
        cv=GroupKFold(2),
        error_score="raise",
    )
    with sklearn.config_context(enable_metadata_routing=routing):
        search.fit(X, y, groups=groups)
    assert search.predict(X).shape == (8,)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_groups_reach_the_cropper(photo_paths):
    groups = np.arange(8) // 2
    expected = FaceCropper(size=16, landmarks_per_subject=1).transform(photo_paths, groups)
    one_each = FaceCropper(size=16).transform(photo_paths)
    assert (expected != one_each).any()
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline(FaceCropper(size=16, landmarks_per_subject=1), "passthrough")
        np.testing.assert_array_equal(
            pipe.fit_transform(photo_paths, None, groups=groups), expected
        )
        np.testing.assert_array_equal(pipe.transform(photo_paths, groups=groups), expected)
    pipe = make_pipeline(FaceCropper(size=16, landmarks_per_subject=1), "passthrough")
    np.testing.assert_array_equal(
        pipe.fit_transform(photo_paths, facecropper__groups=groups), expected
    )


def test_clone_pickle_and_parameters(photos):
    cropper = FaceCropper(size=24, align="box", margin=0.1).fit(photos)
    assert clone(cropper).get_params() == cropper.get_params()
    expected = cropper.transform(photos)
    again = pickle.loads(pickle.dumps(cropper))
    np.testing.assert_array_equal(again.transform(photos), expected)
    assert len(pickle.dumps(cropper)) < 2000  # no network inside


def test_caching(photo_paths, tmp_path):
    fresh, used = FaceCropper(size=16), FaceCropper(size=16)
    used.fit(photo_paths)
    before = joblib.hash(used)
    used.detect(photo_paths[:1])
    assert joblib.hash(clone(used)) == joblib.hash(fresh)
    assert before == joblib.hash(fresh)
    y = np.arange(8) % 2
    memory = joblib.Memory(tmp_path, verbose=0)
    plain = _pipeline().fit(photo_paths, y).predict_proba(photo_paths)
    for _ in range(2):  # computed, then from the cache
        cached = _pipeline(memory).fit(photo_paths, y)
        np.testing.assert_allclose(cached.predict_proba(photo_paths), plain)


def test_a_column_of_paths_in_a_data_frame(photo_paths):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"path": list(map(str, photo_paths)), "age": np.arange(8)})
    columns = make_column_transformer(
        (make_pipeline(FaceCropper(size=16), FunctionTransformer(_flat)), "path"),
        ("passthrough", ["age"]),
    )
    assert columns.fit_transform(frame).shape == (8, 16 * 16 * 3 + 1)


def test_tags():
    tags = get_tags(FaceCropper())
    assert not tags.requires_fit
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_threads_do_not_change_the_crops(photos, n_jobs):
    import torch

    before = torch.get_num_threads()
    many = np.concatenate([photos, photos, photos])
    crops = FaceCropper(size=16, n_jobs=n_jobs).transform(many)
    np.testing.assert_array_equal(crops[:8], crops[16:])
    np.testing.assert_array_equal(crops[:8], FaceCropper(size=16).transform(photos))
    assert torch.get_num_threads() == before


def test_progress(photos, capsys):
    FaceCropper(size=16).transform(photos[:2])
    assert capsys.readouterr().err == ""
    FaceCropper(size=16, verbose=1).transform(photos[:2])
    assert "2/2" in capsys.readouterr().err
