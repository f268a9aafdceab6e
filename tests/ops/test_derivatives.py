"""Every op of the table: derivatives against finite differences, float32 kept, arrays and Tensors alike.

gradcheck also holds that inputs are not changed, gradients not shared, and memory order does not matter.
"""

import numpy as np
import pytest

import minigan as mg
from minigan import optable
from minigan.backend import is_array
from minigan.tensor import Tensor

NAMES = sorted(optable.TABLE)
SMOOTH = [name for name in NAMES if optable.TABLE[name].smooth]


def draws(op, case, rng, dtype):
    numbers = op.numbers
    return [np.asarray(numbers(rng, shape)).astype(dtype) for shape in case]


@pytest.mark.parametrize("name", NAMES)
def test_first_and_second_derivatives_agree_with_finite_differences(name):
    result = optable.check_op(name, order=2)
    assert not result.failure and result.skipped == 0
    assert result.error < 1e-6


@pytest.mark.parametrize("name", SMOOTH)
def test_third_derivatives_agree_with_finite_differences(name):
    result = optable.check_op(name, order=3, seed=1)
    assert not result.failure and result.skipped == 0
    assert result.error < 1e-6


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"astype"}))  # astype's cases ask for float64
def test_float32_stays_float32_in_outputs_and_gradients_and_is_near_float64(name, rng):
    op = optable.TABLE[name]
    for call, *case in op.cases:
        arrays = draws(op, case, rng, np.float32)
        inputs = [mg.tensor(a, requires_grad=True) for a in arrays]
        outputs = call(*inputs)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        exact = call(*(Tensor(a.astype(np.float64)) for a in arrays))
        for y, z in zip(outputs, exact if isinstance(exact, list) else [exact]):
            assert y.dtype == np.float32 and is_array(y.data)
            np.testing.assert_allclose(y.data, z.data, rtol=2e-4, atol=2e-5)
        cotangents = [Tensor(np.ones(y.shape, np.float32)) for y in outputs]
        for create_graph in (False, True):
            gradients = mg.grad(outputs, inputs, cotangents, create_graph=create_graph, retain_graph=True)
            for g, x in zip(gradients, inputs):
                assert g.dtype == np.float32 and g.shape == x.shape and is_array(g.data)


@pytest.mark.parametrize("name", NAMES)
def test_called_with_arrays_an_op_returns_the_same_numbers_as_an_array(name, rng):
    op = optable.TABLE[name]
    for call, *case in op.cases:
        arrays = draws(op, case, rng, np.float64)
        plain, recorded = call(*arrays), call(*map(Tensor, arrays))
        for a, y in zip(*((plain, recorded) if isinstance(plain, list) else ([plain], [recorded]))):
            if name == "batch_norm" and isinstance(a, Tensor):  # running statistics are Tensors: so is the result
                a = a.data
            assert not isinstance(a, Tensor)
            np.testing.assert_array_equal(a, y.data)


def test_ops_without_derivative_say_so_with_constants():
    x = mg.tensor([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]], requires_grad=True)
    for y in (mg.argmax(x), mg.argmin(x, axis=1), mg.one_hot(mg.tensor([0, 2]), 3)):
        assert not y.requires_grad
    assert mg.argmax(x).item() == 1 and mg.argmax(x, axis=1, keepdims=True).tolist() == [[1], [0]]
    assert mg.argmin(x, axis=0).tolist() == [0, 1, 1] and mg.argmax(x, -1).dtype == np.int64
    assert mg.one_hot(mg.tensor([0, 2]), 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert mg.one_hot([[1]], 2, np.float64).dtype == np.float64


def test_round_straight_through_rounds_forward_and_passes_the_gradient():
    x = mg.tensor([0.4, 1.5, -2.6], requires_grad=True)
    y = mg.round_straight_through(x)
    assert y.tolist() == [0.0, 2.0, -3.0]
    assert mg.grad(y, x, mg.tensor([1.0, 2.0, 3.0]))[0].tolist() == [1.0, 2.0, 3.0]
    (zero,) = mg.grad(mg.round(x).sum(), x)
    assert zero.tolist() == [0.0, 0.0, 0.0]
