"""Elementwise ops: a table of functions and their derivatives.

Every row is `name = elementwise(what it computes, forward, rule per input)`.  In a rule, g is the gradient that arrives
at y, and the rule returns the gradient for the input: for y = f(x), g * f'(x).  Binary ops broadcast as NumPy's do, and the
engine sums their gradients back to the inputs' shapes.  Inputs are floats of any shape, and the result has their dtype; a
Python number goes with any dtype.  Two different dtypes raise DTypeError; shapes that do not broadcast raise ShapeError.

If a function has no derivative at a point, its row says what we use instead, and tests check it: sign, relu and abs have 0 at
0; ties of maximum and minimum share the gradient evenly; clip has 1 on its bounds; sqrt is infinite at 0; power is right at 0.

The rules follow two habits.  A slope is computed from x if its formula in y would subtract nearly equal numbers, as in
1 - tanh(9)^2.  And a rule selects with `kept` instead of multiplying by 0 and 1: where nothing flows, the gradient is 0 for
every g, but inf * 0 would be NaN.  docs/edges.md says what holds at special points.
"""

import math
import operator
from typing import Any

import numpy as np

from minigan.autograd import fused, primitive
from minigan.backend import beside, constant, is_array, kept_beside, xp
from minigan.errors import ConfigError, DTypeError, ShapeError, broadcast_advice
from minigan.kernels import dispatch
from minigan.kernels.cpu.activation import gelu_gradient, normal_cdf
from minigan.tensor import Differentiable, Function, P, Tensor, plain


def elementwise(doc, forward: Function[P], *rules, name, **options) -> Differentiable[P]:
    """A primitive with its name and docstring; ops of two or more inputs broadcast."""
    forward.__doc__ = doc
    return primitive(forward, *rules, name=name, broadcasts=len(rules) > 1, **options)


# A table of functions and their derivatives, so the formatter leaves it alone.
# fmt: off
# ------------------------------------------------------------------------------------------------- arithmetic --- #

add = elementwise(
    "y = a + b.   dy/da = 1, dy/db = 1.",
    lambda a, b: a + b,
    lambda g, y, a, b: g,
    lambda g, y, a, b: g,
    name="add", saves="neither")
subtract = elementwise(
    "y = a - b.   dy/da = 1, dy/db = -1.",
    lambda a, b: a - b,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g,
    name="subtract", saves="neither")
multiply = elementwise(
    "y = a b.   dy/da = b, dy/db = a.",
    lambda a, b: a * b,
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a,
    name="multiply", saves="inputs")
divide = elementwise(
    "y = a / b.   dy/da = 1 / b, dy/db = -y / b.",
    lambda a, b: a / b,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -(g * y / b),
    name="divide")
negative = elementwise("y = -x.   dy/dx = -1.", lambda x: -x, lambda g, y, x: -g, name="negative", saves="neither")


kept = primitive(lambda g, mask: dispatch.kept(g, mask), lambda h, y, g, mask: kept(h, mask), name="kept", saves="neither")


def nowhere(mask) -> bool:
    """True if a mask on the CPU is false everywhere.  False on a GPU, where reading the mask would cost a wait, and for what
    stands for an array while a step is recorded (capture/)."""
    return issubclass(type(mask), (np.ndarray, np.generic)) and not mask.any()


def _d_base(g, y, a, b):
    """b a^(b-1); 0 at a = b = 0, where 0 * 0^-1 would be NaN."""
    if not hasattr(b, "shape"):
        return None if b == 0 else g * (b * a ** (b - 1))
    both = (plain(a) == 0) & (plain(b) == 0)
    return g * (b * a ** (b - 1 if nowhere(both) else where(both, 1.0, b - 1)))


def _d_exponent(g, y, a, b):
    """a^b log a; 0 at a = 0 if b >= 0, because y log a would be 0 * -inf; NaN for a < 0, where nearby powers are not real."""
    flat = (plain(a) == 0) & (plain(b) >= 0)
    if hasattr(a, "shape"):
        if nowhere(flat):
            return g * (y * log(a))
        slope = log(where(flat, 1.0, a))
    elif a == 0:
        slope = xp(flat).where(flat, 0.0, -math.inf).astype(y.dtype)
    else:
        slope = math.log(a) if a > 0 else math.nan
    return kept(g * (y * slope), ~flat)


