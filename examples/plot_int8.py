"""
Eight bits for many frames
==========================

:class:`skau.Int8Classifier` predicts in 8-bit integers what another classifier has learnt, for
machines with a CPU and many hours of film. It needs OpenVINO: in a clone,
``pip install ".[openvino]"``.
"""

import time

import matplotlib.pyplot as plt
from sklearn.frozen import FrozenEstimator

from skau import DSNClassifier, Int8Classifier
from skau.datasets import load_sample_faces
from skau.metrics import f1_frame
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

faces = load_sample_faces()
crops = FaceCropper(size=64).fit_transform(faces.images)
Y, subjects = faces.target, faces.groups
train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(crops, Y, subjects))

exact = DSNClassifier(max_epochs=6, batch_size=16, precision="float32", random_state=0)
exact.fit(crops[train], Y.iloc[train], groups=subjects[train])

# %%
# The fitted classifier is frozen, so that ``fit`` only quantizes it: 300 training images, without
# labels, tell the range of every layer.

quick = Int8Classifier(FrozenEstimator(exact), random_state=0).fit(crops[train])

# %%
# Is it as good? On people that neither has seen:

p, q = exact.predict_proba(crops[test]), quick.predict_proba(crops[test])
equal = ((p > 0.5) == (q > 0.5)).mean()
for bits, proba in ((32, p), (8, q)):
    print(f"{bits} bits: mean F1 {f1_frame(Y.iloc[test], proba > 0.5).mean():.3f}")
print(f"{equal:.1%} of the decisions are equal")

# %%
# And faster? A small network and a busy machine say little: ``benchmarks/speed.py`` times IdenNet
# at 128 pixels, where 8 bits are 5.9 times as fast as plain PyTorch in float32,
# and 2.3 times as fast as skau's own bfloat16.


def rate(clf):
    """Images a second, the best of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        clf.predict_proba(crops)
        times.append(time.perf_counter() - start)
    return len(crops) / min(times)


rates = {"32-bit": rate(exact), "8-bit": rate(quick)}

plt.rc("font", size=7)
figure, (left, right) = plt.subplots(1, 2, figsize=(3.5, 1.9), layout="constrained")
left.plot(p.ravel(), q.ravel(), ".", ms=2, color="#0072B2")
left.axline((0, 0), slope=1, color="0.5", lw=0.6)
left.set(xlabel="probability in 32 bits", ylabel="in 8 bits", aspect="equal")
left.set(xlim=(0, 1), ylim=(0, 1))
bars = right.bar(list(rates), list(rates.values()), color=["0.6", "#0072B2"], width=0.6)
right.bar_label(bars, fmt="%.0f")
right.set_ylabel("images a second")
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)
plt.show()
