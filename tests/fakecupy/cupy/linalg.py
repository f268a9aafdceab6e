"""cupy.linalg: the few that the project needs."""

import numpy as np

from cupy import _fake
from cupy._array import ndarray, operand, own
from cupy._surface import SURFACE, check


def norm(x, ord=None, axis=None, keepdims=False):
    """The length; of matrices with ord 2, -2 and "nuc" by their singular values."""
    if not isinstance(x, ndarray):
        raise TypeError(f"norm of {type(x).__name__}")
    if not isinstance(axis, (int, np.integer, tuple, type(None))):
        raise TypeError("'axis' must be None, an integer or a tuple of integers")
    a, axes = operand(x), axis if isinstance(axis, tuple) else (axis,) if axis is not None else range(x.ndim)
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        _fake.synchronise("cuSOLVER, called by cupy.linalg.norm,")
    return own(lambda: np.linalg.norm(a, ord, axis, keepdims))


def _solver(name):
    def function(*args, **kwargs):
        check("cupy.linalg", name, args, kwargs)
        for x in args:
            if not isinstance(x, ndarray):
                raise TypeError(f"{name} of {type(x).__name__}: cupy.linalg only supports cupy.ndarray")
        _fake.synchronise(f"cuSOLVER, called by cupy.linalg.{name},")
        values = [operand(x) for x in args]
        if name == "solve" and values[0].shape[:-2] != values[1].shape[:-2]:
            raise ValueError("the stand-in is stricter than CuPy here: a and b need the same leading axes")
        try:
            found = getattr(np.linalg, name)(*values, **kwargs)
        except np.linalg.LinAlgError as error:  # cuSOLVER reports nothing unless cupyx.errstate asks for it
            if "square" in str(error) or "dimensional" in str(error):
                raise
            found = np.full(values[-1].shape, np.nan, values[0].dtype)
        return tuple(own(lambda part=part: part) for part in found) if isinstance(found, tuple) else own(lambda: found)

    return function


def __getattr__(name):
    if name not in SURFACE["cupy.linalg"]:
        raise AttributeError(f"module 'cupy.linalg' has no attribute {name!r}")
    if name in ("inv", "det", "slogdet", "solve", "cholesky", "eigh", "svd", "eigvalsh", "matrix_rank", "pinv"):
        return _solver(name)
    raise NotImplementedError(f"the stand-in has no cupy.linalg.{name}, which the real package has: add it")
