"""Shape ops: the same numbers in another arrangement.  Their gradients reverse the arrangement.

Adjoint pairs: sum_to and broadcast_to; concatenate and slicing; pad and slicing.  reshape, transpose, flip and roll are
reversed by the same op with other arguments.  Most results are views: they share memory with the input, as in NumPy.
"""

import math
import operator
from itertools import pairwise

import numpy as np

from minigan.arguments import shown, sizes, whole
from minigan.autograd import primitive
from minigan.backend import kept_beside, xp
from minigan.errors import AxisError, ConfigError, DTypeError, ShapeError
from minigan.kernels import dispatch
from minigan.kernels.cpu.memory import flat, has_pixels_first
from minigan.tensor import Tensor, plain


def axes_of(op: str, axis, ndim: int) -> tuple:
    """The axes as a tuple of ints in 0 .. ndim-1; None means all.  AxisError for an axis that does not exist.

    ShapeError for one that comes twice, DTypeError for anything that is not an int.
    """
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    try:
        named = tuple(operator.index(i) for i in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    except TypeError:
        raise DTypeError(f"{op}: axis must be an int, a tuple of ints or None, got {shown(axis)}") from None
    for i in named:
        if not -ndim <= i < ndim:
            raise AxisError(f"{op}: axis {i} is out of range for an array of {ndim} axes")
    axes = tuple(i % ndim for i in named)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{op}: axis {axis} names an axis twice")
    return axes


def axis_of(op: str, axis, ndim: int) -> int:
    """The one axis, an int in 0 .. ndim-1.  DTypeError for several."""
    if isinstance(axis, (tuple, list)) or axis is None:
        raise DTypeError(f"{op}: axis must be one int, got {shown(axis)}")
    return axes_of(op, axis, ndim)[0]


def _sum_to(x, shape):
    """The sum of x over the axes along which an array of this shape is repeated if it is broadcast to x.shape.

    ShapeError if it does not broadcast.

    >>> mg.sum_to(mg.ones((4, 3)), (1, 3)).tolist()
    [[4.0, 4.0, 4.0]]
    """
    shape = sizes("sum_to", "shape", shape, 0)
    lead = x.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for m, n in zip(x.shape[lead:], shape)):
        raise ShapeError(f"sum_to: {tuple(shape)} does not broadcast to {x.shape}, so {x.shape} can't be summed to it")
    axes = tuple(i for i in range(x.ndim) if i < lead or shape[i - lead] == 1 != x.shape[i])
    return (x.sum(axis=axes, keepdims=True) if axes else x).reshape(shape)


def _broadcast_to(x, shape):
    """x repeated to the given shape, with new axes in front, without a copy.   The gradient is the sum over the repeats.

    >>> mg.broadcast_to([1.0, 2.0], (3, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]
    """
    try:
        return xp(x).broadcast_to(x, shape)
    except ValueError:
        shape = sizes("broadcast_to", "shape", shape, 0)
        raise ShapeError(f"broadcast_to: {x.shape} does not broadcast to {shape}; an axis must be equal or 1") from None


sum_to = primitive(_sum_to, lambda g, y, x, shape: broadcast_to(g, x.shape), name="sum_to", saves="neither", views=True)
broadcast_to = primitive(
    _broadcast_to, lambda g, y, x, shape: sum_to(g, x.shape), name="broadcast_to", saves="neither", views=True
)


def _reshape(x, shape):
    """The elements of x, in C order, in another shape with as many elements; one size may be -1, and is then computed.

    >>> mg.reshape(mg.arange(6), (2, -1)).shape
    (2, 3)
    """
    shape = shape if type(shape) is tuple else sizes("reshape", "shape", shape)
    try:
        if x.ndim == 4 and len(shape) == 2 and has_pixels_first(x):  # the memory orders of convolutions
            rows = flat(x)
            return (
                rows if shape[0] == len(x) and shape[1] in (-1, rows.shape[1]) else xp(x).ascontiguousarray(rows).reshape(shape)
            )
        return x.reshape(shape)
    except (ValueError, TypeError):
        shape = sizes("reshape", "shape", shape)
        raise ShapeError(f"reshape: {x.shape} has {x.size} elements, which do not fill the shape {shape}") from None


