"""
A face is a person and an expression
====================================

:class:`skau.DSNClassifier` codes a face twice, and its decoder rebuilds the face from the sum of
the person code and the expression code (the paper of 2021, Figure 1). The decoder can be asked
what either code holds by itself, and what the expression of one looks like with the person of
another.
"""

import matplotlib.pyplot as plt
import numpy as np

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import PersonExpressionDisplay
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

# %%
# The pictures matter here, and so does the reconstruction loss: ``alpha`` is a hundred times its
# default.

faces = load_sample_faces()
crops = FaceCropper(size=48).fit_transform(faces.images)
Y, subjects = faces.target, faces.groups
train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(crops, Y, subjects))

clf = DSNClassifier(alpha=1.0, max_epochs=25, batch_size=16, validation_fraction=0, random_state=0)
clf.fit(crops[train], Y.iloc[train], groups=subjects[train])

# %%
# Four people that the network has never seen, each with another expression. On the right, every
# row keeps its expression and takes the person of the column.
#
# Look at the second and third column: no loss says which code the appearance of a face belongs
# to, and here the expression code holds nearly all of it, the person code nearly nothing. So the
# swaps look like the row, and not like the column, but for the brightness, which ``reconstruct``
# takes from the person.

people = [np.flatnonzero(subjects[test] == name) for name in np.unique(subjects[test])[:4]]
rows = [test[own[3 + 4 * i]] for i, own in enumerate(people)]
PersonExpressionDisplay.from_estimator(clf, crops[rows])
plt.show()
