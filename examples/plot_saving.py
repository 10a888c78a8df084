"""
A model in a file
=================

:func:`skau.save` writes a whole pipeline, cropper and thresholds included, into a file that holds
numbers and no code: who opens it runs nothing of the sender's. A pickle may run anything.
"""

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

import skau
from skau.datasets import load_sample_faces
from skau.metrics import roc_auc
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
Y, subjects = faces.target, faces.groups
train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(Y, Y, subjects))
test = test[::3]
photos = faces.images[test]
model = make_pipeline(
    FaceCropper(size=48), skau.DSNClassifier(max_epochs=8, batch_size=16, random_state=0)
)
model.fit(faces.images[train], Y.iloc[train], dsnclassifier__groups=subjects[train])

# %%
# The card says what a user of the model has to know. ``half=True`` stores weights in 16 bits.

before = model.predict_proba(photos)
folder = TemporaryDirectory()
whole, half = (Path(folder.name) / name for name in ("model.skau", "half.skau"))
card = {
    "trained_on": "16 rendered people, 20 pictures of each",
    "licence": "CC0",
    "area under ROC, 8 people never seen": round(roc_auc(Y.iloc[test], before).mean(), 3),
}
skau.save(model, whole, card=card)
skau.save(model, half, card=card, half=True)

# %%
# Loading needs nothing but the file. What it says of itself comes with it: the card, and the
# versions of what it was made with.

again, its_card = skau.load(whole, return_card=True)
for key, value in its_card.items():
    print(f"{key}: {value}")

# %%
# A file that was cut or changed on its way is refused, before anything in it is made.

damaged = bytearray(whole.read_bytes())
damaged[len(damaged) // 2] ^= 1
(Path(folder.name) / "damaged.skau").write_bytes(damaged)
try:
    skau.load(Path(folder.name) / "damaged.skau")
except ValueError as error:
    print(f"{type(error).__name__}: {error}")

# %%
# Sizes, and how far the probabilities of people never seen move. The whole file predicts what the
# model did, to the bit; 16 bits change no decision here.

names = ["pickle", "skau", "skau, half"]
loaded = [pickle.loads(pickle.dumps(model)), again, skau.load(half)]
sizes = [len(pickle.dumps(model)), whole.stat().st_size, half.stat().st_size]
moved = [np.abs(one.predict_proba(photos) - before).max() for one in loaded]
for name, size, change in zip(names, sizes, moved, strict=True):
    print(f"{name}: {size / 1e6:.2f} MB, probabilities move by {change:.1e} at most")

plt.rc("font", size=7)
figure, (left, right) = plt.subplots(1, 2, figsize=(3.5, 1.9), layout="constrained")
left.barh(names, np.array(sizes) / 1e6, color=["0.6", "#0072B2", "#56B4E9"])
left.set_xlabel("megabytes")
left.invert_yaxis()
after = loaded[2].predict_proba(photos)
right.plot(before.ravel(), after.ravel(), ".", ms=2, color="#0072B2")
right.axline((0, 0), slope=1, color="0.5", lw=0.6)
right.set(xlabel="probability", ylabel="from the half file", aspect="equal")
right.set(xlim=(0, 1), ylim=(0, 1))
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)
plt.show()
folder.cleanup()
