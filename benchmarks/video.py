"""Films: speed with no, one and two faces, who is who, faces in a flash, head pose, memory.

    python benchmarks/video.py [--only speed people flash pose memory] [--minutes 1 10] \
        [--seconds 20] [--size 128]

Rendered faces move through films of 640 x 480 pixels at 25 frames a second, so what is in them
is known. Speed is told as a ratio to searching every frame as a whole; memory is that of films of
some minutes, each scored in a process of its own.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _films import (
    HEIGHT,
    RATE,
    SIDE,
    WIDTH,
    Places,
    clouds,
    cross,
    flashes,
    frames,
    leave,
    nobody,
    one,
    stay,
    write_film,
)
from _record import Record
from PIL import Image
from sklearn.pipeline import Pipeline, make_pipeline

from skau import IdenNetClassifier, predict_images, predict_video
from skau.datasets import load_sample_faces
from skau.datasets._rendering import _people
from skau.preprocessing import FaceCropper, head_pose, read_video

HERE = Path(__file__).parent


def fitted(size: int) -> Pipeline:
    """Return a pipeline; how well it was trained does not matter here."""
    faces = load_sample_faces()
    rows = slice(0, 40)
    clf = IdenNetClassifier(identity_epochs=0, max_epochs=1, random_state=0)
    return make_pipeline(FaceCropper(size=size, on_missing="warn"), clf).fit(
        faces.images[rows], faces.target[rows], idennetclassifier__groups=faces.groups[rows]
    )


def peak(film: Path, size: int) -> tuple[int, float, float]:
    """Return frames, seconds and the peak of the memory in MB."""
    model = fitted(size)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, after the fit
    start = time.perf_counter()
    table = predict_video(model, film, verbose=0)
    took = time.perf_counter() - start
    assert table["probability"].notna().mean() > 0.9
    # Not getrusage, whose peak a new process takes over from the one that started it.
    status = Path("/proc/self/status").read_text()
    return len(table), took, int(status.partition("VmHWM:")[2].split()[0]) / 1024


def compare_speed(record: Record, model: Pipeline, seconds: float) -> None:
    """Time films against the same frames as photos, each of which is searched as a whole."""
    record.say("frames a second (ratio to a search of every whole frame, in the same run)")
    for name, shown, faces in (
        ("one face", frames(one, seconds), "largest"),
        ("no face", frames(nobody, seconds), "largest"),
        ("no face, all moves", clouds(seconds), "largest"),
        ("one face, all wanted", frames(one, seconds), "all"),
        ("two faces, all wanted", frames(stay, seconds), "all"),
    ):
        film = list(shown)
        images = [Image.fromarray(frame.image) for frame in film]
        took = []
        for run in (
            lambda f=film, w=faces: predict_video(model, iter(f), faces=w, verbose=0),
            lambda f=images, w=faces: predict_images(model, f, faces=w, verbose=0),
        ):
            start = time.perf_counter()
            run()
            took.append(time.perf_counter() - start)
        record.say(
            f"  {name:22s} {len(film) / took[0]:6.1f} ({took[1] / took[0]:.1f}), searched "
            f"{len(film) / took[1]:6.1f}"
        )


def follow_people(record: Record, model: Pipeline, seconds: float) -> None:
    """Count how often a person's number changes, and the faces that a full search finds."""
    record.say("who is who: changes of the number a minute of film (people found, of two)")
    for name, where, cuts in (
        ("two who stay", stay, 0),
        ("two who cross", cross, 0),
        ("leave and return", leave, 0),
        ("stay, cuts, sides swap", stay, 7),
        ("cross, one followed", cross, 0),
    ):
        film = list(frames(where, seconds, cuts))
        wanted = "largest" if "one" in name else "all"
        table = predict_video(model, iter(film), faces=wanted, verbose=0)
        known = table[table["face"].notna()].copy()
        known["truth"] = _whose(known, where, cuts)
        switches = {
            column: sum(_changes(rows[column]) for _, rows in known.groupby("truth"))
            for column in ("face", "person")
        }
        mixed = (known.groupby("person")["truth"].nunique() > 1).sum()
        some = list(range(0, len(film), 5))
        found = known.groupby("frame").size()
        kept = sought = 0
        if wanted == "all":
            images = [Image.fromarray(film[k].image) for k in some]
            full = predict_images(model, images, faces="all", verbose=0)
            for k, n in full.groupby("image")["face"].count().items():
                sought += n
                kept += min(n, found.get(some[k], 0))
        minutes = seconds / 60
        record.say(
            f"  {name:22s} person {switches['person'] / minutes:5.1f}, face "
            f"{switches['face'] / minutes:5.1f} ({known['person'].nunique()} people, {mixed} of "
            f"them mixed)"
            + (f"; {kept} of the {sought} faces that a full search finds" if sought else "")
        )


