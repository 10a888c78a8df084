"""
A model for each Action Unit, on its part of the face
=====================================================

The paper of DSN (2021) asks whether one network should tell all AUs from the whole face, or one
each from the part in which it shows. :class:`skau.RegionClassifier` makes the latter of any
classifier behind a :class:`~skau.preprocessing.FaceCropper`: a copy for each AU, which sees the
upper or the lower half, as FACS describes it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.pipeline import make_pipeline

from skau import DSNClassifier, RegionClassifier
from skau.datasets import load_sample_faces
from skau.inspection import AlignmentDisplay, AUScoreDisplay
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
Y, subjects = faces.target[["AU1", "AU4", "AU12", "AU17"]], faces.groups

# %%
# Faces are looked for once: the landmark table of ``detect`` stands for the photos, and each model
# cuts its own part by it. A table needs files.

folder = TemporaryDirectory()
paths = [Path(folder.name) / f"{row:03}.png" for row in range(len(faces.images))]
for path, face in zip(paths, faces.images, strict=True):
    Image.fromarray(face).save(path)
landmarks = FaceCropper().detect(paths)

# %%
# What the models of AU1 and AU4 see of three people:

AlignmentDisplay.from_estimator(FaceCropper(size=48, region="upper"), paths[3:103:40])
plt.show()

# %%
# ... and those of AU12 and AU17:

AlignmentDisplay.from_estimator(FaceCropper(size=48, region="lower"), paths[3:103:40])
plt.show()

# %%
# Both are fitted to the same people, for the same epochs.

train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(Y, Y, subjects))
dsn = DSNClassifier(
    person_encoder=False, max_epochs=8, batch_size=16, validation_fraction=0, random_state=0
)
pipeline = make_pipeline(FaceCropper(size=32), dsn)
known, people = landmarks.iloc[train], subjects[train]
one = pipeline.fit(known, Y.iloc[train], dsnclassifier__groups=people)
each = RegionClassifier(pipeline).fit(known, Y.iloc[train], groups=people)
print(each.regions_)

# %%
# The area under the ROC curve on people that neither has seen. Four networks cost four times as
# much as one; on eight people a tenth more or less is chance, so look at a corpus of your own.

AUScoreDisplay.from_estimator(
    each, landmarks.iloc[test], Y.iloc[test], metric="roc_auc", name="a model for each AU",
    baseline=one, baseline_name="one for all, whole face",
)  # fmt: skip
plt.show()
