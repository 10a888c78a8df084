"""
A film of two people
====================

:func:`skau.predict_video` follows every face of a film and says, frame by frame, how likely each
AU shows. The time line puts the strongest moments beside the curves, so that a look is enough to
see what a peak was.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import av
import matplotlib.pyplot as plt
import numpy as np

import skau
from skau.datasets import make_au_faces
from skau.inspection import TimelineDisplay

# %%
# Two rendered people take the place of a recorded conversation: eight displays of each, which
# fade into one another, side by side, written to a file. With a film of your own, begin below.

AUS = ["AU1", "AU4", "AU9", "AU12", "AU25", "AU43"]
faces = make_au_faces(2, 8, aus=AUS, variation=0, image_size=192, random_state=21)
share = np.tile(np.clip(np.linspace(-0.6, 1, 16), 0, 1), 8)[:, None]  # of the next display
now = np.repeat(np.arange(8), 16)
after = (now + 1) % 8


def faded(values):
    """Eight displays become 128 frames."""
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    return (1 - weight) * values[now] + weight * values[after]


left, right = (faded(faces.images[8 * i : 8 * i + 8].astype(float)) for i in (0, 1))
truth = [faded(faces.intensity.to_numpy()[8 * i : 8 * i + 8]) for i in (0, 1)]
folder = TemporaryDirectory()
film = str(Path(folder.name) / "conversation.mp4")
with av.open(film, "w") as file:
    stream = file.add_stream("mpeg4", rate=16, width=384, height=192, bit_rate=4_000_000)
    for image in np.concatenate([left, right], axis=2).astype(np.uint8):
        file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
    file.mux(stream.encode())

# %%
# One call: a row a face and frame, with the time, who it is, where the head looks, and a column
# an AU. ``out="film.csv"`` would keep the table, and let a call that was killed go on.

model = skau.load_model("open-1")
table = skau.predict_video(model, film, faces="all", verbose=0)
print(table[["frame", "time", "person", "yaw", *AUS]].iloc[[0, 1, 100, 101]].round(2).to_string())
print(table.groupby("person")[AUS].mean().round(2).to_string())

# %%
# The time line of one person. The pictures are cut out of the film; each bears the number of its
# peak.

person = table.sort_values("box_x1")["person"].iloc[0]  # who sits on the left
display = TimelineDisplay.from_predictions(table, person=person, video=film, aus=AUS)
plt.show()

# %%
# What was rendered is known, so the curves can be held against it (dashed, an intensity and no
# probability). The model has never seen these two people, nor any photograph.

plt.rc("font", size=7)
own = display.table  # a row a frame
figure, axes = plt.subplots(3, 1, figsize=(3.5, 2.8), sharex=True, layout="constrained")
for axis, au in zip(axes, ["AU1", "AU4", "AU12"], strict=True):
    axis.plot(own["time"], own[au], color="#0072B2", label="probability")
    axis.plot(
        own["time"], truth[0][own["frame"], AUS.index(au)], "--", color="black", lw=1,
        label="intensity rendered",
    )  # fmt: skip
    axis.set(ylabel=au, ylim=(0, 1.05))
    axis.spines[["top", "right"]].set_visible(False)
axes[-1].set_xlabel("time (s)")
lines, names = axes[0].get_legend_handles_labels()
figure.legend(lines, names, loc="outside upper center", ncols=2, frameon=False)
plt.show()
folder.cleanup()
