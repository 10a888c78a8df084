"""
Finding and cutting faces
=========================

:class:`skau.preprocessing.FaceCropper` finds the face (dotted), its landmarks (crosses), and cuts
a square (orange) that comes out below. A look at a few photos is the quickest check of a new
corpus.
"""

import matplotlib.pyplot as plt
from PIL import Image

from skau.datasets import load_sample_faces
from skau.inspection import AlignmentDisplay
from skau.preprocessing import FaceCropper

photos = [Image.fromarray(face) for face in load_sample_faces().images[[3, 66, 127, 330]]]
photos[1] = photos[1].rotate(15, resample=Image.Resampling.BICUBIC, fillcolor=(90, 90, 90))

# %%
# By the eyes: they come level, and eyes and mouth lie at the same height in every crop, also of
# the head that leans to one side.

AlignmentDisplay.from_estimator(FaceCropper(size=96), photos)
plt.show()

# %%
# By the box: upright squares, as many detectors cut them. The second face still leans.

AlignmentDisplay.from_estimator(FaceCropper(size=96, align="box"), photos)
plt.show()

# %%
# Only the upper part of the face, stretched to the square, for AUs of the brows.

AlignmentDisplay.from_estimator(FaceCropper(size=96, region="upper"), photos)
plt.show()
