"""Which face of a frame is which of the one before, who is who, and how a head is turned."""

import numpy as np
import pytest
from PIL import Image

from skau.preprocessing import head_pose
from skau.preprocessing._appearance import Appearances, _projection, join_people
from skau.preprocessing._landmarks import COLUMNS
from skau.preprocessing._pose import TEMPLATE, rotation
from skau.preprocessing._tracks import Tracker


class Stage:
    """Frames of discs of their own grey; a detector that sees those brighter than 90."""

    def __init__(self, *frames):
        self.frames = frames
        self.images = [self.draw(discs) for discs in frames]
        self.searches, self.parts = [], []
        self.all = True

    @staticmethod
    def draw(discs):
        image = np.full((120, 400, 3), 20, np.uint8)
        stripes = np.arange(40) // 4 % 2 * 60
        for x, grey in discs:
            face = np.full((40, 40), grey) + (stripes if grey % 2 else stripes[:, None])
            if grey == C:
                face = grey + (stripes + stripes[:, None]) / 2
            image[40:80, x : x + 40] = face[..., None].clip(0, 255)
        return Image.fromarray(image)

    @staticmethod
    def row(x):
        values = np.full(len(COLUMNS), np.nan)
        values[:5] = x, 40, x + 40, 80, 0.99
        return values

    def find(self, image, part):
        index = next(i for i, own in enumerate(self.images) if own is image)
        if part == (0, 0, *image.size):
            self.searches.append(index)
        else:
            self.parts.append((index, part))
        x1, y1, x2, y2 = part
        inside = [x for x, _ in self.frames[index] if x1 <= x and x + 40 <= x2 and y1 <= 40]
        return [self.row(x) for x in inside if y2 >= 80][: None if self.all else 1]

    def glance(self, image):
        index = next(i for i, own in enumerate(self.images) if own is image)
        return any(grey >= LARGE for _, grey in self.frames[index])

    def follow(self, image, values):
        index = next(i for i, own in enumerate(self.images) if own is image)
        near = [x for x, _ in self.frames[index] if abs(x - values[0]) < 25]
        return self.row(min(near, key=lambda x: abs(x - values[0]))) if near else None

    def track(self, everyone=True, block=8, patience=1):
        self.all = everyone
        tracker = Tracker(self.find, self.follow, self.glance, everyone, patience)
        seen = []
        for start in range(0, len(self.images), block):
            seen += tracker(self.images[start : start + block])
        return [{s.face: s.values[0] for s in faces} for faces in seen]


A, B, C = 100, 101, 102  # an even grey has stripes across, an odd one down; C has both
LARGE = 110  # a disc of this grey counts as a large one


def test_newcomers_are_followed_back_to_where_they_came_in():
    frames = [[(20, A)]] * 3 + [[(20, A), (200 + k, B)] for k in range(5)]
    stage = Stage(*frames)
    assert stage.track() == [{0: 20}] * 3 + [{0: 20, 1: 200 + k} for k in range(5)]
    # frame 0, the last one, and frame 2, where the newcomer is not any more
    assert stage.searches == [0, 7, 2]


def test_a_face_that_is_gone_for_a_moment_is_the_same():
    frames = [[(20 + k, A), (200, B)] if k not in (3, 4) else [(200, B)] for k in range(8)]
    seen = Stage(*frames).track()
    assert [sorted(faces) for faces in seen] == [[0, 1]] * 3 + [[1]] * 2 + [[0, 1]] * 3


@pytest.mark.parametrize("gone", [1, 3, 10])
def test_who_comes_to_the_place_of_one_who_left_is_another(gone):
    # C is half like A, a correlation of 0.71
    frames = [[(20, A)]] * 4 + [[]] * gone + [[(20, C)]] * 4
    seen = Stage(*frames).track()
    assert seen == [{0: 20}] * 4 + [{}] * gone + [{1: 20}] * 4
    frames = [[(20, A)]] * 4 + [[]] * gone + [[(20, A)]] * 4
    assert {face for faces in Stage(*frames).track() for face in faces} == {0}


