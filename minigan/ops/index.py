"""Indexing: picking elements, and its adjoint, adding elements into their places.

getitem and scatter_into are each other's gradients; everything else here is one of the two with its own index.  Indices
are integers, slices, boolean masks, integer arrays or Tensors; they are never differentiated.  OutOfBoundsError for an
index outside its axis.

On a GPU: an index that is a NumPy array is checked and uploaded at every call; a list is uploaded only once.  An index that is
on the GPU already is checked only inside `with mg.debug():`, because the CPU would have to wait for it at every step; if it is
out of bounds, CuPy wraps it around.  Class numbers need no such check: for a class that does not exist, embedding and the
losses give NaN, and one_hot gives a row of zeros.  A mask on the GPU always costs a wait, because its count is the size of the
result.
"""

import math
from typing import Any

import numpy as np

from minigan.arguments import shown, sizes, whole
from minigan.autograd import primitive
from minigan.backend import beside, is_array, kept_beside, xp
from minigan.errors import DTypeError, OutOfBoundsError, ShapeError
from minigan.ops.elementwise import kept, where
from minigan.ops.shape import axis_of, ravel, reshape
from minigan.tensor import Tensor, plain
from minigan.watch import looking, watchers


def _is_basic(index):
    """True if the index has only slices, integers, None and Ellipsis, so that it names no element twice."""
    return all(
        i is None or i is Ellipsis or isinstance(i, (int, slice, np.integer))
        for i in (index if isinstance(index, tuple) else (index,))
    )


def _checked(index, x, op="getitem"):
    """The index in the form that x's module needs; OutOfBoundsError for too many axes or a number outside its axis."""
    x, items = plain(x), list(index) if isinstance(index, tuple) else [index]
    listed = [isinstance(item, (list, range, tuple)) for item in items]
    for place, item in enumerate(items):
        if listed[place]:
            try:
                items[place] = np.asarray(item, dtype=np.intp if not len(item) else None)
            except ValueError:
                raise DTypeError(f"{op}: the lists in an index must be equally long, got {shown(item)}") from None
    axis = 0
    taken = sum(
        i.ndim
        if is_array(i) and i.dtype == bool
        else i is not None and i is not Ellipsis and not isinstance(i, (bool, np.bool_))
        for i in items
    )
    for item in items:
        if item is None or isinstance(item, (bool, np.bool_)):
            continue
        if item is Ellipsis:
            axis += x.ndim - taken
            continue
        if is_array(item) and item.dtype == bool:
            if item.shape != x.shape[axis : axis + item.ndim]:
                raise OutOfBoundsError(f"{op}: a mask of shape {item.shape} does not fit shape {x.shape} from axis {axis} on")
            axis += item.ndim
            continue
        if axis >= x.ndim:
            raise OutOfBoundsError(f"{op}: too many indices for shape {x.shape}: {len(items)} given")
        if isinstance(item, (int, np.integer)):
            low = high = item
        elif is_array(item) and item.dtype.kind in "iu":
            looking(_check_indices, op, item, x.shape, axis)
            low, high = 0, -1
        elif is_array(item):
            raise DTypeError(f"{op}: an index array holds integers or booleans, got {item.dtype}")
        elif isinstance(item, slice):
            low, high = 0, -1
        else:
            raise OutOfBoundsError(f"{op}: an index is integers, slices, booleans, None or ..., got {shown(item)}")
        _check_bounds(op, low, high, x.shape, axis)
        axis += 1
    if not isinstance(x, np.ndarray):
        items = [i for item, is_list in zip(items, listed) for i in _uploaded(item, x, kept_beside if is_list else beside)]
    return tuple(items) if isinstance(index, tuple) or len(items) > 1 else items[0]


def _check_indices(op, index, shape, axis):
    if index.size and _may_look(index):
        _check_bounds(op, int(index.min()), int(index.max()), shape, axis)


def _check_bounds(op, low, high, shape, axis):
    if low < -shape[axis] or high >= shape[axis]:
        bad = int(low if low < -shape[axis] else high)
        raise OutOfBoundsError(f"{op}: index {bad} is out of bounds for axis {axis} of shape {shape}")


def _may_look(array) -> bool:
    """May we read the array?  On a GPU that makes the CPU wait, so only inside debug()."""
    return isinstance(array, np.ndarray) or bool(watchers.active)


def _uploaded(item, x, upload):
    """One part of an index, as a list of parts on x's GPU; a mask becomes the integer indices of its true elements."""
    if isinstance(item, np.ndarray):
        return [upload(i, x) for i in (item.nonzero() if item.dtype == bool and item.ndim else [item])]
    return [item]


def _getitem(x, index):
    """y = x[index], in every form that NumPy has.   The gradient is added to the places from which the elements came."""
    return x[index]


