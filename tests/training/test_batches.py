import numpy as np
import torch

from skau.training._batches import (
    AlternatingBatches,
    IdentityBatches,
    ShuffledBatches,
    draw_pairs,
    mine_negatives,
)


def rng():
    return np.random.RandomState(0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shuffled_batches_show_every_row_once_in_a_new_order():
    rows = np.array([3, 5, 8, 9, 11])
    batches = ShuffledBatches(rows, 2, rng())
    first, second = ([list(b) for b in batches] for _ in range(2))
    assert sorted(row for batch in first for row in batch) == rows.tolist()
    assert [len(b) for b in first] == [2, 2, 1]
    assert first != second


def test_identity_batches_hold_several_images_of_each_identity():
    group = np.repeat(np.arange(10), 5)
    batches = IdentityBatches(np.arange(50), group, 12, 4, 0, rng())
    assert len(batches) == 5  # 50 images, 12 a batch
    for batch in batches:
        who, count = np.unique(group[batch], return_counts=True)
        assert len(who) == 4
        assert (count == 3).all()
        assert len(set(batch)) == 12


def test_identity_batches_leave_out_single_images_but_may_draw_them_as_negatives():
    group = np.array([0, 0, 1, 1, 2, 3, 4, 5])
    batches = IdentityBatches(np.arange(8), group, 4, 16, 0, rng())
    assert all(sorted(batch) == [0, 1, 2, 3] for batch in batches)
    with_pool = IdentityBatches(np.arange(8), group, 4, 16, 8, rng())
    assert sorted(with_pool.draw()) == list(range(8))


def test_nobody_is_no_identity():
    group = np.array([-1, -1, 0, 0, 2, 2])
    batches = IdentityBatches(np.arange(6), group, 4, 4, 6, rng())
    assert [own.tolist() for own in batches.images] == [[2, 3], [4, 5]]
    assert sorted(batches.draw()) == [2, 3, 4, 5]


def test_no_identity_with_two_images_makes_no_batch():
    assert list(IdentityBatches(np.arange(3), np.arange(3), 4, 2, 0, rng())) == []


def test_an_identity_batch_follows_every_au_batch():
    identities = IdentityBatches(np.arange(4, 8), np.array([0, 0, 1, 1]), 4, 2, 0, rng())
    batches = list(AlternatingBatches([[0, 1], [2, 3]], identities))
    assert batches[0] == [0, 1]
    assert batches[2] == [2, 3]
    assert sorted(batches[1]) == sorted(batches[3]) == [4, 5, 6, 7]


def test_pairs_show_one_person_twice_and_each_person_once():
    group = torch.tensor([7, 2, 7, 2, 7, 5, -1, -1])
    for seed in range(20):
        anchors, positives = draw_pairs(group, 16, generator(seed))
        assert sorted(group[anchors].tolist()) == [2, 7]
        assert (group[anchors] == group[positives]).all()
        assert (anchors != positives).all()
    assert len(draw_pairs(group, 1, generator())[0]) == 1
    assert len(draw_pairs(torch.arange(4), 3, generator())[0]) == 0


def test_every_pair_of_a_person_can_be_drawn():
    seen = set()
    for seed in range(50):
        a, p = draw_pairs(torch.tensor([0, 0, 0]), 1, generator(seed))
        seen.add((a.item(), p.item()))
    assert seen == {(i, j) for i in range(3) for j in range(3) if i != j}


# One pair (rows 0 and 1) and six candidates, of which rows 0 and 1 show the same person.
LOSSES = torch.tensor([[9.0, 9.0, 0.1, 0.7, 0.0, 0.5, 0.3, 0.2]])
ALLOWED = torch.tensor([[False, False, True, True, True, True, True, True]])


def test_the_hardest_half_is_taken_and_the_rest_drawn_at_random():
    rest = set()
    for seed in range(60):
        pair, chosen = mine_negatives(LOSSES, ALLOWED, 4, generator(seed))
        assert pair.tolist() == [0, 0, 0, 0]
        assert {3, 5} <= set(chosen.tolist())  # losses 0.7 and 0.5
        others = set(chosen.tolist()) - {3, 5}
        assert len(others) == 2
        rest |= others
    assert rest == {2, 4, 6, 7}  # also the one of loss zero


def test_fewer_candidates_than_negatives_are_all_taken():
    allowed = torch.tensor([[False, False, True, False, False, True, False, False]])
    pair, chosen = mine_negatives(LOSSES, allowed, 4, generator())
    assert sorted(chosen.tolist()) == [2, 5]
    assert pair.tolist() == [0, 0]
