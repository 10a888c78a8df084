"""Films and photos with the faces, who they are and their AUs drawn in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from .._paths import CONTAINERS, check_folder, check_out
from ..preprocessing import Video, read_image, read_video
from ..preprocessing._clock import Clock, start_of, step_of
from ..preprocessing._images import READ_ERRORS
from ..preprocessing._storage import begin, finish, forget_parts
from ..preprocessing._video import open_film, pictures
from ..utils._cache import write_whole
from ..utils._extras import import_extra
from ..utils._formats import BOX_COLUMNS, au_columns, thresholds_of
from ..utils._labels import require_probabilities
from ..utils._text import first_few
from ._layout import Layout
from ._plotting import COLOURS

LEAST, STEP = 9, 1.2  # pixels of the letters; a bar's height by theirs
# of people: no black, which a dark panel would hide; numbers on light ones are dark
PEOPLE = [colour for colour in COLOURS if colour != "#000000"]
LIGHT = {"#E69F00", "#56B4E9", "#F0E442"}
Faces = dict[Any, list[dict[Any, Any]]]  # rows of the table by frame or photo
_PACKET = Fraction(1, 40)  # seconds of sound, about; between recordings that were joined
ROOM = 1.7  # height of a picture by that of all bars, so that they leave room for the faces


def draw_overlay(
    table: pd.DataFrame,
    source: Any,
    out: str | PathLike[str],
    *,
    aus: list[str] | None = None,
    threshold: Any = None,
) -> None:
    """Draw boxes, people and bars of the AUs, with their thresholds, into a film or photos.

    Parameters
    ----------
    table : DataFrame
        From :func:`skau.predict_video` of the film, :func:`skau.predict_images` of paths, or
        :func:`skau.predict_files`; of several films, the rows of ``source`` are drawn. A frame
        that was left out by ``every`` or ``fps`` shows what the last one showed.
    source : path-like or Video, or list of paths
        The film, or the photos. A list of paths, even of one, is photos.
    out : path-like
        The film to write (H.264, with the sound of ``source`` as it is), in a container of the
        ending: ``.mp4``, ``.m4v``, ``.mkv``, ``.mov``; it is there when it is whole. Of photos, a
        folder; it is made if need be. Photos keep their names; where two share one, the second
        gets ``-2`` added, and formats that Pillow only reads become PNG. Films and photos too
        small for bars beside faces are enlarged, by a whole number of times.
    aus : list of str, default=None
        The columns to draw. None draws all AUs. No bars lie over another's: where so many faces
        are in a picture that not all have room, those AUs stay that are present most often in
        ``table``.
    threshold : float, dict, Series or array-like, default=None
        Above this probability a bar is drawn strong: one number, one an AU in their order,
        or by name. None is the model's own, which a table of skau remembers
        (``table.attrs["thresholds"]``); 0.5 where it does not.

    Raises
    ------
    ImportError
        If PyAV is not installed (extra ``video``); of films only.
    ValueError
        If the table does not fit the source, ``out`` is the source or, of photos, their folder or
        none, has another ending or cannot hold its sound, or a column is not there.
    FileNotFoundError
        If there is no folder to write a film to.

    Examples
    --------
    >>> from skau.inspection import draw_overlay
    >>> draw_overlay(table, "film.mp4", "film-aus.mp4")  # doctest: +SKIP
    """
    names = au_columns(table) if aus is None else list(aus)
    photos = isinstance(source, list | tuple)
    place = "path" if photos else "frame"
    if missing := sorted({place, "person", *BOX_COLUMNS, *names} - set(table)):
        raise ValueError(
            f"table has no column {', '.join(missing)}; it must come from "
            f"{'predict_images' if photos else 'predict_video'}"
        )
    target = Path(out)
    if photos:
        paths = [fspath(path) for path in source]
        called = _names_of(paths, table)
        if strange := [path for path in called if called[path] is None]:
            raise ValueError(
                f"table has no row of {first_few(strange)}; leave them out of source, or give the "
                "table of these photos"
            )
    else:
        check_out(target, *CONTAINERS)
        video = source if isinstance(source, Video) else read_video(source)
        table = _of_film(video, table)
    require_probabilities(table[names], "table")
    limits = thresholds_of(table, threshold, names)[table[names].notna().any()]
    often = (table[limits.index] > limits).mean().sort_values(ascending=False, kind="stable")
    pen = _Pen({str(au): limits[au] for au in limits.index}, often.index.tolist())
    found = table[table["probability"].notna()]
    by_place = found[[place, "person", *BOX_COLUMNS, *names]].groupby(place)
    faces: Faces = {key: rows.to_dict("records") for key, rows in by_place}
    if photos:
        of_photos = {path: faces.get(name, []) for path, name in called.items()}
        _draw_photos(of_photos, pen, target)
    else:
        if target.exists() and target.samefile(video.path):
            raise ValueError(f"out={str(target)!r} is the film itself; give another file")
        check_sound(video.path, target)
        _draw_film(video, set(table["frame"]), faces, pen, target)


def _names_of(paths: list[str], table: pd.DataFrame) -> dict[str, str | None]:
    """Return what the table calls each file: "a.jpg" may be "./a.jpg" there."""
    named = [*table["path"].dropna().unique(), *table.attrs.get("unread", ())]
    alike = {os.path.abspath(name): name for name in named} | {name: name for name in named}
    return {path: alike.get(path, alike.get(os.path.abspath(path))) for path in paths}


def _of_film(video: Video, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a film, where the table says of which films they are."""
    if "path" not in table:
        return table
    name = _names_of([video.path], table)[video.path]
    if name is None and table["path"].nunique() > 1:
        raise ValueError(
            f"table holds several films or photos, and none is called {video.path!r}; give the "
            "film by its name there, or its rows alone"
        )
    return table if name is None else table[table["path"] == name]