def _scatter(x, shape, index):
    """Zeros of a shape, with x added at [index]: an element that the index names k times receives k values."""
    if not isinstance(x, np.ndarray) and x.dtype.kind in "iub" and x.dtype.itemsize < 4:
        return _scatter(x.astype(np.int32), shape, index).astype(x.dtype)  # a GPU cannot add such small types atomically
    out = xp(x).zeros(shape, x.dtype)
    if _is_basic(index):
        out[index] = x
    else:
        _add_at(out, x, index)
    return out


def _add_at(out, x, index):
    """out[index] += x, where an element that the index names k times receives k values."""
    rows: Any = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    if _is_basic(index):
        out[index] += x
    elif isinstance(out, np.ndarray) and is_array(rows) and rows.dtype.kind in "iu" and 0 < rows.size < x.size:
        _add_rows(out, rows.ravel() % len(out), x.reshape(rows.size, *out.shape[1:]))
    else:
        xp(out).add.at(out, index, x)


def _add_rows(out, rows, x):
    """Add x[i] to out[rows[i]]: the rows are sorted, then one reduction sums each group.

    For 1024 rows of 128 numbers this takes a sixth of the time of np.add.at.
    """
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    out[rows[starts]] += np.add.reduceat(x[order], starts, axis=0)


_getitem = primitive(_getitem, lambda g, y, x, index: _scatter(g, x.shape, index), name="getitem", saves="neither", views=True)
# Many cuts of one array, such as its rows in a loop, add their gradients into one array, so each costs only what it cuts.
_getitem.op.adds = _add_at  # type: ignore[attr-defined]  # see autograd._callable
_scatter = primitive(_scatter, lambda g, y, x, shape, index: _getitem(g, index), name="scatter_into", saves="neither")


def getitem(x, index) -> Tensor:
    """y = x[index]: integers, slices, None, Ellipsis, boolean masks, integer arrays, np.ix_, in every mix that NumPy allows.

    The gradient is added to the places from which the elements came; an element picked k times gets the sum of k gradients.
    OutOfBoundsError for an index outside its axis.

    >>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> mg.grad(x[[0, 0, 2]].sum(), x)[0].tolist()
    [2.0, 0.0, 1.0]
    """
    return _getitem(x, _checked(plain(index), x))


def scatter_into(x, shape, index) -> Tensor:
    """Zeros of a shape, with x added at [index]: an element that the index names k times receives k values.

    OutOfBoundsError for an index outside the shape.

    >>> mg.scatter_into([1.0, 2.0, 3.0], (3,), [0, 2, 0]).tolist()
    [4.0, 0.0, 2.0]
    """
    like, shape = plain(x), sizes("scatter_into", "shape", shape, 0)
    place = xp(like).broadcast_to(xp(like).zeros((), like.dtype), shape)
    index = _checked(plain(index), place, "scatter_into")
    if place[index].shape != like.shape:
        raise ShapeError(f"scatter_into: x is {like.shape}, but the index names {place[index].shape} of {shape}")
    return _scatter(x, shape, index)


def take(x, indices, axis=None) -> Tensor:
    """x at integer indices (array or Tensor, any shape) along the axis (None: of the flattened array).

    >>> mg.take([10.0, 20.0, 30.0], [2, 0]).tolist()
    [30.0, 10.0]
    """
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of("take", axis, x.ndim)
    return _getitem(x, _checked((slice(None),) * axis + (plain(indices),), x, "take"))


def _along(name, indices, shape, axis):
    """The index tuple of NumPy's *_along_axis functions: `indices` on the axis, and 0, 1, 2, ... on every other axis."""
    axis = axis_of(name, axis, len(shape))
    if indices.ndim != len(shape) or any(m not in (n, 1) for i, (m, n) in enumerate(zip(indices.shape, shape)) if i != axis):
        raise ShapeError(f"{name}: indices {indices.shape} must have the axes of {tuple(shape)}, all but axis {axis} equal")
    grid = []
    for i, n in enumerate(shape):
        if i == axis:
            grid.append(indices)
        else:
            grid.append(kept_beside(np.arange(n), indices).reshape((1,) * i + (n,) + (1,) * (len(shape) - i - 1)))
    return tuple(grid)


def take_along_axis(x, indices, axis) -> Tensor:
    """y[i, j, k] = x[i, indices[i, j, k], k] (for axis 1), for indices such as argmax and argsort give.

    >>> mg.take_along_axis([[1.0, 5.0], [7.0, 2.0]], [[1], [0]], axis=1).tolist()
    [[5.0], [7.0]]
    """
    index = _along("take_along_axis", plain(indices), x.shape, axis)
    return _getitem(x, _checked(index, x, "take_along_axis"))


def scatter_add(x, indices, values, axis=0) -> Tensor:
    """x with values added at integer indices along the axis; an index named k times receives k values.   A new array.

    indices: integers, any shape.  values: x's shape with the axis replaced by the shape of indices.

    >>> mg.scatter_add([0.0, 0.0, 0.0], [0, 2, 0], [1.0, 2.0, 3.0]).tolist()
    [4.0, 0.0, 2.0]
    """
    axis = axis_of("scatter_add", axis, x.ndim)
    indices = plain(indices)
    expected = (*x.shape[:axis], *np.shape(indices), *x.shape[axis + 1 :])
    if values.shape != expected:
        raise ShapeError(
            f"scatter_add: values are {values.shape}, need {expected} for x {x.shape}, axis {axis} "
            f"and indices {np.shape(indices)}"
        )
    return x + scatter_into(values, x.shape, _checked((slice(None),) * axis + (indices,), x, "scatter_add"))


