"""Convolutions with fewer multiplications, by Toom and Cook: for kernels of 2 or 3 strides, such as 4 with stride 2, 3 with 1.

A polynomial of degree d is known from its values at d + 1 points.  So two polynomials can be multiplied by evaluating both,
multiplying the values point by point, and going back (Toom 1963, Cook 1966).  The adjoint of that is a convolution: m outputs
of a kernel of r taps take m + r - 1 multiplications instead of m r.  With three matrices, in one dimension,

    y = A ((G w) * (B x))        x: m + r - 1 numbers, w: r, y: m;  * is number by number.

In two dimensions the matrices are Kronecker products, and * becomes a product of matrices over channels: 4 x 4 outputs of
2 x 2 taps take 25 products where the sum itself has 64.  Winograd 1980; Lavin and Gray 2016 for neural networks.

A kernel of r strides is first made one of r taps and stride 1, on stride^2 times the channels: x[stride i + f] becomes
channel f of pixel i.  The price is rounding: the matrices hold powers of the points and their inverses, so more points lose
more digits.  Five points at most (0, 1, -1, 2, infinity) keep the error within ten times the direct method's; tests measure it.

Arrays and arguments are those of conv.py.
"""

from functools import lru_cache

import numpy as np

from minigan.kernels.threads import share

# Infinity, whose "value" is the highest coefficient, and these: short tiles take the first of them.
POINTS = (0.0, 1.0, -1.0, 2.0)
WORTH_A_THREAD = 2**18  # a thread is not woken for fewer numbers than these of x


@lru_cache
def matrices(m, r, dtype):
    """(A, G, B) for m outputs of r taps: (m, points), (points, r), (points, points), points = m + r - 1.

    G for more outputs begins with G for fewer: so a kernel is transformed once, for the longest tile.
    """
    values = np.array(POINTS[: m + r - 2])[:, None]
    at_points = lambda count: np.vstack([np.eye(count)[-1:], values ** np.arange(count)])
    return tuple(a.astype(dtype) for a in (at_points(m).T, at_points(r), np.linalg.inv(at_points(m + r - 1)).T))


def both(left, right, x):
    """left along the first axis of x, right along the second: x (h, w, ...) -> (rows of left, rows of right, ...)."""
    along_first = (left @ x.reshape(len(x), -1)).reshape(len(left), x.shape[1], -1)
    return (right @ along_first).reshape(len(left), len(right), *x.shape[2:])


