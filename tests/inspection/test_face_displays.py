import numpy as np
import pandas as pd
import pytest

from skau import DSNClassifier
from skau.datasets import load_sample_faces
from skau.inspection import (
    AlignmentDisplay,
    FeatureSpaceDisplay,
    OcclusionDisplay,
    PersonExpressionDisplay,
    TimelineDisplay,
)
from skau.metrics import identity_leakage
from skau.preprocessing import FaceCropper


def test_before_and_after_subtraction(idennet, blobs):
    X, Y, groups = blobs
    display = FeatureSpaceDisplay.from_estimator(idennet, X, Y, groups, method="pca", au="AU12")
    assert list(display.points) == ["before subtraction", "after subtraction"]
    after = idennet.transform(X)
    assert display.leakage["after subtraction"] == identity_leakage(after, groups)
    # what was subtracted is the identity
    before = idennet._infer(X, "au_features")
    subtracted = before - idennet.identity_features(X)
    np.testing.assert_allclose(subtracted, after, rtol=1e-2, atol=2e-2)  # bfloat16 if it is native
    assert display.axes_.shape == (4,)
    assert "identity leakage" in display.axes_[1].get_title()
    assert display.present.name == "AU12"


def test_features_of_any_kind(dsn, blobs):
    X, Y, groups = blobs
    display = FeatureSpaceDisplay.from_estimator(dsn, X, Y, groups, method="pca")
    assert list(display.points) == ["person + expression", "expression"]
    plain = FeatureSpaceDisplay.from_features(dsn.transform(X), Y, groups, random_state=1)
    again = FeatureSpaceDisplay.from_features(dsn.transform(X), Y, groups, random_state=1)
    np.testing.assert_array_equal(plain.points["features"], again.points["features"])
    with pytest.raises(ValueError, match="au='AU99' is not one of"):
        FeatureSpaceDisplay.from_features(dsn.transform(X), Y, groups, au="AU99")
    with pytest.raises(ValueError, match=r"shape \(64, \d+\), but y has 10 rows"):
        FeatureSpaceDisplay.from_features(dsn.transform(X), Y[:10], groups[:10])


def test_person_plus_expression(dsn, blobs):
    X = blobs[0][::16]
    display = PersonExpressionDisplay.from_estimator(dsn, X)
    assert display.axes_.shape == (len(X) * (4 + len(X)),)
    # on the diagonal everybody has their own expression
    own = display.swaps[np.arange(len(X)), np.arange(len(X))]
    np.testing.assert_array_equal(own, display.images["both"])
    # a code alone is another picture, of the same mean brightness
    assert (display.images["person"] != display.images["expression"]).any()
    inner = display.images["both"].mean(axis=(1, 2, 3)) - X.mean(axis=(1, 2, 3))
    assert abs(inner).max() < 6  # clipping to 0..255 moves it a little
    single = DSNClassifier(person_encoder=False)
    with pytest.raises(ValueError, match=r"DSNClassifier\(person_encoder=True\)"):
        PersonExpressionDisplay.from_estimator(single, X)


class LooksAtACorner:
    au_names_ = np.array(["AU1", "AU2"])

    def decision_function(self, X):
        return np.stack([X[:, :8, :8].mean(axis=(1, 2, 3)), np.zeros(len(X))], axis=1)


def test_occlusion_finds_what_the_decision_looks_at():
    X = np.full((3, 32, 32, 3), 40, np.uint8)
    X[:, :8, :8] = 250
    display = OcclusionDisplay.from_estimator(LooksAtACorner(), X, aus=["AU1"])
    at = np.unravel_index(display.maps["AU1"].argmax(), (32, 32))
    assert max(at) < 8
    assert abs(display.maps["AU1"][16:, 16:]).max() == 0
    with pytest.raises(ValueError, match="aus: \\['AU9'\\] not among"):
        OcclusionDisplay.from_estimator(LooksAtACorner(), X, aus=["AU9"])
    with pytest.raises(ValueError, match="X must hold images"):
        OcclusionDisplay.from_estimator(LooksAtACorner(), X[0].astype(float))


def test_occlusion_of_the_faces_that_show_the_au(dsn, blobs):
    X, Y, _ = blobs
    display = OcclusionDisplay.from_estimator(dsn, X[:8], Y[:8], patch=16)
    assert list(display.maps) == ["AU1", "AU12"]
    shown = X[:8][Y["AU1"][:8] == 1]
    np.testing.assert_array_equal(display.faces["AU1"], shown.mean(axis=0).astype(np.uint8))
    with pytest.warns(UserWarning, match="no row of X shows AU12, so there is no map of it"):
        display = OcclusionDisplay.from_estimator(
            dsn, X[:8], Y[:8].assign(AU12=[0, np.nan] * 4), patch=16
        )
    assert list(display.maps) == ["AU1"]


