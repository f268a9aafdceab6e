"""A strict stand-in for CuPy 14, for machines without a GPU: what the real package refuses, this one refuses too.

It knows the real package's names and arguments from ../surface.json (made by tests/cupy_surface.py), computes with NumPy, and
is stricter than CuPy where CuPy is silent: an index out of bounds (CuPy wraps around), two values for one place (undefined),
writing into a broadcast view (a race), values that lie where they are stored (a memcpy, or a race), a float that no integer can
hold (another one), host arrays and lists where CuPy copies them behind one's back.

_fake.py       what a test sets and reads: the machine, counts        _surface.py    names and arguments of the real package
_array.py      ndarray: conversions, indexing, assignment             _ufuncs.py     functions of elements
_creation.py   arrays from nothing and from the host                  _functions.py  functions of whole arrays, in tables
_dtypes.py     which there are, and what becomes of a number          _raw.py        kernels of one's own

Not like the real thing: speed, rounding in reductions, streams (all work is done when a call returns); the class of an error
is often TypeError where CuPy's is AttributeError (a list has no .sum).  What CuPy takes and this refuses: lists and host arrays
where it uploads them at every call, records and bfloat16, x == None, unique along an axis, products of integers and of two
vectors in a recording, writing into what broadcast_to gives, what NumPy refuses (an axis as a list), and what is not written
yet (NotImplementedError says so).
"""

import numpy as np

from cupy import _fake, _functions
from cupy._array import ndarray
from cupy._creation import (
    arange,
    array,
    asarray,
    ascontiguousarray,
    asfortranarray,
    asnumpy,
    copy,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    linspace,
    ones,
    ones_like,
    tri,
    zeros,
    zeros_like,
)
from cupy._functions import matmul
from cupy._surface import SURFACE
from cupy._ufuncs import ufunc

__version__ = SURFACE["version"]


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
    elif name in _functions.METADATA:
        found = _functions.metadata(name)
    elif name in _functions.SAME_NAME:
        found = _functions.function(name)
    elif isinstance(getattr(np, name, None), (type, float, type(None))):
        found = getattr(np, name)  # dtypes, pi, newaxis
    else:
        raise NotImplementedError(f"the stand-in has no cupy.{name}, which the real package has: add it")
    _found[name] = found
    return found
