"""Tensor: NumPy's manners, printing, in-place change, and company with other libraries."""

import copy
import operator

import numpy as np
import pytest

import minigan as mg
from minigan.errors import DeviceError, DTypeError, GraphError, OutOfBoundsError, ShapeError


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
    with pytest.raises(ShapeError, match="nested lists of equal lengths"):
        mg.tensor([[1.0], [1.0, 2.0]])
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        mg.zeros(2, device="gpu")


def test_a_new_tensor_is_a_copy():
    array = np.ones(3)
    t, twin = mg.tensor(array), None
    twin = mg.tensor(t)
    array[0] = 5
    assert t.tolist() == [1, 1, 1] and not np.shares_memory(t.data, twin.data)


@pytest.mark.parametrize("left", [np.ones((2, 3), np.float32), np.float32(2), 2, 2.0])
@pytest.mark.parametrize("name", ["__add__", "__sub__", "__mul__", "__truediv__", "__pow__"])
def test_operators_with_an_array_or_a_number_on_the_left_give_a_tensor(left, name):
    t = mg.full((2, 3), 3.0, requires_grad=True)
    function = getattr(operator, name)
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
    assert np.exp(t).dtype == np.float32  # and test_numpy_functions.py: none leaves the graph unnoticed


def test_comparisons_give_constant_booleans():
    t = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for got, want in (
        (t > 2, [0, 0, 1]),
        (t >= 2, [0, 1, 1]),
        (t < 2, [1, 0, 0]),
        (t <= 2, [1, 1, 0]),
        (t == 2, [0, 1, 0]),
        (t != 2, [1, 0, 1]),
        (t > mg.tensor([0.0, 2.0, 5.0]), [1, 0, 0]),
    ):
        assert got.dtype == bool and not got.requires_grad and got.tolist() == [bool(w) for w in want]
    assert bool(mg.tensor(3.0) > 2)
    assert (t == [1, 0, 3]).tolist() == [True, False, True] and (t < np.float64(2)).tolist() == [True, False, False]
    assert mg.tensor(np.array([0.1])) == [0.1] and mg.tensor([0.1]) == [0.1]  # a list of Python numbers joins either dtype
    assert (t == None) is False and (t != None) is True and (t == "a") is False  # noqa: E711
    with pytest.raises(TypeError, match="not supported"):
        assert t < "a"
    assert len({t, t}) == 1  # hashable by identity although == compares elements


def test_comparisons_with_arrays_and_of_unlike_shapes():
    t = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert (t == np.array([1, 2, 3])).all() and (np.array([1, 2, 3]) <= t).all() and not (np.float32(3) < t).any()
    for other in (mg.ones(2), np.ones(2), [1, 2]):
        for compare in (operator.eq, operator.ne, operator.lt, operator.ge):
            with pytest.raises(ShapeError, match=r"(eq|ne|lt|ge): \(3,\) and \(2,\) do not broadcast"):
                compare(t, other)


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
    assert np.shares_memory(array, t.data)
    if np.lib.NumpyVersion(np.__version__) < "2.1.0":
        with pytest.raises(DTypeError, match="from_dlpack: .*readonly.* make a copy"):
            mg.from_dlpack(array)
    else:
        assert np.shares_memory(mg.from_dlpack(array).data, t.data)
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


@pytest.mark.parametrize(
    "make",
    [
        lambda tmp: np.memmap(tmp / "x", "f8", "w+", shape=(2,)),
        lambda tmp: np.ones(2).view(type("Mine", (np.ndarray,), {})),
        lambda tmp: np.ma.ones(2),
        lambda tmp: [np.float64(1), 2],
        lambda tmp: [np.ones(2), np.ones(2)],
        lambda tmp: ([np.ones(2)],),
        lambda tmp: [mg.tensor(np.ones(2))],
        lambda tmp: np.float64(1),
        lambda tmp: pytest.importorskip("torch").ones(2).double(),
    ],
)
def test_whatever_says_float64_stays_float64(make, tmp_path):
    assert mg.tensor(make(tmp_path)).dtype == np.float64
    assert mg.tensor(make(tmp_path), dtype="float32").dtype == np.float32