def find_flashes(record: Record, model: Pipeline, seconds: float) -> None:
    """Count the frames of faces that come and go, nobody else being there."""
    record.say("faces that are there for some frames each second, of those a full search finds")
    for name, shown in (("the rest is still", flashes), ("all moves", clouds)):
        told = []
        for length in (1, 2, 3, 4, 8):
            with tempfile.TemporaryDirectory() as folder:
                film = Path(folder) / "film.mp4"
                write_film(film, shown(seconds, length))
                table = predict_video(model, film, verbose=0)
                there = [k for k in table["frame"] if 7 <= k % RATE < 7 + length]
                images = [frame.image for k, frame in enumerate(read_video(film)) if k in there]
            full = predict_images(model, images, verbose=0)["face"].notna().to_numpy()
            found = table["face"].notna().to_numpy()[there]
            told.append(f"{length}: {(found & full).sum()} of {full.sum()}")
        record.say(f"  {name:22s} {', '.join(told)}")


def _whose(table: pd.DataFrame, where: Callable[[float], Places], cuts: float) -> list[str]:
    whose = []
    for row in table.itertuples():
        t = row.frame / RATE
        swapped = cuts and int(t // cuts) % 2
        far = {}
        for who, (x, y) in where(t).items():
            x = WIDTH - SIDE - x if swapped else x
            far[who] = abs((row.box_x1 + row.box_x2) / 2 - x - SIDE / 2)
            far[who] += abs((row.box_y1 + row.box_y2) / 2 - y - SIDE / 2)
        whose.append(min(far, key=far.get))
    return whose


def _changes(numbers: pd.Series) -> int:
    return sum(a != b for a, b in pairwise(numbers.tolist()))


def measure_pose(record: Record, n_people: int) -> None:
    """Compare head poses with those that the renderer drew."""
    poses: list[Any] = []
    draw = _people.render

    def noting(look: Any, rest: Any, head: Any, folds: Any, scene: Any, size: int) -> Any:
        poses.append(np.degrees([scene.yaw, scene.pitch, scene.roll]))
        return draw(look, rest, head, folds, scene, size)

    _people.render = noting
    try:
        shape = (5, 160, 160, 3)
        drawn = [
            _people.draw_subject(99, k, [1, 4, 12, 25], shape, 2.5)[0] for k in range(n_people)
        ]
    finally:
        _people.render = draw
    table = FaceCropper(on_missing="warn").detect(np.concatenate(drawn))
    truth = np.array(poses)
    rows = (np.abs(truth) <= 30).all(axis=1) & table["probability"].notna().to_numpy()
    points = table.loc[rows, "left_eye_x":"mouth_right_y"].to_numpy().reshape(-1, 5, 2)
    error = np.abs(head_pose(points) - truth[rows])
    yaw, pitch, roll = np.median(error, axis=0)
    record.say(
        f"head pose within 30 degrees, {rows.sum()} renders: median error yaw {yaw:.1f}, pitch "
        f"{pitch:.1f}, roll {roll:.1f} degrees; 90 % within "
        + ", ".join(f"{e:.1f}" for e in np.percentile(error, 90, axis=0))
    )


def measure_memory(record: Record, minutes: list[float], size: int) -> None:
    """Score films of several lengths, each in a process of its own."""
    record.say("memory")
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for length in minutes:
            film = Path(folder) / f"{length:g}.mp4"
            write_film(film, frames(one, 60 * length))
            with get_context("spawn").Pool(1) as pool:
                n, took, most = pool.apply(peak, (film, size))
            peaks.append(most)
            record.say(
                f"  {length:5g} minutes: {n:6d} frames, {n / took:6.1f} frames/s, peak "
                f"memory {most:6.0f} MB, {most / peaks[0]:.2f} of the first"
            )


def main() -> None:
    """Measure, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ["speed", "people", "flash", "pose", "memory"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--seconds", type=float, default=20, help="of the other films")
    parser.add_argument("--people", type=int, default=40, help="rendered for the pose")
    parser.add_argument("--size", type=int, default=128, help="of the crops")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "video.txt")
    options = parser.parse_args()
    record = Record(options.out)
    record.say(f"IdenNet, crops of {options.size} px, films of {WIDTH} x {HEIGHT}")
    model = fitted(options.size)
    if "speed" in options.only:
        compare_speed(record, model, options.seconds)
    if "people" in options.only:
        follow_people(record, model, 2 * options.seconds)
    if "flash" in options.only:
        find_flashes(record, model, options.seconds / 2)
    if "pose" in options.only:
        measure_pose(record, options.people)
    if "memory" in options.only:
        measure_memory(record, options.minutes, options.size)
    record.write()


if __name__ == "__main__":
    main()