def test_a_track_does_not_go_over_to_another_face():
    # B comes from the right and covers A, then goes on to the left; A was never far
    frames = [[(100, A), (100 + 18 * (6 - k), B)] if abs(6 - k) > 1 else [(100 + 18 * (6 - k), B)]
              for k in range(12)]  # fmt: skip
    seen = Stage(*frames).track(block=8)
    for faces, discs in zip(seen, frames, strict=True):
        assert sorted(faces.values()) == sorted(x for x, _ in discs)
    owner = {}
    for faces, discs in zip(seen, frames, strict=True):
        for face, x in faces.items():
            owner.setdefault(face, set()).add(dict(discs)[x])
    assert all(len(greys) == 1 for greys in owner.values())


def test_faceless_frames_are_searched_where_they_change_and_followed_ones_are_not():
    stage = Stage([], [], [(300, 60)], [(300, 60)], [(50, A)], [(52, A)], [(54, A)])
    stage.frames = [[], [], [], [], *stage.frames[4:]]  # what is dark is no face
    assert [len(faces) for faces in stage.track(everyone=False)] == [0, 0, 0, 0, 1, 1, 1]
    # the second is like the first, and the fourth like the third
    assert stage.searches == [0, 2, 4]


@pytest.mark.parametrize("everyone", [False, True])
def test_a_face_that_is_there_for_one_frame_is_found_while_nobody_is_followed(everyone):
    frames = [[(200, A)] if k in (2, 5, 9) else [] for k in range(16)]
    stage = Stage(*frames)
    seen = stage.track(everyone=everyone, patience=4)
    assert [len(faces) for faces in seen] == [len(discs) for discs in frames]
    assert [k for k, _ in stage.parts] == [2, 5, 9]
    left, top, right, bottom = stage.parts[0][1]
    assert (right - left) * (bottom - top) <= 400 * 120 / 4


def test_who_comes_while_not_every_frame_is_searched_is_followed_back():
    stage = Stage([], [], *([(50 + k, A)] for k in range(6)))
    for image in stage.images[1:]:  # another light, so all of each frame has changed
        image.paste(Image.fromarray(np.asarray(image) + np.uint8(12)))
    seen = stage.track(everyone=False, patience=4)
    assert seen == [{}, {}, *({0: 50 + k} for k in range(6))]
    # the first, the fourth, and the second, where nobody is found any more
    assert stage.searches == [0, 3, 1]


def test_in_a_moving_picture_large_faces_are_found_in_every_frame():
    frames = [[(200, LARGE if k < 8 else A)] if k % 8 in (1, 4) else [] for k in range(16)]
    stage = Stage(*frames)
    for k, image in enumerate(stage.images):  # another light in each frame
        image.paste(Image.fromarray(np.asarray(image) + np.uint8(10 * k)))
    seen = stage.track(everyone=False, patience=8)
    assert [k for k, faces in enumerate(seen) if faces] == [1, 4]
    # the first, then where a glance shows a face (and the frame before, to follow it back) or one
    # is lost, and the last of each block
    assert stage.searches == [0, 1, 2, 4, 3, 5, 7, 15]


def test_one_face_a_frame_if_one_is_wanted():
    both = [[(200, B), (20, A)]] * 3  # the first one is the largest
    stage = Stage(*both, *([(20, A)] for _ in range(3)))
    assert stage.track(everyone=False, patience=4) == [{0: 200}] * 3 + [{1: 20}] * 3


def test_a_tracker_goes_on_from_its_state():
    frames = [[(20 + k, A), (200 - k, B)] if k % 7 else [(20 + k, A)] for k in range(32)]
    whole = Stage(*frames)
    expected = whole.track()
    stage = Stage(*frames)
    first = Tracker(stage.find, stage.follow, stage.glance, True)
    seen = first(stage.images[:8]) + first(stage.images[8:16])
    again = Tracker(stage.find, stage.follow, stage.glance, True)
    again.restore(first.state())
    seen += again(stage.images[16:24]) + again(stage.images[24:])
    assert [{s.face: s.values[0] for s in faces} for faces in seen] == expected


