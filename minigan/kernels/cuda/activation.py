"""Bias, leaky relu, softplus, sigmoid and masks on a card (activation.cu).  Results lie in memory as the input does."""

import numpy as np

from minigan.backend import xp
from minigan.kernels.cuda.launcher import launch
from minigan.kernels.cuda.memory import around, back, in_order, order_of, plain
from minigan.kernels.cuda.norm import threads_for


def add_bias(x, bias):
    """x + bias, one number for each channel.   x (N, C, ...), bias (C,)."""
    return _activated(x, bias, 1.0)


def leaky_relu(x, slope):
    """x where x > 0, else slope x.   Any shape."""
    return _activated(x, None, slope)


def _activated(x, bias, slope):
    order = order_of(x)
    x = in_order(x, order)
    axis = order.index(1) if bias is not None else x.ndim
    y = xp(x).empty(x.shape, x.dtype)
    launch("activation", "bias_leaky_relu", x.size, x, *plain(bias), y, slope, *around(x.shape, axis))
    return back(y, order)


def leaky_relu_gradient(g, x, slope):
    """g where x > 0, else slope g.   g, x of one shape; for slope >= 0 x may be the output instead."""
    order = order_of(x)
    g, x = in_order(g, order), in_order(x, order)
    dx = xp(x).empty(x.shape, x.dtype)
    launch("activation", "leaky_relu_gradient", x.size, g, x, dx, slope, x.size)
    return back(dx, order)


def softplus(x):
    """log(1 + e^x)."""
    return _mapped("softplus", x)


def sigmoid(x):
    """1 / (1 + e^-x)."""
    return _mapped("sigmoid", x)


def _mapped(kernel, x):
    x = x if x.dtype.kind == "f" else x.astype(np.float64)  # as NumPy does with whole numbers
    order = order_of(x)
    x = in_order(x, order)
    y = xp(x).empty(x.shape, x.dtype)
    launch("activation", kernel, x.size, x, y, x.size)
    return back(y, order)


def bell(g, x, k, y):
    """g k^2 e / (1 + e)^2 with e = e^-k|x|: g times the slope of sigmoid (k = 1) and of tanh (k = 2).   g, x of one shape.

    y, the output, is not read: a card computes e as fast as it would read y."""
    order = order_of(x)
    g, x = in_order(g, order), in_order(x, order)
    dx = xp(x).empty(x.shape, x.dtype)
    launch("activation", "bell", x.size, g, x, dx, k, x.size)
    return back(dx, order)


def kept(g, mask):
    """g where the mask is true, else 0: also where g is inf or NaN."""
    return xp(g).where(mask, g, 0)


def bias_gradient(g):
    """The sum of g (N, C, ...) over everything but the channels: (C,)."""
    order = order_of(g)
    g = in_order(g, order)
    sizes = around(g.shape, order.index(1))
    d_bias = (xp(g).empty if g.size else xp(g).zeros)(sizes[1], g.dtype)
    launch("activation", "bias_gradient", g.size, g, d_bias, *sizes, blocks=sizes[1], threads=threads_for(sizes))
    return d_bias
