"""Tensor: an array, its place in a graph, and its gradient.  Its attributes and methods have NumPy's names.

This file has what needs no derivative: attributes, conversion, printing.  The operators and methods that need one (`a + b`,
`x.sum()`, `x[...]`, `x.backward()`, `x.requires_grad`) are only declared here, for editors and type checkers; methods.py
puts them on the class, from ops/ and autograd.py.
"""

from __future__ import annotations

import itertools
import operator
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias

import numpy as np

from minigan import names
from minigan.backend import MODULES, device_of, new_array, to_device
from minigan.errors import ArgumentError, DeviceError, DTypeError, GraphError, MissingAttribute, ShapeError
from minigan.grad_mode import is_recording

# It gives a number to each recorded call and each in-place change, so that we know which of two came first.
clock = itertools.count(1)

# Types for annotations: what an operator accepts beside a Tensor; the axes of a reduction; sizes such as the stride of a
# convolution; a function of arrays with the arguments P; the op that autograd.primitive makes from it, with the same arguments.
Operand: TypeAlias = "Tensor | np.ndarray | np.generic | float | list[Any]"
Axis: TypeAlias = int | tuple[int, ...] | list[int] | None
Size: TypeAlias = int | tuple[int, ...] | list[int]
P = ParamSpec("P")
Function = Callable[P, Any]
Differentiable = Callable[P, "Tensor"]


class Count(int):
    """The number of elements.   Called as PyTorch's x.size(), it says what to write."""

    __slots__ = ()

    def __call__(self, *axis):
        raise ArgumentError(
            "x.size is the number of elements; PyTorch's x.size() is x.shape in minigan, and x.size(0) is x.shape[0]"
        )


