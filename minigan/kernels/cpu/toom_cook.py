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
from typing import Any

import numpy as np

from minigan.kernels.threads import share

# Infinity, whose "value" is the highest coefficient, and these: short tiles take the first of them.
POINTS = (0.0, 1.0, -1.0, 2.0)
WORTH_A_THREAD = 2**18  # a thread is not woken for fewer numbers than these of x
# How uneven the two arrays may be, one times the other, see `even`.  Seen in training a DCGAN: 2 to 5, at most 13.
LIMIT = 16


def even(*arrays):
    """Are the arrays finite, and none of their pixels far larger than the others?  Then, and only then, Toom-Cook is safe.

    arrays: two, each (H, W, M, C), M pictures of H x W pixels with C numbers.  With the length |p| of a pixel, over its C numbers,

        unevenness of a picture = the largest |p| / the square of the mean of sqrt |p| over the other pixels,

    of an array that of its most uneven picture.  True if the product of both is at most LIMIT.

    Why.  Let a tile's longest pixel be X, and W the weight's longest tap.  In y = A ((G w) * (B x)) no intermediate number exceeds
    k X W (Cauchy and Schwarz for the sum over channels; k follows from the sums of the rows of |A|, |G|, |B|), so each output of the
    tile, whether it sees X or not, has an error of eps k X W at most.  The direct method's error, in an output that sees r^2
    pixels and taps of ordinary lengths x and w, is about eps r x w.  Their quotient is (k / r) (X / x) (W / w): what it is for
    even arrays, which tests hold under ten, times both unevennesses.  The weight's gradient has the same bound, with the other
    array in the place of w.  Tiles have one picture each, so pictures may differ in size, as the gradients of samples do.  The
    mean of roots is less than the plain mean where few pixels are large, so that a few in a small picture are noticed too.  A
    picture of zeros is even; one pixel alone never is.
    """
    product = 1.0
    with np.errstate(all="ignore"):  # a NaN or an infinity, of the array or of a square, leaves a NaN or an infinity in the product
        for a in arrays:
            roots = np.sqrt(np.sqrt(np.vecdot(a, a)))
            largest = roots.max((0, 1))
            others = (roots.sum((0, 1)) - largest) / (a.shape[0] * a.shape[1] - 1)
            product *= np.where(largest == 0, 1, (largest / others) ** 2).max()
    return bool(product <= LIMIT)


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


class Grid:
    """An array (H, W, N, C) seen as a grid of pixels of stride^2 C numbers: pixel i holds array[stride i + f - padding].

    f: the phase, 0 <= f < stride, along each axis.  Outside the array are zeros, and what is written there is lost.
    """

    def __init__(self, array, stride=(1, 1), padding=(0, 0)):
        self.array, self.stride, self.padding = array, stride, padding

    def read(self, i, h, j, w, images):
        """The pixels i to i + h, j to j + w of some images (a slice): (h, w, N, stride^2 C), a copy."""
        n, c = self.array[0, 0, images].shape
        out = np.zeros((h, w, n, *self.stride, c), self.array.dtype)
        for f, g, inside, mine in self._phases(i, h, j, w):
            out[(*mine, slice(None), f, g)] = self.array[(*inside, images)]
        return out.reshape(h, w, n, -1)

    def write(self, i, j, images, values):
        """The reverse, of values (h, w, N, stride^2 C)."""
        h, w, n, _ = values.shape
        values = values.reshape(h, w, n, *self.stride, -1)
        for f, g, inside, mine in self._phases(i, h, j, w):
            self.array[(*inside, images)] = values[(*mine, slice(None), f, g)]

    def _phases(self, i, h, j, w):
        """(f, g, where in the array, where in the pixels), the last two as pairs of slices, for every phase."""
        rows, columns = ([_overlap(at, count, size, stride, padding - phase) for phase in range(stride)] for
                         at, count, size, stride, padding in zip((i, j), (h, w), self.array.shape, self.stride, self.padding))
        for f, row in enumerate(rows):
            for g, column in enumerate(columns):
                yield f, g, (row[0], column[0]), (row[1], column[1])