def test_alignment_shows_the_crop_of_the_cropper():
    photos = [*load_sample_faces().images[:2], np.zeros((64, 64, 3), np.uint8)]
    cropper = FaceCropper(size=64, on_missing="warn")
    display = AlignmentDisplay.from_estimator(cropper, photos)
    with pytest.warns(UserWarning, match="no face"):
        crops = cropper.transform(photos)
    np.testing.assert_array_equal(display.crops, crops)
    assert display.matrices[2] is None
    assert display.axes_[2].get_title() == "no face"
    # the crosses in the crop: the template's line of the eyes
    eyes = display.axes_[3].lines[0].get_ydata()[:2]
    assert (eyes.mean() + 0.5) / 64 == pytest.approx(40 / 128, abs=1e-3)


@pytest.fixture
def film():
    time = np.arange(100) / 10
    table = pd.DataFrame({"frame": range(100), "time": time, "probability": 1.0})
    table[["box_x1", "box_y1", "box_x2", "box_y2"]] = [10.0, 10.0, 40.0, 40.0]
    table["AU1"] = np.exp(-((time - 2) ** 2))
    table["AU12"] = 0.9 * np.exp(-((time - 7) ** 2))
    table.loc[40:49, ["AU1", "AU12"]] = np.nan
    return table


def test_time_line(film):
    frames = (
        np.zeros((100, 60, 80, 3), np.uint8) + np.arange(100, dtype=np.uint8)[:, None, None, None]
    )
    display = TimelineDisplay.from_predictions(film, video=frames, n_peaks=2)
    assert display.aus == ["AU1", "AU12"]
    assert [(peak.frame, peak.au) for peak in display.peaks] == [(20, "AU1"), (70, "AU12")]
    assert [picture.ravel()[0] for picture in display.pictures] == [20, 70]
    assert display.pictures[0].shape == (37, 37, 3)  # the box, a quarter wider
    assert len(display.axes_) == 2
    assert TimelineDisplay.from_predictions(film).peaks == []


def test_pictures_are_of_moments_at_which_an_au_is_present(film):
    frames = np.zeros((100, 60, 80, 3), np.uint8)

    def peaks(**options):
        display = TimelineDisplay.from_predictions(film, video=frames, **options)
        return [(peak.frame, peak.au) for peak in display.peaks]

    assert peaks(threshold=0.95) == [(20, "AU1")]  # AU12 reaches 0.9
    assert peaks(threshold=1.1) == [(20, "AU1")]  # the strongest of a film without any
    several = peaks(threshold=0.5, n_peaks=5)
    assert {(20, "AU1"), (70, "AU12")} < set(several)
    assert all(film.loc[frame, au] >= 0.5 for frame, au in several)
    film[["AU1", "AU12"]] = np.nan
    assert peaks() == []


def test_time_line_refuses_what_it_cannot_draw(film):
    with pytest.raises(ValueError, match=r"no column \['AU4'\]"):
        TimelineDisplay.from_predictions(film, aus=["AU4"])
    both = pd.concat([film.assign(person=0.0), film.assign(person=1.0)])
    for table, person, told in (
        (both, None, "table holds the people 0, 1; choose one by person=N"),
        (both, 7, "person=7: the table holds 0, 1$"),
        (film.assign(person=np.nan), 0, "person=0: the table holds nobody"),
        (film, 0, "table has no column person"),
        (both.drop(columns="person"), None, "table has no column person"),
        (both.assign(path=np.repeat(["a.mp4", "b.mp4"], 100)), 0, "several films"),
        (
            both.assign(person=1),
            1,
            "several rows of person 1 in frame 0",
        ),
    ):
        with pytest.raises(ValueError, match=told):
            TimelineDisplay.from_predictions(table, person=person)


def test_time_line_of_one_of_several_people(film, monkeypatch):
    away = film["frame"].between(60, 79)
    other = film.assign(person=1, AU1=0.1, AU12=0.1, box_x1=50.0)
    table = pd.concat([other, film[~away].assign(person=0)]).sort_values("frame")
    table.attrs["thresholds"] = {"AU1": 0.3, "AU12": 0.2}
    frames = np.zeros((100, 60, 80, 3), np.uint8)
    display = TimelineDisplay.from_predictions(table, person=0, video=frames)
    own = display.table
    assert own["frame"].tolist() == list(range(100))
    assert own["time"].tolist() == film["time"].tolist()
    for name in ("AU1", "AU12", "box_x1", "probability"):
        np.testing.assert_array_equal(own[name], film[name].where(~away))
    assert display.threshold.tolist() == [0.3, 0.2]
    assert not any(60 <= peak.frame < 80 for peak in display.peaks)

    def predict_video(estimator, video, *, faces, verbose):
        return table if faces == "all" else film

    monkeypatch.setattr("skau.inspection._timeline.predict_video", predict_video)
    assert len(TimelineDisplay.from_estimator(None, None).table) == 100
    drawn = TimelineDisplay.from_estimator(None, frames, person=0).table
    pd.testing.assert_frame_equal(drawn, own)