def one_hot(labels, num_classes, dtype: Any = np.float32) -> Tensor:
    """y[..., k] = 1 where labels[...] = k, else 0.   A constant.   labels: integers 0 .. num_classes-1, any shape.

    >>> mg.one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    array = plain(labels)
    array = array if is_array(array) else np.asarray(array)
    num_classes = whole("one_hot", "num_classes", num_classes, 0)
    looking(_integers_below, "one_hot", array, num_classes)
    m = xp(array)
    y = (array[..., None] == m.arange(num_classes)).astype(dtype)
    return Tensor(y) if isinstance(labels, Tensor) else y


def _integers_below(name, array, n):
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{name}: labels must be integers, got {array.dtype}")
    if array.size and _may_look(array) and (array.min() < 0 or array.max() >= n):
        bad = int(array.min() if array.min() < 0 else array.max())
        raise OutOfBoundsError(f"{name}: {bad} is outside 0 .. {n - 1}")


def embedding(indices, weight, padding_idx=None) -> Tensor:
    """y[...] = weight[indices[...]]: a row of the table for each index.   A row used k times gets k gradients.

    indices: integers 0 .. n-1, any shape;  weight (n, d)  ->  (*indices.shape, d).  padding_idx: this row gets no gradient.

    >>> mg.embedding([1, 1, 0], [[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
    """
    array = plain(indices)
    array = array if is_array(array) else np.asarray(array)
    if weight.ndim != 2:
        raise ShapeError(f"embedding: weight is (n, d), a row for each index, got {weight.shape}")
    n = weight.shape[0]
    if padding_idx is not None and not -n <= whole("embedding", "padding_idx", padding_idx) < n:
        raise OutOfBoundsError(f"embedding: padding_idx {padding_idx} is not one of the {n} rows of weight {weight.shape}")
    looking(_integers_below, "embedding", array, n)
    known, array = known_classes(array, n, plain(weight))
    y = _getitem(weight, array) if padding_idx is None else _embedding(weight, array, padding_idx % n)
    return y if known is None else where(known[..., None], y, math.nan)


def known_classes(indices, n, like):
    """(None, the indices on the device of `like`) for indices from the CPU, whose bounds are checked elsewhere.  For indices on
    a GPU: (a mask of those in 0 .. n-1, the indices with 0 for the others), so that the caller can give NaN for the others."""
    if isinstance(indices, np.ndarray):
        return None, beside(indices, like)
    known = (indices >= 0) & (indices < n)
    return known, xp(indices).where(known, indices, 0)


def _d_embedding(g, y, weight, indices, padding_idx):
    return _scatter(kept(g, (indices != padding_idx)[..., None]), weight.shape, indices)


_embedding = primitive(lambda weight, indices, padding_idx: weight[indices], _d_embedding, name="embedding", saves="neither")


def diagonal(x, offset=0, axis1=0, axis2=1) -> Tensor:
    """x[i, i + offset] along two axes; one new axis at the end replaces them.

    >>> mg.diagonal([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 4.0]
    """
    i, j, offset = axis_of("diagonal", axis1, x.ndim), axis_of("diagonal", axis2, x.ndim), whole("diagonal", "offset", offset)
    if i == j:
        raise ShapeError(f"diagonal: axis1 and axis2 are the same axis {i}")
    rows, columns = np.arange(x.shape[i]), np.arange(x.shape[i]) + offset
    inside = (columns >= 0) & (columns < x.shape[j])
    rest = [k for k in range(x.ndim) if k not in (i, j)]
    flat = reshape(x.transpose([*rest, i, j]), (*(x.shape[k] for k in rest), x.shape[i] * x.shape[j]))
    return flat[..., kept_beside((rows * x.shape[j] + columns)[inside], plain(x))]


def trace(x, offset=0, axis1=0, axis2=1) -> Tensor:
    """The sum of the diagonal.

    >>> float(mg.trace([[1.0, 2.0], [3.0, 4.0]]))
    5.0
    """
    return diagonal(x, offset, axis1, axis2).sum(axis=-1)


def diag(x, k=0) -> Tensor:
    """A vector as the k-th diagonal of a square matrix of zeros, or the k-th diagonal of a matrix (k > 0: above the main one).

    >>> mg.diag(mg.tensor([1.0, 2.0])).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    k = whole("diag", "k", k)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag: needs a vector or a matrix, got {x.shape}")
    n, size = x.shape[0], x.shape[0] + abs(k)
    rows, columns = np.arange(n) + max(-k, 0), np.arange(n) + max(k, 0)
    return reshape(_scatter(x, (size * size,), kept_beside(rows * size + columns, plain(x))), (size, size))
