"""Random numbers of our own: the same from the same seed, the user's left alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision.transforms import v2

from skau.utils._random import RandomStream

X = torch.linspace(0.1, 0.9, 24).reshape(1, 2, 3, 4)

DRAWS = {
    "rand": lambda: torch.rand(3),
    "randn": lambda: torch.randn(3, dtype=torch.float64),
    "randint": lambda: torch.randint(9, (5,)),
    "randint from": lambda: torch.randint(3, 9, (5,)),
    "randperm": lambda: torch.randperm(9),
    "rand_like": lambda: torch.rand_like(X),
    "randn_like": lambda: torch.randn_like(X),
    "randint_like": lambda: torch.randint_like(X, 9),
    "randint_like from": lambda: torch.randint_like(X, 3, 9),
    "normal": lambda: torch.normal(X, X),
    "bernoulli": lambda: torch.bernoulli(X),
    "multinomial": lambda: torch.multinomial(X.flatten(), 5),
    "exponential_": lambda: X.clone().exponential_(),
    "linear": lambda: nn.Linear(3, 3).weight,
    "conv": lambda: nn.Conv2d(3, 3, 3).weight,
    "dropout": lambda: nn.Dropout()(X),
    "dropout2d": lambda: nn.Dropout2d()(X[:, :1].expand(-1, 64, -1, -1)),
    "alpha dropout": lambda: nn.AlphaDropout()(X),
    "rrelu": lambda: nn.RReLU()(-X),
    "orthogonal": lambda: nn.init.orthogonal_(torch.empty(3, 3)),
    "torchvision": lambda: v2.Compose([v2.RandomAffine(30), v2.ColorJitter(0.5)])(X[:, :1]),
    "native dropout": lambda: torch.native_dropout(X, 0.5, True)[0],
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_same_seed_same_numbers_and_the_users_stay(draw):
    def from_seed(seed):
        with RandomStream(seed):
            return torch.cat([draw().flatten(), draw().flatten()])

    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = from_seed(0)
    torch.rand(5)  # the user goes on
    assert torch.equal(first, from_seed(0))
    assert not torch.equal(first, from_seed(1))
    assert not torch.equal(first[: len(first) // 2], first[len(first) // 2 :])
    torch.manual_seed(3)
    from_seed(0)
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_pass_and_a_state_goes_on():
    stream = RandomStream(0)
    x = torch.ones(100, requires_grad=True)
    with stream:
        y = nn.functional.dropout(x, 0.4)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
    assert sorted(set(y.tolist())) == [0.0, pytest.approx(1 / 0.6)]
    state = stream.get_state()
    with stream:
        wanted = torch.rand(3)
    other = RandomStream(1)
    other.set_state(state)
    with other:
        assert torch.equal(torch.rand(3), wanted)
        own = torch.Generator().manual_seed(5)
        named = torch.rand(3, generator=own)
    assert torch.equal(named, torch.rand(3, generator=torch.Generator().manual_seed(5)))


def test_dropout_of_a_gpu_keeps_the_mean():
    with RandomStream(0):
        y, kept = torch.native_dropout(torch.ones(10_000), 0.3, True)
        same, all_of_it = torch.native_dropout(torch.ones(3), 0.3, False)
    assert abs(y.mean() - 1) < 0.03
    assert torch.equal(y > 0, kept)
    assert torch.equal(same, torch.ones(3))
    assert all_of_it.all()


def test_a_device_has_one_generator_whatever_it_is_called():
    stream = RandomStream(0)
    own = stream._generators["cuda:0"] = torch.Generator()
    with FakeTensorMode():  # as if there were one
        assert stream.on(torch.device("cuda")) is stream.on(torch.device("cuda:0")) is own


def test_threads_draw_each_their_own():
    def draw(seed):
        with RandomStream(seed):
            return [torch.rand(2).tolist() for _ in range(200)]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draw, range(8))) == [draw(seed) for seed in range(8)]


def test_tensors_without_values_draw_nothing():
    with RandomStream(0):
        wanted = torch.rand(3)
    stream = RandomStream(0)
    with stream, torch.device("meta"):
        assert torch.nn.Linear(3, 3).weight.is_meta
        assert torch.rand(2).is_meta
    with stream:
        assert torch.equal(torch.rand(3), wanted)
