"""Shape ops: each against NumPy's function of the same name, with derivatives over drawn shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import minigan as mg
from minigan.errors import ShapeError
from minigan.gradcheck import gradcheck


def draw_array(data, min_dims=0, **sizes):
    shape = data.draw(array_shapes(**{"min_dims": min_dims, "max_dims": 3, "min_side": 0, "max_side": 3} | sizes))
    return np.random.default_rng(data.draw(st.integers(0, 999))).normal(size=shape)


def same(f, oracle, *arrays):
    """f on Tensors equals the oracle on arrays, bit for bit, and its two derivatives hold."""
    y, z = f(*map(mg.tensor, arrays)), oracle(*arrays)
    for a, b in zip(y, z, strict=True) if isinstance(z, list) else [(y, z)]:
        np.testing.assert_array_equal(a.numpy(), b)
        assert a.shape == b.shape
    assert gradcheck(f, *arrays, order=2).worst < 1e-6


def axes_of(data, x):
    return data.draw(st.integers(-x.ndim, x.ndim - 1))


@given(data=st.data())
def test_transpose_swapaxes_moveaxis(data):
    x = draw_array(data, 1)
    order = data.draw(st.permutations(range(x.ndim)))
    order = [i - x.ndim if data.draw(st.booleans()) else i for i in order]
    same(lambda t: mg.transpose(t, order), lambda a: np.transpose(a, order), x)
    same(mg.transpose, np.transpose, x)
    i, j = axes_of(data, x), axes_of(data, x)
    same(lambda t: mg.swapaxes(t, i, j), lambda a: np.swapaxes(a, i, j), x)
    same(lambda t: mg.moveaxis(t, i, j), lambda a: np.moveaxis(a, i, j), x)
    k = data.draw(st.integers(1, x.ndim))
    source, target = data.draw(st.permutations(range(x.ndim)))[:k], data.draw(st.permutations(range(x.ndim)))[:k]
    same(lambda t: mg.moveaxis(t, source, target), lambda a: np.moveaxis(a, source, target), x)


@given(data=st.data())
def test_reshape_ravel_expand_dims_squeeze(data):
    x = draw_array(data)
    same(mg.ravel, np.ravel, x)
    same(lambda t: mg.reshape(t, x.shape[::-1]), lambda a: np.reshape(a, x.shape[::-1]), x)
    if x.size:
        same(lambda t: mg.reshape(t, (1, -1)), lambda a: np.reshape(a, (1, -1)), x)
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    same(lambda t: mg.expand_dims(t, axis), lambda a: np.expand_dims(a, axis), x)
    same(lambda t: mg.expand_dims(t, (0, -1)), lambda a: np.expand_dims(a, (0, -1)), x)
    same(mg.squeeze, np.squeeze, x)
    same(lambda t: mg.squeeze(mg.expand_dims(t, axis), axis), lambda a: a, x)


@given(data=st.data(), shapes=mutually_broadcastable_shapes(num_shapes=1, base_shape=(2, 0, 3), max_dims=3, min_side=0))
def test_broadcast_to_and_sum_to_are_adjoint(data, shapes):
    (small,), big = shapes.input_shapes, np.broadcast_shapes(shapes.result_shape, (2, 0, 3))
    big = tuple(n or data.draw(st.sampled_from([0, 2])) for n in big)
    small = tuple(m if m == 1 else n for m, n in zip(small, big[len(big) - len(small) :]))
    rng = np.random.default_rng(0)
    x, u = np.asarray(rng.normal(size=small)), np.asarray(rng.normal(size=big))
    same(lambda t: mg.broadcast_to(t, big), lambda a: np.broadcast_to(a, big), x)
    assert gradcheck(lambda t: mg.sum_to(t, small), u, order=2).worst < 1e-6
    total = mg.sum_to(u, small)
    assert total.shape == small
    np.testing.assert_allclose((np.broadcast_to(x, big) * u).sum(), (x * total).sum(), rtol=1e-12, atol=1e-12)


@given(data=st.data())
def test_concatenate_stack_split(data):
    x = draw_array(data, 1)
    axis, n = axes_of(data, x), data.draw(st.integers(0, 2))
    shape = list(x.shape)
    shape[axis] = n
    z = np.ones(shape) * 0.5
    same(lambda a, b: mg.concatenate([a, b, a], axis), lambda a, b: np.concatenate([a, b, a], axis), x, z)
    same(lambda a, b: mg.concatenate([a, b], None), lambda a, b: np.concatenate([a, b], None), x, z)
    where = data.draw(st.integers(-x.ndim - 1, x.ndim))
    same(lambda a, b: mg.stack([a, b], where), lambda a, b: np.stack([a, b], where), x, x + 1)
    cuts = sorted(data.draw(st.lists(st.integers(0, 4), max_size=3)))
    same(lambda t: mg.split(t, cuts, axis), lambda a: np.split(a, cuts, axis), x)
    same(
        lambda t: mg.split(mg.concatenate([t, t], axis), 2, axis), lambda a: np.split(np.concatenate([a, a], axis), 2, axis), x
    )


@given(data=st.data(), mode=st.sampled_from(["constant", "edge", "reflect"]))
def test_pad_in_every_mode(data, mode):
    x = draw_array(data, 1, min_side=0 if mode == "constant" else 1)
    widths = [tuple(data.draw(st.integers(0, n - 1 if mode == "reflect" else 2)) for _ in range(2)) for n in x.shape]
    options = {"constant_values": 1.5} if mode == "constant" else {}
    same(lambda t: mg.pad(t, widths, mode, **options), lambda a: np.pad(a, widths, mode, **options), x)


def test_pad_widths_may_be_a_number_or_one_pair(rng):
    x = rng.normal(size=(2, 3))
    for width in (1, (2, 0), [(1, 0)], np.array([[0, 1], [2, 0]])):
        same(lambda t, w=width: mg.pad(t, w), lambda a, w=width: np.pad(a, w), x)
    for width, text in ((-1, r"must hold integers >= 0"), (1.5, "must hold integers"), ([(1, 1)] * 3, "for each of 2 axes")):
        with pytest.raises(ShapeError, match=f"pad: .*{text}"):
            mg.pad(mg.tensor(x), width)
    with pytest.raises(ShapeError, match=r"pad: reflect padding \(0, 2\) is too wide for axis 0 of size 2"):
        mg.pad(mg.tensor(x), ((0, 2), (0, 0)), "reflect")
    with pytest.raises(ValueError, match="pad: mode is 'constant', 'edge', 'reflect' or 'wrap', not 'mean'"):
        mg.pad(mg.tensor(x), 1, "mean")


@given(data=st.data())
def test_flip_roll(data):
    x = draw_array(data, 1)
    i, j = axes_of(data, x), axes_of(data, x)
    shift, other = data.draw(st.integers(-4, 4)), data.draw(st.integers(-4, 4))
    same(lambda t: mg.flip(t, i), lambda a: np.flip(a, i), x)
    same(mg.flip, np.flip, x)
    same(lambda t: mg.roll(t, shift), lambda a: np.roll(a, shift), x)
    same(lambda t: mg.roll(t, shift, i), lambda a: np.roll(a, shift, i), x)
    if i % x.ndim != j % x.ndim:
        same(lambda t: mg.flip(t, (i, j)), lambda a: np.flip(a, (i, j)), x)
        same(lambda t: mg.roll(t, (shift, other), (i, j)), lambda a: np.roll(a, (shift, other), (i, j)), x)


@given(data=st.data())
def test_repeat_and_tile(data):
    x = draw_array(data, 1, max_side=2)
    i, n = axes_of(data, x), data.draw(st.integers(0, 3))
    same(lambda t: mg.repeat(t, n, i), lambda a: np.repeat(a, n, i), x)
    same(lambda t: mg.repeat(t, n), lambda a: np.repeat(a, n), x)
    counts = [data.draw(st.integers(0, 2)) for _ in range(x.shape[i])]
    same(lambda t: mg.repeat(t, counts, i), lambda a: np.repeat(a, np.array(counts, int), i), x)
    reps = tuple(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4)))
    same(lambda t: mg.tile(t, reps), lambda a: np.tile(a, reps), x)
    same(lambda t: mg.tile(t, n), lambda a: np.tile(a, n), x)


@given(data=st.data(), k=st.integers(-3, 3))
def test_tril_triu(data, k):
    x = draw_array(data, 2)
    same(lambda t: mg.tril(t, k), lambda a: np.tril(a, k), x)
    same(lambda t: mg.triu(t, k), lambda a: np.triu(a, k), x)


def test_astype_converts_the_gradient_back_and_ends_at_integers():
    x = mg.tensor([1.7, -2.2], requires_grad=True)
    y = mg.astype(x, "float64")
    assert y.dtype == np.float64
    (g,) = mg.grad(y, x, mg.tensor(np.array([1.0, 2.0])))
    assert g.dtype == np.float32 and g.tolist() == [1.0, 2.0]
    assert not mg.astype(x, int).requires_grad and mg.astype(x, int).tolist() == [1, -2]


def test_results_that_are_no_views_do_not_share_memory_with_the_input(rng):
    """A graph that saved y would not notice that x, changed in place, has changed y too."""
    x = mg.tensor(rng.normal(size=(3, 3)))
    for f in (
        mg.clip,
        lambda t: mg.einsum("ij->ji", t),
        lambda t: mg.einsum("ij->ij", t),
        lambda t: mg.pad(t, 0),
        lambda t: mg.sum(t, axis=()),
        lambda t: mg.roll(t, 0),
        lambda t: mg.astype(t, t.dtype),
        lambda t: mg.concatenate([t]),
        mg.tril,
        mg.round,
        lambda t: mg.repeat(t, [1, 1, 1], 0),
    ):
        assert not np.shares_memory(f(x).data, x.data)


def test_a_change_in_place_reaches_through_every_view():
    for f in (
        lambda t: mg.reshape(t, (3, 2)),
        mg.transpose,
        mg.flip,
        lambda t: t[1:],
        lambda t: mg.broadcast_to(t, (2, 2, 3)),
        lambda t: mg.sum_to(t, (2, 3)),
        mg.ravel,
        lambda t: mg.expand_dims(t, 0),
        lambda t: mg.split(t, 2)[0],
    ):
        x = mg.tensor(np.ones((2, 3)), requires_grad=True)
        y = f(x)
        loss = (y * y).sum()
        with mg.no_grad():
            x[...] = 5.0
        with pytest.raises(mg.errors.GraphError, match="updated in place"):
            loss.backward()


@pytest.mark.parametrize(
    "f, text",
    [
        (lambda x: mg.reshape(x, (4, 2)), r"reshape: \(2, 3\) has 6 elements, which do not fill the shape \(4, 2\)"),
        (lambda x: mg.transpose(x, (0,)), r"transpose: 1 axes \(0,\) for an array of 2 axes"),
        (lambda x: mg.transpose(x, (0, 0)), "names an axis twice"),
        (lambda x: mg.squeeze(x, 0), r"squeeze: axis 0 of \(2, 3\) has size 2, not 1"),
        (lambda x: mg.moveaxis(x, (0, 1), 0), "moveaxis: 2 source axes but 1 destinations"),
        (lambda x: mg.broadcast_to(x, (2, 4)), r"broadcast_to: \(2, 3\) does not broadcast to \(2, 4\)"),
        (lambda x: mg.sum_to(x, (2,)), r"sum_to: \(2,\) does not broadcast to \(2, 3\)"),
        (lambda x: mg.concatenate([x, x[:1]], 1), r"concatenate: array 1 is \(1, 3\) and array 0 is \(2, 3\)"),
        (lambda x: mg.concatenate([]), "concatenate: needs at least one array"),
        (lambda x: mg.stack([x, x[0]]), r"stack: needs arrays of one shape, got \[\(2, 3\), \(3,\)\]"),
        (lambda x: mg.split(x, 2, 1), "split: axis 1 of size 3 does not divide into 2 equal parts"),
        (lambda x: mg.repeat(x, [1, 2], 1), "repeat: repeats .* one for each of 3 elements"),
        (lambda x: mg.repeat(x, -1), "repeat: repeats -1"),
        (lambda x: mg.tile(x, (-1, 1)), "tile: reps"),
        (lambda x: mg.tril(x[0]), "tril: needs an array of at least 2 axes"),
    ],
)
def test_what_does_not_fit_is_said_with_the_sizes(f, text):
    with pytest.raises(ShapeError, match=text):
        f(mg.tensor(np.ones((2, 3))))
