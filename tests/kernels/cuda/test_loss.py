"""The losses' kernels against their formulas, and their edges."""

import numpy as np
import pytest

import minigan as mg
from minigan.backend import to_device
from minigan.kernels.cuda import loss as cuda
from minigan.ops import loss as ops

pytestmark = pytest.mark.gpu


def host(x):
    return to_device(x, "cpu")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (7, 3), (300,), (2, 3, 4, 5)])
def test_logits_loss_and_its_slope(card, rng, shape, dtype):
    a, t = (4 * rng.standard_normal(shape)).astype(dtype), rng.random(shape).astype(dtype)
    s = 1 / (1 + np.exp(-a.astype(float)))
    loss, slope = cuda.logits_loss(card.asarray(a), card.asarray(t))
    tolerance = 5e-6 if dtype == "float32" else 1e-11  # of the formula, which cancels near s = 1
    assert np.abs(host(loss) - (-t * np.log(s) - (1 - t) * np.log(1 - s))).max() < tolerance
    assert np.abs(host(slope) - (s - t)).max() < tolerance
    assert loss.dtype == slope.dtype == dtype


def test_logits_loss_at_its_edges(card):
    a, t = np.array([1e4, -1e4, 1e4, -1e4, 0]), np.array([1.0, 0, 0, 1, 0.5])
    loss, slope = cuda.logits_loss(card.asarray(a), card.asarray(t))
    # A card's log1p may differ from the host's in the last bit; all else is exact.
    assert host(loss).tolist() == pytest.approx([0, 0, 1e4, 1e4, np.log(2)], rel=4e-16, abs=0)
    assert host(slope).tolist() == [0, 0, 1, -1, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (300, 10), (2, 3, 4, 5), (6,)])
def test_softmax_loss_and_its_slope(card, rng, shape, dtype):
    axis = min(1, len(shape) - 1)
    x = (4 * rng.standard_normal(shape)).astype(dtype)
    labels = rng.integers(shape[axis], size=shape[:axis] + shape[axis + 1 :])
    p = np.exp(x.astype(float))
    p /= p.sum(axis, keepdims=True)
    here = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - axis - 1)) == np.expand_dims(labels, axis)
    loss, slope = cuda.softmax_loss(card.asarray(x), card.asarray(labels))
    assert loss.dtype == slope.dtype == dtype
    assert np.abs(host(loss) + np.log((p * here).sum(axis))).max() < (1e-5 if dtype == "float32" else 1e-12)
    assert np.abs(host(slope) - (p - here)).max() < (1e-6 if dtype == "float32" else 1e-13)


def test_softmax_loss_of_large_logits_and_of_a_label_that_is_no_class(card):
    x, labels = np.array([[1e4, 0], [0, 1e4], [1, 2], [1, 2]]), np.array([0, 0, 2, -1])
    loss, slope = (host(a) for a in cuda.softmax_loss(card.asarray(x), card.asarray(labels)))
    assert loss[:2].tolist() == [0, 1e4] and np.isnan(loss[2:]).all()
    assert slope[:2].tolist() == [[0, 0], [-1, 1]] and np.isnan(slope[2:]).all()


def test_the_fused_cross_entropy_is_its_composition(card, rng):
    x, labels = rng.standard_normal((5, 4, 3)), rng.integers(4, size=(5, 3))
    g = card.asarray(rng.standard_normal((5, 3)))
    found = []
    for op in (ops._softmax_loss, ops._softmax_composition):
        a = mg.tensor(card.asarray(x), requires_grad=True)
        y = op(a, labels=card.asarray(labels))
        (first,) = mg.grad(y, a, g)
        (again,) = mg.grad(op(a, labels=card.asarray(labels)), a, g, create_graph=True)
        (second,) = mg.grad(mg.sum(again * again), a)
        found.append([host(t.data) for t in (y, first, again, second)])
    for a, b in zip(*found, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ignore_index": 2},
        {"weight": [1.0, 2.0, 3.0]},
        {"label_smoothing": 0.1},
        {"reduction": "sum"},
        {"reduction": "none"},
    ],
)
def test_cross_entropy_is_that_of_the_cpu(card, rng, more):
    x, labels, found = rng.standard_normal((6, 3)), np.array([0, 1, 2, 2, 1, 0]), []
    for device in ("cpu", "cuda"):
        a = mg.tensor(to_device(x, device), requires_grad=True)
        options = more if "weight" not in more else {"weight": to_device(np.array(more["weight"]), device)}
        y = ops.cross_entropy(a, to_device(labels, device), **options)
        (first,) = mg.grad(mg.sum(y), a, create_graph=True)
        (second,) = mg.grad(mg.sum(first * first), a)
        found.append([host(t.data) for t in (y, first, second)])
    for a, b in zip(*found, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-14)
