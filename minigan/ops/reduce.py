"""Reductions: they make few numbers from many, over one axis, several, or all.

axis: None (all axes), an int, or a tuple of ints; negative ones count from the end.  keepdims: keep the reduced axes, with
size 1.  Shapes are NumPy's; the result has the input's dtype.  ShapeError for an axis that does not exist, or for an empty
axis if the result would be undefined (max, min, mean).

The gradient of a reduction is g, repeated along the reduced axes, times the derivative of the result by each element.
"""

import math
from typing import Any

import numpy as np

from minigan.arguments import shown, whole
from minigan.autograd import primitive
from minigan.backend import xp
from minigan.errors import ConfigError, ShapeError
from minigan.kernels.cpu import activation
from minigan.ops.elementwise import abs, exp, kept, nowhere, square, where
from minigan.ops.shape import axes_of, axis_of, broadcast_to, concatenate, flip, reshape, transpose
from minigan.tensor import Tensor, plain


def _keep(g, x, axis) -> Any:
    """g, which has the shape of the result, with the reduced axes back as size 1, so that it broadcasts against x."""
    axes = axes_of("sum", axis, x.ndim)
    return reshape(g, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def _spread(g, x, axis):
    """g, repeated along the reduced axes to x's shape."""
    return broadcast_to(_keep(g, x, axis), x.shape)


def _count(name, x, axis):
    return math.prod(x.shape[i] for i in axes_of(name, axis, x.ndim))


def _not_empty(name, x, axis):
    if not _count(name, x, axis):
        raise ShapeError(f"{name}: no elements along axis {axis} of shape {x.shape}, so there is no {name}")


def _sum(x, axis=None, keepdims=False):
    """y = the sum of x over the axes.   dy/dx = 1.   An empty sum is 0.

    >>> mg.sum(np.ones((2, 3)), axis=1).tolist()
    [3.0, 3.0]
    """
    return x.sum(axis=axes_of("sum", axis, x.ndim), keepdims=keepdims)


sum = primitive(_sum, lambda g, y, x, axis=None, keepdims=False: _spread(g, x, axis), name="sum", saves="neither")


def _mean(x, axis=None, keepdims=False):
    """y = the sum of x over the axes, divided by the number n of elements summed.   dy/dx = 1 / n.

    >>> float(mg.mean([1.0, 2.0, 6.0]))
    3.0
    """
    _not_empty("mean", x, axis)
    return _sum(x, axis, keepdims) * (1 / _count("mean", x, axis))


mean = primitive(
    _mean,
    lambda g, y, x, axis=None, keepdims=False: _spread(g * (1 / _count("mean", x, axis)), x, axis),
    name="mean",
    saves="neither",
)


def var(x, axis=None, ddof=0, keepdims=False) -> Tensor:
    """y = the sum of (x - mean x)^2 over the axes / (n - ddof), n elements.   dy/dx = 2 (x - mean x) / (n - ddof).

    >>> float(mg.var([1.0, 2.0, 3.0], ddof=1))
    1.0
    """
    n = _degrees("var", x, axis, ddof)
    return sum(square(x - mean(x, axis, True)), axis, keepdims) * (1 / n)


def std(x, axis=None, ddof=0, keepdims=False) -> Tensor:
    """y = sqrt(var(x)).   dy/dx = (x - mean x) / ((n - ddof) y), and 0 if all elements are equal, as for norm.

    >>> round(float(mg.std([1.0, 3.0])), 6)
    1.0
    """
    n = _degrees("std", x, axis, ddof)
    return norm(x - mean(x, axis, True), axis, keepdims) * math.sqrt(1 / n)


def _degrees(name, x, axis, ddof):
    n, ddof = _count(name, x, axis), whole(name, "ddof", ddof)
    if n - ddof <= 0:
        raise ShapeError(f"{name}: {n} element(s) along axis {axis} of shape {x.shape} are too few for ddof={ddof}")
    return n - ddof


def _max(x, axis=None, keepdims=False):
    """y = the largest element.   dy/dx = 1 at the largest; if k are equal, each gets 1/k.   A NaN counts as the largest.

    >>> x = mg.tensor([1.0, 4.0, 4.0], requires_grad=True)
    >>> mg.grad(mg.max(x), x)[0].tolist()
    [0.0, 0.5, 0.5]
    """
    _not_empty("max", x, axis)
    return x.max(axis=axes_of("max", axis, x.ndim), keepdims=keepdims)


def _min(x, axis=None, keepdims=False):
    """y = the smallest element.   dy/dx = 1 at the smallest; if k are equal, each gets 1/k.   A NaN counts as the smallest.

    >>> mg.min([[1.0, 5.0], [7.0, 2.0]], axis=0).tolist()
    [1.0, 2.0]
    """
    _not_empty("min", x, axis)
    return x.min(axis=axes_of("min", axis, x.ndim), keepdims=keepdims)


def _d_extreme(g, y, x, axis=None, keepdims=False):
    array, y = plain(x), plain(y)
    winners = array == _keep(y, x, axis)
    if not nowhere(y != y):  # if there is a NaN, y is NaN, and == never finds it
        winners = winners | (array != array)
    share = 1 / winners.sum(axis=axes_of("max", axis, x.ndim), keepdims=True)
    return kept(_spread(_keep(g, x, axis) * share.astype(g.dtype), x, axis), winners)


max = primitive(_max, _d_extreme, name="max")
min = primitive(_min, _d_extreme, name="min")


def prod(x, axis=None, keepdims=False) -> Tensor:
    """y = the product of the elements.   dy/dx[i] = the product of the others, also where some are 0.

    It multiplies one half by the other, log2(n) times, so that no order of derivative needs a division.  An empty
    product is 1.

    >>> float(mg.prod([2.0, 3.0, 4.0]))
    24.0
    """
    axes = axes_of("prod", axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    y = reshape(transpose(x, rest + list(axes)), (*(x.shape[i] for i in rest), _count("prod", x, axis)))
    while y.shape[-1] > 1:
        half = y.shape[-1] // 2
        pairs = y[..., :half] * y[..., half : 2 * half]
        y = concatenate([pairs, y[..., 2 * half :]], -1) if y.shape[-1] % 2 else pairs
    y = y[..., 0] if y.shape[-1] else sum(y, -1) + 1
    return _keep(y, x, axis) if keepdims else y


def _cumsum(x, axis=None):
    """y[i] = x[0] + ... + x[i] along the axis (None: of the flattened array).   dy[j]/dx[i] = 1 for j >= i, else 0.

    >>> mg.cumsum([1.0, 2.0, 3.0]).tolist()
    [1.0, 3.0, 6.0]
    """
    return x.cumsum(axis=axis if axis is None else axis_of("cumsum", axis, x.ndim))


def _d_cumsum(g, y, x, axis=None):
    along = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, along), along), along), x.shape)


