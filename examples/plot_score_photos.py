"""
Action Units of your photos
===========================

The open model ships with skau: no corpus, no training, no download. Photos in, a table and a
picture out::

    python examples/plot_score_photos.py             # six of the bundled rendered faces
    python examples/plot_score_photos.py *.jpg       # your own, with a face in each
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image

import skau
from skau.datasets import load_sample_faces

# %%
# Photos are paths, arrays or PIL images, of any size. Without arguments, bundled faces are
# written to files, as if they came from a camera.

folder = TemporaryDirectory()
photos = sys.argv[1:]
if not photos:
    faces = load_sample_faces()
    for row in range(3, 480, 80):
        photos.append(str(Path(folder.name) / f"photo{row}.jpg"))
        Image.fromarray(faces.images[row]).save(photos[-1], quality=95)

# %%
# Two lines: the first loads the pipeline (a cropper and a classifier), the second finds the faces
# and scores them.

model = skau.load_model("open-1")
probabilities = model.predict_proba(photos)

# %%
# Each AU has a threshold of its own, stored in the model; `predict` applies it.

classifier = model[-1]
shown = model.predict(photos).astype(bool)
names = [Path(photo).name for photo in photos]
table = pd.DataFrame(probabilities, names, classifier.au_names_)
print("Probabilities")
print(table.round(2).to_string())
print("\nShown, by the stored thresholds")
for name, row in zip(names, shown, strict=True):
    print(f"{name}: {', '.join(classifier.au_names_[row]) or 'none'}")

# %%
# What the model saw, and what it says.

crops = model[:-1].transform(photos)
columns = min(len(photos), 6)
rows = -(-len(photos) // columns)
figure, axes = plt.subplots(rows, columns, figsize=(2 * columns, 2.6 * rows), squeeze=False)
for axis in axes.flat:
    axis.axis("off")
for axis, crop, row in zip(axes.flat, crops, shown, strict=False):
    axis.imshow(crop)
    units = [name.removeprefix("AU") for name in classifier.au_names_[row]]
    axis.set_title("AU " + " ".join(units) if units else "no AU", fontsize=9, wrap=True)
figure.tight_layout()
if plt.get_backend().lower() == "agg":  # there is no screen
    figure.savefig("scores.png", dpi=150)
    print("\nThe picture: scores.png")
else:
    plt.show()
folder.cleanup()
