"""From a fitted pipeline and a film to a table of AUs."""

import json
from copy import deepcopy
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skau.estimators._predict_video
from skau import DSNClassifier, predict_files, predict_images, predict_video
from skau.datasets import load_sample_faces
from skau.estimators._face_table import FaceTable
from skau.estimators._table_file import read_table
from skau.preprocessing import FaceCropper, Frame, read_video
from skau.preprocessing._worker import Worker

av = pytest.importorskip("av", reason='needs pip install "skau[video]"')


@pytest.fixture(scope="module")
def model():
    faces = load_sample_faces()
    clf = DSNClassifier(max_epochs=1, random_state=0, precision="float32")
    model = make_pipeline(FaceCropper(size=32, on_missing="warn"), clf)
    rows = slice(0, 40)
    Y, groups = faces.target[["AU6", "AU12"]][rows], faces.groups[rows]
    model.fit(faces.images[rows], Y, dsnclassifier__groups=groups)
    return model


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A face that wanders, and two frames without one."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    face = Image.fromarray(load_sample_faces().images[0])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for k in range(30):
            frame = Image.new("RGB", (256, 192), (120, 130, 140))
            if k not in (8, 9):
                frame.paste(face, (20 + 3 * k, 20 + k))
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    return path


COLUMNS = [
    "frame", "time", "face", "person", "probability", "box_x1", "box_y1", "box_x2", "box_y2",
    "yaw", "pitch", "roll", "AU6", "AU12",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:no face found")
def test_every_frame_gets_its_row(model, film):
    table = predict_video(model, film, verbose=0)
    assert table.columns.tolist() == COLUMNS
    assert table["frame"].tolist() == list(range(30))
    np.testing.assert_allclose(table["time"], np.arange(30) / 10, atol=1e-6)
    faceless = table["probability"].isna()
    assert faceless[[8, 9]].all()
    assert not faceless.drop([8, 9]).any()
    assert (table[COLUMNS[2:]].isna().all(axis=1) == faceless).all()
    assert table.loc[~faceless, ["face", "person"]].eq(0).all(axis=None)
    expected = model.predict_proba(read_video(film))[~faceless]
    np.testing.assert_allclose(table.loc[~faceless, ["AU6", "AU12"]], expected, rtol=1e-4)


def kill(monkeypatch, after):
    """Let the table be interrupted after so many parts."""
    keep, seen = FaceTable.keep, []

    def keep_or_stop(self, state):
        keep(self, state)
        seen.append(state)
        if len(seen) == after:
            raise KeyboardInterrupt

    monkeypatch.setattr(FaceTable, "keep", keep_or_stop)


@pytest.mark.parametrize("faces", ["largest", "all"])
def test_goes_on_after_an_interruption(model, film, tmp_path, monkeypatch, faces):
    whole = predict_video(model, read_video(film), faces=faces, verbose=0)
    monkeypatch.setattr(skau.estimators._predict_video, "_FRAMES", 8)
    kill(monkeypatch, 2)
    out, part = tmp_path / "film.csv", tmp_path / "film.csv.part"
    with pytest.raises(KeyboardInterrupt):
        predict_video(model, film, faces=faces, out=out, verbose=0)
    assert not out.exists()
    (part / "000001.npz").write_bytes(b"torn")  # counts as missing
    again = predict_video(model, film, faces=faces, out=out, verbose=0)
    pd.testing.assert_frame_equal(again, whole)
    pd.testing.assert_frame_equal(read_table(out), whole)
    assert not part.exists()
    monkeypatch.setattr(FaceTable, "add", None)  # nothing is computed again
    again = predict_video(model, film, faces=faces, out=out, verbose=0)
    pd.testing.assert_frame_equal(again, whole)
    story = json.loads((tmp_path / "film.csv.json").read_text())
    assert story["columns"]["yaw"].startswith("degrees")
    assert story["run"]["faces"] == faces
    assert list(story["thresholds"].values()) == [0.5, 0.5]


def test_rows_of_another_film_or_model_are_refused(model, film, tmp_path, monkeypatch):
    out = tmp_path / "film.csv"
    predict_video(model, film, fps=1, out=out, verbose=0)
    other_film = tmp_path / "other.mp4"
    other_film.write_bytes(film.read_bytes())
    with pytest.raises(ValueError, match="run that differs in film; .*another file"):
        predict_video(model, other_film, fps=1, out=out, verbose=0)
    with pytest.raises(ValueError, match="run that differs in fps"):
        predict_video(model, film, out=out, verbose=0)
    other = deepcopy(model)
    other[-1].module_.classifier[-1].bias.data += 1
    with pytest.raises(ValueError, match="run that differs in model"):
        predict_video(other, film, fps=1, out=out, verbose=0)
    predict_files(model, [film], fps=1, out=tmp_path / "files.csv", verbose=0)
    other = make_pipeline(clone(model[0]).set_params(margin=0.1), model[-1])
    with pytest.raises(ValueError, match="run that differs in cropper"):
        predict_video(other, film, fps=1, out=out, verbose=0)
    with pytest.raises(ValueError, match="run that differs in cropper"):
        predict_files(other, [film], fps=1, out=tmp_path / "files.csv", verbose=0)
    with monkeypatch.context() as patch:
        patch.setattr("skau.estimators._scorer.__version__", "0.0.1")
        with pytest.raises(ValueError, match="run that differs in version"):
            predict_video(model, film, fps=1, out=out, verbose=0)
    with pytest.raises(ValueError, match="written by another function or command; give another"):
        predict_video(model, film, fps=1, out=tmp_path / "files.csv", verbose=0)
    (tmp_path / "film.csv.json").unlink()
    with pytest.raises(ValueError, match="no file beside it says"):
        predict_video(model, film, fps=1, out=out, verbose=0)
    out.unlink()
    assert len(predict_video(model, film, fps=1, out=out, verbose=0)) == 3


def test_sampled_frames_are_those_of_the_whole_film(model, film):
    whole = predict_video(model, film, verbose=0)
    some = predict_video(model, film, every=4, verbose=0)
    assert some["frame"].tolist() == list(range(0, 30, 4))
    assert some["probability"].isna().tolist() == whole["probability"].isna()[::4].tolist()
    some = predict_video(model, film, fps=2.5, verbose=0)
    assert some["frame"].tolist() == list(range(0, 30, 4))


def test_numbers_of_numpy_are_numbers(model, film, tmp_path):
    plain = predict_video(model, film, every=10, verbose=0)
    for numbers in ({"every": np.int64(10), "calibrate": np.False_}, {"fps": np.int64(1)}):
        for _ in range(2):  # the second call returns what the first has written
            some = predict_video(model, film, out=tmp_path / "x.csv", verbose=0, **numbers)
        assert some["frame"].tolist() == plain["frame"].tolist()
        (tmp_path / "x.csv").unlink()


def test_frames_of_a_camera(model, film):
    whole = predict_video(model, film, verbose=0)
    frames = list(read_video(film))
    again = predict_video(model, iter(frames), verbose=0)
    pd.testing.assert_frame_equal(again, whole)
    again = predict_video(model, (frame.image for frame in frames), verbose=0)
    assert again["time"].isna().all()
    pd.testing.assert_frame_equal(again.drop(columns="time"), whole.drop(columns="time"))
    with pytest.raises(ValueError, match="fps needs frames that have a time"):
        predict_video(model, (frame.image for frame in frames), fps=1, verbose=0)


def test_a_table_of_frames_is_not_that_of_others(model, film, tmp_path):
    frames, out = iter(read_video(film)), tmp_path / "camera.csv"
    predict_video(model, islice(frames, 2), out=out, verbose=0)
    with pytest.raises(ValueError, match="camera.csv' is there already, and frames .*delete it"):
        predict_video(model, frames, out=out, verbose=0)
    assert len(list(frames)) == 28  # nothing was taken
    with pytest.raises(ValueError, match="is there already, and frames and images in memory"):
        predict_images(model, load_sample_faces().images[:1], out=out, verbose=0)


PICTURE = np.zeros((64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("video", "error", "message"),
    [
        (None, TypeError, "video is a NoneType; expected a path"),
        (b"film.mp4", TypeError, "video is a bytes"),
        ({0: PICTURE}, TypeError, "video is a dict"),
        (PICTURE, ValueError, "video is one image; pass"),
        (Image.fromarray(PICTURE), ValueError, "video is one image; pass"),
        ([PICTURE, None], ValueError, "video: frame 1: an image array has shape"),
        ([PICTURE, PICTURE / 255.0], ValueError, "video: frame 1: .* dtype float64"),
        ([(0.5, PICTURE)], ValueError, r"video: frame 0 is a tuple; .*Frame\(time, image\)"),
        ([Frame("x", PICTURE)], ValueError, "video: the time of frame 0 is 'x'"),
        ([Frame(np.inf, PICTURE)], ValueError, "video: the time of frame 0 is inf"),
    ],
)
def test_what_is_no_film_and_no_frame(model, video, error, message):
    with pytest.raises(error, match=message):
        predict_video(model, video, verbose=0)


def test_times_before_zero(model):
    frames = [Frame(time, PICTURE) for time in (-1.0, -0.75, 0.0)]
    assert predict_video(model, frames, fps=2, verbose=0)["time"].tolist() == [-1.0, 0.0]


def test_frames_that_have_a_time_tell_how_many_there_are_a_second(model, film, monkeypatch):
    frames, rates, tracker = list(read_video(film)), [], Worker.tracker

    def noting(self, *, everyone, rate):
        rates.append(rate)
        return tracker(self, everyone=everyone, rate=rate)

    monkeypatch.setattr(Worker, "tracker", noting)
    few = frames[:6]
    for shown, how in (
        (few, {}), (few, {"every": 2}), (few, {"fps": 5}), (few[:1], {}),
        ([frame.image for frame in few], {}), ([few[0]._replace(time=0.1)] * 2, {}),
    ):  # fmt: skip
        predict_video(model, iter(shown), verbose=0, **how)
    assert rates == pytest.approx([10, 5, 5, 0, 0, 0])


def test_progress_and_errors(model, film, tmp_path, capfd):
    predict_video(model, film, every=10)
    assert "3/3" in capfd.readouterr().err
    with pytest.raises(ValueError, match="pipeline of a FaceCropper"):
        predict_video(model[-1], film)
    with pytest.raises(ValueError, match=r"must end in \.csv"):
        predict_video(model, film, out=tmp_path / "x.txt")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        predict_video(model, film, out=tmp_path / "no" / "x.csv")
    for wrong, match in (
        ({"faces": "some"}, "'largest' or 'all'"),
        ({"every": 0}, "whole number from 1"),
        ({"fps": 0}, "must be a positive"),
        ({"fps": 1, "every": 2}, "exclude each other"),
        ({"calibrate": True}, "calibrate needs a model that knows how people differ"),
    ):
        with pytest.raises(ValueError, match=match):
            predict_video(model, film, verbose=0, **wrong)
    with pytest.warns(UserWarning, match="the film has 10 frames a second"):
        predict_video(model, film, fps=30, verbose=0)


@pytest.mark.filterwarnings("ignore:.*cannot be written:UserWarning", "ignore:no face found")
def test_a_full_disk_is_no_broken_film(model, film, tmp_path, little_space):
    out = tmp_path / "all.csv"
    with little_space(1000), pytest.raises(OSError, match="File too large.*all.csv.part"):
        predict_files(model, [film], out=out, n_jobs=1, verbose=0)
    assert not out.exists()
    whole = predict_files(model, [film], out=out, n_jobs=1, verbose=0)
    assert len(whole) == 30
    assert not whole.attrs["unread"]


def test_files_that_are_no_list(model, film, tmp_path):
    out = tmp_path / "all.csv"
    table = predict_files(model, film.parent.glob(film.name), fps=1, out=out, verbose=0)
    assert (table["path"] == str(film)).all()
    for path in (film, str(film)):
        with pytest.raises(ValueError, match=r"files is one path, .*pass \[files\]"):
            predict_files(model, path, out=tmp_path / "one.csv", verbose=0)
    for files, told in ((3, "files is a int"), (["a.png", None], r"files\[1\] is None")):
        with pytest.raises(TypeError, match=told):
            predict_files(model, files, out=tmp_path / "one.csv", verbose=0)