reshape = primitive(_reshape, lambda g, y, x, shape: reshape(g, x.shape), name="reshape", saves="neither", views=True)


def ravel(x) -> Tensor:
    """x in one axis, in C order.

    >>> mg.ravel([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    return reshape(x, (-1,))


def _transpose(x, axes=None):
    """Axis i of the result is axis axes[i] of x; None reverses them.   The gradient uses the inverse permutation.

    >>> mg.transpose(mg.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    axes = tuple(range(x.ndim))[::-1] if axes is None else axes_of("transpose", axes, x.ndim)
    if len(axes) != x.ndim:
        raise ShapeError(f"transpose: {len(axes)} axes {axes} for an array of {x.ndim} axes; name each once")
    return x.transpose(axes)


def _d_transpose(g, y, x, axes=None):
    if axes is None:
        return transpose(g)
    return transpose(g, tuple(np.argsort(axes_of("transpose", axes, x.ndim)).tolist()))


transpose = primitive(_transpose, _d_transpose, name="transpose", saves="neither", views=True)


def swapaxes(x, axis1, axis2) -> Tensor:
    """x, with two axes exchanged.

    >>> mg.swapaxes(mg.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    order = list(range(x.ndim))
    i, j = axis_of("swapaxes", axis1, x.ndim), axis_of("swapaxes", axis2, x.ndim)
    order[i], order[j] = j, i
    return transpose(x, order)


def moveaxis(x, source, destination) -> Tensor:
    """x, with the source axes moved to the destination positions; the other axes keep their order.

    >>> mg.moveaxis(mg.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    source, destination = axes_of("moveaxis", source, x.ndim), axes_of("moveaxis", destination, x.ndim)
    if len(source) != len(destination):
        raise ShapeError(f"moveaxis: {len(source)} source axes but {len(destination)} destinations")
    order = [i for i in range(x.ndim) if i not in source]
    for place, axis in sorted(zip(destination, source)):
        order.insert(place, axis)
    return transpose(x, order)


def expand_dims(x, axis) -> Tensor:
    """x with new axes of size 1; `axis` (an int or a tuple) gives their positions in the result.

    >>> mg.expand_dims(mg.zeros(3), (0, 2)).shape
    (1, 3, 1)
    """
    axes = axes_of("expand_dims", axis, x.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1))
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if i in axes else next(sizes) for i in range(x.ndim + len(axes))))


