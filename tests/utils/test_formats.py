"""Tables in other tools' columns."""

import numpy as np
import pandas as pd
import pytest

from skau.utils import to_openface, to_pyfeat


@pytest.fixture
def table():
    table = pd.DataFrame(
        {
            "frame": [0, 0, 1],
            "time": [0.0, 0.0, 0.04],
            "face": [0, 1, None],
            "person": [0, 1, None],
            "probability": [0.99, 0.9, np.nan],
            "box_x1": [10.0, 60, np.nan],
            "box_y1": [20.0, 20, np.nan],
            "box_x2": [40.0, 90, np.nan],
            "box_y2": [60.0, 70, np.nan],
            "yaw": [90.0, 0, np.nan],
            "pitch": [-45.0, 0, np.nan],
            "roll": [18.0, 0, np.nan],
            "AU1": [0.2, 0.5, np.nan],
            "AU12": [0.9, 0.4, np.nan],
        }
    )
    return table.astype({"face": "Int64", "person": "Int64"})


def test_openface(table):
    found = to_openface(table, threshold=[0.1, 0.5])
    assert found.columns.tolist() == [
        "frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz",
        "AU01_r", "AU12_r", "AU01_c", "AU12_c",
    ]  # fmt: skip
    assert found["frame"].tolist() == [1, 1, 2]
    assert found["face_id"].tolist() == [0, 1, -1]
    assert found["success"].tolist() == [1, 1, 0]
    expected = [np.pi / 4, -np.pi / 2, -np.pi / 10]
    angles = found.loc[0, ["pose_Rx", "pose_Ry", "pose_Rz"]].astype(float)
    np.testing.assert_allclose(angles, np.round(expected, 3))
    np.testing.assert_allclose(found["AU01_r"], [1, 2.5, 0])
    assert found[["AU01_c", "AU12_c"]].to_numpy().tolist() == [[1, 1], [1, 0], [0, 0]]


def test_what_is_no_probability_is_named(table):
    """Five times a logit is no intensity."""
    table.loc[1, "AU12"] = -0.4
    for other in (to_openface, to_pyfeat):
        with pytest.raises(ValueError, match="table: row 1, column AU12 holds -0.4; prob"):
            other(table)


def test_a_threshold_that_is_lacking_is_told(table):
    with pytest.raises(ValueError, match="threshold has none for AU12; give every AU"):
        to_openface(table, threshold={"AU1": 0.5})


def test_numbers_for_openface_have_three_decimals(table):
    table["time"] = [0.0333667, 0.0333667, 1e-05]
    table["roll"], table["AU1"] = [0.00001, 0.0, np.nan], [0.00012345, 0.87654321, np.nan]
    assert to_openface(table, threshold=1e-4).to_csv(index=False).splitlines()[1:] == [
        "1,0,0.033,0.99,1,0.785,-1.571,0.0,0.001,4.5,1,1",
        "1,1,0.033,0.9,1,0.0,0.0,0.0,4.383,2.0,1,1",
        "2,-1,0.0,0.0,0,0.0,0.0,0.0,0.0,0.0,0,0",
    ]


def test_rows_of_several_films_say_whose_they_are(table):
    table.insert(0, "path", ["a.mp4", "a.mp4", "a.mp4"])
    assert "path" not in to_openface(table)
    table.loc[2, "path"] = "b.mp4"
    found = to_openface(table)
    assert found.columns[:3].tolist() == ["path", "frame", "face_id"]
    assert found["path"].tolist() == ["a.mp4", "a.mp4", "b.mp4"]


def test_an_au_is_present_above_the_threshold_that_the_table_remembers(table):
    assert to_openface(table)[["AU01_c", "AU12_c"]].to_numpy().tolist() == [[0, 1], [0, 0], [0, 0]]
    table.attrs["thresholds"] = {"AU1": 0.1, "AU12": 0.95}
    assert to_openface(table)[["AU01_c", "AU12_c"]].to_numpy().tolist() == [[1, 0], [1, 0], [0, 0]]


def test_pyfeat(table):
    found = to_pyfeat(table)
    assert found.columns.tolist() == [
        "frame", "FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore",
        "Pitch", "Roll", "Yaw", "AU01", "AU12", "Identity", "approx_time",
    ]  # fmt: skip
    assert found.loc[0, "FaceRectX":"FaceRectHeight"].tolist() == [10, 20, 30, 40]
    assert found["Identity"].fillna("").tolist() == ["Person_0", "Person_1", ""]
    photos = table.drop(columns=["frame", "time"])
    photos.insert(0, "path", ["a.jpg", "a.jpg", "b.jpg"])
    found = to_pyfeat(photos)
    assert found["frame"].tolist() == [0, 0, 1]
    assert found["input"].tolist() == ["a.jpg", "a.jpg", "b.jpg"]
    with pytest.raises(ValueError, match="no column face, yaw; it must come from predict_video"):
        to_pyfeat(table.drop(columns=["face", "yaw"]))


def test_people_of_a_table_that_was_read_back(table):
    back = table.astype({"person": float})
    assert to_pyfeat(back)["Identity"].tolist()[:2] == ["Person_0", "Person_1"]
    named = table.assign(person=["ann", "bob", None])
    assert to_pyfeat(named)["Identity"].tolist()[:2] == ["Person_ann", "Person_bob"]


def test_what_was_added_to_a_table_is_no_au(table):
    table["male"] = [1, 0, 1]
    table.attrs["thresholds"] = {"AU1": 0.5}
    for found in (to_openface(table), to_pyfeat(table)):
        assert not [name for name in found if "male" in name]
        assert [name for name in found if "AU12" in name]
