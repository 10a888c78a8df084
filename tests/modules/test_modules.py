import pytest
import torch
from torch import nn

from skau.modules import DSN, IdenNet, MaxFeatureMap, lightcnn_trunk


def n_parameters(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_idennet_is_table_one():
    net = IdenNet((3, 128, 128), 12)
    assert n_parameters(net) == 6_572_832
    assert n_parameters(net.trunk) == 96 * 3 * 81 + 192 * 48 * 25 + 256 * 96 * 25 + 384 * 128 * 16
    assert net.trunk(torch.zeros(1, 3, 128, 128)).shape == (1, 4800)


def test_max_feature_map_takes_the_larger_half():
    x = torch.tensor([[1.0, 5.0, 2.0, -3.0]])
    assert MaxFeatureMap()(x).tolist() == [[2.0, 5.0]]


def test_max_feature_map_gradient():
    x = torch.randn(2, 6, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(MaxFeatureMap(), x)


def test_max_feature_map_and_pooling_commute():
    x = torch.randn(2, 8, 9, 9)
    pool, mfm = nn.MaxPool2d(2, ceil_mode=True), MaxFeatureMap()
    assert torch.equal(pool(mfm(x)), mfm(pool(x)))


@pytest.mark.parametrize("side", [32, 33, 56, 57, 64, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_32(side, channels):
    x = torch.rand(2, channels, side, side + 5)
    trunk, width = lightcnn_trunk((side, side + 5), channels)
    assert trunk(x).shape == (2, width)
    assert DSN((channels, side, side + 5), 3)(x).reconstruction.shape == x.shape


def test_trunk_is_padded_below_57_px_only():
    padding = {s: [m.padding for m in lightcnn_trunk((s, s), 3)[0] if isinstance(m, nn.Conv2d)]
               for s in (56, 57)}  # fmt: skip
    assert padding[57] == [(0, 0)] * 4
    assert all(p != (0, 0) for p in padding[56])


def test_idennet_equations():
    torch.manual_seed(0)
    net, x = IdenNet((3, 64, 64), 5), torch.rand(4, 3, 64, 64)
    s = net.trunk(x)
    f = net.fc5(s) / net.fc5(s).norm(dim=1, keepdim=True)
    out = net(x)
    torch.testing.assert_close(out.identity, f)
    torch.testing.assert_close(out.identity.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(out.features, net.fc6(s) - f)
    torch.testing.assert_close(out.logits, (net.fc6(s) - f) @ net.fc7.weight.T)
    torch.testing.assert_close(net.identity(x), f)
    without = IdenNet((3, 64, 64), 5, normalize=False)
    torch.testing.assert_close(without(x).identity, without.fc5(without.trunk(x)))


def test_dsn_equations():
    torch.manual_seed(0)
    net, x, z = DSN((3, 64, 64), 5).eval(), torch.rand(4, 3, 64, 64), torch.rand(4, 3, 64, 64)
    out, other = net(x), net(z)
    torch.testing.assert_close(out.logits, net.classifier[1](out.features))
    code = net.expression(x) + net.person(x)
    torch.testing.assert_close(out.reconstruction, net.decoder(code))
    torch.testing.assert_close(
        net.reconstruct(x, z), net.decoder(net.expression(x) + net.person(z))
    )
    assert out.identity.shape == out.features.shape == (4, net.n_features)
    assert not torch.equal(out.identity, other.identity)


def test_single_encoder_has_no_person():
    net = DSN((3, 32, 32), 5, person_encoder=False)
    assert net(torch.rand(2, 3, 32, 32)).identity is None
    assert n_parameters(net) < n_parameters(DSN((3, 32, 32), 5))
    with pytest.raises(ValueError, match="person encoder"):
        net.identity(torch.rand(2, 3, 32, 32))
