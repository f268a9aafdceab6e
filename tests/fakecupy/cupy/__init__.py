"""A strict stand-in for CuPy 14, for machines without a GPU: what the real package refuses, this one refuses too.

It knows the real package's names and arguments from ../surface.json (made by tests/cupy_surface.py), computes with NumPy, and
is stricter than CuPy where CuPy is silent: an index out of bounds (CuPy wraps around), two values for one place (undefined),
writing into a broadcast view (a race), host arrays and lists where CuPy copies them behind one's back.  What a test sets and
reads is in _fake.py.

Not like the real thing: speed, rounding in reductions, streams (all work is done when a call returns).
"""

import numpy as np

from cupy import _fake
from cupy._array import NUMBERS, _argument, ndarray, operand, own, wrap
from cupy._surface import SURFACE, check

__version__ = SURFACE["version"]

# ------------------------------------------------------------------------------------------- elementwise functions ---


class ufunc:
    """A function of elements."""

    def __init__(self, name):
        self.name = self.__name__ = name
        self.types = SURFACE["ufuncs"][name]
        self._host = getattr(np, name)
        self._loops = [tuple(map(np.dtype, loop.split("->")[0])) for loop in self.types]
        self._fits = {}  # dtypes of operands -> is there a loop for them?
        self.nin, self.nout = len(self._loops[0]), len(self.types[0].split("->")[1])

    def __call__(self, *args, out=None, **kwargs):
        check("cupy", self.name, args, kwargs)
        if len(args) > self.nin:
            (out,), args = args[self.nin :], args[: self.nin]
        values = [operand(x) for x in args]
        if all(isinstance(x, NUMBERS) for x in args) and out is None:
            raise TypeError(f"{self.name} of numbers alone: no array says on which device")
        self._check_loop(tuple(v.dtype for v in values if hasattr(v, "dtype")))
        if isinstance(out, tuple):
            (out,) = out
        if out is None:
            if self.nout > 1:
                raise NotImplementedError(f"the stand-in's {self.name} has one output")
            return own(lambda: self._host(*values, **kwargs))
        if type(out) is not ndarray:
            raise TypeError("return arrays must be of ArrayType")
        memory = operand(out)
        for x in args:
            if type(x) is ndarray and x is not out and np.may_share_memory(x._a, memory):
                _fake.counts.op += 1  # CuPy copies it
        _fake.mutate(lambda: self._host(*values, out=memory, **kwargs), memory)
        return out

    def _check_loop(self, dtypes):
        if dtypes not in self._fits:
            self._fits[dtypes] = any(all(np.can_cast(d, max(loop)) for d in dtypes) for loop in self._loops)
        if not self._fits[dtypes]:
            raise TypeError(f"no loop of {self.name} takes {', '.join(map(str, dtypes))}")

    def at(self, a, indices, b=None):
        """a[indices] = self(a[indices], b), one after the other."""
        from cupy._array import _index

        if self.name not in ("add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"):
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        if a.dtype.str[1:] not in ("i4", "i8", "u4", "u8", "f2", "f4", "f8"):  # of bitwise operations other ones; unused
            raise TypeError(f"cupy.{self.name}.at only supports int32, int64, float16, float32, float64, uint32, uint64")
        memory, (index, _, masks), b = operand(a), _index(indices, a), operand(b)
        if masks:
            _fake.synchronise("an index by a boolean mask")
        _fake.mutate(lambda: self._host.at(memory, index, b), memory)


# --------------------------------------------------------------------------------------------------- all functions ---

# Whose results are Python's, from metadata alone.
METADATA = ("can_cast common_type iscomplexobj isrealobj isscalar issubdtype may_share_memory min_scalar_type ndim "
            "promote_types result_type shape shares_memory size broadcast_shapes").split()
SYNCHRONISING = "nonzero flatnonzero argwhere unique extract compress delete union1d setdiff1d intersect1d".split()
CUBLAS = "dot matmul inner outer vdot kron tensordot einsum".split()
SAME_NAME = """
    all allclose amax amin any append argmax argmin argpartition argsort argwhere array_equal array_split around atleast_1d
    atleast_2d atleast_3d average bincount broadcast_arrays broadcast_to clip column_stack compress concatenate copyto
    count_nonzero cross cumprod cumsum delete diag diagonal diff digitize dot dstack einsum expand_dims extract flatnonzero
    flip fliplr flipud hstack inner isclose isin kron max mean median min moveaxis nan_to_num nanargmax nanmax nanmean nanmin
    nanstd nansum nanvar nonzero outer pad partition percentile prod ptp quantile ravel repeat reshape roll rollaxis rot90
    round searchsorted sort split squeeze stack std sum swapaxes take take_along_axis tensordot tile trace transpose tril triu
    union1d unique unravel_index var vdot vsplit vstack where permute_dims concat""".split()