def test_a_new_tensor_is_a_copy_of_anything_that_speaks_as_an_array():
    class Holder:
        array = np.ones(2)

        def __array__(self, dtype=None, copy=None):
            return self.array

    t = mg.tensor(Holder())
    t[0] = 5.0
    assert t.dtype == np.float64 and Holder.array.tolist() == [1, 1]


def test_a_list_beside_a_tensor_joins_its_float_dtype():
    for dtype in (np.float32, np.float64):
        x = mg.ones(2, dtype=dtype, requires_grad=True)
        for y in (x * [0.5, 2.0], x * [1, 2], [0.5, 2.0] + x):
            assert y.dtype == dtype and y.requires_grad
    with pytest.raises(DTypeError, match="numbers"):
        mg.ones(2) * np.complex64(1)


def test_a_shallow_copy_shares_memory_and_is_a_leaf_of_its_own():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    w = mg.nn.Parameter([1.0, 2.0])
    for leaf in (x, w):
        twin = copy.copy(leaf)
        assert type(twin) is type(leaf) and twin.data is leaf.data and twin.changed is leaf.changed
        (twin * 3.0).sum().backward()
        assert leaf.grad is None and twin.grad.tolist() == [3, 3]
    y = x * 2.0
    assert mg.grad(copy.copy(y).sum(), x)[0].tolist() == [2, 2]
    assert not copy.copy(mg.ones(2)).requires_grad


def test_big_endian_arrays_are_as_good_as_others():
    t = mg.tensor(np.array([1.0, 2.0], ">f4"), requires_grad=True)
    assert (t * mg.ones(2)).tolist() == [1, 2] and t.dtype == np.float32
    assert mg.tensor(np.array([1, 2], ">i8")).dtype == np.int64


# ------------------------------------------------------------------------------------------- in place, by operators ---

ARITHMETIC = ["iadd", "isub", "imul", "itruediv", "ipow", "imod", "ifloordiv", "iand", "ior", "ixor"]


@pytest.mark.parametrize("name", ARITHMETIC)
def test_operators_in_place_give_numpys_result_in_the_same_memory(name):
    start = np.array([6, 3, 5]) if name in ("iand", "ior", "ixor") else np.array([6.5, -3.25, 5.0])
    x, value = mg.tensor(start), np.array([3, 5, 2]).astype(start.dtype)
    view, memory = x[1:], x.data
    y = getattr(operator, name)(x, mg.tensor(value))
    want = getattr(operator, name)(start.copy(), value)
    assert y is x and x.data is memory
    np.testing.assert_array_equal(x.data, want)
    np.testing.assert_array_equal(view.data, want[1:])


def test_matmul_in_place_and_overlapping_memory():
    x = mg.tensor(np.arange(4.0).reshape(2, 2))
    x @= np.eye(2)[::-1]
    assert x.tolist() == [[1, 0], [3, 2]]
    x -= x.T
    assert x.tolist() == [[0, -3], [3, 0]]


@pytest.mark.parametrize("name", ARITHMETIC[:7])
def test_a_leaf_is_changed_in_place_under_no_grad_only(name):
    change = getattr(operator, name)
    w = mg.tensor([2.0, 3.0], requires_grad=True)
    with pytest.raises(GraphError, match="would change a leaf that requires a gradient; do it inside `with mg.no_grad"):
        change(w, 2.0)
    assert w.tolist() == [2, 3]
    loss = (w * w).sum()
    with mg.no_grad():
        assert change(w, 2.0) is w
    assert w.requires_grad and w.is_leaf and w.tolist() == change(np.array([2.0, 3.0]), 2.0).tolist()
    with pytest.raises(GraphError, match="updated in place"):
        loss.backward()


