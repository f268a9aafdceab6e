"""Elementwise ops: values against NumPy and math, derivatives over drawn shapes, choices at special points."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import minigan as mg
from minigan.gradcheck import gradcheck

SHAPES = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)

UNARY = {  # name: (oracle, from, to)
    "negative": (np.negative, -3, 3),
    "reciprocal": (np.reciprocal, 0.3, 3),
    "square": (np.square, -3, 3),
    "sqrt": (np.sqrt, 0.1, 9),
    "exp": (np.exp, -5, 5),
    "expm1": (np.expm1, -1, 1),
    "log": (np.log, 0.1, 9),
    "log1p": (np.log1p, -0.5, 3),
    "sin": (np.sin, -6, 6),
    "cos": (np.cos, -6, 6),
    "tan": (np.tan, -1, 1),
    "arcsin": (np.arcsin, -0.9, 0.9),
    "arccos": (np.arccos, -0.9, 0.9),
    "arctan": (np.arctan, -3, 3),
    "sinh": (np.sinh, -3, 3),
    "cosh": (np.cosh, -3, 3),
    "tanh": (np.tanh, -3, 3),
    "sign": (np.sign, -3, 3),
    "floor": (np.floor, -3, 3),
    "round": (np.round, -3, 3),
    "abs": (np.abs, -3, 3),
    "relu": (lambda x: np.where(x > 0, x, 0), -3, 3),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), -3, 3),
    "elu": (lambda x: np.where(x > 0, x, np.exp(x) - 1), -3, 3),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -9, 9),
    "softplus": (lambda x: np.log(1 + np.exp(x)), -9, 9),
    "silu": (lambda x: x / (1 + np.exp(-x)), -9, 9),
    "gelu": (np.vectorize(lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))), otypes=[float]), -5, 5),
    "erf": (np.vectorize(math.erf, otypes=[float]), -7, 7),
    "round_straight_through": (np.round, -3, 3),
}
BINARY = {  # name: (oracle, from, to)
    "add": (np.add, -3, 3),
    "subtract": (np.subtract, -3, 3),
    "multiply": (np.multiply, -3, 3),
    "divide": (np.divide, 0.3, 3),
    "power": (np.power, 0.3, 3),
    "logaddexp": (lambda a, b: np.log(np.exp(a) + np.exp(b)), -3, 3),
    "maximum": (np.maximum, -3, 3),
    "minimum": (np.minimum, -3, 3),
}


@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=8)
@given(shape=SHAPES, seed=st.integers(0, 999))
def test_unary_values_and_two_derivatives(name, shape, seed):
    oracle, low, high = UNARY[name]
    x = np.random.default_rng(seed).uniform(low, high, shape)
    np.testing.assert_allclose(getattr(mg, name)(mg.tensor(x)).numpy(), oracle(x), rtol=1e-13, atol=1e-15)
    if name != "round_straight_through":
        assert gradcheck(getattr(mg, name), x, order=2, seed=seed).worst < 1e-6


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=12)
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3), seed=st.integers(0, 999))
def test_binary_values_and_two_derivatives_over_broadcast_shapes(name, shapes, seed):
    oracle, low, high = BINARY[name]
    rng = np.random.default_rng(seed)
    a, b = (np.asarray(rng.uniform(low, high, shape)) for shape in shapes.input_shapes)
    y = getattr(mg, name)(mg.tensor(a), mg.tensor(b)).numpy()
    assert y.shape == shapes.result_shape
    np.testing.assert_allclose(y, oracle(a, b), rtol=1e-13, atol=1e-14)
    assert gradcheck(getattr(mg, name), a, b, order=2, seed=seed).worst < 1e-6


@settings(max_examples=20)
@given(shapes=mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3), seed=st.integers(0, 999))
def test_where_values_and_two_derivatives_over_broadcast_shapes(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b, c = (np.asarray(rng.normal(size=shape)) for shape in shapes.input_shapes)
    np.testing.assert_array_equal(mg.where(mg.tensor(c > 0), mg.tensor(a), mg.tensor(b)).numpy(), np.where(c > 0, a, b))
    assert gradcheck(lambda a, b: mg.where(c > 0, a, b), a, b, order=2, seed=seed).worst < 1e-6


@settings(max_examples=20)
@given(shape=SHAPES, low=st.sampled_from([None, -1.0, 0.5]), high=st.sampled_from([None, 0.5, 1.0]), seed=st.integers(0, 99))
def test_clip_values_and_derivatives(shape, low, high, seed):
    x = np.random.default_rng(seed).normal(size=shape)
    expected = x if low is None and high is None else np.clip(x, low, high)
    np.testing.assert_array_equal(mg.clip(mg.tensor(x), low, high).numpy(), expected)
    gradcheck(lambda t: mg.clip(t, low, high), x, order=2, seed=seed)


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, 1.5, -0.5])
def test_leaky_relu_and_elu_take_their_parameter(slope, rng):
    x = rng.normal(size=(4, 5))
    np.testing.assert_allclose(mg.leaky_relu(x, slope), np.where(x > 0, x, slope * x), rtol=1e-15)
    np.testing.assert_allclose(mg.elu(x, slope), np.where(x > 0, x, slope * (np.exp(x) - 1)), rtol=1e-12)
    gradcheck(lambda t: mg.leaky_relu(t, slope), x, order=2)
    gradcheck(lambda t: mg.elu(t, slope), x, order=2)


def test_gelu_by_tanh_is_the_papers_formula_and_another_name_is_refused(rng):
    x = rng.normal(size=20) * 3
    np.testing.assert_allclose(
        mg.gelu(x, "tanh"), x / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), rtol=1e-13
    )
    with pytest.raises(ValueError, match="gelu: approximate is 'none' or 'tanh', not 'fast'"):
        mg.gelu(x, "fast")


def test_gelu_in_float32_has_its_digits_on_both_sides_and_in_every_piece():
    x = np.linspace(-5, 5, 100_001, dtype=np.float32)  # more than one piece
    cdf = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.tolist()])
    slope = cdf + x * np.exp(-(x.astype(float) ** 2) / 2) / math.sqrt(2 * math.pi)
    t = mg.tensor(x, requires_grad=True)
    y = mg.gelu(t)
    np.testing.assert_allclose(y.detach().numpy(), x * cdf, rtol=2e-6)
    np.testing.assert_allclose(mg.grad(y.sum(), t)[0].numpy(), slope, rtol=2e-6, atol=2e-7)


def test_erf_is_within_a_few_units_of_math_erf_everywhere():
    x = np.concatenate([np.linspace(-8, 8, 4001), [0.0, 0.46875, -0.46875, 1e-300, 1e-5, 30.0, -np.inf, np.inf]])
    exact = np.array([math.erf(v) for v in x])
    assert np.all(np.abs(mg.erf(x) - exact) <= 4 * np.spacing(np.abs(exact)))
    assert np.isnan(mg.erf(np.array(np.nan)))


def test_large_inputs_overflow_nowhere():
    x = mg.tensor([-1000.0, -40.0, 0.0, 40.0, 1000.0], dtype="float64", requires_grad=True)
    s, p = mg.sigmoid(x), mg.softplus(x)
    np.testing.assert_allclose(s.detach().numpy(), [0, 0, 0.5, 1, 1], atol=1e-16)
    np.testing.assert_allclose(p.detach().numpy(), [0, math.exp(-40), math.log(2), 40, 1000], rtol=1e-15)
    np.testing.assert_allclose(mg.grad(p.sum(), x)[0].numpy(), [0, 0, 0.5, 1, 1], atol=1e-16)
    np.testing.assert_allclose(mg.logaddexp(x, 1000.0).detach().numpy()[-1], 1000 + math.log(2), rtol=1e-15)
    for f in (mg.tanh, mg.elu, mg.silu, mg.gelu, mg.erf, mg.relu, mg.leaky_relu):
        assert np.isfinite(mg.grad(f(x).sum(), x)[0].numpy()).all()


# ------------------------------------------------------------------------------------- choices at special points ---


def slope(f, *points):
    x = mg.tensor(np.array(points, float), requires_grad=True)
    return mg.grad(f(x).sum(), x)[0].tolist()


def test_relu_abs_sign_have_slope_0_at_0():
    assert slope(mg.relu, -1, 0, 1) == [0, 0, 1]
    assert slope(mg.abs, -1, 0, 1) == [-1, 0, 1]
    assert slope(mg.sign, -1, 0, 1) == [0, 0, 0]
    assert slope(mg.leaky_relu, -1, 0, 1) == [0.01, 0.01, 1]
    assert slope(mg.elu, -1, 0, 1) == [math.exp(-1), 1, 1]


def test_clip_has_slope_1_on_its_bounds():
    assert slope(lambda x: mg.clip(x, -1, 1), -2, -1, 0, 1, 2) == [0, 1, 1, 1, 0]
    assert slope(lambda x: mg.clip(x, min=1), 0, 1, 2) == [0, 1, 1]
    assert mg.clip(mg.tensor([0.0, 5.0]), 3, 2).tolist() == [2.0, 2.0] == np.clip([0.0, 5.0], 3, 2).tolist()


def test_ties_of_maximum_and_minimum_share_the_gradient_evenly():
    for f in (mg.maximum, mg.minimum):
        a, b = (mg.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
        for g in mg.grad(f(a, b).sum(), [a, b]):
            assert g.tolist() == [0.5, 0.5, 0.5]
        for zero in (mg.tensor([0.0], requires_grad=True), mg.tensor(0.0, requires_grad=True)):
            assert mg.grad(f(zero, 0).sum(), zero)[0].sum().item() == mg.grad(f(0, zero).sum(), zero)[0].sum().item() == 0.5
    assert slope(lambda x: mg.maximum(x, 1.0), 0, 2) == [0, 1]


def test_sqrt_is_infinitely_steep_at_0():
    with np.errstate(divide="ignore"):
        assert slope(mg.sqrt, 0, 4) == [math.inf, 0.25]


@pytest.mark.parametrize("exponent, first, second", [(0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 0, 0), (0.5, math.inf, -math.inf)])
@pytest.mark.parametrize("as_array", [False, True])
def test_power_at_0(exponent, first, second, as_array):
    x = mg.tensor(np.zeros(()), requires_grad=True)
    with np.errstate(divide="ignore"):
        y = x ** (np.array(float(exponent)) if as_array else exponent)
        (g,) = mg.grad(y, x, create_graph=True)
        (h,) = mg.grad(g, x, allow_unused=True) if g.requires_grad else (None,)
    assert y.item() == (1 if exponent == 0 else 0)
    assert g.item() == first
    assert (0 if h is None else h.item()) == second


def test_power_at_exponent_0_still_knows_how_it_depends_on_the_exponent():
    """d/db of b a^(b-1) at b = 0 is 1/a."""
    a, b = (mg.tensor(np.array(v), requires_grad=True) for v in (2.0, 0.0))
    (da,) = mg.grad(a**b, a, create_graph=True)
    assert da.item() == 0.0
    assert mg.grad(da, b)[0].item() == 0.5
    gradcheck(mg.power, np.array([2.0, 0.5]), np.array([0.0, 0.0]), order=3)


def test_power_with_base_0_or_negative_in_the_exponent():
    b = mg.tensor(np.array([2.0, 0.5]), requires_grad=True)
    assert mg.grad((0.0**b).sum(), b)[0].tolist() == [0.0, 0.0]
    assert mg.grad((mg.tensor(np.zeros(2)) ** b).sum(), b)[0].tolist() == [0.0, 0.0]
    b = mg.tensor(2.0, requires_grad=True)
    y = (-2.0) ** b
    assert y.item() == 4.0 and math.isnan(mg.grad(y, b)[0].item())


def test_where_hides_the_branch_that_was_not_taken():
    x = mg.tensor(np.array([0.0, 4.0]), requires_grad=True)
    safe = mg.where(x.data > 0, x, 1.0)
    (g,) = mg.grad(mg.where(x.data > 0, mg.sqrt(safe), 0.0).sum(), x)
    assert g.tolist() == [0.0, 0.25]


# ------------------------------------------------------------------------------------------------------- dtypes ---


@pytest.mark.parametrize("scalar", [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(2)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_scalars_never_change_a_dtype(scalar, dtype, shape):
    x = mg.tensor(np.full(shape, 1.5), dtype=dtype, requires_grad=True)
    for f in (
        operator.add,
        operator.sub,
        operator.mul,
        operator.truediv,
        operator.pow,
        mg.maximum,
        mg.minimum,
        mg.logaddexp,
        lambda a, b: mg.where(True, a, b),
    ):
        for y in (f(x, scalar), f(scalar, x)):
            assert y.dtype == x.dtype
            assert mg.grad(y.sum(), x, allow_unused=True)[0].dtype == x.dtype
    assert mg.clip(x, scalar).dtype == mg.clip(x, max=scalar).dtype == x.dtype


def test_where_of_two_numbers_is_float32_and_of_a_0d_float64_array_is_not():
    assert mg.where(np.array([True, False]), 1.0, 0).dtype == np.float32
    assert mg.where(np.array([True]), mg.tensor(np.ones(())), 0).dtype == np.float64
    x = mg.tensor(np.array(-1.615), requires_grad=True)  # 0-d float64: the rule of elu is computed with NumPy numbers
    np.testing.assert_allclose(mg.grad(mg.elu(x), x)[0].item(), math.exp(-1.615), rtol=1e-15)


def test_array_on_the_left_gives_a_tensor(rng):
    a = rng.normal(size=(2, 3))
    x = mg.tensor(a, requires_grad=True)
    for f in (operator.add, operator.sub, operator.mul, operator.truediv, operator.matmul):
        left = a.T if f is operator.matmul else a
        y = f(left, x)
        assert isinstance(y, mg.Tensor) and y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), f(left, a))
