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

And all of a tile's pixels have a part in each of its outputs: those that an output does not see cancel, but for rounding, which
is relative to the largest.  A NaN does not cancel at all.  `even` finds arrays where that does harm; then the result is None,
and the caller takes the direct method.

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
    """Are the arrays finite, and no pixel far longer than the others?  Then, and only then, Toom-Cook's results are used.

    arrays: two, each (H, W, M): |p|^2 for the pixels p of M pictures, over all of a pixel's numbers.  Let

        unevenness of a picture = the largest |p| / the square of the mean of sqrt |p| over its other pixels, zeros left out,

    and of an array that of its most uneven picture.  True if the product of both arrays' is at most LIMIT.

    Why.  Let X be the longest pixel of a tile and W the longest tap of the weight.  In y = A ((G w) * (B x)) no number
    exceeds k X W (Cauchy and Schwarz for the sum over channels; k comes from the sums of the rows of |A|, |G|, |B|).  So
    each output of the tile has an error of at most about eps k X W, whether it sees X or not.  The direct method's error in
    an output that sees r^2 pixels of an ordinary length x, and taps of length w, is about eps r x w.  The quotient is (k /
    r) (X / x) (W / w): what it is for even arrays, which tests hold under ten, times both unevennesses.  For the gradient
    of the weight, read the other array instead of w.  A tile lies in one picture, so pictures may differ in size, as the
    gradients of samples do.  The mean of roots is less than the plain mean where few pixels are long, so that several in a
    small picture are noticed too.  Zeros are left out because frames are made of them.  A picture of zeros is even, one
    with a single other pixel is not.
    """
    product = 1.0
    with np.errstate(all="ignore"):  # a NaN or an infinity, of the array or of a square, ends as one in the product
        for squares in arrays:
            roots = np.sqrt(np.sqrt(squares))
            largest = roots.max((0, 1))
            others = (roots.sum((0, 1)) - largest) / (np.count_nonzero(roots, (0, 1)) - 1)
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
    """y[p, q] = the sum over a, b of x[p + a, q + b] w[a, b] for p, q in the ranges out; x, y Grids, w (r, r, K, O).

    Returns whether x and w are even: if not, y is not to be used.
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
    """w (r, r, K, O): w[a, b] = the sum over p, q of x[p + a, q + b]^T u[p, q]; the adjoint of correlate in w.

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
    """Room for |pixel|^2 of the pixels that r taps read for the outputs `out`: (H, W, N)."""
    return np.empty((out[0] + r - 1, out[1] + r - 1, x.array.shape[2]), x.array.dtype)


def _note(lengths, i, m, j, l, images, patch):
    """Write |pixel|^2 of a tile's patch into `lengths`: while in the cache, and once where the next tile reads it too."""
    h = m if i + len(patch) < len(lengths) else len(patch)
    w = l if j + patch.shape[1] < lengths.shape[1] else patch.shape[1]
    lengths[i : i + h, j : j + w, images] = np.vecdot(patch[:h, :w], patch[:h, :w])


def _images(x):
    """How many images a Grid has, and how many at least a thread should get."""
    n = x.array.shape[2]
    return n, -(-WORTH_A_THREAD * n // x.array.size)


def taps_of(kernel, stride):
    """r where the kernel is r strides long in both directions, 2 <= r <= 3; else None: not for this file."""
    r = kernel[0] // stride[0]
    return r if tuple(kernel) == (r * stride[0], r * stride[1]) and 2 <= r <= 3 else None


def conv2d(x, w, out, stride, padding):
    """y (*out, N, O) from x (H, W, N, C), w (O, C, kh, kw); None if x and w are not even."""
    y = np.empty((*out, x.shape[2], w.shape[0]), x.dtype)
    return y if correlate(Grid(x, stride, padding), _taps(w, stride), Grid(y), out) else None


def conv2d_adjoint(u, w, size, stride, padding):
    """x (*size, N, C) from u (oh, ow, N, O), or None: again a correlation, of u in a frame of zeros, with the taps in falling
    order."""
    taps = _taps(w, stride)
    r = len(taps)
    out = u.shape[0] + r - 1, u.shape[1] + r - 1
    x = np.zeros((*size, u.shape[2], w.shape[1]), u.dtype)  # zeros, for the kernel may not reach all of it
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
    """w (O, C, kh, kw) as (r, r, stride^2 C, O).  In one memory order first: no sum depends on what came."""
    (o, c, kh, kw), (sy, sx) = w.shape, stride
    w = np.ascontiguousarray(w)
    return w.reshape(o, c, kh // sy, sy, kw // sx, sx).transpose(2, 4, 3, 5, 1, 0).reshape(kh // sy, kw // sx, -1, o)
