"""Puts the ops and the graph on Tensor: `a + b` is ops.add(a, b), `x.backward()` autograd's; and makes new tensors.

Importing minigan imports this file once; after that a Tensor has NumPy's operators and methods.
"""

import numpy as np

from minigan import ops
from minigan.autograd import backward, leaf, primitive
from minigan.backend import check_device, device_of, is_array, mixed_devices, new_array, to_device, xp
from minigan.errors import DeviceError, GraphError, ShapeError
from minigan.grad_mode import is_recording
from minigan.tensor import Tensor, plain, tensor

# Operators, and the same with the tensor on the right.
for symbol, op in {"add": ops.add, "sub": ops.subtract, "mul": ops.multiply, "truediv": ops.divide, "pow": ops.power,
                   "matmul": ops.matmul}.items():
    setattr(Tensor, f"__{symbol}__", op)
    setattr(Tensor, f"__r{symbol}__", lambda a, b, op=op: op(b, a))

Tensor.__neg__ = lambda x: ops.negative(x)
Tensor.__pos__ = lambda x: x
Tensor.__abs__ = lambda x: ops.abs(x)
Tensor.__getitem__ = lambda x, index: ops.getitem(x, index)
Tensor.T = property(lambda x: ops.transpose(x), doc="The axes reversed.")


def _comparison(symbol):
    def compare(a, b):
        """Elementwise, a constant boolean Tensor: comparisons have no derivative."""
        b = plain(b)
        if is_array(b) and type(b) is not type(a.data):
            raise DeviceError(mixed_devices(symbol.strip("_"), [a.data, b]))
        y = getattr(a.data, symbol)(b)
        return Tensor(np.asarray(y) if isinstance(y, np.generic) else y)

    compare.__name__ = symbol
    return compare


for symbol in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
    setattr(Tensor, symbol, _comparison(symbol))

# Methods that are the function of the same name.
for name in ("sum mean prod max min var std argmax argmin cumsum clip repeat take dot trace diagonal squeeze swapaxes ravel "
             "round astype").split():
    setattr(Tensor, name, getattr(ops, name))
for name in "exp log sqrt square tanh sigmoid relu abs norm".split():
    setattr(Tensor, name, getattr(ops, name))


def _reshape(x, *shape):
    """x.reshape(2, 3) or x.reshape((2, 3)): see ops.reshape."""
    return ops.reshape(x, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)


def _transpose(x, *axes):
    """x.transpose(1, 0), x.transpose((1, 0)) or x.transpose(): see ops.transpose."""
    return ops.transpose(x, (axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes) or None)


def _to(x, device):
    """The tensor on another device ('cpu', 'cuda', 'cuda:1'), itself if it is there; derivatives pass through."""
    return x if check_device(device) == x.device else _move(x, device)


Tensor.reshape, Tensor.transpose, Tensor.flatten, Tensor.to = _reshape, _transpose, ops.ravel, _to


def _d_move(g, y, x, device):
    return _move(g, device_of(plain(x)))


_move = primitive(lambda x, device: to_device(x, device), _d_move, name="to", saves="inputs")


# --------------------------------------------------------------------------------------------------- the graph ---


def _requires_grad(x) -> bool:
    """Do derivatives reach this tensor?  Setting it makes a tensor a leaf, or a constant again (freezes it)."""
    return x.node is not None


def _set_requires_grad(x, value):
    if not x.is_leaf:
        raise GraphError("only a leaf's requires_grad can be set; use .detach() for a constant copy of this tensor")
    if bool(value) != x.requires_grad:
        x.node = leaf(x) if value else None


def _requires_grad_(x, value=True):
    """Set requires_grad and return the tensor."""
    x.requires_grad = value
    return x


