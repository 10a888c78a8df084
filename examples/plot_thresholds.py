"""
A threshold for each AU
=======================

Present AUs are rare, so a network that is right about its probabilities seldom says "present" at
one half. :class:`skau.model_selection.TunedThresholdsClassifier` chooses the threshold of each AU
on people held out from the training part.
"""

import matplotlib.pyplot as plt
import pandas as pd

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import AUCalibrationDisplay, AUScoreDisplay
from skau.model_selection import SubjectKFold, TunedThresholdsClassifier
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
crops = FaceCropper(size=48).fit_transform(faces.images)
Y, subjects = faces.target, faces.groups
train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(crops, Y, subjects))

# %%
# The classifier is fitted once for each of three folds of the training people, and once on all
# of them. The test people have no say.

clf = DSNClassifier(max_epochs=12, batch_size=16, validation_fraction=0, random_state=0)
tuned = TunedThresholdsClassifier(clf, cv=3)
tuned.fit(crops[train], Y.iloc[train], groups=subjects[train])
print(pd.Series(tuned.thresholds_, Y.columns, name="threshold").round(2).to_string())

# %%
# F1 on people that neither the network nor the thresholds have seen.

AUScoreDisplay.from_estimator(
    tuned, crops[test], Y.iloc[test], name="tuned", baseline=tuned.estimator_,
    baseline_name="one half",
)  # fmt: skip
plt.show()

# %%
# The probabilities themselves are as they were. How far they can be trusted is another question:

AUCalibrationDisplay.from_estimator(tuned, crops[test], Y.iloc[test])
plt.show()
