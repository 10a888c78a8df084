"""
A search on several machines
============================

scikit-learn's searches share out their fits by joblib, and Dask takes them to the workers of a
cluster. Here the cluster is two processes of this machine; on Slurm or Kubernetes only the lines
that make it differ. It needs Dask: ``pip install ".[dask]"`` in a clone.
"""

import joblib
import matplotlib.pyplot as plt
import sklearn
from dask.distributed import Client, get_task_stream
from distributed import SubprocessCluster
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import LossWeightsDisplay
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

sklearn.set_config(enable_metadata_routing=True)  # groups reach splitter and classifier
faces = load_sample_faces()
crops = FaceCropper(size=32).fit_transform(faces.images)

# Few epochs and candidates, for the sake of time.
search = GridSearchCV(
    DSNClassifier(max_epochs=4, batch_size=8, validation_fraction=0, random_state=0),
    {"alpha": [0.01, 1], "beta": [0.05, 5]},
    cv=SubjectKFold(2),
    scoring=roc_auc_scorer,
    refit=False,
)

# %%
# Nothing in the search changes but the lines around it. ``scatter`` sends crops and labels to each
# worker once, and one thread a worker makes every fit repeatable.

cluster = SubprocessCluster(n_workers=2, worker_kwargs={"nthreads": 1}, silence_logs=50)
client = Client(cluster)
client.wait_for_workers(2)
with (
    get_task_stream(client) as stream,
    joblib.parallel_config("dask", scatter=[crops, faces.target]),
):
    search.fit(crops, faces.target, groups=faces.groups)
print(f"{len(stream.data)} tasks of {len(search.cv_results_['params'])} candidates in two folds")
client.close()
cluster.close()

LossWeightsDisplay.from_estimator(search)
plt.show()

# %%
# Who fitted what when. A worker that is lost is replaced, and its fits are done again by others.

plt.rc("font", size=7)
figure, axis = plt.subplots(figsize=(3.5, 1.3), layout="constrained")
workers = sorted({task["worker"] for task in stream.data})
start = min(part["start"] for task in stream.data for part in task["startstops"])
for task in stream.data:
    for part in task["startstops"]:
        if part["action"] == "compute":
            axis.barh(
                workers.index(task["worker"]), part["stop"] - part["start"],
                left=part["start"] - start, height=0.6, color="#56B4E9", edgecolor="black", lw=0.6,
            )  # fmt: skip
axis.set(yticks=range(len(workers)), yticklabels=[f"worker {i + 1}" for i in range(len(workers))])
axis.set_xlim(0)
axis.set_xlabel("seconds")
axis.spines[["top", "right"]].set_visible(False)
plt.show()
