"""The functions of torch.* that take Tensors; most are methods, too.

Names whose meaning differs from NumPy's and minigan's have PyTorch's here: transpose exchanges two axes, split takes a size,
repeat tiles, std and var divide by n - 1, max and min along an axis give (values, indices), norm's first argument is its order.
Numbers of several kinds together become what PyTorch makes of them (`promoted`).
"""

from __future__ import annotations

import math
from collections import namedtuple
from functools import wraps
from typing import Any

import numpy as np

import minigan as mg
from minigan.errors import ConfigError
from minigan.torch import kinds
from minigan.torch.tensor import Tensor, lift, lower

METHODS: dict[str, Any] = {}  # name -> function, for the methods of Tensor
Pair = namedtuple("Pair", ["values", "indices"])


def method(function: Any) -> Any:
    """Decorate a function that is a method of Tensor, too."""
    METHODS[function.__name__] = function
    return function


def over(function: Any, name: str | None = None) -> Any:
    """minigan's function as one of Tensors."""

    @wraps(function)
    def call(*args, **options):
        return lift(function(*map(lower, args), **{key: lower(value) for key, value in options.items()}))

    call.__name__ = name or function.__name__
    return call


# ------------------------------------------------------------------------------------------------ elementwise ---

_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}


def promoted(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands of minigan with one dtype, by PyTorch's rule: floats before integers before booleans, and among equals
    the larger; a tensor without axes, or a Python number, counts only if it is of a higher kind than the other."""
    one, other = isinstance(a, mg.Tensor), isinstance(b, mg.Tensor)
    if one and other:
        x, y = a.data.dtype, b.data.dtype
        if x == y:
            return a, b
        kx, ky = _KINDS[x.kind], _KINDS[y.kind]
        if kx != ky:
            common = x if kx > ky else y
        elif bool(a.ndim) != bool(b.ndim):
            common = x if a.ndim else y
        else:
            common = np.promote_types(x, y)
        return mg.astype(a, common), mg.astype(b, common)
    tensor, number = (a, b) if one else (b, a)
    if isinstance(number, (np.generic, np.ndarray)):
        number = number.item() if number.ndim == 0 else mg.tensor(number)
        return promoted(tensor, number) if one else promoted(number, tensor)
    kind = tensor.data.dtype.kind
    if kind != "f" and isinstance(number, float):
        tensor = mg.astype(tensor, "float32")
    elif kind == "b" and isinstance(number, int) and not isinstance(number, bool):
        tensor = mg.astype(tensor, "int64")
    return (tensor, number) if one else (number, tensor)


def _floats(x):
    return x if x.data.dtype.kind == "f" else mg.astype(x, "float32")


def _binary(name, function, true_division=False):
    def call(input, other, *, out=None, alpha=None, rounding_mode=None):
        a, b = lower(input), lower(other)
        if alpha is not None and alpha != 1:
            b = b * alpha
        a, b = promoted(a, b)
        if true_division and rounding_mode is None:
            a, b = (_floats(v) if isinstance(v, mg.Tensor) else v for v in (a, b))
        y = lift(function(a, b))
        if rounding_mode is not None:
            y = METHODS[rounding_mode](y)
        return y

    call.__name__, call.__doc__ = name, function.__doc__
    return method(call)


add = _binary("add", mg.add)
sub = _binary("sub", mg.subtract)
mul = _binary("mul", mg.multiply)
div = _binary("div", mg.divide, true_division=True)
pow = _binary("pow", mg.power)
remainder = _binary("remainder", mg.remainder)
fmod = _binary("fmod", mg.fmod)
floor_divide = _binary("floor_divide", mg.floor_divide)
maximum, minimum = _binary("maximum", mg.maximum), _binary("minimum", mg.minimum)
atan2 = _binary("atan2", mg.arctan2)
hypot, logaddexp = _binary("hypot", mg.hypot), _binary("logaddexp", mg.logaddexp)
subtract, multiply, divide, true_divide, arctan2 = sub, mul, div, div, atan2
METHODS.update(subtract=sub, multiply=mul, divide=div, true_divide=div)


def _compare(name, symbol):
    def call(input, other):
        a, b = promoted(lower(input), lower(other))
        return lift(getattr(a if isinstance(a, mg.Tensor) else mg.tensor(a), symbol)(b))

    call.__name__, call.__doc__ = name, f"Elementwise {symbol.strip('_')}: a boolean tensor."
    return method(call)


eq, ne, lt, le, gt, ge = (_compare(n, f"__{n}__") for n in ("eq", "ne", "lt", "le", "gt", "ge"))
for _name, _symbol in {"logical_and": "__and__", "logical_or": "__or__", "logical_xor": "__xor__"}.items():

    def _logical(input, other, _symbol=_symbol):
        return lift(getattr(_truth(input), _symbol)(_truth(other)))

    _logical.__name__ = _name
    globals()[_name] = method(_logical)


def _truth(x):
    engine = lower(x)
    return engine if engine.data.dtype == bool else engine != 0


@method
def logical_not(input: Any) -> Any:
    """not input, elementwise."""
    return lift(~_truth(input))


# PyTorch's name -> minigan's function of one tensor, of floats.
for _name, _function in {
    "exp": mg.exp, "log": mg.log, "log2": mg.log2, "log10": mg.log10, "log1p": mg.log1p, "expm1": mg.expm1, "sqrt": mg.sqrt,
    "sin": mg.sin, "cos": mg.cos, "tan": mg.tan, "sinh": mg.sinh, "cosh": mg.cosh, "tanh": mg.tanh, "asin": mg.arcsin,
    "acos": mg.arccos, "atan": mg.arctan, "arcsin": mg.arcsin, "arccos": mg.arccos, "arctan": mg.arctan, "sigmoid": mg.sigmoid,
    "erf": mg.erf, "reciprocal": mg.reciprocal,
}.items():  # fmt: skip

    def _of_floats(input, _function=_function, out=None):
        return lift(_function(_floats(lower(input))))

    _of_floats.__name__, _of_floats.__doc__ = _name, _function.__doc__
    globals()[_name] = method(_of_floats)
_direct: dict[str, Any] = {
    "abs": mg.abs, "neg": mg.negative, "square": mg.square, "floor": mg.floor, "ceil": mg.ceil, "trunc": mg.trunc,
    "sign": mg.sign, "relu": mg.relu, "round": mg.round, "diag": mg.diag, "tril": mg.tril, "triu": mg.triu, "kron": mg.kron,
    "inner": mg.inner, "outer": mg.outer, "matmul": mg.matmul, "inverse": mg.inv, "det": mg.det, "slogdet": mg.slogdet,
    "trace": mg.trace, "cdist": mg.cdist, "take": mg.take,
}  # fmt: skip
for _name, _function in _direct.items():
    globals()[_name] = method(over(_function, _name))
mm = bmm = mv = ger = dot = METHODS["matmul"]
ger = METHODS["outer"]
absolute, negative = METHODS["abs"], METHODS["neg"]
METHODS.update(mm=mm, bmm=mm, mv=mm, dot=mm, ger=ger, absolute=absolute, negative=negative, __matmul__=mm)
for _name in ("isnan", "isinf", "isfinite"):
    globals()[_name] = method(over(getattr(mg.Tensor, _name), _name))


@method
def rsqrt(input: Any) -> Any:
    """1 / sqrt(input)."""
    return 1 / METHODS["sqrt"](input)


@method
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input limited to [min, max]."""
    x = lower(input)
    x = _floats(x) if isinstance(min, float) or isinstance(max, float) else x
    return lift(mg.clip(x, lower(min), lower(max)))


clip = clamp
METHODS["clip"] = clamp


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


@method
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta input + alpha mat1 mat2."""
    return beta * input + alpha * (mat1 @ mat2)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where the condition is true, else other."""
    if input is None:
        return nonzero(condition, as_tuple=True)
    a, b = lower(input), lower(other)
    if isinstance(a, mg.Tensor) or isinstance(b, mg.Tensor):
        a, b = promoted(a, b)
    return lift(mg.where(lower(condition), a, b))


@method
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """value where the mask is true, else input."""
    fill = lower(value)
    return lift(mg.where(lower(mask), fill, lower(input)))


@method
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask is true, as a vector."""
    return input[mask]


# ------------------------------------------------------------------------------------------------- reductions ---


def _axis(dim):
    return None if dim is None or (isinstance(dim, (tuple, list)) and not dim) else tuple(dim) if isinstance(dim, list) else dim


def _as(x, dtype):
    return x if dtype is None else mg.astype(x, kinds.to_numpy(dtype))


@method
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum, over all axes or over `dim`."""
    x = lower(input)
    x = mg.astype(x, "int64") if dtype is None and x.dtype.kind in "bui" else _as(x, dtype)
    return lift(mg.sum(x, _axis(dim), keepdim))


@method
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean, over all axes or over `dim`."""
    x = _as(lower(input), dtype)
    if x.dtype.kind != "f":
        raise RuntimeError(f"mean: takes floats, got {input.dtype}; use .float().mean()")
    return lift(mg.mean(x, _axis(dim), keepdim))


@method
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product, over all axes or over `dim`."""
    return lift(mg.prod(_as(lower(input), dtype), _axis(dim), keepdim))


def _correction(dim, unbiased, correction):
    if isinstance(dim, bool):  # std(False)
        return None, int(dim)
    return _axis(dim), (1 if unbiased is None else int(unbiased)) if correction is None else correction


@method
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The variance; it divides by n - 1 (unbiased=False, correction=0: by n)."""
    axis, ddof = _correction(dim, unbiased, correction)
    return lift(mg.var(lower(input), axis, ddof, keepdim))


@method
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The standard deviation; it divides by n - 1 (unbiased=False, correction=0: by n)."""
    axis, ddof = _correction(dim, unbiased, correction)
    return lift(mg.std(lower(input), axis, ddof, keepdim))


@method
def norm(input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None) -> Any:
    """(the sum of |input|^p)^(1/p), over all axes or over `dim`.   p: "fro" is 2."""
    x = lower(input)
    p = 2.0 if p in ("fro", None) else float(p)
    if dim is None and x.ndim != 1:
        y = mg.norm(mg.ravel(x), 0, False, p)
        return lift(mg.reshape(y, (1,) * x.ndim) if keepdim else y)
    return lift(mg.norm(x, _axis(dim), keepdim, p))


@method
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log(the sum of e^input)."""
    return lift(mg.logsumexp(lower(input), _axis(dim), keepdim))


def _extreme(name, extreme, arg, elementwise):
    def call(input, dim=None, keepdim=False, *, other=None):
        if isinstance(dim, Tensor) or other is not None:
            return elementwise(input, dim if other is None else other)
        x = lower(input)
        if dim is None:
            return lift(extreme(x))
        indices = arg(x, dim, True)
        values = mg.take_along_axis(x, indices, dim)
        if not keepdim:
            values, indices = mg.squeeze(values, dim), mg.squeeze(indices, dim)
        return Pair(lift(values), lift(indices))

    call.__name__ = name
    call.__doc__ = f"The {name} of all, or (values, indices) along dim; of two tensors, elementwise."
    return method(call)


max = _extreme("max", mg.max, mg.argmax, maximum)
min = _extreme("min", mg.min, mg.argmin, minimum)


@method
def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest, along axes."""
    return lift(mg.max(lower(input), _axis(dim), keepdim))


@method
def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest, along axes."""
    return lift(mg.min(lower(input), _axis(dim), keepdim))


@method
def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the largest."""
    return lift(mg.argmax(lower(input), dim, keepdim))


@method
def argmin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the smallest."""
    return lift(mg.argmin(lower(input), dim, keepdim))


@method
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Is one of them true?"""
    return lift(lower(input).any(dim, keepdim))


@method
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Are all true?"""
    return lift(lower(input).all(dim, keepdim))


@method
def cumsum(input: Any, dim: int, dtype: Any = None) -> Any:
    """The running sum along dim."""
    x = _as(lower(input), dtype)
    return lift(mg.cumsum(mg.astype(x, "int64") if x.dtype.kind in "bui" else x, dim))


@method
def cumprod(input: Any, dim: int, dtype: Any = None) -> Any:
    """The running product along dim."""
    return lift(mg.cumprod(_as(lower(input), dtype), dim))


@method
def sort(input: Any, dim: int = -1, descending: bool = False) -> Any:
    """(values, indices) in order along dim."""
    x = lower(input)
    order = mg.argsort(-x if descending else x, dim)
    return Pair(lift(mg.take_along_axis(x, order, dim)), lift(order))


@method
def argsort(input: Any, dim: int = -1, descending: bool = False) -> Any:
    """The indices that sort along dim."""
    return sort(input, dim, descending).indices


@method
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest along dim."""
    return Pair(*lift(tuple(mg.topk(lower(input), k, dim, largest))))


@method
def median(input: Any) -> Any:
    """The lower median of all, as PyTorch takes it."""
    x = mg.sort(mg.ravel(lower(input)))
    return lift(x[(x.size - 1) // 2])


@method
def nonzero(input: Any, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0: (count, axes), or one vector for each axis."""
    found = input.engine.data.nonzero()
    vectors = tuple(lift(mg.Tensor(v)) for v in found)
    return vectors if as_tuple else stack(vectors, 1)


def unique(input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The different values, in order; with return_counts, how often each comes."""
    options: Any = {"return_inverse": return_inverse, "return_counts": return_counts}
    found: Any = np.unique(input.detach().cpu().numpy(), **options)
    return tuple(lift(mg.tensor(v)) for v in found) if isinstance(found, tuple) else lift(mg.tensor(found))


def equal(input: Any, other: Any) -> bool:
    """Same shape and same values?"""
    return input.shape == other.shape and bool((input == other).all())


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """|input - other| <= atol + rtol |other| everywhere?"""
    return bool(np.allclose(input.detach().cpu().numpy(), other.detach().cpu().numpy(), rtol, atol, equal_nan))


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number comes."""
    return lift(mg.tensor(np.bincount(input.cpu().numpy(), None if weights is None else weights.numpy(), minlength)))


# ------------------------------------------------------------------------------------------------------ shapes ---


def _given(shape):
    """Sizes that are given one by one, or as one tuple."""
    return tuple(lower(shape[0])) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else tuple(map(int, shape))


@method
def reshape(input: Any, *shape: Any) -> Any:
    """The same elements with another shape; one size may be -1."""
    return lift(mg.reshape(input.engine, _given(shape)))


def _view(input, *shape):
    if len(shape) == 1 and isinstance(shape[0], kinds.dtype):
        raise ConfigError("view(dtype): minigan does not read bytes as other numbers; use .to(dtype)")
    return reshape(input, *shape)


METHODS["view"] = _view


@method
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes start_dim .. end_dim as one."""
    shape = tuple(input.shape)
    if not shape:
        return reshape(input, 1)
    first, last = start_dim % len(shape), end_dim % len(shape)
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@method
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One axis as several."""
    shape, dim = tuple(input.shape), dim % input.ndim
    return reshape(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@method
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes exchanged."""
    return lift(mg.swapaxes(input.engine, dim0, dim1))


swapaxes = transpose
METHODS["swapaxes"] = transpose


@method
def t(input: Any) -> Any:
    """A matrix with its axes exchanged; a vector as it is."""
    return lift(mg.transpose(input.engine))


@method
def permute(input: Any, *dims: Any) -> Any:
    """The axes in this order."""
    return lift(mg.transpose(input.engine, _given(dims)))


movedim = over(mg.moveaxis, "movedim")


@method
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the axes of size 1; of `dim` only those that have size 1."""
    x = input.engine
    if dim is None:
        return lift(mg.squeeze(x))
    axes = tuple(d for d in (dim if isinstance(dim, (tuple, list)) else (dim,)) if x.shape[d] == 1)
    return lift(mg.squeeze(x, axes)) if axes else input


@method
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of size 1."""
    return lift(mg.expand_dims(input.engine, dim))


@method
def expand(input: Any, *sizes: Any) -> Any:
    """Axes of size 1 repeated to these sizes without copies; -1 keeps a size."""
    sizes, shape = _given(sizes), tuple(input.shape)
    shape = (1,) * (len(sizes) - len(shape)) + shape
    return lift(mg.broadcast_to(input.engine, tuple(n if s == -1 else s for s, n in zip(sizes, shape))))


METHODS["expand_as"] = lambda input, other: expand(input, *other.shape)
METHODS["view_as"] = METHODS["reshape_as"] = lambda input, other: reshape(input, *other.shape)


def broadcast_to(input: Any, size: Any) -> Any:
    """expand(input, size)."""
    return expand(input, *size)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes have together."""
    return kinds.Size(np.broadcast_shapes(*map(tuple, shapes)))


def broadcast_tensors(*tensors: Any) -> tuple:
    """Each expanded to the common shape."""
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(x if x.shape == shape else expand(x, *shape) for x in tensors)


def _repeat(input, *sizes):
    """The whole tensor again and again: NumPy's tile."""
    return lift(mg.tile(input.engine, _given(sizes)))


METHODS["repeat"] = _repeat


def tile(input: Any, dims: Any) -> Any:
    """input.repeat(dims), where missing axes count 1."""
    return lift(mg.tile(input.engine, tuple(dims)))


@method
def repeat_interleave(input: Any, repeats: Any, dim: int | None = None) -> Any:
    """Each element again and again: NumPy's repeat."""
    return lift(mg.repeat(input.engine, lower(repeats), dim))


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """Tensors one after the other along dim."""
    engines = [x.engine for x in tensors]
    engines = [x for x in engines if x.shape != (0,)] or engines[:1]  # PyTorch leaves empty vectors out
    common = engines[0]
    for x in engines[1:]:
        common, _ = promoted(common, x)
    return lift(
        mg.concatenate(
            [mg.astype(x, common.dtype) if x.dtype != common.dtype else x for x in engines], dim if axis is None else axis
        )
    )


concat = concatenate = cat


def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors side by side along a new axis."""
    return lift(mg.stack([x.engine for x in tensors], dim))


def vstack(tensors: Any) -> Any:
    """One below the other."""
    return lift(mg.vstack([x.engine for x in tensors]))


def hstack(tensors: Any) -> Any:
    """Side by side."""
    return lift(mg.hstack([x.engine for x in tensors]))


@method
def split(input: Any, split_size_or_sections: Any, dim: int = 0) -> tuple:
    """Pieces of this size along dim (the last may be smaller), or of these sizes."""
    n = input.shape[dim]
    sizes = split_size_or_sections
    ends = np.cumsum(sizes)[:-1].tolist() if isinstance(sizes, (list, tuple)) else list(range(sizes, n, sizes))
    return tuple(lift(mg.split(input.engine, ends, dim)))


@method
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple:
    """At most so many equal pieces along dim."""
    return split(input, -(-input.shape[dim] // chunks), dim)


@method
def unbind(input: Any, dim: int = 0) -> tuple:
    """The slices along dim."""
    return tuple(input.select(dim, i) for i in range(input.shape[dim]))


@method
def select(input: Any, dim: int, index: int) -> Any:
    """Slice `index` along dim."""
    return input[(slice(None),) * (dim % input.ndim) + (int(index),)]


@method
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """The slices start .. start + length - 1 along dim."""
    start = int(start) % input.shape[dim] if start < 0 else int(start)
    return input[(slice(None),) * (dim % input.ndim) + (slice(start, start + int(length)),)]


@method
def flip(input: Any, *dims: Any) -> Any:
    """The other way round along these axes."""
    return lift(mg.flip(input.engine, _given(dims)))


@method
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Moved along dims; what falls off at one end comes in at the other."""
    return lift(mg.roll(input.engine, shifts, dims))


@method
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two axes, as the last axis."""
    return lift(mg.diagonal(input.engine, offset, dim1, dim2))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple:
    """Coordinates of a grid."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    return tuple(lift(mg.meshgrid(*(x.engine for x in given), indexing=indexing)))


def einsum(equation: str, *operands: Any) -> Any:
    """Sums of products by indices."""
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    return lift(mg.einsum(equation, *(x.engine for x in given)))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sums over pairs of axes."""
    return lift(mg.tensordot(a.engine, b.engine, dims))


@method
def gather(input: Any, dim: int, index: Any) -> Any:
    """out[i][j] = input[index[i][j]][j], along dim."""
    x, i = input.engine, index.engine
    ends = tuple(slice(None) if d == dim % x.ndim else slice(n) for d, n in enumerate(i.shape))
    return lift(mg.take_along_axis(x[ends] if tuple(n for n in x.shape) != i.shape else x, i, dim))


@method
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of these numbers along dim."""
    return lift(mg.take(input.engine, index.engine, dim))


def _places(index, dim):
    """The index that puts values where scatter does."""
    places = list(np.indices(index.shape, sparse=True))
    places[dim % index.ndim] = index.engine.data
    return tuple(places)


@method
def scatter(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with out[index[i][j]][j] = src[i][j], along dim."""
    y = input.clone()
    y[_places(index, dim)] = src[tuple(slice(n) for n in index.shape)] if isinstance(src, Tensor) else src
    return y


@method
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with out[index[i][j]][j] += src[i][j], along dim."""
    part = src[tuple(slice(n) for n in index.shape)]
    return input + lift(mg.ops.scatter_into(part.engine, tuple(input.shape), _places(index, dim)))


@method
def clone(input: Any, memory_format: Any = None) -> Any:
    """A copy; derivatives pass through."""
    return (
        lift(mg.astype(input.engine, input.engine.dtype) * 1)
        if input.engine.node is not None
        else lift(mg.Tensor(input.engine.data.copy()))
    )


def numel(input: Any) -> int:
    """The number of elements."""
    return input.engine.size


def is_tensor(obj: Any) -> bool:
    """Is it a Tensor?"""
    return isinstance(obj, Tensor)


def is_floating_point(input: Any) -> bool:
    """Are the elements floats?"""
    return input.engine.dtype.kind == "f"


def softmax(input: Any, dim: Any = None, dtype: Any = None) -> Any:
    """e^input / (the sum of e^input along dim)."""
    return lift(mg.softmax(_as(_floats(input.engine), dtype), dim))


def log_softmax(input: Any, dim: Any = None, dtype: Any = None) -> Any:
    """log(softmax(input, dim))."""
    return lift(mg.log_softmax(_as(_floats(input.engine), dtype), dim))


METHODS.update(softmax=softmax, log_softmax=log_softmax)


_HELPERS = {
    "METHODS", "Any", "ConfigError", "Pair", "Tensor", "annotations", "kinds", "lift", "lower", "math", "method", "mg",
    "namedtuple", "np", "over", "promoted", "wraps",
}  # fmt: skip
__all__ = [_name for _name in list(globals()) if not _name.startswith("_") and _name not in _HELPERS]
