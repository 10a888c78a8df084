"""Frames of a video, one after the other."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from os import PathLike
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .._paths import as_path
from ..utils._extras import import_extra
from ..utils._warnings import user_level
from ._clock import Clock, start_of, step_of

_SLIMMEST = 4  # times as high as wide: such pixels are a mistake of the file


class Frame(NamedTuple):
    """One frame of a video.

    Attributes
    ----------
    time : float
        Seconds from the start of the video, or of its sound where that begins earlier.
    image : ndarray of shape (height, width, 3), dtype uint8
        RGB, turned upright, with square pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.preprocessing import Frame
    >>> frame = Frame(time=0.04, image=np.zeros((48, 64, 3), np.uint8))
    >>> frame.time
    0.04
    """

    time: float
    image: NDArray[np.uint8]


def read_video(path: str | PathLike[str]) -> "Video":
    """Open a video for reading frame by frame.

    Parameters
    ----------
    path : path-like
        A file in any format that FFmpeg reads.

    Returns
    -------
    Video
        Iterate over it to get a `Frame` at a time, as often as you like; `FaceCropper` takes it
        as ``X``.  Only one frame is in memory at once.  Of several streams of pictures the first
        is read; where recordings were joined, each goes on in time where the one before it ended.

    Raises
    ------
    ImportError
        If PyAV is not installed (extra ``video``).
    OSError
        If the file does not exist or holds no video.

    Warns
    -----
    UserWarning
        When the frames of a damaged file have been read, of those that could not be; of a file
        without times, that 25 frames a second are taken for granted.

    Examples
    --------
    >>> from skau.preprocessing import read_video
    >>> film = read_video("interview.mp4")  # doctest: +SKIP
    >>> first = next(iter(film))  # doctest: +SKIP
    >>> first.time, first.image.shape  # doctest: +SKIP
    (0.0, (1080, 1920, 3))
    """
    return Video(path)


class Video:
    """A video file; see `read_video`.

    Attributes
    ----------
    path : str
    width, height : int
        Of the upright frames, in pixels.
    frame_rate : float or None
        Average frames a second, as the file states it.
    n_frames : int or None
        Number of frames, as the file states it; None where it does not.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        as_path(path, "path")  # which would make one of the two strokes of "https://"
        self.path = os.fspath(path)
        with open_film(self.path) as container:
            stream = pictures(container, self.path)
            self.frame_rate = float(stream.average_rate) if stream.average_rate else None
            self.n_frames = stream.frames or None
        first = next(iter(self), None)
        if first is None:
            raise OSError(f"{self.path!r}: no frame of the video can be read")
        self.height, self.width = first.image.shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        with open_film(self.path) as container:
            stream = pictures(container, self.path)
            # Threads that take whole frames lose those in hand at a damaged one.
            stream.thread_type = "SLICE"
            clock = Clock(container, stream, start_of(container, stream), step_of(stream))
            read = packets = damaged = 0
            for packet in container.demux(stream):
                packets += packet.size > 0
                frames, whole = _decoded(packet)
                damaged += not whole
                for frame in frames:
                    read += 1
                    image = frame.to_ndarray(format="rgb24", **_square(frame, stream))
                    turns = round(frame.rotation / 90) % 4  # counter-clockwise; phones film lying
                    yield Frame(float(clock(frame)), np.rot90(image, turns) if turns else image)
        if damaged:
            stated = f" of {self.n_frames} frames" if self.n_frames else " frames"
            warnings.warn(
                f"{self.path!r} is damaged or cut short: {damaged} of its {packets} packets are; "
                f"{read}{stated} could be read",
                UserWarning,
                stacklevel=user_level(),
            )
        if read > 1 and not clock.told:
            warnings.warn(
                f"{self.path!r} holds no times; {1 / float(step_of(stream)):g} frames a second "
                "are taken for granted",
                UserWarning,
                stacklevel=user_level(),
            )

    def name(self, row: int) -> str:
        """Say which image a row is."""
        return f"frame {row} of {self.path}"

    def __repr__(self) -> str:
        return f"Video({self.path!r}: {self.width} x {self.height}, {self.n_frames} frames)"


class FrameSource:
    """Chosen frames of videos, as the rows of a landmark table name them.

    Parameters
    ----------
    paths : sequence of str
        The video of each row.
    frames : sequence of int
        The number of the frame in its video.
    """

    def __init__(self, paths: Sequence[str], frames: Sequence[int]) -> None:
        self.paths, self._frames = list(paths), list(frames)

    def __len__(self) -> int:
        return len(self.paths)

    def order(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the order in which rows are best read: each video once, from its start."""
        videos = {path: i for i, path in enumerate(dict.fromkeys(self.paths))}
        return np.lexsort(
            ([self._frames[row] for row in rows], [videos[self.paths[row]] for row in rows])
        )

    def loaders(self, rows: Iterable[int]) -> Iterator[Callable[[], Image.Image]]:
        """Return for each row a function that returns its frame; see `order`."""
        path, number, frame = "", -1, None
        stream: Iterator[Frame] = iter(())
        for row in rows:
            wanted = self._frames[row]
            if self.paths[row] != path or wanted < number:
                path, number, frame = self.paths[row], -1, None
                stream = iter(Video(path))
            while number < wanted:
                frame, number = next(stream, None), number + 1
            if frame is None:
                raise ValueError(f"{self.name(row)} does not exist")
            yield partial(Image.fromarray, frame.image)

    def fingerprint(self, row: int) -> str:
        """Return a text that differs for different frames, and when the video has changed."""
        path = self.paths[row]
        status = os.stat(path)
        frame = int(self._frames[row])
        return str(joblib.hash((os.path.abspath(path), status.st_size, status.st_mtime_ns, frame)))

    def name(self, row: int) -> str:
        """Say which image a row is."""
        return f"row {row} (frame {self._frames[row]} of {self.paths[row]})"


def open_film(path: str) -> Any:
    """Open a file with PyAV."""
    av = import_extra("av", "video", "videos need PyAV")
    try:
        return av.open(f"file:{path}")  # "P01:film.mp4" names no protocol, but a file
    except av.error.FFmpegError as error:
        why = error.strerror or str(error)
        if isinstance(error, (av.error.InvalidDataError, av.error.EOFError)):
            why += "; it is cut short, damaged or no film"
        raise OSError(f"cannot open the video {path!r}: {why}") from error


def _decoded(packet: Any) -> tuple[list[Any], bool]:
    """Return the frames of a packet, and whether it is whole."""
    from av.error import FFmpegError

    try:
        return packet.decode(), not packet.is_corrupt
    except FFmpegError:
        return [], False


def pictures(container: Any, path: str) -> Any:
    """Return the stream of the film; a cover beside a sound is none."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if Disposition.attached_pic not in stream.disposition:
            return stream
    cover = ", just a picture beside the sound" if container.streams.video else ""
    raise OSError(f"{path!r} holds no video{cover}")


def _square(frame: Any, stream: Any) -> dict[str, int]:
    """Return the sides of a frame with square pixels, which those of old cameras are not."""
    ratio = stream.sample_aspect_ratio
    if not ratio or ratio == 1 or not 1 / _SLIMMEST < ratio < _SLIMMEST:
        return {}
    if ratio > 1:
        return {"width": round(frame.width * ratio), "height": frame.height}
    return {"width": frame.width, "height": round(frame.height / ratio)}
