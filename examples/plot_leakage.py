"""
The same people on both sides
=============================

Frames of one person resemble each other. If some of them are trained on and others tested on, a
network that knows everybody by heart looks better than it is on anybody new. The same classifier
is scored twice: over folds of frames, and over folds of people.
"""

import matplotlib.pyplot as plt
from sklearn.model_selection import KFold, cross_validate

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import AUScoreDisplay
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
crops = FaceCropper(size=32).fit_transform(faces.images)

# %%
# Everything but the folds is equal. Nothing is held out inside the training parts, so that both
# train for the same epochs on as many frames.

clf = DSNClassifier(
    person_encoder=False, max_epochs=16, batch_size=16, validation_fraction=0, random_state=0
)
settings = {"scoring": roc_auc_scorer, "return_estimator": True, "return_indices": True}
frames = cross_validate(
    clf, crops, faces.target, cv=KFold(3, shuffle=True, random_state=0), **settings
)
people = cross_validate(
    clf, crops, faces.target, groups=faces.groups,
    cv=SubjectKFold(3, shuffle=True, random_state=0), **settings,
)  # fmt: skip
for name, result in (("folds of frames", frames), ("folds of people", people)):
    print(f"{name}: mean area under the ROC curve {result['test_score'].mean():.3f}")

# %%
# The distance between the two is what leaked. Only the lower one says anything about new people.

AUScoreDisplay.from_cv_results(
    people, crops, faces.target, metric="roc_auc", name="folds of people", baseline=frames,
    baseline_name="folds of frames",
)  # fmt: skip
plt.show()