def test_training_by_hand_and_a_moving_average_by_hand():
    net = mg.nn.Linear(2, 1)
    average = copy.deepcopy(net).requires_grad_(False)
    before = net.weight.detach().numpy().copy()
    net(mg.ones((1, 2))).sum().backward()
    with mg.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
        net.weight *= 0.5
        for mean, p in zip(average.parameters(), net.parameters()):
            mean *= 0.9
            mean += 0.1 * p
    np.testing.assert_allclose(net.weight.data, (before - 0.1) * 0.5, rtol=1e-6)
    np.testing.assert_allclose(average.weight.data, 0.9 * before + 0.1 * net.weight.data, rtol=1e-6)
    assert isinstance(net.weight, mg.nn.Parameter) and net.weight.requires_grad


def test_a_sum_built_up_by_operators_keeps_its_derivatives():
    w = mg.tensor([2.0, 3.0], requires_grad=True)
    total = mg.tensor(0.0)
    for k in (1.0, 2.0):
        total += (w * k).sum()
    total *= 2.0
    assert mg.grad(total, w)[0].tolist() == [6, 6]


@pytest.mark.parametrize(
    "change, error, text",
    [
        (lambda x, i: operator.iadd(x, mg.ones((2, 2))), ShapeError, r"the result is \(2, 2\), not x's shape \(2,\)"),
        (lambda x, i: operator.iadd(x, np.ones(2)), DTypeError, "do not mix"),
        (lambda x, i: operator.itruediv(i, 2), DTypeError, "the result is float64, and x can hold int64 only"),
        (lambda x, i: operator.iand(x, 1), DTypeError, "need booleans or integers, got float32"),
        (
            lambda x, i: operator.iadd(mg.broadcast_to(x, (2, 2)), 1.0),
            ShapeError,
            "several elements of this tensor are one place",
        ),
        (lambda x, i: operator.iadd(x, "a"), DTypeError, "numbers"),
    ],
)
def test_what_does_not_fit_in_place_is_refused_and_changes_nothing(change, error, text):
    x, i = mg.ones(2), mg.tensor([1, 2])
    with pytest.raises(error, match=text):
        change(x, i)
    assert x.tolist() == [1, 1] and i.tolist() == [1, 2]


def test_a_tensor_inside_a_graph_is_not_changed_under_no_grad():
    w = mg.ones(2, requires_grad=True)
    y = w * 2.0
    with mg.no_grad(), pytest.raises(GraphError, match="would change a tensor that a graph depends on"):
        y += 1.0


@pytest.mark.parametrize(
    "index, value, error, text",
    [
        (5, 1.0, OutOfBoundsError, r"index 5 is out of bounds for axis 0 of shape \(3,\)"),
        (-4, 1.0, OutOfBoundsError, "index -4"),
        ([0, 9], 1.0, OutOfBoundsError, "index 9"),
        ((0, 0), 1.0, OutOfBoundsError, "too many indices"),
        (1.5, 1.0, (OutOfBoundsError, DTypeError), "ind|int"),
        (np.ones(2, bool), 1.0, OutOfBoundsError, "a mask of shape"),
        (slice(None), [1.0, 2.0], ShapeError, r"the value is \(2,\), which does not broadcast to the place \(3,\)"),
        (0, [1.0], ShapeError, r"the value is \(1,\), which does not broadcast to the place \(\)"),
        (0, None, DTypeError, "real numbers"),
        (0, "a", DTypeError, "real numbers"),
        (0, 1j, DTypeError, "real numbers"),
        (slice(None), np.ones(3, complex), DTypeError, "real numbers"),
    ],
)
def test_a_write_that_does_not_fit_is_refused(index, value, error, text):
    t = mg.zeros(3)
    with pytest.raises(error, match=text):
        t[index] = value
    assert t.tolist() == [0, 0, 0]