def squares(out, r):
    """(i, m, j, l): the tiles, rows i to i + m and columns j to j + l, that cover the outputs: few, and even in size."""

    def pieces(n):
        count = -(-n // (len(POINTS) + 2 - r))
        starts = [n * k // count for k in range(count + 1)]
        return [(a, b - a) for a, b in zip(starts, starts[1:])]

    return [(i, m, j, l) for i, m in pieces(out[0]) for j, l in pieces(out[1])]


def _images(x):
    """How many images there are, and how many at least a thread should get."""
    n = x.shape[2]
    return n, -(-WORTH_A_THREAD * n // x.size)


def correlate(x, w, out):
    """out[p, q] = the sum over a, b of x[p + a, q + b] w[a, b], a product of matrices (N, K) (K, O).

    x (H + r - 1, W + r - 1, N, ...), w (r, r, K, O), out (H, W, N, ...), where ... are axes of K and of O elements in all.
    """
    r, dtype = len(w), w.dtype
    tiles = squares(out.shape, r)
    longest = matrices(max(max(m, l) for _, m, _, l in tiles), r, dtype)[1]
    w_points = both(longest, longest, w)

    def work(first, last):
        for i, m, j, l in tiles:
            (a, _, b), (a2, _, b2) = matrices(m, r, dtype), matrices(l, r, dtype)
            patch = x[i : i + len(b), j : j + len(b2), first:last].reshape(len(b), len(b2), last - first, -1)
            y = both(a, a2, both(b, b2, patch) @ w_points[: len(b), : len(b2)])
            target = out[i : i + m, j : j + l, first:last]
            target[...] = y.reshape(target.shape)

    share(work, *_images(x))


def correlate_weight(x, u, r):
    """w (r, r, K, O): w[a, b] = the sum over p, q of x[p + a, q + b]^T u[p, q]; the adjoint of correlate in w."""

    def work(first, last):
        total = 0
        for i, m, j, l in squares(u.shape, r):
            (a, g, b), (a2, g2, b2) = matrices(m, r, x.dtype), matrices(l, r, x.dtype)
            patch = x[i : i + len(b), j : j + len(b2), first:last].reshape(len(b), len(b2), last - first, -1)
            products = both(b, b2, patch).swapaxes(2, 3) @ both(a.T, a2.T, u[i : i + m, j : j + l, first:last])
            total = total + both(g.T, g2.T, products)
        return total

    return sum(share(work, *_images(x)))


def taps_of(kernel, stride):
    """r where the kernel is r strides long in both directions, 2 <= r <= 3; else None: not for this file."""
    r = kernel[0] // stride[0]
    return r if tuple(kernel) == (r * stride[0], r * stride[1]) and 2 <= r <= 3 else None


def conv2d(rows, w, stride, y):
    """y (oh, ow, N, O) = the convolution with w (O, C, kh, kw) of the padded x, given as rows (H, W, N, C)."""
    taps = _taps(w, stride)
    correlate(_phases(rows, stride, y.shape, len(taps)), taps, y)


def conv2d_adjoint(u, w, size, stride, padding):
    """x (*size, N, C) from u (oh, ow, N, O): again a correlation, of u in a frame of zeros, with the taps in falling order."""
    taps, (oh, ow, n, o) = _taps(w, stride), u.shape
    r, (top, left), (height, width) = len(taps), padding, size
    framed = np.zeros((oh + 2 * (r - 1), ow + 2 * (r - 1), n, o), u.dtype)
    framed[r - 1 : r - 1 + oh, r - 1 : r - 1 + ow] = u
    pixels = oh + r - 1, ow + r - 1  # of all phases together: what the kernel reaches; beyond it x is 0
    h, w = (max(k * s, p + end) for k, s, p, end in zip(pixels, stride, padding, size))
    padded = np.zeros((h, w, n, taps.shape[2] // (stride[0] * stride[1])), u.dtype)
    correlate(framed, np.ascontiguousarray(taps[::-1, ::-1].swapaxes(2, 3)), _phases(padded, stride, pixels, 1))
    return np.ascontiguousarray(padded[top : top + height, left : left + width])


def conv2d_weight(rows, u, shape, stride):
    """w, of this shape (O, C, kh, kw), from the padded x as rows and u (oh, ow, N, O)."""
    r = shape[2] // stride[0]
    taps = correlate_weight(_phases(rows, stride, u.shape, r), u, r)
    return taps.reshape(r, r, *stride, shape[1], shape[0]).transpose(5, 4, 0, 2, 1, 3).reshape(shape)


def _phases(rows, stride, out, r):
    """rows (H, W, N, C), as far as out needs, shown as (oh + r - 1, ow + r - 1, N, stride, stride, C)."""
    (sy, sx), (h, w) = stride, (out[0] + r - 1, out[1] + r - 1)
    return rows[: h * sy, : w * sx].reshape(h, sy, w, sx, *rows.shape[2:]).transpose(0, 2, 4, 1, 3, 5)


def _taps(w, stride):
    """w (O, C, kh, kw) as (r, r, stride^2 C, O)."""
    (o, c, kh, kw), (sy, sx) = w.shape, stride
    return w.reshape(o, c, kh // sy, sy, kw // sx, sx).transpose(2, 4, 3, 5, 1, 0).reshape(kh // sy, kw // sx, -1, o)
