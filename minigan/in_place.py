"""Changes in place: what they may change, and how graphs that saved the old values notice them.

setitem   x[index] = value        in_place   x += value and similar         copy_   all values at once

Each writes the time of the change into x.changed, which views share (see Tensor.touch).  Elsewhere: optimizers, which change
parameters in one vector (optim/optimizer.py), and initialisers (nn/init.py).
"""

import numpy as np

from minigan.backend import constant, is_array, mixed_devices, new_array, to_device
from minigan.errors import DeviceError, DTypeError, GraphError, OutOfBoundsError, ShapeError
from minigan.grad_mode import is_recording
from minigan.ops.index import _checked
from minigan.tensor import Tensor, plain


def setitem(x, index, value):
    """x[index] = value in place, for constants and for leaves under no_grad.

    GraphError for a tensor inside a graph, and for a value that has a graph, because its derivative would be lost.  If a graph
    has saved this memory as the input of an op, it notices the change and refuses to go backward.  It does not notice changes
    of indices and conditions.   OutOfBoundsError for an index outside its axis, ShapeError for a value that does not fit,
    DTypeError for a value that is not real numbers.
    """
    if x.node is not None and is_recording():
        raise GraphError(_IN_PLACE.format("x[...] = value"))
    _check_in_place(x, "x[...] = value", value)
    write(x, "x[...] = value", _checked(plain(index), x, "x[...] = value"), plain(value))


_IN_PLACE = (
    "{} would change a tensor that a graph depends on; build a new one with mg.where, mg.concatenate or "
    "mg.scatter_add, or change a leaf inside `with mg.no_grad():`"
)


def _check_in_place(x, what, value):
    if not x.is_leaf:
        raise GraphError(_IN_PLACE.format(what))
    if isinstance(value, Tensor) and value.node is not None and is_recording():
        raise GraphError(
            f"{what} would lose the derivative of the value; use .detach() if you want none, or build a new "
            f"tensor with mg.where, mg.concatenate or mg.stack"
        )


def write(x, what, index, value):
    """x.data[index] = value, for an array, a number or nested lists."""
    if is_array(value):
        new_array(value)  # only for its check: DTypeError if these are not real numbers or booleans
        if type(value) is not type(x.data):
            raise DeviceError(mixed_devices(what, [x.data, value]))
    elif isinstance(value, (int, float)):
        value = value.item() if isinstance(value, np.generic) else value
    else:
        value = constant(new_array(value, x.dtype if x.dtype.kind == "f" else None), (x,))
    repeated = x.data.size and any(stride == 0 and n > 1 for stride, n in zip(x.data.strides, x.shape))
    if repeated or not getattr(x.data.flags, "writeable", True):
        raise ShapeError(
            f"{what}: several elements of this tensor are one place in memory (broadcast_to), or the memory is "
            f"read-only; write into a copy, mg.tensor(x)"
        )
    try:
        if np.ndim(value) and np.size(value) == 1 and not np.ndim(x.data[index]):
            raise ValueError  # NumPy before 2.4, and CuPy, would put an array of one element into an element
        x.data[index] = value
    except IndexError as error:
        raise OutOfBoundsError(f"{what}: {error}") from None
    except (ValueError, OverflowError) as error:
        if np.ndim(value):
            place = x.data[index].shape
            raise ShapeError(f"{what}: the value is {np.shape(value)}, which does not broadcast to the place {place}") from None
        raise DTypeError(f"{what}: a tensor of {x.dtype} can't hold {value}: {error}") from None
    x.touch()


def in_place(symbol, op):
    """x += value and similar: in place where x[...] = value is allowed; else the name x gets a new tensor of the graph."""
    what = f"x {symbol} value"

    def method(x, value):
        """Changes constants, and leaves under no_grad, in place; for a tensor inside a graph, the result is a new tensor.

        GraphError for a leaf while ops record.   ShapeError, DTypeError if the result would have another shape or dtype.
        """
        if is_recording():
            if x.node is not None and x.is_leaf:
                raise GraphError(
                    f"{what} would change a leaf that requires a gradient; do it inside `with mg.no_grad():`, or "
                    f"make a new tensor, x = x {symbol[:-1]} value"
                )
            if x.node is not None or (isinstance(value, Tensor) and value.node is not None):
                return op(x, value)
        _check_in_place(x, what, value)
        y = op(x.detach(), value.detach() if isinstance(value, Tensor) else value)
        if y is NotImplemented:
            return y
        if y.shape != x.shape:
            raise ShapeError(f"{what}: the result is {y.shape}, not x's shape {x.shape}; write x = x {symbol[:-1]} value")
        if y.dtype != x.dtype:
            raise DTypeError(f"{what}: the result is {y.dtype}, and x can hold {x.dtype} only; convert x with .astype(...)")
        write(x, what, Ellipsis, y.data)
        return x

    return method


def copy_(x, value):
    """Overwrite the values, in the same memory, and return the tensor.  It also accepts a leaf, for initialisers.

    ShapeError if the shapes differ; GraphError inside a graph, and for a value that has a graph.
    """
    _check_in_place(x, "copy_", value)
    array = plain(value)
    array = array if is_array(array) else new_array(array, x.dtype if x.dtype.kind == "f" else None)
    if array.shape != x.shape:
        raise ShapeError(f"copy_: cannot copy {array.shape} into {x.shape}; the shapes must be equal")
    write(x, "copy_", Ellipsis, to_device(array, x.device))
    return x
