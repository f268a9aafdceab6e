"""The LSTM as one op against the same LSTM made of single ops."""

import numpy as np
import pytest

import minigan as mg
from minigan.gradcheck import gradcheck
from minigan.ops.recurrent import along, lstm, lstm_step

NAMES = "z weight bias h c".split()


def inputs(rng, batch=(3,), length=4, hidden=2, scale=1.0):
    shapes = (length, *batch, 4 * hidden), (4 * hidden, hidden), (4 * hidden,), (*batch, hidden), (*batch, hidden)
    return [rng.normal(size=shape) * scale for shape in shapes]


def by_single_ops(z, weight, bias, state):
    (y, _), last = along(lstm_step, z, weight, bias, state)
    return y, last


def total(run, z, weight, bias, h, c):
    """Every output counts, with another factor."""
    y, (h, c) = run(z, weight, bias, (h, c))
    return (y * mg.cumsum(mg.ones(y.shape, y.dtype)).reshape(y.shape)).sum() + (h * h).sum() + (c * c * c).sum()


@pytest.mark.parametrize("batch", [(3,), ()], ids=["batch", "one sequence"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("length", [1, 4])
def test_values_and_gradients_are_those_of_single_ops(batch, bias, length, rng):
    arrays = inputs(rng, batch, length)
    arrays = arrays if bias else [*arrays[:2], None, *arrays[3:]]
    found, right = [], []
    for run, results in ((lstm, found), (by_single_ops, right)):
        tensors = [a if a is None else mg.tensor(a, requires_grad=True) for a in arrays]
        y = total(run, *tensors)
        results.extend([y.detach(), *mg.grad(y, [t for t in tensors if t is not None])])
    for a, b in zip(found, right):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("wrt", range(5), ids=NAMES)
def test_gradients_of_both_orders(wrt, rng):
    assert gradcheck(lambda *a: total(lstm, *a), *inputs(rng, (2,), 3), wrt=wrt, order=2).worst < 1e-6


def test_gates_that_are_nearly_open_keep_their_digits(rng):
    z, *rest = inputs(rng)
    gradients = {}
    for dtype in ("float32", "float64"):
        tensors = [mg.tensor(a, dtype=dtype, requires_grad=True) for a in (np.full_like(z, 12), *rest)]
        gradients[dtype] = mg.grad(total(lstm, *tensors), tensors[0])[0].numpy()
    np.testing.assert_allclose(gradients["float32"], gradients["float64"], rtol=1e-4)  # s (1 - s) of a rounded s: 1e-2
