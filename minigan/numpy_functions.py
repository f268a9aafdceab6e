"""NumPy's functions on Tensors: np.sum(t) is mg.sum(t), so NumPy code can be differentiated without a change.

on_ufunc      np.exp, np.add, ... and so array + Tensor       on_function   np.sum, np.concatenate, np.linalg.norm, ...

If there is an op of the same name, we call the op, and the result is a Tensor.  If the result is integers, booleans or text, it
has no derivative, and NumPy computes it.  NumPy also computes every other function of constants.  For a Tensor in a graph such
a function is refused (outside no_grad), because the derivative would be lost without a word.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from minigan import ops
from minigan.backend import MODULES
from minigan.errors import ConfigError, GraphError
from minigan.grad_mode import is_recording
from minigan.tensor import Tensor, plain

# NumPy's name of a function, if ours is different.
ALIASES = {
    "absolute": ops.abs,
    "fabs": ops.abs,
    "rint": ops.round,
    "around": ops.round,
    "amax": ops.max,
    "amin": ops.min,
    "fix": ops.trunc,
    "positive": lambda x: x,
}
# NumPy's name of an argument, if ours is different; arguments without a default are passed by position.
ARGUMENTS = {"a_min": "min", "a_max": "max"}
# Comparisons and logic are methods of the side that is a Tensor.
METHODS = {
    "less": ("__lt__", "__gt__"),
    "less_equal": ("__le__", "__ge__"),
    "greater": ("__gt__", "__lt__"),
    "greater_equal": ("__ge__", "__le__"),
    "equal": ("__eq__", "__eq__"),
    "not_equal": ("__ne__", "__ne__"),
    "bitwise_and": ("__and__", "__rand__"),
    "bitwise_or": ("__or__", "__ror__"),
    "bitwise_xor": ("__xor__", "__rxor__"),
    "invert": ("__invert__", ""),
}
NO_DERIVATIVE = frozenset(
    "isnan isfinite isinf signbit logical_and logical_or logical_xor logical_not "
    "shape ndim size any all isclose allclose array_equal array_equiv isin argsort argpartition argwhere nonzero flatnonzero "
    "count_nonzero searchsorted digitize result_type can_cast iscomplexobj isrealobj array_repr array_str array2string "
    "shares_memory may_share_memory".split()
)
# What NumPy's functions in C take; inspect can ask them only from NumPy 2.4 on.
IN_C: dict = {
    "concatenate": lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": None,
    "dot": lambda a, b, out=None: None,
}
WRITES = frozenset("copyto put put_along_axis place putmask fill_diagonal".split())


class ForNumPy:
    """`__array_ufunc__`: NumPy finds it on the class; on a Tensor it is None, which makes CuPy call Tensor.__radd__."""

    def __get__(self, tensor, kind=None):
        return on_ufunc if tensor is None else None


def on_ufunc(tensor, ufunc, method, *inputs, **options):
    """The result of a NumPy ufunc that has a Tensor among its inputs or outputs."""
    name = ufunc.__name__
    if name in METHODS and method == "__call__" and not options:
        first, reflected = METHODS[name]
        a, b = inputs[0], inputs[1:]
        return getattr(a, first)(*b) if isinstance(a, Tensor) else getattr(b[0], reflected)(a)
    op = _op_of(ufunc)
    if op is not None and method == "__call__" and not options:
        return op(*inputs)
    if method == "at" or any(isinstance(x, Tensor) for x in options.get("out", ())):
        raise _writes(f"{name}.at" if method == "at" else name)
    if "out" in options and _in_graph(inputs) is not None:
        raise GraphError(
            f"np.{name}: the derivative would be lost in the array that takes the result (out=, array += tensor); "
            f"make a new one (array = array + tensor), or use .detach() if you want none"
        )
    if name not in NO_DERIVATIVE:
        name = name if method == "__call__" else f"{name}.{method}"
        _refuse_graph(f"{name} with {', '.join(options)}" if options else name, (inputs, options))
    y = getattr(ufunc, method)(*plain(inputs), **{key: plain(value) for key, value in options.items()})
    return y if "out" in options else tuple(map(_tensor, y)) if isinstance(y, tuple) else _tensor(y)


def on_function(tensor, function, types, args, kwargs):
    """The result of any other NumPy function that has a Tensor among its arguments."""
    if not all(issubclass(t, (Tensor, *MODULES)) for t in types):
        return NotImplemented
    name, op = function.__name__, _op_of(function)
    if (name in WRITES and isinstance(args[0], Tensor)) or isinstance(kwargs.get("out"), Tensor):
        raise _writes(name)
    if op is not None and not (name == "where" and len(args) == 1):
        try:
            places, names = _arguments(function, op, args, kwargs)
            return op(*places, **names)
        except ConfigError:
            if _in_graph((args, kwargs)) is not None:
                raise
    elif name not in NO_DERIVATIVE:  # zeros_like and similar functions use only the shape of their first argument
        full_name = name if function.__module__ == "numpy" else f"{function.__module__[6:]}.{name}"
        _refuse_graph(full_name, (args[name.endswith("_like") :], kwargs))
    y = function(*plain(tuple(args)), **{key: plain(value) for key, value in kwargs.items()})
    return y if op is None else _tensor(y)


def _op_of(function):
    """The op that replaces a NumPy function, or None."""
    name = function.__name__
    if getattr(function, "__module__", "numpy") == "numpy.linalg":
        return LINALG.get(name)
    if isinstance(function, np.ufunc) or function.__module__ == "numpy":
        return ALIASES.get(name) or (getattr(ops, name) if name in ops.__all__ and name != "norm" else None)
    return None


def _norm(x, ord: Any = None, axis: Any = None, keepdims=False):
    """np.linalg.norm: any norm of vectors; of matrices the length of all elements ("fro") and the norms of np.linalg."""
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if np.ndim(axis) == 0 else tuple(axis)
    if ord is None or (ord == "fro" and len(axes) == 2):
        return ops.norm(x, axis, keepdims)
    if len(axes) == 1:
        order: Any = ord
        return ops.norm(x, axis, keepdims, order)
    if len(axes) != 2 or ord not in (1, -1, 2, -2, np.inf, -np.inf, "nuc"):
        raise ConfigError(f"np.linalg.norm: there is no norm ord={ord!r} over {len(axes)} axes")
    if ord in (2, -2, "nuc"):
        values = ops.svd(ops.moveaxis(x, axes, (-2, -1)), full_matrices=False).S
        y = ops.sum(values, -1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    else:
        first, last = (axes[0], axes[1]) if abs(ord) == 1 else (axes[1], axes[0])
        sums = ops.sum(ops.abs(x), first, True)
        y = ops.squeeze((ops.max if ord > 0 else ops.min)(sums, last, True), axes)
    return ops.expand_dims(y, tuple(a % x.ndim for a in axes)) if keepdims else y


LINALG = {"norm": _norm, **{name: getattr(ops, name) for name in "matmul solve inv det slogdet cholesky eigh svd".split()}}


@lru_cache
def _signature(function):
    from inspect import signature  # slow to import

    return signature(function)


def _arguments(function, op, args, kwargs):
    """NumPy's arguments as ours: by position if they have no default; by name if they differ from NumPy's default."""
    if function.__name__ == "einsum":  # its signature is *operands, and its named options only change the speed
        return args, {key: value for key, value in kwargs.items() if key != "optimize"}
    if function.__name__ == "where":
        return args, kwargs
    asked = _signature(IN_C.get(function.__name__, function))
    theirs, ours = asked.parameters, _signature(op).parameters
    given = asked.bind(*args, **kwargs).arguments
    given |= given.pop("kwargs", {})
    places, names = [], {}
    for name, value in given.items():
        default = theirs[name].default if name in theirs else None
        if name in theirs and default is theirs[name].empty:
            places.append(value)
        elif value is not default and not (isinstance(value, (str, int)) and value == default):
            names[ARGUMENTS.get(name, name)] = value
    for name in names:
        if name not in ours:
            raise ConfigError(f"np.{function.__name__}: minigan's {op.__name__} has no argument {name!r}; leave it out")
    for name, parameter in ours.items():  # some arguments are required here, but not in NumPy
        if parameter.default is parameter.empty and name in theirs and theirs[name].default is not parameter.empty:
            names.setdefault(name, theirs[name].default)
    return places, names


def _in_graph(x) -> Tensor | None:
    """A Tensor that ops would record, somewhere in nested tuples, lists and dicts."""
    if isinstance(x, Tensor):
        return x if x.node is not None and is_recording() else None
    if isinstance(x, dict):
        x = tuple(x.values())
    return next((y for y in map(_in_graph, x) if y is not None), None) if isinstance(x, (tuple, list)) else None


def _refuse_graph(name, arguments):
    tensor = _in_graph(arguments)
    if tensor is not None:
        raise GraphError(
            f"np.{name}: minigan has no such op, so the derivative of the Tensor {tensor.shape} would be lost; "
            f"write it in minigan's ops, or use .detach() if you want none"
        )


def _writes(name):
    return GraphError(f"np.{name} would change a Tensor, and graphs that saved its values would not know; use x[...] = value")


def _tensor(y):
    return Tensor(np.asarray(y) if isinstance(y, np.generic) else y) if isinstance(y, (np.generic, *MODULES)) else y