class Tensor:
    """An array that can be differentiated.  `mg.tensor`, `mg.zeros`, ... and every op make one.

    data: the NumPy or CuPy array.  grad: None, or the gradient that backward() has summed here, a Tensor of the same
    shape and dtype.  node: None for a constant, else the record of how it was made (autograd.Node).  changed: a cell that
    holds the time of the last in-place change; all views of the same memory share it.  leaves: the nodes that the tensor
    has had as a leaf, one for each dtype; () before the tensor becomes a leaf (leaves.py).
    """

    __slots__ = ("__weakref__", "changed", "data", "grad", "leaves", "node")
    leaves: tuple
    __array_priority__ = 1000  # so that CuPy's array + Tensor calls Tensor.__radd__; NumPy calls numpy_functions.py

    def __init__(self, data: np.ndarray, node: Any = None, changed: list[int] | None = None):
        self.data = data
        self.grad: Tensor | None = None
        self.node = node
        self.changed = [0] if changed is None else changed

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        """NumPy's dtype of the elements."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return Count(self.data.size)

    @property
    def device(self) -> str:
        """'cpu', or 'cuda:0', 'cuda:1', ..."""
        return device_of(self.data)

    @property
    def is_leaf(self) -> bool:
        """True if no recorded op made this tensor."""
        return self.node is None or self.node.op is None

    def detach(self) -> Tensor:
        """A constant Tensor of the same memory: no derivative passes through it."""
        return Tensor(self.data, None, self.changed)

    if not TYPE_CHECKING:  # or a type checker believes that every name exists

        def __getattr__(self, name):
            """Called for a name that does not exist: is it PyTorch's?"""
            if name == "leaves":  # the slot is empty until the tensor becomes a leaf
                return ()
            if advice := None if name.startswith("_") else names.instead(name):
                raise MissingAttribute(f"Tensor has no {name}: {advice}")
            raise AttributeError(f"'Tensor' object has no attribute {name!r}", name=name, obj=self)

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array, which shares memory on the CPU and is a copy from a GPU.  GraphError inside a graph."""
        self._leave("numpy()")
        return to_device(self.data, "cpu")

    def _leave(self, what: str) -> None:
        if self.node is not None and is_recording():
            raise GraphError(f"{what} leaves the graph, so no derivative can pass; use .detach() if you want none")

    def item(self) -> Any:
        """The one element as a Python number.  ShapeError unless there is exactly one."""
        if self.data.size != 1:
            raise ShapeError(f"item() needs exactly one element, this tensor is {self.shape}")
        return self.data.item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self.data.tolist()

    if not TYPE_CHECKING:  # a type checker that saw it would think that `array * tensor` is an array

        def __array__(self, dtype=None, copy=None):
            """np.asarray(t): the values.  GraphError inside a graph."""
            self._leave("np.asarray()")
            if not isinstance(self.data, np.ndarray):
                raise DeviceError(f"this tensor is on {self.device}; bring it to the CPU first with .to('cpu')")
            return np.array(self.data, dtype=dtype, copy=copy)

    def __dlpack__(self, **options):
        """The DLPack capsule of the data, for torch.from_dlpack and similar functions; it shares memory."""
        self._leave("DLPack")
        _shared(self.data, self.changed)
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.data.__dlpack_device__()

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.data.__index__() if isinstance(self.data, np.ndarray) else operator.index(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        values = np.array2string(to_device(self.data, "cpu"), separator=", ", prefix="tensor(", threshold=100)
        details = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        details += "" if isinstance(self.data, np.ndarray) else f", device={self.device!r}"
        if self.node is not None:
            details += ", requires_grad=True" if self.node.op is None else f", made by {self.node.op.name}"
        return f"tensor({values}{details})"

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__  # by identity, because == compares elementwise

    def touch(self) -> None:
        """Note that the data was changed in place, so that graphs that saved the old values refuse to use them."""
        self.changed[0] = next(clock)

    if TYPE_CHECKING:  # what methods.py puts here; a test checks that the two agree

        def __add__(self, b: Operand) -> Tensor: ...
        def __radd__(self, b: Operand) -> Tensor: ...
        def __sub__(self, b: Operand) -> Tensor: ...
        def __rsub__(self, b: Operand) -> Tensor: ...
        def __mul__(self, b: Operand) -> Tensor: ...
        def __rmul__(self, b: Operand) -> Tensor: ...
        def __truediv__(self, b: Operand) -> Tensor: ...
        def __rtruediv__(self, b: Operand) -> Tensor: ...
        def __pow__(self, b: Operand) -> Tensor: ...
        def __rpow__(self, b: Operand) -> Tensor: ...
        def __matmul__(self, b: Operand) -> Tensor: ...
        def __rmatmul__(self, b: Operand) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __mod__(self, b: Operand) -> Tensor: ...
        def __rmod__(self, b: Operand) -> Tensor: ...
        def __floordiv__(self, b: Operand) -> Tensor: ...
        def __rfloordiv__(self, b: Operand) -> Tensor: ...
        def __divmod__(self, b: Operand) -> tuple[Tensor, Tensor]: ...
        def __rdivmod__(self, b: Operand) -> tuple[Tensor, Tensor]: ...
        def __round__(self, ndigits: int | None = None) -> Tensor: ...
        def __lt__(self, value: Operand) -> Tensor: ...
        def __le__(self, value: Operand) -> Tensor: ...
        def __gt__(self, value: Operand) -> Tensor: ...
        def __ge__(self, value: Operand) -> Tensor: ...
        # object.__eq__ returns a bool; NumPy's and ours compare elementwise.
        def __eq__(self, value: Operand) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, value: Operand) -> Tensor: ...  # type: ignore[override]
        def __and__(self, value: Operand) -> Tensor: ...
        def __rand__(self, value: Operand) -> Tensor: ...
        def __or__(self, value: Operand) -> Tensor: ...
        def __ror__(self, value: Operand) -> Tensor: ...
        def __xor__(self, value: Operand) -> Tensor: ...
        def __rxor__(self, value: Operand) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __iadd__(self, value: Operand) -> Tensor: ...
        def __isub__(self, value: Operand) -> Tensor: ...
        def __imul__(self, value: Operand) -> Tensor: ...
        def __itruediv__(self, value: Operand) -> Tensor: ...
        def __ipow__(self, value: Operand) -> Tensor: ...
        def __imatmul__(self, value: Operand) -> Tensor: ...
        def __imod__(self, value: Operand) -> Tensor: ...
        def __ifloordiv__(self, value: Operand) -> Tensor: ...
        def __iand__(self, value: Operand) -> Tensor: ...
        def __ior__(self, value: Operand) -> Tensor: ...
        def __ixor__(self, value: Operand) -> Tensor: ...
        def __bool__(self) -> bool: ...
        def __contains__(self, value: Operand) -> bool: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Operand) -> None: ...
        def __copy__(self) -> Tensor: ...
        def __deepcopy__(self, memo: dict) -> Tensor: ...
        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any: ...

        def abs(self) -> Tensor: ...
        def all(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def any(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
        def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
        def astype(self, dtype: Any) -> Tensor: ...
        def backward(self, gradient: Operand | None = None, retain_graph: bool = False) -> None: ...
        def clip(self, min: float | None = None, max: float | None = None) -> Tensor: ...
        def copy_(self, value: Operand) -> Tensor: ...
        def cumsum(self, axis: int | None = None) -> Tensor: ...
        def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
        def dot(self, b: Operand) -> Tensor: ...
        def exp(self) -> Tensor: ...
        def flatten(self) -> Tensor: ...
        def isfinite(self) -> Tensor: ...
        def isinf(self) -> Tensor: ...
        def isnan(self) -> Tensor: ...
        def log(self) -> Tensor: ...
        def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def norm(self, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor: ...
        def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def ravel(self) -> Tensor: ...
        def relu(self) -> Tensor: ...
        def repeat(self, repeats: Any, axis: int | None = None) -> Tensor: ...
        def requires_grad_(self, value: bool = True) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def round(self, decimals: int = 0) -> Tensor: ...
        def sigmoid(self) -> Tensor: ...
        def sqrt(self) -> Tensor: ...
        def square(self) -> Tensor: ...
        def squeeze(self, axis: Axis = None) -> Tensor: ...
        def std(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor: ...
        def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def swapaxes(self, axis1: int, axis2: int) -> Tensor: ...
        def take(self, indices: Any, axis: int | None = None) -> Tensor: ...
        def tanh(self) -> Tensor: ...
        def to(self, device: str) -> Tensor: ...
        def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor: ...
        @property
        def T(self) -> Tensor: ...
        @property
        def requires_grad(self) -> bool: ...
        @requires_grad.setter
        def requires_grad(self, value: bool) -> None: ...


def refuse_graph(op: str, arguments) -> None:
    """GraphError if one of these arguments, which the op does not differentiate, is a Tensor that requires a gradient."""
    for x in arguments:
        if isinstance(x, Tensor) and x.node is not None:
            raise GraphError(
                f"{op}: a Tensor {x.shape} that requires a gradient is given where {op} has no derivative, so its "
                f"gradient would be lost; use .detach() if you want none, or an op that has one (maximum, where)"
            )


def plain(x) -> Any:
    """x with every Tensor in it replaced by its array, also inside nested tuples and lists: for indices and conditions."""
    if isinstance(x, Tensor):
        return x.data
    if isinstance(x, (tuple, list)):
        return type(x)(plain(item) for item in x)
    return x


def tensor(data, dtype: Any = None, requires_grad: bool = False, device: str | None = None) -> Tensor:
    """A new Tensor that holds a copy of data (numbers, nested lists, an array or a Tensor).

    dtype: by default Python floats become float32, and arrays keep their dtype.  requires_grad: you want derivatives for it.
    device: 'cpu', 'cuda', 'cuda:1'; by default where the data is.  DTypeError for requires_grad if the dtype is not a float.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [2.0, 4.0]
    """
    data = plain(data)
    array = new_array(data, dtype)
    if not isinstance(data, (list, tuple, int, float, np.generic)):
        array = array.copy()  # np.asarray may return the memory of an array, or of an object with __array__
    out = Tensor(array if device is None else to_device(array, device))
    return out.requires_grad_() if requires_grad else out


def from_dlpack(x) -> Tensor:
    """A constant Tensor that shares memory with any object that speaks DLPack (a torch tensor, a CuPy array, ...).

    Two Tensors that share memory this way notice each other's changes, but not the changes that the other library makes.
    DTypeError for an object that does not speak DLPack or keeps its memory to itself, and for anything but real numbers and
    booleans.  Before NumPy 2.2.5 the Tensor is read-only.
    """
    if not hasattr(x, "__dlpack__"):
        raise DTypeError(f"from_dlpack: {type(x).__name__} does not speak DLPack; make a copy with mg.tensor")
    module = np if x.__dlpack_device__()[0] == 1 else next((m for m in MODULES.values() if m is not np), None)  # kDLCPU
    if module is None:
        raise DTypeError("from_dlpack: the data is on a GPU; import CuPy first by moving any tensor with .to('cuda')")
    try:
        array = new_array(module.from_dlpack(x))
    except BufferError as error:  # NumPy before 2.1 does not hand on memory that is read-only
        raise DTypeError(f"from_dlpack: {error}; make a copy with mg.tensor") from None
    return Tensor(array, None, _shared(array))


_with_others: list = []  # (weak reference to an array that another library may hold, its `changed` cell)


def _shared(array, cell=None):
    """The `changed` cell of memory that is shared through DLPack; a new cell if the memory was not seen before."""
    _with_others[:] = [entry for entry in _with_others if entry[0]() is not None]
    if cell is None:
        cell = next(
            (
                known
                for other, known in _with_others
                if type(other()) is type(array) and MODULES[type(array)].may_share_memory(other(), array)
            ),
            [0],
        )
    _with_others.append((weakref.ref(array), cell))
    return cell
