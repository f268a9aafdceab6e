"""Convolutions with fewer multiplications, by Toom and Cook: for kernels of 2 or 3 strides, such as 4 with stride 2, 3 with 1.

The values of a polynomial of degree d at d + 1 points determine it.  So we can multiply two polynomials: evaluate both,
multiply the values point by point, and go back (Toom 1963, Cook 1966).  The adjoint of that is a convolution: m outputs
of a kernel of r taps take m + r - 1 multiplications instead of m r.  With three matrices, in one dimension,

    y = A ((G w) * (B x))        x: m + r - 1 numbers, w: r, y: m;  * is number by number.

In two dimensions the matrices are Kronecker products, and * becomes a product of matrices over channels: 4 x 4 outputs of
2 x 2 taps take 25 products where the sum itself has 64.  Winograd 1980; Lavin and Gray 2016 for neural networks.

A kernel of r strides first becomes a kernel of r taps and stride 1, with stride^2 times the channels: x[stride i + f] becomes
channel f of pixel i.  The price is rounding: the matrices hold powers of the points and their inverses, so with more points
more digits are lost.  At most five points (0, 1, -1, 2, infinity) keep the error within ten times the direct method's; tests
measure it.

Also, every pixel of a tile is in the formula of each of its outputs.  The pixels that an output does not see cancel, except for
rounding errors, which are relative to the largest pixel.  A NaN does not cancel at all.  `even` finds arrays for which that is
harmful; then the result is None, and the caller uses the direct method.

Arrays and arguments are those of conv.py.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from minigan.kernels.threads import share

# The points are infinity, whose "value" is the highest coefficient, and these; short tiles use the first of them.
POINTS = (0.0, 1.0, -1.0, 2.0)
WORTH_A_THREAD = 2**18  # a second thread does not pay for fewer numbers of x
# The limit for the product of both arrays' unevenness, see `even`.  In the training of a DCGAN it was 2 to 5, and at most 13.
LIMIT = 16


def even(*arrays):
    """Are the arrays finite, and is no pixel far longer than the others?  Only then are Toom-Cook's results used.

    arrays: two, each (H, W, M): |p|^2 for the pixels p of M pictures, over all numbers of a pixel.  Let

        unevenness of a picture = the largest |p| / the square of the mean of sqrt |p| over its other pixels, without zeros,

    and let the unevenness of an array be that of its most uneven picture.  True if the product of both is at most LIMIT.

    Why?  Let X be the longest pixel of a tile and W the longest tap of the weight.  In y = A ((G w) * (B x)) no number
    exceeds k X W (by Cauchy and Schwarz for the sum over channels; k comes from the sums of the rows of |A|, |G|, |B|).  So
    each output of the tile has an error of at most about eps k X W, whether it sees X or not.  The direct method's error in
    an output that sees r^2 pixels of an ordinary length x, and taps of length w, is about eps r x w.  The quotient is (k /
    r) (X / x) (W / w): the quotient for even arrays, which is below ten in the tests, times both unevennesses.  For the
    gradient of the weight, read the other array instead of w.  A tile is in one picture, so pictures may differ in size, as
    the gradients of samples do.  The mean of roots is less than the plain mean if few pixels are long, so that we also notice
    several long pixels in a small picture.  Zeros do not count, because frames are made of them.  A picture of zeros is even;
    a picture with a single other pixel is not.
    """
    product = 1.0
    with np.errstate(all="ignore"):  # a NaN or an infinity, in the array or from a square, stays one in the product
        for squares in arrays:
            roots = np.sqrt(np.sqrt(squares))
            largest = roots.max((0, 1))
            others = (roots.sum((0, 1)) - largest) / (np.count_nonzero(roots, (0, 1)) - 1)
            product *= np.where(largest == 0, 1, (largest / others) ** 2).max()
    return bool(product <= LIMIT)


@lru_cache
def matrices(m, r, dtype):
    """(A, G, B) for m outputs of r taps: (m, points), (points, r), (points, points), points = m + r - 1.

    G for more outputs begins with G for fewer, so a kernel is transformed only once, for the longest tile.
    """
    values = np.array(POINTS[: m + r - 2])[:, None]
    at_points = lambda count: np.vstack([np.eye(count)[-1:], values ** np.arange(count)])
    return tuple(a.astype(dtype) for a in (at_points(m).T, at_points(r), np.linalg.inv(at_points(m + r - 1)).T))


def both(left, right, x):
    """left times the first axis of x, and right times the second: x (h, w, ...) -> (rows of left, rows of right, ...)."""
    along_first = (left @ x.reshape(len(x), -1)).reshape(len(left), x.shape[1], -1)
    return (right @ along_first).reshape(len(left), len(right), *x.shape[2:])


def squares(out, r):
    """(i, m, j, l): tiles, rows i to i + m and columns j to j + l, that cover the outputs; they are few, of similar size."""

    def pieces(n):
        count = -(-n // (len(POINTS) + 2 - r))
        starts = [n * k // count for k in range(count + 1)]
        return [(a, b - a) for a, b in zip(starts, starts[1:])]

    return [(i, m, j, l) for i, m in pieces(out[0]) for j, l in pieces(out[1])]


class Grid:
    """An array (H, W, N, C), read as a grid of pixels of stride^2 C numbers: pixel i holds array[stride i + f - padding].

    f: the phase, 0 <= f < stride, along each axis.  A read outside the array gives zeros; a write there is lost.
    """

    def __init__(self, array, stride=(1, 1), padding=(0, 0)):
        self.array, self.stride, self.padding = array, stride, padding

    def read(self, i, h, j, w, images):
        """A copy of the pixels i to i + h, j to j + w of some images (a slice): (h, w, N, stride^2 C)."""
        n, c = self.array[0, 0, images].shape
        out = np.zeros((h, w, n, *self.stride, c), self.array.dtype)
        for f, g, inside, mine in self._phases(i, h, j, w):
            out[(*mine, slice(None), f, g)] = self.array[(*inside, images)]
        return out.reshape(h, w, n, -1)

    def write(self, i, j, images, values):
        """Write values (h, w, N, stride^2 C) into those pixels."""
        h, w, n, _ = values.shape
        values = values.reshape(h, w, n, *self.stride, -1)
        for f, g, inside, mine in self._phases(i, h, j, w):
            self.array[(*inside, images)] = values[(*mine, slice(None), f, g)]

    def _phases(self, i, h, j, w):
        """(f, g, where in the array, where in the pixels), the last two as pairs of slices, for every phase."""
        rows, columns = (
            [_overlap(at, count, size, stride, padding - phase) for phase in range(stride)]
            for at, count, size, stride, padding in zip((i, j), (h, w), self.array.shape, self.stride, self.padding)
        )
        for f, row in enumerate(rows):
            for g, column in enumerate(columns):
                yield f, g, (row[0], column[0]), (row[1], column[1])


def _overlap(i, count, size, stride, shift):
    """For each k from i to i + count with stride k - shift in range(size): those numbers, and k - i, as two slices."""
    first, last = max(i, -(-shift // stride)), min(i + count, -(-(size + shift) // stride))
    last = max(first, last)
    start = stride * first - shift
    return slice(start, start + stride * (last - first), stride), slice(first - i, last - i)


def correlate(x, w, y, out):
    """y[p, q] = the sum over a, b of x[p + a, q + b] w[a, b] for p, q in the ranges out; x, y Grids, w (r, r, K, O).

    Returns whether x and w are even: if not, do not use y.
    """
    r, dtype = len(w), w.dtype
    tiles = squares(out, r)
    longest = matrices(max(max(m, l) for _, m, _, l in tiles), r, dtype)[1]
    lengths = _lengths(x, out, r)

    def work(first, last):
        images = slice(first, last)
        with np.errstate(all="ignore"):
            for i, m, j, l in tiles:
                (a, _, b), (a2, _, b2) = matrices(m, r, dtype), matrices(l, r, dtype)
                patch = x.read(i, len(b), j, len(b2), images)
                _note(lengths, i, m, j, l, images, patch)
                products = both(b, b2, patch) @ w_points[: len(b), : len(b2)]  # of matrices (N, K) (K, O), at every point
                y.write(i, j, images, both(a, a2, products))

    with np.errstate(all="ignore"):
        w_points = both(longest, longest, w)
        taps = np.einsum("abko,abko->abo", w, w)
    share(work, *_images(x))
    return even(lengths, taps)


def correlate_weight(x, u, r):
    """w (r, r, K, O): w[a, b] = the sum over p, q of x[p + a, q + b]^T u[p, q].  It is the adjoint of correlate in w.

    None if x and u are not even.
    """
    out = u.array.shape[:2]
    lengths, lengths_u = _lengths(x, out, r), _lengths(u, out, 1)

    def work(first, last):
        total: Any = 0
        images = slice(first, last)
        with np.errstate(all="ignore"):
            for i, m, j, l in squares(out, r):
                (a, g, b), (a2, g2, b2) = matrices(m, r, u.array.dtype), matrices(l, r, u.array.dtype)
                patch, patch_u = x.read(i, len(b), j, len(b2), images), u.read(i, m, j, l, images)
                _note(lengths, i, m, j, l, images, patch)
                _note(lengths_u, i, m, j, l, images, patch_u)
                left, right = both(b, b2, patch), both(a.T, a2.T, patch_u)
                total = total + both(g.T, g2.T, left.swapaxes(2, 3) @ right)
        return total

    totals = share(work, *_images(x))
    with np.errstate(all="ignore"):
        total: Any = sum(totals)
    return total if even(lengths, lengths_u) else None


def _lengths(x, out, r):
    """An array (H, W, N) for |pixel|^2 of the pixels that r taps read for the outputs `out`."""
    return np.empty((out[0] + r - 1, out[1] + r - 1, x.array.shape[2]), x.array.dtype)


def _note(lengths, i, m, j, l, images, patch):
    """Write |pixel|^2 of a tile's patch into `lengths` while it is in the cache, except pixels that the next tile writes."""
    h = m if i + len(patch) < len(lengths) else len(patch)
    w = l if j + patch.shape[1] < lengths.shape[1] else patch.shape[1]
    lengths[i : i + h, j : j + w, images] = np.vecdot(patch[:h, :w], patch[:h, :w])


