"""Every loss against values worked out by hand."""

import math

import pytest
import torch

from skau.losses import asymmetric_bce, difference_loss, masked_bce, simse, triplet_losses

nan = float("nan")


def test_masked_bce_is_the_mean_over_what_is_annotated():
    logits = torch.tensor([[0.0, 2.0], [-1.0, 5.0]])
    target = torch.tensor([[1.0, 0.0], [0.0, nan]])
    # -log s(0) = log 2, -log(1 - s(2)) = log(1 + e^2), -log(1 - s(-1)) = log(1 + e^-1)
    by_hand = (math.log(2) + math.log1p(math.exp(2)) + math.log1p(math.exp(-1))) / 3
    assert masked_bce(logits, target).item() == pytest.approx(by_hand, rel=1e-6)


def test_masked_bce_weights_rows():
    logits, target = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [0.0]])
    by_hand = (3 * math.log(2) + 1 * math.log1p(math.exp(2))) / 4
    got = masked_bce(logits, target, torch.tensor([3.0, 1.0]))
    assert got.item() == pytest.approx(by_hand, rel=1e-6)


def test_masked_bce_weights_the_labels_of_each_au():
    logits, target = torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    absent, present = [2.0, 0.0], [3.0, 1.0]
    by_hand = (3 * math.log(2) + 0 + 2 * math.log1p(math.exp(2)) + math.log(2)) / 4
    got = masked_bce(logits, target, class_weight=torch.tensor([absent, present]))
    assert got.item() == pytest.approx(by_hand, rel=1e-6)


def test_asymmetric_bce_by_hand():
    """Present: -log p; absent: -p log(1 - p), of which the gradient takes p for a constant."""
    logits = torch.tensor([[0.0, math.log(3)], [math.log(3), 5.0]], requires_grad=True)
    target = torch.tensor([[1.0, 1.0], [0.0, nan]])
    loss = asymmetric_bce(logits, target, au_weight=torch.tensor([0.5, 1.5]))
    by_hand = 0.5 * math.log(2) + 1.5 * math.log(4 / 3) + 0.5 * 0.75 * math.log(4)
    assert loss.item() == pytest.approx(by_hand / 3, rel=1e-6)
    loss.backward()
    expected = [[0.5 * -0.5, 1.5 * -0.25], [0.5 * 0.75 * 0.75, 0.0]]
    torch.testing.assert_close(logits.grad, torch.tensor(expected) / 3)


@pytest.mark.parametrize("bce", [masked_bce, asymmetric_bce])
def test_masked_labels_give_no_gradient(bce):
    logits = torch.tensor([[0.3, -0.2], [1.0, math.inf]], requires_grad=True)
    bce(logits, torch.tensor([[1.0, nan], [nan, nan]])).backward()
    grad = logits.grad
    assert grad[0, 0] != 0
    assert grad[0, 1] == grad[1, 0] == grad[1, 1] == 0


def test_masked_bce_of_nothing_is_zero():
    logits = torch.zeros(2, 2, requires_grad=True)
    loss = masked_bce(logits, torch.full((2, 2), nan))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


def test_simse_by_hand():
    x = torch.tensor([[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 0.0]]])
    x_hat = torch.zeros(2, 2, 2)
    # residual 1 2 3 6: mean square 50 / 4, squared mean 9; second image 0; mean of the two
    assert simse(x, x_hat).item() == pytest.approx((50 / 4 - 9) / 2)
    assert simse(x, x_hat, torch.tensor([1.0, 3.0])).item() == pytest.approx((50 / 4 - 9) / 4)


def test_simse_is_blind_to_a_shift_of_each_image_and_not_to_a_scale():
    x, x_hat = torch.rand(2, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([0.5, -3.0, 10.0, 0.0])[:, None, None, None]
    torch.testing.assert_close(simse(x, x_hat + shift), simse(x, x_hat), rtol=1e-4, atol=1e-6)
    assert simse(x, 2 * x_hat) > simse(x, x_hat)


def test_literal_difference_by_hand():
    p, e = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0], [-1.0]])
    # P^T E = [1 - 3, 2 - 4]: squared norm 8, twice
    assert difference_loss(p, e, "literal").item() == pytest.approx(16)


def test_normalized_difference_by_hand():
    p = torch.tensor([[0.0, 2.0], [2.0, 2.0]])  # centred: (-1, 0), (1, 0)
    e = torch.tensor([[3.0, 7.0], [3.0, 1.0]])  # centred: (0, 3), (0, -3) -> (0, 1), (0, -1)
    # P^T E = [[0, -2], [0, 0]]: squared norm 4
    assert difference_loss(p, e, "normalized").item() == pytest.approx(4 / 2)
    assert difference_loss(p, e, "mean").item() == pytest.approx(4 / 4)


@pytest.mark.parametrize("scaling", ["normalized", "mean", "literal"])
def test_difference_of_orthogonal_codes_is_zero(scaling):
    p = torch.tensor([[1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, 1.0]])
    e = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [1.0, 2.0], [-1.0, -2.0]])
    assert difference_loss(p, e, scaling).item() == pytest.approx(0, abs=1e-6)
    assert difference_loss(p, p, scaling) > 0.1


def test_normalized_difference_does_not_depend_on_width_or_size():
    p, e = torch.randn(2, 8, 5, generator=torch.Generator().manual_seed(0))
    wide_p, wide_e = p.repeat(1, 3), e.repeat(1, 3)  # the same directions, thrice as wide
    torch.testing.assert_close(difference_loss(100 * wide_p, wide_e), difference_loss(p, e))
    with pytest.raises(ValueError, match="scaling"):
        difference_loss(p, e, "sum")


@pytest.mark.parametrize("scaling", ["normalized", "mean", "literal"])
def test_difference_weights_are_repetitions(scaling):
    p, e = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    w = torch.tensor([2, 0, 1, 3])
    twice = difference_loss(p.repeat_interleave(w, 0), e.repeat_interleave(w, 0), scaling)
    torch.testing.assert_close(difference_loss(p, e, scaling, w.float()), twice)


def test_triplet_losses_by_hand():
    z = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])
    # |a - p|^2 = 0.16 + 0.64 = 0.8; distances of row 0 to all: 0, 0.8, 2, 4
    losses = triplet_losses(z, torch.tensor([0]), torch.tensor([1]), margin=1.5)
    torch.testing.assert_close(losses, torch.tensor([[2.3, 1.5, 0.3, 0.0]]))
