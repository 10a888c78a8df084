"""Films of rendered people, with and without their own frames or photos at rest.

    python benchmarks/calibration.py --corpus DIR [--skip 30] [--people 30] [--frames 24]

Each film shows two people side by side, whose pictures change every second frame. The open model
(or ``--model``) scores it as it is, calibrated to each person by all of their frames, and with
photos of each at rest; beside that stand the same photos, cut one by one, with ``groups=`` that
names the people as they are. F1 is the mean over AUs, at the model's own thresholds, of the frames
that are no photos at rest. The corpus is a folder with a CSV (image, subject, AU1, ...), and the
intensities AU1_c, ... by which the photos at rest are chosen; ``--skip`` leaves out the people on
whom anything of the model was chosen. Behind each gain stands its 95 % bootstrap interval, where
people are drawn anew.
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from _record import Record
from PIL import Image

import skau
from skau import predict_video
from skau.datasets import load_faces
from skau.preprocessing import Frame

HERE = Path(__file__).parent
SIDE, WIDTH, HEIGHT, RATE = 200, 480, 240, 25
HOLD = 2  # frames for which a picture stays
LEFT = {0: 20, 1: 260}
DRAWS = 1000


def film(pictures: tuple[list[Image.Image], ...]) -> Iterator[Frame]:
    """Yield a film of two people who sway while their pictures change."""
    for k in range(HOLD * len(pictures[0])):
        frame = Image.new("RGB", (WIDTH, HEIGHT), (120, 130, 140))
        for who, own in enumerate(pictures):
            place = LEFT[who] + 10 * np.sin(k / RATE + who), 20 + 8 * np.cos(1.3 * k / RATE)
            frame.paste(own[k // HOLD], (round(place[0]), round(place[1])))
        yield Frame(k / RATE, np.asarray(frame))


def rows_of(table: pd.DataFrame, who: int, aus: list[str], n: int) -> tuple[np.ndarray, int]:
    """Return the AUs of a person's pictures, (n, n_aus), and the number they have most often."""
    centre = (table["box_x1"] + table["box_x2"]) / 2
    own = table[(centre > WIDTH / 2) == bool(who)]
    own = own[own["frame"] % HOLD == HOLD - 1]  # each picture once
    values = own.set_index(own["frame"] // HOLD)[aus]
    values = values[~values.index.duplicated()].reindex(range(n))
    number = own["person"].mode()
    return values.to_numpy(), int(number.iloc[0]) if len(number) else -1


def main() -> None:
    """Score the films in each way, and tell the F1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--model", default="open-1", help="a file of skau.save, or a name")
    parser.add_argument("--skip", type=int, default=30)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rest", type=int, default=2, help="photos at rest of each")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "calibration.txt")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    model = (
        skau.load(options.model)
        if Path(options.model).exists()
        else skau.load_model(options.model)
    )
    model[0].set_params(on_missing="warn", n_jobs=1)
    faces = load_faces(options.corpus)
    thresholds = dict(zip(model[-1].au_names_, model[-1].thresholds_, strict=True))
    aus = [au for au in faces.au_names if au in thresholds]
    record = Record(options.out)
    people = list(dict.fromkeys(faces.groups))[options.skip :][: options.people // 2 * 2]
    record.say(
        f"{options.model}, {len(people)} people, {options.frames} pictures of each, {len(aus)} "
        f"AUs, {options.rest} photos at rest"
    )
    ways = ("as it is", "calibrate", "reference", "photos", "photos, groups=")
    said: dict[str, list[np.ndarray]] = {way: [] for way in ways}
    truth, groups, images, numbers = [], [], [], []
    for pair in zip(people[::2], people[1::2], strict=True):
        pictures, rest = [], []
        for who in pair:
            rows = np.flatnonzero(faces.groups == who)
            strength = faces.frame.iloc[rows][[f"{au}_c" for au in aus]].sum(axis=1).to_numpy()
            calm = rows[np.argsort(strength, kind="stable")[: options.rest]]
            rows = rows[~np.isin(rows, calm)][: options.frames]
            opened = [Image.open(faces.images[row]).convert("RGB") for row in rows]
            pictures.append([image.resize((SIDE, SIDE)) for image in opened])
            rest.append([str(faces.images[row]) for row in calm])
            truth.append(faces.target[aus].iloc[rows].to_numpy())
            groups += [who] * len(rows)
            images += [np.asarray(image) for image in pictures[-1]]
        n = min(len(own) for own in pictures)
        tables = {
            way: predict_video(
                model, film(tuple(pictures)), faces="all", calibrate=way == "calibrate", verbose=0
            )
            for way in ways[:2]
        }
        known = [rows_of(tables["as it is"], who, aus, n)[1] for who in (0, 1)]
        numbers.append(tables["as it is"]["person"].nunique())
        tables["reference"] = predict_video(
            model,
            film(tuple(pictures)),
            faces="all",
            reference=dict(zip(known, rest, strict=True)),
            verbose=0,
        )
        for way, table in tables.items():
            said[way] += [rows_of(table, who, aus, n)[0] for who in (0, 1)]
    names = list(model[-1].au_names_)
    columns = [names.index(au) for au in aus]
    crops = model[0].transform(np.stack(images))
    for way, how in (("photos", {}), ("photos, groups=", {"groups": np.array(groups)})):
        said[way].append(model[-1].predict_proba(crops, **how)[:, columns])
    y = np.concatenate(truth)
    who = np.unique(groups, return_inverse=True)[1]
    shown = {way: np.concatenate(said[way]) for way in ways}
    yes = {way: p >= [thresholds[au] for au in aus] for way, p in shown.items()}
    found = np.mean([np.isfinite(p).all(axis=1).mean() for p in shown.values()])
    record.say(f"faces found {100 * found:.1f} %; numbers of people in the films {numbers}")
    base = {"calibrate": "as it is", "reference": "as it is", "photos, groups=": "photos"}
    for way in ways:
        line = f"  {way:16s} F1 {f1(y, yes[way]):5.1f}"
        if way in base:
            low, high = gain(y, yes[way], yes[base[way]], who)
            line += f", {f1(y, yes[way]) - f1(y, yes[base[way]]):+.1f} [{low:+.1f}, {high:+.1f}]"
        record.say(line)
    record.write()


def f1(y: np.ndarray, yes: np.ndarray) -> float:
    """Return the mean F1 over AUs, in per cent."""
    hits = (y * yes).sum(axis=0)
    return 100 * float(np.mean(2 * hits / np.maximum(y.sum(axis=0) + yes.sum(axis=0), 1)))


def gain(
    y: np.ndarray, yes: np.ndarray, before: np.ndarray, who: np.ndarray
) -> tuple[float, float]:
    """Return the interval of a gain in F1 where people are drawn anew."""
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(who == person) for person in range(who.max() + 1)]
    drawn = []
    for _ in range(DRAWS):
        chosen = np.concatenate([rows[k] for k in rng.integers(len(rows), size=len(rows))])
        drawn.append(f1(y[chosen], yes[chosen]) - f1(y[chosen], before[chosen]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    main()
