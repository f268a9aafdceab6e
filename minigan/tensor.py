"""Tensor: an array, its place in a graph, its gradient.  NumPy's names for everything an array does.

Here is what needs no derivative: attributes, conversion, printing.  The operators and methods that do (`a + b`, `x.sum()`,
`x[...]`, `x.backward()`, `x.requires_grad`) are put on the class by methods.py, from ops/ and autograd.py.
"""

import itertools
import operator
import weakref

import numpy as np

from minigan.backend import MODULES, device_of, new_array, to_device
from minigan.errors import DeviceError, DTypeError, GraphError, ShapeError
from minigan.grad_mode import is_recording

# One tick per recorded call and per in-place change, so that two of them can be told apart: which came first?
clock = itertools.count(1)


class Tensor:
    """An array that may be differentiated.  Make one with `mg.tensor`, `mg.zeros`, ... or by computing.

    data: the NumPy or CuPy array.  grad: None, or the gradient that backward() has summed here, a Tensor of the same
    shape and dtype.  node: None for a constant, else the record of how it was made (autograd.Node).  changed: a cell,
    shared with every view of the same memory, that holds the time of the last in-place change.  leaves: the nodes that it
    has had as a leaf, one for each dtype; not set before it is one (leaves.py).
    """

    __slots__ = ("__weakref__", "changed", "data", "grad", "leaves", "node")
    __array_priority__ = 1000  # CuPy's array + Tensor asks Tensor.__radd__; NumPy asks numpy_functions.py

    def __init__(self, data, node=None, changed=None):
        self.data = data
        self.grad = None
        self.node = node
        self.changed = [0] if changed is None else changed

    shape = property(lambda self: self.data.shape, doc="The sizes of the axes, a tuple.")
    dtype = property(lambda self: self.data.dtype, doc="NumPy's dtype of the elements.")
    ndim = property(lambda self: self.data.ndim, doc="The number of axes.")
    size = property(lambda self: self.data.size, doc="The number of elements.")
    device = property(lambda self: device_of(self.data), doc="'cpu', or 'cuda:0', 'cuda:1', ...")

    @property
    def is_leaf(self) -> bool:
        """True if no recorded op made this tensor."""
        return self.node is None or self.node.op is None

    def detach(self) -> "Tensor":
        """The same values, sharing memory, as a constant: no derivative passes through."""
        return Tensor(self.data, None, self.changed)

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array: on the CPU sharing memory, from a GPU a copy.  GraphError inside a graph."""
        self._leave("numpy()")
        return to_device(self.data, "cpu")

    def _leave(self, what):
        if self.node is not None and is_recording():
            raise GraphError(f"{what} leaves the graph, so no derivative could pass; say so with .detach()")

    def item(self):
        """The one element as a Python number.  ShapeError unless there is exactly one."""
        if self.data.size != 1:
            raise ShapeError(f"item() needs exactly one element, this tensor is {self.shape}")
        return self.data.item()

    def tolist(self):
        """The values as nested Python lists."""
        return self.data.tolist()

    def __array__(self, dtype=None, copy=None):
        """np.asarray(t): the values.  GraphError inside a graph."""
        self._leave("np.asarray()")
        if not isinstance(self.data, np.ndarray):
            raise DeviceError(f"this tensor is on {self.device}; bring it to the CPU first with .to('cpu')")
        return np.array(self.data, dtype=dtype, copy=copy)

    def __dlpack__(self, **options):
        """The DLPack capsule of the data, for torch.from_dlpack and its like; shares memory."""
        self._leave("DLPack")
        _shared(self.data, self.changed)
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.data.__dlpack_device__()

    def __len__(self):
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return self.data.__index__() if isinstance(self.data, np.ndarray) else operator.index(self.item())

    def __format__(self, spec):
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self):
        values = np.array2string(to_device(self.data, "cpu"), separator=", ", prefix="tensor(", threshold=100)
        details = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        details += "" if isinstance(self.data, np.ndarray) else f", device={self.device!r}"
        if self.node is not None:
            details += ", requires_grad=True" if self.node.op is None else f", made by {self.node.op.name}"
        return f"tensor({values}{details})"

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__  # == compares elementwise, so a Tensor is its own key

    def touch(self) -> None:
        """Note that the data was changed in place: graphs that saved the old values will refuse to use them."""
        self.changed[0] = next(clock)


def refuse_graph(op: str, arguments) -> None:
    """GraphError if one of these arguments, which the op does not differentiate, is a Tensor that wants a gradient."""
    for x in arguments:
        if isinstance(x, Tensor) and x.node is not None:
            raise GraphError(f"{op}: a Tensor {x.shape} that requires a gradient is given where {op} has no derivative, so its "
                             f"gradient would be lost; say so with .detach(), or use an op that has one (maximum, where)")


def plain(x):
    """x with every Tensor in it replaced by its array, however deep in tuples and lists: for indices and conditions."""
    if isinstance(x, Tensor):
        return x.data
    if isinstance(x, (tuple, list)):
        return type(x)(plain(item) for item in x)
    return x


def tensor(data, dtype=None, requires_grad=False, device=None) -> Tensor:
    """A new Tensor holding a copy of data (numbers, nested lists, an array or a Tensor).

    dtype: Python floats become float32 and arrays keep theirs unless it is given.  requires_grad: derivatives are wanted.
    device: 'cpu', 'cuda', 'cuda:1'; by default where the data is.  DTypeError for requires_grad on a dtype not float.
    """
    data = plain(data)
    array = new_array(data, dtype)
    if not isinstance(data, (list, tuple, int, float, np.generic)):
        array = array.copy()  # of an object that speaks as an array it may still be the memory
    out = Tensor(array if device is None else to_device(array, device))
    return out.requires_grad_() if requires_grad else out


def from_dlpack(x) -> Tensor:
    """A constant Tensor that shares memory with any object that speaks DLPack (a torch tensor, a CuPy array, ...).

    Two Tensors that share memory this way notice each other's changes; changes that the other library makes are not noticed.
    DTypeError for an object that does not speak DLPack, and for anything but real numbers and booleans.
    """
    if not hasattr(x, "__dlpack__"):
        raise DTypeError(f"from_dlpack: {type(x).__name__} does not speak DLPack; make a copy with mg.tensor")
    module = np if x.__dlpack_device__()[0] == 1 else next((m for m in MODULES.values() if m is not np), None)  # kDLCPU
    if module is None:
        raise DTypeError("from_dlpack: the data is on a GPU; import CuPy first by moving any tensor with .to('cuda')")
    array = new_array(module.from_dlpack(x))
    return Tensor(array, None, _shared(array))


_with_others: list = []  # (weak reference to an array that another library may hold, its `changed` cell)


def _shared(array, cell=None):
    """The `changed` cell of memory that goes out or comes in through DLPack; a new one if it was not seen before."""
    _with_others[:] = [entry for entry in _with_others if entry[0]() is not None]
    if cell is None:
        cell = next((known for other, known in _with_others if type(other()) is type(array)
                     and MODULES[type(array)].may_share_memory(other(), array)), [0])
    _with_others.append((weakref.ref(array), cell))
    return cell
