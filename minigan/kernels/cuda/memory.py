"""The memory order of an array's axes on a GPU; and how several arrays become one.

CuPy gives every result of an elementwise op in C order, for any order of its inputs.  Our kernels keep the order of the input.
"""

import math

from minigan.backend import xp


def order_of(x) -> tuple:
    """The axes of x, the one with the largest step in memory first."""
    if x.flags.c_contiguous:
        return tuple(range(x.ndim))
    return tuple(sorted(range(x.ndim), key=lambda axis: -x.strides[axis]))


def in_order(x, order):
    """x.transpose(order) in C order: a view if x's memory has that order, else a copy."""
    x = x if order == tuple(range(x.ndim)) else x.transpose(order)
    return x if x.flags.c_contiguous else xp(x).ascontiguousarray(x)


def around(shape, axis) -> tuple:
    """(outer, size, inner): the elements before an axis, along it, and after it.   An axis past the last has size 1."""
    return math.prod(shape[:axis]), math.prod(shape[axis : axis + 1]), math.prod(shape[axis + 1 :])


def plain(*vectors):
    """Vectors of channels in the form that kernels take: None stays None, and a view with gaps is copied."""
    return [v if v is None or v.flags.c_contiguous else xp(v).ascontiguousarray(v) for v in vectors]


def back(array, order):
    """The inverse of in_order, as a view."""
    if order == tuple(range(array.ndim)):
        return array
    inverse = [0] * len(order)
    for place, axis in enumerate(order):
        inverse[axis] = place
    return array.transpose(inverse)


def concatenate(arrays, axis=0):
    """The arrays one after the other along an axis.

    For more than eight small arrays CuPy's function uploads a table of addresses; here each array is copied to its place.
    """
    m = xp(*arrays)
    if len(arrays) <= 8:
        return m.concatenate(arrays, axis=axis)
    shape = list(arrays[0].shape)
    shape[axis] = sum(a.shape[axis] for a in arrays)
    out, start = m.empty(shape, m.result_type(*{a.dtype for a in arrays})), 0
    for a in arrays:
        out[(slice(None),) * axis + (slice(start, start + a.shape[axis]),)] = a
        start += a.shape[axis]
    return out
