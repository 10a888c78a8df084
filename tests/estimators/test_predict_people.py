"""Several people in films and photos: who is who, calibration, other models, the picture of it."""

import os
from copy import deepcopy
from importlib.util import find_spec
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, GroupKFold
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skau import (
    DSNClassifier,
    MixedEffectsClassifier,
    predict_files,
    predict_images,
    predict_video,
)
from skau.datasets import load_sample_faces
from skau.estimators import RegionClassifier
from skau.estimators._calibration import calibrate
from skau.estimators._face_table import FaceTable
from skau.estimators._reference import rest_lines
from skau.estimators._scorer import Scorer
from skau.inspection import draw_overlay
from skau.model_selection import CalibratedAUClassifier, TunedThresholdsClassifier
from skau.preprocessing import FaceCropper, Frame, read_video
from skau.preprocessing._mtcnn._networks import load_networks

AUS = ["AU6", "AU12"]
WIDTH, HEIGHT = 384, 192


@pytest.fixture(scope="module")
def faces():
    return load_sample_faces()


@pytest.fixture(scope="module")
def model(faces):
    clf = DSNClassifier(max_epochs=1, random_state=0, precision="float32")
    rows = slice(0, 80)
    model = make_pipeline(FaceCropper(size=32, on_missing="warn"), clf)
    groups = {"dsnclassifier__groups": faces.groups[rows]}
    return model.fit(faces.images[rows], faces.target[AUS][rows], **groups)


def picture(faces, who, number):
    return Image.fromarray(faces.images[np.flatnonzero(faces.groups == who)[number]])


def shots(*scenes):
    """Yield frames; a scene is its grey, its length and who is where: {who: (picture, x, y)}."""
    number = 0
    for grey, n, people in scenes:
        for k in range(n):
            frame = Image.new("RGB", (WIDTH, HEIGHT), (grey, grey + 10, grey + 20))
            for face, x, y in people(k).values():
                frame.paste(face, (round(x), round(y)))
            yield Frame(number / 10, np.asarray(frame))
            number += 1


def truth(table, *scenes):
    """Say whose each row's face is: the nearest of those in the frame."""
    places = [people(k) for _, n, people in scenes for k in range(n)]
    whose = []
    for row in table.itertuples():
        centre = np.array([row.box_x1 + row.box_x2, row.box_y1 + row.box_y2]) / 2
        far = {
            who: np.linalg.norm(centre - [x + 64, y + 64])
            for who, (_, x, y) in places[row.frame].items()
        }
        whose.append(min(far, key=far.get))
    return np.array(whose)


def test_people_stay_leave_return_and_change_places_at_a_cut(model, faces):
    a, b = (picture(faces, who, 0) for who in ("S001", "S006"))

    def both(k):
        return {"a": (a, 20 + k, 30), "b": (b, 230 - k, 30 + k)}

    def only_a(k):
        return {"a": (a, 35 - k, 30)}

    def swapped(k):
        return {"b": (b, 20 + k, 40), "a": (a, 230, 40 - k)}

    scenes = (70, 14, both), (70, 12, only_a), (70, 13, both), (180, 10, swapped)
    table = predict_video(model, shots(*scenes), faces="all", verbose=0)
    per_frame = table.groupby("frame")["face"].count()
    assert per_frame.tolist() == [2] * 14 + [1] * 12 + [2] * 23
    whose = truth(table, *scenes)
    assert table["person"].nunique() == 2
    assert all(table["person"][whose == who].nunique() == 1 for who in "ab")
    assert all(len(set(whose[table["face"] == face])) == 1 for face in table["face"].unique())
    # the film's cut ends all tracks, a stay does not
    assert set(table["face"][table["frame"] >= 39]).isdisjoint(table["face"][table["frame"] < 39])
    assert table["face"][(whose == "a") & (table["frame"] < 39)].nunique() == 1


