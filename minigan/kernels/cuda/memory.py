"""In what order an array's axes lie in memory, on a card; and several arrays made one.

CuPy gives every result of an elementwise op in C order, whatever its inputs' order was.  Our kernels keep the order they get.
"""

import math

from minigan.backend import xp


def order_of(x) -> tuple:
    """The axes of x, the one with the largest step in memory first."""
    if x.flags.c_contiguous:
        return tuple(range(x.ndim))
    return tuple(sorted(range(x.ndim), key=lambda axis: -x.strides[axis]))


def in_order(x, order):
    """x.transpose(order) in C order: a view if x lies so in memory, else a copy."""
    x = x if order == tuple(range(x.ndim)) else x.transpose(order)
    return x if x.flags.c_contiguous else xp(x).ascontiguousarray(x)


def around(shape, axis) -> tuple:
    """(outer, size, inner): how many elements are before an axis, along it, and behind it.   1 along an axis past the last."""
    return math.prod(shape[:axis]), math.prod(shape[axis : axis + 1]), math.prod(shape[axis + 1 :])


def plain(*vectors):
    """Vectors of channels as kernels take them: None stays, a view with gaps is copied."""
    return [v if v is None or v.flags.c_contiguous else xp(v).ascontiguousarray(v) for v in vectors]


def back(array, order):
    """The inverse of in_order: a view."""
    if order == tuple(range(array.ndim)):
        return array
    inverse = [0] * len(order)
    for place, axis in enumerate(order):
        inverse[axis] = place
    return array.transpose(inverse)


def concatenate(arrays, axis=0):
    """The arrays one after the other along an axis.

    CuPy's own uploads a table of addresses for more than eight small arrays: here each is copied to its place.
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