def _images(x):
    """(the number of images of a Grid, the least number that a thread should get)."""
    n = x.array.shape[2]
    return n, -(-WORTH_A_THREAD * n // x.array.size)


def taps_of(kernel, stride):
    """r if the kernel is r strides long in both directions, 2 <= r <= 3; else None, because this file cannot handle it."""
    r = kernel[0] // stride[0]
    return r if tuple(kernel) == (r * stride[0], r * stride[1]) and 2 <= r <= 3 else None


def conv2d(x, w, out, stride, padding):
    """y (*out, N, O) from x (H, W, N, C), w (O, C, kh, kw); None if x and w are not even."""
    y = np.empty((*out, x.shape[2], w.shape[0]), x.dtype)
    return y if correlate(Grid(x, stride, padding), _taps(w, stride), Grid(y), out) else None


def conv2d_adjoint(u, w, size, stride, padding):
    """x (*size, N, C) from u (oh, ow, N, O), or None.  This is a correlation too, of u in a frame of zeros, with the taps in
    falling order."""
    taps = _taps(w, stride)
    r = len(taps)
    out = u.shape[0] + r - 1, u.shape[1] + r - 1
    x = np.zeros((*size, u.shape[2], w.shape[1]), u.dtype)  # zeros, because the kernel may not reach all of x
    falling = np.ascontiguousarray(taps[::-1, ::-1].swapaxes(2, 3))
    return x if correlate(Grid(u, padding=(r - 1, r - 1)), falling, Grid(x, stride, padding), out) else None


def conv2d_weight(x, u, kernel, stride, padding):
    """w (O, C, *kernel) from x (H, W, N, C), u (oh, ow, N, O); None if x and u are not even."""
    r = kernel[0] // stride[0]
    found = correlate_weight(Grid(x, stride, padding), Grid(u), r)
    if found is None:
        return None
    taps = found.reshape(r, r, *stride, x.shape[3], u.shape[3])
    return taps.transpose(5, 4, 0, 2, 1, 3).reshape(u.shape[3], x.shape[3], *kernel)


def _taps(w, stride):
    """w (O, C, kh, kw) as (r, r, stride^2 C, O).  It has a fixed memory order first, so no sum depends on the order of w."""
    (o, c, kh, kw), (sy, sx) = w.shape, stride
    w = np.ascontiguousarray(w)
    return w.reshape(o, c, kh // sy, sy, kw // sx, sx).transpose(2, 4, 3, 5, 1, 0).reshape(kh // sy, kw // sx, -1, o)
