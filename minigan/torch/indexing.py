"""Picking elements by indices and conditions, and putting others there."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import minigan as mg
from minigan.torch.shapes import broadcast_tensors, stack
from minigan.torch.tables import along_axis, axis_of, exported, method, promoted
from minigan.torch.tensor import Tensor, lower, wrap


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where the condition is true, else other; with the condition alone, nonzero(condition, as_tuple=True)."""
    if input is None:
        return nonzero(condition, as_tuple=True)
    a, b = lower(input), lower(other)
    if isinstance(a, mg.Tensor) or isinstance(b, mg.Tensor):
        a, b = promoted(a, b)
    return wrap(mg.where(condition.engine, a, b))


@method
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """value where the mask is true, else input."""
    x, fill = input.engine, lower(value)
    if isinstance(fill, mg.Tensor) and fill.data.dtype != x.data.dtype:
        fill = mg.astype(fill, x.dtype)
    elif not isinstance(fill, mg.Tensor) and x.data.dtype.kind != "f":
        fill = x.data.dtype.type(fill)
    return wrap(mg.where(lower(mask), fill, x))


@method
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask is true, as a vector."""
    input, mask = broadcast_tensors(input, mask)
    return input[mask]


@method
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0: (count, axes), or one vector for each axis."""
    x = input.engine.data
    if as_tuple:
        return tuple(wrap(mg.Tensor(v)) for v in (x if x.ndim else x.reshape(1)).nonzero())
    if not x.ndim:
        return wrap(mg.Tensor(np.zeros((int(bool(x)), 0), np.int64)))
    return stack(nonzero(input, as_tuple=True), 1)


@method
@along_axis
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """out[i][j] = input[index[i][j]][j], along dim."""
    x, i, axis = input.engine, index.engine, axis_of(dim, input.ndim)
    if i.ndim != x.ndim:
        raise RuntimeError(f"gather: index {i.shape} must have as many axes as the tensor {x.shape}")
    if any(n > size for d, (n, size) in enumerate(zip(i.shape, x.shape)) if d != axis):
        raise RuntimeError(f"gather: index {i.shape} is larger than the tensor {x.shape} beside dim {dim}")
    if i.data.dtype != np.int64 and i.size:
        raise RuntimeError(f"gather: index must be int64, got {index.dtype}; use .long()")
    if any(n != size for d, (n, size) in enumerate(zip(i.shape, x.shape)) if d != axis):
        x = x[tuple(slice(None) if d == axis else slice(n) for d, n in enumerate(i.shape))]
    return wrap(mg.take_along_axis(x, i, axis))


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """NumPy's take_along_axis."""
    return gather(input, dim, indices) if dim is not None else input.reshape(-1).gather(0, indices.reshape(-1))


@method
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of these numbers along dim."""
    x = input.engine if input.ndim else mg.reshape(input.engine, 1)
    y = mg.take(x, mg.reshape(index.engine, -1), axis_of(dim, input.ndim))
    return wrap(y if input.ndim else mg.reshape(y, ()))


def _places(index, dim):
    """The index that puts values where scatter does."""
    places = list(np.indices(index.engine.shape, sparse=True))
    places[axis_of(dim, index.ndim)] = index.engine.data
    return tuple(places)


@method
@along_axis
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """A copy with out[index[i][j]][j] = src[i][j], along dim; src may be a number.   reduce: None or "add"."""
    src = value if src is None else src
    if isinstance(src, Tensor):
        if src.ndim:
            src = src[tuple(slice(n) for n in index.shape)]
        src = src if src.engine.dtype == input.engine.dtype else src.to(input.dtype)
    if reduce is not None:
        if reduce != "add":
            raise RuntimeError(f"scatter: reduce is None or 'add' here, not {reduce!r}")
        return scatter_add(input, dim, index, src)
    y = input.clone()
    if index.numel():
        y[_places(index, dim)] = src
    return y


@method
@along_axis
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with out[index[i][j]][j] += src[i][j], along dim."""
    if not isinstance(src, Tensor):
        src = wrap(mg.full(index.engine.shape, src, input.engine.dtype).to(input.engine.device))
    part = src[tuple(slice(n) for n in index.shape)]
    return input + wrap(mg.ops.scatter_into(part.engine, input.engine.shape, _places(index, dim)))


def _slices(input, dim, index):
    """The index of these slices along dim."""
    return (slice(None),) * axis_of(dim, input.ndim) + (lower(index).data.reshape(-1),)


@method
@along_axis
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy with value in the slices of these numbers along dim."""
    y = input.clone()
    y[_slices(input, dim, index)] = value
    return y


@method
@along_axis
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy with the slices of source in the slices of these numbers along dim."""
    y = input.clone()
    y[_slices(input, dim, index)] = source
    return y


@method
@along_axis
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """A copy with alpha times the slices of source added to the slices of these numbers along dim."""
    added = mg.ops.scatter_into(source.engine, input.engine.shape, _slices(input, dim, index))
    return input + (wrap(added) if alpha == 1 else alpha * wrap(added))


@method
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy with input[indices] = values; accumulate: added to what is there, also several times."""
    if accumulate:
        return input + wrap(mg.ops.scatter_into(values.engine, input.engine.shape, lower(tuple(indices))))
    y = input.clone()
    y[tuple(indices)] = values
    return y


@method
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy with the first elements of source where the mask is true."""
    y = input.clone()
    mask = mask.expand(*input.shape)
    y[mask] = source.reshape(-1)[: int(mask.sum())]
    return y


def combinations(input: Any, r: int = 2) -> Any:
    """All choices of r elements of a vector, one a row."""
    chosen = np.array(list(itertools.combinations(range(len(input)), r)), np.int64).reshape(-1, r)
    return input[wrap(mg.Tensor(chosen))]


def tril_indices(row: int, col: int, offset: int = 0) -> Any:
    """(2, count): row and column of each element on and below a diagonal."""
    return wrap(mg.Tensor(np.stack(np.tril_indices(row, offset, col))))


def triu_indices(row: int, col: int, offset: int = 0) -> Any:
    """(2, count): row and column of each element on and above a diagonal."""
    return wrap(mg.Tensor(np.stack(np.triu_indices(row, offset, col))))


def numel(input: Any) -> int:
    """The number of elements."""
    return input.engine.data.size


def is_tensor(obj: Any) -> bool:
    """Is it a Tensor?"""
    return isinstance(obj, Tensor)


def is_floating_point(input: Any) -> bool:
    """Are the elements floats?"""
    return input.engine.dtype.kind == "f"


__all__ = [*exported(globals())]
