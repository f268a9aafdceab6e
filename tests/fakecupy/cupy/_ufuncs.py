"""Functions of elements: the loops that CuPy has for them, results in C order, outputs that overlap inputs."""

import numpy as np

from cupy import _dtypes, _fake
from cupy._array import NUMBERS, ndarray, operand, own
from cupy._surface import SURFACE, check

# The functions with atomic operations, and the dtypes that those take.
AT = {
    "add": "i4 i8 u4 u8 f2 f4 f8",
    "subtract": "i4 u4",
    **dict.fromkeys(("maximum", "minimum"), "i4 i8 u4 u8 f4 f8"),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), "i4 i8 u4 u8"),
}


class ufunc:
    """A function of elements."""

    def __init__(self, name):
        self.name = self.__name__ = name
        self.types = SURFACE["ufuncs"][name]
        self._host = getattr(np, name)
        self._loops = [tuple(map(np.dtype, loop.split("->")[0])) for loop in self.types]
        self._fits = {}  # dtypes of operands -> is there a loop for them?
        self.nin, self.nout = len(self._loops[0]), len(self.types[0].split("->")[1])
        self.nargs = self.nin + self.nout

    def __call__(self, *args, out=None, **kwargs):
        check("cupy", self.name, args[: self.nin], kwargs)
        if not self.nin <= len(args) <= self.nargs:
            raise TypeError(f"{self.name} takes {self.nin} operands and {self.nout} outputs, got {len(args)}")
        if len(args) > self.nin:
            if out is not None:
                raise ValueError("Cannot specify 'out' as both a positional and keyword argument")
            out, args = args[self.nin :], args[: self.nin]
        if kwargs.get("dtype") is not None:
            kwargs["dtype"] = _dtypes.check(kwargs["dtype"])
        values = [operand(x) for x in args]
        if all(isinstance(x, NUMBERS) for x in args) and out is None:
            raise TypeError(f"{self.name} of numbers alone: no array says on which device")
        self._check_loop(tuple(v.dtype for v in values if hasattr(v, "dtype")))
        if isinstance(out, tuple):
            if len(out) != self.nout:
                raise ValueError("The 'out' tuple must have exactly one entry per ufunc output")
            out = out[0] if self.nout == 1 else out
        if self.nout > 1:
            raise NotImplementedError(f"the stand-in's {self.name} has one output")
        if out is None:
            return own(lambda: self._host(*values, **kwargs))
        return self._into(out, args, values, kwargs)

    def _into(self, out, args, values, kwargs):
        if type(out) is not ndarray:
            raise TypeError("Output arguments type must be cupy.ndarray")
        memory = operand(out)
        for x in args:
            if type(x) is ndarray and x is not out and _fake.overlap(x._a, memory):
                _fake.counts.op += 1  # CuPy copies it
        if kwargs.get("casting") == "unsafe" and memory.dtype.kind in "iu":
            _fake.mutate(lambda: np.copyto(memory, _dtypes.convert(self._host(*values, **kwargs), memory.dtype)), memory)
        else:
            _fake.mutate(lambda: self._host(*values, out=memory, **kwargs), memory)
        return out

    def _check_loop(self, dtypes):
        if dtypes not in self._fits:
            self._fits[dtypes] = any(all(np.can_cast(d, max(loop)) for d in dtypes) for loop in self._loops)
        if not self._fits[dtypes]:
            raise TypeError(f"no loop of {self.name} takes {', '.join(map(str, dtypes))}")

    def at(self, a, indices, b=None):
        """a[indices] = self(a[indices], b), one after the other."""
        from cupy._array import scatter

        if self.name not in AT:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        scatter(
            _array(a, self.name),
            indices,
            b,
            lambda memory, index, value: self._host.at(memory, index, value),
            AT[self.name],
            self,
        )

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        """The sum or product along an axis; of other functions CuPy has none."""
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")
        return getattr(_array(array, self.name), "sum" if self.name == "add" else "prod")(axis, dtype, out, keepdims)

    def accumulate(self, array, axis=0, dtype=None, out=None):
        """Sums or products so far."""
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.name}.accumulate` is not supported yet")
        return getattr(_array(array, self.name), "cumsum" if self.name == "add" else "cumprod")(axis, dtype, out)

    def outer(self, A, B, **kwargs):
        """Of every pair."""
        return self(_array(A, self.name).reshape(A.shape + (1,) * _array(B, self.name).ndim), B, **kwargs)


def _array(x, name):
    if type(x) is not ndarray:
        raise TypeError(f"{name} of {type(x).__name__}, not of a device array")
    return x
