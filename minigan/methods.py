"""It puts operators and methods on Tensor: `a + b` is ops.add(a, b), `x.backward()` is autograd's.  It also makes new tensors.

`import minigan` imports this file once; after that a Tensor has NumPy's operators and methods.  Each is declared in
tensor.py too, for editors and type checkers.
"""

import operator
from typing import Any

import numpy as np

from minigan import ops
from minigan.autograd import backward, leaf, primitive
from minigan.backend import MODULES, check_device, constant, device_of, is_array, mixed_devices, to_device, xp
from minigan.errors import DeviceError, DTypeError, GraphError, ShapeError, broadcast_advice
from minigan.in_place import copy_, in_place, setitem
from minigan.numpy_functions import ForNumPy, on_function
from minigan.ops.shape import axes_of
from minigan.tensor import Tensor, plain, tensor

cls: Any = Tensor  # Any, because a type checker does not let us add attributes to a class that it knows


def _swapped(op):
    return lambda a, b: op(b, a)


# Operators, and the same operators with the tensor on the right.
for symbol, op in {
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "truediv": ops.divide,
    "pow": ops.power,
    "matmul": ops.matmul,
    "mod": ops.remainder,
    "floordiv": ops.floor_divide,
}.items():
    setattr(Tensor, f"__{symbol}__", op)
    setattr(Tensor, f"__r{symbol}__", _swapped(op))

cls.__neg__ = lambda x: ops.negative(x)
cls.__pos__ = lambda x: x
cls.__abs__ = lambda x: ops.abs(x)
cls.__getitem__ = lambda x, index: ops.getitem(x, index)
cls.T = property(lambda x: ops.transpose(x), doc="The axes reversed.")


def _other(symbol, x, value):
    """The other operand of a comparison or of logic, as an array or a number; NotImplemented if it cannot be one."""
    value = plain(value)
    if not isinstance(value, (int, float, list, tuple, np.number, np.bool_, *MODULES)):
        return NotImplemented
    value = value if is_array(value) else constant(value, (x,))
    if is_array(value) and type(value) is not type(x.data):
        raise DeviceError(mixed_devices(symbol.strip("_"), [x.data, value]))
    return value


def _constant_op(symbol, check=lambda x, value: None):
    """The method of this name, made from the array's: it works elementwise and gives a constant, which has no derivative."""
    function = getattr(operator, symbol.strip("_"), None) or getattr(operator, symbol.strip("_") + "_")  # and_, or_

    def method(x, value):
        """Elementwise, a constant Tensor: there is no derivative."""
        value = _other(symbol, x, value)
        if value is NotImplemented:
            return value
        check(x.data, value)
        try:
            y = function(x.data, value)
        except ValueError:
            raise ShapeError(broadcast_advice(symbol.strip("_"), [x.shape, np.shape(value)])) from None
        return Tensor(np.asarray(y) if isinstance(y, np.generic) else y)

    method.__name__ = symbol
    return method


def _check_bits(*values):
    for x in values:
        if getattr(x, "dtype", np.dtype(type(x))).kind not in "biu":
            raise DTypeError(
                f"&, |, ^ and ~ need booleans or integers, got {getattr(x, 'dtype', type(x).__name__)}; compare "
                f"first, as in (x > 0) & (x < 1)"
            )


def _invert(x):
    """~x: not x for booleans, bit by bit for integers.  A constant."""
    _check_bits(x.data)
    return Tensor(np.asarray(y) if isinstance(y := ~x.data, np.generic) else y)


for symbol in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
    setattr(Tensor, symbol, _constant_op(symbol))
for symbol in ("and", "or", "xor"):
    setattr(Tensor, f"__{symbol}__", _constant_op(f"__{symbol}__", _check_bits))
    setattr(Tensor, f"__r{symbol}__", getattr(Tensor, f"__{symbol}__"))  # the order does not matter
cls.__invert__ = _invert


def _asked(name, doc):
    """The method `name` of every element, a constant boolean Tensor."""

    def method(x):
        return Tensor(xp(x.data).asarray(getattr(xp(x.data), name)(x.data)))

    method.__name__, method.__doc__ = name, doc
    return method


def _any(x, axis=None, keepdims=False):
    """Is at least one element along the axes not 0?  A constant boolean Tensor."""
    return Tensor(xp(x.data).asarray(x.data.any(axis=axes_of("any", axis, x.ndim), keepdims=keepdims)))


def _all(x, axis=None, keepdims=False):
    """Are all elements along the axes not 0?  A constant boolean Tensor."""
    return Tensor(xp(x.data).asarray(x.data.all(axis=axes_of("all", axis, x.ndim), keepdims=keepdims)))


def _contains(x, value):
    """value in x: is an element equal to it?"""
    found = x == value
    return isinstance(found, Tensor) and bool(found.any())


def _bool(x):
    """The truth of the one element.  ShapeError unless there is exactly one."""
    if x.size != 1:
        raise ShapeError(f"a tensor of shape {x.shape} is neither true nor false; ask for .any() or .all()")
    return bool(x.data)


