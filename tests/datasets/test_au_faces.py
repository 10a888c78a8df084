"""The rendered faces: geometry, labels, cache, and whether the signals are really there."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skau.datasets
from skau.datasets import load_sample_faces, make_au_faces
from skau.datasets._rendering._people import PRESENT
from skau.datasets._rendering._raster import rasterise
from skau.datasets._rendering._rig import (
    ACTION_UNITS,
    SKIN,
    expression,
    load_rig,
    target_name,
)

SMALL = {"image_size": 32, "random_state": 3}


# The rasteriser, on cases worked by hand.


def test_a_triangle_covers_the_pixel_centres_inside_it():
    # Corners (0, 0), (0, 4), (4, 0) in a picture of 4: centres with x + y <= 4.
    points = np.array([[0.0, 0, 0.5], [0, 4, 0.5], [4, 0, 0.5]])
    pixel, triangle, weights = rasterise(points, np.array([[0, 1, 2]]), 4)
    assert pixel.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9, 12]
    assert set(triangle) == {0}
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose(weights @ points[:, :2], np.stack([pixel % 4, pixel // 4], 1) + 0.5)


def test_the_back_of_a_triangle_is_seen_only_if_asked_for():
    points = np.array([[0.0, 0, 0.5], [0, 4, 0.5], [4, 0, 0.5]])
    turned = np.array([[0, 2, 1]])
    assert len(rasterise(points, turned, 4)[0]) == 0
    assert len(rasterise(points, turned, 4, two_sided=True)[0]) == 10


def test_the_nearer_triangle_wins_whatever_the_order():
    corners = np.array([[0.0, 0], [0, 8], [8, 0]])
    points = np.concatenate([np.c_[corners, np.full(3, near)] for near in (0.2, 0.7)])
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        pixel, triangle, _ = rasterise(points, np.array(order), 8)
        assert {order[k][0] for k in triangle} == {3}
        assert len(pixel) == len(set(pixel.tolist()))


def test_neighbouring_triangles_leave_no_hole():
    rng = np.random.RandomState(0)
    middle = rng.uniform(5, 11, 2)
    points = np.array([[0, 0], [0, 16], [16, 16], [16, 0], middle])
    points = np.c_[points, np.full(5, 0.5)]
    fan = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    pixel, _, _ = rasterise(points, fan, 16)
    assert pixel.tolist() == list(range(256))


def test_nothing_in_view_gives_nothing():
    points = np.array([[-9.0, -9, 0.5], [-9, -5, 0.5], [-5, -9, 0.5]])
    assert len(rasterise(points, np.array([[0, 1, 2]]), 8)[0]) == 0


# The rig: each AU moves what FACS says it moves. Places on the mean face, in decimetres.

REGIONS = {
    "inner brow": (0.08, 0.22, 7.40, 7.52), "outer brow": (0.42, 0.56, 7.38, 7.52),
    "upper lid": (0.24, 0.38, 7.31, 7.36), "lower lid": (0.24, 0.38, 7.20, 7.25),
    "lip corner": (0.22, 0.27, 6.56, 6.66), "upper lip": (0.0, 0.12, 6.63, 6.72),
    "lower lip": (0.0, 0.12, 6.49, 6.56), "cheek": (0.28, 0.48, 6.95, 7.12),
    "chin": (0.0, 0.15, 6.2, 6.35),
}  # fmt: skip
MOVES = [  # AU, region, axis (0 sideways, outwards; 1 up; 2 forwards), direction
    (1, "inner brow", 1, 1), (2, "outer brow", 1, 1), (4, "inner brow", 1, -1),
    (4, "inner brow", 0, -1), (5, "upper lid", 1, 1), (6, "cheek", 1, 1),
    (6, "lower lid", 1, 1), (7, "lower lid", 1, 1), (9, "upper lip", 1, 1),
    (9, "inner brow", 1, -1), (10, "upper lip", 1, 1), (12, "lip corner", 1, 1),
    (12, "lip corner", 0, 1), (12, "cheek", 1, 1), (14, "lip corner", 2, -1),
    (15, "lip corner", 1, -1), (16, "lower lip", 1, -1), (17, "lower lip", 1, 1),
    (17, "chin", 1, 1), (18, "lip corner", 0, -1), (18, "lower lip", 2, 1),
    (20, "lip corner", 0, 1), (23, "lip corner", 0, -1), (23, "upper lip", 1, -1),
    (23, "lower lip", 1, 1), (24, "upper lip", 1, -1), (24, "lower lip", 1, 1),
    (25, "lower lip", 1, -1), (26, "chin", 1, -1), (43, "upper lid", 1, -1),
]  # fmt: skip
# What an AU must not move, or only a little against what it does move: AU, region and axis that
# stay, region and axis that move, the largest share.
STAYS = [
    (14, "lip corner", 0, "lip corner", 2, 0.4),  # a dimple is drawn in, it is no smile
    (14, "lip corner", 1, "lip corner", 2, 0.6),
    (20, "lip corner", 1, "lip corner", 0, 0.4),  # stretched sideways
    (24, "lip corner", 0, "lower lip", 1, 0.4),  # pressed, and not wider
    (24, "lip corner", 1, "lower lip", 1, 0.4),
    (23, "chin", 1, "lower lip", 1, 0.5),
    (7, "cheek", 1, "lower lid", 1, 0.3),  # lids alone
    (10, "inner brow", 1, "upper lip", 1, 0.1),
]


def movements(au: int, region: str) -> list[np.ndarray]:
    """Tell how far an AU moves a region of either side: outwards, up and forwards."""
    rig = load_rig()
    low_x, high_x, low_y, high_y = REGIONS[region]
    x, y, z = rig.position.T
    skin = np.zeros(len(x), bool)
    skin[rig.vertices_of(SKIN)] = True
    weights = expression({au: 1.0}, strength=dict.fromkeys(ACTION_UNITS, 1.0))
    moved = rig.moved(rig.position, weights) - rig.position
    means = []
    for side in (1, -1):
        here = (side * x >= low_x) & (side * x <= high_x) & (y >= low_y) & (y <= high_y)
        here &= skin & (z > 1.1)
        assert here.sum() >= 3
        means.append(moved[here].mean(0) * [side, 1, 1])
    return means


@pytest.mark.parametrize(("au", "region", "axis", "direction"), MOVES)
def test_an_au_moves_the_right_part_of_the_face_the_right_way(au, region, axis, direction):
    for moved in movements(au, region):
        assert direction * moved[axis] > 0.004


@pytest.mark.parametrize(("au", "still", "along", "region", "axis", "most"), STAYS)
def test_an_au_leaves_alone_what_it_does_not_move(au, still, along, region, axis, most):
    for calm, moved in zip(movements(au, still), movements(au, region), strict=True):
        assert abs(calm[along]) < most * abs(moved[axis])


def test_every_au_is_made_of_known_targets():
    names = {target_name(name) for targets in ACTION_UNITS.values() for name in targets}
    assert names <= set(load_rig().targets)


# The corpus.


@pytest.fixture(scope="module")
def few():
    return make_au_faces(2, 3, cache=False, **SMALL)


def test_the_bunch_has_what_every_corpus_has(few):
    assert few.images.shape == (6, 32, 32, 3)
    assert few.images.dtype == np.uint8
    assert few.au_names == [f"AU{n}" for n in (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)]
    assert list(few.target.columns) == few.au_names
    assert few.groups.tolist() == ["S001"] * 3 + ["S002"] * 3
    assert few.frame["frame"].tolist() == [0, 1, 2] * 2
    assert few.folds is None
    assert few.name == "AU faces"
    assert "CC0" in few.DESCR


def test_present_means_an_intensity_of_at_least_a_fifth(few):
    assert set(np.unique(few.target)) <= {0.0, 1.0}
    assert few.intensity.to_numpy().min() >= 0
    assert few.intensity.to_numpy().max() <= 1
    pd.testing.assert_frame_equal((few.intensity >= PRESENT).astype(float), few.target)


def test_arrays(few):
    plain = make_au_faces(2, 3, cache=False, as_frame=False, **SMALL)
    np.testing.assert_array_equal(plain.target, few.target)
    np.testing.assert_array_equal(plain.intensity, few.intensity)
    assert plain.frame is None


def test_the_same_seed_gives_the_same_bytes(few):
    again = make_au_faces(2, 3, cache=False, **SMALL)
    np.testing.assert_array_equal(again.images, few.images)
    pd.testing.assert_frame_equal(again.intensity, few.intensity)
    other = make_au_faces(2, 3, cache=False, image_size=32, random_state=4)
    assert not np.array_equal(other.images, few.images)


def test_more_people_and_pictures_begin_with_the_fewer(few):
    more = make_au_faces(3, 4, cache=False, **SMALL)
    first = (more.groups <= "S002") & (more.frame["frame"] < 3)
    np.testing.assert_array_equal(more.images[first], few.images)


def test_the_order_of_aus_is_the_callers_and_changes_no_picture():
    one = make_au_faces(1, 2, aus=[12, 1, 4], cache=False, **SMALL)
    other = make_au_faces(1, 2, aus=["AU4", "AU12", "AU1"], cache=False, **SMALL)
    assert one.au_names == ["AU12", "AU1", "AU4"]
    np.testing.assert_array_equal(one.images, other.images)
    pd.testing.assert_frame_equal(one.intensity, other.intensity[one.au_names])


def test_an_au_that_is_not_asked_for_is_not_shown():
    settings = {"image_size": 48, "random_state": 0, "variation": 0.0, "cache": False}
    still = make_au_faces(1, 12, aus=[43], **settings)
    closed = still.target["AU43"].to_numpy() > 0
    calm = still.images[(still.intensity["AU43"] == 0).to_numpy()]
    assert closed.any()
    assert len(calm) >= 2
    np.testing.assert_array_equal(calm[0], calm[1])  # nothing else can move without variation
    assert np.abs(still.images[closed][0].astype(int) - calm[0]).max() > 40


def test_variation_spreads_pose_and_light():
    def spread(variation):
        images = make_au_faces(
            1, 6, aus=[1], image_size=48, variation=variation, random_state=0, cache=False
        ).images
        return images.std(0).mean()

    assert spread(0.0) < spread(1.0) < spread(2.0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"n_subjects": 0}, "n_subjects must be a whole number from 1"),
        ({"n_frames": 2.5}, "n_frames must be a whole number"),
        ({"image_size": 8}, "image_size must be a whole number from 32"),
        ({"variation": -1}, "variation must be a number from 0"),
        ({"aus": [1, 99]}, r"aus: cannot show \['AU99'\]; choose from 1, 2, 4"),
        ({"aus": []}, "aus: cannot show nothing"),
        ({"aus": [1, "AU1"]}, "twice"),
    ],
)
def test_bad_input_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        make_au_faces(**{"n_subjects": 1, "n_frames": 1, "cache": False} | bad)


def test_the_cache_keeps_whole_people_and_goes_on_where_it_stopped(tmp_path, monkeypatch, few):
    drawn = []
    real = skau.datasets._au_faces.draw_subject

    def counted(seed, subject, *rest):
        if subject == 1 and len(drawn) == 1:
            drawn.append("interrupted")
            raise KeyboardInterrupt
        drawn.append(subject)
        return real(seed, subject, *rest)

    monkeypatch.setattr(skau.datasets._au_faces, "draw_subject", counted)
    with pytest.raises(KeyboardInterrupt):
        make_au_faces(2, 3, data_home=tmp_path, **SMALL)
    resumed = make_au_faces(2, 3, data_home=tmp_path, **SMALL)
    assert drawn == [0, "interrupted", 1]
    np.testing.assert_array_equal(resumed.images, few.images)
    files = sorted(tmp_path.rglob("*.npz"))
    assert [file.name for file in files] == ["S00001.npz", "S00002.npz"]
    assert not list(tmp_path.rglob("*.part"))

    files[0].write_bytes(b"torn")  # a damaged file is rendered again
    again = make_au_faces(2, 3, data_home=tmp_path, **SMALL)
    assert drawn[3:] == [0]
    np.testing.assert_array_equal(again.images, few.images)


def test_only_an_int_seed_uses_the_cache(tmp_path):
    make_au_faces(1, 1, image_size=32, random_state=None, data_home=tmp_path)
    make_au_faces(1, 1, image_size=32, random_state=np.random.RandomState(0), data_home=tmp_path)
    make_au_faces(1, 1, image_size=32, random_state=0, data_home=tmp_path, cache=False)
    assert not list(tmp_path.rglob("*.npz"))


def test_the_sample_is_small_and_quick_to_read():
    folder = Path(os.fspath(Path(skau.datasets.__file__).parent / "data"))
    assert (folder / "sample_faces.npz").stat().st_size <= 3e6
    assert (folder / "face_rig.npz").stat().st_size <= 1.2e6
    start = time.process_time()
    faces = load_sample_faces()
    assert time.process_time() - start < 1
    assert faces.images.shape == (480, 128, 128, 3)
    assert len(set(faces.groups)) == 24
    assert ((faces.target.mean() > 0.1) & (faces.target.mean() < 0.6)).all()
    pd.testing.assert_frame_equal((faces.intensity >= 0.2).astype(float), faces.target)


# Are the signals really there?


def hog(images: np.ndarray, cell: int = 8, bins: int = 9) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), blocks of 2 x 2 cells."""
    grey = np.sqrt(images.astype(np.float32).mean(-1))
    down, right = np.gradient(grey, axis=(1, 2))
    size = np.hypot(right, down)
    angle = (np.arctan2(down, right) % np.pi) / np.pi * bins
    n, side = len(images), images.shape[1] // cell
    cells = np.empty((n, side, side, bins), np.float32)
    for k in range(bins):
        near = np.abs((angle - k - 0.5 + bins / 2) % bins - bins / 2)
        share = np.clip(1 - near, 0, 1) * size
        share = share[:, : side * cell, : side * cell].reshape(n, side, cell, side, cell)
        cells[..., k] = share.sum((2, 4))
    blocks = np.concatenate(
        [cells[:, i : side - 1 + i, j : side - 1 + j] for i in (0, 1) for j in (0, 1)], -1
    )
    blocks /= np.sqrt((blocks**2).sum(-1, keepdims=True) + 1)
    return blocks.reshape(n, -1)