class _Pen:
    """Draw faces into one picture after the other.

    Parameters
    ----------
    thresholds : dict of str to float
        Of the AUs.
    important : list of str
        The same AUs, first those that stay where not all have room.
    """

    def __init__(self, thresholds: dict[str, float], important: list[str]) -> None:
        self.names, self.thresholds = list(thresholds), thresholds
        self._important = important
        self.layout = Layout()

    def enlarging(self, sides: tuple[int, int]) -> int:
        """Return how many times larger a picture must be for bars of legible size."""
        return max(1, -(-round(ROOM * STEP * LEAST * len(self.names)) // min(sides)))

    def draw(self, image: Image.Image, faces: list[dict[Any, Any]], times: int = 1) -> Image.Image:
        """Return the image, so many times larger, with the faces drawn in."""
        image = image.resize((times * image.width, times * image.height), Image.Resampling.BICUBIC)
        canvas = ImageDraw.Draw(image, "RGBA")
        size = max(LEAST, round(min(image.size) / 45))
        font = ImageFont.load_default(size)
        boxes = [[times * float(face[edge]) for edge in BOX_COLUMNS] for face in faces]
        colours = [PEOPLE[int(face["person"]) % len(PEOPLE)] for face in faces]
        self._bars(canvas, image.size, faces, boxes, colours, size, font)
        for face, box, colour in zip(faces, boxes, colours, strict=True):
            canvas.rectangle(box, outline=colour, width=max(1, size // 6))
            label = f" {face['person']} "
            length = canvas.textlength(label, font)
            canvas.rectangle([box[0], box[1] - 1.3 * size, box[0] + length, box[1]], fill=colour)
            ink = "black" if colour in LIGHT else "white"
            canvas.text((box[0], box[1] - 1.25 * size), label, fill=ink, font=font)
        return image

    def _bars(
        self, canvas: Any, extent: tuple[int, int], faces: list[dict[Any, Any]],
        boxes: list[list[float]], colours: list[str], size: int, font: Any,
    ) -> None:  # fmt: skip
        """Draw the AUs of each face as bars near its box."""
        scored = [
            i for i, face in enumerate(faces) if not all(np.isnan(face[n]) for n in self.names)
        ]
        if not scored:
            return
        words = max(canvas.textlength(name, font) for name in self.names) + 0.4 * size
        width, step, gap = words + 4.4 * size, STEP * size, 0.3 * size
        corners, n = self.layout.place(
            np.array([boxes[i] for i in scored]) + np.array([-gap, 0, gap, 0]),
            [int(faces[i]["person"]) for i in scored], extent, width, step, len(self.names),
        )  # fmt: skip
        shown = [name for name in self.names if name in self._important[:n]]
        for i, (left, top) in zip(scored, corners.tolist(), strict=True):
            canvas.rectangle([left, top, left + width, top + step * n], fill=(0, 0, 0, 110))
            for k, name in enumerate(shown):
                y, p = top + k * step, float(np.nan_to_num(faces[i][name]))
                canvas.text((left + 0.2 * size, y), name, fill="white", font=font)
                start = left + words
                strong = p > self.thresholds[name]
                canvas.rectangle([start, y + 0.2 * size, start + 4 * size, y + size],
                                 fill=(255, 255, 255, 50))  # fmt: skip
                canvas.rectangle([start, y + 0.2 * size, start + 4 * size * p, y + size],
                                 fill=colours[i] if strong else (200, 200, 200, 160))  # fmt: skip
                limit = start + 4 * size * self.thresholds[name]
                canvas.line([limit, y + 0.2 * size, limit, y + size], fill="white")


def _draw_photos(photos: dict[str, list[dict[Any, Any]]], pen: _Pen, out: Path) -> None:
    """Draw the faces of each photo, by its path."""
    check_folder(out, photos)
    out.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for path, faces in photos.items():
        try:
            image = read_image(path)
        except READ_ERRORS:
            continue  # predict_images has said so
        target = _free(out / _written_as(Path(path)), taken)
        if target.exists() and target.samefile(path):  # by a link
            raise ValueError(f"out={str(out)!r} leads to the photos; give another folder")
        pen.layout = Layout()  # no photo goes on from the one before
        drawn = pen.draw(image, faces, pen.enlarging(image.size))
        kind = Image.registered_extensions()[target.suffix.lower()]
        with write_whole(target) as file:
            drawn.save(file, kind, quality=95)


def _written_as(path: Path) -> str:
    """Return the name of a file that Pillow can write, with PNG for what it only reads."""
    kind = Image.registered_extensions().get(path.suffix.lower())
    return path.name if kind in Image.SAVE else f"{path.stem}.png"


def _free(target: Path, taken: set[str]) -> Path:
    """Return the file, or one with a number: photos of several folders may share a name."""
    stem, number = target.stem, 2
    while target.name.lower() in taken:  # some file systems know one case only
        target, number = target.with_name(f"{stem}-{number}{target.suffix}"), number + 1
    taken.add(target.name.lower())
    return target


def _draw_film(video: Video, looked_at: set[int], faces: Faces, pen: _Pen, out: Path) -> None:
    """Encode the film anew; its sound is copied packet by packet."""
    av = import_extra("av", "video", "films need PyAV")
    part = f"file:{begin(out)}"  # or "P01:film.mp4" would name a protocol
    with _named(out), open_film(video.path) as origin, av.open(part, "w") as film:
        stream = pictures(origin, video.path)
        sound = origin.streams.audio[0] if origin.streams.audio else None
        picture = film.add_stream("libx264", rate=1 / step_of(stream), options={"crf": "20"})
        times = pen.enlarging((video.width, video.height))
        # the colours are halved, so sides must be even
        picture.width, picture.height = (
            times * side + times * side % 2 for side in (video.width, video.height)
        )
        picture.pix_fmt = "yuv420p"
        base = picture.codec_context.time_base = stream.time_base
        copied = None if sound is None else film.add_stream_from_template(sound)
        packets = iter(()) if sound is None else _sound(origin, sound, stream)
        waiting = next(packets, None)
        shown: list[dict[Any, Any]] = []
        last = -1
        for number, frame in enumerate(video):
            if number in looked_at:
                shown = faces.get(number, [])
            while waiting is not None and float(waiting.pts * waiting.time_base) <= frame.time:
                waiting.stream = copied
                film.mux(waiting)
                waiting = next(packets, None)
            drawn = pen.draw(Image.fromarray(frame.image), shown, times)
            drawn = drawn.crop((0, 0, picture.width, picture.height))
            new = av.VideoFrame.from_image(drawn)
            last = max(last + 1, round(frame.time / base))
            new.pts, new.time_base = last, base
            film.mux(picture.encode(new))
        if (latest := max(looked_at, default=0)) > number:
            forget_parts(out)
            raise ValueError(
                f"table has frame {latest}, and {video.path!r} ends with {number}; it is the "
                "table of another film"
            )
        film.mux(picture.encode())
        while waiting is not None:
            waiting.stream = copied
            film.mux(waiting)
            waiting = next(packets, None)
    finish(out)
    forget_parts(out)


def check_sound(film: str, out: Path, argument: str = "out") -> None:
    """Refuse to draw a film into a container that cannot hold its sound."""
    av = import_extra("av", "video", "films need PyAV")
    with open_film(film) as origin:
        for sound in origin.streams.audio[:1]:
            try:  # its header alone
                with av.open(BytesIO(), "w", format=CONTAINERS[out.suffix.lower()]) as trial:
                    trial.add_stream_from_template(sound)
                    trial.start_encoding()
            except (av.error.FFmpegError, ValueError) as error:
                raise ValueError(
                    f"{argument}={str(out)!r}: a {out.suffix} file cannot hold the sound of "
                    f"{film!r} ({sound.name}); name a .mkv file, which holds any"
                ) from error


@contextmanager
def _named(out: Path) -> Iterator[None]:
    """Let errors of FFmpeg, such as of a full disk, name the film that is written."""
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as error:
        raise OSError(error.errno, error.strerror, str(out)) from error


def _sound(container: Any, stream: Any, beside: Any) -> Iterator[Any]:
    """Yield the packets of the sound, counted from the start of the film."""
    clock = Clock(container, stream, start_of(container, beside), _PACKET)
    for packet in container.demux(stream):
        if packet.dts is not None and packet.pts is not None:
            packet.pts = packet.dts = round(clock(packet) / stream.time_base)
            yield packet
