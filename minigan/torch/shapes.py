"""The same elements in another arrangement.   Names that mean something else in NumPy: transpose, split, repeat, squeeze.

Most results share their memory with the input, as in PyTorch; where minigan must copy (the view of a transposed tensor), a
change of one is not seen in the other.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minigan as mg
from minigan.errors import AxisError, ConfigError
from minigan.torch import kinds
from minigan.torch.tables import METHODS, axis_of, exported, method, promoted
from minigan.torch.tensor import lift, lower, view_of, wrap


def given(sizes: Any) -> tuple:
    """Sizes that are given one by one, or as one tuple."""
    return tuple(lower(sizes[0])) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else tuple(map(int, sizes))


@method
def reshape(input: Any, *shape: Any) -> Any:
    """The same elements with another shape; one size may be -1."""
    return view_of(input, mg.reshape(input.engine, given(shape)))


def _view(input, *shape, size=None):
    """reshape; PyTorch refuses where that needs a copy, and minigan copies."""
    if len(shape) == 1 and isinstance(shape[0], kinds.dtype):
        raise ConfigError("view(dtype): minigan does not read bytes as other numbers; use .to(dtype)")
    return reshape(input, *(shape or (size,)))


METHODS["view"] = _view


@method
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes start_dim .. end_dim as one."""
    shape = input.engine.shape
    first, last = axis_of(start_dim, len(shape)), axis_of(end_dim, len(shape))
    if first > last:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@method
def ravel(input: Any) -> Any:
    """All axes as one."""
    return reshape(input, -1)


@method
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One axis as several."""
    if not input.ndim:
        raise RuntimeError("unflatten: a tensor without axes has no dim")
    shape, dim = input.engine.shape, axis_of(dim, input.ndim)
    known = math.prod(n for n in sizes if n != -1)
    sizes = tuple(shape[dim] // (known or 1) if n == -1 else n for n in sizes)
    if math.prod(sizes) != shape[dim]:
        raise RuntimeError(f"unflatten: sizes {sizes} do not make up dim {dim} of {shape}")
    return reshape(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@method
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes exchanged.   NumPy's transpose takes the order of all axes, PyTorch's permute."""
    x = input.engine
    if not x.ndim:
        return view_of(input, mg.reshape(x, ())) if not (axis_of(dim0, 0) or axis_of(dim1, 0)) else input
    return view_of(input, mg.swapaxes(x, dim0, dim1))


swapaxes = swapdims = transpose
METHODS.update(swapaxes=transpose, swapdims=transpose)


@method
def t(input: Any) -> Any:
    """A matrix with its axes exchanged; a vector as it is."""
    if input.ndim > 2:
        raise RuntimeError(f"t: takes at most 2 axes, got {tuple(input.shape)}; use .transpose(dim0, dim1)")
    return view_of(input, mg.transpose(input.engine))


@method
def adjoint(input: Any) -> Any:
    """The last two axes exchanged."""
    return transpose(input, -2, -1)


@method
def permute(input: Any, *dims: Any) -> Any:
    """The axes in this order."""
    return view_of(input, mg.transpose(input.engine, given(dims)))


