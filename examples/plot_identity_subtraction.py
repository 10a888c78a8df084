"""
What identity subtraction takes out
===================================

:class:`skau.IdenNetClassifier` learns who is who from triplets of faces and subtracts what it
learnt from the features that tell the AUs. The figure is that of the paper (FG 2019): features of
people it has never seen, before and after the subtraction, coloured by the person and by an AU.
"""

import matplotlib.pyplot as plt

from skau import IdenNetClassifier
from skau.datasets import load_sample_faces
from skau.inspection import FeatureSpaceDisplay
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

# %%
# Eight of 24 rendered people are put away; the network is trained on the others.

faces = load_sample_faces()
crops = FaceCropper(size=48).fit_transform(faces.images)
Y, subjects = faces.target, faces.groups
train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(crops, Y, subjects))

clf = IdenNetClassifier(identity_epochs=3, max_epochs=4, batch_size=32, random_state=0)
clf.fit(crops[train], Y.iloc[train], groups=subjects[train])

# %%
# Were the identity gone, the people would mix in the upper right picture and the identity
# leakage in its title would fall to 0. It stays near 1: what is subtracted does not take the
# person out. A probe in all dimensions says so, where a map of two could deceive.

FeatureSpaceDisplay.from_estimator(clf, crops[test], Y.iloc[test], subjects[test])
plt.show()

# %%
# PCA shows the two directions in which the features differ most. Distances mean something here.

FeatureSpaceDisplay.from_estimator(
    clf, crops[test], Y.iloc[test], subjects[test], method="pca", au="AU12"
)
plt.show()
