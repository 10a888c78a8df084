"""AUs of a film of ten minutes against one of one minute: peak memory and speed.

    python benchmarks/video.py [--minutes 1 10] [--size 128]

Rendered faces sway through a film of 640 x 480 pixels at 25 frames a second. Each film is scored
by ``predict_video`` in a process of its own, whose peak memory is read when it ends.
"""

import argparse
import resource
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
from _record import Record
from PIL import Image
from sklearn.pipeline import Pipeline, make_pipeline

from skau import IdenNetClassifier, predict_video
from skau.datasets import load_sample_faces
from skau.preprocessing import FaceCropper

HERE = Path(__file__).parent


def write_film(path: Path, minutes: float) -> None:
    """Let the sample faces sway, ten seconds each."""
    faces = load_sample_faces().images
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for k in range(round(minutes * 60 * 25)):
            if k % 250 == 0:
                face = Image.fromarray(faces[(k // 250) % len(faces)]).resize((320, 320))
            frame = Image.new("RGB", (640, 480), (120, 130, 140))
            frame.paste(face, (round(160 + 60 * np.sin(k / 25)), round(80 + 30 * np.sin(k / 18))))
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


def fitted(size: int) -> Pipeline:
    """Return a pipeline; how well it was trained does not matter here."""
    faces = load_sample_faces()
    rows = slice(0, 40)
    clf = IdenNetClassifier(identity_epochs=0, max_epochs=1, random_state=0)
    return make_pipeline(FaceCropper(size=size, on_missing="warn"), clf).fit(
        faces.images[rows], faces.target[rows], idennetclassifier__groups=faces.groups[rows]
    )


def score(film: Path, size: int) -> tuple[int, float, float]:
    """Return frames, seconds and the peak of the memory in MB."""
    model = fitted(size)
    start = time.perf_counter()
    table = predict_video(model, film)
    took = time.perf_counter() - start
    assert table["probability"].notna().mean() > 0.9
    return len(table), took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Score all films and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--size", type=int, default=128, help="of the crops")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "video.txt")
    options = parser.parse_args()
    record = Record(options.out)
    record.say(f"IdenNet, crops of {options.size} px, films of 640 x 480")
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            film = Path(folder) / f"{minutes:g}.mp4"
            write_film(film, minutes)
            with get_context("spawn").Pool(1) as pool:
                frames, took, peak = pool.apply(score, (film, options.size))
            peaks.append(peak)
            record.say(
                f"  {minutes:5g} minutes: {frames:6d} frames, {frames / took:6.1f} frames/s, peak "
                f"memory {peak:6.0f} MB, {peak / peaks[0]:.2f} of the first"
            )
    record.write()


if __name__ == "__main__":
    main()
