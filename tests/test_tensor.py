"""Tensor: NumPy's manners, printing, in-place change, and company with other libraries."""

import copy

import numpy as np
import pytest

import minigan as mg
from minigan.errors import DeviceError, DTypeError, GraphError, ShapeError


def test_making_tensors():
    assert mg.tensor([1.5, 2]).dtype == np.float32
    assert mg.tensor([1, 2]).dtype == np.int64
    assert mg.tensor(np.ones(2)).dtype == np.float64
    assert mg.tensor([True]).dtype == bool
    assert mg.tensor(np.ones(2), dtype="float32").dtype == np.float32
    assert mg.zeros((2, 3)).shape == (2, 3) and mg.eye(2).tolist() == [[1, 0], [0, 1]]
    assert mg.full((2,), 7.0).tolist() == [7, 7]
    assert mg.arange(3).tolist() == [0, 1, 2] and mg.arange(0, 1, 0.5).dtype == np.float32
    assert mg.ones_like(mg.zeros((2,), dtype="f8")).dtype == np.float64
    with pytest.raises(DTypeError, match="real numbers"):
        mg.tensor(["a"])
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        mg.zeros(2, device="gpu")


def test_a_new_tensor_is_a_copy():
    array = np.ones(3)
    t, twin = mg.tensor(array), None
    twin = mg.tensor(t)
    array[0] = 5
    assert t.tolist() == [1, 1, 1] and not np.shares_memory(t.data, twin.data)


@pytest.mark.parametrize("left", [np.ones((2, 3), np.float32), np.float32(2), 2, 2.0])
@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__mul__", "__truediv__", "__pow__"])
def test_operators_with_an_array_or_a_number_on_the_left_give_a_tensor(left, operator):
    import operator as python

    t = mg.full((2, 3), 3.0, requires_grad=True)
    function = getattr(python, operator)
    y = function(left, t)
    assert isinstance(y, mg.Tensor) and y.dtype == np.float32 and y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), function(np.asarray(left, np.float32), np.full((2, 3), 3, np.float32)))


def test_matmul_with_an_array_on_the_left():
    y = np.ones((2, 3), np.float32) @ mg.ones((3, 4), requires_grad=True)
    assert isinstance(y, mg.Tensor) and y.shape == (2, 4)


def test_numpy_functions_take_tensors_as_arrays_and_never_make_objects():
    t = mg.tensor([1.0, 4.0])
    assert np.asarray(t).dtype == np.float32
    assert np.stack([t, t]).shape == (2, 2)
    assert np.allclose(t, [1, 4])
    with pytest.raises(TypeError):  # a ufunc would leave the graph unnoticed
        np.exp(t)


def test_comparisons_give_constant_booleans():
    t = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for got, want in ((t > 2, [0, 0, 1]), (t >= 2, [0, 1, 1]), (t < 2, [1, 0, 0]), (t <= 2, [1, 1, 0]), (t == 2, [0, 1, 0]),
                      (t != 2, [1, 0, 1]), (t > mg.tensor([0.0, 2.0, 5.0]), [1, 0, 0])):
        assert got.dtype == bool and not got.requires_grad and got.tolist() == [bool(w) for w in want]
    assert bool(mg.tensor(3.0) > 2)
    assert len({t, t}) == 1  # hashable by identity although == compares elements


def test_conversions():
    t = mg.tensor([[2.5]])
    assert t.item() == 2.5 and float(t) == 2.5 and int(t) == 2 and f"{t:.2f}" == "2.50"
    assert [1, 2, 3][mg.tensor(1)] == 2
    with pytest.raises(ShapeError, match=r"exactly one element, this tensor is \(2,\)"):
        mg.ones(2).item()
    with pytest.raises(GraphError, match="detach"):
        mg.ones(2, requires_grad=True).numpy()
    with pytest.raises(TypeError, match="0-d"):
        len(mg.tensor(1.0))
    assert [float(x) for x in mg.tensor([1.0, 2.0])] == [1, 2]


def test_repr_shows_values_dtype_and_origin():
    assert repr(mg.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert "dtype=float64" in repr(mg.tensor(np.ones(1)))
    x = mg.ones(1, requires_grad=True)
    assert "requires_grad=True" in repr(x) and "made by exp" in repr(mg.exp(x))
    assert len(repr(mg.zeros((1000, 1000)))) < 1000


def test_in_place_writes_on_constants():
    t = mg.zeros(3)
    t[mg.tensor([0, 2])] = mg.tensor([1.0, 2.0])
    t[t > 1] = 9.0
    assert t.tolist() == [1, 0, 9]
    t.copy_(np.arange(3, dtype=np.float32))
    assert t.tolist() == [0, 1, 2]
    with pytest.raises(ShapeError, match=r"cannot copy \(2,\) into \(3,\)"):
        t.copy_(np.ones(2))


def test_to_the_same_device_keeps_the_graph():
    x = mg.ones(2, requires_grad=True)
    assert mg.grad(x.to("cpu").sum(), x)[0].tolist() == [1, 1]
    with pytest.raises(DeviceError, match="CuPy"):
        x.to("cuda")


def test_astype_passes_gradients_between_floats_and_stops_at_integers():
    x = mg.tensor(np.array([1.5, 2.5]), requires_grad=True)
    y = x.astype("float32")
    assert y.dtype == np.float32
    (g,) = mg.grad(y.sum(), x)
    assert g.dtype == np.float64
    assert not x.astype("int64").requires_grad


def test_dlpack_shares_memory_both_ways():
    t = mg.tensor([1.0, 2.0])
    array = np.from_dlpack(t)
    array_again = mg.from_dlpack(array)
    assert np.shares_memory(array, t.data) and np.shares_memory(array_again.data, t.data)
    with pytest.raises(GraphError, match="DLPack"):
        np.from_dlpack(mg.ones(2, requires_grad=True))


def test_dlpack_with_torch():
    torch = pytest.importorskip("torch")
    t = mg.tensor([1.0, 2.0])
    there = torch.from_dlpack(t)
    there[0] = 5.0
    assert t.tolist() == [5, 2]
    assert mg.from_dlpack(torch.arange(3)).tolist() == [0, 1, 2]


def test_methods_are_the_functions():
    x = mg.tensor(np.random.default_rng(0).standard_normal((2, 3, 4)))
    np.testing.assert_array_equal(x.transpose(2, 0, 1).data, x.data.transpose(2, 0, 1))
    np.testing.assert_array_equal(x.transpose((2, 0, 1)).data, x.transpose(2, 0, 1).data)
    np.testing.assert_array_equal(x.transpose().data, x.data.T)
    np.testing.assert_array_equal(x.T.data, x.data.T)
    np.testing.assert_array_equal(x.reshape(4, 6).data, x.reshape((4, 6)).data)
    np.testing.assert_array_equal(x.sum(axis=(0, -1)).data, x.data.sum(axis=(0, -1)))
    np.testing.assert_array_equal(abs(-x).data, np.abs(x.data))
    np.testing.assert_array_equal((+x).data, x.data)


def test_a_deep_copy_is_a_leaf_of_its_own():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    twin = copy.deepcopy(x)
    (twin * 3.0).sum().backward()
    assert x.grad is None and twin.grad.tolist() == [3, 3]
    assert not np.shares_memory(x.data, twin.data)
    assert not copy.deepcopy(x * 2.0).requires_grad
    assert not copy.deepcopy(mg.zeros(2)).requires_grad