power = elementwise(
    "y = a^b.   dy/da = b a^(b-1), which is 0 for b = 0;   dy/db = a^b log a, taken as 0 at a = 0, b >= 0.",
    lambda a, b: a**b,
    _d_base,
    _d_exponent,
    name="power")
reciprocal = elementwise(
    "y = 1 / x.   dy/dx = -1 / x^2 = -y^2.", lambda x: 1 / x, lambda g, y, x: -(g * y * y),
    name="reciprocal", saves="output")
square = elementwise(
    "y = x^2.   dy/dx = 2 x.", lambda x: x * x, lambda g, y, x: g * (2 * x), name="square", saves="inputs")
sqrt = elementwise(
    "y = x^(1/2).   dy/dx = 1 / (2 y), infinite at 0 (the derivative of mg.norm is 0 there).",
    lambda x: xp(x).sqrt(x), lambda g, y, x: g / (2 * y), name="sqrt", saves="output")

# --------------------------------------------------------------------------------------- exponentials, logarithms --- #

exp = elementwise("y = e^x.   dy/dx = y.", lambda x: xp(x).exp(x), lambda g, y, x: g * y, name="exp", saves="output")
expm1 = elementwise(
    "y = e^x - 1, exact for small x.   dy/dx = e^x.",
    lambda x: xp(x).expm1(x), lambda g, y, x: g * exp(x), name="expm1", saves="inputs")
log = elementwise(
    "y = ln x.   dy/dx = 1 / x.", lambda x: xp(x).log(x), lambda g, y, x: g / x, name="log", saves="inputs")
log1p = elementwise(
    "y = ln(1 + x), exact for small x.   dy/dx = 1 / (1 + x).",
    lambda x: xp(x).log1p(x), lambda g, y, x: g / (1 + x), name="log1p", saves="inputs")
log2 = elementwise(
    "y = log_2 x.   dy/dx = 1 / (x ln 2).",
    lambda x: xp(x).log2(x), lambda g, y, x: g / (x * math.log(2)), name="log2", saves="inputs")
log10 = elementwise(
    "y = log_10 x.   dy/dx = 1 / (x ln 10).",
    lambda x: xp(x).log10(x), lambda g, y, x: g / (x * math.log(10)), name="log10", saves="inputs")
logaddexp = elementwise(
    "y = ln(e^a + e^b), without overflow.   dy/da = sigmoid(a-b), dy/db = sigmoid(b-a); NaN where both are inf.",
    lambda a, b: xp(a, b).logaddexp(a, b),
    lambda g, y, a, b: g * sigmoid(a - b),
    lambda g, y, a, b: g * sigmoid(b - a),
    name="logaddexp", saves="inputs")

# --------------------------------------------------------------------------------------------- division with rest --- #

