"""Batch normalisation's kernels against the formulas in float64, for every memory order."""

import itertools

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.kernels.cuda import norm

pytestmark = pytest.mark.gpu
SHAPES = [(2, 1), (7, 5), (300, 3), (2, 3, 4), (3, 5, 1, 1), (4, 3, 7, 5), (5, 2, 17, 19)]


def host(x):
    return to_device(x, "cpu").astype(np.float64)


def expected(x, g, weight, bias):
    """mean, var, y, dx, d_weight, d_bias by the formulas of the paper, one line each."""
    axes, column = (0, *range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)
    count = x.size // x.shape[1]
    mean, var = x.mean(axes), x.var(axes)
    inv_std = 1 / np.sqrt(var + 1e-5)
    standard = (x - mean.reshape(column)) * inv_std.reshape(column)
    y = standard * weight.reshape(column) + bias.reshape(column)
    d_bias, d_weight = g.sum(axes), (g * standard).sum(axes)
    dx = (weight * inv_std).reshape(column) * (g - (d_bias.reshape(column) + standard * d_weight.reshape(column)) / count)
    return mean, var, y, dx, d_weight, d_bias


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_backward(card, rng, shape, dtype, affine):
    x, g = (rng.standard_normal(shape).astype(dtype) + 3 for _ in range(2))
    weight, bias = (rng.standard_normal(shape[1]).astype(dtype) for _ in range(2))
    wanted = expected(
        x.astype(float),
        g.astype(float),
        *((weight.astype(float), bias.astype(float)) if affine else (np.ones(shape[1]), np.zeros(shape[1]))),
    )
    dx, dg, dw, db = (card.asarray(a) for a in (x, g, weight, bias))
    dw, db = (dw, db) if affine else (None, None)
    mean, var, kept = norm.moments(dx)
    inv_std = 1 / card.sqrt(var + 1e-5)
    found = mean, var, norm.forward(kept, inv_std, dw, db, shape), *norm.backward(dg, kept, inv_std, dw)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == dtype and a.shape == b.shape
        assert np.abs(host(a) - b).max() < (1e-4 if dtype == "float32" else 1e-11) * max(1, np.abs(b).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kept", ["both", "neither"])
def test_the_running_statistics_follow(card, rng, dtype, kept):
    mean, running_mean = (rng.standard_normal(300).astype(dtype) for _ in range(2))
    var, running_var = (rng.random(300).astype(dtype) for _ in range(2))
    running = [card.asarray(running_mean), card.asarray(running_var)] if kept == "both" else [None, None]
    inv_std = norm.follow(card.asarray(mean), card.asarray(var), *running, 0.1, 8, 1e-5)
    assert np.allclose(host(inv_std), 1 / np.sqrt(var + 1e-5), rtol=1e-5) and inv_std.dtype == dtype
    if kept == "both":
        assert np.allclose(host(running[0]), 0.9 * running_mean + 0.1 * mean, rtol=1e-5, atol=1e-6)
        assert np.allclose(host(running[1]), 0.9 * running_var + 0.1 * var * 8 / 7, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_results_lie_as_the_input_does_and_do_not_depend_on_it(card, rng, order):
    x, g = rng.standard_normal((3, 4, 5, 6)), rng.standard_normal((3, 4, 5, 6))
    weight, bias = rng.standard_normal(4), rng.standard_normal(4)
    back = np.argsort(order)
    there = card.asarray(np.ascontiguousarray(x.transpose(order))).transpose(back)
    mean, var, kept = norm.moments(there)
    inv_std = 1 / card.sqrt(var + 1e-5)
    y = norm.forward(kept, inv_std, card.asarray(weight), card.asarray(bias), x.shape)
    dx, d_weight, d_bias = norm.backward(card.asarray(g), kept, inv_std, card.asarray(weight))
    for a, b in zip((mean, var, y, dx, d_weight, d_bias), expected(x, g, weight, bias), strict=True):
        assert np.abs(host(a) - b).max() < 1e-11
    assert y.strides == dx.strides == there.strides


def test_the_variance_of_large_numbers_does_not_cancel(card, rng):
    x = rng.standard_normal((500, 2)).astype(np.float32) + np.float32(3000)
    _, var, _ = norm.moments(card.asarray(x))
    assert np.allclose(host(var), x.astype(float).var(0), rtol=1e-3)


def test_twice_gives_the_same_bits(card, rng):
    x = card.asarray(rng.standard_normal((64, 3, 9, 9)).astype(np.float32))
    one, other = (norm.moments(x) for _ in range(2))
    assert np.array_equal(host(one[0]), host(other[0])) and np.array_equal(host(one[1]), host(other[1]))