def squeeze(x, axis=None) -> Tensor:
    """x without these axes of size 1 (None: all axes of size 1).  ShapeError if an axis has another size.

    >>> mg.squeeze(mg.zeros((1, 3, 1))).shape
    (3,)
    """
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else axes_of("squeeze", axis, x.ndim)
    for i in axes:
        if x.shape[i] != 1:
            raise ShapeError(f"squeeze: axis {i} of {x.shape} has size {x.shape[i]}, not 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def _concatenate(*arrays, axis):
    for i, a in enumerate(arrays):
        if a.ndim != arrays[0].ndim or any(m != n for k, (m, n) in enumerate(zip(a.shape, arrays[0].shape)) if k != axis):
            raise ShapeError(
                f"concatenate: array {i} is {a.shape} and array 0 is {arrays[0].shape}; "
                f"all sizes but that of axis {axis} must be equal"
            )
    return dispatch.concatenate(arrays, axis)


def _d_concatenate(i, g, y, *arrays, axis):
    start = sum(a.shape[axis] for a in arrays[:i])
    return g[(slice(None),) * axis + (slice(start, start + arrays[i].shape[axis]),)]


_concatenate = primitive(_concatenate, _d_concatenate, name="concatenate", saves="neither", variadic=True)


def concatenate(arrays, axis: int | None = 0) -> Tensor:
    """The arrays one after the other along an axis.   Each array gets its slice of the gradient.

    arrays: one or more, whose shapes are equal except along that axis; axis None flattens them first.

    >>> mg.concatenate([mg.zeros((2, 3)), mg.ones((1, 3))]).shape
    (3, 3)
    """
    arrays = [ravel(a) for a in arrays] if axis is None else list(arrays)
    if not arrays:
        raise ShapeError("concatenate: needs at least one array, got none")
    return _concatenate(*arrays, axis=axis_of("concatenate", 0 if axis is None else axis, arrays[0].ndim))


def stack(arrays, axis=0) -> Tensor:
    """Arrays of one shape, side by side along a new axis, which is at position `axis` of the result.

    >>> mg.stack([mg.zeros(3), mg.ones(3)], axis=1).shape
    (3, 2)
    """
    arrays = list(arrays)
    if len({a.shape for a in arrays}) != 1:
        raise ShapeError(f"stack: needs arrays of one shape, got {[a.shape for a in arrays]}")
    axis = axis_of("stack", axis, arrays[0].ndim + 1)
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


def vstack(arrays) -> Tensor:
    """Arrays under each other: along the first axis; numbers and vectors are rows.

    >>> mg.vstack([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return concatenate([a if a.ndim > 1 else reshape(a, (1, -1)) for a in arrays], 0)


def hstack(arrays) -> Tensor:
    """Arrays beside each other: along the second axis, or the only one of vectors; numbers are vectors of one.

    >>> mg.hstack([[1.0, 2.0], [3.0]]).tolist()
    [1.0, 2.0, 3.0]
    """
    arrays = [reshape(a, (1,)) if a.ndim == 0 else a for a in arrays]
    return concatenate(arrays, 0 if arrays and arrays[0].ndim == 1 else 1)


def meshgrid(*xi, indexing="xy") -> list[Tensor]:
    """The coordinates of a grid from those of its axes: vectors of n1, n2, ... numbers give arrays of one shape.

    indexing "xy" (NumPy's default): the shape is (n2, n1, ...), and the first array varies along the second axis; "ij":
    (n1, n2, ...), as torch.meshgrid does.

    >>> [a.tolist() for a in mg.meshgrid(mg.tensor([1, 2]), mg.tensor([3, 4, 5]), indexing="ij")]
    [[[1, 1, 1], [2, 2, 2]], [[3, 4, 5], [3, 4, 5]]]
    """
    if indexing not in ("xy", "ij"):
        raise ConfigError(f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r}")
    for i, a in enumerate(xi):
        if a.ndim > 1:
            raise ShapeError(f"meshgrid: needs vectors, but array {i} is {a.shape}")
    shape = tuple(math.prod(a.shape) for a in xi)
    grids = [broadcast_to(reshape(a, tuple(n if i == k else 1 for k, n in enumerate(shape))), shape) for i, a in enumerate(xi)]
    return [swapaxes(grid, 0, 1) if indexing == "xy" and len(xi) > 1 else grid for grid in grids]


def split(x, sections, axis=0) -> list[Tensor]:
    """x cut along an axis into a list of views.   sections: the number of equal parts, or a list of indices at which to cut.

    >>> [part.tolist() for part in mg.split([1.0, 2.0, 3.0], [1])]
    [[1.0], [2.0, 3.0]]
    """
    axis = axis_of("split", axis, x.ndim)
    n = x.shape[axis]
    if np.ndim(sections) == 0:
        sections = whole("split", "sections", sections, what="an int or a list of indices")
        if sections < 1 or n % sections:
            raise ShapeError(f"split: axis {axis} of size {n} does not divide into {sections} equal parts")
        sections = range(n // sections, n, n // sections) if n else [0] * (sections - 1)
    bounds = [0, *sizes("split", "sections", sections), n]
    return [x[(slice(None),) * axis + (slice(a, b),)] for a, b in pairwise(bounds)]


def pad(x, pad_width, mode="constant", constant_values=0.0) -> Tensor:
    """x with more elements around it: pad_width = ((before, after), ...) per axis, or one pair or one number for all axes.

    mode: "constant" (constant_values), "edge" (repeats the border), "reflect" (mirrors x without repeating the border) or
    "wrap" (goes on at the other end; PyTorch calls it circular).
    The gradient of an inner element is the sum over its copies.

    >>> mg.pad([1.0, 2.0], 1, mode="edge").tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    widths = _pad_widths(pad_width, x.ndim)
    if mode == "constant":
        return _pad(x, widths, constant_values) if widths else x
    if mode not in ("edge", "reflect", "wrap"):
        raise ConfigError(f"pad: mode is 'constant', 'edge', 'reflect' or 'wrap', not {mode!r}")
    for axis, (before, after) in enumerate(widths):
        n = x.shape[axis]
        if not (before or after):
            continue
        if n == 0 or (mode == "reflect" and max(before, after) >= n):
            raise ShapeError(f"pad: {mode} padding ({before}, {after}) is too wide for axis {axis} of size {n}")
        where_from = np.pad(np.arange(n), (before, after), mode=mode)
        x = x[(slice(None),) * axis + (kept_beside(where_from, plain(x)),)]
    return x


def _pad_widths(pad_width, ndim):
    try:
        widths = np.broadcast_to(np.asarray(pad_width), (ndim, 2))
    except (ValueError, TypeError):
        raise ShapeError(f"pad: pad_width {pad_width} does not give (before, after) for each of {ndim} axes") from None
    if widths.size and (widths.dtype.kind not in "iu" or widths.min() < 0):
        raise ShapeError(f"pad: pad_width {pad_width} must hold integers >= 0")
    return tuple((int(a), int(b)) for a, b in widths)


def _d_pad(g, y, x, widths, value):
    return g[tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape))]