floor_divide = elementwise(
    "y = floor(a / b).   dy/da = dy/db = 0.",
    lambda a, b: a // b, lambda g, y, a, b: None, lambda g, y, a, b: None, name="floor_divide", saves="neither")
remainder = elementwise(
    "y = a - b floor(a / b), which has the sign of b.   dy/da = 1, dy/db = -floor(a / b).",
    lambda a, b: a % b,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -(g * (plain(a) // plain(b))),
    name="remainder", saves="inputs")

fmod = elementwise(
    "y = a - b trunc(a / b), which has the sign of a.   dy/da = 1, dy/db = -trunc(a / b).",
    lambda a, b: xp(a, b).fmod(a, b),
    lambda g, y, a, b: g,
    lambda g, y, a, b: -(g * xp(g).trunc(plain(a) / plain(b))),
    name="fmod", saves="inputs")

# ------------------------------------------------------------------------------------------------- trigonometry --- #

sin = elementwise(
    "y = sin x, x in radians.   dy/dx = cos x.", lambda x: xp(x).sin(x), lambda g, y, x: g * cos(x),
    name="sin", saves="inputs")
cos = elementwise(
    "y = cos x, x in radians.   dy/dx = -sin x.", lambda x: xp(x).cos(x), lambda g, y, x: -(g * sin(x)),
    name="cos", saves="inputs")
tan = elementwise(
    "y = tan x, x in radians.   dy/dx = 1 + y^2.", lambda x: xp(x).tan(x), lambda g, y, x: g * (1 + y * y),
    name="tan", saves="output")
_leg = elementwise(  # the leg of a right triangle with hypotenuse 1
    "y = sqrt(1 - x^2), from (1 - x)(1 + x), which is exact where x is nearly 1.   dy/dx = -x / y.",
    lambda x: xp(x).sqrt((1 - x) * (1 + x)), lambda g, y, x: -(g * x / y), name="leg")
arcsin = elementwise(
    "y = arcsin x in radians, x in [-1, 1].   dy/dx = 1 / sqrt(1 - x^2).",
    lambda x: xp(x).arcsin(x), lambda g, y, x: g / _leg(x), name="arcsin", saves="inputs")
arccos = elementwise(
    "y = arccos x in radians, x in [-1, 1].   dy/dx = -1 / sqrt(1 - x^2).",
    lambda x: xp(x).arccos(x), lambda g, y, x: -(g / _leg(x)), name="arccos", saves="inputs")
arctan = elementwise(
    "y = arctan x in radians.   dy/dx = 1 / (1 + x^2).",
    lambda x: xp(x).arctan(x), lambda g, y, x: g / (1 + x * x), name="arctan", saves="inputs")
hypot = elementwise(
    "y = sqrt(a^2 + b^2), without overflow.   dy/da = a / y, dy/db = b / y, both 0 at a = b = 0.",
    lambda a, b: xp(a, b).hypot(a, b),
    lambda g, y, a, b: _of_length(g, a, y),
    lambda g, y, a, b: _of_length(g, b, y),
    name="hypot")
arctan2 = elementwise(
    "y = the angle of (b, a) in radians, in (-pi, pi].   dy/da = b / r^2, dy/db = -a / r^2, r = hypot(a, b); 0 at r = 0.",
    lambda a, b: xp(a, b).arctan2(a, b),
    lambda g, y, a, b: _of_length(_of_length(g, b, hypot(a, b)), 1.0, hypot(a, b)),
    lambda g, y, a, b: -_of_length(_of_length(g, a, hypot(a, b)), 1.0, hypot(a, b)),
    name="arctan2", saves="inputs")


def _of_length(g, x, length):
    """g x / length, and 0 where the length is 0."""
    zero = plain(length) == 0
    return kept(g * (x / where(zero, 1.0, length)), ~zero)


sinh = elementwise(
    "y = (e^x - e^-x) / 2.   dy/dx = cosh x.", lambda x: xp(x).sinh(x), lambda g, y, x: g * cosh(x),
    name="sinh", saves="inputs")
cosh = elementwise(
    "y = (e^x + e^-x) / 2.   dy/dx = sinh x.", lambda x: xp(x).cosh(x), lambda g, y, x: g * sinh(x),
    name="cosh", saves="inputs")
_bell = primitive(  # g times the slope of sigmoid (k = 1) or tanh (k = 2); its slope is -k tanh(k x / 2) times itself
    lambda g, x, k, out: dispatch.bell(g, x, k, out),
    lambda h, y, g, x, k, out: _bell(h, x, k, out),
    lambda h, y, g, x, k, out: h * _bell(g, x, k, out) * (-k * tanh(x * (k / 2))),
    name="bell", saves="inputs")
tanh = elementwise(
    "y = tanh x.   dy/dx = 1 / cosh^2 x, which is 1 - y^2.", lambda x: xp(x).tanh(x), lambda g, y, x: _bell(g, x, 2, None),
    name="tanh", saves="inputs")

# ---------------------------------------------------------------------------------- choices: piecewise functions --- #


def _won(g, loses, a, b):
    """a's share of the gradient of maximum or minimum: none where a loses against b, half of it in a tie, else all of it."""
    a, b = plain(a), plain(b)
    ties = a == b
    g = kept(g, ~loses(a, b))
    if nowhere(ties):
        return g
    return g * (1 - ties.astype(g.dtype) / 2)


def _clipped(x, min, max):
    y = x if min is None else xp(x, min).maximum(x, min)
    y = y if max is None else xp(y, max).minimum(y, max)
    return y.copy() if y is x else y


def _inside(x, min, max):
    x, min, max = plain(x), plain(min), plain(max)
    above = xp(x).ones(x.shape, bool) if min is None else x >= min
    return above if max is None else above & (x <= max)


def _below(x, min, max):
    x, min, max = plain(x), plain(min), plain(max)
    return x < min if max is None else (x < min) & (min < max)


def _above(x, min, max):
    x, min, max = plain(x), plain(min), plain(max)
    return x > max if min is None else (x > max) | (max < min)


_clip = elementwise(
    None, _clipped,
    lambda g, y, x, min, max: kept(g, _inside(x, min, max)),
    lambda g, y, x, min, max: kept(g, _below(x, min, max)),
    lambda g, y, x, min, max: kept(g, _above(x, min, max)),
    name="clip", saves="inputs")


def clip(x, min=None, max=None):
    """y = x held between min and max (None: no bound).   dy/dx = 1 inside and on the bounds, 0 outside.

    min, max: numbers, or arrays and Tensors that broadcast against x.  A bound gets the gradient where y is the bound and x is
    not.  If min > max, y is max everywhere, as in NumPy; the gradients are those of torch.clamp.

    >>> mg.clip([-2.0, 0.5, 3.0], 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    return _clip(x, _bound(min, x), _bound(max, x))


def _bound(bound, x):
    # constant() converts a NumPy number, which would make float64 of float32.
    return bound if isinstance(bound, Tensor) or is_array(bound) else constant(bound, (x,))


sign = elementwise(
    "y = -1, 0 or 1.   dy/dx = 0.", lambda x: xp(x).sign(x), lambda g, y, x: None, name="sign", saves="neither")
floor = elementwise(
    "y = the greatest integer <= x, as a float.   dy/dx = 0.",
    lambda x: xp(x).floor(x), lambda g, y, x: None, name="floor", saves="neither")

ceil = elementwise(
    "y = the least integer >= x, as a float.   dy/dx = 0.",
    lambda x: xp(x).ceil(x), lambda g, y, x: None, name="ceil", saves="neither")
trunc = elementwise(
    "y = x without its digits after the point.   dy/dx = 0.",
    lambda x: xp(x).trunc(x), lambda g, y, x: None, name="trunc", saves="neither")


def _round(x, decimals=0):
    """y = the nearest multiple of 10^-decimals (halves to even).   dy/dx = 0; see round_straight_through."""
    if not isinstance(decimals, (int, np.integer)):
        raise DTypeError(f"round: decimals must be an int, got {type(decimals).__name__}")
    return xp(x).round(x, int(decimals))


round = elementwise(_round.__doc__, _round, lambda g, y, x, decimals=0: None, name="round", saves="neither")
round_straight_through = elementwise(
    """y = the nearest integer, as a float.   dy/dx is *taken* as 1 although it is 0, so that a network can train
    through a quantiser: the straight-through estimator (Bengio, Leonard and Courville 2013, arXiv:1308.3432).
    gradcheck rightly calls it wrong.""",
    lambda x: xp(x).round(x), lambda g, y, x: g, name="round_straight_through", saves="neither")
abs = elementwise(
    "y = |x|.   dy/dx = sign x, 0 at 0.", lambda x: xp(x).abs(x), lambda g, y, x: kept(g * sign(plain(x)), plain(x) != 0),
    name="abs", saves="inputs")
maximum = elementwise(
    "y = the larger of a and b.   The gradient goes to the larger; a tie shares it evenly; beside NaN both get all of it.",
    lambda a, b: xp(a, b).maximum(a, b),
    lambda g, y, a, b: _won(g, operator.lt, a, b),
    lambda g, y, a, b: _won(g, operator.lt, b, a),
    name="maximum", saves="inputs")
minimum = elementwise(
    "y = the smaller of a and b.   The gradient goes to the smaller; a tie shares it evenly; beside NaN both get all of it.",
    lambda a, b: xp(a, b).minimum(a, b),
    lambda g, y, a, b: _won(g, operator.gt, a, b),
    lambda g, y, a, b: _won(g, operator.gt, b, a),
    name="minimum", saves="inputs")
_where = elementwise(
    None,
    lambda a, b, condition: xp(condition, a, b).where(condition, a, b),
    lambda g, y, a, b, condition: kept(g, condition),
    lambda g, y, a, b, condition: kept(g, ~condition),
    name="where", saves="neither")


def where(condition, a, b) -> Tensor:
    """y = a where condition is true, else b; the three broadcast.   The gradient goes to the one that was taken.

    condition: a boolean array or Tensor; it is never differentiated.

    >>> mg.where([True, False], [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """
    condition = plain(condition)
    given = is_array(condition)
    condition = (condition if given else np.asarray(condition)).astype(bool, copy=False)
    like = next((plain(x) for x in (a, b) if is_array(plain(x))), condition)
    if not isinstance(like, np.ndarray) and is_array(like):  # upload a condition: an array at every call, a list only once
        condition = beside(condition, like) if given else kept_beside(condition, like)
    if not hasattr(a, "dtype") and not hasattr(b, "dtype"):  # two Python numbers give float32, as everywhere
        a = np.float32(a)
    try:
        return _where(a, b, condition)
    except ValueError:  # from NumPy, or from the engine, which names only a and b
        raise ShapeError(broadcast_advice("where", [np.shape(condition), np.shape(a), np.shape(b)])) from None


# ---------------------------------------------------------------------------------------------------- activations --- #


sigmoid = elementwise(
    "y = 1 / (1 + e^-x).   dy/dx = y (1 - y), computed as e / (1 + e)^2 with e = e^-|x|.",
    lambda x: dispatch.sigmoid(x), lambda g, y, x: _bell(g, x, 1, plain(y)), name="sigmoid")
softplus = elementwise(
    """y = ln(1 + e^x), computed as max(x, 0) + log1p(e^-|x|).   dy/dx = sigmoid(x).
    It is 4e-18 at x = -40 and 1000 at x = 1000, where the formula ln(1 + e^x) gives 0 and inf.""",
    lambda x: dispatch.softplus(x), lambda g, y, x: g * sigmoid(x), name="softplus", saves="inputs")


def _sloped(g, x, slope):
    """g where x > 0, else slope g: the derivative of relu (slope 0) and leaky_relu times g, in one pass."""
    return dispatch.leaky_relu_gradient(g, x, slope)


_sloped = primitive(_sloped, lambda h, y, g, x, slope: _sloped(h, x, slope), lambda h, y, g, x, slope: None,
                    name="relu_gradient", saves="inputs")
relu = elementwise(
    "y = max(x, 0).   dy/dx = 1 where x > 0, else 0 (0 at 0).",
    lambda x: dispatch.leaky_relu(x, 0.0) if is_array(x) and x.dtype.kind == "f" else xp(x).maximum(x, 0),
    lambda g, y, x: _sloped(g, plain(y), 0.0), name="relu", saves="output")


def _leaky_relu(x, negative_slope=0.01):
    """y = x where x > 0, else negative_slope x.   dy/dx = 1 where x > 0, else negative_slope (also at 0).

    Maas, Hannun and Ng 2013.  torch.nn.functional.leaky_relu.
    """
    m = xp(x)
    if not 0 <= negative_slope <= 1:
        return m.where(x > 0, x, negative_slope * x)
    if not is_array(x) or x.dtype.kind != "f":
        return m.maximum(x, negative_slope * x)  # 20 times faster than a choice by `where`
    return dispatch.leaky_relu(x, negative_slope)


leaky_relu = elementwise(
    _leaky_relu.__doc__, _leaky_relu, lambda g, y, x, negative_slope=0.01: _sloped(g, plain(x), negative_slope),
    name="leaky_relu", saves="inputs")


def _elu(x, alpha=1.0):
    """y = x where x > 0, else alpha (e^x - 1).   dy/dx = 1 where x > 0, else alpha e^x.   Clevert et al. 2016."""
    return xp(x).where(x > 0, x, alpha * xp(x).expm1(xp(x).minimum(x, 0)))


def _d_elu(x, below, alpha):
    slope = exp(kept(x, below))
    return slope if alpha == 1 else slope * (1 + (alpha - 1) * below.astype(x.dtype))


elu = elementwise(
    _elu.__doc__, _elu,
    lambda g, y, x, alpha=1.0: g * _d_elu(x, ~(plain(x) > 0), alpha), name="elu", saves="inputs")


def lerp(a, b, weight) -> Tensor:
    """y = a + weight (b - a), exactly a at weight 0 and b at weight 1.   dy/da = 1 - weight, dy/db = weight.

    weight: a number, or an array that broadcasts.   torch.lerp.

    >>> float(mg.lerp(mg.tensor(1.0), mg.tensor(3.0), 0.25))
    1.5
    """
    near_b = plain(weight) > 0.5
    if not hasattr(near_b, "shape"):
        return b - (1 - weight) * (b - a) if near_b else a + weight * (b - a)
    return where(near_b, b - (1 - weight) * (b - a), a + weight * (b - a))


def silu(x) -> Tensor:
    """y = x sigmoid(x), also called swish.   dy/dx = s + y (1 - s) with s = sigmoid(x).   Elfwing et al. 2018."""
    return x * sigmoid(x)


def gelu(x, approximate="none") -> Tensor:
    """y = x Phi(x), where Phi(x) = (1 + erf(x / sqrt 2)) / 2 is the distribution function of the normal distribution.

    Hendrycks and Gimpel 2016.   torch.nn.functional.gelu.

    approximate="tanh": y = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, within 5e-4 of it.
    """
    if approximate == "tanh":
        return x * sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * (x * x * x)))  # (1 + tanh u) / 2 = sigmoid(2 u)
    if approximate != "none":
        raise ConfigError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return _gelu(x)


# Rational approximations of erf on |x| <= 0.46875 and of erfc on (0.46875, 4] and beyond; the relative error is below 6e-19.
# W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969), 631-637.
_SMALL = ([1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
           3.20937758913846947e3],
          [1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3])
_MIDDLE = ([2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
            2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
            1.23033935479799725e3],
           [1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
            3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3])


_FAR = ([1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
         1.60837851487422766e-2, 6.58749161529837803e-4],
        [1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
         2.33520497626869185e-3])


def _ratio(x, polynomials):
    top, bottom = (0.0, 0.0)
    for p, q in zip(*polynomials):
        top, bottom = top * x + p, bottom * x + q
    return top / bottom


def _erf(x):
    """y = 2 / sqrt(pi) * the integral of e^(-t^2) from 0 to x.   dy/dx = 2 / sqrt(pi) * e^(-x^2).

    In float64 it differs from math.erf by a few units in the last place at most (Cody 1969).
    """
    m = xp(x)
    a = m.abs(x)
    near, far = m.minimum(a, 0.46875), m.clip(a, 0.46875, 6.0)  # beyond 6, 1 - erf is below 2^-53
    small = near * _ratio(near * near, _SMALL)
    large = 1 - m.exp(-far * far) * _ratio(far, _MIDDLE)
    return (m.sign(x) * m.where(a <= 0.46875, small, large)).astype(x.dtype)


def _phi(x):
    """y = (1 + erf(x / sqrt 2)) / 2: the probability that a normal number is below x.   dy/dx = e^(-x^2 / 2) / sqrt(2 pi).

    For x < 0 it is computed from erfc, because 1 + erf would lose digits there (Cody 1969; in float32 on the CPU from a
    polynomial with fewer terms, kernels/cpu/activation.py).
    """
    if isinstance(x, np.ndarray) and x.dtype == np.float32:
        return normal_cdf(x)
    m = xp(x)
    a = m.abs(x) * math.sqrt(0.5)
    near, middle = m.minimum(a, 0.46875), m.clip(a, 0.46875, 4.0)
    small = 0.5 - 0.5 * near * _ratio(near * near, _SMALL)  # the tail beyond |x| for small a; middle and large a follow
    ratio = _ratio(middle, _MIDDLE)
    if m is not np or np.any(a > 4.0):
        far = m.maximum(a, 4.0)
        inverse = 1 / (far * far)
        ratio = m.where(a <= 4.0, ratio, (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, _FAR)) / far)
    tail = _either(a <= 0.46875, small, 0.5 * m.exp(-0.5 * x * x) * ratio)
    return _either(x > 0, 1 - tail, tail)


def _either(mask, a, b) -> Any:
    """a where the mask is true, else b: on the CPU this takes a quarter of the time of np.where."""
    taken: Any = dispatch.kept(a, mask)
    return taken + dispatch.kept(b, ~mask)


_normal_cdf = elementwise(
    _phi.__doc__, _phi, lambda g, y, x: g * (1 / math.sqrt(2 * math.pi) * exp(-0.5 * x * x)), name="normal_cdf", saves="inputs")


def _gelu_forward(x):
    cdf = _phi(x)
    return x * cdf, cdf


def _gelu_backward(g, needed, cdf, x):
    if isinstance(x, np.ndarray):
        return (gelu_gradient(g, x, cdf),)
    return (g * (cdf + x * (xp(x).exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)))),)


_gelu_forward.__name__ = "gelu"
_gelu = fused(_gelu_forward, _gelu_backward, lambda x: x * _normal_cdf(x))
erf = elementwise(
    _erf.__doc__, _erf, lambda g, y, x: g * (2 / math.sqrt(math.pi) * exp(-(x * x))), name="erf", saves="inputs")
