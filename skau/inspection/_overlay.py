"""Films and photos with the faces, who they are and their AUs drawn in."""

from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from ..preprocessing import Video, read_image, read_video
from ..preprocessing._images import READ_ERRORS
from ..preprocessing._storage import begin, check_out, finish, forget_parts
from ..utils._extras import import_extra
from ..utils._formats import BOX, au_columns, thresholds_of
from ._plotting import COLOURS

__all__ = ["draw_overlay"]

FILM_ENDINGS = ".mp4", ".mkv", ".mov", ".m4v"  # of containers for H.264 and any sound
LEAST, STEP = 9, 1.2  # pixels of the letters; a bar's height by theirs


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
        From :func:`skau.predict_video` of the film, or :func:`skau.predict_images` of paths. A
        frame that was left out by ``every`` or ``fps`` shows what the last one showed.
    source : path-like or Video, or list of paths
        The film, or the photos. A list of paths, even of one, is photos.
    out : path-like
        The film to write (H.264, with the sound of ``source`` as it is), in a container of the
        ending: ``.mp4``, ``.mkv``, ``.mov``; it is there when it is whole. Of photos, a folder;
        it is made if need be. Photos keep their names; where two share one, the second gets
        ``-2`` added, formats that Pillow only reads become PNG, and photos that are lower than the
        bars are enlarged.
    aus : list of str, default=None
        The columns to draw. None draws all AUs.
    threshold : float, dict, Series or array-like, default=None
        Above this probability a bar is drawn strong: one number, one an AU in their order,
        or by name. None is the model's own, which a table of skau remembers
        (``table.attrs["thresholds"]``); 0.5 where it does not.

    Raises
    ------
    ImportError
        If PyAV is not installed (extra ``video``); of films only.
    ValueError
        If the table does not fit the source, ``out`` is the source or has another ending, or a
        column is not there.
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
    if missing := sorted({place, "person", *BOX, *names} - set(table)):
        raise ValueError(
            f"table has no column {', '.join(missing)}; it must come from "
            f"{'predict_images' if photos else 'predict_video'}"
        )
    pen = _Pen(names, thresholds_of(table, threshold, names).tolist())
    found = table[table["probability"].notna()]
    faces: dict[Any, list[dict[Any, Any]]] = {}
    for row in found[[place, "person", *BOX, *names]].to_dict("records"):
        faces.setdefault(row[place], []).append(row)
    if photos:
        _draw_photos([fspath(path) for path in source], faces, pen, Path(fspath(out)))
    else:
        check_out(out, *FILM_ENDINGS)
        video = source if isinstance(source, Video) else read_video(source)
        if Path(fspath(out)).exists() and Path(fspath(out)).samefile(video.path):
            raise ValueError(f"out={fspath(out)!r} is the film itself; give another file")
        _draw_film(video, table["frame"].unique(), faces, pen, Path(fspath(out)))


