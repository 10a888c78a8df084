"""E-Net's maps by each image's own landmarks, carried by the image."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skau.baselines import ATFClassifier, LightCNNClassifier, add_enhancing_maps
from skau.baselines._atf import Enhance, EnhanceByMap
from skau.baselines._au_centres import TEMPLATE_CENTRES, centres_from_points
from skau.preprocessing import FaceCropper
from skau.preprocessing._alignment import EYE_LINE, EYE_TO_MOUTH, eye_matrix
from skau.preprocessing._landmarks import COLUMNS

QUICK = {"max_epochs": 1, "batch_size": 32, "lr": 1e-3, "random_state": 0, "device": "cpu"}


def template_points(size):
    """Five points, in pixels, of the face that the template was made for."""
    eye, mouth = 0.45 * EYE_TO_MOUTH, 0.37 * EYE_TO_MOUTH
    low = EYE_LINE + EYE_TO_MOUTH
    points = [(0.5 - eye, EYE_LINE), (0.5 + eye, EYE_LINE), (0.5, 0.5), (0.5 - mouth, low)]
    return size * np.array([*points, (0.5 + mouth, low)]) - 0.5


@pytest.fixture
def faces(blobs):
    """The blobs with landmarks of faces that are turned to either side."""
    X, Y, groups = blobs
    rng = np.random.RandomState(0)
    points = np.tile(template_points(32), (len(X), 1, 1)) + rng.uniform(-2, 2, (len(X), 5, 2))
    return X, Y, groups, points


def test_the_templates_face_has_the_templates_centres():
    centres = (centres_from_points(template_points(64)[None])[0] + 0.5) / 64
    np.testing.assert_allclose(centres, TEMPLATE_CENTRES)


def test_centres_by_five_points_move_with_the_face():
    points = template_points(64)
    turned = points.copy()
    turned[:2, 0] = 32 + 0.5 * (turned[:2, 0] - 32)  # the eyes half as far apart
    turned[3:, 0] += 5  # and the mouth to the side
    before, after = (centres_from_points(p[None])[0] for p in (points, turned))
    np.testing.assert_allclose(after[8:10], turned[:2])  # AU7: the eyes
    low = after[12:14].mean(axis=0)  # AU12: beside the mouth's middle
    np.testing.assert_allclose(low, turned[3:].mean(axis=0))
    np.testing.assert_allclose(np.ptp(after[12:14, 0]), 0.5 * np.ptp(before[12:14, 0]))


def test_centres_by_68_points():
    points = np.random.RandomState(0).uniform(0, 100, (1, 68, 2))
    points[0, [39, 42]] = [[40, 50], [60, 50]]  # a level face, 20 pixels between the eyes
    centres = centres_from_points(points)[0]
    assert centres.shape == (len(TEMPLATE_CENTRES), 2)
    p = points[0]
    np.testing.assert_allclose(centres[0], p[21] - [0, 10])  # AU1
    np.testing.assert_allclose(centres[7], (p[46] + p[47]) / 2 + [0, 20])  # AU6
    np.testing.assert_allclose(centres[8], p[36:42].mean(axis=0))  # AU7
    np.testing.assert_allclose(centres[13], p[54])  # AU12
    rolled = points @ np.array([[0.0, 1], [-1, 0]])  # a quarter turn turns the centres
    np.testing.assert_allclose(
        centres_from_points(rolled)[0], centres @ np.array([[0.0, 1], [-1, 0]])
    )


def test_a_table_of_the_photographs_is_taken_into_the_crops():
    points = template_points(48)
    angle, scale = 0.3, 2.5
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    photo = (points + 0.5) @ turn + [100, 80] - 0.5
    row = [0, 0, 1, 1, 0.9, *photo.ravel(), 640, 480]
    table = pd.DataFrame([row], columns=list(COLUMNS))
    crops = np.zeros((1, 48, 48, 3), np.uint8)
    by_table, by_points = add_enhancing_maps(crops, table), add_enhancing_maps(crops, points[None])
    assert by_points[..., 3].max() > 200
    np.testing.assert_allclose(by_table.astype(int), by_points, atol=1)


@pytest.mark.parametrize("align", ["eyes", "eye_distance", "box"])
def test_a_table_goes_into_the_crops_of_its_cropper(align):
    # a face 60 pixels wide at the eyes, whose box is the square of 200 pixels about it
    points = np.array([[170.0, 180], [230, 180], [200, 220], [180, 260], [220, 260]])
    row = [100, 100, 300, 300, 0.9, *points.ravel(), 640, 480]
    table = pd.DataFrame([row], columns=list(COLUMNS))
    crops = np.zeros((1, 64, 64, 3), np.uint8)
    cropper = FaceCropper(size=64, align=align, margin=0.1)
    own = add_enhancing_maps(crops, table, cropper)[0, ..., 3]
    # by hand: the side that the crop covers, and where in it the eyes are without the margin
    side = {"eyes": 80 / 48 * 128, "eye_distance": 60 / 48 * 128, "box": 200}[align] * 1.2
    low = {"eyes": 180.5 - 80 / 48 * 40, "eye_distance": 180.5 - 60 / 48 * 40, "box": 100.5}[align]
    top = low - side / 12
    for x in (170.5, 230.5):
        column, line = (x - 200.5) / side * 64 + 32, (180.5 - top) / side * 64
        assert own[int(line), int(column)] > 200
    if align != "eyes":
        assert np.abs(own - add_enhancing_maps(crops, table)[0, ..., 3].astype(int)).max() > 100
    with pytest.raises(ValueError, match="cropper cuts 64 pixels, crops have 32"):
        add_enhancing_maps(crops[:, :32, :32], table, cropper)


def test_maps_of_the_template_are_the_template():
    crops = np.random.RandomState(0).randint(0, 256, (2, 128, 128, 3)).astype(np.uint8)
    mapped = add_enhancing_maps(crops, np.tile(template_points(128), (2, 1, 1)))
    np.testing.assert_array_equal(mapped[..., :3], crops)
    x = torch.from_numpy(mapped).permute(0, 3, 1, 2) / 255
    below = torch.nn.AvgPool2d(2)
    by_map, by_template = EnhanceByMap(below)(x), Enhance(TEMPLATE_CENTRES)(below(x[:, :3]))
    torch.testing.assert_close(by_map, by_template, atol=0.02, rtol=0.05)
    assert (by_template - below(x[:, :3])).abs().max() > 0.4


def test_maps_go_with_their_images_through_scikit_learn(faces):
    X, Y, groups, points = faces
    mapped = add_enhancing_maps(X, points)
    clf = ATFClassifier(**QUICK).fit(mapped, Y, groups=groups)
    proba = clf.predict_proba(mapped)
    order = np.random.RandomState(1).permutation(len(X))
    np.testing.assert_allclose(clf.predict_proba(mapped[order]), proba[order], atol=1e-6)
    other = mapped.copy()
    other[..., 3] = 0
    assert np.abs(clf.predict_proba(other) - proba).max() > 1e-3
    model = make_pipeline(
        FunctionTransformer(), ATFClassifier(**QUICK, adversary=0, validation_fraction=0)
    )
    assert cross_val_predict(model, mapped, Y, cv=2).shape == Y.shape


def test_a_map_is_mirrored_with_its_image(faces):
    X, Y, groups, points = faces
    seen = []

    def watch(images):
        seen.append(images.shape)
        return images.flip(-1)

    mapped = add_enhancing_maps(X, points)
    mirrored = np.ascontiguousarray(mapped[:, :, ::-1])
    params = QUICK | {"validation_fraction": 0, "precision": "float32"}
    ahead = ATFClassifier(**params, augment=watch).fit(mapped, Y, groups=groups)
    direct = ATFClassifier(**params, augment=None).fit(mirrored, Y, groups=groups)
    assert seen[0] == (32, 4, 32, 32)
    np.testing.assert_allclose(
        ahead.predict_proba(mapped), direct.predict_proba(mapped), atol=1e-5
    )


def test_bad_input(faces):
    X, Y, groups, points = faces
    with pytest.raises(ValueError, match=r"landmarks must have shape \(64, 5, 2\)"):
        add_enhancing_maps(X, points[:-1])
    with pytest.raises(ValueError, match="crops must be uint8"):
        add_enhancing_maps(X[..., 0], points)
    points[7, 2] = np.nan
    with pytest.raises(ValueError, match="row 7 has none"):
        add_enhancing_maps(X, points)
    mapped = np.concatenate([X, X[..., :1]], axis=3)
    with pytest.raises(ValueError, match=r"images must have shape \(n, h, w, 3\)"):
        LightCNNClassifier(**QUICK).fit(mapped, Y, groups=groups)
    clf = ATFClassifier(**QUICK).fit(mapped, Y, groups=groups)
    with pytest.raises(ValueError, match="RGB images of .*fitted on RGB images with maps"):
        clf.predict(X)


def test_maps_are_high_at_marked_pupils(shared):
    marked = pd.read_csv(shared / "london" / "faces.csv").dropna(subset="left_eye_x")[:5]
    cropper = FaceCropper(size=128)
    table = cropper.detect([shared / "london" / image for image in marked["image"]])
    maps = add_enhancing_maps(cropper.transform(table), table)[..., 3]
    points = table[list(COLUMNS)].to_numpy()[:, 5:15].astype(float).reshape(-1, 5, 2)
    names = [f"{side}_eye_{axis}" for side in ("left", "right") for axis in "xy"]
    pupils = marked[names].to_numpy().reshape(-1, 2, 2)
    for face, own, two in zip(points, maps, pupils, strict=True):
        matrix = eye_matrix(face, 128)
        for pupil in two:
            x, y = np.linalg.solve(matrix[:, :2], pupil + 0.5 - matrix[:, 2]).astype(int)
            assert own[y, x] > 128
