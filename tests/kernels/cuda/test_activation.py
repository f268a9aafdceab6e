"""Bias and leaky relu against NumPy."""

import itertools

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.kernels.cpu import activation as cpu
from minigan.kernels.cuda import activation as cuda

pytestmark = pytest.mark.gpu


def host(x):
    return to_device(x, "cpu")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (257,), (2, 3, 4, 5)])
@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_leaky_relu_and_its_gradient(card, rng, shape, dtype, slope):
    x, g = (np.asarray(rng.standard_normal(shape)).astype(dtype) for _ in range(2))
    y = cuda.leaky_relu(card.asarray(x), slope)
    assert np.array_equal(host(y), np.where(x > 0, x, dtype_of(dtype)(slope) * x)) and y.dtype == dtype
    dx = cuda.leaky_relu_gradient(card.asarray(g), card.asarray(x), slope)
    assert np.array_equal(host(dx), np.where(x > 0, g, dtype_of(dtype)(slope) * g)) and dx.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("name", ["softplus", "sigmoid"])
@pytest.mark.parametrize("shape", [(), (257,), (3, 5)])
def test_softplus_and_sigmoid(card, rng, name, dtype, shape):
    x = np.asarray(5 * rng.standard_normal(shape)).astype(dtype)
    found, exact = getattr(cuda, name)(card.asarray(x)), x.astype(np.longdouble)
    wanted = np.log1p(np.exp(exact)) if name == "softplus" else 1 / (1 + np.exp(-exact))
    assert found.dtype == ("float64" if dtype == "int64" else dtype) and found.shape == shape
    assert np.abs(host(found) - wanted).max() < (1e-6 if dtype == "float32" else 1e-14)


def test_softplus_and_sigmoid_do_not_overflow(card):
    x = card.asarray(np.array([-1e4, 1e4, -np.inf, np.inf, np.nan, 0]))
    # A card's log1p may differ from the host's in the last bit; all else is exact.
    assert host(cuda.softplus(x)).tolist() == pytest.approx(
        [0, 1e4, 0, np.inf, np.nan, np.log(2)], rel=4e-16, abs=0, nan_ok=True
    )
    assert np.array_equal(host(cuda.sigmoid(x)), [0, 1, 0, 1, np.nan, 0.5], equal_nan=True)


def dtype_of(name):
    return np.dtype(name).type


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_the_edges_are_those_of_the_cpu(card, slope):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45], np.float32)
    assert np.array_equal(host(cuda.leaky_relu(card.asarray(x), slope)), cpu.leaky_relu(x, slope), equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_bias_and_its_gradient_in_every_memory_order(card, rng, order, dtype):
    x, bias = rng.standard_normal((2, 3, 5, 7)).astype(dtype), rng.standard_normal(3).astype(dtype)
    there = card.asarray(np.ascontiguousarray(x.transpose(order))).transpose(np.argsort(order))
    y = cuda.add_bias(there, card.asarray(bias))
    assert np.array_equal(host(y), cpu.add_bias(x, bias)) and y.strides == there.strides
    assert np.allclose(host(cuda.bias_gradient(there)), x.sum((0, 2, 3)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 3, 2, 2), (1, 3, 1, 1), (40, 3, 30, 30), (500, 2)])
def test_the_bias_gradient_of_few_and_many_elements(card, rng, shape):
    g = rng.standard_normal(shape)
    assert np.allclose(host(cuda.bias_gradient(card.asarray(g))), cpu.bias_gradient(g), atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("k", [1, 2])
def test_the_slopes_of_sigmoid_and_tanh_keep_their_digits(card, k, order, dtype):
    x = np.array([[-80.0, -17.0, -1.0, 1e-30], [0.0, 0.5, 9.0, 40.0]], dtype)
    there = card.asarray(np.ascontiguousarray(x.transpose(order))).transpose(order)
    found = cuda.bell(card.asarray(np.full(x.shape, 3, dtype)), there, k, None)
    e = np.exp(-k * np.abs(x.astype(np.longdouble)))
    wanted, rtol = (3 * k * k * e / (1 + e) ** 2).astype(dtype), 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(host(found), wanted, rtol=rtol)
    np.testing.assert_allclose(cpu.bell(np.full(x.shape, 3, dtype), x, k, cpu.sigmoid(x)), wanted, rtol=rtol)
    assert found.strides == there.strides and found.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_a_mask_leaves_out_is_0(card, dtype):
    g = np.array([[1.0, -2.0, np.inf], [np.nan, -np.inf, -0.0]], dtype)
    for mask in (g < 2, g == g, np.array([[True, False, True]]), np.ones((2, 3), bool), np.zeros((2, 3), bool)):
        wanted = np.where(mask, g, 0)
        for found in (cpu.kept(g, mask), host(cuda.kept(card.asarray(g), card.asarray(mask)))):
            assert np.array_equal(found, wanted, equal_nan=True) and found.dtype == dtype
    assert np.array_equal(cpu.kept(g.T, (g < 2).T), np.where(g < 2, g, 0).T, equal_nan=True)
