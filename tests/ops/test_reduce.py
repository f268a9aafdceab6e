"""Reductions: values against NumPy over drawn shapes and axes, ties, empty axes, products with zeros, the norm at 0."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minigan as mg
from minigan.errors import ShapeError
from minigan.gradcheck import gradcheck


def np_logsumexp(x, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


REDUCTIONS = {  # name: (oracle, may the reduced axes be empty)
    "sum": (np.sum, True),
    "mean": (np.mean, False),
    "prod": (np.prod, True),
    "max": (np.max, False),
    "min": (np.min, False),
    "var": (np.var, False),
    "std": (np.std, False),
    "logsumexp": (np_logsumexp, False),
    "norm": (lambda x, axis=None, keepdims=False: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)), True),
}


@st.composite
def shape_axis(draw, many=True):
    """A shape with sizes 0 .. 3 and what may stand as its axis: None, an int of either sign, a tuple."""
    shape = draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    if not shape:
        return shape, draw(st.sampled_from([None, ()])) if many else None
    one = st.integers(-len(shape), len(shape) - 1)
    several = st.lists(st.integers(0, len(shape) - 1), unique=True).map(tuple)
    return shape, draw(st.one_of(st.none(), one, several) if many else one)


@pytest.mark.parametrize("name", REDUCTIONS)
@settings(max_examples=30)
@given(shape_axis=shape_axis(), keepdims=st.booleans(), seed=st.integers(0, 999))
def test_values_and_two_derivatives(name, shape_axis, keepdims, seed):
    (shape, axis), (oracle, empty_ok) = shape_axis, REDUCTIONS[name]
    x = np.asarray(np.random.default_rng(seed).permutation(math.prod(shape)).reshape(shape) * 0.3 - 1.0)  # no ties
    f = getattr(mg, name)
    reduced = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = math.prod(shape[i] for i in reduced)
    if count == 0 and not empty_ok:
        with pytest.raises(ShapeError, match=f"^{name}: "):
            f(mg.tensor(x), axis=axis, keepdims=keepdims)
        return
    y = f(mg.tensor(x), axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(y.numpy(), oracle(x, axis=axis, keepdims=keepdims), rtol=1e-12, atol=1e-14)
    if (name == "std" and count < 2) or (name == "norm" and (x == 0).any()):
        return  # std of one element: infinitely steep
    assert gradcheck(lambda t: f(t, axis=axis, keepdims=keepdims), x, order=2, seed=seed, kinks="skip").worst < 1e-6


@settings(max_examples=30)
@given(shape_axis=shape_axis(many=False), seed=st.integers(0, 999))
def test_softmax_log_softmax_and_cumsum(shape_axis, seed):
    shape, axis = shape_axis
    x = np.asarray(np.random.default_rng(seed).normal(size=shape))
    np.testing.assert_array_equal(mg.cumsum(mg.tensor(x), axis).numpy(), np.cumsum(x, axis))
    gradcheck(lambda t: mg.cumsum(t, axis), x, order=2)
    if shape:
        expected = np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
        np.testing.assert_allclose(mg.softmax(mg.tensor(x), axis).numpy(), expected, rtol=1e-12)
        np.testing.assert_allclose(mg.log_softmax(mg.tensor(x), axis).numpy(), np.log(expected), rtol=1e-11, atol=1e-14)
        assert gradcheck(lambda t: mg.softmax(t, axis), x, order=2).worst < 1e-6
        assert gradcheck(lambda t: mg.log_softmax(t, axis), x, order=2).worst < 1e-6


def test_softmax_and_logsumexp_of_huge_numbers(rng):
    x = np.array([[1000.0, 1001.0], [-1000.0, -2000.0]])
    np.testing.assert_allclose(mg.logsumexp(x, 1), [1001 + math.log1p(math.exp(-1)), -1000], rtol=1e-15)
    np.testing.assert_allclose(mg.softmax(x), [[1 / (1 + math.e), math.e / (1 + math.e)], [1, 0]], rtol=1e-12)
    assert mg.log_softmax(x)[1, 1] == -1000
    assert mg.logsumexp(np.array([-np.inf, 0.0])) == 0


@pytest.mark.parametrize("f", [mg.max, mg.min])
def test_k_equal_extremes_share_the_gradient(f):
    x = mg.tensor([[2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0]], requires_grad=True)
    assert mg.grad(f(x), x)[0].tolist() == [[0.125] * 4] * 2
    assert mg.grad(f(x, axis=0).sum(), x)[0].tolist() == [[0.5] * 4] * 2
    assert mg.grad(f(x, axis=-1, keepdims=True).sum(), x)[0].tolist() == [[0.25] * 4] * 2
    z = mg.tensor([1.0, 3.0, 3.0, 0.0] if f is mg.max else [1.0, 0.0, 0.0, 3.0], requires_grad=True)
    assert mg.grad(f(z), z)[0].tolist() == [0.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 2, 3, 4)])
def test_prod_with_zeros_has_the_right_derivatives(zeros):
    x = np.array([2.0, -3.0, 0.5, 4.0, 1.5])
    x[list(zeros)] = 0.0
    t = mg.tensor(x, requires_grad=True)
    (g,) = mg.grad(mg.prod(t), t)
    np.testing.assert_allclose(g.numpy(), [np.prod(np.delete(x, i)) for i in range(5)], rtol=1e-15)
    assert gradcheck(mg.prod, x, order=3).worst < 1e-6


def test_norm_has_slope_0_at_0_and_finite_second_derivatives():
    x = mg.tensor(np.array([[0.0, 0.0], [3.0, 4.0]]), requires_grad=True)
    y = mg.norm(x, axis=1)
    (g,) = mg.grad(y.sum(), x, create_graph=True)
    assert g.detach().tolist() == [[0.0, 0.0], [0.6, 0.8]]
    penalty = ((y - 1) ** 2).sum() + (g * g).sum()
    assert np.isfinite(mg.grad(penalty, x)[0].numpy()).all()


def test_the_gradient_penalty_is_finite_where_the_critic_is_flat():
    """WGAN-GP's |grad D| at a point where grad D is exactly 0: sqrt of a sum of squares would give NaN weights."""
    w = mg.tensor(np.zeros((3, 1)), requires_grad=True)
    x = mg.tensor(np.ones((4, 3)), requires_grad=True)
    (slope,) = mg.grad((x @ w).sum(), x, create_graph=True)
    (g,) = mg.grad(((mg.norm(slope, axis=1) - 1) ** 2).mean(), w)
    assert g.tolist() == [[0.0]] * 3


