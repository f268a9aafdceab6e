"""cupyx: the few that the project needs."""

import numpy as np

from cupy import _fake
from cupy._surface import SURFACE


def empty_pinned(shape, dtype=float, order="C"):
    """A NumPy array in memory that the card can read, so that copies need not wait."""
    _fake.refuse_in_capture("an allocation of pinned memory")
    return np.empty(shape, dtype, order)


def zeros_pinned(shape, dtype=float, order="C"):
    """empty_pinned, zeros."""
    _fake.refuse_in_capture("an allocation of pinned memory")
    return np.zeros(shape, dtype, order)


def scatter_add(a, slices, value):
    """a[slices] += value, repeats counted."""
    import cupy

    cupy.add.at(a, slices, value)


def __getattr__(name):
    if name not in SURFACE["cupyx"]:
        raise AttributeError(f"module 'cupyx' has no attribute {name!r}")
    raise NotImplementedError(f"the stand-in has no cupyx.{name}, which the real package has: add it")
