"""Functions of each element, products of matrices, and what follows from these by a formula."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

import minigan as mg
from minigan.torch import kinds
from minigan.torch.tables import METHODS, floats, method, over, promoted, written
from minigan.torch.tensor import lift, lower, wrap


def _binary(name, function):
    def call(input, other, *, out=None):
        y = wrap(function(*promoted(lower(input), lower(other))))
        return y if out is None else out.become(y)

    call.__name__, call.__doc__ = name, function.__doc__
    return method(call)


mul, fmod = _binary("mul", mg.multiply), _binary("fmod", mg.fmod)
remainder, floor_divide = _binary("remainder", mg.remainder), _binary("floor_divide", mg.floor_divide)
maximum, minimum = _binary("maximum", mg.maximum), _binary("minimum", mg.minimum)
atan2, hypot, logaddexp = _binary("atan2", mg.arctan2), _binary("hypot", mg.hypot), _binary("logaddexp", mg.logaddexp)


@method
def add(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input + alpha other."""
    b = lower(other)
    return written(wrap(mg.add(*promoted(lower(input), b if alpha == 1 else b * alpha))), out)


@method
def sub(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input - alpha other.   RuntimeError for booleans."""
    a, b = lower(input), lower(other)
    for x in (a, b):
        if x is True or x is False or (isinstance(x, mg.Tensor) and x.data.dtype == bool):
            raise RuntimeError("sub: booleans have no difference; use ^ or .logical_xor(), or convert them with .float()")
    return written(wrap(mg.subtract(*promoted(a, b if alpha == 1 else b * alpha))), out)


@method
def rsub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """other - alpha input."""
    return sub(other, input, alpha=alpha)


@method
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """input / other.   rounding_mode: None, "floor" or "trunc" (toward 0); then integers stay integers."""
    a, b = promoted(lower(input), lower(other))
    if rounding_mode is None:
        return written(wrap(mg.divide(*(floats(v) if isinstance(v, mg.Tensor) else v for v in (a, b)))), out)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div: rounding_mode is None, 'floor' or 'trunc', not {rounding_mode!r}")
    whole = mg.floor_divide(a, b)
    if rounding_mode == "trunc":  # one more where the signs differ and something is left over
        left = mg.remainder(a, b)
        negative = (left != 0) & ((a < 0) ^ (b < 0)) if isinstance(a, mg.Tensor) else (left != 0) & ((b < 0) ^ (a < 0))
        whole = whole + mg.astype(negative, whole.dtype)
    return written(wrap(whole), out)


@method
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input to the power of exponent.   RuntimeError for whole numbers to a negative power."""
    a, b = promoted(lower(input), lower(exponent))
    whole = (a if isinstance(a, mg.Tensor) else b).data.dtype.kind != "f"
    if whole and ((b < 0).any() if isinstance(b, mg.Tensor) else b < 0):
        raise RuntimeError("pow: whole numbers to a negative power are not whole; convert with .float()")
    return written(wrap(mg.power(a, b)), out)


subtract, multiply, divide, true_divide, arctan2 = sub, mul, div, div, atan2
METHODS.update(subtract=sub, multiply=mul, divide=div, true_divide=div)


def _nan_counts_less(name, function, choose):
    def call(input, other):
        a, b = promoted(lower(input), lower(other))
        return wrap(mg.where(a.isnan(), b, mg.where(b.isnan(), a, function(a, b))))

    call.__name__, call.__doc__ = name, f"{choose}, elementwise; the other number where one is NaN."
    return method(call)


fmax, fmin = _nan_counts_less("fmax", mg.maximum, "The larger"), _nan_counts_less("fmin", mg.minimum, "The smaller")


def _compare(name, symbol):
    def call(input, other):
        a, b = promoted(lower(input), lower(other))
        return wrap(getattr(a if isinstance(a, mg.Tensor) else mg.tensor(a), symbol)(b))

    call.__name__, call.__doc__ = name, f"Elementwise {symbol.strip('_')}: a boolean tensor."
    return method(call)


eq, ne, lt, le, gt, ge = (_compare(n, f"__{n}__") for n in ("eq", "ne", "lt", "le", "gt", "ge"))
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
for _name, _symbol in {"logical_and": "__and__", "logical_or": "__or__", "logical_xor": "__xor__"}.items():

    def _logical(input, other, _symbol=_symbol):
        return lift(getattr(_truth(input), _symbol)(_truth(other)))

    _logical.__name__, _logical.__doc__ = _name, f"{_name.removeprefix('logical_')} of what is not 0, elementwise."
    globals()[_name] = method(_logical)


def _truth(x):
    engine = lower(x)
    return engine if engine.data.dtype == bool else engine != 0


@method
def logical_not(input: Any) -> Any:
    """not input, elementwise."""
    return lift(~_truth(input))


def _bits(name, function):
    def call(input, other):
        return wrap(function(*promoted(lower(input), lower(other))))

    call.__name__, call.__doc__ = f"bitwise_{name}", f"{name} of the bits, elementwise."
    return method(call)


bitwise_and, bitwise_or, bitwise_xor = _bits("and", operator.and_), _bits("or", operator.or_), _bits("xor", operator.xor)


@method
def bitwise_not(input: Any) -> Any:
    """not of the bits, elementwise."""
    return wrap(~input.engine)


# PyTorch's name -> minigan's function of one tensor, of floats.
for _name, _function in {
    "exp": mg.exp, "log": mg.log, "log2": mg.log2, "log10": mg.log10, "log1p": mg.log1p, "expm1": mg.expm1, "sqrt": mg.sqrt,
    "sin": mg.sin, "cos": mg.cos, "tan": mg.tan, "sinh": mg.sinh, "cosh": mg.cosh, "tanh": mg.tanh, "asin": mg.arcsin,
    "acos": mg.arccos, "atan": mg.arctan, "arcsin": mg.arcsin, "arccos": mg.arccos, "arctan": mg.arctan, "sigmoid": mg.sigmoid,
    "erf": mg.erf, "reciprocal": mg.reciprocal,
}.items():  # fmt: skip

    def _of_floats(input, *, out=None, _function=_function):
        return written(wrap(_function(floats(lower(input)))), out)

    _of_floats.__name__, _of_floats.__doc__ = _name, _function.__doc__
    globals()[_name] = method(_of_floats)
_direct: dict[str, Any] = {
    "abs": mg.abs, "neg": mg.negative, "square": mg.square, "floor": mg.floor, "ceil": mg.ceil, "trunc": mg.trunc,
    "sign": mg.sign, "relu": mg.relu, "kron": mg.kron,
    "inner": mg.inner, "outer": mg.outer, "inverse": mg.inv, "det": mg.det, "slogdet": mg.slogdet,
    "cholesky": mg.cholesky, "trace": mg.trace, "cdist": mg.cdist, "take": mg.take,
}  # fmt: skip
for _name, _function in _direct.items():
    globals()[_name] = method(over(_function, _name))


def _diagonals(name, function):
    def call(input, diagonal=0):
        return wrap(function(input.engine, diagonal))

    call.__name__, call.__doc__ = name, function.__doc__
    return method(call)


diag, tril, triu = _diagonals("diag", mg.diag), _diagonals("tril", mg.tril), _diagonals("triu", mg.triu)


def _product(name, axes=None):
    def call(input, other, *, out=None):
        a, b = lower(input), lower(other)
        if axes is not None and (a.ndim, b.ndim) != axes:
            raise RuntimeError(f"{name}: takes tensors of {axes[0]} and {axes[1]} axes, got {a.shape} and {b.shape}; use @")
        if a.dtype != b.dtype:
            raise RuntimeError(f"{name}: the operands have the dtypes {kinds.of_numpy(a.dtype)} and {kinds.of_numpy(b.dtype)}")
        return written(wrap(mg.matmul(a, b)), out)

    call.__name__, call.__doc__ = (
        name,
        mg.matmul.__doc__ if axes is None else f"{name}: matmul of {axes[0]} and {axes[1]} axes.",
    )
    return method(call)


matmul, mm, bmm = _product("matmul"), _product("mm", (2, 2)), _product("bmm", (3, 3))
mv, dot, vdot = _product("mv", (2, 1)), _product("dot", (1, 1)), _product("vdot", (1, 1))
ger = METHODS["outer"]
absolute, negative = METHODS["abs"], METHODS["neg"]
METHODS.update(ger=ger, absolute=absolute, negative=negative, __matmul__=matmul)
for _name in ("isnan", "isinf", "isfinite"):
    globals()[_name] = method(over(getattr(mg.Tensor, _name), _name))


@method
def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest number of so many decimals; halves go to the even one."""
    return wrap(mg.round(input.engine, decimals))


@method
def frac(input: Any) -> Any:
    """input - trunc(input)."""
    return input - METHODS["trunc"](input)


@method
def logdet(input: Any) -> Any:
    """log(det(input)); NaN where det is negative."""
    sign, size = METHODS["slogdet"](input)
    return METHODS["log"](sign) + size


@method
def logit(input: Any, eps: Any = None) -> Any:
    """log(p / (1 - p)); eps: p is limited to [eps, 1 - eps]."""
    p = input if eps is None else clamp(input, eps, 1 - eps)
    return METHODS["log"](p / (1 - p))


@method
def nan_to_num(input: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in the place of NaN and infinities; by default 0 and the largest and the smallest of the dtype."""
    x = input.engine
    limits = np.finfo(x.dtype) if x.dtype.kind == "f" else np.iinfo(x.dtype)
    x = mg.where(x.isnan(), nan, x)
    x = mg.where(x == math.inf, float(limits.max) if posinf is None else posinf, x)
    return wrap(mg.where(x == -math.inf, float(limits.min) if neginf is None else neginf, x))


@method
def rsqrt(input: Any) -> Any:
    """1 / sqrt(input)."""
    return 1 / METHODS["sqrt"](input)


@method
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """input limited to [min, max]."""
    if min is None and max is None:
        raise ValueError("clamp: takes min, max, or both")
    x = input.engine
    for bound in (min, max):
        if bound is not None:
            x, _ = promoted(x, lower(bound))
    low, high = (lower(v.to(kinds.of_numpy(x.dtype))) if hasattr(v, "engine") else v for v in (min, max))
    return written(wrap(mg.clip(x, low, high)), out)


clip = clamp
METHODS["clip"] = clamp


@method
def clamp_min(input: Any, min: Any) -> Any:
    """clamp(input, min)."""
    return clamp(input, min)


@method
def clamp_max(input: Any, max: Any) -> Any:
    """clamp(input, max=max)."""
    return clamp(input, None, max)


@method
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight (end - input)."""
    return input + weight * (end - input)


@method
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """input + value tensor1 tensor2."""
    return input + value * (tensor1 * tensor2)


@method
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """input + value tensor1 / tensor2."""
    return input + value * (tensor1 / tensor2)


def _added(name, product):
    def call(input, one, other, *, beta=1, alpha=1):
        y = product(one, other)
        y = y if alpha == 1 else alpha * y
        return y + (input if beta == 1 else beta * input)

    call.__name__, call.__doc__ = name, f"beta input + alpha {product.__name__}(one, other)."
    return method(call)


addmm, addbmm = _added("addmm", mm), _added("addbmm", lambda a, b: bmm(a, b).sum(0))
baddbmm, addmv, addr = _added("baddbmm", bmm), _added("addmv", mv), _added("addr", METHODS["outer"])


# Names that a loop or an assignment made.
__all__ = [name for name, value in list(globals().items()) if value in METHODS.values() and not name.startswith("_")]
