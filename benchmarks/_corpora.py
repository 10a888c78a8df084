"""Corpora as aligned crops, cut once and kept."""

import hashlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skau import datasets
from skau.preprocessing import FaceCropper, pool_by_subject
from skau.preprocessing._landmarks import COLUMNS, sample_rows

# What paper 2 uses of each corpus.
PUBLISHED_AUS = {
    name: [f"AU{n}" for n in numbers]
    for name, numbers in {
        "bp4d": (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24),
        "disfa": (1, 2, 4, 6, 9, 12, 25, 26),
        "unbc": (6, 7, 12, 25, 26, 43),
    }.items()
}


def published_aus(name: str) -> list[str]:
    """Return what paper 2 uses of a corpus; of one that it does not know, BP4D's twelve."""
    return PUBLISHED_AUS.get(name, PUBLISHED_AUS["bp4d"])


LOADERS = {
    "bp4d": datasets.load_bp4d,
    "celeba": datasets.load_celeba,
    "disfa": partial(datasets.load_disfa, aus=PUBLISHED_AUS["disfa"]),
    "london": datasets.load_london,
    "unbc": datasets.load_unbc,
}


@dataclass
class Corpus:
    """A corpus as the benchmark needs it."""

    name: str
    crops: dict[str, np.ndarray]  # by region: (n, size, size, 3) uint8, memory maps
    target: pd.DataFrame  # (n, n_aus)
    groups: np.ndarray  # (n,)
    folds: dict[str, list[str]] | None  # published test parts
    files: list[str] | None = None  # of the images, within the folder that holds all

    def __getstate__(self) -> dict[str, Any]:
        """Send the names of memory maps to other processes and machines, not the crops."""
        crops = {r: getattr(crops, "filename", None) or crops for r, crops in self.crops.items()}
        return vars(self) | {"crops": crops}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.crops = {
            region: np.load(crops, mmap_mode="r") if isinstance(crops, str | Path) else crops
            for region, crops in self.crops.items()
        }

    def digest(self, aus: list[str]) -> str:
        """Tell corpora of one name apart: by their people, files, and labels of ``aus``."""
        labels = self.target.reindex(columns=aus).to_numpy(float)
        found = hashlib.sha256(repr((aus, self.groups.tolist(), self.files)).encode())
        found.update(np.where(np.isnan(labels), -1, labels).tobytes())
        return found.hexdigest()[:16]

    def part(self, rows: np.ndarray, regions: bool) -> np.ndarray:
        """Crops of rows in order; of all regions, (n, 3, size, size, 3), or the full face."""
        if regions:
            return np.stack([crops[rows] for crops in self.crops.values()], axis=1)
        crops = self.crops["full"]
        return crops if len(rows) == len(crops) else crops[rows]  # a map stays one


def open_corpus(
    spec: str,
    work: Path,
    size: int,
    regions: tuple[str, ...],
    *,
    every: int = 1,
    landmark_frames: int | None = None,
    align: str = "eyes",
) -> Corpus:
    """Load ``"name=folder"`` and cut its faces, unless ``work`` already holds them.

    The name chooses the loader of a published corpus; any other is read by ``load_faces``. Of
    each person every ``every``-th frame is taken; with ``landmark_frames`` all of a person's crops
    are cut by the median landmarks of so many of them. ``align`` is `FaceCropper`'s.
    """
    name, equals, folder = spec.partition("=")
    if not equals:
        raise ValueError(f"a corpus is given as name=folder, not {spec!r}")
    bunch = LOADERS.get(name, datasets.load_faces)(folder)
    if every > 1:
        nth = pd.Series(bunch.groups).groupby(bunch.groups).cumcount().to_numpy()
        rows = np.flatnonzero(nth % every == 0)
        bunch.images = np.asarray(bunch.images)[rows]
        bunch.target = bunch.target.iloc[rows].reset_index(drop=True)
        bunch.groups = np.asarray(bunch.groups)[rows]
    corpus = from_bunch(
        name, bunch, work, size, regions,
        file=name if every == 1 else f"{name}-every{every}", landmark_frames=landmark_frames,
        align=align,
    )  # fmt: skip
    for fold, subjects in (corpus.folds or {}).items():
        if not np.isin(subjects, corpus.groups).any():
            raise ValueError(f"{spec}: nobody of the published fold {fold} is there")
    return corpus


def from_bunch(
    name: str,
    bunch: Any,
    work: Path,
    size: int,
    regions: tuple[str, ...] = ("full",),
    *,
    file: str | None = None,
    landmark_frames: int | None = None,
    align: str = "eyes",
) -> Corpus:
    """Cut the faces of any corpus of ``skau.datasets``; ``file`` begins the names of its files."""
    work.mkdir(parents=True, exist_ok=True)
    images, file = bunch.images, file or name
    source = images if np.ndim(images) > 1 else _landmarks(file, images, work)
    if landmark_frames is not None:
        source = _pool(source, np.asarray(bunch.groups), landmark_frames)
        file = f"{file}-subject{landmark_frames}"
    if align != "eyes":
        file = f"{file}-{align}"
    crops = {region: _cut(file, source, work, size, region, align) for region in regions}
    files = None if np.ndim(images) > 1 or not len(images) else _inside(images)
    return Corpus(name, crops, bunch.target, np.asarray(bunch.groups), bunch.get("folds"), files)


def _pool(table: pd.DataFrame, groups: np.ndarray, n_frames: int) -> pd.DataFrame:
    """Give every frame of a subject the median landmarks of ``n_frames`` of them."""
    others = np.setdiff1d(np.arange(len(table)), sample_rows(groups, n_frames))
    table = table.copy()
    table.loc[table.index[others], list(COLUMNS)] = np.nan
    return pool_by_subject(table, groups)


def _cut(name: str, source: Any, work: Path, size: int, region: str, align: str) -> np.ndarray:
    """Cut images, or those of a landmark table."""
    file = work / f"{name}-{region}-{size}.npy"
    if not file.exists():
        cropper = FaceCropper(size=size, align=align, region=region, on_missing="warn", verbose=1)
        half = file.with_suffix(".part.npy")
        cropper.transform(source, out=half)
        half.rename(file)
    crops = np.load(file, mmap_mode="r")
    if len(crops) != len(source):
        raise ValueError(
            f"{file} holds {len(crops)} crops, but {name} has {len(source)} images; delete it"
        )
    return crops


def _landmarks(name: str, paths: Any, work: Path) -> pd.DataFrame:
    """Faces are looked for once, whatever regions are cut; of the same images only."""
    file = work / f"{name}-landmarks.csv"
    if not file.exists():
        half = file.with_suffix(".part.csv")
        FaceCropper(on_missing="warn", verbose=1).detect(list(paths), out=half)
        half.rename(file)
    table = pd.read_csv(file)
    if _inside(table["path"]) != _inside(paths):
        raise ValueError(
            f"{file} is of other images than those of {name}, or of another order; delete it and "
            f"the crops that were cut by it, {name}-*.npy, or give the corpus another name"
        )
    table["path"] = [str(path) for path in paths]  # the corpus may have moved
    return table


def _inside(paths: Any) -> list[str]:
    """Return paths without the folder that all are in."""
    root = os.path.commonpath(list(paths))
    return [os.path.relpath(path, root) for path in paths]
