"""Normalisation against its formulas in NumPy: values, running statistics, derivatives through the fused batch norm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigan as mg
from minigan.errors import ShapeError
from minigan.gradcheck import gradcheck


def standardised(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def per_channel(p, x):
    return p.reshape(1, -1, *[1] * (x.ndim - 2))


@settings(max_examples=20)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
        lambda nc: st.lists(st.integers(1, 3), max_size=2).map(lambda rest: (*nc, *rest))
    ),
    weight=st.booleans(),
    bias=st.booleans(),
)
def test_batch_norm_in_training(shape, weight, bias):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=shape) * 2 + 1, rng.normal(size=shape[1]), rng.normal(size=shape[1])
    if x.size // shape[1] < 2:
        with pytest.raises(ShapeError, match="batch_norm: training needs more than one value per channel"):
            mg.batch_norm(mg.tensor(x), training=True)
        return
    axes = (0, *range(2, x.ndim))
    expected = standardised(x, axes) * (per_channel(w, x) if weight else 1) + (per_channel(b, x) if bias else 0)

    def f(x, *rest):
        rest = list(rest)
        return mg.batch_norm(x, None, None, rest.pop(0) if weight else None, rest.pop(0) if bias else None, True)

    arrays = [x] + [w] * weight + [b] * bias
    np.testing.assert_allclose(f(*map(mg.tensor, arrays)).numpy(), expected, rtol=1e-10, atol=1e-12)
    assert gradcheck(f, *arrays, order=2).worst < 1e-6


def test_batch_norm_moves_running_statistics_and_uses_them_in_evaluation(rng):
    x = rng.normal(size=(6, 3, 2)) * 3 + 1
    running_mean, running_var = mg.tensor(np.zeros(3)), mg.tensor(np.ones(3))
    mean, var = np.zeros(3), np.ones(3)
    for momentum in (0.1, 0.5):
        mg.batch_norm(mg.tensor(x), running_mean, running_var, training=True, momentum=momentum)
        mean = (1 - momentum) * mean + momentum * x.mean((0, 2))
        var = (1 - momentum) * var + momentum * x.var((0, 2), ddof=1)
    np.testing.assert_allclose(running_mean.numpy(), mean, rtol=1e-13)
    np.testing.assert_allclose(running_var.numpy(), var, rtol=1e-13)
    w, b = rng.normal(size=3), rng.normal(size=3)
    y = mg.batch_norm(mg.tensor(x), running_mean, running_var, mg.tensor(w), mg.tensor(b))
    expected = (x - mean[:, None]) / np.sqrt(var[:, None] + 1e-5) * w[:, None] + b[:, None]
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(running_mean.numpy(), mean, rtol=1e-13)  # evaluation leaves them alone
    assert gradcheck(lambda x, w, b: mg.batch_norm(x, running_mean, running_var, w, b), x, w, b, order=2).worst < 1e-6


def test_a_frozen_weight_asks_for_no_gradient_and_the_others_are_right(rng):
    x, w, b = rng.normal(size=(4, 2, 3)), rng.normal(size=2), rng.normal(size=2)
    for wrt in (0, 1, 2, [0, 2]):
        assert gradcheck(lambda x, w, b: mg.batch_norm(x, None, None, w, b, True), x, w, b, wrt=wrt, order=2).worst < 1e-6


@pytest.mark.parametrize("shape, normalized", [((3, 4), 4), ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,)), ((5,), 5), ((0, 3), 3)])
def test_layer_norm(shape, normalized, rng):
    size = (normalized,) if isinstance(normalized, int) else normalized
    x, w, b = rng.normal(size=shape), rng.normal(size=size), rng.normal(size=size)
    axes = tuple(range(-len(size), 0))
    np.testing.assert_allclose(mg.layer_norm(mg.tensor(x), normalized).numpy(), standardised(x, axes), rtol=1e-11)
    y = mg.layer_norm(mg.tensor(x), normalized, mg.tensor(w), mg.tensor(b), eps=0.1).numpy()
    np.testing.assert_allclose(y, standardised(x, axes, 0.1) * w + b, rtol=1e-11)
    assert gradcheck(lambda x, w, b: mg.layer_norm(x, normalized, w, b), x, w, b, order=2).worst < 1e-6


@pytest.mark.parametrize("weight, bias", [(True, True), (True, False), (False, True), (False, False)])
def test_layer_norm_of_many_rows_is_that_of_its_composition(weight, bias, rng):
    x, w, b, g = (rng.normal(size=size) for size in ((900, 100), (100,), (100,), (900, 100)))  # more than one piece

    def gradients(norm, dtype):
        t, v, c = (mg.tensor(a, dtype=dtype, requires_grad=True) for a in (x, w, b))
        y = norm(t, v if weight else None, c if bias else None)
        return [y, *mg.grad(y, [t, v, c], mg.tensor(g, dtype=dtype), allow_unused=True)]

    def composed(x, w, b):
        y = (x - x.mean(-1, True)) / mg.sqrt(mg.var(x, -1, 0, True) + 1e-5)
        y = y if w is None else y * w
        return y if b is None else y + b

    for dtype, rtol in (("float32", 1e-4), ("float64", 1e-10)):
        for found, right in zip(gradients(lambda *a: mg.layer_norm(a[0], 100, *a[1:]), dtype), gradients(composed, "float64")):
            assert (found is None) == (right is None)
            if found is not None:
                np.testing.assert_allclose(found.detach().numpy(), right.detach().numpy(), rtol, rtol)


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 2, 2, 3), (0, 2, 3)])
def test_instance_norm(shape, rng):
    x, w, b = rng.normal(size=shape), rng.normal(size=shape[1]), rng.normal(size=shape[1])
    expected = standardised(x, tuple(range(2, x.ndim)), 1e-3) * per_channel(w, x) + per_channel(b, x)
    np.testing.assert_allclose(mg.instance_norm(*map(mg.tensor, (x, w, b)), eps=1e-3).numpy(), expected, rtol=1e-11)
    assert gradcheck(mg.instance_norm, x, w, b, order=2).worst < 1e-6


@pytest.mark.parametrize("shape, groups", [((2, 4, 3), 2), ((2, 4), 1), ((1, 6, 2, 2), 3), ((2, 3, 2), 3), ((0, 4, 2), 2)])
def test_group_norm(shape, groups, rng):
    x, w, b = rng.normal(size=shape), rng.normal(size=shape[1]), rng.normal(size=shape[1])
    grouped = x.reshape(shape[0], groups, int(np.prod(shape[1:])) // groups)
    expected = standardised(grouped, 2).reshape(shape) * per_channel(w, x) + per_channel(b, x)
    np.testing.assert_allclose(
        mg.group_norm(mg.tensor(x), groups, mg.tensor(w), mg.tensor(b)).numpy(), expected, rtol=1e-10, atol=1e-12
    )
    assert gradcheck(lambda x, w, b: mg.group_norm(x, groups, w, b), x, w, b, order=2).worst < 1e-6


def t(*shape):
    return mg.tensor(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: mg.batch_norm(t(3), training=True), r"batch_norm: x needs the axes \(N, C, ...\), got \(3,\)"),
        (
            lambda: mg.batch_norm(t(4, 3), weight=t(4), training=True),
            r"batch_norm: weight is \(4,\), but x \(4, 3\) has 3 channels",
        ),
        (lambda: mg.batch_norm(t(4, 3)), "batch_norm: evaluation needs running_mean and running_var"),
        (lambda: mg.batch_norm(t(1, 3), training=True), r"training needs more than one value per channel, x is \(1, 3\)"),
        (lambda: mg.layer_norm(t(4, 3), 4), r"layer_norm: the last axes of x \(4, 3\) are not normalized_shape \(4,\)"),
        (lambda: mg.layer_norm(t(4, 3), 3, t(1)), r"layer_norm: weight is \(1,\), need normalized_shape \(3,\)"),
        (lambda: mg.group_norm(t(2, 4, 3), 3), "group_norm: num_groups=3 must divide the channels"),
        (lambda: mg.group_norm(t(2, 4, 3), 2, t(1)), r"group_norm: weight is \(1,\), but x \(2, 4, 3\) has 4 channels"),
        (lambda: mg.instance_norm(t(2, 4)), r"instance_norm: needs more than one value per channel and sample, x is \(2, 4\)"),
        (lambda: mg.instance_norm(t(2, 4, 3), None, t(3)), r"instance_norm: bias is \(3,\), but x \(2, 4, 3\) has 4 channels"),
    ],
)
def test_what_does_not_fit_is_said_with_the_sizes(call, text):
    with pytest.raises(ShapeError, match=text):
        call()