def _arrays(x):
    """The device arrays among arguments."""
    if isinstance(x, ndarray):
        return [x]
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, (tuple, list)):
        return []
    return [a for item in x for a in _arrays(item)]


def _function(name):
    host = getattr(np, name)

    def function(*args, **kwargs):
        check("cupy", name, args, kwargs)
        inputs = _arrays([args, kwargs])
        if not inputs:
            raise TypeError(f"{name} of something that is no device array: {[type(x).__name__ for x in args]}")
        if name == "reshape" and "newshape" in kwargs:
            kwargs["shape"] = kwargs.pop("newshape")
        out = kwargs.pop("out", None)
        values, options = [_argument(x) for x in args], {k: _argument(v) for k, v in kwargs.items()}
        if name in CUBLAS:
            _fake.refuse_in_capture(f"cuBLAS, called by cupy.{name},")
        if name in SYNCHRONISING or (name == "where" and len(args) == 1):
            _fake.synchronise(f"cupy.{name}")
        if name in ("concatenate", "stack", "hstack", "vstack", "concat") and len(args[0]) > 8:
            _uploads_addresses(args[0])
        if name == "where" and not isinstance(args[0], ndarray):
            raise AttributeError(f"'{type(args[0]).__name__}' object has no attribute 'astype'")  # CuPy's words
        if out is not None:
            memory = operand(out)
            _fake.mutate(lambda: host(*values, out=memory, **options), memory)
            return out
        if name == "copyto":
            return _fake.mutate(lambda: host(*values, **options), values[0])
        several = host(*values, **options) if name in SEVERAL else None
        if isinstance(several, (tuple, list)):
            return type(several)(own(lambda i=i: host(*values, **options)[i], *inputs) for i in range(len(several)))
        return own(lambda: host(*values, **options), *inputs)

    function.__name__ = name
    return function


def _uploads_addresses(arrays):
    """More than eight small arrays CuPy joins by one kernel, for which it uploads their addresses and sizes."""
    if len({a.dtype for a in arrays}) == 1 and sum(a.nbytes for a in arrays) < 2 * 2**20 * len(arrays):
        _fake.transfer("h2d")


SEVERAL = "nonzero split array_split vsplit broadcast_arrays unique atleast_1d atleast_2d atleast_3d unravel_index".split()


def _metadata(name):
    def function(*args, **kwargs):
        check("cupy", name, args, kwargs)
        if not all(isinstance(x, (ndarray, np.generic, np.dtype, type, str, tuple, *NUMBERS)) for x in args):
            raise TypeError(f"{name} of {[type(x).__name__ for x in args]}")
        return getattr(np, name)(*(x._a if isinstance(x, ndarray) else x for x in args), **kwargs)

    return function


def matmul(*args, out=None, **kwargs):
    """Matrix products, by cuBLAS."""
    check("cupy", "matmul", args, kwargs)
    values = [operand(x) for x in args]
    _fake.refuse_in_capture("cuBLAS, called by cupy.matmul,")
    if out is None:
        return own(lambda: np.matmul(*values, **kwargs))
    memory = operand(out[0] if isinstance(out, tuple) else out)
    _fake.mutate(lambda: np.matmul(*values, out=memory, **kwargs), memory)
    return out[0] if isinstance(out, tuple) else out


# ------------------------------------------------------------------------------------------------- making arrays ---


def empty(shape, dtype=float, order="C"):
    """Memory with whatever it holds: here NaN."""
    return ndarray(shape, dtype, order=order)


def _filled(shape, value, dtype, order="C"):
    from cupy._array import _shape

    shape = _shape(shape)
    return own(lambda: np.full(shape, value, dtype, order))


def zeros(shape, dtype=float, order="C"):
    """Zeros."""
    return _filled(shape, 0, dtype, order)


def ones(shape, dtype=float, order="C"):
    """Ones."""
    return _filled(shape, 1, dtype, order)


