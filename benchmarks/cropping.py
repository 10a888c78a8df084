"""FaceCropper against facenet-pytorch's MTCNN: speed, landmarks, recall, accuracy.

    python benchmarks/cropping.py [--photos DIR] [--n 48] [--threads 2] [--parts photos frames]

Every ratio is between two measurements of this run, on the same files, reading included.  On a
machine that does other work, trust the ratio of processor time, with --threads 1, so that waiting
threads do not count.  DIR holds ``faces.csv`` (with columns image, left_eye_x, ... of the pupils;
the left eye is the one on the left of the image) and the photos that it names.  Without PyAV, the
video part is left out.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _record import Record
from facenet_pytorch import MTCNN
from PIL import Image, ImageFilter

from skau.preprocessing import FaceCropper, eye_matrix, read_video

HERE = Path(__file__).parent
POINTS = [f"{p}_{c}" for p in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
          for c in "xy"]  # fmt: skip
EYES = POINTS[:4]
PARTS = ("photos", "film", "frames", "accuracy")


def timed(job: Callable, *args: object) -> tuple[np.ndarray, object]:
    """Return the seconds by the clock and of the processors, and the result."""
    start = time.perf_counter(), time.process_time()
    result = job(*args)
    return np.array([time.perf_counter(), time.process_time()]) - start, result


def one_by_one(mtcnn: MTCNN, images: list[Image.Image | Path]) -> np.ndarray:
    """Return the points (n, 5, 2) of the largest face; NaN where there is none."""
    points = np.full((len(images), 5, 2), np.nan)
    for i, image in enumerate(images):
        if isinstance(image, Path):
            image = Image.open(image).convert("RGB")
        _, _, found = mtcnn.detect(image, landmarks=True)
        if found is not None:
            points[i] = found[0].astype(float)
    return points


def compare(say: Callable, name: str, paths: list[Path], rounds: int) -> None:
    """Time photos."""
    mtcnn, cropper = MTCNN(), FaceCropper(on_missing="warn")
    one_by_one(mtcnn, paths[:2]), cropper.transform(paths[:8])
    seconds: dict[str, list[np.ndarray]] = {"mtcnn": [], "detect": [], "transform": []}
    for _ in range(rounds):  # in turns, so that other load on the machine hits all alike
        took, theirs = timed(one_by_one, mtcnn, paths)
        seconds["mtcnn"].append(took)
        took, table = timed(cropper.detect, paths)
        seconds["detect"].append(took)
        seconds["transform"].append(timed(cropper.transform, paths)[0])
    best = {key: np.min(values, axis=0) for key, values in seconds.items()}
    say(f"\n{name}: {len(paths)} JPEG files, best of {rounds} rounds")
    for key in seconds:
        report(say, key, len(paths), best[key], best["mtcnn"])
    differences(say, theirs, table[POINTS].to_numpy().reshape(-1, 5, 2))


def report(say: Callable, name: str, n: int, took: np.ndarray, theirs: np.ndarray) -> None:
    """Say how fast something was."""
    clock, processor = theirs / took
    say(f"  {name:10s}{n / took[0]:7.1f} images/s {clock:7.1f}x    "
        f"{1000 * took[1] / n:7.1f} ms of processor time an image {processor:7.1f}x")  # fmt: skip


def differences(say: Callable, theirs: np.ndarray, ours: np.ndarray) -> None:
    """Say how far the landmarks are from each other."""
    iod = np.linalg.norm(theirs[:, 0] - theirs[:, 1], axis=1)
    far = 100 * np.linalg.norm(theirs - ours, axis=2) / iod[:, None]
    far = far[~np.isnan(far).any(axis=1)]
    for name, of_face in (("mean", far.mean(axis=1)), ("worst", far.max(axis=1))):
        say(f"  {name} landmark's difference, % of inter-ocular distance, {len(far)} faces: "
            f"{np.median(of_face):.2f} median, {of_face.max():.2f} worst")  # fmt: skip


def accuracy(say: Callable, folder: Path) -> None:
    """Say how many faces are found and how far their eyes are from the marked ones."""
    faces = pd.read_csv(folder / "faces.csv")
    paths = [folder / image for image in faces["image"]]
    cropper = FaceCropper(on_missing="warn")
    table = cropper.detect(paths)
    say(f"\nAccuracy: a face in {len(paths) - len(cropper.missing_)} of {len(paths)} photos")
    pupils = faces[EYES].to_numpy().reshape(-1, 2, 2)
    error = table[EYES].to_numpy().reshape(-1, 2, 2) - pupils
    error = np.linalg.norm(error, axis=2).mean(1)
    error = 100 * error / np.linalg.norm(pupils[:, 0] - pupils[:, 1], axis=1)
    error = error[~np.isnan(error)]
    say(f"  eyes to marked pupils, % of inter-ocular distance, {len(error)} photos: "
        f"{np.median(error):.1f} median, {error.max():.1f} worst")  # fmt: skip
    off = []
    for i in np.flatnonzero(~np.isnan(pupils).any(axis=(1, 2))):
        matrix = eye_matrix(table.loc[i, POINTS].to_numpy(float).reshape(5, 2), 128)
        places = pupils[i] + 0.5 - matrix[:, 2]
        off.append(np.linalg.solve(matrix[:, :2], places.T).mean(axis=1) - [64, 40])
    off = np.linalg.norm(off, axis=1)
    say(f"  marked pupils in the 128 px crops: mid-point {np.median(off):.2f} px from the "
        f"template (median), {off.max():.2f} (worst)")  # fmt: skip
    # The detector needs the surroundings of a face: the same crops, a quarter wider all round.
    wider = FaceCropper(size=192, margin=0.25).transform(table)
    again = cropper.detect(wider)[EYES].to_numpy().reshape(-1, 2, 2)
    off = np.linalg.norm(again.mean(axis=1) - [95.5, 71.5], axis=1)
    tilt = np.abs(again[:, 0, 1] - again[:, 1, 1])
    say(
        f"  eyes found again in wider crops of that scale: mid-point {np.median(off):.2f} px "
        f"from the template (median), {off.max():.2f} (worst), tilt {np.median(tilt):.2f} px"
    )


def film(path: Path, photos: list[Path], size: tuple[int, int], frames: int) -> None:
    """Write a film in which each photo sways, nods and comes nearer for some frames."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for photo in photos:
            image = Image.open(photo).convert("RGB")
            for k in range(frames):
                zoom = image.height / size[1] / (1 + 0.15 * np.sin(k / 17))
                turn = 0.12 * np.sin(k / 11)
                a, b = zoom * np.cos(turn), zoom * np.sin(turn)
                x = image.width / 2 + 25 * np.sin(k / 9) - (a * size[0] + b * size[1]) / 2
                y = image.height / 2 + 12 * np.sin(k / 7) - (-b * size[0] + a * size[1]) / 2
                frame = image.transform(
                    size, Image.Transform.AFFINE, (a, b, x, -b, a, y), Image.Resampling.BICUBIC
                )
                container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


