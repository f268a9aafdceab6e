"""What metrics accept: finite numbers, one row for each sample, and pictures in [-1, 1].   The rest gets an error of one line.

numbers     an array of finite numbers          matrix, pair    float64 rows, for distances
pictures    pictures in [-1, 1]                 share           a number from 0 to 1 that a function was given
Elsewhere: whole numbers (data/base.py).
"""

import numpy as np

from minigan.backend import is_array, to_device
from minigan.errors import ConfigError, DataError, DTypeError, NotFiniteError, ShapeError
from minigan.tensor import plain

LARGEST = 1e50  # the sixth power of a larger value, which the kernel distance takes, is no longer a finite float64
ROUNDING = 1e-4  # so far outside [-1, 1] a picture may be, such as after a conversion to another dtype


def numbers(x, what: str) -> np.ndarray:
    """x (an array, a Tensor, a list) as a NumPy array.   ShapeError for rows of different lengths, and one value alone;
    DTypeError for what is no real number; NotFiniteError for NaN and infinities; DataError for values above LARGEST."""
    try:
        array = plain(x)
        array = np.asarray(to_device(array, "cpu") if is_array(array) else array)
    except (ValueError, TypeError) as error:
        raise ShapeError(f"{what}: needs an array of numbers, and this is none: {error}") from None
    if not array.ndim:
        raise ShapeError(f"{what}: needs an array with one row for each sample, got {x!r:.60}")
    if array.dtype.kind not in "fiu":
        raise DTypeError(f"{what}: needs real numbers, got {array.dtype} {array.shape}; convert them with .astype(np.float32)")
    if array.size and array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())  # these find a NaN too, and need no second array
        if not (np.isfinite(low) and np.isfinite(high)):
            bad = np.count_nonzero(~np.isfinite(array))
            raise NotFiniteError(f"{what}: {bad:,} of {array.size:,} values are NaN or infinite")
        if max(-low, high) > LARGEST:
            raise DataError(f"{what}: has values up to {max(-low, high):.3g}, whose powers overflow; divide by their size")
    return array


def matrix(x, what: str, least: int = 1) -> np.ndarray:
    """x (N, ...) as float64 (N, d).   ShapeError with fewer than `least` rows, and the errors of `numbers`."""
    x = numbers(x, what)
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise ShapeError(f"{what}: needs one row per sample, (N, d), got {x.shape}; for N single numbers pass x[:, None]")
    if len(x) < least:
        raise ShapeError(f"{what}: needs at least {least} samples, got {len(x)}")
    return x.reshape(len(x), -1).astype(np.float64, copy=False)


def pair(a, b, what: str, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays as float64 matrices, as `matrix` makes them.   ShapeError if their samples have different shapes."""
    a, b = numbers(a, what), numbers(b, what)
    if a.ndim and b.ndim and a.shape[1:] != b.shape[1:]:
        raise ShapeError(f"{what}: samples of shape {a.shape[1:]} cannot be compared with samples of {b.shape[1:]}")
    return matrix(a, what, least), matrix(b, what, least)


def pictures(x, what: str, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """x (N, C, H, W) as an array of floats.   DTypeError for whole numbers, DataError for values outside [low, high],
    ShapeError for another number of axes, and the errors of `numbers`."""
    x = numbers(x, what)
    if x.ndim != 4:
        raise ShapeError(f"{what}: pictures must be (N, C, H, W), got {x.shape}")
    if (low, high) == (-1.0, 1.0) and x.dtype.kind != "f":
        raise DTypeError(f"{what}: pictures are floats in [-1, 1], got {x.dtype}; use x / 127.5 - 1 if they go from 0 to 255")
    if x.size and not (x.min() >= low - ROUNDING and x.max() <= high + ROUNDING):
        advice = "clip them, or let G end with Tanh"
        if low == -1 and x.min() >= 0:
            advice = "use x / 127.5 - 1 if they go from 0 to 255"
        raise DataError(
            f"{what}: the pictures have values from {x.min():.3g} to {x.max():.3g}, and must be in [{low:g}, {high:g}]; "
            f"{advice}"
        )
    return x


def share(value, what: str, name: str) -> float:
    """A number from 0 to 1 that a function was given.   ConfigError otherwise."""
    if not (isinstance(value, int | float | np.number) and 0 <= value <= 1):
        raise ConfigError(f"{what}: {name} must be a number from 0 to 1, got {value!r}")
    return float(value)