LOOK, UNLIKE = np.eye(_projection()[1].shape[1])[:2]


def track(look, first, last, x=0, scene=0):
    """Return a track that stays at its place, at 10 frames a second."""
    box = np.array([x, 0.0, x + 50, 60])
    times = np.array([first, last]) / 10
    return Appearances(look, np.arange(first, last), times, np.stack([box, box]), scene)


def test_people_who_are_seen_at_once_are_two():
    tracks = {0: track(LOOK, 0, 30), 1: track(1.1 * LOOK, 900, 920), 2: track(UNLIKE, 0, 20, 90)}
    assert join_people(tracks) == {0: 0, 1: 0, 2: 1}
    assert join_people(tracks | {1: track(1.1 * LOOK, 25, 45)}) == {0: 0, 1: 1, 2: 2}
    assert join_people({}) == {}


def test_who_comes_out_behind_another_is_who_went_there():
    changed = LOOK + UNLIKE  # by a look that is half that of somebody else
    went, passes = track(LOOK, 0, 60, 20), track(-LOOK, 0, 140, 60)
    comes = {"first": 80, "last": 140, "x": 50}
    assert join_people({0: went, 1: passes, 2: track(changed, **comes)}) == {0: 0, 1: 1, 2: 0}
    # not after a cut, much later, elsewhere, or if they look unlike
    for other in (
        track(changed, **comes, scene=1), track(changed, 120, 180), track(changed, 80, 140, 300),
        track(UNLIKE, **comes),
    ):  # fmt: skip
        assert join_people({0: went, 1: passes, 2: other})[2] == 2
    # two who cross: to each the one whom they are most like
    tracks = {
        0: track(LOOK, 0, 60, 20), 1: track(UNLIKE, 0, 60, 60),
        2: track(LOOK + 1.2 * UNLIKE, 70, 140, 30), 3: track(LOOK + 0.9 * UNLIKE, 70, 140, 50),
    }  # fmt: skip
    assert join_people(tracks) == {0: 0, 1: 1, 2: 1, 3: 0}
    # a glimpse of three frames, half hidden, is borne more
    glimpse = track(LOOK + 3 * UNLIKE, 70, 73, 30)
    assert join_people({0: went, 1: passes, 2: glimpse}) == {0: 0, 1: 1, 2: 0}


def test_half_of_a_face_is_no_other_face():
    stage = Stage(*[[(100, A)]] * 9)
    find = stage.find

    def find_halves(image, part):
        rows = find(image, part)
        half = rows[0].copy()
        half[1] += 20  # the lower half
        return [*rows, half] if stage.searches[1:] else rows

    stage.find = find_halves
    assert stage.track() == [{0: 100}] * 9


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (25, 0, 0), (0, -20, 0), (0, 0, 30), (-20, 15, -10)]
)
def test_pose_of_the_mean_face(angles):
    turned = rotation(np.radians([angles]))[0] @ TEMPLATE.T
    points = np.array([300, 200]) + 80 * turned[:2].T * [1, -1]
    # angles are drawn a little towards 0, where five points say less
    np.testing.assert_allclose(head_pose([points])[0], angles, atol=2.5)
    assert np.isnan(head_pose([points, np.full((5, 2), np.nan)])[1]).all()


def test_signs_of_the_pose():
    face = np.array([[-20.0, 0], [20, 0], [0, 27], [-17, 46], [17, 46]])
    level = head_pose([face])[0]
    right, up = face.copy(), face.copy()
    right[2, 0] += 8
    up[2, 1] -= 8
    assert head_pose([right])[0, 0] > level[0] + 5
    assert head_pose([up])[0, 1] > level[1] + 5
    tilted = face + np.array([[0, 5], [0, -5], [0, 0], [0, 4], [0, -4]])
    assert head_pose([tilted])[0, 2] > 5