def test_the_largest_face_gives_way_to_another_under_a_new_number(model, faces):
    a, b = (picture(faces, who, 0) for who in ("S001", "S006"))

    def first(k):
        return {"a": (a, 20 + k, 30), "b": (b.resize((96, 96)), 250, 40)}

    def then(k):
        return {"b": (b.resize((96, 96)), 250 - 2 * k, 40)}

    scenes = (70, 10, first), (70, 10, then)
    table = predict_video(model, shots(*scenes), verbose=0)
    assert table["frame"].tolist() == list(range(20))
    assert table["face"].tolist() == [0] * 10 + [1] * 10
    assert table["person"].tolist() == [0] * 10 + [1] * 10


def test_a_photo_without_a_face_that_needs_none_is_scored(model):
    whole = make_pipeline(FaceCropper(size=model[0].size, align=None), model[-1])
    green = np.full((1, 120, 120, 3), (30, 120, 60), np.uint8)
    with pytest.warns(UserWarning, match="no face found in 1 of 1 photos; they were scored"):
        table = predict_images(whole, green, verbose=0)
    assert table["face"].isna().all()
    assert table[AUS].notna().all(axis=None)


@pytest.fixture
def photos(faces, tmp_path):
    paths = []
    for name, people in (("a", ["S001"]), ("b ä", ["S001", "S006"]), ("empty", [])):
        image = Image.new("RGB", (WIDTH, HEIGHT), (70, 80, 90))
        for k, who in enumerate(people):
            image.paste(picture(faces, who, 0), (20 + 200 * k, 30))
        paths.append(str(tmp_path / f"{name}.png"))
        image.save(paths[-1])
    return paths


def test_photos(model, faces, photos, tmp_path):
    lonely = r"no face found in 1 of 3 photos; their rows hold no scores: .*empty\.png"
    with pytest.warns(UserWarning, match=lonely):
        table = predict_images(model, photos, faces="all", out=tmp_path / "t.csv", verbose=0)
    assert table.columns.tolist()[:4] == ["path", "face", "person", "probability"]
    assert table["path"].tolist() == [photos[0], photos[1], photos[1], photos[2]]
    assert table["face"].tolist()[:3] == [0, 1, 2]
    assert table["person"].nunique() == 2
    assert table["person"][table["box_x1"] < 100].nunique() == 1
    assert table.iloc[3, 1:].isna().all()
    expected = model.predict_proba(photos[:1])
    np.testing.assert_allclose(table.loc[[0], AUS], expected, rtol=1e-4)
    with pytest.warns(UserWarning, match="no face found in 1 of 3 photos.*: row 2"):
        one = predict_images(model, [Image.open(path) for path in photos], verbose=0)
    assert one["image"].tolist() == [0, 1, 2]
    again = predict_images(model, photos, faces="all", out=tmp_path / "t.csv", verbose=0)
    pd.testing.assert_frame_equal(again, table)
    if find_spec("pyarrow"):
        with pytest.warns(UserWarning, match=lonely):
            predict_images(model, photos, faces="all", out=tmp_path / "t.parquet", verbose=0)
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"cannot read 1 of .*no scores\n  row 1 .*broken.jpg"):
        table = predict_images(model, [photos[0], broken], verbose=0)
    assert table["probability"].isna().tolist() == [False, True]
    how = {"out": tmp_path / "u.csv", "verbose": 0}
    for _ in range(2):  # also of the table that is there
        with pytest.warns(UserWarning, match=r"cannot read 1 of 2.*no scores\n.*broken.jpg"):
            predict_images(model, [photos[0], broken], **how)
    twice = [photos[0], photos[0]]
    assert len(predict_files(model, twice, out=tmp_path / "f.csv", verbose=0)) == 1
    with pytest.raises(ValueError, match=r"none can be read\n  row 0 "):
        predict_images(model, [broken], verbose=0)
    with pytest.warns(UserWarning, match=lonely):
        table = predict_images(model, photos, verbose=0)
    draw_overlay(table, photos, tmp_path / "drawn")
    drawn = np.asarray(Image.open(tmp_path / "drawn" / "b ä.png").convert("RGB")).astype(int)
    assert np.abs(drawn - np.asarray(Image.open(photos[1]))).max() > 50


