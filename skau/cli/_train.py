"""``skau train``: from a corpus on disk to scores on unseen people and a model file."""

from pathlib import Path
from typing import Any

import click

from ._files import may_write
from ._options import as_usage, dask_option, jobs_option, shared_options
from ._workers import workers

_CORPORA = ("folder", "bp4d", "disfa", "unbc")
_HAVE_TRUNK = ("idennet", "lightcnn", "mixed-effects")
_METHODS = ("dsn", "single-encoder", *_HAVE_TRUNK)
_LEARN_PEOPLE = ("idennet", "mixed-effects")  # also those without labels


@click.command("train")
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The folder to write."
)
@click.option(
    "--corpus-type", type=click.Choice(_CORPORA), default="folder", show_default=True,
    help="How CORPUS is laid out: a folder with a CSV, or a published corpus.",
)  # fmt: skip
@click.option("--threshold", type=click.FloatRange(0, min_open=True), metavar="N",
              help="For labels of 0 to 5: present from N on; DISFA 2, UNBC 1.")  # fmt: skip
@click.option("--method", type=click.Choice(_METHODS), default="single-encoder", show_default=True,
              help="DSN, its AU encoder alone, IdenNet, LightCNN, or a mixed model on "
                   "LightCNN.")  # fmt: skip
@click.option("--trunk", metavar="MODEL",
              help="Begin idennet, lightcnn or mixed-effects with the network of a model that "
                   "ships, such as open-1, at a rate of 1e-3: for few people.")  # fmt: skip
@click.option("--identities", type=click.Path(exists=True, path_type=Path),
              help="Further people, for idennet and mixed-effects; no AUs needed.")  # fmt: skip
@click.option("--folds", type=click.IntRange(2), metavar="N",
              help="Parts of the people, held out in turn; as published, else 3.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True, metavar="N",
              help="Passes over the crops in training.")  # fmt: skip
@click.option("--size", type=click.IntRange(32, 4096), metavar="N",
              help="Side of the crops in pixels; 64, or as the trunk has learnt.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
              metavar="N", help="The same seed gives the same model.")  # fmt: skip
@jobs_option("Folds trained at a time; -1 takes all processors.")
@dask_option
@shared_options
def command(
    corpus: Path, out: Path, corpus_type: str, threshold: float | None, method: str,
    trunk: str | None, identities: Path | None, folds: int | None, epochs: int,
    size: int | None, seed: int, jobs: int, dask: str | None, force: bool,
) -> None:  # fmt: skip
    """Train on a corpus with whole subjects held out, then on all of it.

    Photos without a face, or that cannot be read, are named and left out. The folder OUT gets the
    crops, the predictions for every person by a model that has not seen
    them (predictions.csv), F1 and more for each fold and AU (scores.csv; f1_always_present is
    the F1 of calling an AU present in every frame), the learning curves (history.csv) and the
    model of everyone (model.skau). A call that was stopped goes on if it is given again; until
    then, what is done is kept in OUT/model.skau.part.

    A folder's CSV has the columns image, subject, AU1, AU2, ... of 1, 0 and nothing, or of
    intensities and --threshold; where the folder holds several, name one as CORPUS. That of
    --identities has image and subject alone; a folder with CelebA's identity_CelebA.txt is known
    as CelebA.

    \b
    skau train faces/ -o run/
    skau train faces/ --threshold 2 -o run/
    skau train faces/ --method mixed-effects --trunk open-1 --epochs 15 -o run/
    skau train faces/ --method idennet --identities people/ -o run/
    skau train /data/BP4D --corpus-type bp4d --method idennet --size 128 -o bp4d-run/
    """
    import sys

    from sklearn.pipeline import make_pipeline

    from ..models import save
    from ..preprocessing._results import table_writer
    from ..preprocessing._storage import forget_parts, part_of
    from ..training import ResumeTraining

    _check_out(out, force)
    _check_options(corpus_type, threshold, method, trunk, identities)
    cropper = _cropper(trunk, size)
    labelled = data = _labelled(corpus, corpus_type, threshold)
    if identities is not None:
        data = _with_people(labelled, identities)
    cv = _splitter(labelled, data, folds)
    with workers(dask):
        pass  # a cluster that does not answer is told now, not after the crops
    out.mkdir(parents=True, exist_ok=True)

    model = (out / "model.skau").resolve()
    done = part_of(model)
    cropper.set_params(on_missing="warn", memory=done, verbose=int(sys.stderr.isatty()))
    crops, missing = _cut(cropper, corpus, data.images, out / "crops.npy")
    labelled, data = (_without(part, missing) for part in (labelled, data))
    _check_folds(cv, data)

    estimator = _make(method, trunk, epochs, seed, ResumeTraining(done))
    with workers(dask):
        scores, predictions = _of_unseen(
            estimator, crops, labelled, data, cv, None if dask else jobs
        )
    for old in (model, out / "history.csv"):  # of an earlier run, which has other scores
        old.unlink(missing_ok=True)
    table_writer(out / "scores.csv")(scores.reset_index())
    table_writer(out / "predictions.csv")(predictions)

    estimator.fit(crops, data.target, groups=data.groups)
    table_writer(out / "history.csv")(estimator.history_)
    estimator.set_params(callbacks=None)
    cropper.set_params(on_missing="raise", memory=None, verbose=0)
    save(make_pipeline(cropper, estimator), model)
    forget_parts(model)
    means = scores.groupby("au", sort=False)[["f1", "f1_always_present", "roc_auc"]].mean()
    n_folds = scores.index.get_level_values("fold").nunique()
    click.echo(f"mean over {n_folds} folds of people never seen")
    click.echo(means.round(3).rename_axis(None).to_string())
    click.echo(f"\nthe model of all people: {out / 'model.skau'}")


