"""From a fitted pipeline and a film to a table of AUs."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skau.estimators._video
from skau import DSNClassifier, predict_video
from skau.datasets import load_sample_faces
from skau.preprocessing import FaceCropper, read_video

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


@pytest.mark.filterwarnings("ignore:no face found")
def test_every_frame_gets_its_row(model, film):
    table = predict_video(model, film, verbose=0)
    assert table.columns.tolist() == [
        "frame", "time", "probability", "box_x1", "box_y1", "box_x2", "box_y2", "AU6", "AU12"
    ]  # fmt: skip
    assert table["frame"].tolist() == list(range(30))
    np.testing.assert_allclose(table["time"], np.arange(30) / 10, atol=1e-6)
    faceless = table["probability"].isna()
    assert faceless[[8, 9]].all()
    assert not faceless[:8].any()
    assert (table[["AU6", "AU12"]].isna().all(axis=1) == faceless).all()
    expected = model.predict_proba(read_video(film))[~faceless]
    np.testing.assert_allclose(table.loc[~faceless, ["AU6", "AU12"]], expected, rtol=1e-4)


@pytest.mark.parametrize("stop", [1, 12, 29])
@pytest.mark.parametrize("torn", [False, True])
def test_goes_on_after_an_interruption(model, film, tmp_path, monkeypatch, stop, torn):
    whole = predict_video(model, read_video(film), verbose=0)
    rows, seen = skau.estimators._video._rows, []

    def stopped(cropper, classifier, video, done):
        for row in rows(cropper, classifier, video, done):
            if row[0] == stop and not seen:
                seen.append(stop)
                raise KeyboardInterrupt
            yield row

    monkeypatch.setattr(skau.estimators._video, "_rows", stopped)
    monkeypatch.setattr(skau.estimators._video, "_ROWS", 5)
    out = tmp_path / "film.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_video(model, film, out=out, verbose=0)
    assert len(pd.read_csv(out)) == stop
    if torn:
        with out.open("a") as file:
            file.write("17,0.")
    pd.testing.assert_frame_equal(predict_video(model, film, out=out, verbose=0), whole)
    pd.testing.assert_frame_equal(pd.read_csv(out), whole)
    monkeypatch.setattr(skau.estimators._video, "_rows", rows_of_nothing_new)
    pd.testing.assert_frame_equal(predict_video(model, film, out=out, verbose=0), whole)


def rows_of_nothing_new(cropper, classifier, video, done):
    assert len(done) == 30
    return iter([])


def test_rows_of_another_film_or_model_are_refused(model, film, tmp_path):
    out = tmp_path / "film.csv"
    predict_video(model, film, out=out, verbose=0)
    other_film = tmp_path / "other.mp4"
    other_film.write_bytes(film.read_bytes())
    with pytest.raises(ValueError, match="run that differs in film; .*choose another out"):
        predict_video(model, other_film, out=out, verbose=0)
    other = deepcopy(model)
    other[-1].module_.classifier[-1].bias.data += 1
    with pytest.raises(ValueError, match="run that differs in model"):
        predict_video(other, film, out=out, verbose=0)
    other = make_pipeline(clone(model[0]).set_params(margin=0.1), model[-1])
    with pytest.raises(ValueError, match="run that differs in cropper"):
        predict_video(other, film, out=out, verbose=0)
    (tmp_path / "film.csv.journal").unlink()
    with pytest.raises(ValueError, match=r"without the file film.csv.journal"):
        predict_video(model, film, out=out, verbose=0)
    out.unlink()
    assert len(predict_video(model, film, out=out, verbose=0)) == 30


def test_progress_and_errors(model, film, tmp_path, capfd):
    predict_video(model, film)
    assert "30/30" in capfd.readouterr().err
    with pytest.raises(ValueError, match="pipeline of a FaceCropper"):
        predict_video(model[-1], film)
    with pytest.raises(ValueError, match=r"must end in \.csv"):
        predict_video(model, film, out=tmp_path / "x.txt")
    (tmp_path / "other.csv").write_text("frame,time,AU1\n0,0.0,0.5\n")
    with pytest.raises(ValueError, match="has the columns frame, time, AU1"):
        predict_video(model, film, out=tmp_path / "other.csv")
