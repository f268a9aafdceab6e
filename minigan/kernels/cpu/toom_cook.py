"""Convolutions with fewer multiplications, by Toom and Cook: for kernels of 2 or 3 strides, such as 4 with stride 2, 3 with 1.

The values of a polynomial of degree d at d + 1 points determine it.  So we can multiply two polynomials: evaluate both,
multiply the values point by point, and go back (Toom 1963, Cook 1966).  The adjoint of that is a convolution: m outputs
of a kernel of r taps take m + r - 1 multiplications instead of m r.  With three matrices, in one dimension,

    y = A ((G w) * (B x))        x: m + r - 1 numbers, w: r, y: m;  * is number by number.

In two dimensions the matrices are Kronecker products, and * becomes a product of matrices over channels: 4 x 4 outputs of
2 x 2 taps take 25 products where the sum itself has 64.  Winograd 1980; Lavin and Gray 2016 for neural networks.

A kernel of r strides first becomes a kernel of r taps and stride 1, with stride^2 times the channels: x[stride i + f] becomes
channel f of pixel i.  (A kernel that is a little shorter gets taps of zero.)  In the memory order (H, W, C, N) a pixel is a
contiguous (C, N) matrix, so the products by A, B, G read and write the images where they are, and no pixel is gathered.

The price is rounding: the matrices hold powers of the points and their inverses, so with more points more digits are lost.  At
most five points (0, 1, -1, 2, infinity) keep the error within ten times the direct method's; tests measure it.

Also, every pixel of a tile is in the formula of each of its outputs.  The pixels that an output does not see cancel, except for
rounding errors, which are relative to the largest pixel.  A NaN does not cancel at all.  `even` finds arrays for which that is
harmful; then the result is None, and the caller uses the direct method.

Arrays here are x (H, W, C, N), w (O, C, kh, kw), u and y (oh, ow, O, N); stride and padding are (vertical, horizontal) pairs.
"""

from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from minigan.kernels.threads import share

# The points are infinity, whose "value" is the highest coefficient, and these; short tiles use the first of them.
POINTS = (0.0, 1.0, -1.0, 2.0)
WORTH_A_THREAD = 2**18  # a second thread does not pay for fewer numbers of x
# The limit for the product of both arrays' unevenness, see `even`.  In the training of a DCGAN it was 2 to 5, and at most 13.
LIMIT = 16
WORTH_THE_TRANSFORMS = 0.25  # the share of the products that must be saved
KEPT = 2**26  # bytes: a forward pass keeps its transformed x for the gradient of the weight if that is not larger


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
    along_first = (left @ _rows(x)).reshape(len(left), x.shape[1], -1)
    return (right @ along_first).reshape(len(left), len(right), *x.shape[2:])


def _rows(x):
    return x.reshape(len(x), -1)


class Tile(NamedTuple):
    """The outputs from row i to i + m and from column j to j + l; they read m + r - 1 rows and l + r - 1 columns of pixels."""

    i: int
    m: int
    j: int
    l: int

    def of(self, u):
        """These outputs in u (oh, ow, O, N), as a view (m, l, O N)."""
        return u[self.i : self.i + self.m, self.j : self.j + self.l].reshape(self.m, self.l, -1)