def _check_out(out: Path, force: bool) -> None:
    """Refuse a folder that holds a finished run, or could not be written."""
    if (out / "model.skau").exists() and not force:
        raise click.UsageError(f"{str(out)!r} holds a finished run; --force makes it anew")
    if out.exists() and not out.is_dir():
        raise click.UsageError(f"{str(out)!r} is a file; name a folder")
    may_write(next(path for path in (out, *out.parents) if path.is_dir()) / "model.skau", True)


def _check_options(
    corpus_type: str, threshold: float | None, method: str, trunk: str | None,
    identities: Path | None,
) -> None:  # fmt: skip
    """Refuse options that do not go together."""
    if identities is not None and method not in _LEARN_PEOPLE:
        raise click.UsageError(
            f"--identities is for --method {' or '.join(_LEARN_PEOPLE)}, not for {method}"
        )
    if trunk is not None and method not in _HAVE_TRUNK:
        raise click.UsageError(
            f"--trunk is for --method {', '.join(_HAVE_TRUNK)}, not for {method}"
        )
    if threshold is not None and corpus_type == "bp4d":
        raise click.UsageError("--threshold is for intensities, and BP4D's labels are 0 and 1")


def _cropper(trunk: str | None, size: int | None) -> Any:
    """Return what cuts faces as the trunk has learnt them, or else of 64 pixels."""
    from sklearn.base import clone

    from ..models import load_model
    from ..preprocessing import FaceCropper

    cropper = FaceCropper(size=64)
    if trunk is not None:
        with as_usage():
            cropper = clone(load_model(trunk)[0])
    return cropper if size is None else cropper.set_params(size=size)


def _labelled(corpus: Path, kind: str, threshold: float | None) -> Any:
    """Load the corpus, which labels an AU at least."""
    with as_usage():
        labelled = _load(corpus, kind, **({} if threshold is None else {"threshold": threshold}))
    if labelled.target.empty:
        raise click.UsageError(
            f"{str(corpus)!r} labels no AU: its CSV needs columns such as AU1 and AU12 beside "
            "image and subject"
        )
    return labelled


def _with_people(labelled: Any, identities: Path) -> Any:
    """Put further people below the corpus."""
    from ..datasets import stack_corpora

    with as_usage("--identities"):
        return stack_corpora(labelled, _people(identities), names=["labelled", "identities"])


