"""
Where a decision looks
======================

A square is moved over the faces. Where it covers what an AU is seen by, the logit falls. A good
model of AU1 and AU2 looks at the brows, one of AU12 at the mouth and the cheeks; one that looks at
the hair has learnt its training people by heart.
"""

import matplotlib.pyplot as plt

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import OcclusionDisplay
from skau.metrics import roc_auc
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
crops = FaceCropper(size=48).fit_transform(faces.images)
Y, subjects = faces.target, faces.groups
train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(crops, Y, subjects))

clf = DSNClassifier(max_epochs=15, batch_size=16, random_state=0)
clf.fit(crops[train], Y.iloc[train], groups=subjects[train])

# %%
# People it has never seen. Each map is of the faces that show the AU, over their mean.

OcclusionDisplay.from_estimator(clf, crops[test], Y.iloc[test])
plt.show()

# %%
# How much the maps are worth depends on how well the AU is told at all.

print(roc_auc(Y.iloc[test], clf.predict_proba(crops[test])).round(2).to_string())
