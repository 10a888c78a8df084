"""The whole road: photos, crops, a search over subjects."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.metrics import f1_frame_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper


@pytest.fixture(scope="module")
def faces():
    faces = load_sample_faces()
    rows = np.flatnonzero(np.isin(faces.groups, np.unique(faces.groups)[:6]))
    rows = np.concatenate(
        [rows[faces.groups[rows] == s][:4] for s in np.unique(faces.groups[rows])]
    )
    return faces.images[rows], faces.target.iloc[rows][["AU1", "AU6", "AU12"]], faces.groups[rows]


@pytest.mark.filterwarnings("ignore:no (positive|negative) example")
@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_pipeline_in_grid_search(routing, n_jobs, faces):
    X, Y, groups = faces
    search = GridSearchCV(
        make_pipeline(FaceCropper(size=32), DSNClassifier(max_epochs=1, random_state=0)),
        {"dsnclassifier__alpha": [0.01, 0.1], "dsnclassifier__beta": [0.05]},
        cv=SubjectKFold(3), scoring=f1_frame_scorer, n_jobs=n_jobs, error_score="raise",
    )  # fmt: skip
    with config_context(enable_metadata_routing=routing):
        if routing:
            search.fit(X, Y, groups=groups)
        else:
            search.fit(X, Y, groups=groups, dsnclassifier__groups=groups)
    assert search.cv_results_["mean_test_score"].shape == (2,)
    assert search.predict_proba(X[:2]).shape == (2, 3)


def test_import_is_light():
    """Nothing heavy is imported before it is used."""
    import subprocess
    import sys

    code = (
        "import skau, sys; print([m for m in ('torch', 'sklearn', 'skorch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
