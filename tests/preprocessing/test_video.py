"""Reading films frame by frame, and following a face through them."""

import os
import struct
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageDraw

from skau.preprocessing import FaceCropper, Video, read_video

av = pytest.importorskip("av")


def _encode(path, frames, options=None, rate=10, *, codec="libx264", bf=None, start=0, shape=None):
    """Write RGB frames of one size, the first at a time, of pixels of a shape."""
    own = {"crf": "12"} if codec == "libx264" else {}
    own |= {} if bf is None else {"bf": str(bf)}
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=own)
        height, width = np.shape(frames)[1:3] if len(frames) else (96, 128)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = start + number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def film(photos, tmp_path_factory):
    """Sixteen frames in which a face wanders, with two frames without one in the middle."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    frames = [Image.new("RGB", (256, 192), (120, 130, 140)) for _ in range(16)]
    for k, frame in enumerate(frames):
        if k not in (8, 9):
            frame.paste(Image.fromarray(photos[0]), (20 + 6 * k, 20 + 2 * k))
    _encode(path, [np.asarray(frame) for frame in frames])
    return path


def test_frames_and_times(film):
    video = read_video(film)
    assert (video.width, video.height, video.n_frames) == (256, 192, 16)
    assert video.frame_rate == pytest.approx(10)
    for _ in range(2):  # it can be read again
        frames = list(video)
        assert [frame.image.shape for frame in frames] == [(192, 256, 3)] * 16
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(16) / 10, atol=1e-6)


# a and b, c and d of the matrix in an MP4 track's header that turns counter-clockwise
TURNS = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}


@pytest.mark.parametrize("degrees", TURNS)
def test_rotated_films_come_upright(tmp_path, degrees):
    # As phones do: the pixels lie on their side, and the header says how to turn them upright.
    # ffmpeg -i turned.mp4 turned.png shows the same four colours at the same corners.
    upright = np.zeros((96, 128, 3), np.uint8)
    upright[:48, :64], upright[:48, 64:], upright[48:, :64] = [220, 0, 0], [0, 200, 0], [0, 0, 210]
    path = tmp_path / "turned.mp4"
    _encode(path, [np.ascontiguousarray(np.rot90(upright, -degrees // 90))] * 3)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # after the type, the flags and forty bytes
    assert struct.unpack_from(">9i", data, matrix) == (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    a, b, c, d = (k << 16 for k in TURNS[degrees])
    struct.pack_into(">9i", data, matrix, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    video = read_video(path)
    assert (video.width, video.height) == (128, 96)
    for frame in video:
        assert (
            np.abs(frame.image[8:-8:16, 8:-8:16].astype(int) - upright[8:-8:16, 8:-8:16]).max()
            < 30
        )


def test_times_count_from_the_first_frame(tmp_path, photos):
    for name in ("late.ts", "untimed.h264"):  # starts at 1.4 s or so; holds no times
        _encode(tmp_path / name, photos[:4], rate=25)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            times = [frame.time for frame in read_video(tmp_path / name)]
        np.testing.assert_allclose(times, np.arange(4) / 25, atol=1e-6)
        said = [str(w.message).partition("h264")[2] for w in told]
        assert said == ["' holds no times; 25 frames a second are taken for granted"] * (
            name == "untimed.h264"
        )


def _many(photos, n):
    return [photos[number % len(photos)] for number in range(n)]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_times_of_an_avi_whose_frames_are_not_stored_in_order(tmp_path, photos, codec):
    path = tmp_path / "camera.avi"
    _encode(path, _many(photos, 12), bf=2, rate=25, codec=codec)
    times = [frame.time for frame in read_video(path)]
    np.testing.assert_allclose(times, np.arange(12) / 25, atol=1e-6)


@pytest.mark.parametrize("later", [0, 100])
@pytest.mark.parametrize("ending", ["ts", "mpg"])
def test_joined_recordings_go_on_in_time(tmp_path, photos, ending, later):
    first, second, joined = (tmp_path / f"{name}.{ending}" for name in ("a", "b", "joined"))
    codec = "libx264" if ending == "ts" else "mpeg2video"
    _encode(first, _many(photos, 30), bf=0, rate=25, codec=codec)
    _encode(second, _many(photos, 10), bf=0, rate=25, codec=codec, start=25 * later)
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a packet that was not whole at the end of the first
        times = np.array([frame.time for frame in read_video(joined)])
    assert len(times) == 40
    np.testing.assert_allclose(np.diff(times), 1 / 25, atol=2e-3)


def test_times_count_from_the_sound_where_it_begins_earlier(tmp_path, photos):
    path = tmp_path / "late picture.mp4"
    with av.open(str(path), "w") as film:
        sound = film.add_stream("aac", rate=8000)
        picture = film.add_stream("libx264", rate=25, options={"bf": "0"})
        picture.height, picture.width = photos[0].shape[:2]
        picture.pix_fmt = "yuv420p"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        film.mux(sound.encode(silence))
        film.mux(sound.encode())
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(photos[number], format="rgb24")
            frame.pts, frame.time_base = 10 + number, Fraction(1, 25)
            film.mux(picture.encode(frame))
        film.mux(picture.encode())
    times = [frame.time for frame in read_video(path)]
    np.testing.assert_allclose(times, 0.4 + np.arange(4) / 25, atol=1e-6)


@pytest.mark.parametrize("ratio", [Fraction(4, 3), Fraction(8, 9), Fraction(1, 100)])
def test_pixels_are_made_square(tmp_path, ratio):
    circle = Image.new("RGB", (240, 240), "black")
    ImageDraw.Draw(circle).ellipse([40, 40, 200, 200], fill="white")
    seen = circle.resize((180, 240) if ratio > 1 else (240, 214))
    _encode(tmp_path / "old.mp4", [np.asarray(seen)] * 2, shape=ratio)
    image = next(iter(read_video(tmp_path / "old.mp4"))).image
    if ratio < 0.25:  # nobody means it
        assert image.shape[:2] == (214, 240)
        return
    assert image.shape[:2] == ((240, 240) if ratio > 1 else (241, 240))
    lit = image[..., 0] > 128
    assert lit.any(axis=0).sum() == pytest.approx(160, abs=2)
    assert lit.any(axis=1).sum() == pytest.approx(160, abs=2)


def test_a_cover_is_no_film(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as song:
        sound, cover = song.add_stream("aac", rate=8000), song.add_stream("mjpeg", rate=1)
        cover.disposition = av.stream.Disposition.attached_pic.value
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        song.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        song.mux(sound.encode(silence))
        song.mux(sound.encode())
    with pytest.raises(
        OSError, match=r"song.mp4' holds no video, just a picture beside the sound"
    ):
        read_video(path)


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_the_readable_frames_of_a_damaged_film(tmp_path, damage):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (20, 12, 16, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    whole, path = tmp_path / "whole.mp4", tmp_path / "damaged.mp4"
    _encode(whole, frames, {"movflags": "faststart"})  # the index comes first
    data = bytearray(whole.read_bytes())
    if damage == "cut":
        del data[len(data) * 6 // 10 :]
    else:
        middle = len(data) // 2
        data[middle : middle + 2000] = rng.bytes(2000)
    path.write_bytes(data)
    cropper, stated = FaceCropper(size=64, align=None), [f.image for f in read_video(whole)]
    with pytest.warns(
        UserWarning, match=r"damaged.mp4' is damaged or cut short: .* of 20 frames"
    ) as w:
        crops = cropper.transform(read_video(path))
    assert w[0].filename == __file__
    assert (10 if damage == "cut" else 17) <= len(crops) < 20
    np.testing.assert_array_equal(crops[:9], cropper.transform(stated[:9]))


def test_films_without_a_frame(tmp_path, photos):
    _encode(tmp_path / "whole.mp4", photos, {"movflags": "faststart"})
    data = (tmp_path / "whole.mp4").read_bytes()
    _encode(tmp_path / "none.mp4", [])
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "header.mp4").write_bytes(data[: data.index(b"mdat") + 4])
    (tmp_path / "no_index.mp4").write_bytes(data[: data.index(b"moov") - 4])
    for name in ("none.mp4", "empty.mp4", "header.mp4", "no_index.mp4"):
        with pytest.raises(OSError, match=name.replace(".", r"\.")):
            read_video(tmp_path / name)


def test_the_face_is_followed(film, monkeypatch):
    from skau.preprocessing._worker import Worker

    searched, find = [], Worker.find

    def note(self, image, part, **how):
        searched.append(image)
        return find(self, image, part, **how)

    monkeypatch.setattr(Worker, "find", note)
    cropper = FaceCropper(size=48)
    table = cropper.detect(read_video(film))
    # at the start, in vain when the face has gone, but not in the next frame, which is the same,
    # and when it is back
    assert len(searched) == 3
    assert table["path"].unique().tolist() == [str(film)]
    assert table["frame"].tolist() == list(range(16))
    np.testing.assert_allclose(table["time"], np.arange(16) / 10, atol=1e-6)
    np.testing.assert_array_equal(cropper.missing_, [8, 9])
    step = table.loc[[0, 4, 7, 15], ["nose_x", "nose_y"]].diff().iloc[1:]
    np.testing.assert_allclose(step, [[24, 8], [18, 6], [48, 16]], atol=8)


def test_the_face_is_followed_alike_in_the_callers_autocast(film):
    cropper = FaceCropper()
    expected = cropper.detect(read_video(film))
    with torch.autocast("cpu", torch.bfloat16):
        pd.testing.assert_frame_equal(cropper.detect(read_video(film)), expected)


def test_crops_of_a_film(film, tmp_path):
    cropper = FaceCropper(size=48, on_missing="warn")
    video = read_video(film)
    with pytest.warns(UserWarning, match=r"no face found in frame 8 of .*film.mp4, frame 9"):
        crops = cropper.transform(video)
    assert crops.shape == (16, 48, 48, 3)
    with pytest.warns(UserWarning, match="frame 8"):
        mapped = cropper.transform(video, out=tmp_path / "crops.npy")
    np.testing.assert_array_equal(mapped, crops)
    assert os.listdir(tmp_path) == ["crops.npy"]
    rows = [12, 2, 3, 3]
    table = cropper.detect(video).iloc[rows]
    np.testing.assert_array_equal(cropper.transform(table), crops[rows])
    with pytest.raises(ValueError, match="frame 99"):
        cropper.transform(table.assign(frame=99))
    with pytest.raises(ValueError, match="pool_by_subject"):
        cropper.transform(video, groups=["a"] * 16)


@pytest.mark.parametrize("how", ["transform", "out"])
def test_frames_in_any_order_are_decoded_once(film, photos, tmp_path, monkeypatch, how):
    other = tmp_path / "other.mp4"
    _encode(other, [np.asarray(Image.fromarray(photos[2]).resize((96, 96)))] * 6)
    cropper = FaceCropper(size=32)
    tables = [cropper.detect(read_video(path)) for path in (film, other)]
    table = pd.concat(tables).dropna(subset="probability")
    expected = cropper.transform(table)
    order = np.random.default_rng(0).integers(0, len(table), 40)  # some twice, some not at all
    decoded, read = [], Video.__iter__

    def counted(self):
        for frame in read(self):
            decoded.append(self.path)
            yield frame

    monkeypatch.setattr(Video, "__iter__", counted)
    out = tmp_path / "crops.npy" if how == "out" else None
    np.testing.assert_array_equal(cropper.transform(table.iloc[order], out=out), expected[order])
    # and the first frame of each when it is opened
    assert decoded.count(str(film)) <= 16 + 1
    assert decoded.count(str(other)) <= 6 + 1


@pytest.mark.parametrize(
    "name", ["P01:baseline.mp4", "http:a.mp4", "-50% %03d.mp4", "Müller 中.mp4"]
)
def test_names_that_look_like_something_else(film, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(film.read_bytes())
    assert read_video(path).n_frames == 16
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        video = read_video(name)
        assert video.path == name
        assert len(list(video)) == 16
    finally:
        os.chdir(here)
    with pytest.raises(OSError, match="cannot open the video 'https://"):
        read_video("https://localhost/film.mp4")


def test_whole_frames(film):
    crops = FaceCropper(size=32, align=None).transform(read_video(film))
    assert crops.shape == (16, 32, 32, 3)


def test_what_is_no_film(tmp_path, monkeypatch):
    text = tmp_path / "text.mp4"
    text.write_text("not a film")
    with pytest.raises(OSError, match=r"text\.mp4"):
        read_video(text)
    with pytest.raises(OSError, match=r"gone\.mp4"):
        Video(tmp_path / "gone.mp4")
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[video\]" in a clone of skau$'):
        read_video(text)


@pytest.mark.parametrize("content", [b"", b"no film", b"\0\0\0\x18ftypmp42"])
def test_what_is_no_film_says_so(tmp_path, content):
    path = tmp_path / "cut.mp4"
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"'.*cut.mp4': [^/]*; it is cut short, damaged or no film$"):
        read_video(path)