def test_photos_of_one_name_in_two_folders_are_not_the_same(model, faces, tmp_path):
    paths = [tmp_path / folder / "0001.ppm" for folder in ("s1", "s2")]
    for path, who in zip(paths, ("S001", "S006"), strict=True):
        path.parent.mkdir()
        picture(faces, who, 0).save(path)
        os.utime(path, (1e9, 1e9))  # as unpacked
    assert paths[0].stat().st_size == paths[1].stat().st_size
    for predict in (predict_images, predict_files):
        how = {"out": tmp_path / f"{predict.__name__}.csv", "verbose": 0}
        predict(model, paths[:1], **how)
        with pytest.raises(ValueError, match="of a run that differs in (photos|files);"):
            predict(model, paths[1:], **how)


# -- models of other kinds ---------------------------------------------------------------------


def flat(crops):
    return crops.reshape(len(crops), -1)[:, ::64] / 255.0


def kinds():
    flatten, logistic = FunctionTransformer(flat), LogisticRegression(max_iter=20, tol=0.1)
    plain = make_pipeline(flatten, logistic)
    return {
        "nested": (plain, False, ["y0"]),
        "calibrated": (CalibratedClassifierCV(plain, cv=2), False, ["y0"]),
        "fixed threshold": (FixedThresholdClassifier(plain, threshold=0.3), False, ["y0"]),
        "several outputs": (MultiOutputClassifier(plain), True, ["y0", "y1"]),
        "search": (GridSearchCV(MultiOutputClassifier(plain), {"n_jobs": [1]}, cv=2), True,
                   ["y0", "y1"]),
        "skau": (GridSearchCV(DSNClassifier(max_epochs=1, random_state=0), {"alpha": [1]},
                              cv=GroupKFold(2), scoring="accuracy"), True, AUS),
    }  # fmt: skip


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.filterwarnings("ignore")
def test_models_of_any_kind(faces, kind):
    last, several, names = kinds()[kind]
    rows = slice(0, 40)
    y = faces.target[AUS][rows] if several else faces.target["AU12"][rows]
    # on a GPU a crop may depend, by a hundredth of a pixel, on what else is in its batch
    cropper = FaceCropper(size=32, on_missing="warn", device="cpu")
    model = Pipeline([("crop", cropper), ("model", last)])
    if kind == "skau":
        model.fit(faces.images[rows], y, model__groups=faces.groups[rows])
    else:
        model.fit(faces.images[rows], y)
    table = predict_images(model, faces.images[rows][:3], verbose=0)
    assert table.columns.tolist()[-len(names) :] == names
    proba = model.predict_proba(faces.images[:3])
    expected = proba if isinstance(proba, np.ndarray) else np.stack([p[:, 1] for p in proba], 1)
    if not several:
        expected = expected[:, 1:]
    np.testing.assert_allclose(table[names], expected, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_a_search_around_the_pipeline(faces):
    pipeline = make_pipeline(
        FaceCropper(size=32, on_missing="warn"), FunctionTransformer(flat), DummyClassifier()
    )
    search = GridSearchCV(pipeline, {"dummyclassifier__strategy": ["prior"]}, cv=2)
    search.fit(faces.images[:20], faces.target["AU12"][:20])
    table = predict_images(search, faces.images[:2], verbose=0)
    np.testing.assert_allclose(table["y0"], faces.target["AU12"][:20].mean(), rtol=1e-5)
    three = make_pipeline(FaceCropper(size=32), FunctionTransformer(flat), DummyClassifier())
    three.fit(faces.images[:6], [0, 1, 2, 0, 1, 2])
    with pytest.raises(ValueError, match="model predicts 3 classes"):
        predict_images(three, faces.images[:2])


@pytest.mark.filterwarnings("ignore:nobody held out")
def test_what_stands_around_the_pipeline_has_its_say(model, faces):
    rows, images = slice(80, 120), faces.images[:2]
    data = (faces.images[rows], faces.target[AUS][rows], faces.groups[rows])
    calibrated = CalibratedAUClassifier(FrozenEstimator(model)).fit(*data)
    tuned = TunedThresholdsClassifier(calibrated, cv="prefit").fit(*data)
    plain = predict_images(FrozenEstimator(model), images, verbose=0)
    np.testing.assert_allclose(plain[AUS], model.predict_proba(images), rtol=1e-4)
    table = predict_images(tuned, images, verbose=0)
    np.testing.assert_allclose(table[AUS], calibrated.predict_proba(images), rtol=1e-4)
    assert np.abs(table[AUS] - plain[AUS]).to_numpy().max() > 1e-3
    assert list(table.attrs["thresholds"].values()) == pytest.approx(tuned.thresholds_)


def around(pipeline):
    return {
        "calibrated": (CalibratedClassifierCV(pipeline, cv=2), False),
        "several outputs": (MultiOutputClassifier(pipeline), True),
        "voting": (VotingClassifier([("a", pipeline), ("b", pipeline)], voting="soft"), False),
        "one an AU": (RegionClassifier(pipeline, regions=None), True),
    }


@pytest.mark.parametrize("kind", around(None))
@pytest.mark.filterwarnings("ignore")
def test_what_holds_several_whole_pipelines(faces, kind):
    clf = DSNClassifier(max_epochs=1, random_state=0)
    model, several = around(make_pipeline(FaceCropper(size=32, on_missing="warn"), clf))[kind]
    rows = slice(0, 40)
    model.fit(faces.images[rows], faces.target[AUS if several else "AU12"][rows])
    table = predict_images(model, faces.images[:3], verbose=0)
    proba = model.predict_proba(faces.images[:3])
    proba = np.stack([p[:, 1] for p in proba], 1) if isinstance(proba, list) else proba
    expected = proba if several else proba[:, 1:]
    np.testing.assert_allclose(table.iloc[:, -expected.shape[1] :], expected, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_pipelines_that_cut_other_crops_each_are_refused(faces):
    clf = DSNClassifier(max_epochs=1, random_state=0)
    model = RegionClassifier(make_pipeline(FaceCropper(size=32, on_missing="warn"), clf))
    model.fit(faces.images[:40], faces.target[["AU1", "AU12"]][:40])
    with pytest.raises(ValueError, match="model: what RegionClassifier holds .* same crop"):
        predict_images(model, faces.images[:3])


@pytest.mark.parametrize(("response", "threshold"), [("auto", 0.3), ("decision_function", -1.0)])
def test_a_fixed_threshold_is_told_and_leaves_the_names(model, faces, response, threshold):
    images, y = faces.images[::12], faces.target["AU12"][::12]
    smile = make_pipeline(model[0], DSNClassifier(max_epochs=1, random_state=0)).fit(
        images, y, dsnclassifier__groups=faces.groups[::12]
    )
    fixed = FixedThresholdClassifier(
        FrozenEstimator(smile), threshold=threshold, response_method=response
    ).fit(images, y)
    table = predict_images(fixed, images, calibrate=True, verbose=0)
    assert table.columns[-1] == "AU12"  # calibrated as without the threshold
    pd.testing.assert_frame_equal(table, predict_images(smile, images, calibrate=True, verbose=0))
    wanted = 0.3 if response == "auto" else 1 / (1 + np.e)
    assert table.attrs["thresholds"] == {"AU12": pytest.approx(wanted)}


def test_models_that_are_alike_on_noise_are_told_apart(faces, tmp_path):
    small = [Image.fromarray(image).resize((32, 32)) for image in faces.images[::12]]
    pixels = np.stack([np.asarray(image).reshape(-1) for image in small])
    noise = np.random.RandomState(0).randint(0, 256, (2, pixels.shape[1]))
    sure = LogisticRegression(max_iter=300).fit(pixels, faces.target["AU24"][::12])
    less = deepcopy(sure)
    less.coef_ *= 0.9
    said = [np.round(one.predict_proba(noise), 4) for one in (sure, less)]
    assert (said[0] == said[1]).all()
    cropper = FaceCropper(size=32).fit(faces.images[:2])
    flatten = FunctionTransformer(lambda crops: crops.reshape(len(crops), -1)).fit(pixels)
    models = [make_pipeline(cropper, flatten, one) for one in (sure, less)]
    path = tmp_path / "a.png"
    Image.fromarray(faces.images[0]).save(path)
    how = {"out": tmp_path / "t.csv", "verbose": 0}
    predict_images(models[0], [path], **how)
    with pytest.raises(ValueError, match="of a run that differs in model;"):
        predict_images(models[1], [path], **how)


# -- calibration -------------------------------------------------------------------------------


def test_calibration_is_that_of_groups(model, faces):
    rows = np.flatnonzero(np.isin(faces.groups, ["S020"]))[:6]
    films = [Frame(k / 10, faces.images[row]) for k, row in enumerate(rows)]
    table = predict_video(model, iter(films), calibrate=True, verbose=0)
    person = table["person"].to_numpy(int)
    plain = predict_video(model, iter(films), verbose=0)[AUS].to_numpy()
    logits = calibrate(np.log(plain / (1 - plain)), person, model[-1].population_)
    np.testing.assert_allclose(table[AUS], 1 / (1 + np.exp(-logits)), rtol=1e-3)
    assert np.abs(plain - table[AUS]).to_numpy().max() > 1e-3


def test_calibration_of_a_mixed_model_is_that_of_its_logits_of_single_frames(faces):
    rows = slice(0, 80)
    clf = MixedEffectsClassifier(max_epochs=1, random_state=0, precision="float32")
    mixed = make_pipeline(FaceCropper(size=32, on_missing="warn"), clf)
    groups = {"mixedeffectsclassifier__groups": faces.groups[rows]}
    mixed.fit(faces.images[rows], faces.target[AUS][rows], **groups)
    assert (clf.module_.between > 0).any()
    clf.population_["frames"] = 2.0  # four people after one epoch differ too little to count
    images = faces.images[[100, 100, 101, 101]]  # as photos they show one person or two
    film = [Frame(k / 10, image) for k, image in enumerate(images)]
    for score, seen in ((predict_video, film), (predict_images, images)):
        table, plain = (score(mixed, seen, calibrate=each, verbose=0) for each in (True, False))
        logits = np.log(plain[AUS] / (1 - plain[AUS])).to_numpy()
        logits = calibrate(logits, table["person"].to_numpy(int), clf.population_)
        np.testing.assert_allclose(table[AUS], 1 / (1 + np.exp(-logits)), rtol=1e-3)
        assert np.abs(plain[AUS] - table[AUS]).to_numpy().max() > 1e-3


def test_calibration_under_tuned_thresholds(model, faces):
    tuned = TunedThresholdsClassifier(model[-1], cv="prefit")
    crops = model[0].transform(faces.images[80:120])
    tuned.fit(crops, faces.target[AUS][80:120], groups=faces.groups[80:120])
    films = [Frame(k / 10, faces.images[300 + k]) for k in range(4)]
    expected, table = (
        predict_video(one, iter(films), calibrate=True, verbose=0)
        for one in (model, make_pipeline(model[0], tuned))
    )
    pd.testing.assert_frame_equal(table, expected)


def test_a_table_of_another_model_or_of_other_photos_at_rest(
    model, faces, photos, tmp_path, monkeypatch
):
    tuned = TunedThresholdsClassifier(model[-1], cv="prefit")
    crops = model[0].transform(faces.images[80:120])
    tuned.fit(crops, faces.target[AUS][80:120], groups=faces.groups[80:120])
    low, high, strangers = (make_pipeline(model[0], deepcopy(tuned)) for _ in range(3))
    high[-1].thresholds_ = low[-1].thresholds_ + 0.1
    strangers[-1].estimator_.population_ *= 1.5
    for predict in (predict_images, predict_files):
        how = {"faces": "all", "calibrate": True, "verbose": 0}
        how["out"] = tmp_path / f"{predict.__name__}.csv"
        table = predict(low, photos[:2], **how)
        pd.testing.assert_frame_equal(predict(low, photos[:2], **how), table)
        for other, told in ((high, "thresholds"), (strangers, "population")):
            with pytest.raises(ValueError, match=f"of a run that differs in {told};"):
                predict(other, photos[:2], **how)
        how = {"out": tmp_path / f"{predict.__name__} at rest.csv", "verbose": 0}
        predict(low, photos[:1], reference=faces.images[1:2], **how)
        with pytest.raises(ValueError, match="of a run that differs in reference;"):
            predict(low, photos[:1], reference=faces.images[2:3], **how)
    how = {"out": tmp_path / "stopped.csv", "verbose": 0}
    with monkeypatch.context() as patch:
        patch.setattr(FaceTable, "finish", None)
        with pytest.raises(TypeError):
            predict_images(low, photos[:1], **how)
    monkeypatch.setattr(FaceTable, "add", None)  # faces that are kept are those of any thresholds
    table = predict_images(high, photos[:1], **how)
    assert list(table.attrs["thresholds"].values()) == high[-1].thresholds_.tolist()


def test_a_model_without_labels_of_an_au_corrects_the_others_and_its_table_is_returned(
    faces, tmp_path
):
    labels = faces.target[AUS][:40].assign(AU9=np.nan)
    clf = DSNClassifier(
        person_encoder=False, max_epochs=1, random_state=0, validation_fraction=0
    )  # fmt: skip
    model = make_pipeline(FaceCropper(size=32, on_missing="warn"), clf)
    with pytest.warns(UserWarning, match="AU9"):
        model.fit(faces.images[:40], labels, dsnclassifier__groups=faces.groups[:40])
    Image.fromarray(faces.images[0]).save(tmp_path / "a.png")
    how = {"out": tmp_path / "a.csv", "verbose": 0}
    table = predict_images(model, [tmp_path / "a.png"], **how)
    pd.testing.assert_frame_equal(predict_images(model, [tmp_path / "a.png"], **how), table)
    film = [Frame(k / 10, faces.images[100 + k]) for k in range(3)]
    plain = predict_video(model, film, verbose=0)
    for how in ({"calibrate": True}, {"reference": faces.images[103:105]}):
        change = predict_video(model, film, **how, verbose=0)[AUS] - plain[AUS]
        assert (change.abs() > 1e-5).all(axis=None), how


@pytest.mark.parametrize("person", ["x", 0.5, -1, True])
def test_photos_at_rest_of_somebody_without_a_number(model, faces, person):
    photos = faces.images[:1]
    with pytest.raises(ValueError, match="reference names the person"):
        predict_images(model, photos, reference={person: photos}, verbose=0)


def test_photos_at_rest_correct_a_person(model, faces):
    films = [Frame(k / 10, faces.images[100]) for k in range(4)]
    rest = [faces.images[101], faces.images[102]]
    plain = predict_video(model, iter(films), verbose=0)
    table = predict_video(model, iter(films), reference=rest, verbose=0)
    people = model[-1].population_
    logits = model.decision_function(np.stack(rest)).mean(axis=0)
    trust = 2 / (2 + people["rest_frames"])
    slope = ((people["rest_frames"] + 1) / (people["rest_frames"] + 1 - trust)) ** 0.5
    own = people["rest"] + trust * (logits - people["rest"])
    expected = slope * (np.log(plain[AUS] / (1 - plain[AUS])) - own) + people["rest"]
    np.testing.assert_allclose(np.log(table[AUS] / (1 - table[AUS])), expected, atol=1e-3)
    again = predict_video(model, iter(films), reference={0: rest}, verbose=0)
    pd.testing.assert_frame_equal(again, table)
    with pytest.raises(ValueError, match="nobody has the number 7; the column person holds 0"):
        predict_video(model, iter(films), reference={7: rest}, verbose=0)
    with pytest.raises(ValueError, match="reference: no face found"):
        predict_video(model, iter(films), reference=[np.zeros((64, 64, 3), np.uint8)], verbose=0)
    with pytest.raises(TypeError, match=r"reference\[0\]\[1\] is 3 \(int\)"):
        predict_video(model, iter(films), reference={0: [rest[0], 3]}, verbose=0)
    with pytest.raises(ValueError, match="lists of photos"):
        predict_video(model, iter(films), reference="me.jpg", verbose=0)
    stranger = deepcopy(model)  # to frames without an AU
    stranger[-1].population_["rest_frames"] = np.nan
    with pytest.raises(ValueError, match="reference needs a model .* several frames of people"):
        predict_video(stranger, iter(films), reference=rest, verbose=0)


def test_calibration_by_one_photo_of_each_person_is_told(model, faces, photos):
    once = r"^calibrate: nobody is found in more than one photo, .*groups=people\)$"
    for images in (photos[:1], [faces.images[0], faces.images[300]]):
        with pytest.warns(UserWarning, match=once) as said:
            predict_images(model, images, faces="all", calibrate=True, verbose=0)
        assert len(said) == 1
    predict_images(model, photos[:2], faces="all", calibrate=True, verbose=0)  # one is in both
    film = [Frame(0.0, faces.images[0])]
    with pytest.warns(UserWarning, match="nobody is found in more than one frame .* more frames,"):
        predict_video(model, film, calibrate=True, verbose=0)
    rest = {0: [faces.images[1]]}
    with pytest.warns(UserWarning, match="nobody without photos at rest is found in more"):
        predict_images(
            model, photos[1:2], faces="all", calibrate=True, reference=rest, verbose=0
        )  # fmt: skip


def test_photos_at_rest_of_one_of_several_people_are_told(model, faces, photos):
    rest, both = [faces.images[1]], {"faces": "all", "verbose": 0}
    told = r"^reference: taken for person 0, the first .*; 1 is not cor.*=\{0: \[photo\], 1: \[ph"
    with pytest.warns(UserWarning, match=told) as said:
        table = predict_images(model, photos[:2], reference=rest, **both)
    assert len(said) == 1
    numbered = predict_images(model, photos[:2], reference={0: rest}, **both)
    pd.testing.assert_frame_equal(numbered, table)
    with pytest.warns(UserWarning, match="^reference|^calibrate: nobody without") as said:
        predict_images(model, photos[1:2], reference=rest, calibrate=True, **both)
    assert "; 1 is calibrated by their frames. " in str(said[0].message)
    assert len(said) == 2


# -- the picture -------------------------------------------------------------------------------


def test_overlay_of_a_film_keeps_its_length_and_sound(model, faces, tmp_path):
    av = pytest.importorskip("av")
    path, out = tmp_path / "film.mp4", tmp_path / "drawn.mp4"
    face = picture(faces, "S001", 0)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        sound = film.add_stream("aac", rate=16000, layout="mono")
        for frame in shots((70, 12, lambda k: {"a": (face, 20 + k, 30)})):
            image = np.ascontiguousarray(frame.image[:, :256])
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            wave = np.sin(np.arange(1600) / 8)[None].astype(np.float32)
            tone = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            tone.sample_rate, tone.pts = 16000, round(frame.time * 16000)
            film.mux(sound.encode(tone))
        film.mux(stream.encode())
        film.mux(sound.encode())
    table = predict_video(model, path, every=2, verbose=0)
    draw_overlay(table, path, out)
    before, after = list(read_video(path)), list(read_video(out))
    assert [frame.time for frame in after] == pytest.approx([frame.time for frame in before])
    box = table[["box_x1", "box_y1"]].iloc[2].to_numpy().astype(int)  # frame 4, shown in 5, too
    for frame in (4, 5):
        change = np.abs(after[frame].image.astype(int) - before[frame].image).sum(axis=2)
        assert change[box[1] + 20 : box[1] + 60, box[0] - 2 : box[0] + 3].max(axis=1).min() > 60
    with av.open(str(path)) as old, av.open(str(out)) as new:
        assert [bytes(p) for p in new.demux(audio=0)] == [bytes(p) for p in old.demux(audio=0)]
    with pytest.raises(ValueError, match="the film itself"):
        draw_overlay(table, path, path)
    with pytest.raises(ValueError, match="no column"):
        draw_overlay(table.drop(columns="person"), path, out)


def test_overlay_of_photos(model, faces, tmp_path):
    face = picture(faces, "S001", 0)
    clear = face.convert("RGBA")
    clear.putalpha(Image.fromarray(np.full((face.height, face.width), 255, np.uint8)))
    one, two = tmp_path / "a folder", tmp_path / "zwöi"
    paths = [
        one / "my face.jpg",
        two / "my face.jpg",
        one / "ünï.png",
        two / "7",
        one / "grey.tif",
    ]
    for path, image in zip(paths, (face, face, clear, face, face.convert("L")), strict=True):
        path.parent.mkdir(exist_ok=True)
        image.save(path, format=None if path.suffix else "PNG")
    broken = one / "broken.jpg"
    broken.write_bytes(b"no image")
    before = {path: path.read_bytes() for path in paths}
    for folder in (one, two):
        folder.chmod(0o555)
    with pytest.warns(UserWarning, match=r"cannot read 1 of 6.*\n.*broken\.jpg"):
        table = predict_images(model, [*paths, broken], out=tmp_path / "t.csv", verbose=0)
    with pytest.warns(UserWarning, match=r"cannot read 1 of 6.*\n.*broken\.jpg"):
        read = predict_images(model, [*paths, broken], out=tmp_path / "t.csv")
    for again in (table, read):
        out = tmp_path / f"drawn {again is table}"
        draw_overlay(again, [*paths, broken], out)
        drawn = {path.name: np.asarray(Image.open(path).convert("RGB")) for path in out.iterdir()}
        assert sorted(drawn) == ["7.png", "grey.tif", "my face-2.jpg", "my face.jpg", "ünï.png"]
        for image in drawn.values():
            plain = np.asarray(face.convert("L" if image is drawn["grey.tif"] else "RGB"))
            plain = plain if plain.ndim == 3 else np.repeat(plain[..., None], 3, axis=2)
            assert (np.abs(image.astype(int) - plain).max(axis=2) > 60).mean() > 0.02
    for folder in (one, two):
        folder.chmod(0o755)
    assert {path: path.read_bytes() for path in paths} == before
    drawn = []
    for limit in (0.0, 1.0):  # every bar strong, and none
        table.attrs["thresholds"] = dict.fromkeys(model[-1].au_names_, limit)
        draw_overlay(table, paths[:1], tmp_path / "bars")
        drawn.append(np.asarray(Image.open(tmp_path / "bars" / paths[0].name)))
    assert (drawn[0] != drawn[1]).any()
    with pytest.raises(ValueError, match="the folder of the photos"):
        draw_overlay(table, paths[:1], one)
    for out in (tmp_path / "drawn.jpg", broken, two / "7"):
        with pytest.raises(ValueError, match="is no folder; photos need one"):
            draw_overlay(table, paths[:1], out)
    assert not (tmp_path / "drawn.jpg").exists()


def test_photos_at_rest_are_the_first_that_a_process_looks_at(model, faces):
    """The networks that find faces are loaded by a thread, which must not wait for this one."""
    load_networks.cache_clear()
    told = []
    rest = [picture(faces, "S005", 0)]
    call = Thread(target=lambda: told.append(rest_lines(Scorer(model), rest)), daemon=True)
    call.start()
    call.join(60)
    assert told