def full(shape, fill_value, dtype=None, order="C"):
    """Every element fill_value."""
    return _filled(shape, operand(fill_value), dtype, order)


def _like(make):
    def function(*args, **kwargs):
        check("cupy", make.__name__, args, kwargs)
        if kwargs.pop("subok", None) is not None:
            raise TypeError("subok is not supported")
        first, *rest = args
        if not isinstance(first, ndarray):
            raise TypeError(f"{make.__name__} of {type(first).__name__}")
        if make is np.empty_like:
            a = np.empty_like(first._a, *rest, **kwargs)
            _fake._allocated(a)
            _fake.poison(a)
            return wrap(a)
        return own(lambda: make(first._a, *map(operand, rest), **kwargs))

    function.__name__ = make.__name__
    return function


empty_like, zeros_like, ones_like, full_like = map(_like, (np.empty_like, np.zeros_like, np.ones_like, np.full_like))


def _made(name):
    def function(*args, **kwargs):
        check("cupy", name, args, kwargs)
        if any(isinstance(x, (ndarray, np.ndarray)) for x in (*args, *kwargs.values())):
            raise TypeError(f"{name} takes Python numbers")
        return own(lambda: getattr(np, name)(*args, **kwargs))

    return function


arange, eye, identity, linspace, tri = map(_made, "arange eye identity linspace tri".split())


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    """A device array of what is on the host (a copy), or a itself."""
    if isinstance(a, ndarray):
        return a if dtype is None or a.dtype == dtype else a.astype(dtype)
    return array(a, dtype, copy=True, order=order)


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    """A device array: a copy of one, or of what is on the host."""
    if isinstance(obj, ndarray):
        return own(lambda: np.array(obj._a, dtype, copy=True, order=order, ndmin=ndmin)) if copy else obj
    if _arrays([obj]):
        raise TypeError("a list of device arrays: slow in CuPy, use stack")
    host = np.array(obj, dtype, order=order or "K", ndmin=ndmin)
    if host.dtype.kind not in "fiubc":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    if not _fake.let_pass():
        _fake.transfer("h2d")
    _fake._allocated(host)
    return wrap(host)


def ascontiguousarray(a, dtype=None):
    """a itself if it lies in C order, else a copy that does."""
    if not isinstance(a, ndarray):
        return array(a, dtype, order="C")
    if not a.ndim:  # an array without axes gets one
        return a.reshape(1) if dtype is None else a.reshape(1).astype(dtype)
    same = a._a.flags.c_contiguous and (dtype is None or a.dtype == dtype)
    return a if same else own(lambda: np.array(a._a, dtype, order="C"))


def asfortranarray(a, dtype=None):
    """a itself if it lies in F order, else a copy that does."""
    same = a._a.flags.f_contiguous and (dtype is None or a.dtype == dtype)
    return a if same else own(lambda: np.array(a._a, dtype, order="F"))


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    """A copy on the host."""
    return a.get(stream, order, out) if isinstance(a, ndarray) else np.asarray(a)


def copy(a, order="K"):
    """A copy on the device."""
    return a.copy(order)


def get_array_module(*args):
    """This module if one of them is a device array, else numpy."""
    import sys

    return sys.modules[__name__] if any(isinstance(x, ndarray) for x in args) else np


def is_available():
    """Can a GPU be used?"""
    return _fake.machine.driver >= 13000 and _fake.machine.cards > 0


from cupy import cuda, lib, linalg, random  # noqa: E402
from cupy._raw import RawKernel, RawModule  # noqa: E402


_found: dict = {}


def __getattr__(name):
    """Everything else, as the surface says.  Not kept in the module, whose own code means Python's max and sum."""
    if name in _found:
        return _found[name]
    if name.startswith("__") or name not in SURFACE["cupy"]:
        raise AttributeError(f"module 'cupy' has no attribute {name!r}")
    if name in SURFACE["ufuncs"] and hasattr(np, name):
        found = ufunc(name)
    elif name in METADATA:
        found = _metadata(name)
    elif name in SAME_NAME:
        found = _function(name)
    elif isinstance(getattr(np, name, None), (type, float, type(None))):
        found = getattr(np, name)  # dtypes, pi, newaxis
    else:
        raise NotImplementedError(f"the stand-in has no cupy.{name}, which the real package has: add it")
    _found[name] = found
    return found
