"""
Learning curves of every loss term
==================================

``history_`` has one row an epoch with every term of the loss, of training and of validation.
The dotted line marks the epoch whose state was kept.
"""

import matplotlib.pyplot as plt

from skau import DSNClassifier, IdenNetClassifier
from skau.datasets import load_sample_faces
from skau.inspection import TrainingHistoryDisplay
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
crops = FaceCropper(size=32).fit_transform(faces.images)

# %%
# The class loss on people held out rises long before the F1 of their decisions is at its best.
# That is why ``monitor="f1"`` is the default, and not the lowest loss.

dsn = DSNClassifier(max_epochs=16, batch_size=16, random_state=0)
dsn.fit(crops, faces.target, groups=faces.groups)
TrainingHistoryDisplay.from_estimator(dsn)
plt.show()

# %%
# IdenNet learns in two stages: identities alone (grey), then identities and AUs.

idennet = IdenNetClassifier(identity_epochs=3, max_epochs=5, batch_size=32, random_state=0)
idennet.fit(crops, faces.target, groups=faces.groups)
TrainingHistoryDisplay.from_estimator(idennet)
plt.show()