def test_writes_keep_the_precision_of_lists_and_refuse_what_integers_cannot_hold():
    t, n = mg.zeros(2, dtype="float64"), mg.zeros(2, dtype="int64")
    t[...] = [0.1, 0.2]
    assert t.tolist() == [0.1, 0.2] and t.copy_([0.3, 0.4]).tolist() == [0.3, 0.4]
    for value in (float("nan"), 2**70):
        with pytest.raises(DTypeError, match="a tensor of int64 can't hold"):
            n[0] = value
    with pytest.raises(DTypeError, match="real numbers"):
        t.copy_(np.ones(2, complex))
    scalar = mg.tensor(1.0)
    scalar[...] = 3.0
    scalar[()] += 1.0
    assert scalar.item() == 4.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: mg.tile(mg.zeros(3), (1,)),
        lambda: mg.tile(mg.zeros(1), 3),
        lambda: mg.repeat(mg.zeros(3), 1),
        lambda: mg.repeat(mg.zeros(1), 3),
        lambda: mg.tile(mg.zeros((1, 3)), (1, 1))[0],
    ],
)
def test_what_tile_and_repeat_give_can_be_written_element_by_element(make):
    t = make()
    t[0] = 1.0
    assert t.tolist() == [1, 0, 0]


# ------------------------------------------------------------------------------------------- masks and conveniences ---


def test_masks_combine_as_numpys():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5)) > 0, rng.standard_normal(5) > 0
    p, q = mg.tensor(a), mg.tensor(b)
    for name in ("and_", "or_", "xor"):
        function = getattr(operator, name)
        for y in (function(p, q), function(p, b), function(a, q)):
            assert isinstance(y, mg.Tensor) and y.dtype == bool
            np.testing.assert_array_equal(y.data, function(a, b))
        assert function(p, True).tolist() == function(True, p).tolist() == function(a, True).tolist()
    np.testing.assert_array_equal((~p).data, ~a)
    n = np.array([5, 6, -7])
    np.testing.assert_array_equal((~mg.tensor(n)).data, ~n)
    np.testing.assert_array_equal((mg.tensor(n) & 3).data, n & 3)
    x = mg.tensor([0.2, 0.7, 1.5], requires_grad=True)
    mask = (x > 0.5) & ~(x > 1)
    assert mask.tolist() == [False, True, False] and not mask.requires_grad
    assert mg.grad(x[mask].sum(), x)[0].tolist() == [0, 1, 0]
    for wrong in (lambda: x & mask, lambda: mask | x, lambda: ~x, lambda: mask ^ 0.5):
        with pytest.raises(DTypeError, match="need booleans or integers, got float.*compare first"):
            wrong()
    with pytest.raises(ShapeError, match=r"and: \(3,\) and \(2,\) do not broadcast"):
        mask & np.ones(2, bool)


def test_any_all_and_questions_about_elements():
    array = np.array([[0.0, np.nan], [np.inf, 1.0]])
    t = mg.tensor(array, requires_grad=True)
    for name in ("isnan", "isfinite", "isinf"):
        y = getattr(t, name)()
        assert y.dtype == bool and not y.requires_grad
        np.testing.assert_array_equal(y.data, getattr(np, name)(array))
    for name in ("any", "all"):
        for options in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}):
            y = getattr(t > 0, name)(**options)
            np.testing.assert_array_equal(y.data, getattr(array > 0, name)(**options))
            assert isinstance(y, mg.Tensor) and y.dtype == bool
    assert (mg.zeros((0,)).all(), mg.zeros((0,)).any()) == (True, False)
    with pytest.raises(ShapeError, match="any: axis 2"):
        t.any(2)


def test_membership_truth_and_rounding():
    t = mg.tensor([[1.0, 2.0], [3.0, 4.25]])
    assert 2.0 in t and 5 not in t and mg.tensor(3.0) in t and "a" not in t and None not in t
    assert bool(mg.ones((1, 1))) and not mg.zeros(())
    for shape in ((2,), (0,)):
        with pytest.raises(ShapeError, match="neither true nor false; ask for .any"):
            bool(mg.zeros(shape))
    assert round(t).tolist() == [[1, 2], [3, 4]] and round(t, 1).tolist()[1][1] == pytest.approx(4.2)
    assert t.round(1).data.tolist() == np.round(t.data, 1).tolist()
    with pytest.raises(DTypeError, match="round: decimals must be"):
        t.round(1.5)