def _splitter(labelled: Any, data: Any, folds: int | None) -> Any:
    """Return the folds of the corpus as published, or by subject; further people train in all."""
    from ..model_selection import PredefinedSubjectSplit, SubjectKFold

    cv: Any = SubjectKFold(folds or 3)
    if data.folds and folds is None:
        published = dict(zip(labelled.folds, data.folds.values(), strict=True))
        cv = PredefinedSubjectSplit(published, rest="raise" if data is labelled else "train")
    _check_folds(cv, data)
    return cv


def _check_folds(cv: Any, data: Any) -> None:
    """Refuse people that cannot be split so."""
    with as_usage("--folds"):
        list(cv.split(data.target, data.target, data.groups))


def _cut(cropper: Any, corpus: Path, images: Any, file: Path) -> tuple[Any, Any]:
    """Return the crops, and the rows of photos that are left out: without a face or unreadable."""
    import numpy as np

    crops, missing = cropper.transform(images, out=file), cropper.missing_
    if not len(missing):
        return crops, missing
    if len(missing) == len(images):
        raise ValueError(f"no photo of {str(corpus)!r} shows a face")
    told = f"{len(missing)} of {len(images)} photos are left out, without a face or unreadable"
    click.echo(f"skau: {told}", err=True)
    return cropper.transform(np.delete(images, missing), out=file), missing  # kept from before


def _of_unseen(
    estimator: Any, crops: Any, labelled: Any, data: Any, cv: Any, n_jobs: int | None
) -> tuple[Any, Any]:
    """Return the scores of each fold and AU, and the predictions, by models of other people."""
    import pandas as pd

    from ..model_selection import cross_val_predict
    from ..model_selection._fold_table import fold_reports
    from ..utils._labels import present_proba

    proba = cross_val_predict(
        estimator, crops, data.target, groups=data.groups, cv=cv, n_jobs=n_jobs,
        params={"groups": data.groups},
    )  # fmt: skip
    proba = present_proba(proba, data.target.shape[1] == 1)
    scores = fold_reports(cv, data.target, proba, data.groups)
    who = pd.DataFrame({"image": labelled.images, "subject": labelled.groups})
    predictions = pd.DataFrame(proba[: len(who)], columns=data.target.columns)
    return scores, pd.concat([who, predictions], axis=1)


def _without(corpus: Any, rows: Any) -> Any:
    """Return the images, labels and people of a corpus but for some rows."""
    import numpy as np
    from sklearn.utils import Bunch

    kept = np.setdiff1d(np.arange(len(corpus.images)), rows)
    target = corpus.target.iloc[kept].reset_index(drop=True)
    return Bunch(images=corpus.images[kept], target=target, groups=corpus.groups[kept])


def _load(corpus: Path, kind: str, **options: Any) -> Any:
    from .. import datasets

    if kind != "folder":
        return getattr(datasets, f"load_{kind}")(corpus, **options)
    if corpus.is_dir():
        return datasets.load_faces(corpus, **options)
    return datasets.load_faces(corpus.parent, corpus.name, **options)


def _people(folder: Path) -> Any:
    """Load people without labels: CelebA, or a folder with a CSV."""
    from ..datasets import load_celeba

    if any(any(folder.glob(f"{depth}identity_CelebA.txt")) for depth in ("", "*/", "*/*/")):
        return load_celeba(folder)
    return _load(folder, "folder", aus=[])  # labels of theirs would be trained on


def _make(method: str, trunk: str | None, epochs: int, seed: int, resume: Any) -> Any:
    from ..baselines import LightCNNClassifier
    from ..estimators import DSNClassifier, IdenNetClassifier, MixedEffectsClassifier
    from ..models import PretrainedTrunk

    params: dict[str, Any] = {"max_epochs": epochs, "random_state": seed, "callbacks": [resume]}
    if method not in _HAVE_TRUNK:
        return DSNClassifier(person_encoder=method == "dsn", **params)
    kinds: dict[str, Any] = {
        "idennet": IdenNetClassifier,
        "lightcnn": LightCNNClassifier,
        "mixed-effects": MixedEffectsClassifier,
    }
    if trunk is not None:
        params |= {"trunk": PretrainedTrunk(trunk), "lr": 1e-3}  # that its gain was measured at
    return kinds[method](**params)