def tiles_of(out, r):
    """Tiles that cover the outputs, row by row; they are few, of similar size."""

    def pieces(n):
        count = -(-n // (len(POINTS) + 2 - r))
        starts = [n * k // count for k in range(count + 1)]
        return [(a, b - a) for a, b in zip(starts, starts[1:])]

    return [[Tile(i, m, j, l) for j, l in pieces(out[1])] for i, m in pieces(out[0])]


class Grid(NamedTuple):
    """How an array of `size` pixels (H, W) is read as a grid of larger pixels: pixel i holds array[stride i + f - padding].

    f: the phase, 0 <= f < stride, along each axis.  r: the taps of the kernel on the grid, the same along both axes.
    Reads outside the array give zeros.
    """

    size: tuple
    r: int
    stride: tuple
    padding: tuple

    def phases(self, axis, i, count):
        """For each phase, the pixels i to i + count of the grid: (where they are in the array, where in the pixels), slices."""
        return [
            _overlap(i, count, self.size[axis], self.stride[axis], self.padding[axis] - f) for f in range(self.stride[axis])
        ]

    def transformed(self, x, tile):
        """B x B^T of the pixels that a tile reads: (h, w, stride^2 C, N), the phases under each other."""
        b, b2 = (matrices(m, self.r, x.dtype)[2] for m in (tile.m, tile.l))
        columns = self.phases(1, tile.j, len(b2))
        first, last = min(where.start for where, _ in columns), min(self.size[1], max(where.stop for where, _ in columns))
        out = np.empty((len(b), len(b2), *self.stride, x.shape[2] * x.shape[3]), x.dtype)
        for f, (where, mine) in enumerate(self.phases(0, tile.i, len(b))):
            rows = (b[:, mine] @ _rows(x[where, first:last])).reshape(len(b), last - first, -1)
            for g, (column, my) in enumerate(columns):
                np.matmul(b2[:, my], rows[:, column.start - first : column.stop - first : column.step], out=out[:, :, f, g])
        return out.reshape(len(b), len(b2), -1, x.shape[3])

    def add_back(self, x, tile, pixels, new_row=0):
        """The adjoint of `transformed`: add B^T pixels B to x.

        The first r - 1 rows and columns of the tile overlap the tiles before it.  Only there does it add; elsewhere x has no
        value yet.  new_row: the first row of tiles that has no tile above it.
        """
        b, b2 = (matrices(m, self.r, x.dtype)[2].T for m in (tile.m, tile.l))
        pixels = pixels.reshape(len(b), len(b2), *self.stride, -1)
        old = self.r - 1 if tile.i > new_row else 0, self.r - 1 if tile.j else 0
        for f, (rows, mine) in enumerate(self.phases(0, tile.i, len(b))):
            for g, (columns, my) in enumerate(self.phases(1, tile.j, len(b2))):
                found = (b[mine] @ _rows(b2[my] @ pixels[:, :, f, g])).reshape(x[rows, columns].shape)
                target, (p, q) = x[rows, columns], (max(0, k - part.start) for k, part in zip(old, (mine, my)))
                target[p:, q:] = found[p:, q:]
                target[:p] += found[:p]
                target[p:, :q] += found[p:, :q]

    def lengths(self, x):
        """|pixel|^2 for all pixels of the grid that some output reads, and for each image: (H, W, N)."""
        squares = pixel_lengths(x)
        count = [-(-(n + p) // s) for n, p, s in zip(self.size, self.padding, self.stride)]
        out = np.zeros((*count, x.shape[3]), x.dtype)
        for rows, mine in self.phases(0, 0, count[0]):
            for columns, my in self.phases(1, 0, count[1]):
                out[mine, my] += squares[rows, columns]
        return out


def pixel_lengths(x):
    """|pixel|^2: x (H, W, C, N) -> (H, W, N)."""
    with np.errstate(all="ignore"):
        return np.einsum("hwcn,hwcn->hwn", x, x)


def _overlap(i, count, size, stride, shift):
    """For each k from i to i + count with stride k - shift in range(size): those numbers, and k - i, as two slices."""
    first, last = max(i, -(-shift // stride)), min(i + count, -(-(size + shift) // stride))
    last = max(first, last)
    start = stride * first - shift
    return slice(start, start + stride * (last - first), stride), slice(first - i, last - i)


def taps_of(kernel, stride) -> Any:
    """r if the kernel is r strides long in both directions, 2 <= r <= 3; else None, because this file cannot handle it.

    A kernel may be shorter than r strides if that saves products all the same."""
    r = -(-kernel[0] // stride[0])
    if not (2 <= r <= 3 and -(-kernel[1] // stride[1]) == r):
        return None
    points = len(POINTS) + 1
    saved = 1 - points**2 * stride[0] * stride[1] / ((points + 1 - r) ** 2 * kernel[0] * kernel[1])
    return r if saved > WORTH_THE_TRANSFORMS else None


class Kept(NamedTuple):
    """How a convolution is computed, and what a forward pass leaves for the gradients."""

    grid: Grid
    rows: list  # of lists of tiles
    points: Any = None  # the transformed weight, (h, w, O, stride^2 C)
    taps: Any = None  # |tap|^2, for `even`
    lengths: Any = None  # |pixel|^2 of x, or of u in the adjoint
    transformed: list | None = None  # of every tile, the transformed x (in the adjoint: u); None if it would be too large

    def using(self, w):
        """The same, with the weight w."""
        grid = self.grid
        with np.errstate(all="ignore"):
            taps = _taps(w, grid.r, grid.stride)
            g = matrices(max(max(tile.m, tile.l) for row in self.rows for tile in row), grid.r, w.dtype)[1]
            return self._replace(points=both(g, g, taps), taps=np.einsum("abok,abok->abo", taps, taps))


def _plan(kernel, size, out, stride, padding):
    """The grid and the tiles for a kernel (kh, kw), pixels of `size` and outputs `out`."""
    r = taps_of(kernel, stride)
    return Kept(Grid(size, r, stride, padding), tiles_of(out, r))


def _taps(w, r, stride):
    """w (O, C, kh, kw) as (r, r, O, stride^2 C), with zeros where the kernel is shorter."""
    (o, c, kh, kw), (sy, sx) = w.shape, stride
    if (kh, kw) != (r * sy, r * sx):
        w = np.pad(w, ((0, 0), (0, 0), (0, r * sy - kh), (0, r * sx - kw)))
    taps = w.reshape(o, c, r, sy, r, sx).transpose(2, 4, 0, 3, 5, 1)
    return np.ascontiguousarray(taps).reshape(r, r, o, -1)  # a fixed order, so that no sum depends on the order of w


def _weight(found, shape, stride):
    """The adjoint of _taps: (r, r, O, stride^2 C) as a weight of this shape."""
    (o, c, kh, kw), r = shape, len(found)
    whole = found.reshape(r, r, o, *stride, c).transpose(2, 5, 0, 3, 1, 4).reshape(o, c, r * stride[0], r * stride[1])
    return np.ascontiguousarray(whole[:, :, :kh, :kw])


def _to_outputs(products, tile, r, y):
    """Write A products A^T into the tile of y."""
    a, a2 = (matrices(m, r, y.dtype)[0] for m in (tile.m, tile.l))
    np.matmul(a2, (a @ _rows(products)).reshape(tile.m, a2.shape[1], -1), out=tile.of(y))


def _from_outputs(u, tile, r):
    """A^T u A of the tile of u: (h, w, O, N).   The adjoint of _to_outputs."""
    a, a2 = (matrices(m, r, u.dtype)[0].T for m in (tile.m, tile.l))
    return (a @ _rows(a2 @ tile.of(u))).reshape(len(a), len(a2), *u.shape[2:])


def _outer(outputs, pixels, r):
    """w (r, r, O, K): the sum over tiles of G^T (outputs pixels^T) G, point by point, so that the sums stay in the cache."""
    h, w = (max(a.shape[axis] for a in outputs) for axis in (0, 1))
    o, k, dtype = outputs[0].shape[2], pixels[0].shape[2], outputs[0].dtype
    total, one = np.zeros((h, w, o, k), dtype), np.empty((w, o, k), dtype)
    for p in range(h):
        for left, right in zip(outputs, pixels):
            if p < len(left):
                n = left.shape[1]
                total[p, :n] += np.matmul(left[p], right[p].swapaxes(1, 2), out=one[:n])
    g, g2 = (matrices(n + 1 - r, r, dtype)[1].T for n in (h, w))
    return both(g, g2, total)


def _in_pieces(work, n, size):
    """work(first, last) over pieces of range(n), which threads share; size: the numbers that all of it reads."""
    with_errors_ignored = lambda *piece: _quietly(work, *piece)
    return share(with_errors_ignored, n, -(-WORTH_A_THREAD * n // max(1, size)))


def _quietly(work, *piece):
    with np.errstate(all="ignore"):  # numbers that overflow here are inf in the direct sum, too, or are not used
        return work(*piece)


def conv2d(x, w, out, stride, padding, keep=False):
    """(y, what the gradients need, or None), or None if x and w are not even."""
    plan = _plan(w.shape[2:], x.shape[:2], out, stride, padding).using(w)
    grid, points, lengths = plan.grid, plan.points, plan.grid.lengths(x)
    if not even(lengths, plan.taps):
        return None
    y, tiles = np.empty((*out, len(w), x.shape[3]), x.dtype), list(chain(*plan.rows))
    keep_tiles = keep and x.nbytes * len(POINTS) <= KEPT

    def work(first, last):
        kept = []
        for tile in tiles[first:last]:
            pixels = grid.transformed(x, tile)
            h, w = pixels.shape[:2]
            _to_outputs(points[:h, :w] @ pixels, tile, grid.r, y)
            kept += [pixels] * keep_tiles
        return kept

    kept = list(chain(*_in_pieces(work, len(tiles), x.size)))
    return y, plan._replace(lengths=lengths, transformed=kept if keep_tiles else None) if keep else None


def conv2d_adjoint(u, w, size, stride, padding, keep=False):
    """(x, what the gradients need, or None), or None if u and w are not even."""
    plan, lengths = _plan(w.shape[2:], size, u.shape[:2], stride, padding).using(w), pixel_lengths(u)
    if not even(lengths, plan.taps):
        return None
    keep_tiles = keep and u.nbytes * len(POINTS) <= KEPT
    x, kept, _ = _back(plan, w.shape, u, None, True, keep_tiles, False)
    return x, plan._replace(lengths=lengths, transformed=kept) if keep else None


def conv2d_weight(x, u, shape, stride, padding):
    """The gradient of a weight of this shape (O, C, kh, kw) for conv2d: x (H, W, C, N) and the arriving u; None if not even."""
    plan = _plan(shape[2:], x.shape[:2], u.shape[:2], stride, padding)
    if not even(plan.grid.lengths(x), pixel_lengths(u)):
        return None
    return _back(plan, shape, u, x, False, False, True)[2]


def conv2d_gradients(u, kept, x, shape, needed):
    """[gradient of x, that of the weight of this shape] of conv2d; None if it is not needed, or its arrays are not even."""
    lengths = pixel_lengths(u)
    to_x, to_w = needed[0] and even(lengths, kept.taps), needed[1] and even(kept.lengths, lengths)
    found, _, weight = _back(kept, shape, u, x, to_x, False, to_w)
    return [found, weight]


def _back(plan, shape, u, x, to_x, keep, to_w):
    """(x, the transformed tiles of u, the weight), each None if it is not asked for, in one walk over the tiles."""
    grid, rows, points, n = plan.grid, plan.rows, plan.points, u.shape[3]
    c, stride = shape[1], grid.stride
    if not (to_x or to_w):
        return None, None, None
    result: Any = np.zeros((*grid.size, c, n), u.dtype) if to_x else None
    starts = np.cumsum([0, *(len(row) for row in rows)])

    def work(first, last):
        """Some rows of tiles.  Their first rows of pixels belong to the rows of tiles above, too, so they go into an array of
        their own, whose first rows are added at the end."""
        top, above, target, here = rows[first][0].i, slice(0), result, grid
        if to_x and first:
            bottom = rows[last - 1][0].i + rows[last - 1][0].m
            low, high, end = (
                min(max(0, stride[0] * i - grid.padding[0]), grid.size[0]) for i in (top, top + grid.r - 1, bottom + grid.r - 1)
            )
            above, target = slice(low, high), np.zeros_like(result[low:end])
            here = grid._replace(size=(len(target), grid.size[1]), padding=(grid.padding[0] + low, grid.padding[1]))
        outputs, pixels = [], []
        for k, tile in enumerate(chain(*rows[first:last]), int(starts[first])):
            outputs.append(_from_outputs(u, tile, grid.r))
            h, w = outputs[-1].shape[:2]
            if to_x:
                here.add_back(target, tile, points[:h, :w].swapaxes(2, 3) @ outputs[-1], top)
            if to_w:
                pixels.append(plan.transformed[k] if plan.transformed else grid.transformed(x, tile))
            elif not keep:
                outputs.clear()
        if target is not result:
            result[above.stop : above.start + len(target)] = target[above.stop - above.start :]
        weight = _outer(outputs, pixels, grid.r) if to_w else 0
        return above, target, outputs if keep else [], weight

    found = _in_pieces(work, len(rows), u.size)
    for above, target, *_ in found[1:]:
        if to_x:
            result[above] += target[: above.stop - above.start]
    kept = list(chain(*(outputs for _, _, outputs, _ in found))) if keep else None
    return result, kept, _weight(sum(weight for *_, weight in found), shape, stride) if to_w else None


def adjoint_gradients(g, kept, u, shape, needed):
    """[gradient of u, that of the weight] of conv2d_adjoint, as conv2d_gradients."""
    grid, points, tiles, lengths = kept.grid, kept.points, list(chain(*kept.rows)), kept.grid.lengths(g)
    to_u, to_w = needed[0] and even(lengths, kept.taps), needed[1] and even(lengths, kept.lengths)
    if not (to_u or to_w):
        return [None, None]
    found = np.empty_like(u) if to_u else None

    def work(first, last):
        outputs, pixels = [], []
        for k, tile in enumerate(tiles[first:last], first):
            pixels.append(grid.transformed(g, tile))
            h, w = pixels[-1].shape[:2]
            if to_u:
                _to_outputs(points[:h, :w] @ pixels[-1], tile, grid.r, found)
            if to_w:
                outputs.append(kept.transformed[k] if kept.transformed else _from_outputs(u, tile, grid.r))
            else:
                pixels.clear()
        return _outer(outputs, pixels, grid.r) if to_w else 0

    weights = _in_pieces(work, len(tiles), g.size)
    return [found, _weight(sum(weights), shape, grid.stride) if to_w else None]