_pad = primitive(lambda x, widths, value: xp(x).pad(x, widths, constant_values=value), _d_pad, name="pad", saves="neither")


def _flip(x, axis=None):
    """x reversed along the axes (None: all).

    >>> mg.flip([1.0, 2.0, 3.0]).tolist()
    [3.0, 2.0, 1.0]
    """
    axes = axes_of("flip", axis, x.ndim)
    return x[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))]


flip = primitive(_flip, lambda g, y, x, axis=None: flip(g, axis), name="flip", saves="neither", views=True)


def _negated(shift):
    return tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift


def _roll(x, shift, axis=None):
    """x moved by `shift` places along the axis; elements that leave at one end come in at the other (None: flattened).

    >>> mg.roll([1.0, 2.0, 3.0], 1).tolist()
    [3.0, 1.0, 2.0]
    """
    axes = axis if axis is None else axes_of("roll", axis, x.ndim)
    shift = sizes("roll", "shift", shift) if isinstance(shift, (tuple, list)) else whole("roll", "shift", shift)
    if axes is None and isinstance(shift, tuple):
        raise ShapeError(f"roll: shift {shift} has several numbers, so axis must name as many; without axis give one")
    if isinstance(shift, tuple) and axes is not None and len(shift) != len(axes):
        raise ShapeError(f"roll: {len(shift)} shifts {shift} for {len(axes)} axes {axes}; give one for each")
    return xp(x).roll(x, shift, axis=axes)


roll = primitive(_roll, lambda g, y, x, shift, axis=None: roll(g, _negated(shift), axis), name="roll", saves="neither")


