"""Order: sorting along an axis, and what needs sorted elements.

sort, topk         the elements in order, the largest k          argsort, searchsorted   places, which are integers
median, quantile   the value below which a share of the elements lies

A sorted element is an element of x at another place, so its gradient goes back to the place from which it came: sort picks
with take_along_axis, and every order of derivative follows.  If elements are equal, the first one comes first.  A NaN counts as
the largest number, as in NumPy.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from minigan.arguments import shown, whole
from minigan.backend import is_array, kept_beside, xp
from minigan.errors import ConfigError, ShapeError
from minigan.ops.elementwise import lerp, where
from minigan.ops.index import take_along_axis
from minigan.ops.shape import axes_of, axis_of, moveaxis, ravel, reshape, stack
from minigan.tensor import Tensor, plain


def _order(x, axis):
    """The places of x's elements in ascending order."""
    x = plain(x)
    if xp(x) is np:
        return x.argsort(axis=axis, kind="stable")
    return x.argsort(axis=axis)  # CuPy's is always stable


def sort(x, axis: int | None = -1) -> Tensor:
    """x with its elements in ascending order along the axis (None: of the flattened array).   dy/dx: each goes back to its
    place.

    >>> mg.sort(mg.tensor([3.0, 1.0, 2.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    x, axis = (ravel(x), 0) if axis is None else (x, axis_of("sort", axis, x.ndim))
    return take_along_axis(x, _order(x, axis), axis)


def argsort(x, axis: int | None = -1) -> Tensor:
    """The places (int64) of x's elements in ascending order along the axis; None: of the flattened array.   A constant.

    >>> mg.argsort([3.0, 1.0, 2.0]).tolist()
    [1, 2, 0]
    """
    array = plain(x)
    array, axis = (array.reshape(-1), 0) if axis is None else (array, axis_of("argsort", axis, array.ndim))
    return _like(_order(array, axis).astype(np.int64), x)


class TopK(NamedTuple):
    """What topk returns."""

    values: Tensor
    indices: Tensor


def topk(x, k, axis=-1, largest=True) -> TopK:
    """The k largest elements along the axis, the largest first, and their places (int64); largest=False: the smallest k.

    torch.topk.   ShapeError unless 0 <= k <= the size of the axis.

    >>> [part.tolist() for part in mg.topk(mg.tensor([1.0, 5.0, 3.0]), 2)]
    [[5.0, 3.0], [1, 2]]
    """
    axis, k = axis_of("topk", axis, x.ndim), whole("topk", "k", k, 0)
    if k > x.shape[axis]:
        raise ShapeError(f"topk: k={k} is more than the {x.shape[axis]} elements along axis {axis} of shape {x.shape}")
    order = _order(-plain(x) if largest and plain(x).dtype.kind == "f" else plain(x), axis)
    if largest and plain(x).dtype.kind != "f":
        order = xp(order).flip(order, axis)
    elif largest:  # a NaN is the largest, and it was last
        order = _nans_first(plain(x), order, axis)
    chosen = order[(slice(None),) * axis + (slice(k),)]
    return TopK(take_along_axis(x, chosen, axis), _like(chosen.astype(np.int64), x))


def _nans_first(x, order, axis):
    """The places in `order` with those of NaNs moved from the end to the start."""
    m = xp(x)
    bad = m.take_along_axis(m.isnan(x), order, axis)
    if m is np and not bad.any():
        return order
    again = (~bad).argsort(axis=axis, kind="stable") if m is np else (~bad).astype(np.int8).argsort(axis=axis)
    return m.take_along_axis(order, again, axis)


def median(x, axis=None, keepdims=False) -> Tensor:
    """The middle element over the axes (an int, several, or None: all), or the mean of the two in the middle.   NaN if one is
    NaN.

    As NumPy; torch.median takes the lower of the two instead.

    >>> float(mg.median(mg.tensor([1.0, 9.0, 2.0, 4.0])))
    3.0
    """
    return quantile(x, 0.5, axis, keepdims)


def quantile(x, q, axis=None, keepdims=False) -> Tensor:
    """The value below which the share q of the elements lies: sorted x at place q (n - 1), linear between two places.

    q: a number in [0, 1], or a list of them, which gives a new first axis.  axis: an int, several, or None (all).   NaN if
    one of the elements is NaN.   dy/dx goes to the one or two elements at that place.   ConfigError for q outside [0, 1];
    ShapeError if there is no element.

    >>> mg.quantile(mg.tensor([0.0, 1.0, 2.0]), [0.0, 0.75]).tolist()
    [0.0, 1.5]
    """
    shares = np.asarray(plain(q) if not is_array(plain(q)) or isinstance(plain(q), np.ndarray) else plain(q).get(), np.float64)
    if shares.ndim > 1 or not ((shares >= 0) & (shares <= 1)).all():
        raise ConfigError(f"quantile: q must be a number in [0, 1] or a list of them, got {shown(q)}")
    axes = axes_of("quantile", axis, x.ndim)
    n = math.prod(x.shape[i] for i in axes)
    if not n:
        raise ShapeError(f"quantile: no elements along axis {axis} of shape {x.shape}")
    rest = [i for i in range(x.ndim) if i not in axes]
    rows = moveaxis(x, axes, tuple(range(len(rest), x.ndim))) if axes else x
    rows = sort(reshape(rows, (*(x.shape[i] for i in rest), n)), -1)
    last = rows[..., n - 1]
    kept_shape = tuple(1 if i in axes else size for i, size in enumerate(x.shape))

    def at(share):
        place = share * (n - 1)
        low = min(int(place), n - 1)
        part, a, b = place - low, rows[..., low], rows[..., min(low + 1, n - 1)]
        if part:  # else its neighbour does not count, which may be infinite
            same = (plain(a) == plain(b)) & ~xp(plain(a)).isfinite(plain(a))  # two equal infinities have no difference
            a = where(same, a, lerp(where(same, 0.0, a), where(same, 0.0, b), part))
        y = where(plain(last) != plain(last), last, a)
        return reshape(y, kept_shape) if keepdims else y

    return at(float(shares)) if shares.ndim == 0 else stack([at(float(share)) for share in shares])


def searchsorted(a, v, side="left") -> Tensor:
    """For each number of v the place (int64) in the sorted array a before which it can be put so that a stays sorted.

    side "left": a[i-1] < v <= a[i]; "right": a[i-1] <= v < a[i].   A constant.   ShapeError unless a has one axis.

    >>> mg.searchsorted([1.0, 2.0, 3.0], [2.0, 9.0]).tolist()
    [1, 3]
    """
    array, values = plain(a), plain(v)
    if array.ndim != 1:
        raise ShapeError(f"searchsorted: a must have one axis, got {array.shape}")
    if side not in ("left", "right"):
        raise ConfigError(f"searchsorted: side is 'left' or 'right', not {side!r}")
    found = xp(array).searchsorted(array, kept_beside(values, array) if is_array(values) else values, side)
    return _like(xp(array).asarray(found, np.int64), a, v)


def _like(y, *inputs) -> Any:
    """A constant: a Tensor if one of the inputs is a Tensor, else the array."""
    return Tensor(y) if any(isinstance(x, Tensor) for x in inputs) else y