def unseen_auc(faces, features, train_subjects) -> pd.Series:
    """AUC of every AU on people that a HOG and logistic model has not seen."""
    seen = np.isin(faces.groups, train_subjects)
    shape = make_pipeline(StandardScaler(), PCA(0.9, random_state=0)).fit(features[seen])
    table = shape.transform(features)
    model = LogisticRegression(C=0.003, max_iter=1000, class_weight="balanced")
    return pd.Series(
        {
            au: roc_auc_score(
                y[~seen], model.fit(table[seen], y[seen]).decision_function(table[~seen])
            )
            for au, y in faces.target.items()
        }
    )


def rank_one(faces, features) -> float:
    """How often a HOG and logistic model names the subject of pictures it has not seen."""
    odd = faces.frame["frame"].to_numpy() % 2 == 1
    model = make_pipeline(
        StandardScaler(), PCA(0.9, random_state=0), LogisticRegression(C=0.01, max_iter=500)
    )
    return model.fit(features[~odd], faces.groups[~odd]).score(features[odd], faces.groups[odd])


def test_the_sample_teaches_aus_and_people():
    faces = load_sample_faces()
    subjects = np.unique(faces.groups)
    features = hog(faces.images)
    auc = unseen_auc(faces, features, subjects[:16])
    print(auc.round(3).to_dict())
    assert auc.mean() > 0.70
    assert rank_one(faces, features) > 0.9


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    home = os.environ.get("SKAU_TEST_DATA", tmp_path_factory.mktemp("home"))
    return make_au_faces(60, 20, random_state=1, n_jobs=2, data_home=home)


