"""The bars of faces in a picture, and the film with them."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skau.inspection import draw_overlay
from skau.inspection._layout import Layout
from skau.preprocessing import read_video
from skau.preprocessing._storage import begin

WIDTH, STEP, BARS = 68.0, 10.8, 18


def rectangles(corners, bars):
    return np.hstack([corners, corners + np.array([WIDTH, STEP * bars])])


def shared(a, b):
    """Return the area of what two rectangles share."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return np.prod(np.maximum(sides, 0))


@pytest.mark.parametrize("extent", [(320, 240), (400, 300), (640, 360), (360, 640), (1280, 720)])
@pytest.mark.parametrize("people", [1, 2, 3, 6])
def test_no_bars_lie_over_others_or_outside(extent, people):
    rng = np.random.default_rng(people)
    layout = Layout()
    for _ in range(20):
        side = rng.uniform(0.1, 0.6, people) * min(extent)
        middle = rng.uniform(0, 1, (people, 2)) * extent
        boxes = np.hstack([middle - side[:, None] / 2, middle + side[:, None] / 2])
        corners, bars = layout.place(boxes, list(range(people)), extent, WIDTH, STEP, BARS)
        assert 1 <= bars <= BARS
        panels = rectangles(corners, bars)
        assert panels.min() >= 0
        assert (panels[:, 2:] <= np.array(extent) + 1e-9).all()
        for i in range(people):
            assert all(shared(panels[i], panels[j]) < 1 for j in range(i))


def test_bars_lie_outwards_and_cover_no_face_that_leaves_room():
    boxes = np.array([[100.0, 100, 180, 200], [190, 100, 270, 200]])
    corners, bars = Layout().place(boxes, [0, 1], (400, 300), WIDTH, STEP, BARS)
    assert bars == BARS
    assert corners[:, 0].tolist() == [100 - WIDTH, 270]
    assert all(shared(p, box) == 0 for p in rectangles(corners, bars) for box in boxes)


def test_bars_stay_on_their_side_of_a_face_in_the_middle():
    layout = Layout()
    left = []
    for shift in (1, -1, 3, -3):
        box = np.array([[160.0 + shift, 100, 240 + shift, 200]])
        left.append(layout.place(box, [0], (400, 300), WIDTH, STEP, BARS)[0][0, 0] - shift)
    assert left == [240] * 4
    at_the_border = np.array([[330.0, 100, 399, 200]])
    corners, _ = layout.place(at_the_border, [0], (400, 300), WIDTH, STEP, BARS)
    assert corners[0, 0] == 330 - WIDTH


def test_of_many_people_all_have_fewer_bars():
    boxes = np.array([[64.0 * i, 100, 64 * i + 50, 160] for i in range(10)])
    layout = Layout()
    _, bars = layout.place(boxes, list(range(10)), (640, 360), WIDTH, STEP, BARS)
    assert 1 <= bars < BARS
    assert layout.place(boxes[:2], [0, 1], (640, 360), WIDTH, STEP, BARS)[1] == BARS


def test_small_pictures_are_enlarged_for_all_aus_and_no_further(tmp_path):
    Image.new("RGB", (200, 100), "grey").save(tmp_path / "a.png")
    row = {"path": str(tmp_path / "a.png"), "face": 0, "person": 0, "probability": 1.0}
    row |= dict.fromkeys(["yaw", "pitch", "roll"], 0.0)
    row |= {"box_x1": 80, "box_y1": 30, "box_x2": 130, "box_y2": 80}
    for aus, times in ((18, 4), (2, 1)):
        table = pd.DataFrame([row | {f"AU{k}": 0.9 for k in range(aus)}])
        draw_overlay(table, [row["path"]], tmp_path / "drawn")
        drawn = Image.open(tmp_path / "drawn" / "a.png")
        assert drawn.size == (200 * times, 100 * times)
        blue = (np.asarray(drawn) == [0, 0x72, 0xB2]).all(axis=2)
        assert blue[30 * times, 80 * times : 130 * times].all()  # the box
        assert blue[:, 132 * times :].any()  # the bars beside it


def seen(path, **more):
    """Return the row of a face in a photo or frame."""
    row = {"path": str(path), "face": 0, "person": 0, "probability": 1.0, "AU1": 0.9}
    row |= dict.fromkeys(["yaw", "pitch", "roll"], 0.0)
    return row | {"box_x1": 40, "box_y1": 30, "box_x2": 80, "box_y2": 70} | more


def test_photos_are_found_by_other_spellings_and_strange_ones_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (128, 96), "grey").save(name)
    table = pd.DataFrame([seen("./a.png"), seen("b.png")])
    for number, a in enumerate((Path("./a.png"), "./a.png", tmp_path / "a.png")):
        draw_overlay(table, [a], tmp_path / f"drawn {number}")
        drawn = np.asarray(Image.open(tmp_path / f"drawn {number}" / "a.png"))
        assert (drawn != 128).any()
    with pytest.raises(ValueError, match=r"no row of c.png; leave them out of source, or give"):
        draw_overlay(table, ["a.png", "c.png"], tmp_path / "strange")
    assert not (tmp_path / "strange").exists()
    Path("c.png").write_bytes(b"no image")
    table.attrs["unread"] = {"c.png": "no image"}
    draw_overlay(table, ["a.png", "c.png"], tmp_path / "unread")
    assert [path.name for path in (tmp_path / "unread").iterdir()] == ["a.png"]


