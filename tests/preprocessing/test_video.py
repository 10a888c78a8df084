"""Reading films frame by frame, and following a face through them."""

import os

import numpy as np
import pytest
from PIL import Image

from skau.preprocessing import FaceCropper, Video, read_video

av = pytest.importorskip("av")


@pytest.fixture(scope="module")
def film(photos, tmp_path_factory):
    """Sixteen frames in which a face wanders, with two frames without one in the middle."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for k in range(16):
            frame = Image.new("RGB", (256, 192), (120, 130, 140))
            if k not in (8, 9):
                frame.paste(Image.fromarray(photos[0]), (20 + 6 * k, 20 + 2 * k))
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    return path


def test_frames_and_times(film):
    video = read_video(film)
    assert (video.width, video.height, video.n_frames) == (256, 192, 16)
    assert video.frame_rate == pytest.approx(10)
    for _ in range(2):  # it can be read again
        frames = list(video)
        assert [frame.image.shape for frame in frames] == [(192, 256, 3)] * 16
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(16) / 10, atol=1e-6)


def test_the_face_is_followed(film, monkeypatch):
    from skau.preprocessing.working import Worker

    searched, find = [], Worker._find
    monkeypatch.setattr(
        Worker, "_find", lambda self, images: searched.extend(images) or find(self, images)
    )
    cropper = FaceCropper(size=48)
    table = cropper.detect(read_video(film))
    assert len(searched) == 4  # at the start, twice in vain, and when the face is back
    assert table["path"].unique().tolist() == [str(film)]
    assert table["frame"].tolist() == list(range(16))
    np.testing.assert_allclose(table["time"], np.arange(16) / 10, atol=1e-6)
    np.testing.assert_array_equal(cropper.missing_, [8, 9])
    step = table.loc[[0, 4, 7, 15], ["nose_x", "nose_y"]].diff().iloc[1:]
    np.testing.assert_allclose(step, [[24, 8], [18, 6], [48, 16]], atol=8)


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
    with pytest.raises(ImportError, match=r'pip install "skau\[video\]"'):
        read_video(text)
