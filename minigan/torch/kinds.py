"""dtype, device and Size: what PyTorch has objects for, and minigan names with strings and tuples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.errors import DTypeError


class dtype:
    """torch.float32 and its relatives; `numpy` is NumPy's name for it."""

    def __init__(self, name: str):
        self.name = name

    @property
    def numpy(self) -> np.dtype:
        """NumPy's dtype."""
        if self is bfloat16:
            raise DTypeError("bfloat16: minigan computes in float32 and float64; use torch.float32")
        return np.dtype(self.name)

    @property
    def is_floating_point(self) -> bool:
        """Is it one of the floats?"""
        return "float" in self.name

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.numpy.itemsize

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):  # a copy is the same object, so that `is` works
        return (of_numpy, (self.name,))


DTYPES = {name: dtype(name) for name in ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")}
bfloat16 = dtype("bfloat16")  # scripts name it where they choose among dtypes; nothing can have it
# PyTorch's other names.
ALIASES = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16"}


def of_numpy(kind: Any) -> dtype:
    """The dtype of this package for one of NumPy."""
    name = np.dtype(kind).name
    if name not in DTYPES:
        raise DTypeError(f"{name} is no dtype here; there are {', '.join(DTYPES)}")
    return DTYPES[name]


def to_numpy(kind: Any) -> np.dtype:
    """NumPy's dtype for one of this package, a name ("torch.float32", "float") or one of NumPy."""
    if isinstance(kind, dtype):
        return kind.numpy
    if isinstance(kind, type) and kind in (float, int, bool):  # Python's types, as PyTorch reads them
        return np.dtype({float: "float32", int: "int64", bool: "bool"}[kind])
    if isinstance(kind, str):
        kind = kind.removeprefix("torch.")
        kind = ALIASES.get(kind, kind)
    try:
        found = np.dtype(kind)
        return DTYPES[found.name].numpy
    except (TypeError, KeyError):
        raise DTypeError(f"{kind} is no dtype here; there are {', '.join(DTYPES)}") from None


def promote_types(type1: Any, type2: Any) -> dtype:
    """The dtype of a sum of tensors of these two."""
    one, other = to_numpy(type1), to_numpy(type2)
    floats = [kind for kind in (one, other) if kind.kind == "f"]
    return of_numpy(floats[0] if len(floats) == 1 else np.promote_types(one, other))


class finfo:
    """The limits of a float dtype: eps, max, min, tiny."""

    def __init__(self, type: Any = "float32"):
        limits = np.finfo(to_numpy(type))
        self.eps, self.max, self.min, self.tiny = (float(getattr(limits, n)) for n in ("eps", "max", "min", "tiny"))
        self.bits, self.smallest_normal = limits.bits, self.tiny


class iinfo:
    """The limits of an integer dtype: max, min."""

    def __init__(self, type: Any):
        limits = np.iinfo(to_numpy(type))
        self.max, self.min, self.bits = int(limits.max), int(limits.min), limits.bits


class device:
    """'cpu', 'cuda' or 'cuda:1'.   type: without the number.   index: the number, or None."""

    def __init__(self, type: Any, index: int | None = None):
        name = f"cuda:{type}" if isinstance(type, int) else str(type)
        self.type, _, number = name.partition(":")
        self.index = index if index is not None else int(number) if number else None

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        number = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{number})"

    def __eq__(self, other):
        return isinstance(other, (device, str)) and str(self) == str(other)

    def __hash__(self):
        return hash(str(self))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


class Size(tuple):
    """A tuple of sizes that prints as torch.Size."""

    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self)

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def __getitem__(self, index) -> Any:
        found = super().__getitem__(index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other):
        return Size(tuple(self) + tuple(other))


def target(value: Any) -> Any:
    """A device or a dtype as minigan names it: "cuda:1", "float32"."""
    if isinstance(value, (device, str)) and (name := str(value)).split(":")[0] in ("cpu", "cuda"):
        return name
    return to_numpy(value).name
