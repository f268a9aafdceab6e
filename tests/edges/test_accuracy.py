"""Digits: every elementwise op and its slope over forty powers of ten, sums and losses at large numbers.

The right values are closed forms in long double, chosen so that nothing cancels; float32 to 1e-5, float64 to 1e-12.
"""

import math

import numpy as np
import pytest

import minigan as mg
from minigan.nn import functional as F

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
SIZES = [
    1e-30,
    1e-20,
    1e-10,
    1e-5,
    1e-3,
    0.1,
    0.5,
    0.7,
    1.0,
    1.5,
    3.0,
    5.0,
    8.0,
    10.0,
    17.0,
    18.0,
    20.0,
    50.0,
    80.0,
    100.0,
    500.0,
    1e3,
    1e4,
    1e6,
    1e8,
]
BOTH = [-s for s in SIZES[::-1]] + SIZES
UNIT = [x for x in BOTH if abs(x) < 1] + [0.9999999, -0.9999999]
L = np.longdouble
ONE = L(1)


def s(x):
    """sigmoid, for either sign without cancelling."""
    e = np.exp(-abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def phi(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * L(np.pi))


def cdf(x):
    return np.array([math.erfc(-float(v) / math.sqrt(2)) / 2 for v in x], L)


erf = np.vectorize(lambda v: L(math.erf(float(v))), otypes=[L])
U = 2 * np.sqrt(2 / L(np.pi))  # gelu by tanh is x s(U (x + 0.044715 x^3))
cubic = lambda x: U * (x + L(0.044715) * x**3)

# op: (call, value, slope, where)
ELEMENTWISE = {
    "negative": (np.negative, lambda x: -ONE + 0 * x, BOTH),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2, BOTH),
    "square": (lambda x: x * x, lambda x: 2 * x, BOTH),
    "sqrt": (np.sqrt, lambda x: 1 / (2 * np.sqrt(x)), SIZES),
    "exp": (np.exp, np.exp, BOTH),
    "expm1": (np.expm1, np.exp, BOTH),
    "log": (np.log, lambda x: 1 / x, SIZES),
    "log1p": (np.log1p, lambda x: 1 / (1 + x), [*SIZES, *UNIT]),
    "sin": (np.sin, np.cos, BOTH),
    "cos": (np.cos, lambda x: -np.sin(x), BOTH),
    "tan": (np.tan, lambda x: 1 / np.cos(x) ** 2, BOTH),
    "arcsin": (np.arcsin, lambda x: 1 / np.sqrt((1 - x) * (1 + x)), UNIT),
    "arccos": (np.arccos, lambda x: -1 / np.sqrt((1 - x) * (1 + x)), UNIT),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x), BOTH),
    "sinh": (np.sinh, np.cosh, BOTH),
    "cosh": (np.cosh, np.sinh, BOTH),
    "tanh": (np.tanh, lambda x: 4 * s(2 * x) * s(-2 * x), BOTH),
    "sign": (np.sign, lambda x: 0 * x, BOTH),
    "floor": (np.floor, lambda x: 0 * x, BOTH),
    "ceil": (np.ceil, lambda x: 0 * x, BOTH),
    "trunc": (np.trunc, lambda x: 0 * x, BOTH),
    "log2": (np.log2, lambda x: 1 / (x * np.log(L(2))), SIZES),
    "log10": (np.log10, lambda x: 1 / (x * np.log(L(10))), SIZES),
    "round": (np.round, lambda x: 0 * x, BOTH),
    "round_straight_through": (np.round, lambda x: ONE + 0 * x, BOTH),
    "abs": (np.abs, np.sign, BOTH),
    "relu": (lambda x: np.maximum(x, 0), lambda x: ONE * (x > 0), BOTH),
    "leaky_relu": (lambda x: np.where(x > 0, x, L(0.01) * x), lambda x: np.where(x > 0, ONE, L(0.01)), BOTH),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, ONE, np.exp(x)), BOTH),
    "clip": (lambda x: np.clip(x, -1, 1), lambda x: ONE * (abs(x) <= 1), BOTH),
    "sigmoid": (s, lambda x: s(x) * s(-x), BOTH),
    "softplus": (lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x))), s, BOTH),
    "logsigmoid": (lambda x: np.minimum(x, 0) - np.log1p(np.exp(-abs(x))), lambda x: s(-x), BOTH),
    "silu": (lambda x: x * s(x), lambda x: s(x) * (1 + x * s(-x)), BOTH),
    "erf": (erf, lambda x: 2 / np.sqrt(L(np.pi)) * np.exp(-x * x), BOTH),
    "gelu": (lambda x: x * cdf(x), lambda x: cdf(x) + x * phi(x), BOTH),
    "gelu_tanh": (
        lambda x: x * s(cubic(x)),
        lambda x: s(cubic(x)) * (1 + x * s(-cubic(x)) * U * (1 + 3 * L(0.044715) * x * x)),
        BOTH,
    ),
}
CALLS = {"clip": lambda x: mg.clip(x, -1, 1), "logsigmoid": F.logsigmoid, "gelu_tanh": lambda x: mg.gelu(x, "tanh")}


