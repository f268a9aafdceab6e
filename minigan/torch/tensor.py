"""Tensor: one of minigan's tensors under PyTorch's names and meanings.  functions.py puts most methods on it.

A Tensor holds minigan's in its only slot, `engine`.  Every function takes the engines out (`lower`), calls minigan, and puts
what comes back into Tensors (`lift`).  So the engine never knows this package, and gradients, graphs and devices are its own.

In place: `x.add_(1)` writes into the memory of a constant, which its views share.  For a tensor inside a graph, minigan makes
a new array; this object then stands for the new one (`become`), but a view of the old one does not see it.  PyTorch writes into
the memory, and refuses to go backward if an op needed the old value; here the old value is still there, and the gradient right.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

import minigan as mg
from minigan.backend import xp
from minigan.errors import GraphError
from minigan.grad_mode import is_recording
from minigan.tensor import plain
from minigan.torch import kinds
from minigan.torch.kinds import Size
from minigan.torch.missing import refuse_attribute


class Tensor:
    """minigan's tensor `engine` with PyTorch's methods.   Tensor(2, 3) has this shape, Tensor([1, 2]) these values.

    base: a view inside a graph has here a weak reference to the tensor whose memory it shares.

    >>> import minigan.torch as torch
    >>> x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> x.transpose(0, 1).size(), x.repeat(1, 2).tolist(), x.max(1).indices.tolist()
    (torch.Size([3, 1]), [[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]], [2])
    """

    __slots__ = ("__weakref__", "base", "engine")
    base: weakref.ref
    __array_priority__ = 2000  # so that an array + Tensor calls Tensor.__radd__
    __array_ufunc__ = None

    if TYPE_CHECKING:  # methods.py puts these on the class

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]  # elementwise, not a bool
        def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]

    def __init__(self, *data: Any):
        if len(data) == 1 and isinstance(data[0], Size):
            data = tuple(data[0])
        if len(data) == 1 and not isinstance(data[0], int):
            value = lower(data[0])
            array = value.data if isinstance(value, mg.Tensor) else np.array(value, np.float32)
            self.engine = mg.Tensor(array.astype(np.float32, copy=False))
        else:
            self.engine = mg.Tensor(np.zeros(data or (0,), np.float32))

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            """Called for a name that does not exist: MissingName, with what there is instead."""
            refuse_attribute(self, name)

    # ------------------------------------------------------------------------------------------- attributes ---

    @property
    def shape(self) -> Size:
        """The sizes of the axes."""
        return Size(self.engine.data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis."""
        return self.shape if dim is None else self.engine.data.shape[dim]

    @property
    def dtype(self) -> kinds.dtype:
        """The kind of numbers."""
        return kinds.of_numpy(self.engine.data.dtype)

    @property
    def device(self) -> kinds.device:
        """Where the data are."""
        return kinds.device(self.engine.device)

    @property
    def is_cuda(self) -> bool:
        """Are the data on a GPU?"""
        return self.engine.device != "cpu"

    is_xpu = is_mps = is_sparse = is_quantized = False

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.engine.data.ndim

    @property
    def requires_grad(self) -> bool:
        """Do derivatives reach this tensor?"""
        return self.engine.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.engine.requires_grad = value

    @property
    def is_leaf(self) -> bool:
        """Did no recorded op make it?"""
        return self.engine.is_leaf

    @property
    def grad_fn(self) -> Any:
        """The op that made the tensor, or None for a leaf or a constant."""
        node = self.engine.node
        return None if node is None else node.op

    @property
    def grad(self) -> Tensor | None:
        """What backward() has summed here."""
        return lift(self.engine.grad)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        self.engine.grad = None if value is None else value.engine

    @property
    def data(self) -> Tensor:
        """The same memory as a constant.  A change of it is not noticed by graphs that saved the old values, as in PyTorch."""
        return lift(mg.Tensor(self.engine.data))

    @data.setter
    def data(self, value: Tensor) -> None:
        engine = self.engine
        same = (engine.shape, engine.dtype) == (value.engine.shape, value.engine.dtype)
        engine.data = value.engine.data
        if engine.node is not None and not same:  # a leaf's node has its shape and dtype, so the leaf needs a new node
            engine.requires_grad_(False).requires_grad_()

    def detach(self) -> Tensor:
        """The same memory as a constant."""
        return lift(self.engine.detach())

    # -------------------------------------------------------------------------------------- out of the graph ---

    def numpy(self) -> np.ndarray:
        """The values as an array, which shares memory on the CPU."""
        if self.is_cuda:
            raise TypeError("a tensor on a GPU has no .numpy(); use .cpu().numpy()")
        return self.engine.numpy()

    def item(self) -> Any:
        """The one element as a Python number."""
        return self.engine.item()

    def tolist(self) -> Any:
        """The values as nested lists."""
        return self.engine.tolist()

    def __array__(self, dtype=None, copy=None):
        return np.array(self.numpy(), dtype=dtype)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.engine.__index__()

    def __bool__(self) -> bool:
        if self.engine.size != 1:
            raise RuntimeError(f"a tensor of shape {tuple(self.shape)} is neither true nor false; ask for .any() or .all()")
        return bool(self.item())

    def __len__(self) -> int:
        return len(self.engine)

    def __iter__(self):
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value) -> bool:
        return bool((self == value).any())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec or not self.ndim else str(self)

    def __hash__(self):
        return id(self)

    def __repr__(self):
        engine = self.engine
        array = np.asarray(engine.detach().to("cpu").data)
        digits: Any = {"bool": str, **_digits(array)}
        text = np.array2string(array, separator=", ", prefix="tensor(", precision=4, formatter=digits)
        marks = "" if self.dtype in USUAL or engine.dtype == bool else f", dtype={self.dtype}"
        marks += "" if engine.device == "cpu" else f", device={engine.device!r}"
        marks += f", grad_fn=<{engine.node.op.name}>" if engine.node is not None and not engine.is_leaf else ""
        marks += ", requires_grad=True" if engine.node is not None and engine.is_leaf else ""
        return f"tensor({text}{marks})"

    # ------------------------------------------------------------------------------------------- gradients ---

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add the gradient of this number to the .grad of every leaf it depends on."""
        if create_graph:
            raise GraphError(
                "backward(create_graph=True) would keep graphs in .grad; use torch.autograd.grad(..., create_graph=True)"
            )
        if gradient is None and self.engine.size == 1 and self.ndim:  # PyTorch needs one element, minigan no axes
            gradient = mg.ones_like(self.engine)
        self.engine.backward(lower(gradient), bool(retain_graph))

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set requires_grad; returns self."""
        self.engine.requires_grad_(requires_grad)
        return self

    def retain_grad(self) -> None:
        """Refused: minigan keeps the gradients of leaves only."""
        if not self.is_leaf:
            raise GraphError(
                "retain_grad: minigan keeps the gradients of leaves; use torch.autograd.grad(loss, x) for this one"
            )

    def register_hook(self, hook: Any) -> None:
        """Refused."""
        raise GraphError(
            "register_hook: minigan's backward pass has no hooks; use torch.autograd.grad, and change what it gives"
        )

    # -------------------------------------------------------------------------------------------- in place ---

    def become(self, value: Tensor, convert: bool = False) -> Tensor:
        """Hold value's numbers, shape and dtype kept, as an in-place function does; returns self.

        RuntimeError for a leaf while ops record, and for floats in a tensor of whole numbers unless `convert`.   See the head
        of this file.
        """
        engine, new = self.engine, value.engine
        if new.shape != engine.shape:
            raise RuntimeError(f"in place: the result is {new.shape}, and this tensor {engine.shape}")
        if new.dtype != engine.dtype:
            if not convert and KINDS[new.dtype.kind] > KINDS[engine.dtype.kind]:
                raise RuntimeError(f"in place: the result is {value.dtype}, and this tensor can hold {self.dtype} only")
            new = mg.astype(new, engine.dtype)
        if is_recording() and engine.node is not None and engine.is_leaf:
            raise RuntimeError("a leaf that requires grad is changed in place; do it inside `with torch.no_grad():`")
        if is_recording() and (engine.node is not None or new.node is not None):
            self._refuse_if_a_view()
            self.engine = new
        else:
            engine.copy_(new.detach())
        return self

    def _refuse_if_a_view(self):
        """RuntimeError if this tensor is a view of one that a change would have to reach through the graph."""
        base = getattr(self, "base", None)
        if base is not None and base() is not None:
            raise GraphError(
                "in place: this is a view of another tensor inside a graph, which would not see the change; change that one, "
                "x[...] = value, or a copy, .clone()"
            )

    def __setitem__(self, index: Any, value: Any) -> None:
        engine, index, value = self.engine, plain(lower(index)), lower(value)
        graph = is_recording() and (engine.node is not None or (isinstance(value, mg.Tensor) and value.node is not None))
        if not graph:
            if isinstance(value, mg.Tensor) and value.dtype != engine.dtype:
                value = mg.astype(value, engine.dtype)
            engine[index] = value
            return
        if engine.node is not None and engine.is_leaf:
            raise RuntimeError("a leaf that requires grad is changed in place; do it inside `with torch.no_grad():`")
        self._refuse_if_a_view()
        value = value if isinstance(value, mg.Tensor) else mg.tensor(value, engine.dtype)
        self.engine = put(engine, mg.astype(value, engine.dtype), index=index)

    def __deepcopy__(self, memo) -> Any:
        if not self.is_leaf:
            raise RuntimeError("only leaves can be copied with copy.deepcopy; use .detach().clone() for this tensor")
        twin = object.__new__(type(self))
        twin.engine = self.engine.__deepcopy__(memo)
        memo[id(self)] = twin
        return twin

    def __reduce_ex__(self, protocol):
        raise TypeError("Tensors are not pickled here; use torch.save(), or .numpy()")


KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}
USUAL = (kinds.DTYPES["float32"], kinds.DTYPES["int64"])


class Parameter(Tensor):
    """A Tensor that training changes: a leaf that requires a gradient.  It shares the memory of `data`."""

    __slots__ = ()

    def __init__(self, data: Any = None, requires_grad: bool = True):
        engine = data.engine if isinstance(data, Tensor) else mg.Tensor(np.zeros(0, np.float32)) if data is None else data
        self.engine = engine if type(engine) is mg.nn.Parameter else mg.nn.Parameter(engine, requires_grad)

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"


def _digits(array):
    """PyTorch's format of floats, as NumPy's `formatter`: "1." if all are whole, an exponent if they are far from 1 or from
    each other, else four decimals; all of one width.
    """
    if array.dtype.kind != "f":
        return {}
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    low, high = (float(sizes.min()), float(sizes.max())) if sizes.size else (1.0, 1.0)
    whole = bool((sizes == np.rint(sizes)).all()) and bool(np.isfinite(array).all())
    far = high > 1000 * low or high > 1e8 or (low < 1e-4 and not whole)
    form = "{:.4e}" if far else "{:.0f}." if whole else "{:.4f}"
    width = max((len(form.format(value)) for value in array.ravel()[:1000]), default=0)
    return {"float_kind": lambda value: form.format(value).rjust(width)}


