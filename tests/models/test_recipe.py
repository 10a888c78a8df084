"""The recipe of the open model: the same command gives the same file."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from skau.models import _cards
from skau.utils._random import RandomStream

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def recipe():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        import open_model

        threads = torch.get_num_threads()
        with threadpool_limits(None):  # what the recipe sets is taken back
            yield open_model
        torch.set_num_threads(threads)


def test_two_runs_give_the_same_file(recipe, tmp_path, monkeypatch):
    def people(folder, numbers, jobs):
        who = np.repeat(numbers, 4)
        draw = np.random.default_rng(1)
        intensity = draw.choice([0.0, 0.05, 0.4, 0.9], (len(who), len(recipe.AUS)))
        intensity[::4] = 0.0  # at rest
        crops = draw.integers(0, 256, (len(who), 32, 32, 3)).astype(np.uint8)
        crops[:, 8:16] += (60 * intensity[:, :1, None, None]).astype(np.uint8)
        return crops, intensity.astype(np.float32), who

    monkeypatch.setattr(recipe, "people", people)
    monkeypatch.setattr(recipe, "HELD_OUT", 8)
    monkeypatch.setattr(recipe, "VARIED_HELD_OUT", 8)
    digests = []
    for run, name in enumerate(("one", "other", "one")):  # the last takes up what the first left
        torch.manual_seed(run)  # no seed but the recipe's own counts
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        monkeypatch.setattr(_cards, "_FOLDER", folder)
        sizes = {"people": 16, "varied": 16, "epochs": 2, "jobs": 1}
        options = [f"--{name}={value}" for name, value in sizes.items()]
        monkeypatch.setattr(sys, "argv", ["open_model.py", str(folder / "work"), *options])
        recipe.main()
        data = (folder / "open-1.skau").read_bytes()
        digests.append(hashlib.sha256(data).hexdigest())
        card = json.loads((folder / "open-1.json").read_text(encoding="utf-8"))
        assert card["sha256"] == digests[-1]
    assert len(set(digests)) == 1


def test_what_changes_a_crop_is_made_where_the_crop_is(recipe):
    def changed():
        with RandomStream(0):
            return recipe.change(images)

    images = torch.randint(256, (64, 3, 32, 32), dtype=torch.uint8)
    expected = changed()
    with torch.device("meta"):  # nothing that is made there could be drawn on images here
        assert torch.equal(changed(), expected)


def test_a_person_is_the_same_wherever_and_whenever_they_are_drawn(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "VARIED_PICTURES", 2)
    drawn = []
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        with np.load(recipe.person(tmp_path / folder, recipe.VARIED)) as file:
            drawn.append((file["crops"], file["intensity"]))
    (crops, intensity), (again, same) = drawn
    assert crops.shape == (2, recipe.CROP, recipe.CROP, 3)
    np.testing.assert_array_equal(crops, again)
    np.testing.assert_array_equal(intensity, same)


def test_people_that_other_sources_drew_are_not_taken(recipe, monkeypatch):
    before = recipe.sources()
    assert before == recipe.sources()
    monkeypatch.setattr(recipe, "VARIED_SIZE", 97)
    assert recipe.sources() != before


def test_batches_hold_whole_people_and_each_picture_once(recipe):
    from _open_network import PeopleBatches

    group = np.repeat([5, 1, 3], [4, 3, 4])
    batches = PeopleBatches(group, 4, np.random.RandomState(0))
    for _ in range(2):
        rows = list(batches)
        assert [len(batch) for batch in rows] == [4, 4, 3]
        assert len(batches) == 3
        flat = np.concatenate(rows)
        assert sorted(flat) == list(range(11))
        assert (np.diff(group[flat]) != 0).sum() == 2  # a person's pictures lie together


def test_what_a_face_always_shows_does_not_count_within_people(recipe):
    from _open_network import ChangesLoss

    from skau.estimators._class_weight import ClassificationLoss
    from skau.modules import AUOutput

    torch.manual_seed(0)
    loss = ChangesLoss(ClassificationLoss(None), 3, 1)
    person = torch.tensor([7, 2, 7, 2])
    y = torch.tensor([[1.0], [0.0], [0.0], [1.0]])
    batch = {"group": person, "weight": torch.ones(4)}
    features, logits = torch.randn(4, 3), torch.zeros(4, 1)
    total, terms = loss(AUOutput(logits, features), y, batch)
    always = torch.where(person[:, None] == 7, 5.0, -3.0)
    other, _ = loss(AUOutput(logits, features + always), y, batch)
    torch.testing.assert_close(other, total)
    changes = features - torch.stack([features[[0, 2]].mean(0), features[[1, 3]].mean(0)]).repeat(
        2, 1
    )
    within = torch.nn.functional.binary_cross_entropy_with_logits(loss.head(changes), y)
    torch.testing.assert_close(total, 0.5 * np.log(2) + 0.5 * within, check_dtype=False)
    assert terms["class"][0].item() == pytest.approx(np.log(2))
