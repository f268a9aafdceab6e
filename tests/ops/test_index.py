"""Indexing: every form NumPy knows against NumPy, the gradient against np.add.at, bounds checked by minigan itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, integer_array_indices

import minigan as mg
from minigan.errors import DTypeError, OutOfBoundsError, ShapeError
from minigan.gradcheck import gradcheck

X = np.random.default_rng(0).normal(size=(3, 4, 5))
MASK = X > 0
FORMS = {
    "integer": 1,
    "negative": -1,
    "numpy integer": np.int64(2),
    "two integers": (1, -2),
    "all integers": (0, 1, 2),
    "slice": slice(1, 3),
    "step": (slice(None), slice(None, None, 2)),
    "negative step": slice(None, None, -1),
    "negative step from an end": (slice(None), slice(3, 0, -2)),
    "empty slice": slice(2, 2),
    "slice past the end": slice(1, 99),
    "ellipsis": ...,
    "ellipsis last": (1, ...),
    "ellipsis first": (..., 1),
    "ellipsis amid": (0, ..., slice(1, 3)),
    "nothing": (),
    "none": None,
    "none amid": (slice(None), None, 1),
    "none and ellipsis": (None, ..., None),
    "true": True,
    "false": False,
    "list": [2, 0],
    "repeated": [1, 1, 1, 0],
    "negative list": [-1, 0, -3],
    "empty list": [],
    "array": np.array([[0, 2], [2, 2]]),
    "0-d array": np.array(1),
    "uint8 array": np.array([2, 1], np.uint8),
    "range": range(2),
    "tuple inside": ((0, 2), 1),
    "two lists": ([0, 1, 0], [3, 0, 3]),
    "two lists broadcast": ([[0], [2]], [1, 1, 3]),
    "np.ix_": np.ix_([0, 2], [1, 1, 0], [4, 0]),
    "list then slice": ([0, 0, 2], slice(1, 3)),
    "slice then list": (slice(None), [3, 3]),
    "list around slice": ([0, 2], slice(None), [1, 1]),
    "integer, slice, list: the new axis moves to the front": (0, slice(None), [1, 1, 4]),
    "lists with none between": ([0, 1], None, [2, 2]),
    "ellipsis then list": (..., [4, 4, 0]),
    "list, ellipsis, list": ([0, 1], ..., [2, 3]),
    "array and integer": (np.array([0, 0]), 3),
    "mask": MASK,
    "mask of an axis": np.array([True, False, True]),
    "mask as list": [True, False, True],
    "mask of two axes": MASK[:, :, 0],
    "mask on the second axis": (slice(None), np.array([True, False, False, True])),
    "mask and integer": (MASK[:, :, 0], 1),
    "mask after ellipsis": (..., MASK[0]),
    "ellipsis and nested mask list": (..., [[True] * 5] * 4),
    "mask of nothing": np.zeros(3, bool),
    "mask and list": (np.array([True, False, True]), [1, 1]),
    "0-d mask": np.array(True),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_what_numpy_gives_and_its_gradient_is_added_back(form, rng):
    index = FORMS[form]
    x = mg.tensor(X, requires_grad=True)
    y = x[index]
    expected = X[
        tuple(np.asarray(i) if isinstance(i, tuple) else i for i in index)
        if isinstance(index, tuple)
        else np.asarray(index)
        if isinstance(index, range)
        else index
    ]
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    v = np.asarray(rng.normal(size=expected.shape))
    scattered = np.zeros_like(X)
    np.add.at(scattered, index if not isinstance(index, range) else list(index), v)
    np.testing.assert_allclose(mg.grad(y, x, mg.tensor(v))[0].numpy(), scattered, rtol=1e-14)
    assert gradcheck(lambda t: t[index] * t[index], X, order=2).worst < 1e-6


@pytest.mark.parametrize("form", [f for f in FORMS if isinstance(FORMS[f], (list, np.ndarray))])
def test_a_tensor_is_an_index_as_its_array_is(form):
    index = FORMS[form]
    as_tensor = mg.tensor(np.asarray(index, dtype=np.intp if len(np.shape(index)) and not np.size(index) else None))
    x = mg.tensor(X)
    np.testing.assert_array_equal(x[as_tensor].numpy(), X[index])
    np.testing.assert_array_equal(x[..., mg.tensor(np.array([4, 4]))].numpy(), X[..., [4, 4]])
    np.testing.assert_array_equal(x[mg.tensor(X > 0)].numpy(), X[X > 0])


@settings(max_examples=60)
@given(data=st.data())
def test_drawn_indices(data):
    shape = data.draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    x = np.random.default_rng(0).normal(size=shape)
    index = data.draw(st.one_of(basic_indices(shape, allow_newaxis=True), integer_array_indices(shape)))
    np.testing.assert_array_equal(mg.tensor(x)[index].numpy(), x[index])
    assert gradcheck(lambda t: t[index], x, order=2).worst < 1e-6


@pytest.mark.parametrize(
    "index, text",
    [
        (3, r"getitem: index 3 is out of bounds for axis 0 of shape \(3, 4, 5\)"),
        (-4, r"index -4 .* axis 0"),
        ((0, 4), r"index 4 .* axis 1"),
        ((..., 5), r"index 5 .* axis 2"),
        ([0, 7], r"index 7 .* axis 0"),
        ((slice(None), [0, -5]), r"index -5 .* axis 1"),
        ((0, 0, 0, 0), r"too many indices for shape \(3, 4, 5\): 4 given"),
        ((None, 0, None, 4), r"index 4 .* axis 1"),
        (((0, 9),), r"index 9 .* axis 0"),
        (MASK[:, :3], r"a mask of shape \(3, 3, 5\) does not fit shape \(3, 4, 5\) from axis 0 on"),
        ((MASK[:, :, 0], 5), r"index 5 .* axis 2"),
    ],
)
def test_what_is_out_of_bounds_is_named(index, text):
    for x in (mg.tensor(X), mg.tensor(X, requires_grad=True)):
        with pytest.raises(OutOfBoundsError, match=text):
            x[index]


def test_an_index_of_floats_is_refused():
    with pytest.raises(DTypeError, match="an index array holds integers or booleans, got float64"):
        mg.tensor(X)[np.array([0.0, 1.0])]
    with pytest.raises(IndexError):
        mg.tensor(X)[1.0]


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("indices", [2, -1, [0, 2, 2], [[1, 0], [0, 0]], [], np.array(1), (2, 1)], ids=str)
def test_take(indices, axis):
    expected = np.take(X, np.asarray(indices, dtype=int), axis)
    np.testing.assert_array_equal(mg.take(mg.tensor(X), indices, axis).numpy(), expected)
    assert gradcheck(lambda t: mg.take(t, indices, axis), X, order=2).worst < 1e-6
    with pytest.raises(OutOfBoundsError, match="take: index 60"):
        mg.take(mg.tensor(X), 60, axis)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take_along_axis(axis):
    order = np.argsort(X, axis)
    np.testing.assert_array_equal(mg.take_along_axis(mg.tensor(X), mg.tensor(order), axis).numpy(), np.sort(X, axis))
    top = np.expand_dims(np.argmax(X, axis), axis)
    np.testing.assert_array_equal(mg.take_along_axis(mg.tensor(X), top, axis).numpy(), X.max(axis, keepdims=True))
    assert gradcheck(lambda t: mg.take_along_axis(t, order, axis), X, order=2).worst < 1e-6
    with pytest.raises(ShapeError, match="take_along_axis: indices"):
        mg.take_along_axis(mg.tensor(X), np.array([0]), axis)
    with pytest.raises(OutOfBoundsError, match="take_along_axis: index 9"):
        mg.take_along_axis(mg.tensor(X), np.full_like(top, 9), axis)


def test_scatter_add_counts_repeated_indices(rng):
    x, v = rng.normal(size=(3, 4)), rng.normal(size=(3, 2, 2))
    indices = np.array([[1, 1], [1, 3]])
    expected = x.copy()
    np.add.at(expected, (slice(None), indices), v)
    np.testing.assert_allclose(
        mg.scatter_add(mg.tensor(x), mg.tensor(indices), mg.tensor(v), axis=1).numpy(), expected, rtol=1e-15
    )
    assert gradcheck(lambda a, b: mg.scatter_add(a, indices, b, axis=-1), x, v, order=2).worst < 1e-6
    with pytest.raises(ShapeError, match=r"scatter_add: values are \(3, 1\), need \(3, 2, 2\) for x \(3, 4\), axis 1"):
        mg.scatter_add(mg.tensor(x), indices, mg.tensor(v[:, 0, :1]), axis=1)
    with pytest.raises(OutOfBoundsError, match="scatter_add: index 4"):
        mg.scatter_add(mg.tensor(x), [[0, 0], [0, 4]], mg.tensor(v), axis=1)


def test_scatter_into_is_the_adjoint_of_getitem(rng):
    for index in (np.array([[0, 2], [2, 2]]), slice(None, None, -2), MASK[:, 0, 0], (..., 1), ([0, 0], slice(None), [1, 1])):
        u = rng.normal(size=X[index].shape)
        y = mg.scatter_into(mg.tensor(u), X.shape, index).numpy()
        np.testing.assert_allclose((X[index] * u).sum(), (X * y).sum(), rtol=1e-12)
        assert gradcheck(lambda t, i=index: mg.scatter_into(t, X.shape, i), u, order=2).worst < 1e-6
    assert mg.scatter_into(mg.tensor([1.0, 2.0]), (3,), mg.tensor([1, 1])).tolist() == [0.0, 3.0, 0.0]


def test_the_gradients_of_many_cuts_meet_in_one_array(rng):
    x, cuts = rng.normal(size=(6, 3)), [0, slice(1, 4), [5, 0, 5], (slice(None), 1), -1, rng.random((6, 3)) < 0.5]
    cuts = [c if not isinstance(c, np.ndarray) else mg.tensor(c) for c in cuts]
    f = lambda x: sum((x[c] ** 3).sum() * (i + 1) for i, c in enumerate(cuts)) + (x * x).sum()
    assert gradcheck(f, x, order=2).worst < 1e-6
    t = mg.tensor(x, requires_grad=True)
    first = mg.grad(sum(x.sum() for x in t), t, retain_graph=True)[0]
    np.testing.assert_array_equal(first.numpy(), np.ones_like(x))
    largest = []  # no cut but the first makes an array as large as x
    with mg.watch(
        lambda op, phase, inputs, output, *rest: largest.append(phase == "backward" and output is not None and output.size)
    ):
        mg.grad(sum((x * x).sum() for x in t), t)
    assert largest.count(18) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_are_named_often_get_the_sum(dtype, rng):
    rows = rng.integers(-7, 7, size=(20, 30))  # negative ones count from the end
    v = rng.normal(size=(20, 30, 5)).astype(dtype)
    expected = np.zeros((7, 5))
    np.add.at(expected, rows, v)
    for index in (rows, (rows,)):
        found = mg.scatter_into(mg.tensor(v), (7, 5), index).numpy()
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13)


def test_embedding_looks_rows_up_and_adds_their_gradients(rng):
    w, indices = rng.normal(size=(4, 3)), np.array([[1, 1], [3, 1]])
    np.testing.assert_array_equal(mg.embedding(mg.tensor(indices), mg.tensor(w)).numpy(), w[indices])
    assert gradcheck(lambda t: mg.embedding(indices, t), w, order=2).worst < 1e-6
    t = mg.tensor(w, requires_grad=True)
    for padding in (1, -3):
        y = mg.embedding(indices, t, padding_idx=padding)
        np.testing.assert_array_equal(y.detach().numpy(), w[indices])
        assert mg.grad(y.sum(), t)[0].tolist() == [[0.0] * 3, [0.0] * 3, [0.0] * 3, [1.0] * 3]
    with pytest.raises(OutOfBoundsError, match=r"embedding: 4 is outside 0 \.\. 3"):
        mg.embedding([0, 4], t)
    with pytest.raises(OutOfBoundsError, match=r"embedding: -1 is outside 0 \.\. 3"):
        mg.embedding([0, -1], t)
    with pytest.raises(DTypeError, match="embedding: labels must be integers, got float64"):
        mg.embedding(np.array([0.0]), t)
    with pytest.raises(OutOfBoundsError, match=r"one_hot: 3 is outside 0 \.\. 2"):
        mg.one_hot([3], 3)


@given(shape=array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=3), offset=st.integers(-4, 4), data=st.data())
def test_diagonal_and_trace(shape, offset, data):
    x = np.random.default_rng(0).normal(size=shape)
    i, j = data.draw(st.permutations(range(len(shape))))[:2]
    j -= data.draw(st.sampled_from([0, len(shape)]))
    np.testing.assert_array_equal(mg.diagonal(mg.tensor(x), offset, i, j).numpy(), np.diagonal(x, offset, i, j))
    np.testing.assert_allclose(mg.trace(mg.tensor(x), offset, i, j).numpy(), np.trace(x, offset, i, j), atol=1e-14)
    assert gradcheck(lambda t: mg.diagonal(t, offset, i, j), x, order=2).worst < 1e-6
    assert gradcheck(lambda t: mg.trace(t, offset, i, j), x, order=2).worst < 1e-6


def test_diagonal_of_one_axis_is_refused():
    with pytest.raises(ShapeError, match="diagonal: axis1 and axis2 are the same axis 1"):
        mg.diagonal(mg.tensor(X), 0, 1, -2)
