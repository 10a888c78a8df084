"""The same search on one and on two worker processes of a Dask cluster on this machine.

    python benchmarks/scaling.py [--workers 1 2]

Each worker computes with one thread. The ratio is between the searches of this run.
"""

import argparse
import time
from pathlib import Path

import joblib
import sklearn
import torch
from _record import Record
from distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.metrics import roc_auc_scorer
from skau.model_selection import SubjectKFold

HERE = Path(__file__).parent


def main() -> None:
    """Run the searches and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "scaling.txt")
    options = parser.parse_args()
    sklearn.set_config(enable_metadata_routing=True)  # groups reach the classifier too
    faces = load_sample_faces()
    X, Y, groups = faces.images[::4, ::2, ::2].copy(), faces.target[::4], faces.groups[::4]
    record = Record(options.out)
    record.say(f"{len(X)} faces of 64 px, DSN, {options.epochs} epochs, 4 candidates x 3 folds")
    torch.set_num_threads(1)  # as the workers: joblib gives the work of one to this process
    times = []
    for workers in options.workers:
        search = GridSearchCV(
            DSNClassifier(max_epochs=options.epochs, batch_size=16, random_state=0),
            {"alpha": [0.01, 0.1], "beta": [0.005, 0.05]},
            cv=SubjectKFold(3), scoring=roc_auc_scorer, refit=False, error_score="raise",
        )  # fmt: skip
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            client.run(DSNClassifier)  # torch is imported before the clock runs
            start = time.perf_counter()
            with joblib.parallel_config("dask", scatter=[X]):
                search.fit(X, Y, groups=groups)
            times.append(time.perf_counter() - start)
        record.say(
            f"  {workers} workers: {times[-1]:6.1f} s, {times[0] / times[-1]:.2f}x, best "
            f"{search.cv_results_['mean_test_score'].max():.6f}"
        )
    record.write()


if __name__ == "__main__":
    main()
