"""Action Units of a film, frame by frame."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from ..preprocessing import FaceCropper, Video, read_video
from ..preprocessing._landmarks import BOX, COLUMNS, PROBABILITY
from ..preprocessing._results import in_threads
from ..preprocessing._storage import Journal, journal_of
from ..preprocessing._worker import Done

__all__ = ["predict_video"]

_BOX = list(COLUMNS[BOX])
_ROWS = 250  # written at a time, about ten seconds of film


def predict_video(
    model: Pipeline,
    video: str | PathLike[str] | Video,
    *,
    out: str | PathLike[str] | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Compute the probability of each AU in every frame of a video.

    The face is followed from frame to frame. Only a few frames are in memory at a time, whatever
    the length of the video.

    Parameters
    ----------
    model : Pipeline
        A fitted pipeline of a :class:`~skau.preprocessing.FaceCropper` and a classifier.
    video : path-like or Video
        A file in any format that FFmpeg reads, or what
        :func:`~skau.preprocessing.read_video` returned.
    out : path-like, default=None
        A ``.csv`` file to which the rows are written as they are computed. A call that was
        interrupted goes on where that file ends when it is repeated, and one that had ended
        returns its rows. A small file beside it, with ``.journal`` added to the name, tells of
        what film and by what model they are.
    verbose : int, default=1
        0 shows no progress bar.

    Returns
    -------
    DataFrame with a row a frame
        ``frame``, counted from 0; its ``time`` in seconds; the ``probability`` of a face, the
        edges of its box ``box_x1, box_y1, box_x2, box_y2`` in pixels, and the probability of
        each AU under the name it had in ``y``. Numbers have six significant digits. NaN where
        there is no face.

    Raises
    ------
    ImportError
        If PyAV is not installed (extra ``video``).
    ValueError
        If ``model`` is another kind of pipeline, or ``out`` holds the rows of another film, model
        or cropper.

    Examples
    --------
    >>> from skau import predict_video
    >>> table = predict_video(pipeline, "interview.mp4", out="interview.csv")  # doctest: +SKIP
    >>> table.plot(x="time", y="AU12")  # doctest: +SKIP
    """
    cropper, classifier = _parts(model)
    if not isinstance(video, Video):
        video = read_video(video)
    columns = ["frame", "time", "probability", *_BOX, *classifier.au_names_.tolist()]
    done = _read(out, columns, {} if out is None else _describe(cropper, classifier, video))
    rows: list[list[float]] = []
    file = None if out is None else open(out, "a", encoding="utf-8")  # noqa: SIM115
    bar = tqdm(
        total=video.n_frames, initial=len(done), desc="frames", unit="frame", disable=not verbose
    )
    written = 0
    try:
        with bar:
            for row in _rows(cropper, classifier, video, done):
                rows.append(row)
                bar.update()
                if file is not None and len(rows) - written == _ROWS:
                    _write(file, rows[written:], columns)
                    written = len(rows)
    finally:  # an interruption loses nothing that was computed
        if file is not None:
            with file:
                _write(file, rows[written:], columns)
    table = pd.DataFrame(rows, columns=columns)
    table = pd.concat([part for part in (done, table) if len(part)], ignore_index=True)
    return table.astype({"frame": int})


def _parts(model: Any) -> tuple[FaceCropper, Any]:
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else []
    if len(steps) != 2 or not isinstance(steps[0], FaceCropper):
        raise ValueError(
            f"model is {model!r:.80}; expected a pipeline of a FaceCropper and a classifier: "
            "make_pipeline(FaceCropper(size=...), classifier)"
        )
    check_is_fitted(steps[1])
    return steps[0], steps[1]


def _describe(cropper: FaceCropper, classifier: Any, video: Video) -> dict[str, Any]:
    """Return what the rows depend on; of the model, what it says of two fixed images."""
    file = Path(video.path)
    shape = (2, cropper.size, cropper.size, 3)
    noise = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    return {
        "film": [file.name, file.stat().st_size, file.stat().st_mtime_ns],
        "cropper": vars(replace(cropper._worker(), device="")),
        "model": np.round(classifier.predict_proba(noise), 4).tolist(),
    }


def _read(
    out: str | PathLike[str] | None, columns: list[str], run: dict[str, Any]
) -> pd.DataFrame:
    """Return the rows of an earlier call, and begin the file if there is none."""
    if out is None:
        return pd.DataFrame(columns=columns)
    path = Path(fspath(out))
    if path.suffix.lower() != ".csv":
        raise ValueError(f"out={str(path)!r} must end in .csv")
    text = path.read_bytes() if path.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]  # the last line may be cut short
    journal = journal_of(path)
    if not whole:
        journal.unlink(missing_ok=True)
        Journal(path, run).close()
        path.write_text(",".join(columns) + "\n", encoding="utf-8")
        return pd.DataFrame(columns=columns)
    done = pd.read_csv(BytesIO(whole))
    if done.columns.tolist() != columns:
        raise ValueError(
            f"out: {str(path)!r} has the columns {', '.join(done.columns)}, which this model "
            "does not write; give another file, or delete it"
        )
    if not journal.exists():
        raise ValueError(
            f"out: {str(path)!r} is there already, without the file {journal.name} that would say "
            "of what film; give another file, or delete it"
        )
    Journal(path, run).close()  # refuses another run
    os.truncate(path, len(whole))
    return done


def _write(file: Any, rows: list[list[float]], columns: list[str]) -> None:
    pd.DataFrame(rows, columns=columns).astype({"frame": int}).to_csv(
        file, header=False, index=False
    )
    file.flush()


def _rows(
    cropper: FaceCropper, classifier: Any, video: Video, done: pd.DataFrame
) -> Iterator[list[float]]:
    """Yield the rows of the frames that are not done."""
    cropper._validate_params()
    worker = cropper._worker()
    times: list[float] = []
    start = len(done)
    box = done[_BOX].iloc[-1].to_numpy(float) if start else np.full(4, np.nan)
    frames: Iterable[Any] = islice(video, start, None)
    items = worker.follow(frames, times, search=True, box=None if np.isnan(box).any() else box)
    work = partial(worker.work, cut=True)
    number = start
    for chunk in in_threads(work, items, cropper.n_jobs):
        for one, proba in zip(chunk, _probabilities(classifier, chunk), strict=True):
            numbers = [*one.values[PROBABILITY : PROBABILITY + 1], *one.values[BOX], *proba]
            row = [times[number - start], *map(float, numbers)]
            yield [number, *(float(f"{value:.6g}") for value in row)]
            number += 1


def _probabilities(classifier: Any, chunk: list[Done]) -> np.ndarray:
    """Return the AUs' probabilities (n, n_aus) of the crops of a chunk; NaN without a face."""
    found = (one.crop if one.problem is None else None for one in chunk)
    crops = {i: crop for i, crop in enumerate(found) if crop is not None}
    result = np.full((len(chunk), len(classifier.au_names_)), np.nan)
    if crops:
        proba = classifier.predict_proba(np.stack(list(crops.values())))
        # two columns after a 1-D y: absent and present
        result[list(crops)] = proba if proba.shape[1] == result.shape[1] else proba[:, 1:]
    return result