def _overlap(i, count, size, stride, shift):
    """For the k from i to i + count whose stride k - shift is in range(size): those numbers, and k - i, as slices."""
    first, last = max(i, -(-shift // stride)), min(i + count, -(-(size + shift) // stride))
    last = max(first, last)
    start = stride * first - shift
    return slice(start, start + stride * (last - first), stride), slice(first - i, last - i)


def correlate(x, w, y, out):
    """y[p, q] = the sum over a, b of x[p + a, q + b] w[a, b] for p, q in the ranges out; x, y Grids, w (r, r, K, O)."""
    r, dtype = len(w), w.dtype
    tiles = squares(out, r)
    longest = matrices(max(max(m, l) for _, m, _, l in tiles), r, dtype)[1]
    w_points = both(longest, longest, w)

    def work(first, last):
        for i, m, j, l in tiles:
            (a, _, b), (a2, _, b2) = matrices(m, r, dtype), matrices(l, r, dtype)
            patch = x.read(i, len(b), j, len(b2), slice(first, last))
            products = both(b, b2, patch) @ w_points[: len(b), : len(b2)]  # of matrices (N, K) (K, O), at every point
            y.write(i, j, slice(first, last), both(a, a2, products))

    share(work, *_images(x))


def correlate_weight(x, u, r):
    """w (r, r, K, O): w[a, b] = the sum over p, q of x[p + a, q + b]^T u[p, q]; the adjoint of correlate in w."""

    def work(first, last):
        total: Any = 0
        for i, m, j, l in squares(u.array.shape, r):
            (a, g, b), (a2, g2, b2) = matrices(m, r, u.array.dtype), matrices(l, r, u.array.dtype)
            left = both(b, b2, x.read(i, len(b), j, len(b2), slice(first, last)))
            right = both(a.T, a2.T, u.read(i, m, j, l, slice(first, last)))
            total = total + both(g.T, g2.T, left.swapaxes(2, 3) @ right)
        return total

    total: Any = sum(share(work, *_images(x)))
    return total


def _images(x):
    """How many images a Grid has, and how many at least a thread should get."""
    n = x.array.shape[2]
    return n, -(-WORTH_A_THREAD * n // x.array.size)


def taps_of(kernel, stride):
    """r where the kernel is r strides long in both directions, 2 <= r <= 3; else None: not for this file."""
    r = kernel[0] // stride[0]
    return r if tuple(kernel) == (r * stride[0], r * stride[1]) and 2 <= r <= 3 else None


def conv2d(x, w, out, stride, padding):
    """y (*out, N, O) from x (H, W, N, C), w (O, C, kh, kw)."""
    y = np.empty((*out, x.shape[2], w.shape[0]), x.dtype)
    correlate(Grid(x, stride, padding), _taps(w, stride), Grid(y), out)
    return y


def conv2d_adjoint(u, w, size, stride, padding):
    """x (*size, N, C) from u (oh, ow, N, O): again a correlation, of u in a frame of zeros, with the taps in falling order."""
    taps = _taps(w, stride)
    r = len(taps)
    out = u.shape[0] + r - 1, u.shape[1] + r - 1
    x = np.zeros((*size, u.shape[2], w.shape[1]), u.dtype)  # zeros, for the kernel may not reach all of it
    falling = np.ascontiguousarray(taps[::-1, ::-1].swapaxes(2, 3))
    correlate(Grid(u, padding=(r - 1, r - 1)), falling, Grid(x, stride, padding), out)
    return x


def conv2d_weight(x, u, kernel, stride, padding):
    """w (O, C, *kernel) from x (H, W, N, C), u (oh, ow, N, O)."""
    r = kernel[0] // stride[0]
    taps = correlate_weight(Grid(x, stride, padding), Grid(u), r).reshape(r, r, *stride, x.shape[3], u.shape[3])
    return taps.transpose(5, 4, 0, 2, 1, 3).reshape(u.shape[3], x.shape[3], *kernel)


def _taps(w, stride):
    """w (O, C, kh, kw) as (r, r, stride^2 C, O)."""
    (o, c, kh, kw), (sy, sx) = w.shape, stride
    return w.reshape(o, c, kh // sy, sy, kw // sx, sx).transpose(2, 4, 3, 5, 1, 0).reshape(kh // sy, kw // sx, -1, o)