cumsum = primitive(_cumsum, _d_cumsum, name="cumsum", saves="neither")


def cumprod(x, axis=None) -> Tensor:
    """y[i] = x[0] ... x[i], the product along the axis (None: of the flattened array).   dy[j]/dx[i] = y[j] without the
    factor x[i].

    It multiplies elements that are 1, 2, 4, ... places apart, so that no order of derivative needs a division, and zeros are
    right.

    >>> mg.cumprod(mg.tensor([2.0, 0.0, 3.0])).tolist()
    [2.0, 0.0, 0.0]
    """
    y, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis_of("cumprod", axis, x.ndim))
    n, shift = y.shape[axis], 1
    part = lambda a, b: (slice(None),) * axis + (slice(a, b),)
    while shift < n:
        y = concatenate([y[part(0, shift)], y[part(shift, n)] * y[part(0, n - shift)]], axis)
        shift *= 2
    return y + 0 if y is x else y


def _logsumexp(x, axis=None, keepdims=False):
    """y = ln(the sum of e^x over the axes), without overflow.   dy/dx = e^(x - y), the softmax of x.

    >>> round(float(mg.logsumexp([1000.0, 1000.0])) - 1000, 3)  # log 2, where e^1000 would overflow
    0.693
    """
    _not_empty("logsumexp", x, axis)
    axes = axes_of("logsumexp", axis, x.ndim)
    m = xp(x)
    top = x.max(axis=axes, keepdims=True)
    top = m.where(m.isfinite(top), top, 0)
    y = m.log(m.exp(x - top).sum(axis=axes, keepdims=True)) + top
    return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