def check(name, found, exact, dtype, terms=None):
    """Within the tolerance, relative to the exact value (or to its terms), wherever that is a normal number of the dtype."""
    limits, found = np.finfo(dtype), np.asarray(found).astype(L)
    size = np.abs(exact) if terms is None else terms
    normal = (size > limits.tiny) & (size < limits.max) & np.isfinite(exact)
    assert normal.any() or not exact.any()
    error = np.where(normal, np.abs(found - exact) / np.where(normal, size, 1), 0)
    worst = int(np.argmax(error))
    assert error.max(initial=0) <= TOLERANCE[dtype], (
        f"{name}: {found.ravel()[worst]} instead of {exact.ravel()[worst]} at place {worst}"
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_value_and_slope_from_1e_minus_30_to_1e8(name, dtype):
    value, slope, where = ELEMENTWISE[name]
    x = mg.tensor(np.array(where), dtype=dtype, requires_grad=True)
    y = CALLS.get(name, getattr(mg, name, None))(x)
    (g,) = mg.grad(y, x, mg.ones(x.shape, dtype))
    with np.errstate(all="ignore"):
        exact = x.detach().numpy().astype(L)
        check(name, y.detach().numpy(), value(exact), dtype)
        check(f"{name}'s slope", g.numpy(), slope(exact), dtype)


def test_every_elementwise_op_of_one_input_is_in_the_table_above():
    from minigan.ops import elementwise

    ops = {
        name for name, f in vars(elementwise).items() if name in mg.__all__ and getattr(f, "op", None) and f.op.count == 1
    } | {"silu", "gelu", "clip"}
    assert ops <= set(ELEMENTWISE)


PAIRS = [(a, b) for a in BOTH[::3] for b in BOTH[1::3]] + [(v, v) for v in BOTH]
BINARY = {  # value, slopes, terms
    "add": (lambda a, b: a + b, lambda a, b: (ONE + 0 * a, ONE + 0 * a), lambda a, b: abs(a) + abs(b)),
    "subtract": (lambda a, b: a - b, lambda a, b: (ONE + 0 * a, -ONE + 0 * a), lambda a, b: abs(a) + abs(b)),
    "multiply": (lambda a, b: a * b, lambda a, b: (b, a), None),
    "divide": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2), None),
    "maximum": (np.maximum, lambda a, b: ((a > b) + (a == b) / 2 * ONE, (b > a) + (a == b) / 2 * ONE), None),
    "minimum": (np.minimum, lambda a, b: ((a < b) + (a == b) / 2 * ONE, (b < a) + (a == b) / 2 * ONE), None),
    "logaddexp": (np.logaddexp, lambda a, b: (s(a - b), s(b - a)), None),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_two_inputs_of_any_size(name, dtype):
    value, slopes, terms = BINARY[name]
    a, b = (mg.tensor(np.array(v), dtype=dtype, requires_grad=True) for v in zip(*PAIRS))
    y = getattr(mg, name)(a, b)
    with np.errstate(all="ignore"):
        exact = a.detach().numpy().astype(L), b.detach().numpy().astype(L)
        check(name, y.detach().numpy(), value(*exact), dtype, terms and terms(*exact))
        for g, right in zip(mg.grad(y.sum(), [a, b]), slopes(*exact)):
            check(f"{name}'s slope", g.numpy(), right, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_power_of_any_size(dtype):
    bases, exponents = np.meshgrid(
        [1e-30, 1e-5, 0.5, 0.999, 1.0, 1.001, 3.0, 1e4, 1e8], [-2.0, -0.5, -1e-10, 1e-30, 0.3, 1.0, 2.0, 3.0]
    )
    a, b = (mg.tensor(v.ravel(), dtype=dtype, requires_grad=True) for v in (bases, exponents))
    with np.errstate(all="ignore"):
        y = mg.power(a, b)
        da, db = mg.grad(y.sum(), [a, b])
        p, q = a.detach().numpy().astype(L), b.detach().numpy().astype(L)
        check("power", y.detach().numpy(), p**q, dtype)
        check("power's slope", da.numpy(), q * p ** (q - 1), dtype)
        check("power's slope", db.numpy(), p**q * np.log(p), dtype)


# --------------------------------------------------------------------------------------------- reductions, losses ---

ROWS = np.array(
    [
        [1e8, 1e8, 1e8],
        [1e6, 1e6 + 1, 1e6 - 1],
        [-1e8, -1e8, -1e8],
        [0.0, -1e8, 1e8],
        [1e-30, -1e-30, 0.0],
        [80.0, -80.0, 3.0],
        [1e4, 1e4 + 0.25, 1e4 - 30],
    ]
)


def log_softmax(x):
    z = x - x.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_softmax_and_its_logarithm_at_large_logits(dtype):
    x, w = mg.tensor(ROWS, dtype=dtype, requires_grad=True), np.array([1.0, 2.0, -1.0], dtype)
    exact = x.detach().numpy().astype(L)
    log_p, top = log_softmax(exact), exact.max(1)
    p = np.exp(log_p)
    check("softmax", mg.softmax(x, 1).detach().numpy(), p, dtype)
    check("log_softmax", mg.log_softmax(x, 1).detach().numpy(), log_p, dtype, abs(log_p).max(1)[:, None] + 0 * p)
    check("logsumexp", mg.logsumexp(x, 1).detach().numpy(), top + np.log(np.exp(exact - top[:, None]).sum(1)), dtype)
    check("logsumexp's slope", mg.grad(mg.logsumexp(x, 1).sum(), x)[0].numpy(), p, dtype)
    check("all of logsumexp's slope", mg.grad(mg.logsumexp(x[:2]), x)[0].numpy()[:1], np.full((1, 3), ONE / 3), dtype)
    (g,) = mg.grad((mg.log_softmax(x, 1) * mg.tensor(w)).sum(), x)
    check("log_softmax's slope", g.numpy(), w - 2 * p, dtype, abs(w) + 2 * p)
    labels = np.array([0, 0, 1, 2, 0, 1, 2])
    losses = F.cross_entropy(x, labels, reduction="none")
    check("cross_entropy", losses.detach().numpy(), -log_softmax(exact)[range(7), labels], dtype)
    check("its slope", mg.grad(losses.sum(), x)[0].numpy(), p - np.eye(3)[labels], dtype, p + np.eye(3)[labels])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_losses_of_yes_and_no(dtype):
    a = mg.tensor(np.array(BOTH), dtype=dtype, requires_grad=True)
    exact = a.detach().numpy().astype(L)
    with np.errstate(all="ignore"):
        for t, value, slope in (
            (1.0, lambda x: np.maximum(-x, 0) + np.log1p(np.exp(-abs(x))), lambda x: -s(-x)),
            (0.0, lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x))), s),
        ):
            loss = F.binary_cross_entropy_with_logits(a, mg.ones(a.shape, dtype) * t, reduction="none")
            check("with logits", loss.detach().numpy(), value(exact), dtype)
            check("its slope", mg.grad(loss.sum(), a)[0].numpy(), slope(exact), dtype)
    p = mg.tensor(np.array([1e-30, 1e-20, 1e-9, 1e-4, 0.5, 0.9]), dtype=dtype, requires_grad=True)
    exact = p.detach().numpy().astype(L)
    check(
        "of probabilities, t 0",
        F.binary_cross_entropy(p, mg.zeros(p.shape, dtype), reduction="none").detach().numpy(),
        -np.log1p(-exact),
        dtype,
    )
    check(
        "of probabilities, t 1",
        F.binary_cross_entropy(p, mg.ones(p.shape, dtype), reduction="none").detach().numpy(),
        -np.log(exact),
        dtype,
    )


