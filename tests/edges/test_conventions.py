"""What is held where a function has no derivative, or more than one: PyTorch's choice, but for what docs/edges.md says."""

import math

import numpy as np
import pytest

import minigan as mg
from minigan.errors import GradientMismatch
from minigan.gradcheck import gradcheck
from minigan.nn import functional as F
from minigan.tensor import plain

INF, NAN = math.inf, math.nan


def gradients(f, *inputs):
    """The gradients of sum f at the inputs, as lists."""
    xs = [mg.tensor(np.array(x, float), requires_grad=True) for x in inputs]
    y = f(*xs)
    with np.errstate(all="ignore"):
        return [g.tolist() for g in mg.grad(y, xs, mg.ones(y.shape, y.dtype))]


def same(found, wanted):
    np.testing.assert_array_equal(np.array(found), np.array(wanted))


def test_maximum_and_minimum_beside_nan_give_both_all():
    for f in (mg.maximum, mg.minimum):
        same(gradients(f, [NAN, 1, NAN, 2], [1, NAN, NAN, 2]), [[1, 1, 1, 0.5]] * 2)


def test_max_and_min_of_nan_give_it_to_the_nans():
    for f in (mg.max, mg.min):
        same(gradients(lambda x, f=f: f(x, 1), [[NAN, 1, NAN], [2, 2, 2]]), [[[0.5, 0, 0.5], [1 / 3] * 3]])


def test_logaddexp_at_large_equal_inputs_and_at_infinity():
    same(gradients(mg.logaddexp, [1e7, INF, 1, -INF], [1e7, 1, INF, 1]), [[0.5, 1, 0, 0], [0.5, 0, 1, 1]])
    same(gradients(mg.logaddexp, [INF, -INF], [INF, -INF]), [[NAN, NAN]] * 2)
    x = mg.tensor([1e7, 1e7], requires_grad=True)
    assert mg.grad(mg.logaddexp(x[0], x[1]), x)[0].tolist() == [0.5, 0.5]


def test_power_of_base_0():
    for a in ([0.0] * 4, None):
        b = mg.tensor(np.array([-1.0, 0.0, 0.5, 2.0]), requires_grad=True)
        with np.errstate(divide="ignore"):
            y = mg.power(0.0 if a is None else np.array(a), b)
            (g,) = mg.grad(y.sum(), b)
        assert g.tolist() == [-INF, 0, 0, 0]
    same(gradients(mg.power, [0.0, 0.0, 0.0], [0.0, 1.0, 2.0])[0], [0, 1, 0])


def test_std_and_norm_have_slope_0_where_they_have_none():
    same(gradients(lambda x: mg.std(x, 0), np.ones((4, 1))), [np.zeros((4, 1))])
    same(gradients(mg.norm, np.zeros(3)), [np.zeros(3)])


@pytest.mark.parametrize("x", [[0.0, 2.0, 0.0, 3.0], [0.0, 0.0, 0.0, 1.0], [0.0, 2.0, 1.0, 3.0], [0.0] * 5])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_product_is_smooth_at_zeros(x, order):
    gradcheck(mg.prod, np.array(x), order=order)


def test_a_wrong_slope_of_a_product_at_zeros_is_still_found():
    wrong = mg.primitive(lambda x: x.prod(), lambda g, y, x: g * (1e-5 * (plain(x) == 2)), name="prod")
    with pytest.raises(GradientMismatch):
        gradcheck(wrong, np.array([0.0, 2.0, 0.0, 3.0]))


def test_clip_between_tensors_has_torchs_gradients():
    same(
        gradients(mg.clip, [0, 1, 1.5, 2, 3, NAN], [1] * 6, [2] * 6),
        [[0, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]],
    )
    same(gradients(mg.clip, [0, 1.5, 3], [2] * 3, [1] * 3), [[0] * 3, [0] * 3, [1] * 3])  # min > max: max it is
    x, low = mg.tensor([0.5, 3.0], requires_grad=True), mg.tensor(2.0, requires_grad=True)
    y = mg.clip(x, low)
    assert y.tolist() == [2.0, 3.0] and [g.tolist() for g in mg.grad(y.sum(), [x, low])] == [[0.0, 1.0], 1.0]
    assert mg.clip(x, max=low).tolist() == [0.5, 2.0] and x.clip(min=[1.0, 4.0]).tolist() == [1.0, 4.0]
    a, b, c = np.array([[-2.0, 0.3, 1.9], [0.1, 5.0, -0.4]]), np.array([-0.5, 0.1, 0.0]), np.array([[1.0], [1.5]])
    gradcheck(mg.clip, a, b, c, order=2)
    gradcheck(lambda x, high: mg.clip(x, max=high), a, c, order=2)


def test_a_window_of_a_dilated_pooling_gives_its_gradient_to_the_first_maximum():
    x = np.array([[1.0, 7, 2, 7], [7, 0, 7, 0], [3, 7, 1, 7]]).reshape(1, 1, 3, 4)
    (g,) = gradients(lambda x: mg.max_pool2d(x, 2, 1, 0, 2), x)
    assert np.argwhere(g).tolist() == [[0, 0, 0, 1], [0, 0, 2, 0]] and np.sum(g) == 2
    (g,) = gradients(lambda x: mg.max_pool2d(x, 2, 1, 0, 2), np.full((1, 1, 3, 3), -INF))
    assert np.argwhere(g).tolist() == [[0, 0, 0, 0]]
    x[0, 0, 2, 2] = NAN
    (g,) = gradients(lambda x: mg.max_pool2d(x, 2, 1, 0, 2), x)
    assert np.argwhere(g).tolist() == [[0, 0, 0, 1], [0, 0, 2, 2]]


def test_the_third_derivative_of_layer_norm_where_x_stands_at_two_places():
    """x as the input and as the weight: PyTorch 2.13's third derivative is wrong here; finite differences decide."""
    x = np.array([[0.3, -1.2, 0.8, 2.0]])
    assert gradcheck(lambda x: F.layer_norm(x, 4, mg.reshape(x, (4,))), x, order=3).worst < 1e-6
    assert gradcheck(lambda x: F.layer_norm(x, 4), np.vstack([x, 2 * x + 1]), order=3).worst < 1e-6