logsumexp = primitive(
    _logsumexp,  # its rule uses softmax, and not e^(x - y), because y is rounded
    lambda g, y, x, axis=None, keepdims=False: _keep(g, x, axis) * softmax(x, axis),  # type: ignore[arg-type]
    name="logsumexp",
    saves="inputs",
)


def _softmax(x, axis=-1):
    """y = e^x / (the sum of e^x along the axis; a tuple: several; None: all).   dy[i]/dx[j] = y[i] (1{i=j} - y[j]).

    >>> mg.softmax([0.0, np.log(3)]).round(6).tolist()
    [0.25, 0.75]
    """
    m, axes = xp(x), axes_of("softmax", axis, x.ndim)
    if _in_rows(x, axes):
        return activation.softmax(_rows(x)).reshape(x.shape)
    y = m.exp(x - x.max(axis=axes, keepdims=True)) if x.size else x.copy()
    y /= y.sum(axis=axes, keepdims=True)
    return y


def _in_rows(x, axes):
    """Is the last axis of an array of floats on the CPU meant?  Then a kernel takes its rows in pieces that fit the cache."""
    return isinstance(x, np.ndarray) and axes == (x.ndim - 1,) and x.size and x.dtype.kind == "f"


def _rows(x):
    return x.reshape(-1, x.shape[-1])


def _softmax_slope(g, y, axis):
    """y (g - the sum of g y along the axis): the gradient of softmax, which has the output y."""
    if _in_rows(y, axes_of("softmax", axis, y.ndim)):
        return activation.softmax_gradient(_rows(g), _rows(y)).reshape(y.shape)
    return y * (g - _sum(g * y, axis, True))


_softmax_slope = primitive(
    _softmax_slope,
    lambda h, out, g, y, axis: _softmax_slope(h, y, axis),
    lambda h, out, g, y, axis: h * (g - sum(g * y, axis, True)) - g * sum(h * y, axis, True),
    name="softmax_gradient",
    saves="inputs",
)


def _log_softmax(x, axis=-1):
    """y = x - logsumexp(x) along the axis, computed from x - max x.   dy[i]/dx[j] = 1{i=j} - e^y[j].

    >>> np.exp(mg.log_softmax([0.0, np.log(3)])).round(6).tolist()
    [0.25, 0.75]
    """
    m, axes = xp(x), axes_of("log_softmax", axis, x.ndim)
    if not x.size:
        return x.copy()
    y = x - x.max(axis=axes, keepdims=True)  # first: the logarithm is small, and subtracted from an x of 1e8 it would be lost
    y -= m.log(m.exp(y).sum(axis=axes, keepdims=True))
    return y


softmax = primitive(_softmax, lambda g, y, x, axis=-1: _softmax_slope(g, y, axis), name="softmax", saves="output")
log_softmax = primitive(
    _log_softmax, lambda g, y, x, axis=-1: g - exp(y) * sum(g, axis, True), name="log_softmax", saves="output"
)


def _norm(x, axis=None, keepdims=False):
    """y = sqrt(the sum of x^2 over the axes), the Euclidean length.   dy/dx = x / y, and 0 where y = 0.

    x is first divided by its largest element, in case squares would overflow or vanish.  On the CPU this is done only if it is
    needed; on a GPU always, because reading the lengths would make the CPU wait.

    >>> float(mg.norm([3.0, 4.0]))
    5.0
    """
    m, axes = xp(x), axes_of("norm", axis, x.ndim)
    with np.errstate(over="ignore"):
        if m is np or not x.size:
            y = m.sqrt((x * x).sum(axis=axes, keepdims=keepdims))
            if not x.size or _squares_fit(y):
                return y
        largest = m.abs(x).max(axis=axes, keepdims=True)
        scaled = x / m.where((largest > 0) & m.isfinite(largest), largest, 1)
        y = m.sqrt((scaled * scaled).sum(axis=axes, keepdims=True)) * m.where(m.isfinite(largest), largest, 1)
        return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