cls.isnan = _asked("isnan", "Which elements are NaN?  A constant boolean Tensor.")
cls.isfinite = _asked("isfinite", "Which elements are neither infinite nor NaN?  A constant boolean Tensor.")
cls.isinf = _asked("isinf", "Which elements are infinite?  A constant boolean Tensor.")
cls.any, cls.all, cls.__contains__, cls.__bool__ = _any, _all, _contains, _bool
cls.__divmod__ = lambda a, b: (a // b, a % b)
cls.__rdivmod__ = lambda a, b: (b // a, b % a)
cls.__round__ = lambda x, ndigits=None: ops.round(x, ndigits or 0)
cls.__array_ufunc__, cls.__array_function__ = ForNumPy(), on_function

# These methods are the functions of the same name.
for name in (
    "sum mean prod max min var std argmax argmin cumsum clip repeat take dot trace diagonal squeeze swapaxes ravel round astype"
).split():
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
    """The tensor on another device ('cpu', 'cuda', 'cuda:1'), or itself if it is there already; derivatives pass through."""
    return x if check_device(device) == x.device else _move(x, device)


cls.reshape, cls.transpose, cls.flatten, cls.to = _reshape, _transpose, ops.ravel, _to


def _d_move(g, y, x, device):
    return _move(g, device_of(plain(x)))


_move = primitive(lambda x, device: to_device(x, device), _d_move, name="to", saves="inputs")


# --------------------------------------------------------------------------------------------------- the graph ---


def _requires_grad(x) -> bool:
    """Do derivatives reach this tensor?  Set it to True to make a leaf, or to False to make a constant (to freeze it)."""
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


def _deepcopy(x, memo):
    """A copy with its own memory.  The copy of a leaf is a new leaf; the copy of a tensor inside a graph is a constant."""
    copy = type(x)(x.data.copy())
    if x.is_leaf:
        copy.requires_grad = x.requires_grad
    memo[id(x)] = copy
    return copy


def _copy(x):
    """copy.copy(x): the same memory and place in the graph.  The copy of a leaf is a new leaf with its own gradient."""
    if not x.is_leaf:
        return Tensor(x.data, x.node, x.changed)
    twin = x.detach() if type(x) is Tensor else type(x)(x.detach())
    return twin.requires_grad_(x.requires_grad)


cls.requires_grad = property(_requires_grad, _set_requires_grad, doc=_requires_grad.__doc__)
cls.requires_grad_, cls.__setitem__, cls.backward = _requires_grad_, setitem, backward
cls.__copy__, cls.__deepcopy__, cls.copy_ = _copy, _deepcopy, copy_
for symbol, written in {
    "add": ("+=", ops.add),
    "sub": ("-=", ops.subtract),
    "mul": ("*=", ops.multiply),
    "truediv": ("/=", ops.divide),
    "pow": ("**=", ops.power),
    "matmul": ("@=", ops.matmul),
    "mod": ("%=", ops.remainder),
    "floordiv": ("//=", ops.floor_divide),
    "and": ("&=", cls.__and__),
    "or": ("|=", cls.__or__),
    "xor": ("^=", cls.__xor__),
}.items():
    setattr(Tensor, f"__i{symbol}__", in_place(*written))

# ------------------------------------------------------------------------------------------------- new tensors ---


def full(shape, fill_value, dtype: Any = np.float32, requires_grad=False, device: str | None = None) -> Tensor:
    """A tensor of this shape, every element fill_value."""
    return _new(np.full(shape, fill_value, dtype), requires_grad, device)


def zeros(shape, dtype: Any = np.float32, requires_grad=False, device: str | None = None) -> Tensor:
    """A tensor of zeros."""
    return _new(np.zeros(shape, dtype), requires_grad, device)


def ones(shape, dtype: Any = np.float32, requires_grad=False, device: str | None = None) -> Tensor:
    """A tensor of ones."""
    return _new(np.ones(shape, dtype), requires_grad, device)


def eye(n, m=None, dtype: Any = np.float32, requires_grad=False, device: str | None = None) -> Tensor:
    """(n, m or n), ones on the diagonal, zeros elsewhere."""
    return _new(np.eye(n, m, dtype=dtype), requires_grad, device)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: Any = None, requires_grad=False, device: str | None = None
) -> Tensor:
    """start, start + step, ... below stop (arange(n): 0 .. n-1).  int64 for integers, float32 for floats."""
    first, end = (0, start) if stop is None else (start, stop)
    array: Any = np.arange(first, end, step, dtype=dtype)
    return _new(array.astype(np.float32) if dtype is None and array.dtype == np.float64 else array, requires_grad, device)


def linspace(
    start: float, stop: float, num=50, endpoint=True, dtype: Any = None, requires_grad=False, device: str | None = None
) -> Tensor:
    """num numbers from start to stop, equally far apart; endpoint=False leaves out stop.   float32 unless dtype says
    otherwise.
    """
    array: Any = np.linspace(start, stop, num, endpoint, dtype=dtype or np.float32)
    return _new(array, requires_grad, device)


def zeros_like(x) -> Tensor:
    """Zeros of x's shape, dtype and device."""
    return Tensor(xp(plain(x)).zeros(x.shape, x.dtype))


def ones_like(x) -> Tensor:
    """Ones of x's shape, dtype and device."""
    return Tensor(xp(plain(x)).ones(x.shape, x.dtype))


def _new(array, requires_grad, device):
    out = Tensor(array if device is None else to_device(array, device))
    return out.requires_grad_() if requires_grad else out


__all__ = ["arange", "eye", "full", "linspace", "ones", "ones_like", "tensor", "zeros", "zeros_like"]
