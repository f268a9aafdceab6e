"""Arrays from nothing, from other arrays' shapes, and from the host."""

import numpy as np

from cupy import _dtypes, _fake
from cupy._array import _shape, converted, memory_order, ndarray, operand, own, wrap
from cupy._surface import bind, check


def empty(shape, dtype=float, order="C"):
    """Memory with whatever it holds: here NaN."""
    return ndarray(shape, dtype, order=order)


def _filled(shape, value, dtype, order="C"):
    shape, order = _shape(shape), memory_order(order, "CF")
    dtype = None if dtype is None else _dtypes.check(dtype)
    return own(lambda: np.full(shape, value, dtype, order), order="K")


def zeros(shape, dtype=float, order="C"):
    """Zeros."""
    return _filled(shape, 0, float if dtype is None else dtype, order)


def ones(shape, dtype=float, order="C"):
    """Ones."""
    return _filled(shape, 1, float if dtype is None else dtype, order)


def full(shape, fill_value, dtype=None, order="C"):
    """Every element fill_value."""
    return _filled(shape, operand(fill_value), dtype, order)


def _like(make):
    name = make.__name__

    def function(*args, **kwargs):
        check("cupy", name, args, kwargs)
        given = bind("cupy", name, args, kwargs)
        if given.pop("subok", None) is not None:
            raise TypeError("subok is not supported yet")
        first = given.pop("prototype" if name == "empty_like" else "a")
        if not isinstance(first, ndarray):
            raise TypeError(f"{name} of {type(first).__name__}")
        order, dtype = memory_order(given.get("order")), _dtypes.check(given.get("dtype") or first.dtype)
        shape = _shape(given["shape"]) if given.get("shape") else first.shape  # CuPy takes () for "as the other"
        order = "C" if order == "K" and len(shape) != first.ndim else order
        value = [operand(given["fill_value"])] if name == "full_like" else []
        if name == "empty_like":
            a = np.empty_like(first._a, dtype, order, shape=shape)
            _fake._allocated(a)
            _fake.poison(a)
            return wrap(a)
        return own(lambda: make(first._a, *value, dtype=dtype, order=order, shape=shape), order="K")

    function.__name__ = name
    return function


empty_like, zeros_like, ones_like, full_like = map(_like, (np.empty_like, np.zeros_like, np.ones_like, np.full_like))


def _made(name):
    def function(*args, **kwargs):
        check("cupy", name, args, kwargs)
        if any(isinstance(x, (ndarray, np.ndarray, list, tuple)) for x in (*args, *kwargs.values())):
            raise TypeError(f"{name} takes Python numbers")
        given = bind("cupy", name, args, kwargs)
        if given.get("dtype") is not None:
            _dtypes.check(given["dtype"])
        if given.get("order") is not None:
            memory_order(given["order"], "CF")
        if name == "arange":
            args, kwargs = (), _range(**given)
        return own(lambda: getattr(np, name)(*args, **kwargs), order="K")

    return function


def _range(start, stop=None, step=1, dtype=None):
    """arange's arguments: CuPy takes NumPy's numbers for Python's, so that np.float32(3) gives float64."""
    numbers = [x for x in (start, stop, step) if x is not None]
    if dtype is None:
        dtype = float if any(np.dtype(type(x)).kind == "f" for x in numbers) else int
    return {"start": start, "stop": stop, "step": 1 if step is None else step, "dtype": dtype}


arange, eye, identity, linspace, tri = map(_made, "arange eye identity linspace tri".split())


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    """A device array of what is on the host (a copy), or a itself."""
    return array(a, dtype, copy, order, blocking=blocking)


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    """A device array: a copy of one, or of what is on the host."""
    if subok:
        raise NotImplementedError("subok is not supported")
    order = memory_order(order)
    if isinstance(obj, ndarray):
        obj = obj if obj._device == _fake.current_device else obj.copy(order)
        a = converted(obj, obj.dtype if dtype is None else dtype, order, copy)
        return a if ndmin <= a.ndim else a.reshape((1,) * (ndmin - a.ndim) + a.shape)
    if _holds_arrays(obj):
        raise TypeError("a list of device arrays: slow in CuPy, use stack")
    host = np.array(obj, dtype, ndmin=ndmin)
    order = ("F" if isinstance(obj, np.ndarray) and obj.flags.fnc else "C") if order in "KA" else order
    host = host.astype(_dtypes.check(host.dtype.newbyteorder("=")), order)
    if host.ndim and not _fake.let_pass():  # a number goes along with the kernel that fills in
        _fake.transfer("h2d")
        if blocking:
            _fake.synchronise("array(blocking=True)")
    _fake._allocated(host)
    return wrap(host)


def _holds_arrays(x):
    return isinstance(x, ndarray) or (isinstance(x, (list, tuple)) and any(map(_holds_arrays, x)))


def ascontiguousarray(a, dtype=None):
    """a itself if it lies in C order, else a copy that does."""
    return _contiguous(a, dtype, "C")


def asfortranarray(a, dtype=None):
    """a itself if it lies in F order, else a copy that does."""
    return _contiguous(a, dtype, "F")


def _contiguous(a, dtype, order):
    if not isinstance(a, ndarray):
        raise TypeError(f"Argument 'a' has incorrect type (expected cupy.ndarray, got {type(a).__name__})")
    a = converted(a, a.dtype if dtype is None else dtype, order)
    return a if a.ndim else a.reshape(1)  # an array without axes gets one


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    """A copy on the host."""
    return a.get(stream, order, out, blocking) if isinstance(a, ndarray) else np.asarray(a)


def copy(a, order="K"):
    """A copy on the device."""
    if not isinstance(a, ndarray):
        raise TypeError(f"copy of {type(a).__name__}")
    return a.copy(order)
