"""Batch normalisation on a GPU (norm.cu).   The functions are those of kernels/cpu/norm.py.

Between the kernels we keep x and its mean, not x - mean: to compute it again costs nothing, to store it a pass over memory.
"""

from typing import NamedTuple

from minigan.backend import xp
from minigan.kernels.cuda.launcher import launch
from minigan.kernels.cuda.memory import around, back, in_order, order_of, plain


class Kept(NamedTuple):
    """x as (outer, channels, inner) in memory, and the mean of each channel.   order: that of x's axes (see memory.py)."""

    x: object
    mean: object
    order: tuple
    sizes: tuple


def moments(x):
    """mean (C,), biased variance (C,), and what forward and backward need."""
    order = order_of(x)
    x = in_order(x, order)
    sizes = around(x.shape, order.index(1))
    mean, var = (xp(x).empty(sizes[1], x.dtype) for _ in range(2))
    launch("norm", "moments", x.size, x, mean, var, *sizes, blocks=sizes[1], threads=threads_for(sizes))
    return mean, var, Kept(x, mean, order, sizes)


def follow(mean, var, running_mean, running_var, momentum, count, eps):
    """1 / sqrt(var + eps);  running_mean and running_var, if not None, move by `momentum` towards mean and unbiased variance.

    count: how many values of each channel there are.
    """
    inv_std = xp(var).empty(var.shape, var.dtype)
    launch(
        "norm", "follow", var.size, mean, var, running_mean, running_var, inv_std, momentum, count / (count - 1), eps, var.size
    )
    return inv_std


def forward(kept, inv_std, weight, bias, shape):
    """y = (x - mean) / std * weight + bias, as (N, C, ...)."""
    y = xp(kept.x).empty(kept.x.shape, kept.x.dtype)
    launch("norm", "normalise", y.size, kept.x, kept.mean, *plain(inv_std, weight, bias), y, *kept.sizes)
    return back(y, kept.order)


def backward(g, kept, inv_std, weight):
    """(dx, dweight, dbias).   See norm.cu."""
    m, g, sizes = xp(g), in_order(g, kept.order), kept.sizes
    d_weight, d_bias, dx = m.empty(sizes[1], g.dtype), m.empty(sizes[1], g.dtype), m.empty(g.shape, g.dtype)
    launch(
        "norm",
        "channel_gradients",
        g.size,
        g,
        kept.x,
        kept.mean,
        inv_std,
        d_weight,
        d_bias,
        *sizes,
        blocks=sizes[1],
        threads=threads_for(sizes),
    )
    launch("norm", "input_gradient", g.size, g, kept.x, kept.mean, *plain(inv_std, weight), d_weight, d_bias, dx, *sizes)
    return back(dx, kept.order), d_weight, d_bias


def threads_for(sizes):
    """How many threads share the outer * inner elements of a channel: a multiple of 32, at most 256."""
    return min(256, max(32, sizes[0] * sizes[2] // 128 * 32))