def compare_video(say: Callable, path: Path) -> None:
    """Time a film."""
    mtcnn, cropper = MTCNN(), FaceCropper(on_missing="warn")
    video = read_video(path)
    cropper.transform(video)

    def frames() -> np.ndarray:
        return one_by_one(mtcnn, [Image.fromarray(frame.image) for frame in video])

    theirs_took, theirs = timed(frames)
    ours_took, crops = timed(cropper.transform, video)
    table = cropper.detect(video)
    say(f"\nVideo, {video.width} x {video.height}, {len(crops)} frames, decoding included")
    report(say, "mtcnn", len(crops), theirs_took, theirs_took)
    report(say, "transform", len(crops), ours_took, theirs_took)
    say(f"  no face in {len(cropper.missing_)} frames")
    differences(say, theirs, table[POINTS].to_numpy().reshape(-1, 5, 2))


def clouds(seed: int, width: int, height: int, power: float = 1.2) -> Image.Image:
    """Return noise whose power falls with the frequency, as in natural scenes."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(width), np.fft.fftfreq(height)))
    frequency[0, 0] = 1
    noise = rng.normal(size=(3, height, width))
    scene = np.fft.ifft2(np.fft.fft2(noise) / frequency**power).real
    scene = 127 + 50 * scene / scene.std()
    return Image.fromarray(scene.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))


def blocks(width: int, height: int) -> Image.Image:
    """Return coloured rectangles over each other."""
    rng = np.random.default_rng(0)
    image = Image.new("RGB", (width, height))
    for _ in range(400):
        corner = (rng.uniform(-0.1, 0.98, 2) * [width, height]).astype(int)
        side = (rng.uniform(0.01, 0.28, 2) * height).astype(int).clip(1)
        image.paste(tuple(rng.integers(0, 256, 3).tolist()), (*corner, *(corner + side)))
    return image


def scenes(photo: Image.Image, width: int, height: int) -> dict[str, Image.Image]:
    """Return frames: the first ones, whose names begin with "photo", hold a face."""
    found = {}
    for name, side in (("photo", height), ("photo of half", height // 2)):
        found[name] = clouds(5, width, height)
        face = photo.resize((side, side), Image.Resampling.BICUBIC)
        found[name].paste(face, ((width - side) // 2, (height - side) // 2))
    y, x = np.mgrid[:height, :width] / height
    ramp = np.stack([90 + 68 * x, 120 + 90 * y, 140 - 54 * x], axis=-1).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return found | {
        "one colour": Image.new("RGB", (width, height), (120, 130, 140)),
        "ramp": Image.fromarray(ramp),
        "blocks": blocks(width, height),
        "clouds": clouds(0, width, height),
        "rough clouds": clouds(1, width, height, 1.0),
        "white noise": Image.fromarray(noise),
        "blurred noise": Image.fromarray(noise).filter(ImageFilter.GaussianBlur(height / 180)),
    }


def frames(say: Callable, photo: Path, rounds: int) -> None:
    """Time frames of several sizes with a face and without one, in one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    mtcnn, cropper = MTCNN(), FaceCropper(on_missing="warn", n_jobs=1)
    say(f"\nFrames, one thread, processor time, best of {rounds} rounds")
    for width, height in ((160, 160), (960, 540), (1920, 1080)):
        say(f"  {width} x {height}")
        n = max(3, 1920 // height)  # images of a call
        times: dict[str, np.ndarray] = {}
        for name, scene in scenes(Image.open(photo).convert("RGB"), width, height).items():
            jobs = (cropper.detect, partial(one_by_one, mtcnn))
            seconds = [[timed(job, [scene] * n)[0][1] for job in jobs] for _ in range(rounds)]
            times[name] = own, theirs = 1000 * np.min(seconds, axis=0) / n
            say(f"    {name:16s}{own:7.1f} ms, mtcnn {theirs:7.1f} ms, {theirs / own:6.1f}x; "
                f"{(n - len(cropper.missing_)) // n} face")  # fmt: skip
        empty = [took for name, took in times.items() if not name.startswith("photo")]
        slowest = max(own for own, _ in empty)
        worst = max(own / theirs for own, theirs in empty)
        say(f"    without a face, at most {worst:.2f} of mtcnn on the same frame, "
            f"{slowest / times['photo'][0]:.1f} of a photo, "
            f"{slowest / times['photo of half'][0]:.1f} of one of half the height")  # fmt: skip
    torch.set_num_threads(before)


def main() -> None:
    """Run all parts and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = HERE.parents[1] / "shared" / "london"
    parser.add_argument("--photos", type=Path, default=shared)
    parser.add_argument("--n", type=int, default=48, help="photos to time")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "cropping.txt")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if not (options.photos / "faces.csv").exists():
        parser.error(f"{options.photos} has no faces.csv: give a folder of photos with --photos")
    record = Record(options.out)
    say = record.say
    table = pd.read_csv(options.photos / "faces.csv")
    every = max(1, len(table) // options.n)
    small = [options.photos / image for image in table["image"][::every][: options.n]]
    with tempfile.TemporaryDirectory() as folder:
        if "photos" in options.parts:
            large = []
            for photo in small:
                image = Image.open(photo).convert("RGB")
                width, height = (round(2.5 * side) for side in image.size)
                large.append(Path(folder) / f"{len(large)}.jpg")
                image.resize((width, height), Image.Resampling.BICUBIC).save(large[-1], quality=90)
            compare(say, f"Photos of {width} px", large, options.rounds)
            compare(say, "Photos as they are", small, options.rounds)
        if "film" in options.parts:
            try:
                film(Path(folder) / "film.mp4", small[:4], (640, 480), 75)
            except ImportError:
                say("\nVideo: left out, PyAV is not installed")
            else:
                compare_video(say, Path(folder) / "film.mp4")
    if "frames" in options.parts:
        frames(say, small[0], options.rounds)
    if "accuracy" in options.parts:
        accuracy(say, options.photos)
    record.write()


if __name__ == "__main__":
    main()