def test_sigmoid_and_bce_give_a_generator_its_gradient():
    """log D(G(z)) where D is sure: D's sigmoid was 0 from -18 on in float32, and G learned nothing."""
    for x in (-20.0, -25.0):
        a = mg.tensor([x], requires_grad=True)
        loss = F.binary_cross_entropy(mg.sigmoid(a), mg.ones(1))
        assert loss.item() == pytest.approx(-x, rel=1e-6) and mg.grad(loss, a)[0].item() == pytest.approx(-1, rel=1e-5)
        a = mg.tensor([x], requires_grad=True)
        loss = -mg.log(mg.sigmoid(a)).sum()
        assert loss.item() == pytest.approx(-x, rel=1e-6) and mg.grad(loss, a)[0].item() == pytest.approx(-1, rel=1e-5)
    assert mg.sigmoid(mg.tensor([-80.0])).item() == pytest.approx(1.8048513878454153e-35, rel=1e-5)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e-3, 1e8, 1e18, 1e30])
def test_lengths_of_any_size(size, dtype, rng):
    x = mg.tensor(rng.normal(size=(4, 5)) * size, dtype=dtype, requires_grad=True)
    exact = x.detach().numpy().astype(L)
    length = np.sqrt((exact * exact).sum(1))
    check("norm", mg.norm(x, 1).detach().numpy(), length, dtype)
    check("norm", mg.norm(x).detach().numpy(), np.sqrt((exact * exact).sum()), dtype)
    check("norm's slope", mg.grad(mg.norm(x, 1).sum(), x)[0].numpy(), exact / length[:, None], dtype)
    centered = exact - exact.mean(1)[:, None]
    check("std", mg.std(x, 1).detach().numpy(), np.sqrt((centered**2).sum(1) / 5), dtype)
    for name in ("sum", "mean"):
        check(name, getattr(mg, name)(x, 1).detach().numpy(), getattr(exact, name)(1), dtype, abs(exact).sum(1))


def test_a_length_with_zeros_infinities_and_nan():
    x = np.array([[0.0, 0.0], [1e-30, 0.0], [np.inf, 1.0], [np.nan, 1.0], [1e30, np.inf], [3.0, 4.0]], np.float32)
    np.testing.assert_allclose(mg.norm(x, 1), [0, 1e-30, np.inf, np.nan, np.inf, 5], rtol=1e-6)
    np.testing.assert_allclose(mg.norm(x[:2]), 1e-30, rtol=1e-6)
    assert mg.norm(np.zeros((0, 3)), 1).shape == (0,) and mg.norm(np.zeros((3, 0)), 1).tolist() == [0.0] * 3