def test_of_several_films_the_rows_of_this_one_are_drawn(tmp_path):
    film_with_sound(tmp_path / "one.mp4")
    one, out = str(tmp_path / "one.mp4"), tmp_path / "drawn.mp4"
    right = {"box_x1": 90, "box_x2": 120}
    rows = [seen("two.mp4", frame=k, **right) for k in range(50)] + [seen("a.jpg", frame=None)]
    table = pd.DataFrame(rows + [seen(one, frame=k) for k in range(25)])
    table = table.astype({"frame": "Int64"})
    drawn = []
    for part in (table[table["path"] == one].drop(columns="path"), table):
        draw_overlay(part, one, out)
        drawn.append([frame.image for frame in read_video(out)])
    np.testing.assert_array_equal(drawn[1], drawn[0])
    with pytest.raises(ValueError, match=r"several films .*, and none is called .*one\.mp4"):
        draw_overlay(table[table["path"] != one], one, out)
    with pytest.raises(ValueError, match=r"table has frame 49, and .* ends with 24; .* another"):
        draw_overlay(table[table["path"] == "two.mp4"], one, tmp_path / "other.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn.mp4", "one.mp4"]


def film_with_sound(path, *, start=0.0, late=0.0):
    """Write a second of grey pictures and of sound; the former come late."""
    av = pytest.importorskip("av")
    with av.open(f"file:{path}", "w") as film:
        sound = film.add_stream("aac", rate=8000)
        picture = film.add_stream("mpeg2video", rate=25, options={"bf": "2"})
        picture.width, picture.height, picture.pix_fmt = 128, 96, "yuv420p"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate, silence.pts = 8000, round(8000 * start)
        silence.time_base = Fraction(1, 8000)
        film.mux(sound.encode(silence))
        film.mux(sound.encode())
        for number in range(25):
            frame = av.VideoFrame.from_image(Image.new("RGB", (128, 96), "grey"))
            frame.pts, frame.time_base = round(25 * (start + late)) + number, Fraction(1, 25)
            film.mux(picture.encode(frame))
        film.mux(picture.encode())


def stamps(path):
    """Return the times of a film's pictures and of its sound, in order."""
    av = pytest.importorskip("av")
    times = {"video": [], "audio": []}
    with av.open(f"file:{path}") as film:
        for packet in film.demux():
            if packet.pts is not None:
                times[packet.stream.type].append(float(packet.pts * packet.time_base))
    return sorted(times["video"]), times["audio"]


def nobody(n):
    """Return the table of a film in which nobody is seen."""
    columns = ["probability", "yaw", "pitch", "roll", "box_x1", "box_y1", "box_x2", "box_y2"]
    table = pd.DataFrame(np.nan, index=range(n), columns=["face", "person", *columns, "AU1"])
    table.insert(0, "frame", range(n))
    return table


def test_a_late_picture_stays_late_beside_the_sound(tmp_path):
    path, out = tmp_path / "P01:late.ts", tmp_path / "P01:drawn.mp4"  # no protocol
    film_with_sound(path, start=3.0, late=0.4)
    draw_overlay(nobody(25), path, out)
    (before, heard), (after, sound) = stamps(path), stamps(out)
    assert len(after) == 25
    assert len(sound) == len(heard)
    assert after[0] - sound[0] == pytest.approx(before[0] - heard[0], abs=0.01)
    assert after[0] > 0.35


@pytest.mark.filterwarnings("ignore:.*is damaged:UserWarning")  # the last packet of the first
def test_joined_recordings_are_drawn_with_their_sound(tmp_path):
    for name, start in (("a", 0.0), ("b", 1000.0), ("c", 10.0)):
        film_with_sound(tmp_path / f"{name}.ts", start=start)
    joined, out = tmp_path / "joined.ts", tmp_path / "drawn.mp4"
    joined.write_bytes(b"".join((tmp_path / f"{name}.ts").read_bytes() for name in "abc"))
    draw_overlay(nobody(75), joined, out)
    shown, heard = stamps(out)
    assert len(shown) == 75
    np.testing.assert_allclose(np.diff(shown), 1 / 25, atol=2e-3)
    assert np.diff(heard).max() < 0.3
    assert heard[-1] == pytest.approx(3, abs=0.3)
    np.testing.assert_allclose(
        [frame.time for frame in read_video(out)], [f.time for f in read_video(joined)], atol=1e-3
    )


def test_a_full_disk_is_named_by_the_film(tmp_path):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("needs /dev/full")
    film_with_sound(tmp_path / "film.mp4")
    out = tmp_path / "drawn.mp4"
    begin(out).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as info:
        draw_overlay(nobody(25), tmp_path / "film.mp4", out)
    assert info.value.filename == str(out)
    assert not out.exists()


def test_a_container_that_cannot_hold_the_sound_is_refused_at_once(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "film.mkv"), "w") as film:
        sound, picture = film.add_stream("pcm_s16le", rate=8000), film.add_stream("mpeg4", rate=5)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        silence.sample_rate = 8000
        film.mux(sound.encode(silence))
        film.mux(sound.encode())
        film.mux(picture.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48)))))
        film.mux(picture.encode())
    with pytest.raises(ValueError, match=r"a .m4v file cannot hold .*pcm_s16le.*name a .mkv"):
        draw_overlay(nobody(1), tmp_path / "film.mkv", tmp_path / "drawn.m4v")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mkv"]
    draw_overlay(nobody(1), tmp_path / "film.mkv", tmp_path / "drawn.mkv")
    assert len(stamps(tmp_path / "drawn.mkv")[1]) == len(stamps(tmp_path / "film.mkv")[1])
