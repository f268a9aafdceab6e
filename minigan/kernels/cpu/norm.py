"""Batch and layer normalisation, forward and backward, in as few passes over memory as NumPy allows.

For batch norm, arrays become blocks (P, C, M): M values of each of C channels lie together, P times.  Of images with the memory
order (H, W, C, N) (see memory.py) this is a view with P = H W and M = N; with the order (H, W, N, C), P = H W N and M = 1.
Then channel sums are matrix-vector products with ones, which BLAS does at the speed of memory (a ninth of the time of
x.var(axis), measured at 25088 x 64).  We take a few of the P at a time, so that the result of one step is still in the
cache for the next step, and we repeat the numbers of the channels M times, so that the inner loops are long.

Layer norm takes a few rows at a time.
"""

import numpy as np

from minigan.kernels.cpu.memory import images_last, in_order, pixels, row_pieces


def as_blocks(x):
    """x (N, C, ...) as blocks (P, C, M); a view if the memory order allows it."""
    if x.ndim == 2:
        return x[:, :, None]
    if x.ndim == 4:
        last = images_last(x)
        return pixels(x, last).reshape(-1, *((x.shape[1], len(x)) if last else (x.shape[1], 1)))
    return x.transpose(*range(2, x.ndim), 0, 1).reshape(-1, x.shape[1], 1)


def from_blocks(blocks, shape):
    """The inverse of as_blocks: (P, C, M) as a view (N, C, ...)."""
    n, c, *rest = shape
    if len(shape) == 4:
        last = blocks.shape[2] == n and n > 1
        return in_order(blocks.reshape(*rest, *((c, n) if last else (n, c))), last)
    return blocks.reshape(*rest, n, c).transpose(len(rest), len(rest) + 1, *range(len(rest)))


def channel_sums(blocks):
    """The sum of every channel of blocks (P, C, M): (C,)."""
    p, c, m = blocks.shape
    if m > 1:
        return (blocks.reshape(-1, m) @ np.ones(m, blocks.dtype)).reshape(p, c).sum(0)
    return np.ones(p, blocks.dtype) @ blocks[:, :, 0]


def layer_norm(x, weight, bias, eps):
    """y = x^ weight + bias, x^ = (x - mean) / sqrt(var + eps), and 1 / std (R, 1), for the rows of x (R, D); weight, bias (D,).

    A mean is a product with a vector of 1 / D.   weight, bias: None leaves them out.
    """
    share, inv_std = np.full(x.shape[1], 1 / x.shape[1], x.dtype), np.empty((len(x), 1), x.dtype)
    unit = np.empty(x.shape, x.dtype)
    y = unit if weight is None and bias is None else np.empty(x.shape, x.dtype)

    def piece(s):
        np.subtract(x[s], (x[s] @ share)[:, None], out=unit[s])
        var = np.multiply(unit[s], unit[s], out=y[s] if y is not unit else None) @ share
        np.divide(1, np.sqrt(var + eps)[:, None], out=inv_std[s])
        unit[s] *= inv_std[s]
        if weight is not None:
            np.multiply(unit[s], weight, out=y[s])
        if bias is not None:
            np.add(unit[s] if weight is None else y[s], bias, out=y[s])

    row_pieces(piece, x)
    return y, unit, inv_std


def layer_norm_gradient(g, unit, inv_std, weight):
    """(dx, dweight, dbias).  dx = (h - mean h - x^ mean(h x^)) / std with h = g weight and unit = x^; the means are of rows."""
    share, ones, dx = np.full(g.shape[1], 1 / g.shape[1], g.dtype), np.ones(len(g), g.dtype), np.empty(g.shape, g.dtype)

    def piece(s):
        h = g[s] if weight is None else g[s] * weight
        product = np.multiply(g[s], unit[s], out=dx[s])
        d_weight = ones[s] @ product
        slope = product @ (share if weight is None else share * weight)
        np.multiply(unit[s], -slope[:, None], out=dx[s])
        dx[s] += h
        dx[s] -= (h @ share)[:, None]
        dx[s] *= inv_std[s]
        return d_weight

    return dx, sum(row_pieces(piece, g)), ones @ g


def _wide(channels, blocks):
    """One number for each channel, (C,), as (C M,)."""
    return np.repeat(channels, blocks.shape[2]) if blocks.shape[2] > 1 else channels


def _rows(blocks):
    return blocks.reshape(len(blocks), -1)


def moments(x):
    """mean (C,), biased variance (C,), and x - mean as blocks (P, C, M)."""
    blocks = as_blocks(x)
    share = 1 / (blocks.shape[0] * blocks.shape[2])
    mean = channel_sums(blocks) * share
    centered, rows, wide = np.empty_like(blocks), _rows(blocks), _wide(mean, blocks)

    def piece(s):
        np.subtract(rows[s], wide, out=_rows(centered)[s])
        return channel_sums(centered[s] * centered[s])

    return mean, sum(row_pieces(piece, rows)) * share, centered


def follow(mean, var, running_mean, running_var, momentum, count, eps):
    """1 / sqrt(var + eps).  running_mean and running_var, if not None, move by `momentum` towards mean and unbiased variance.

    count: how many values of each channel there are.
    """
    for running, batch in ((running_mean, mean), (running_var, var * (count / (count - 1)))):
        if running is not None:
            running[...] = (1 - momentum) * running + momentum * batch
    return 1 / np.sqrt(var + eps)


def forward(centered, inv_std, weight, bias, shape):
    """y = (x - mean) / std * weight + bias, as (N, C, ...)."""
    y, rows = np.empty_like(centered), _rows(centered)
    scale = _wide(inv_std if weight is None else inv_std * weight, centered)
    shift = None if bias is None else _wide(bias, centered)

    def piece(s):
        out = np.multiply(rows[s], scale, out=_rows(y)[s])
        if shift is not None:
            out += shift

    row_pieces(piece, rows)
    return from_blocks(y, shape)


def backward(g, centered, inv_std, weight):
    """(dx, dweight, dbias).   With x^ = centered / std:  dbias = sum g, dweight = sum g x^,
    dx = weight / std * (g - mean g - x^ mean(g x^)).   Ioffe and Szegedy 2015, section 3."""
    blocks = as_blocks(g)
    rows, rows_c, share = _rows(blocks), _rows(centered), 1 / (blocks.shape[0] * blocks.shape[2])
    d_bias = channel_sums(blocks)
    d_weight = sum(row_pieces(lambda s: channel_sums(blocks[s] * centered[s]), rows)) * inv_std
    scale = inv_std if weight is None else inv_std * weight
    slope, shift = (_wide(scale * a * share, blocks) for a in (inv_std * d_weight, d_bias))
    scale, dx = _wide(scale, blocks), np.empty_like(blocks)

    def piece(s):
        out = np.multiply(rows[s], scale, out=_rows(dx)[s])
        out -= rows_c[s] * slope
        out -= shift

    row_pieces(piece, rows)
    return from_blocks(dx, g.shape), d_weight, d_bias
