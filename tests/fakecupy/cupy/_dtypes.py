"""Which dtypes CuPy has, and the conversion that a card does differently: of a number to an integer that cannot hold it."""

import numpy as np

CHARACTERS = "?bhilqBHILQefdFD"  # booleans, integers, floats to 8 bytes, complex numbers to 16: what a kernel of CuPy can take


def has(dtype) -> bool:
    """Is it one of CuPy's?  Not strings, objects, dates, records, numbers of more than 8 bytes, nor the other byte order."""
    return dtype.char in CHARACTERS and dtype.isnative


def check(dtype):
    """The dtype, as numpy.dtype; ValueError if CuPy has none such."""
    dtype = np.dtype(dtype)
    if not has(dtype):
        raise ValueError(f"Unsupported dtype {dtype}")
    return dtype


def convert(array, dtype, order="K", copy=True):
    """array.astype(dtype, order); ValueError where a float becomes an integer that cannot hold it.

    C++ calls that undefined: a card makes 0 of NaN and the largest integer of infinity, NumPy on x86 the smallest of both.
    """
    if array.dtype.kind == "f" and np.dtype(dtype).kind in "iu" and array.size:
        limits, low, high = np.iinfo(dtype), float(array.min()), float(array.max())
        if not (low > limits.min - 1 and high < limits.max + 1):  # NaN is neither
            raise ValueError(
                f"numbers from {low} to {high} become {np.dtype(dtype)}: CUDA and NumPy make different integers "
                f"of NaN and of what is out of range"
            )
    return array.astype(dtype, order, copy=copy)
