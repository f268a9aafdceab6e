"""Sums, means, norms, extremes and orders, over all axes or along some.   std and var divide by n - 1, as PyTorch's do."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np

import minigan as mg
from minigan.torch.elementwise import maximum, minimum
from minigan.torch.shapes import cat
from minigan.torch.tables import Pair, along_axis, as_dtype, axes, axis_of, exported, floats, method
from minigan.torch.tensor import Tensor, lift, lower, wrap


def _whole(x, dtype):
    """Sums of whole numbers and booleans are int64."""
    return mg.astype(x, "int64") if dtype is None and x.data.dtype.kind in "bui" else as_dtype(x, dtype)


@method
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum, over all axes or over `dim`."""
    x = input.engine
    return wrap(mg.sum(_whole(x, dtype), axes(dim, x.ndim), keepdim))


@method
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean, over all axes or over `dim`."""
    x = as_dtype(input.engine, dtype)
    if x.data.dtype.kind != "f":
        raise RuntimeError(f"mean: takes floats, got {input.dtype}; use .float().mean()")
    axis = axes(dim, x.ndim)
    return wrap(mg.mean(x, axis, keepdim) if x.data.size else mg.sum(x, axis, keepdim) * math.nan)


@method
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product, over all axes or over `dim`."""
    x = input.engine
    return wrap(mg.prod(_whole(x, dtype), axes(dim, x.ndim), keepdim))