_LENGTHS = {
    np.dtype(t).char: (float(np.sqrt(np.finfo(t).tiny) / np.finfo(t).eps), float(np.sqrt(np.finfo(t).max) / 2))
    for t in (np.float32, np.float64)
}


def _squares_fit(y):
    """Are these lengths far from where squares of numbers of this dtype overflow or lose digits?"""
    least, most = _LENGTHS.get(y.dtype.char, (0.0, math.inf))
    return y.min() >= least and y.max() <= most


def _d_norm(g, y, x, axis=None, keepdims=False):
    y = _keep(y, x, axis)
    zero = plain(y) == 0
    return kept(_keep(g, x, axis), ~zero) * (x / where(zero, 1.0, y))


_length = primitive(_norm, _d_norm, name="norm")


def norm(x, axis=None, keepdims=False, ord: float = 2) -> Tensor:
    """y = (the sum of |x|^p over the axes)^(1/p) with p = ord: 2 is the Euclidean length; inf is the largest |x|, -inf the
    smallest.

    dy/dx = sign(x) (|x| / y)^(p-1), and 0 where y = 0.  ord = 0 counts the elements that are not 0.  numpy.linalg.norm of
    vectors.

    >>> [float(mg.norm(mg.tensor([3.0, -4.0]), ord=p)) for p in (2, 1, np.inf)]
    [5.0, 7.0, 4.0]
    """
    if not isinstance(ord, (int, float, np.integer, np.floating)) or isinstance(ord, bool) or ord != ord:
        raise ConfigError(f"norm: ord must be a number such as 1, 2 or inf, got {shown(ord)}")
    if ord == 2:
        return _length(x, axis, keepdims)
    if ord == 1:
        return sum(abs(x), axis, keepdims)
    if abs(ord) == math.inf:
        return (max if ord > 0 else min)(abs(x), axis, keepdims)
    if ord == 0:
        array = plain(x)
        count = (array != 0).sum(axis=axes_of("norm", axis, x.ndim), keepdims=keepdims).astype(array.dtype)
        return Tensor(count) if isinstance(x, Tensor) else count
    size, m, axes = abs(x), xp(plain(x)), axes_of("norm", axis, x.ndim)
    array = plain(size)
    if not array.size:
        return sum(size, axis, keepdims)
    largest = array.max(axis=axes, keepdims=True)  # divided by it, no power overflows
    scale = m.where((largest > 0) & m.isfinite(largest), largest, 1)
    total = sum((size / scale) ** float(ord), axis, True)
    zero = plain(total) == 0
    y = kept(where(zero, 1.0, total) ** (1 / ord), ~zero) * scale
    return y if keepdims else reshape(y, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def argmax(x, axis=None, keepdims=False) -> Tensor:
    """The index (int64) of the largest element along the axis, or of the first one if several are equal; None: flattened.

    Integers have no derivative, so the result is a constant.

    >>> mg.argmax([[1.0, 5.0], [7.0, 2.0]], axis=1).tolist()
    [1, 0]
    """
    return _arg("argmax", x, axis, keepdims)


def argmin(x, axis=None, keepdims=False) -> Tensor:
    """The index (int64) of the smallest element along the axis, or of the first one if several are equal; None: flattened.

    >>> int(mg.argmin([3.0, 1.0, 1.0]))
    1
    """
    return _arg("argmin", x, axis, keepdims)


def _arg(name, x, axis, keepdims) -> Any:
    array = plain(x)
    along = None if axis is None else axis_of(name, axis, array.ndim)
    _not_empty(name, array, axis)
    y = getattr(xp(array), name)(array, axis=along)
    y = np.asarray(y) if isinstance(y, np.generic) else y
    y = _keep(y, array, axis) if keepdims else y
    return Tensor(y) if isinstance(x, Tensor) else y