def _setitem(x, index, value):
    """x[index] = value in place, for constants and for leaves under no_grad.

    GraphError for a tensor inside a graph, and for a value that brings a graph along, which would be lost.  A graph that
    has saved this memory, as the input of an op, notices and refuses to go backward; indices and conditions are not watched.
    """
    if x.node is not None and is_recording():
        raise GraphError(_IN_PLACE.format("x[...] = value"))
    _check_in_place(x, "x[...] = value", value)
    x.data[plain(index)] = plain(value)
    x.touch()


_IN_PLACE = ("{} would change a tensor that a graph depends on; build a new one with mg.where, mg.concatenate or "
             "mg.scatter_add, or change a leaf inside `with mg.no_grad():`")


def _check_in_place(x, what, value):
    if not x.is_leaf:
        raise GraphError(_IN_PLACE.format(what))
    if isinstance(value, Tensor) and value.node is not None and is_recording():
        raise GraphError(f"{what} would lose the derivative of the value; say so with .detach(), or build a new tensor with "
                         f"mg.where, mg.concatenate or mg.stack")


def _copy_(x, value):
    """Overwrite the values in place (they stay in the same memory) and return the tensor; also of a leaf, for initialisers.

    ShapeError if the shapes differ; GraphError inside a graph, and for a value that brings a graph along.
    """
    _check_in_place(x, "copy_", value)
    array = plain(value)
    if np.shape(array) != x.shape:
        raise ShapeError(f"copy_: cannot copy {np.shape(array)} into {x.shape}; the shapes must be equal")
    x.data[...] = to_device(array if is_array(array) else new_array(array), x.device)
    x.touch()
    return x


def _deepcopy(x, memo):
    """A copy with memory of its own; of a leaf a leaf of its own, of a tensor inside a graph a constant."""
    copy = type(x)(x.data.copy())
    if x.is_leaf:
        copy.requires_grad = x.requires_grad
    memo[id(x)] = copy
    return copy


Tensor.requires_grad = property(_requires_grad, _set_requires_grad, doc=_requires_grad.__doc__)
Tensor.requires_grad_, Tensor.__setitem__, Tensor.backward = _requires_grad_, _setitem, backward
Tensor.__deepcopy__, Tensor.copy_ = _deepcopy, _copy_

# ------------------------------------------------------------------------------------------------- new tensors ---


def full(shape, fill_value, dtype=np.float32, requires_grad=False, device=None) -> Tensor:
    """A tensor of this shape, every element fill_value."""
    return _new(np.full(shape, fill_value, dtype), requires_grad, device)


def zeros(shape, dtype=np.float32, requires_grad=False, device=None) -> Tensor:
    """A tensor of zeros."""
    return _new(np.zeros(shape, dtype), requires_grad, device)


def ones(shape, dtype=np.float32, requires_grad=False, device=None) -> Tensor:
    """A tensor of ones."""
    return _new(np.ones(shape, dtype), requires_grad, device)


def eye(n, m=None, dtype=np.float32, requires_grad=False, device=None) -> Tensor:
    """(n, m or n), ones on the diagonal, zeros elsewhere."""
    return _new(np.eye(n, m, dtype=dtype), requires_grad, device)


def arange(start, stop=None, step=1, dtype=None, requires_grad=False, device=None) -> Tensor:
    """start, start + step, ... below stop (arange(n): 0 .. n-1).  int64 for integers, float32 for floats."""
    array = np.arange(0 if stop is None else start, start if stop is None else stop, step, dtype)
    return _new(array.astype(np.float32) if dtype is None and array.dtype == np.float64 else array, requires_grad, device)


def zeros_like(x) -> Tensor:
    """Zeros of x's shape, dtype and device."""
    return Tensor(xp(plain(x)).zeros(x.shape, x.dtype))


def ones_like(x) -> Tensor:
    """Ones of x's shape, dtype and device."""
    return Tensor(xp(plain(x)).ones(x.shape, x.dtype))


def _new(array, requires_grad, device):
    out = Tensor(array if device is None else to_device(array, device))
    return out.requires_grad_() if requires_grad else out


__all__ = ["arange", "eye", "full", "ones", "ones_like", "tensor", "zeros", "zeros_like"]