def wrap(engine: mg.Tensor) -> Tensor:
    """The Tensor around one of minigan's."""
    tensor = object.__new__(Tensor)
    tensor.engine = engine
    return tensor


def view_of(x: Tensor, engine: mg.Tensor) -> Tensor:
    """The Tensor around a view of x's memory.   Inside a graph it remembers x, because a change of it can't reach x there."""
    tensor = object.__new__(Tensor)
    tensor.engine = engine
    if engine.node is not None and not x.engine.is_leaf:
        tensor.base = weakref.ref(x)
    return tensor


def lift(value: Any) -> Any:
    """value, with each of minigan's tensors in a Tensor, also inside tuples and lists."""
    if isinstance(value, mg.Tensor):
        tensor = object.__new__(Tensor)
        tensor.engine = value
        return tensor
    if isinstance(value, (tuple, list)):
        parts = [lift(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def lower(value: Any) -> Any:
    """value, with each Tensor replaced by minigan's, also inside tuples and lists; sizes and dtypes as minigan has them."""
    if isinstance(value, Tensor):
        return value.engine
    if isinstance(value, Size):
        return tuple(value)
    if isinstance(value, (tuple, list)):
        return type(value)(lower(part) for part in value)
    if isinstance(value, (kinds.dtype, kinds.device)):
        return kinds.target(value)
    return value


def _put(x, value, index):
    y = x.copy()
    y[index] = value
    return y


def _hole(g, y, x, value, index):
    return put(g, xp(plain(value)).zeros_like(plain(value)), index=index)


# x with value at index, as a new tensor: x[index] = value for tensors inside a graph.
put = mg.primitive(
    _put, _hole, lambda g, y, x, value, index: mg.sum_to(mg.getitem(g, index), value.shape), name="setitem", saves="inputs"
)