def test_std_of_equal_elements_has_slope_0_like_norm_at_0():
    x = mg.tensor(np.ones((4, 2)), requires_grad=True)
    (g,) = mg.grad(mg.std(x, 0).mean(), x, create_graph=True)
    assert mg.std(x).item() == 0 and not g.detach().numpy().any()
    assert np.isfinite(mg.grad(g.sum(), x)[0].numpy()).all()


def test_var_counts_degrees_of_freedom(rng):
    x = rng.normal(size=(3, 4))
    np.testing.assert_allclose(mg.var(x, axis=1, ddof=1), np.var(x, axis=1, ddof=1), rtol=1e-13)
    np.testing.assert_allclose(mg.std(x, ddof=2), np.std(x, ddof=2), rtol=1e-13)
    with pytest.raises(ShapeError, match=r"var: 1 element\(s\) along axis 1 of shape \(3, 1\) are too few for ddof=1"):
        mg.var(x[:, :1], axis=1, ddof=1)


@settings(max_examples=30)
@given(shape_axis=shape_axis(many=False), keepdims=st.booleans(), seed=st.integers(0, 99))
def test_argmax_and_argmin_take_the_first_of_equals(shape_axis, keepdims, seed):
    shape, axis = shape_axis
    x = np.asarray(np.random.default_rng(seed).integers(0, 3, shape).astype(float))
    for f, oracle in ((mg.argmax, np.argmax), (mg.argmin, np.argmin)):
        if (x.size if axis is None else shape[axis]) == 0:
            with pytest.raises(ShapeError, match="no elements"):
                f(mg.tensor(x), axis)
        else:
            np.testing.assert_array_equal(f(mg.tensor(x), axis, keepdims).numpy(), oracle(x, axis, keepdims=keepdims))


@pytest.mark.parametrize(
    "f", [mg.sum, mg.mean, mg.max, mg.norm, mg.prod, mg.var, mg.logsumexp, mg.softmax, mg.cumsum, mg.argmax]
)
def test_an_axis_that_is_not_there_is_named(f):
    for axis in (2, -3):
        with pytest.raises(ShapeError, match=f"axis {axis} is out of range for an array of 2 axes"):
            f(mg.tensor(np.ones((2, 3))), axis=axis)
    if f not in (mg.cumsum, mg.argmax):
        with pytest.raises(ShapeError, match="names an axis twice"):
            f(mg.tensor(np.ones((2, 3))), axis=(1, -1))
