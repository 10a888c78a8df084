"""Corpora of videos: frames in folders, labels by frame number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ..utils._text import first_few
from ._bunch import make_bunch
from ._folders import Gaps


class FaceSequence(NamedTuple):
    """One video of one subject."""

    subject: str
    name: str  # of the sequence, as messages give it
    labels: pd.DataFrame | None  # 1/0/NaN by frame number; None if the label file is missing
    images: dict[int, str]  # path by the frame number that the labels use


class Rows(NamedTuple):
    """The sequences, one row an image."""

    images: list[str]
    subjects: list[str]
    extra: pd.DataFrame  # columns sequence and frame
    target: pd.DataFrame
    n_uncoded: int  # images of frames that nobody coded and that were left out

    def bunch(self, name: str, **options: Any) -> Bunch:
        """Return the corpus; see `make_bunch`."""
        rows = self.images, self.subjects, self.target
        return make_bunch(name, *rows, extra=self.extra, **options)


def note_first_frame(sequences: Iterable[FaceSequence], first_frame: int, gaps: Gaps) -> None:
    """Note in `gaps` where images do not count from what the caller says."""
    first = {min(sequence.images): sequence for sequence in sequences if sequence.images}
    if first_frame != 1 and min(first, default=1) > 1:
        kind = (
            f"no image has the number first_frame={first_frame}; if images count from another, "
            "each label is taken for a frame beside its own; the first image"
        )
        gaps.add(kind, first[min(first)].images[min(first)])


def collect_rows(
    sequences: Iterable[FaceSequence],
    au_names: list[str],
    gaps: Gaps,
    *,
    uncoded: Literal["drop", "keep", "warn"] = "warn",
) -> Rows:
    """Join images and labels by frame number.

    Every image becomes a row, with NaN where it has no label. A label without an image cannot
    become one and is noted in `gaps`, as is a sequence without labels. Images of frames that the
    sequence's labels leave out are dropped, kept, or kept and noted, as `uncoded` says.
    """
    images: list[str] = []
    subjects: list[str] = []
    tables, n_uncoded = [], 0
    lost: dict[str, list[str]] = {}  # by subject, what lacks an image
    pictured = set()
    for sequence in sequences:
        frames = np.array(sorted(sequence.images), dtype=int)
        if sequence.labels is None:
            if len(frames):
                kind = "images without a label file are kept as rows of NaN"
                gaps.add(kind, f"{sequence.name} ({len(frames)})")
            labels = pd.DataFrame(columns=au_names, index=[], dtype=float)
        else:
            labels = sequence.labels
            absent = labels.index.difference(frames.tolist())
            if len(absent):
                which = f"{len(absent)} of {len(labels)} ({first_few(absent, 3)})"
                lost.setdefault(sequence.subject, []).append(f"{sequence.name} lacks {which}")
            coded = np.isin(frames, labels.index)
            if uncoded == "drop":
                n_uncoded += int((~coded).sum())
                frames = frames[coded]
            elif uncoded == "warn" and not coded.all():
                kind = "images without a label are kept as rows of NaN"
                gaps.add(kind, f"{sequence.name} frame {first_few(frames[~coded], 3)}")
        if not len(frames):
            continue
        pictured.add(sequence.subject)
        images += [sequence.images[int(frame)] for frame in frames]
        subjects += [sequence.subject] * len(frames)
        table = labels.reindex(index=frames, columns=au_names).astype(float)
        table.insert(0, "sequence", sequence.name)
        table.insert(1, "frame", frames)
        tables.append(table)
    for subject, absences in lost.items():
        if subject not in pictured:
            gaps.add("subjects with labels but without any image are left out", subject)
        else:
            for absence in absences:
                gaps.add("labelled frames without an image are left out", absence)
    rows = (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame(columns=["sequence", "frame", *au_names])
    )
    return Rows(images, subjects, rows[["sequence", "frame"]], rows[au_names], n_uncoded)
