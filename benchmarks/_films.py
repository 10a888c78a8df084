"""Films of rendered faces that move, so that who is where in each frame is known."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image

from skau.datasets import load_sample_faces
from skau.preprocessing import Frame

PEOPLE = {"a": "S003", "b": "S010"}
SIDE, WIDTH, HEIGHT, RATE = 200, 640, 480, 25
Places = dict[str, tuple[float, float]]


def stay(t: float) -> Places:
    """Two people who sway."""
    return {
        "a": (60 + 40 * np.sin(t), 120 + 20 * np.sin(1.3 * t)),
        "b": (380 + 40 * np.sin(0.9 * t), 130 + 20 * np.sin(t)),
    }


def one(t: float) -> Places:
    """One of them."""
    return {"a": stay(t)["a"]}


def nobody(t: float) -> Places:
    """Return nowhere."""
    return {}


def cross(t: float) -> Places:
    """Two people who change sides every ten seconds, one in front of the other."""
    way = 0.5 - 0.5 * np.cos(np.pi * t / 10)
    return {"a": (40 + 360 * way, 120.0), "b": (400 - 360 * way, 150.0)}


def leave(t: float) -> Places:
    """Two people, each of whom is away for five of every twenty seconds."""
    places = stay(t)
    if 5 <= t % 20 < 10:
        del places["a"]
    if 12 <= t % 20 < 17:
        del places["b"]
    return places


def frames(where: Callable[[float], Places], seconds: float, cuts: float = 0) -> Iterator[Frame]:
    """Yield a film; with ``cuts``, the scene and its light change so often, and people swap."""
    faces = load_sample_faces()
    rows = {who: np.flatnonzero(faces.groups == subject) for who, subject in PEOPLE.items()}
    for k in range(round(seconds * RATE)):
        t = k / RATE
        scene = int(t // cuts) if cuts else 0
        frame = Image.new("RGB", (WIDTH, HEIGHT), [(120, 130, 140), (40, 60, 90)][scene % 2])
        for who, (x, y) in where(t).items():
            # a new expression every two seconds
            face = faces.images[rows[who][int(t // 2) % len(rows[who])]]
            x = WIDTH - SIDE - x if scene % 2 else x
            frame.paste(Image.fromarray(face).resize((SIDE, SIDE)), (round(x), round(y)))
        yield Frame(t, np.asarray(frame))


def clouds(seconds: float, length: int = 0) -> Iterator[Frame]:
    """Yield a film in which all moves; a face is there for so many frames each second."""
    rng = np.random.RandomState(0)
    coarse = [
        Image.fromarray(rng.randint(0, 256, (2 * HEIGHT // n, 2 * WIDTH // n, 3), np.uint8))
        for n in (8, 32)
    ]
    wide = np.mean([np.asarray(c.resize((2 * WIDTH, 2 * HEIGHT))) for c in coarse], axis=0)
    for k, frame in enumerate(flashes(seconds, length)):
        x = 4 * k % WIDTH
        image = wide[:HEIGHT, x : x + WIDTH].astype(np.uint8)
        face = (frame.image != (120, 130, 140)).any(axis=2)
        image[face] = frame.image[face]
        yield Frame(frame.time, image)


def flashes(seconds: float, length: int) -> Iterator[Frame]:
    """Yield a film of an empty room where a face is seen for so many frames each second."""

    def place(t: float) -> Places:
        number = round(t * RATE)
        return one(t) if 7 <= number % RATE < 7 + length else {}

    return frames(place, seconds)


def write_film(path: Path, shown: Iterator[Frame]) -> None:
    """Write a film."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in shown:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
        container.mux(stream.encode())