def _spread(name, function):
    def call(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
        x = input.engine
        if x.data.dtype.kind != "f":
            raise RuntimeError(f"{name}: takes floats, got {input.dtype}; use .float().{name}()")
        if isinstance(dim, bool):  # std(False)
            dim, unbiased = None, dim
        less = (1 if unbiased is None else int(unbiased)) if correction is None else correction
        axis = axes(dim, x.ndim)
        over_these = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
        few = math.prod(x.shape[axis_of(d, x.ndim)] for d in over_these) <= less
        return wrap(mg.sum(x, axis, keepdim) * math.nan if few else function(x, axis, less, keepdim))

    what = {"var": "The variance", "std": "The standard deviation"}[name]
    call.__name__, call.__doc__ = name, f"{what}; it divides by n - 1 (unbiased=False, correction=0: by n)."
    return method(call)


var, std = _spread("var", mg.var), _spread("std", mg.std)


def var_mean(input: Any, *args: Any, **options: Any) -> tuple:
    """(var(input, ...), mean(input, ...))."""
    return _with_mean(var, input, *args, **options)


def std_mean(input: Any, *args: Any, **options: Any) -> tuple:
    """(std(input, ...), mean(input, ...))."""
    return _with_mean(std, input, *args, **options)


def _with_mean(spread, input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    y = spread(input, dim, unbiased, keepdim, correction=correction)
    return y, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@method
def norm(input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """(the sum of |input|^p)^(1/p), over all axes or over `dim`.   p: "fro" is 2."""
    x = as_dtype(input.engine, dtype)
    if x.data.dtype.kind != "f":
        raise RuntimeError(f"norm: takes floats, got {input.dtype}; use .float().norm()")
    p = 2.0 if p in ("fro", None) else float(p)
    return wrap(mg.norm(x, axes(dim, x.ndim), keepdim, p))


@method
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """norm(input - other, p)."""
    return norm(input - other, p)


@method
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log(the sum of e^input)."""
    return wrap(mg.logsumexp(floats(input.engine), axes(dim, input.ndim), keepdim))


def _extreme(name, extreme, arg, elementwise):
    @along_axis
    def along(input, dim, keepdim=False):
        x = input.engine
        indices = arg(x, dim, True)
        values = mg.take_along_axis(x, indices, dim)
        if not keepdim:
            values, indices = mg.squeeze(values, dim), mg.squeeze(indices, dim)
        return Pair(wrap(values), wrap(indices))

    def call(input, dim=None, keepdim=False, *, other=None):
        if isinstance(dim, Tensor) or other is not None:
            return elementwise(input, dim if other is None else other)
        return wrap(extreme(input.engine)) if dim is None else along(input, dim, keepdim)

    call.__name__ = name
    call.__doc__ = f"The {name} of all, or (values, indices) along dim; of two tensors, elementwise."
    return method(call)


max = _extreme("max", mg.max, mg.argmax, maximum)
min = _extreme("min", mg.min, mg.argmin, minimum)


def _reduction(name, function, doc):
    def call(input, dim=None, keepdim=False):
        x = input.engine
        return wrap(function(x, axes(dim, x.ndim), keepdim))

    call.__name__, call.__doc__ = name, doc
    return method(call)


amax = _reduction("amax", mg.max, "The largest, along axes.")
amin = _reduction("amin", mg.min, "The smallest, along axes.")
any = _reduction("any", mg.Tensor.any, "Is one of them not 0?")
all = _reduction("all", mg.Tensor.all, "Are all of them not 0?")
Extremes = namedtuple("Extremes", ["min", "max"])


def _index_of(name, function, doc):
    def call(input, dim=None, keepdim=False):
        x = input.engine
        if not x.data.size and dim is None:
            raise IndexError(f"{name}: a tensor without elements has no largest and no smallest")
        return wrap(function(x, axes(dim, x.ndim), keepdim))

    call.__name__, call.__doc__ = name, doc
    return method(call)


argmax = _index_of("argmax", mg.argmax, "The index of the largest, in all elements or along dim.")
argmin = _index_of("argmin", mg.argmin, "The index of the smallest, in all elements or along dim.")


@method
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """(the smallest, the largest)."""
    return Extremes(amin(input, dim, keepdim), amax(input, dim, keepdim))


@method
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many are not 0."""
    return sum(input != 0, dim)


@method
@along_axis
def cumsum(input: Any, dim: int, dtype: Any = None) -> Any:
    """The running sum along dim."""
    return wrap(mg.cumsum(_whole(input.engine, dtype), dim))


@method
@along_axis
def cumprod(input: Any, dim: int, dtype: Any = None) -> Any:
    """The running product along dim."""
    return wrap(mg.cumprod(_whole(input.engine, dtype), dim))


# ----------------------------------------------------------------------------------------------------- in order ---


@method
@along_axis
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices) in order along dim; equal elements stay in their order."""
    x = input.engine
    order = mg.argsort(x, dim)
    if descending:  # backwards twice, so that equal elements stay in their order
        last = x.shape[dim] - 1
        order = mg.flip(last - mg.argsort(mg.flip(x, dim), dim), dim)
    return Pair(wrap(mg.take_along_axis(x, order, dim)), wrap(order))


@method
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along dim."""
    return sort(input, dim, descending).indices


@method
def msort(input: Any) -> Any:
    """In order along the first axis."""
    return sort(input, 0).values


@method
@along_axis
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest along dim."""
    return Pair(*lift(tuple(mg.topk(input.engine, k, dim, largest))))


@method
@along_axis
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """(value, index) of the k-th smallest along dim; k counts from 1."""
    values, indices = sort(input, dim)
    found = Pair(values.narrow(dim, k - 1, 1), indices.narrow(dim, k - 1, 1))
    return found if keepdim else Pair(*(x.squeeze(dim) for x in found))


@method
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all, or (values, indices) along dim.   Of an even number NumPy takes the mean of the middle two."""
    if dim is not None:
        size = input.engine.shape[axis_of(dim, input.ndim)] if input.ndim else 1
        return kthvalue(input, (size + 1) // 2, dim, keepdim)
    if not input.engine.data.size:
        return wrap(mg.sum(input.engine) * math.nan)
    x = mg.sort(mg.ravel(input.engine))
    return wrap(x[(x.size - 1) // 2])


@method
@along_axis
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the most frequent along dim, the smallest of several, at its last place."""
    axis = axis_of(dim, input.ndim)
    rows = np.moveaxis(input.engine.detach().to("cpu").data, axis, -1)

    def of_row(row):
        values, counts = np.unique(row, return_counts=True)
        return np.flatnonzero(row == values[counts.argmax()])[-1]

    indices = np.asarray([of_row(row) for row in rows.reshape(-1, rows.shape[-1])], np.int64).reshape(rows.shape[:-1])
    places = mg.Tensor(np.expand_dims(indices, axis)).to(input.engine.device)
    found = Pair(wrap(mg.take_along_axis(input.engine, places, axis)), wrap(places))
    return found if keepdim else Pair(*(x.squeeze(axis) for x in found))


@method
@along_axis
def quantile(input: Any, q: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The q-quantiles, linear between elements; several q come along a new first axis."""
    return wrap(mg.quantile(input.engine, lower(q), dim, keepdim))


# --------------------------------------------------------------------------------------- questions about values ---


@method
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different values, in order; return_inverse: the place of each element's value; return_counts: how often it comes."""
    x = input.engine.detach().to("cpu").data
    options: Any = {"return_inverse": return_inverse, "return_counts": return_counts, "axis": dim}
    found: Any = np.unique(x, **options)
    if return_inverse:
        found = (found[0], found[1].reshape(x.shape if dim is None else -1), *found[2:])
    place = lambda v: wrap(mg.Tensor(v).to(input.engine.device))
    return tuple(map(place, found)) if isinstance(found, tuple) else place(found)


def unique_consecutive(input: Any) -> Any:
    """A vector without the elements that equal the one before."""
    x = input.reshape(-1)
    return x[cat([x[:1] == x[:1], x[1:] != x[:-1]])]


@method
def equal(input: Any, other: Any) -> bool:
    """Same shape and same values?"""
    return input.shape == other.shape and bool((input == other).all())


@method
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """|input - other| <= atol + rtol |other|, elementwise."""
    a, b = input.detach(), other.detach()
    near = (a == b) | ((a - b).abs() <= atol + rtol * b.abs())
    return near | (a.isnan() & b.isnan()) if equal_nan else near


@method
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """|input - other| <= atol + rtol |other| everywhere?"""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@method
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number comes."""
    counted = np.bincount(input.cpu().numpy(), None if weights is None else weights.cpu().numpy(), minlength)
    return wrap(mg.Tensor(counted).to(input.engine.device))


@method
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements each of the equal bins from min to max has; both 0: from the smallest element to the largest."""
    x = input.engine.detach().to("cpu").data
    limits = (float(x.min()), float(x.max())) if min == max and x.size else (min, max)
    return wrap(mg.Tensor(np.histogram(x, bins, limits)[0].astype(x.dtype)).to(input.engine.device))


def searchsorted(sorted_sequence: Any, input: Any, *, right: bool = False, side: Any = None) -> Any:
    """Where each number would be put into the sorted vector."""
    side = side or ("right" if right else "left")
    return wrap(mg.searchsorted(sorted_sequence.engine, lower(input), side))


def bucketize(input: Any, boundaries: Any, *, right: bool = False) -> Any:
    """searchsorted(boundaries, input)."""
    return searchsorted(boundaries, input, right=right)


def isin(elements: Any, test_elements: Any, *, invert: bool = False) -> Any:
    """Is each element one of test_elements?"""
    among = np.isin(elements.engine.detach().to("cpu").data, test_elements.engine.detach().to("cpu").data, invert=invert)
    return wrap(mg.Tensor(among).to(elements.engine.device))


# ------------------------------------------------------------------------------------------------------ softmax ---


@method
@along_axis
def softmax(input: Any, dim: Any = None, dtype: Any = None) -> Any:
    """e^input / (the sum of e^input along dim)."""
    return wrap(mg.softmax(as_dtype(floats(input.engine), dtype), dim))


@method
@along_axis
def log_softmax(input: Any, dim: Any = None, dtype: Any = None) -> Any:
    """log(softmax(input, dim))."""
    return wrap(mg.log_softmax(as_dtype(floats(input.engine), dtype), dim))


__all__ = [*exported(globals())]
__all__.remove("Extremes")
