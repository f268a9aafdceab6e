"""cupy.lib.stride_tricks."""

import numpy as np

from cupy import _fake
from cupy._array import ndarray, operand, wrap


def as_strided(x, shape=None, strides=None):
    """Metadata only."""
    if not isinstance(x, ndarray):
        raise TypeError(f"as_strided of {type(x).__name__}")
    return wrap(np.lib.stride_tricks.as_strided(operand(x), shape, strides), x)


def sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    """CuPy copies the window's shape to the device and compares there: a transfer and a wait for every axis."""
    for _ in range(len(window_shape) if isinstance(window_shape, (tuple, list)) else 1):
        _fake.transfer("h2d")
        _fake.synchronise("sliding_window_view")
    return wrap(np.lib.stride_tricks.sliding_window_view(operand(x), window_shape, axis), x)