def test_division_with_rest_and_its_derivatives():
    a, b = np.array([5.3, -5.3, 5.3, -5.3]), np.array([2.0, 2.0, -2.0, -2.0])
    x, y = mg.tensor(a, requires_grad=True), mg.tensor(b, requires_grad=True)
    np.testing.assert_array_equal((x % y).data, a % b)
    np.testing.assert_array_equal((x // y).data, a // b)
    np.testing.assert_array_equal((7.0 % y).data, 7.0 % b)
    dx, dy = mg.grad((x % y).sum(), (x, y))
    assert dx.tolist() == [1] * 4 and dy.tolist() == (-(a // b)).tolist()
    dx, dy = mg.grad((x // y).sum(), (x, y))
    assert dx.tolist() == dy.tolist() == [0] * 4
    assert (mg.tensor([7, -7]) % 4).tolist() == [3, 1] and (mg.tensor([7, -7]) // 4).tolist() == [1, -2]
    quotient, rest = divmod(mg.tensor(a), 2.0)
    assert quotient.tolist() == (a // 2).tolist() and rest.tolist() == (a % 2).tolist()


# --------------------------------------------------------------------------------------------------- out of the graph ---


def test_leaving_the_graph_is_refused_outside_no_grad():
    x = mg.ones(2, requires_grad=True)
    for leave in (np.asarray, np.array, mg.Tensor.numpy, np.from_dlpack, lambda x: np.array([x, x])):
        with pytest.raises(GraphError, match="leaves the graph.*detach"):
            leave(x)
        assert leave(x.detach()).sum() >= 2
        with mg.no_grad():
            assert leave(x).sum() >= 2


@pytest.mark.skipif(
    not np.from_dlpack(np.ones(1)).flags.writeable, reason="before 2.2.5 NumPy takes DLPack memory as read-only"
)
def test_dlpack_memory_that_a_tensor_changes_is_noticed_by_others():
    w = mg.ones(2, requires_grad=True)

    def used_then_changed(used, changed):
        loss = (w * used).sum()
        changed[0] = 7.0
        assert used.tolist()[0] == 7.0
        with pytest.raises(GraphError, match="updated in place"):
            loss.backward()

    t = mg.tensor([1.0, 2.0])
    used_then_changed(t, mg.from_dlpack(t))
    used_then_changed(mg.from_dlpack(t), t)
    used_then_changed(t, mg.from_dlpack(np.from_dlpack(t)))  # out, and in again
    used_then_changed(mg.from_dlpack(t)[:], mg.from_dlpack(np.from_dlpack(t)[::1]))
    array = np.ones(2, np.float32)
    used_then_changed(mg.from_dlpack(array), mg.from_dlpack(array))
    apart = mg.from_dlpack(np.ones(2, np.float32))
    loss = (w * t).sum()
    apart[0] = 9.0
    loss.backward()


def test_dlpack_refuses_what_is_no_tensor():
    with pytest.raises(DTypeError, match="from_dlpack: list does not speak DLPack"):
        mg.from_dlpack([1.0])
    with pytest.raises(DTypeError, match="real numbers"):
        mg.from_dlpack(np.ones(2, complex))
    locked = np.ones(2)
    locked.flags.writeable = False
    t = mg.tensor([1.0])
    t.data = locked
    with pytest.raises(ShapeError, match="read-only"):
        t[0] = 2.0


def test_dlpack_does_not_keep_memory_alive():
    import gc
    import weakref

    t = mg.zeros(1000)
    np.from_dlpack(t)
    memory = weakref.ref(t.data)
    del t
    gc.collect()
    assert memory() is None