def repeat(x, repeats, axis=None) -> Tensor:
    """Each element `repeats` times in a row along the axis (None: of the flattened array).  repeats: an int, or one for each.

    The gradient of an element is the sum over its copies.

    >>> mg.repeat([1.0, 2.0], [2, 3]).tolist()
    [1.0, 1.0, 2.0, 2.0, 2.0]
    """
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of("repeat", axis, x.ndim)
    counts = np.asarray(repeats, dtype=np.intp if np.size(repeats) == 0 else None)
    if (
        counts.ndim > 1
        or counts.dtype.kind not in "iu"
        or (counts < 0).any()
        or (counts.ndim and counts.size not in (1, x.shape[axis]))
    ):
        raise ShapeError(f"repeat: repeats {repeats} must be an int >= 0, or one for each of {x.shape[axis]} elements")
    if counts.size == 1:  # this case needs no index
        return _repeat(x, int(counts.reshape(-1)[0]), axis)
    return x[(slice(None),) * axis + (kept_beside(np.repeat(np.arange(x.shape[axis]), counts), plain(x)),)]


def tile(x, reps) -> Tensor:
    """All of x, reps[i] times along axis i (an int: along the last axis).  If there are more reps than axes, x gets new axes
    in front.

    >>> mg.tile([1.0, 2.0], 2).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    reps = sizes("tile", "reps", reps)
    shape = (1,) * (len(reps) - x.ndim) + tuple(x.shape)
    reps = (1,) * (len(shape) - len(reps)) + reps
    if min(reps, default=0) < 0:
        raise ShapeError(f"tile: reps {reps} must be integers >= 0")
    return _tile(reshape(x, shape), reps)


# It copies even if nothing is repeated, as NumPy does, so that a write into the result does not change x.
_repeat = primitive(
    lambda x, n, axis: xp(x).repeat(x, n, axis),
    lambda g, y, x, n, axis: reshape(g, (*x.shape[: axis + 1], n, *x.shape[axis + 1 :])).sum(axis=axis + 1),
    name="repeat",
    saves="neither",
)


def _d_tile(g, y, x, reps):
    pairs = tuple(n for pair in zip(reps, x.shape) for n in pair)
    return reshape(g, pairs).sum(axis=tuple(range(0, len(pairs), 2)))


_tile = primitive(lambda x, reps: xp(x).tile(x, reps), _d_tile, name="tile", saves="neither")


def _tril(x, k=0):
    """x with 0 above the k-th diagonal of the last two axes (k > 0: above the main one).  ShapeError below 2 axes.

    >>> mg.tril(mg.ones((2, 3))).tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    return xp(x).tril(_two_axes("tril", x), whole("tril", "k", k))


def _triu(x, k=0):
    """x with 0 below the k-th diagonal of the last two axes (k > 0: above the main one).  ShapeError below 2 axes.

    >>> mg.triu(mg.ones((2, 3)), 1).tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    return xp(x).triu(_two_axes("triu", x), whole("triu", "k", k))


def _two_axes(name, x):
    if x.ndim < 2:
        raise ShapeError(f"{name}: needs an array of at least 2 axes, got shape {x.shape}")
    return x


tril = primitive(_tril, lambda g, y, x, k=0: tril(g, k), name="tril", saves="neither")
triu = primitive(_triu, lambda g, y, x, k=0: triu(g, k), name="triu", saves="neither")


def _astype(x, dtype):
    """x converted to another dtype.   The gradient is converted back between floats; integers and booleans have none."""
    return x.astype(dtype)


_astype = primitive(_astype, lambda g, y, x, dtype: g.astype(x.dtype), name="astype", saves="neither")


def astype(x, dtype) -> Tensor:
    """x converted to another dtype.   The gradient is converted back between floats; integers and booleans have none.

    >>> mg.astype([1.5, 2.5], "int64").tolist()
    [1, 2]
    """
    if isinstance(x, Tensor) and np.dtype(dtype).kind != "f":
        x = x.detach()
    return _astype(x, dtype)