class _Pen:
    """Draw faces into an image."""

    def __init__(self, names: list[str], thresholds: list[float]) -> None:
        self.names, self.thresholds = names, dict(zip(names, thresholds, strict=True))

    def with_room(
        self, image: Image.Image, faces: list[dict[Any, Any]]
    ) -> tuple[Image.Image, list[dict[Any, Any]]]:
        """Return a photo and its faces, enlarged if it is lower than the bars."""
        factor = -(-round(STEP * LEAST * len(self.names)) // image.height)
        if factor <= 1:
            return image, faces
        faces = [face | {edge: factor * face[edge] for edge in BOX} for face in faces]
        size = factor * image.width, factor * image.height
        return image.resize(size, Image.Resampling.BICUBIC), faces

    def draw(self, image: Image.Image, faces: list[dict[Any, Any]]) -> Image.Image:
        """Return the image with the faces drawn in."""
        image = image.copy()
        canvas = ImageDraw.Draw(image, "RGBA")
        size = max(LEAST, round(min(image.size) / 45))
        font = ImageFont.load_default(size)
        for face in faces:
            colour = COLOURS[int(face["person"]) % len(COLOURS)]
            box = [float(face[edge]) for edge in BOX]
            canvas.rectangle(box, outline=colour, width=max(1, size // 6))
            label = f" {face['person']} "
            length = canvas.textlength(label, font)
            canvas.rectangle([box[0], box[1] - 1.3 * size, box[0] + length, box[1]], fill=colour)
            canvas.text((box[0], box[1] - 1.25 * size), label, fill="white", font=font)
            self._bars(canvas, image.size, face, box, size, font, colour)
        return image

    def _bars(
        self, canvas: Any, extent: tuple[int, int], face: dict[Any, Any], box: list[float],
        size: int, font: Any, colour: str,
    ) -> None:  # fmt: skip
        """Draw the AUs as bars beside the box."""
        names = [name for name in self.names if not np.isnan(face[name])]
        if not names:
            return
        step = STEP * size
        words = max(canvas.textlength(name, font) for name in names) + 0.4 * size
        width = words + 4.4 * size
        room = box[0], extent[0] - box[2]
        right = box[0] + box[2] >= extent[0]  # outwards, away from the others, if there is room
        if room[right] < width:
            right = room[1] >= room[0]
        left = box[2] + 0.3 * size if right else box[0] - width - 0.3 * size
        left = float(np.clip(left, 0, max(0.0, extent[0] - width)))
        top = float(np.clip(box[1], 0, max(0.0, extent[1] - step * len(names))))
        edge = [left, top, left + width, top + step * len(names)]
        canvas.rectangle(edge, fill=(0, 0, 0, 110))
        for k, name in enumerate(names):
            y, p = top + k * step, float(face[name])
            canvas.text((left + 0.2 * size, y), name, fill="white", font=font)
            start = left + words
            strong = p > self.thresholds[name]
            canvas.rectangle([start, y + 0.2 * size, start + 4 * size, y + size],
                             fill=(255, 255, 255, 50))  # fmt: skip
            canvas.rectangle([start, y + 0.2 * size, start + 4 * size * p, y + size],
                             fill=colour if strong else (200, 200, 200, 160))  # fmt: skip
            limit = start + 4 * size * self.thresholds[name]
            canvas.line([limit, y + 0.2 * size, limit, y + size], fill="white")


def _draw_photos(
    paths: list[str], faces: dict[Any, list[dict[Any, Any]]], pen: _Pen, out: Path
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for path in dict.fromkeys(paths):
        try:
            image = read_image(path)
        except READ_ERRORS:
            continue  # predict_images has said so
        target = _free(out / _written_as(Path(path)), taken)
        if target.exists() and target.samefile(path):
            raise ValueError(f"out={str(out)!r} is the folder of the photos; give another one")
        pen.draw(*pen.with_room(image, faces.get(path, []))).save(target, quality=95)


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


def _draw_film(
    video: Video, looked_at: np.ndarray, faces: dict[Any, list[dict[Any, Any]]], pen: _Pen,
    out: Path,
) -> None:  # fmt: skip
    """Encode the film anew; its sound is copied packet by packet."""
    av = import_extra("av", "video", "films need PyAV")
    seen = set(looked_at.tolist())
    with av.open(video.path) as origin, av.open(str(begin(out)), "w") as film:
        sound = origin.streams.audio[0] if origin.streams.audio else None
        rate = origin.streams.video[0].average_rate or 25
        picture = film.add_stream("libx264", rate=rate, options={"crf": "20"})
        # the colours are halved, so sides must be even
        picture.width, picture.height = (side + side % 2 for side in (video.width, video.height))
        picture.pix_fmt = "yuv420p"
        base = picture.codec_context.time_base = origin.streams.video[0].time_base
        copied = None if sound is None else film.add_stream_from_template(sound)
        packets = iter(()) if sound is None else _sound(origin, sound)
        waiting = next(packets, None)
        shown: list[dict[Any, Any]] = []
        for number, frame in enumerate(video):
            if number in seen:
                shown = faces.get(number, [])
            while waiting is not None and float(waiting.pts * waiting.time_base) <= frame.time:
                waiting.stream = copied
                film.mux(waiting)
                waiting = next(packets, None)
            drawn = pen.draw(Image.fromarray(frame.image), shown)
            drawn = drawn.crop((0, 0, picture.width, picture.height))
            new = av.VideoFrame.from_image(drawn)
            new.pts, new.time_base = round(frame.time / base), base
            film.mux(picture.encode(new))
        film.mux(picture.encode())
        while waiting is not None:
            waiting.stream = copied
            film.mux(waiting)
            waiting = next(packets, None)
    finish(out)
    forget_parts(out)


def _sound(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of the sound, counted from the start of the picture."""
    first = container.streams.video[0]
    start = (first.start_time or 0) * first.time_base
    shift = round(start / stream.time_base)
    for packet in container.demux(stream):
        if packet.dts is not None and packet.pts is not None:
            packet.pts -= shift
            packet.dts -= shift
            yield packet
