"""
Calibration to a person, and how many frames it takes
=====================================================

Some faces look a little like an AU at rest, and a detector that has never seen them scores them
high in every frame. Their own frames tell, without any label: ``predict_proba(X, groups=...)``
brings the scores of each person to what people usually have.
"""

import matplotlib.pyplot as plt
import numpy as np

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import AUScoreDisplay
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
# With ``groups`` and without, for eight people that the network has never seen, 20 frames of each.

alone = clf.predict_proba(crops[test])
calibrated = clf.predict_proba(crops[test], groups=subjects[test])
AUScoreDisplay.from_predictions(
    Y.iloc[test], calibrated, metric="roc_auc", name="calibrated", baseline=alone,
    baseline_name="each frame by itself",
)  # fmt: skip
plt.show()

# %%
# How many frames of a person does it take? The 20 of each are dealt out in lots of k, and
# calibrated a lot at a time, as if it were all that there is. One frame is hardly moved; a few
# are trusted a little, many more.

sizes = [1, 2, 4, 5, 10, 20]
rng = np.random.default_rng(0)
areas = []
for size in sizes:
    of_deals = []
    for _ in range(10):
        lot = np.empty(len(test), int)
        for person in np.unique(subjects[test]):
            own = np.flatnonzero(subjects[test] == person)
            lot[rng.permutation(own)] = np.arange(len(own)) // size
        groups = [f"{person}, lot {k}" for person, k in zip(subjects[test], lot, strict=True)]
        proba = clf.predict_proba(crops[test], groups=groups)
        of_deals.append(roc_auc(Y.iloc[test], proba).mean())
    areas.append(of_deals)
    print(f"{size:2d} frames: mean area under the ROC curve {np.mean(of_deals):.3f}")

plt.rc("font", size=7)
figure, axis = plt.subplots(figsize=(3.5, 2.2), layout="constrained")
mean, spread = np.mean(areas, axis=1), np.std(areas, axis=1)
axis.errorbar(sizes, mean, spread, fmt="o-", color="#0072B2", ms=4)
without = roc_auc(Y.iloc[test], alone).mean()
axis.axhline(without, ls="--", color="0.4", lw=1)
axis.text(20, without, "each frame by itself ", va="bottom", ha="right")
axis.set_xscale("log", base=2)
axis.set_xticks(sizes, sizes)
axis.set(xlabel="frames of the person", ylabel="area under ROC, mean of 12 AUs")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# It supposes that people show an AU about equally often. Who laughs in every frame is brought
# down like one whose lips just curve up, so give it frames of everyday behaviour. And it has seen
# the test people's other frames: report it as a row of its own.
