"""What the files of functions share: the list of Tensor's methods, and PyTorch's rules for dtypes and axes.

METHODS     name -> function, filled by @method       over         minigan's function as one of Tensors
promoted    two operands get one dtype                along_axis   lets a function of one axis take a number
Pair        (values, indices)                         exported     the public names of a module
"""

from __future__ import annotations

import operator
from collections import namedtuple
from functools import wraps
from typing import Any

import numpy as np

import minigan as mg
from minigan.errors import AxisError
from minigan.torch import kinds
from minigan.torch.tensor import Tensor, lift, lower, wrap

METHODS: dict[str, Any] = {}  # name -> function, for the methods of Tensor
Pair = namedtuple("Pair", ["values", "indices"])


def method(function: Any) -> Any:
    """Decorate a function that is a method of Tensor, too."""
    METHODS[function.__name__] = function
    return function


def exported(names: dict) -> list:
    """The public names among the globals of a module: what it defined itself."""
    here = names["__name__"]
    return [n for n, value in names.items() if not n.startswith("_") and getattr(value, "__module__", None) == here]


def over(function: Any, name: str) -> Any:
    """minigan's function as one of Tensors."""

    @wraps(function)
    def call(*args, **options):
        return lift(function(*map(lower, args), **{key: lower(value) for key, value in options.items()}))

    call.__name__ = name
    return call


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}


def promoted(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands of minigan with one dtype, by PyTorch's rule: floats before integers before booleans, and among equals
    the larger; a tensor without axes, or a Python number, counts only if it is of a higher kind than the other."""
    one, other = isinstance(a, mg.Tensor), isinstance(b, mg.Tensor)
    if one and other:
        x, y = a.data.dtype, b.data.dtype
        if x == y:
            return a, b
        kx, ky = _KINDS[x.kind], _KINDS[y.kind]
        if kx != ky:
            common = x if kx > ky else y
        elif bool(a.ndim) != bool(b.ndim):
            common = x if a.ndim else y
        else:
            common = np.promote_types(x, y)
        return mg.astype(a, common), mg.astype(b, common)
    tensor, number = (a, b) if one else (b, a)
    if isinstance(number, (np.generic, np.ndarray)):
        number = number.item() if number.ndim == 0 else mg.tensor(number)
        return promoted(tensor, number) if one else promoted(number, tensor)
    kind = tensor.data.dtype.kind
    if kind != "f" and isinstance(number, float):
        tensor = mg.astype(tensor, "float32")
    elif kind == "b" and isinstance(number, int) and not isinstance(number, bool):
        tensor = mg.astype(tensor, "int64")
    return (tensor, number) if one else (number, tensor)


def floats(x: Any) -> Any:
    """One of minigan's tensors as floats: PyTorch's exp, sqrt, ... of whole numbers are float32."""
    return x if x.data.dtype.kind == "f" else mg.astype(x, "float32")


def written(y: Any, out: Any) -> Any:
    """y, or `out` with the numbers of y in it."""
    return y if out is None else out.become(y)


def as_dtype(x: Any, dtype: Any) -> Any:
    """One of minigan's tensors as this dtype; None: as it is."""
    return x if dtype is None else mg.astype(x, kinds.to_numpy(dtype))


def axes(dim: Any, ndim: int) -> Any:
    """PyTorch's `dim` of a reduction for minigan: None and () are all axes; a number has an axis 0, too."""
    if dim is None or dim == () or dim == []:
        return None
    if not ndim:
        axis_of(dim if isinstance(dim, int) else dim[0], 0)
        return None
    return tuple(dim) if isinstance(dim, list) else dim


def axis_of(dim: int, ndim: int) -> int:
    """The axis as a number from 0; a tensor without axes counts as a vector.   IndexError."""
    many = ndim or 1
    if not -many <= operator.index(dim) < many:
        raise AxisError(f"dim {dim} does not exist in a tensor of {ndim} axes; there are {-many} .. {many - 1}")
    return dim % many


def along_axis(function: Any) -> Any:
    """Let a function along one axis take a tensor without axes, which PyTorch treats as a vector there."""

    @wraps(function)
    def call(input, *args, **options):
        if input.engine.data.ndim:
            return function(input, *args, **options)
        vector = lambda x: wrap(mg.reshape(x.engine, 1)) if isinstance(x, Tensor) and not x.engine.ndim else x
        found = function(vector(input), *map(vector, args), **{name: vector(x) for name, x in options.items()})
        flat = lambda y: wrap(mg.reshape(y.engine, ()))
        return type(found)(*map(flat, found)) if isinstance(found, Pair) else flat(found)

    return call
