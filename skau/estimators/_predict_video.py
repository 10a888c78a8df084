"""Action Units of films, of one face or of all."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm.auto import tqdm

from ..preprocessing import Video, read_video
from ..preprocessing._film import faces_of_film, sample, timed
from ..preprocessing._worker import Worker
from ..utils._warnings import user_level
from ._face_table import FaceTable, Settings
from ._predict_common import Reference, check_faces, check_pace, fingerprint, with_progress
from ._scorer import Scorer

_FRAMES = 240  # of a film that are kept together: what a killed run loses at most; 30 blocks


def predict_video(
    model: Any,
    video: str | PathLike[str] | Video | Iterable[Any],
    *,
    faces: str = "largest",
    every: int = 1,
    fps: float | None = None,
    calibrate: bool = False,
    reference: Reference | None = None,
    out: str | PathLike[str] | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Compute the probability of each AU of the faces in a film.

    Faces are followed from frame to frame. Only a few frames are in memory at a time, whatever
    the length of the film.

    Parameters
    ----------
    model : estimator
        A fitted pipeline that begins with a :class:`~skau.preprocessing.FaceCropper`, or a search
        or another meta-estimator around such; if it holds several, their crops must be the same.
        What follows the cropper needs ``predict_proba``.
    video : path-like, Video or iterable of frames
        A file in any format that FFmpeg reads, what :func:`~skau.preprocessing.read_video`
        returned, or frames of a webcam, a screen, a decoder of your own: uint8 RGB arrays
        (height, width, 3), PIL images, or ``skau.preprocessing.Frame(time, image)``.
    faces : {"largest", "all"}, default="largest"
        ``"largest"`` follows one face a frame, the one that ``select`` of the cropper says, until
        it is lost; ``"all"`` finds and follows everybody. While nobody is followed, every frame
        is searched where it has changed; if much changes for long, whole frames are, three times
        a second, and in the others only faces of a sixth of the short side are looked for.
        Newcomers beside a face that is followed are looked for in every eighth frame that
        is looked at. All are followed backwards to where they came in. So only who comes and
        goes, without a cut, within eight frames beside others or, with a smaller face, within
        0.33 seconds of a picture that moves as a whole can be missed.
    every : int, default=1
        Look at every k-th frame only.
    fps : float, default=None
        Look at so many frames a second at most, in place of ``every``.
    calibrate : bool, default=False
        Calibrate to each person by all their frames, after the pass, as
        ``model.predict_proba(X, groups=person)`` does: it takes off what is just that face.
        **It uses the person's other frames**, and supposes that people show an AU about equally
        often. Of a :class:`~skau.MixedEffectsClassifier` it is the logits of single frames that
        are calibrated, as any other network's are; its own ``groups`` corrects in another way.
    reference : list of photos, or dict of person to list of photos, default=None
        Photos (paths, arrays or PIL images) of each person at rest, by the number that the column
        ``person`` gives them; a list is of the person who is seen most. The person's logits are
        shifted and stretched so that at rest they are, and vary, as people's do, the further the
        more photos there are. On films of rendered people two photos gained the model that ships
        2.7 points of F1, ``calibrate`` 9.0 (``benchmarks/results/calibration.txt``): prefer that
        where a person has many frames.
        People without photos are calibrated by their frames if ``calibrate`` says so.
    out : path-like, default=None
        A ``.csv`` or ``.parquet`` (extra ``parquet``) file for the table, written whole at the
        end; ``.json`` beside it says of what film and by what model. Until then, what is done is
        kept in a folder with ``.part`` added to the name: a call that was interrupted goes on
        where it stopped when it is repeated. One that had ended returns its rows; a film that was
        moved, under its name and with its time of change, is the same. Frames that do not come
        from a file cannot be gone back to, so nothing of them is kept before the end, and a table
        that is there is refused.
    verbose : int, default=1
        0 shows no progress bar.

    Returns
    -------
    DataFrame with a row a face and frame
        A frame without a face has a row too, of NaN. ``frame``, counted from 0 in the film; its
        ``time`` in seconds; ``face``, the number of a track: as long as a face is followed
        without a gap or a cut; ``person``, the same number for tracks that look like one person,
        so that people are the same again after a cut or an absence (two who look alike may be
        taken for one, if they are never seen in one frame); the ``probability`` of a face; the
        edges of its box ``box_x1, box_y1, box_x2, box_y2`` in pixels; ``yaw, pitch, roll`` of the
        head in degrees (see :func:`~skau.preprocessing.head_pose`); the probability of each AU
        under the name it had in ``y``. AUs are NaN where a face cannot be aligned.

    Raises
    ------
    ImportError
        If PyAV is not installed (extra ``video``).
    ValueError
        If ``model`` is another kind of estimator, another argument cannot be used, or ``out``
        is there of another film, model, setting or version, or of frames.

    Warns
    -----
    UserWarning
        If ``fps`` is more than the film has; if ``calibrate`` has one frame of each person; of
        whom ``reference`` was taken for, if it is a list and several people are seen.

    See Also
    --------
    predict_images : The same of photos.
    skau.inspection.draw_overlay : The film with the faces and their AUs drawn in.

    Examples
    --------
    >>> from skau import predict_video
    >>> table = predict_video(pipeline, "interview.mp4", out="interview.csv")  # doctest: +SKIP
    >>> table.plot(x="time", y="AU12")  # doctest: +SKIP
    >>> panel = predict_video(pipeline, "panel.mp4", faces="all", fps=5)  # doctest: +SKIP
    >>> panel[panel["yaw"].abs() < 30].groupby("person")["AU12"].mean()  # doctest: +SKIP
    """
    check_faces(faces)
    every, fps = check_pace(every, fps)
    if isinstance(video, str | PathLike):
        video = read_video(video)
    _check_frames(video)
    scorer = Scorer(model)
    film = None
    if isinstance(video, Video):
        film = fingerprint(video.path)
        film[0] = Path(film[0]).name
        if fps is not None and video.frame_rate is not None and fps > video.frame_rate * 1.001:
            warnings.warn(
                f"fps={fps:g}, but the film has {video.frame_rate:g} frames a second on average; "
                "none is looked at twice",
                stacklevel=user_level(),
            )
    settings = Settings(
        "frame",
        {"film": film, "faces": faces, "every": every, "fps": fps},
        calibrate=calibrate,
        reference=reference,
    )
    table = FaceTable(scorer, settings, out, keep=film is not None)
    if table.ended is not None:
        return table.ended
    worker = Worker.of(scorer.cropper)
    shots = sample(video, every, fps)
    if isinstance(video, Video):
        rate = video.frame_rate or 25.0
        rate = rate / every if fps is None else min(fps, rate)
    else:
        rate, shots = timed(shots)
    tracker = worker.tracker(everyone=faces == "all", rate=rate)
    if table.state is not None:
        tracker.restore(table.state["tracker"])
    done = 0 if table.state is None else table.state["shots"]
    for _ in islice(shots, done):
        pass
    total = _count(video, every, fps) if isinstance(video, Video) else None
    with tqdm(total=total, initial=done, desc="frames", unit="frame", disable=not verbose) as bar:
        while True:
            part = _Counted(islice(shots, _FRAMES))
            table.add(
                with_progress(faces_of_film(worker, tracker, part, scorer.cropper.n_jobs), bar)
            )
            if not part.n:
                break
            done += part.n
            table.keep({"tracker": tracker.state(), "shots": done})
    return table.finish()


def _check_frames(video: Any) -> None:
    """Refuse what holds no frames, or is one."""
    shape: tuple[int, ...] = np.shape(video) if hasattr(video, "__array__") else ()
    if isinstance(video, Image.Image) or (len(shape) == 3 and shape[2] in (1, 3, 4)):
        raise ValueError("video is one image; pass [image], or score it by predict_images")
    if isinstance(video, bytes | Mapping) or not isinstance(video, Iterable):
        raise TypeError(
            f"video is a {type(video).__name__}; expected a path, what read_video returned, or "
            "frames: arrays, PIL images or skau.preprocessing.Frame(time, image)"
        )


class _Counted:
    """Count what is taken from an iterator."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items, self.n = items, 0

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self.n += 1
            yield item


def _count(video: Video, every: int, fps: float | None) -> int | None:
    if video.n_frames is None:
        return None
    if fps is None or video.frame_rate is None:
        return -(-video.n_frames // every)
    return min(video.n_frames, round(video.n_frames / video.frame_rate * fps) or 1)
