"""
AU detection on people never seen in training
==============================================

Faces are cropped, the loss weights ``alpha`` and ``beta`` of :class:`skau.DSNClassifier` are
searched with whole subjects held out, and the best model meets people it has never seen, next
to the single-encoder baseline::

    python examples/plot_unseen_people.py  # the bundled rendered faces
    python examples/plot_unseen_people.py --data DIR  # a CSV there has image, subject, AU1, ...
    python examples/plot_unseen_people.py --data DIR --au AU12=smiling  # ... or other columns
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier
from skau.datasets import load_faces, load_sample_faces
from skau.inspection import AUScoreDisplay, LossWeightsDisplay
from skau.metrics import au_report, roc_auc_scorer
from skau.model_selection import SubjectKFold
from skau.preprocessing import FaceCropper

parser = argparse.ArgumentParser(description="Per-AU F1 on people never seen in training.")
parser.add_argument("--data", help="folder of images with one CSV file (default: sample faces)")
parser.add_argument(
    "--au", nargs="*", metavar="AU=COLUMN", help="columns of the CSV (default: AU1, AU2, ...)"
)
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--size", type=int, default=32, help="side of the crops in pixels")
args = parser.parse_args()

# %%
# Faces with AU labels (1, 0, NaN where not annotated) and the subject of each.

if args.data:
    aus = dict(pair.split("=") for pair in args.au) if args.au else None
    faces = load_faces(args.data, aus=aus)
else:
    faces = load_sample_faces()
Y, subjects = faces.target, np.asarray(faces.groups)
print(f"{len(Y)} images of {len(np.unique(subjects))} subjects, {Y.shape[1]} AUs")

# %%
# Detection depends on no label, so the crops are made once and not once per candidate. They are
# small here for the sake of time; 64 pixels and more show more of a face.

crops = FaceCropper(size=args.size, verbose=1).fit_transform(faces.images)

# %%
# One fold of subjects is put away; nothing below sees it before the last step. With metadata
# routing ``groups`` reaches the classifiers inside the search too, which hold subjects out to
# choose their epoch. Few folds and epochs, again for the sake of time: the weights hardly differ.

sklearn.set_config(enable_metadata_routing=True)

train, test = next(SubjectKFold(3, shuffle=True, random_state=0).split(crops, Y, subjects))

search = GridSearchCV(
    DSNClassifier(max_epochs=args.epochs, batch_size=8, random_state=0),
    {"alpha": [0.01, 0.1], "beta": [0.005, 0.05]},
    cv=SubjectKFold(2),
    scoring=roc_auc_scorer,
    verbose=2,
)
search.fit(crops[train], Y.iloc[train], groups=subjects[train])
print("best:", search.best_params_, f"validation ROC AUC {search.best_score_:.3f}")

single = DSNClassifier(
    alpha=search.best_params_["alpha"], person_encoder=False, max_epochs=args.epochs,
    batch_size=8, random_state=0,
)  # fmt: skip
single.fit(crops[train], Y.iloc[train], groups=subjects[train])

# %%
# Frame-based F1 of each AU on the held-out subjects.

reports = {
    "DSN": au_report(Y.iloc[test], search.predict_proba(crops[test])),
    "single encoder": au_report(Y.iloc[test], single.predict_proba(crops[test])),
}
table = pd.DataFrame({"base rate": reports["DSN"]["base_rate"]})
for name, report in reports.items():
    table[f"{name} F1"], table[f"{name} AUC"] = report["f1"], report["roc_auc"]
print(f"\n{len(test)} images of {len(np.unique(subjects[test]))} held-out subjects")
print(table.round(3).to_string())

# %%
# The same as figures: the search over the loss weights, and how surely each AU of somebody
# unknown is ranked, beside the baseline and chance.

weights = LossWeightsDisplay.from_estimator(search)
scores = AUScoreDisplay.from_estimator(
    search, crops[test], Y.iloc[test], metric="roc_auc", name="DSN", baseline=single,
    baseline_name="single encoder",
)  # fmt: skip
if plt.get_backend().lower() == "agg":  # there is no screen
    weights.figure_.savefig("loss-weights.png", dpi=150)
    scores.figure_.savefig("unseen-people.png", dpi=150)
    print("\nThe pictures: loss-weights.png, unseen-people.png")
else:
    plt.show()
