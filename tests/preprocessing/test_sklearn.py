"""FaceCropper as a scikit-learn step."""


import numpy as np
import pytest
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skau.preprocessing import FaceCropper


def _flat(images):
    return images.reshape(len(images), -1) / 255.0


def _pipeline(**kwargs):
    return make_pipeline(
        FaceCropper(size=16, **kwargs), FunctionTransformer(_flat), PCA(2), LogisticRegression()
    )


@pytest.mark.parametrize("routing", [False, True])
def test_first_step_of_a_search_over_paths(photo_paths, routing):
    n = len(photo_paths)
    y, groups = np.arange(n) % 2, np.arange(n) // 2
    search = GridSearchCV(
        _pipeline(),
        {"logisticregression__C": [0.1, 1], "facecropper__align": ["eyes", "box"]},
        cv=GroupKFold(2),
        n_jobs=2,
    )
    with sklearn.config_context(enable_metadata_routing=routing):
        search.fit(photo_paths, y, groups=groups)
    assert search.predict(photo_paths).shape == (n,)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
