"""Random ops: a mask drawn anew at every call, multiplied in.

The mask is drawn where x is, from the stream "noise" of that device, and it is a constant: given the mask, dropout is a
multiplication, and right at every order of derivative.
"""

import math

import numpy as np

from minigan.autograd import primitive
from minigan.backend import device_of
from minigan.errors import ConfigError, DTypeError, ShapeError
from minigan.kernels import dispatch
from minigan.streams import streams
from minigan.tensor import Tensor, plain


def dropout(x, p=0.5, training=True) -> Tensor:
    """y = x m / (1 - p), each element of the mask m drawn anew: 0 with probability p, else 1.   dy/dx = m / (1 - p).

    x: floats of any shape.  E y = x, so evaluation needs no correction: with training=False, or p = 0, y is x itself.
    p = 1 gives zeros.  ConfigError for p outside [0, 1], DTypeError if x is not floats.
    Srivastava et al. 2014, scaled in training instead of in evaluation; torch.nn.functional.dropout.
    """
    return _dropped("dropout", x, x.shape, p, training)


def dropout2d(x, p=0.5, training=True) -> Tensor:
    """dropout of whole channels: x (N, C, H, W), one draw for each (n, c).   Tompson et al. 2015.

    Neighbouring pixels say nearly the same, so a single missing one is no loss; a missing channel is.
    """
    if x.ndim != 4:
        raise ShapeError(f"dropout2d: x is (N, C, H, W), got {x.shape}; dropout takes any shape")
    return _dropped("dropout2d", x, (*x.shape[:2], 1, 1), p, training)


def _dropped(op, x, shape, p, training):
    if not 0 <= p <= 1:
        raise ConfigError(f"{op}: p is the probability to drop, between 0 and 1, got {p}")
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: needs floats, got {x.dtype}; convert with .astype('float32')")
    if not training or p == 0:
        return x
    noise = streams.on(device_of(plain(x)))("noise")
    drawn = noise.random(math.prod(shape), np.float32).reshape(shape)  # float32 whatever x is: the same mask
    keep = (drawn >= p).astype(f"i{x.dtype.itemsize}")
    return _drop(x, keep, 1 / (1 - p) if p < 1 else 1.0)


def _dropped_forward(x, keep, scale):
    y = dispatch.kept(x, keep)
    y *= scale
    return y


_drop = primitive(_dropped_forward, lambda g, y, x, keep, scale: _drop(g, keep, scale), name="dropout", saves="neither")