@pytest.mark.slow
def test_every_au_can_be_learnt_for_unseen_people(many):
    auc = unseen_auc(many, hog(many.images), np.unique(many.groups)[:40])
    print(auc.round(3).to_dict(), auc.mean())
    assert auc.min() > 0.6
    assert auc.mean() > 0.78


@pytest.mark.slow
def test_the_subject_can_be_found(many):
    assert rank_one(many, hog(many.images)) > 0.9


@pytest.mark.slow
def test_mtcnn_finds_the_faces(many):
    from facenet_pytorch import MTCNN
    from PIL import Image

    detector = MTCNN(keep_all=False, min_face_size=40)
    found = [detector.detect(Image.fromarray(image))[0] is not None for image in many.images]
    assert np.mean(found) >= 0.99


def test_looks_foretell_the_resting_face_as_far_as_likeness_says(monkeypatch):
    from skau.datasets._rendering import _people
    from skau.datasets._rendering._skin import paint

    # Painting and rendering take most of the time, and only the depth of lines is asked of them.
    rng = np.random.default_rng(0)
    _, traits = _people.person(rng)
    somebody, see, seen = paint(rng, traits), _people._looks, []
    picture = np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(_people, "render", lambda *args: picture)
    monkeypatch.setattr(
        _people, "paint",
        lambda rng, traits: replace(somebody, lines=rng.uniform(0.55, 0.9) + 0.6 * traits.age),
    )  # fmt: skip
    monkeypatch.setattr(_people, "_looks", lambda *who: seen.append(see(*who)) or seen[-1])
    rest = {0.0: [], 0.9: []}
    for likeness, found in rest.items():
        faces = make_au_faces(
            200, 1, aus=[1, 12], image_size=32, likeness=likeness, random_state=7, cache=False
        )
        assert faces.rest.shape == (200, 2)
        assert faces.rest.index.tolist() == faces.groups.tolist()
        looks = np.array(seen[-200:])
        assert np.abs(looks.mean(axis=0)).max() < 0.3  # standard errors of 200 people: 0.07
        assert np.abs(looks.std(axis=0) - 1).max() < 0.25
        for au in faces.rest:
            fit = np.linalg.lstsq(np.c_[looks, np.ones(200)], faces.rest[au], rcond=None)[0]
            told = np.c_[looks, np.ones(200)] @ fit
            found.append(np.corrcoef(told, faces.rest[au])[0, 1] ** 2)
    # A line foretells 1 / (2 - 2 / pi) of a normal variable cut at zero, here of 0.9**2; by chance
    # six looks foretell 0.03.
    np.testing.assert_allclose(rest[0.9], 0.81 / (2 - 2 / np.pi), atol=0.12)
    assert max(rest[0.0]) < 0.1


def test_resting_faces_scale_and_default_pictures_stay(tmp_path):
    how = {"aus": [12], "image_size": 32, "random_state": 3, "cache": False}
    usual = make_au_faces(2, 2, **how)
    none, twice = (make_au_faces(2, 2, resting=r, **how) for r in (0, 2))
    assert (none.rest == 0).all(axis=None)
    np.testing.assert_allclose(twice.rest, 2 * usual.rest)
    np.testing.assert_array_equal(usual.intensity, twice.intensity)
    assert (usual.images != none.images).any()
    kept = [make_au_faces(2, 2, **how | {"cache": True, "data_home": tmp_path}) for _ in range(2)]
    for faces in kept:
        np.testing.assert_array_equal(faces.images, usual.images)
        np.testing.assert_array_equal(faces.rest, usual.rest)


@pytest.mark.parametrize(("name", "value"), [("resting", -1), ("resting", 4), ("likeness", 1.5)])
def test_resting_and_likeness_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number from 0"):
        make_au_faces(1, 1, **{name: value})
