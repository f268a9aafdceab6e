"""The layers that GANs brought, against loops in NumPy, and what they are for."""

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, ShapeError
from minigan.nn import Linear, MinibatchDiscrimination, Sequential, VirtualBatch, VirtualBatchNorm


def test_minibatch_discrimination_is_its_formula(rng):
    layer, x = MinibatchDiscrimination(5, kernels=3, kernel_size=2), rng.standard_normal((4, 5)).astype(np.float32)
    m = np.einsum("na,abc->nbc", x, layer.weight.data)
    expected = np.zeros((4, 3))
    for i in range(4):
        for j in range(4):
            if i != j:
                expected[i] += np.exp(-np.abs(m[i] - m[j]).sum(axis=1))
    found = layer(mg.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, np.concatenate([x, expected], axis=1), rtol=1e-4, atol=1e-5)


def test_a_batch_of_twins_is_told_from_a_varied_one(rng):
    layer = MinibatchDiscrimination(6, kernels=4, kernel_size=8)
    one = rng.standard_normal((1, 6)).astype(np.float32)
    twins = layer(mg.tensor(np.repeat(one, 8, axis=0))).detach().numpy()[:, 6:]
    varied = layer(mg.tensor(3 * rng.standard_normal((8, 6)).astype(np.float32))).detach().numpy()[:, 6:]
    np.testing.assert_allclose(twins, 7, rtol=1e-5)  # the seven others, each at distance 0
    assert varied.max() < 1


def test_minibatch_discrimination_derivatives(rng):
    layer = MinibatchDiscrimination(3, kernels=2, kernel_size=2)

    def function(x, w):
        layer.weight = w
        return layer(x)

    del layer.weight
    mg.gradcheck(function, rng.standard_normal((3, 3)), rng.standard_normal((3, 2, 2)), order=2)


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 2, 4)])
def test_virtual_batch_norm_is_its_formula(shape, rng):
    layer, x = VirtualBatchNorm(3, reference=4), rng.standard_normal(shape) + 2
    layer.weight.data[...], layer.bias.data[...] = [1, 2, 3], [0.5, 0, -0.5]
    rows = x.reshape(5, 3, -1)
    expected = np.empty_like(rows)
    for i in range(5):
        for c in range(3):
            reference, own = rows[:4, c], rows[i, c]
            mu = (4 * reference.mean() + own.mean()) / 5
            var = (4 * ((reference - mu) ** 2).mean() + ((own - mu) ** 2).mean()) / 5
            expected[i, c] = (own - mu) / np.sqrt(var + 1e-5) * layer.weight.data[c] + layer.bias.data[c]
    y = layer(mg.tensor(x.astype(np.float32))).detach().numpy()
    np.testing.assert_allclose(y, expected.reshape(shape), rtol=1e-4, atol=1e-5)


def test_virtual_batch_norm_derivatives(rng):
    layer = VirtualBatchNorm(2, reference=3)
    for p in layer.parameters():
        p.data = p.data.astype(np.float64)
    mg.gradcheck(lambda x: layer(x), rng.standard_normal((5, 2)), order=2)
    mg.gradcheck(lambda x: layer(x), rng.standard_normal((4, 2, 2, 1)), order=2)


def virtual(rng, rows=6):
    net = Sequential(Linear(3, 4), VirtualBatchNorm(4, reference=rows), Linear(4, 2))
    return VirtualBatch(net, rng.standard_normal((rows, 3)).astype(np.float32))


def test_a_sample_does_not_depend_on_its_neighbours(rng):
    """Which is what batch norm in training cannot say."""
    net, x = virtual(rng), rng.standard_normal((8, 3)).astype(np.float32)
    together = net(mg.tensor(x)).detach().numpy()
    alone = np.concatenate([net(mg.tensor(x[i : i + 1])).detach().numpy() for i in range(8)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
    assert together.shape == (8, 2)


def test_the_reference_batch_is_saved_with_the_net(rng):
    one, other = virtual(rng), virtual(rng)
    x = mg.tensor(rng.standard_normal((2, 3)).astype(np.float32))
    assert "rows" in one.state_dict() and not np.allclose(one(x).detach().numpy(), other(x).detach().numpy())
    other.load_state_dict(one.state_dict())
    assert np.array_equal(one(x).detach().numpy(), other(x).detach().numpy())


def test_what_does_not_fit_is_refused(rng):
    with pytest.raises(ShapeError, match=r"MinibatchDiscrimination: x must be \(N, 3\), got \(2, 4\)"):
        MinibatchDiscrimination(3)(mg.ones((2, 4)))
    with pytest.raises(ShapeError, match=r"R = 4 reference rows in front, got \(4, 3\); call the net through VirtualBatch"):
        VirtualBatchNorm(3, reference=4)(mg.ones((4, 3)))
    with pytest.raises(ConfigError, match="needs VirtualBatchNorm layers with reference=5"):
        VirtualBatch(Sequential(Linear(3, 4), VirtualBatchNorm(4, reference=6)), np.ones((5, 3), np.float32))
    with pytest.raises(ConfigError, match="needs VirtualBatchNorm layers with reference=5"):
        VirtualBatch(Linear(3, 4), np.ones((5, 3), np.float32))
