"""The stand-in's ndarray: NumPy's arithmetic on memory that nobody but the stand-in can read, with CuPy's refusals."""

import numpy as np

from cupy import _fake
from cupy._surface import SURFACE, check

NUMBERS = (bool, int, float, complex, np.generic)
IMPLICIT = ("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly.")


class _Memory:
    """ndarray.data: where the elements are."""

    def __init__(self, array):
        self.mem, self.device_id, self._array = self, array._device, array

    @property
    def ptr(self):
        """The address, as an int: of the host, here."""
        return self._array._a.ctypes.data


class _Flags:
    """ndarray.flags."""

    def __init__(self, array):
        flags = array._a.flags
        self.c_contiguous, self.f_contiguous = flags.c_contiguous, flags.f_contiguous
        self.forc, self.fnc = flags.forc, flags.fnc
        self.owndata = array.base is None


class ndarray:
    """An array on a device.  `_a` is the memory behind it: no code but the stand-in's may touch it."""

    __slots__ = ("__weakref__", "_a", "_device", "base")
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        if memptr is not None or strides is not None:
            raise NotImplementedError("the stand-in's ndarray takes no memptr and no strides")
        self._a, self._device, self.base = _fake.new(_shape(shape), dtype, order), _fake.current_device, None

    shape = property(lambda self: self._a.shape)
    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    nbytes = property(lambda self: self._a.nbytes)
    itemsize = property(lambda self: self._a.itemsize)
    strides = property(lambda self: self._a.strides)
    flags = property(_Flags)
    data = property(_Memory)
    T = property(lambda self: wrap(self._a.T, self))
    mT = property(lambda self: wrap(self._a.mT, self))
    real = property(lambda self: wrap(self._a.real, self))

    @property
    def device(self):
        """Where it is."""
        from cupy.cuda import Device

        return Device(self._device)

    @property
    def __cuda_array_interface__(self):
        return {"shape": self.shape, "typestr": self.dtype.str, "data": (self.data.ptr, False), "version": 3,
                "strides": None if self._a.flags.c_contiguous else self.strides, "stream": 1}

    def __getattr__(self, name):
        if name == "flat" and _fake.let_pass():
            return self._a.flat
        if name in SURFACE["cupy.ndarray"]:
            raise NotImplementedError(f"the stand-in's ndarray has no {name}, which CuPy's has: add it")
        raise AttributeError(f"'ndarray' object has no attribute {name!r}")

    # ---------------------------------------------------------------------------------------- to the host and back ---

    def get(self, stream=None, order="C", out=None, blocking=True):
        """A copy on the host."""
        if not _fake.let_pass():
            _fake.transfer("d2h")
            _fake.synchronise("get()")
        if out is not None:
            out[...] = self._a
            return out
        return self._a.copy(order="K" if order == "A" else order)

    def set(self, arr, stream=None):
        """Copy from the host."""
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if self.dtype != arr.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if self.shape != arr.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not (self._a.flags.c_contiguous or self._a.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        _fake.transfer("h2d")
        self._a[...] = arr

    def _read(self, what):
        """The elements on the host, because `what` asks for them: copied, and waited for."""
        if not _fake.let_pass():
            _fake.transfer("d2h")
            _fake.synchronise(what)
        return self._a

    def item(self):
        """The only element, as a Python number."""
        return self._read("item()").item()

    def tolist(self):
        """Nested lists of Python numbers."""
        return self._read("tolist()").tolist()

    def tobytes(self, order="C"):
        """The elements' bytes."""
        return self._read("tobytes()").tobytes(order)

    def __bool__(self):
        return bool(self._read("bool()"))

    def __float__(self):
        return float(self._read("float()"))

    def __int__(self):
        return int(self._read("int()"))

    def __complex__(self):
        return complex(self._read("complex()"))

    def __repr__(self):
        return repr(self._read("repr()"))

    def __str__(self):
        return str(self._read("str()"))

    def __format__(self, spec):
        return format(self._read("format()"), spec)

    def __reduce__(self):
        return _rebuilt, (self._read("pickle").copy(),)

    def __array__(self, dtype=None, copy=None):
        if _fake.let_pass():
            return self._a.astype(dtype or self.dtype)
        raise TypeError(IMPLICIT)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        import cupy

        if out is not None and any(isinstance(o, np.ndarray) for o in out) and _fake.let_pass():
            return getattr(ufunc, method)(*_hosts(inputs), out=out, **kwargs)
        if method != "__call__":
            raise TypeError(f"{ufunc.__name__}.{method} of a device array")
        if out is not None and any(isinstance(o, np.ndarray) for o in out):
            raise TypeError(IMPLICIT)
        return getattr(cupy, ufunc.__name__)(*inputs, **kwargs, **({} if out is None else {"out": out}))

    def __array_function__(self, function, types, args, kwargs):
        import cupy

        mixed = not all(issubclass(t, ndarray) for t in types)
        if _fake.let_pass() and (mixed or not hasattr(cupy, function.__name__)):
            return function(*_hosts(args), **{k: _hosts(v) for k, v in kwargs.items()})
        if mixed:
            raise TypeError(f"no implementation found for '{function.__name__}' on types that implement __array_function__: "
                            f"{list(types)}")
        module = cupy
        for part in function.__module__.split(".")[1:]:
            module = getattr(module, part) if not part.startswith("_") else module
        return getattr(module, function.__name__)(*args, **kwargs)

    def __dlpack_device__(self):
        return 2, self._device

    # ----------------------------------------------------------------------------------------------------- indexing ---

    def __len__(self):
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return len(self._a)

    def __iter__(self):
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        index, is_basic, masks = _index(index, self)
        if is_basic:
            return wrap(self._a[index if Ellipsis in index else (*index, Ellipsis)], self)
        if masks:
            _fake.synchronise("an index by a boolean mask")
        operand(self)
        return own(lambda: self._a[index])

    def __setitem__(self, index, value):
        index, is_basic, masks = _index(index, self)
        if isinstance(value, np.ndarray) and value.ndim and not _fake.let_pass():
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        several = not isinstance(value, NUMBERS)
        value = operand(value)
        if not is_basic and several:
            if masks:
                _fake.synchronise("an assignment to the places of a boolean mask")
            times = np.zeros(self.shape, np.intp)
            np.add.at(times, index, 1)
            if times.size and times.max() > 1:
                raise IndexError("duplicate indices in an assignment: CuPy stores an undefined one of the values")
        a = operand(self)
        _fake.mutate(lambda: a.__setitem__(index, value), a)

    # ------------------------------------------------------------------------------------------------------- copies ---

    def copy(self, order="C"):
        """A copy on the current device, also of an array on another."""
        return own(lambda: self._a.copy(order))

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        """Converted."""
        if not copy and self.dtype == dtype:
            return self
        operand(self)
        return own(lambda: self._a.astype(dtype, order, casting or "unsafe"))

    def fill(self, value):
        """Every element value."""
        self[...] = value

    def view(self, dtype=None, type=None):
        """The same memory, as another dtype."""
        return wrap(self._a.view(dtype or self.dtype), self)

    def reshape(self, *shape, order="C", copy=None):
        """In another shape; a view where possible."""
        shape = _shape(shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)
        return own(lambda: self._a.reshape(shape, order=order), self)

    def transpose(self, *axes):
        """The axes in another order."""
        return wrap(self._a.transpose(*axes), self)

    def dot(self, b, out=None):
        """Products."""
        import cupy

        return cupy.dot(self, b, out)

    def sort(self, axis=-1):
        """In place."""
        a = self._a
        _fake.mutate(lambda: a.sort(axis), a)

    def nonzero(self):
        """Indices of what is not 0."""
        import cupy

        return cupy.nonzero(self)

    def scatter_add(self, slices, value):
        """self[slices] += value, repeats counted."""
        import cupy

        cupy.add.at(self, slices, value)


def _shape(shape):
    """A shape as a tuple of ints; a device array is none."""
    if isinstance(shape, ndarray) or (isinstance(shape, (tuple, list)) and any(isinstance(n, ndarray) for n in shape)):
        raise TypeError("'ndarray' object cannot be interpreted as an integer")
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


def wrap(array, base=None):
    """A device array over this memory, a view of `base`."""
    out = object.__new__(ndarray)
    out._a = array
    out._device = _fake.current_device if base is None else base._device
    out.base = base if base is None or base.base is None else base.base
    return out


def own(function, *inputs):
    """The device array of what function() computes; a view, if it is one of the inputs'."""
    result = _fake.compute(function, *(x._a for x in inputs))
    for x in inputs:
        if np.may_share_memory(result, x._a):
            return wrap(result, x)
    return wrap(result)


def _rebuilt(host):
    _fake.transfer("h2d")
    return wrap(host)


def operand(x, what="operand"):
    """The memory behind a device array, or a number as it is; TypeError for everything else."""
    if type(x) is ndarray:
        if x._device != _fake.current_device:
            raise ValueError(f"Array device must be same as the current device: array device = {x._device} while current = "
                             f"{_fake.current_device}")
        return x._a
    if isinstance(x, NUMBERS):
        return x
    if isinstance(x, (np.ndarray, list, tuple)) and _fake.let_pass():
        return np.asarray(x)
    raise TypeError(f"Unsupported type {type(x)}")


def _hosts(x):
    """x with every device array in it on the host."""
    if isinstance(x, ndarray):
        return x._a.copy()
    return type(x)(_hosts(item) for item in x) if isinstance(x, (tuple, list)) else x


def _index(index, array):
    """(the index as a tuple NumPy takes, is it free of arrays?, are there masks?); TypeError for host arrays and lists."""
    items, is_basic, masks = [], True, False
    for item in index if isinstance(index, tuple) else (index,):
        if isinstance(item, slice):
            if any(isinstance(n, ndarray) for n in (item.start, item.stop, item.step)):
                raise TypeError("slice indices must be integers or None or have an __index__ method")
        elif isinstance(item, ndarray):
            if item.dtype.kind not in "iub":
                raise IndexError("arrays used as indices must be of integer or boolean type")
            is_basic, masks = False, masks or item.dtype == bool
            item = operand(item)
        elif isinstance(item, (np.ndarray, list, tuple, range)):
            if not _fake.let_pass():
                raise TypeError(f"an index on the host ({type(item).__name__}) for an array on a device: a hidden copy at "
                                f"every call; upload it once")
            is_basic, item = False, np.asarray(item)
        elif isinstance(item, (bool, np.bool_)):
            is_basic = False
        elif not (item is None or item is Ellipsis or isinstance(item, (int, np.integer))):
            raise IndexError(f"an index of type {type(item).__name__}")
        items.append(item)
    return tuple(items), is_basic, masks


# ------------------------------------------------------------------------------------------- operators, reductions ---

OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
             "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
             "lshift": "left_shift", "rshift": "right_shift", "matmul": "matmul"}
COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
UNARY = {"neg": "negative", "abs": "absolute", "invert": "invert", "pos": "positive"}
SAME = ("all any argmax argmin argsort clip compress conj cumprod cumsum diagonal flatten max mean min prod ptp ravel repeat "
        "round searchsorted squeeze std sum swapaxes take trace var").split()


def _call(name, *args, **kwargs):
    import cupy

    return getattr(cupy, name)(*args, **kwargs)


def _theirs(other):
    """CuPy leaves the operation to what says `__array_ufunc__ = None` (NEP 13), or has a higher priority."""
    try:
        return other.__array_ufunc__ is None
    except AttributeError:
        return getattr(other, "__array_priority__", 0) > ndarray.__array_priority__


def _fill_in():
    for short, name in OPERATORS.items():
        setattr(ndarray, f"__{short}__", lambda a, b, name=name: NotImplemented if _theirs(b) else _call(name, a, b))
        setattr(ndarray, f"__r{short}__", lambda a, b, name=name: _call(name, b, a))
        if short != "matmul":  # CuPy has no __imatmul__
            setattr(ndarray, f"__i{short}__", lambda a, b, name=name: _call(name, a, b, out=a))
    for short, name in COMPARISONS.items():
        setattr(ndarray, f"__{short}__", lambda a, b, name=name: NotImplemented if _theirs(b) else _call(name, a, b))
    for short, name in UNARY.items():
        setattr(ndarray, f"__{short}__", lambda a, name=name: _call(name, a))
    for name in SAME:
        setattr(ndarray, name, _method(name))


def _method(name):
    def method(self, *args, out=None, **kwargs):
        check("cupy.ndarray", name, args, kwargs)
        args, kwargs = tuple(map(_argument, args)), {k: _argument(v) for k, v in kwargs.items()}
        if out is not None:
            memory = operand(out)
            _fake.mutate(lambda: getattr(self._a, name)(*args, out=memory, **kwargs), memory)
            return out
        operand(self)
        if name == "compress":
            _fake.synchronise("compress()")
        return own(lambda: getattr(self._a, name)(*args, **kwargs), self)

    method.__name__ = name
    return method


def _argument(x):
    """An argument that is no operand: device arrays are unwrapped, host arrays refused, all else is as it is."""
    if isinstance(x, np.ndarray) or (isinstance(x, list) and _depth(x)):
        return operand(x)
    if isinstance(x, ndarray):
        return operand(x)
    return type(x)(map(_argument, x)) if type(x) in (tuple, list) else x


def _depth(x):
    return any(isinstance(item, (list, np.ndarray)) for item in x)


_fill_in()