@method
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Axes at other places."""
    return view_of(input, mg.moveaxis(input.engine, source, destination))


moveaxis = movedim
METHODS["moveaxis"] = movedim


@method
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the axes of size 1; of `dim` only those that have size 1, where NumPy raises an error for others."""
    x = input.engine
    if dim is None:
        return view_of(input, mg.squeeze(x))
    dims = [axis_of(d, x.ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    return view_of(input, mg.squeeze(x, tuple(d for d in dims if x.ndim and x.shape[d] == 1)))


@method
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of size 1."""
    return view_of(input, mg.expand_dims(input.engine, dim))


@method
def expand(input: Any, *sizes: Any) -> Any:
    """Axes of size 1 repeated to these sizes without copies; -1 keeps a size."""
    sizes, shape = given(sizes), input.engine.shape
    if len(sizes) < len(shape):
        raise RuntimeError(f"expand: {len(sizes)} size(s) are too few for a tensor of shape {shape}")
    shape = (1,) * (len(sizes) - len(shape)) + shape
    sizes = tuple(n if s == -1 else s for s, n in zip(sizes, shape))
    return view_of(input, mg.reshape(input.engine, sizes) if sizes == shape else mg.broadcast_to(input.engine, sizes))


METHODS["expand_as"] = lambda input, other: expand(input, *other.shape)
METHODS["view_as"] = METHODS["reshape_as"] = lambda input, other: reshape(input, *other.shape)


@method
def broadcast_to(input: Any, size: Any) -> Any:
    """expand(input, size)."""
    return expand(input, *size)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes have together."""
    try:
        return kinds.Size(np.broadcast_shapes(*map(tuple, shapes)))
    except ValueError:
        raise RuntimeError(f"shapes that do not broadcast: {', '.join(str(tuple(s)) for s in shapes)}") from None


def broadcast_tensors(*tensors: Any) -> tuple:
    """Each expanded to the common shape."""
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(x if x.shape == shape else expand(x, *shape) for x in tensors)


def _repeat(input, *sizes):
    """The whole tensor again and again: NumPy's tile.   NumPy's repeat is repeat_interleave."""
    times = given(sizes)
    if len(times) < input.ndim:
        raise RuntimeError(f"repeat: {len(times)} number(s) are too few for a tensor of shape {tuple(input.shape)}")
    return wrap(mg.tile(input.engine, times))


METHODS["repeat"] = _repeat


def tile(input: Any, dims: Any) -> Any:
    """input.repeat(dims), where missing axes count 1."""
    return wrap(mg.tile(input.engine, tuple(dims)))


@method
def repeat_interleave(input: Any, repeats: Any, dim: int | None = None) -> Any:
    """Each element again and again: NumPy's repeat."""
    if dim is not None and not input.ndim:
        raise AxisError("repeat_interleave: a tensor without axes has no dim")
    x = input.engine if input.ndim else mg.reshape(input.engine, 1)
    return wrap(mg.repeat(x, lower(repeats), dim))


# --------------------------------------------------------------------------------------- several together, apart ---


def _of_one_dtype(name, tensors):
    """minigan's tensors with their common dtype."""
    engines = [x.engine for x in tensors]
    if not engines:
        raise ValueError(f"{name}: takes at least one tensor")
    common = engines[0]
    for x in engines[1:]:
        if x.data.dtype != common.data.dtype:
            common, _ = promoted(common, x)
    return [mg.astype(x, common.dtype) if x.data.dtype != common.data.dtype else x for x in engines]


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """Tensors one after the other along dim."""
    engines = _of_one_dtype("cat", tensors)
    if not all(x.ndim for x in engines):
        raise RuntimeError("cat: a tensor without axes can't be joined; use torch.stack")
    engines = [x for x in engines if x.shape != (0,)] or engines[:1]  # PyTorch leaves empty vectors out
    y = wrap(mg.concatenate(engines, dim if axis is None else axis))
    return y if out is None else out.become(y)


concat = concatenate = cat


def stack(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Tensors side by side along a new axis."""
    y = wrap(mg.stack(_of_one_dtype("stack", tensors), dim))
    return y if out is None else out.become(y)


def atleast_1d(input: Any) -> Any:
    """A tensor without axes as a vector; others as they are."""
    return input if input.ndim else reshape(input, 1)


def atleast_2d(input: Any) -> Any:
    """A vector (n) as a matrix (1, n); matrices and larger as they are."""
    return input if input.ndim > 1 else reshape(input, 1, -1)


def hstack(tensors: Any) -> Any:
    """Along the second axis; vectors one after the other."""
    tensors = [atleast_1d(x) for x in tensors]
    return cat(tensors, 0 if tensors and tensors[0].ndim == 1 else 1)


def vstack(tensors: Any) -> Any:
    """One below the other."""
    return cat([atleast_2d(x) for x in tensors])


row_stack = vstack


def dstack(tensors: Any) -> Any:
    """Along the third axis."""
    return cat([x if x.ndim > 2 else atleast_2d(x).unsqueeze(2) for x in tensors], 2)


def column_stack(tensors: Any) -> Any:
    """Vectors as the columns of a matrix."""
    return cat([x if x.ndim > 1 else reshape(x, -1, 1) for x in tensors], 1)


@method
def split(input: Any, split_size: Any, dim: int = 0) -> tuple:
    """Pieces of this size along dim (the last may be smaller), or of these sizes.   NumPy's split takes a number of pieces."""
    n = _size_along("split", input, dim)
    if isinstance(split_size, (tuple, list)):
        sizes = list(split_size)
        if sum(sizes) != n or min(sizes, default=0) < 0:
            raise RuntimeError(f"split: the sizes {sizes} do not add up to {n}, the size of dim {dim}")
    else:
        if split_size < 0 or (split_size == 0 and n):
            raise RuntimeError(f"split: the size of a piece must be > 0, got {split_size}")
        sizes = [min(split_size, n - start) for start in range(0, n, split_size)] if n else [0]
    starts = np.cumsum([0, *sizes])
    return tuple(narrow(input, dim, int(start), size) for start, size in zip(starts, sizes))


METHODS["split_with_sizes"] = split


@method
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple:
    """At most so many equal pieces along dim."""
    n = _size_along("chunk", input, dim)
    return split(input, -(-n // chunks), dim) if n else tuple(narrow(input, dim, 0, 0) for _ in range(chunks))


@method
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple:
    """So many pieces along dim, or cut at these indices: NumPy's array_split."""
    n, cuts = _size_along("tensor_split", input, dim), indices_or_sections
    if isinstance(cuts, int):
        sizes = [n // cuts + (i < n % cuts) for i in range(cuts)]
    else:
        sizes = np.diff([0, *cuts, n]).tolist()
    return split(input, sizes, dim)


@method
def unbind(input: Any, dim: int = 0) -> tuple:
    """The slices along dim."""
    return tuple(select(input, dim, i) for i in range(_size_along("unbind", input, dim)))


@method
def select(input: Any, dim: int, index: int) -> Any:
    """Slice `index` along dim."""
    if not input.ndim:
        raise IndexError("select: a tensor without axes has no slices")
    return input[(slice(None),) * axis_of(dim, input.ndim) + (int(index),)]


@method
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """The slices start .. start + length - 1 along dim."""
    n, start = _size_along("narrow", input, dim), int(start)
    start = start + n if start < 0 else start
    if not 0 <= start <= start + length <= n:
        raise RuntimeError(f"narrow: {start} .. {start + length} is not inside dim {dim} of size {n}")
    return input[(slice(None),) * axis_of(dim, input.ndim) + (slice(start, start + length),)]


def _size_along(name, input, dim):
    if not input.ndim:
        raise AxisError(f"{name}: takes a tensor with at least one axis")
    return input.engine.shape[axis_of(dim, input.ndim)]


# --------------------------------------------------------------------------------------------------- turned round ---


@method
def flip(input: Any, *axes: Any, dims: Any = ()) -> Any:
    """The other way round along these axes."""
    axes = tuple(axis_of(d, input.ndim) for d in given(axes or (dims,)))
    return wrap(mg.flip(input.engine, axes)) if input.ndim else clone(input)


@method
def fliplr(input: Any) -> Any:
    """The second axis the other way round."""
    return flip(input, 1)


@method
def flipud(input: Any) -> Any:
    """The first axis the other way round."""
    return flip(input, 0)


@method
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """k quarter turns in the plane of two axes."""
    a, b = dims
    turned = [
        lambda x: x,
        lambda x: transpose(flip(x, b), a, b),
        lambda x: flip(x, a, b),
        lambda x: flip(transpose(x, a, b), b),
    ]
    return turned[k % 4](input)


@method
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Moved along dims; what falls off at one end comes in at the other."""
    return wrap(mg.roll(input.engine, shifts, dims))


@method
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two axes, as the last axis."""
    engine = input.engine
    if engine.node is not None:
        return wrap(mg.diagonal(engine, offset, dim1, dim2))
    array = engine.data.diagonal(offset, dim1, dim2)
    if hasattr(array.flags, "writeable"):  # NumPy's diagonal is a view that refuses changes; PyTorch's accepts them
        array.flags.writeable = engine.data.flags.writeable
    return wrap(mg.Tensor(array, None, engine.changed))


@method
def diag_embed(input: Any) -> Any:
    """The last axis as the diagonal of a matrix."""
    return input.unsqueeze(-1) * wrap(mg.eye(input.engine.shape[-1], dtype=input.engine.dtype).to(input.engine.device))


def block_diag(*tensors: Any) -> Any:
    """Matrices along the diagonal of a matrix of zeros."""
    blocks = [atleast_2d(x) for x in tensors]
    width, left, rows = sum(x.shape[1] for x in blocks), 0, []
    for x in blocks:
        rows.append(wrap(mg.pad(x.engine, ((0, 0), (left, width - left - x.shape[1])))))
        left += x.shape[1]
    return cat(rows)


@method
def diff(input: Any, n: int = 1, dim: int = -1) -> Any:
    """Each element minus the one before, n times, along dim."""
    for _ in range(n):
        size = _size_along("diff", input, dim)
        input = narrow(input, dim, 1, size - 1) - narrow(input, dim, 0, size - 1) if size else input
    return input


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple:
    """Coordinates of a grid.   NumPy's default is indexing="xy"."""
    listed = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    return tuple(lift(mg.meshgrid(*(x.engine for x in listed), indexing=indexing)))


def cartesian_prod(*tensors: Any) -> Any:
    """All tuples of elements of vectors, one a row."""
    return stack([x.reshape(-1) for x in meshgrid(*tensors)], 1)


def einsum(equation: str, *operands: Any) -> Any:
    """Sums of products by indices."""
    listed = operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    return wrap(mg.einsum(equation, *(x.engine for x in listed)))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sums over pairs of axes."""
    return wrap(mg.tensordot(a.engine, b.engine, dims))


@method
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy; derivatives pass through."""
    engine = input.engine
    return wrap(mg.Tensor(engine.data.copy()) if engine.node is None else mg.astype(engine, engine.dtype) * 1)


__all__ = [name for name in exported(globals()) if name != "given"]
