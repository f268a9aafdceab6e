"""The three convolution kernels: forward, adjoint in x, weight gradient.  Each is a sequence of matrix products.

Arrays are logically x (N, C, H, W), w (O, C/groups, kh, kw), u (N, O, oh, ow).  In memory pixels come first: every pixel is a
contiguous matrix, and to gather the pixels under the kernel we copy runs of C N floats instead of single ones (a third of
the time of images first, measured at 64 channels).  That matrix is (C, N) for many images and (N, C) for few (memory.py says
how many).  An input in another order is converted once, at the start.

The work goes by rows of the output, so that the gathered columns of a few rows stay in the cache until the product has read
them.  Threads share the rows (threads.py).  Where it is faster, toom_cook.py does the same with fewer multiplications.

stride, padding, dilation are (vertical, horizontal) pairs.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from minigan.errors import ConfigError
from minigan.kernels import threads
from minigan.kernels.cpu import toom_cook
from minigan.kernels.cpu.linalg import matmul
from minigan.kernels.cpu.memory import images_last, in_order, pixels
from minigan.kernels.threads import get_num_threads, share

# With fewer channels than this, a run of C floats is too short to copy quickly, so the columns are made of whole planes.
FEW_CHANNELS = 8
# We make about so many bytes of columns at a time: CACHE if each of our threads keeps its own columns in its cache, BLAS_CACHE
# if BLAS has several threads, which need larger products.  A second thread does not pay for less work than WORTH_A_THREAD.
CACHE, BLAS_CACHE = 2**20, 2**22
WORTH_A_THREAD = 2**18

# Toom-Cook needs so many images, input channels and output channels: with fewer, its additions cost more than it saves.
ALGORITHMS = {"auto": 16, "direct": math.inf, "toom-cook": 1}
_algorithm = "auto"


def set_conv_algorithm(name: str) -> None:
    """Choose how the CPU computes convolutions: "auto" (the default), "direct" or "toom-cook".

    "direct" computes every product of the sum.  "toom-cook" needs only a third to a half of the products if the kernel is 2 or
    3 strides long, with up to ten times the rounding error, which is still a few millionths in float32
    (kernels/cpu/toom_cook.py); other kernels stay direct.  Arrays with a NaN, an infinity or a pixel far larger than the others
    are always computed directly, so that a value changes only the outputs that see it.  "auto" uses Toom-Cook if there are
    enough images and channels to make it faster.  ConfigError for another name.
    """
    global _algorithm
    if name not in ALGORITHMS:
        raise ConfigError(f"set_conv_algorithm: {name!r} is not one of {', '.join(map(repr, ALGORITHMS))}")
    _algorithm = name


def get_conv_algorithm() -> str:
    """The name that set_conv_algorithm got last."""
    return _algorithm


def _note(w, images, out):
    """Tell how large this convolution is, if the threads of the loop are not chosen yet."""
    if threads.watching:
        threads.note(w.size * images * math.prod(out), convolution=True)


def _toom_cook(x, shape, stride, dilation, groups):
    """Do the shapes allow Toom-Cook?   shape: that of the weight.   toom_cook.even checks the values."""
    return (
        min(len(x), *shape[:2]) >= ALGORITHMS[_algorithm]
        and x.dtype.char in "fd"
        and x.size
        and dilation == (1, 1)
        and groups == 1
        and toom_cook.taps_of(shape[2:], stride)
    )


def conv2d(x, w, out, stride, padding, dilation, groups):
    """y[n,o,p,q] = the sum over c,r,s of x[n,c, p*stride + r*dilation - padding, ...] w[o,c,r,s], y of size out (oh, ow)."""
    return conv2d_kept(x, w, out, stride, padding, dilation, groups, False)[0]


def conv2d_kept(x, w, out, stride, padding, dilation, groups, keep=True):
    """(conv2d(...), what conv2d_gradients can use again, or None)."""
    _note(w, len(x), out)
    if _toom_cook(x, w.shape, stride, dilation, groups):
        found = toom_cook.conv2d(pixels(x, True), w, out, stride, padding, keep)
        if found is not None:
            return in_order(found[0], True), found[1]
    last = images_last(x)
    rows = _padded(pixels(x, last), padding)
    y = np.empty((*out, *_pixel(len(x), len(w), last)), x.dtype)
    for inside, outside in groups_of(w, groups):
        columns = _Columns(_channels(rows, inside, last), w.shape[2:], out, stride, dilation, last)
        columns.times(_kernel_matrix(w[outside]), _channels(y, outside, last))
    return in_order(y, last), None


def conv2d_adjoint(u, w, size, stride, padding, dilation, groups):
    """x[n,c,i,j] = the sum over o,p,q,r,s of u[n,o,p,q] w[o,c,r,s] where i = p*stride + r*dilation - padding, j likewise.

    <conv2d(x, w), u> = <x, conv2d_adjoint(u, w, size)> for every x of that size (H, W).
    """
    return conv2d_adjoint_kept(u, w, size, stride, padding, dilation, groups, False)[0]


def conv2d_adjoint_kept(u, w, size, stride, padding, dilation, groups, keep=True):
    """(conv2d_adjoint(...), what conv2d_adjoint_gradients can use again, or None)."""
    _note(w, len(u), u.shape[2:])
    if _toom_cook(u, w.shape, stride, dilation, groups):
        found = toom_cook.conv2d_adjoint(pixels(u, True), w, size, stride, padding, keep)
        if found is not None:
            return in_order(found[0], True), found[1]
    last = images_last(u)
    spread = _scatter if w.shape[1] < FEW_CHANNELS else _gather
    if spread is _gather and dilation == (1, 1) and all(k % s == 0 for k, s in zip(w.shape[2:], stride)):
        spread = _gather_at_once
    new = np.empty if spread is _gather_at_once else np.zeros  # _gather_at_once writes every element of x
    x, source = new((*size, *_pixel(len(u), w.shape[1] * groups, last)), u.dtype), pixels(u, last)
    for outside, inside in groups_of(w, groups):
        spread(_channels(x, outside, last), _channels(source, inside, last), w[inside], stride, padding, dilation, last)
    return in_order(x, last), None


def conv2d_gradients(u, needed, kept, x, w):
    """(gradient of x, that of w) of conv2d_kept where u arrives, from what it kept.  None if it is not needed, or if its arrays
    are not even, and the caller must use the direct method."""
    d_x, d_w = toom_cook.conv2d_gradients(pixels(u, True), kept, pixels(x, True), w.shape, needed)
    return None if d_x is None else in_order(d_x, True), d_w


def conv2d_adjoint_gradients(g, needed, kept, u, w):
    """(gradient of u, that of w) of conv2d_adjoint_kept where g arrives, likewise."""
    d_u, d_w = toom_cook.adjoint_gradients(pixels(g, True), kept, pixels(u, True), w.shape, needed)
    return None if d_u is None else in_order(d_u, True), d_w


def _scatter(x, u, w, stride, padding, dilation, last):
    """Add every tap's plane at its place.  This is for few channels: their planes are cheap to add and too thin to gather."""
    kernel, out, n = w.shape[2:], u.shape[:2], u.shape[3 if last else 2]
    (top, left), (height, width) = padding, x.shape[:2]
    whole = np.zeros((height + 2 * top, width + 2 * left, *x.shape[2:]), u.dtype)
    if last:
        taps = matmul(_kernel_matrix(w), u).reshape(*out, *kernel, w.shape[1], n).transpose(2, 3, 0, 1, 4, 5)
    else:
        taps = matmul(_kernel_matrix(w), u.reshape(-1, u.shape[3]).T).reshape(*kernel, w.shape[1], *out, n)
        taps = taps.transpose(0, 1, 3, 4, 5, 2)
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            i, j = r * dilation[0], s * dilation[1]
            under = whole[i : i + (out[0] - 1) * stride[0] + 1 : stride[0], j : j + (out[1] - 1) * stride[1] + 1 : stride[1]]
            under += taps[r, s]
    x[...] = whole[top : top + height, left : left + width]


def _gather(x, u, w, stride, padding, dilation, last):
    """For each phase of the stride (the remainder of x's row and column), convolve u with every stride-th tap.

    No two products write to one element of x, so threads need not wait for each other.
    """
    phases = [[_phase(f, *how) for f in range(how[3])] for how in zip(x.shape[:2], w.shape[2:], padding, stride, dilation)]
    ends = [
        [(p.first - p.offsets[-1], p.first + p.count - p.offsets[0]) for p in axis if p.offsets and p.count] for axis in phases
    ]
    if not all(ends) or not u.size:
        return
    low = [min(start for start, _ in axis) for axis in ends]
    high = [max(stop for _, stop in axis) for axis in ends]
    source = _window(u, low, high)
    for vertical in phases[0]:
        for horizontal in phases[1]:
            both = (vertical, horizontal)
            if not all(p.offsets and p.count for p in both):
                continue
            corner = source[tuple(slice(p.first - p.offsets[-1] - at, None) for p, at in zip(both, low))]
            taps, count, spacing = zip(*((len(p.offsets), p.count, p.spacing) for p in both))
            columns = _Columns(corner, taps, count, (1, 1), spacing, last)
            # The highest offset comes first in the columns, so the taps are in falling order.
            some = w[:, :, vertical.taps[::-1]][:, :, :, horizontal.taps[::-1]]
            target = x[tuple(slice(p.start, None, s) for p, s in zip(both, stride))][: vertical.count, : horizontal.count]
            columns.times(some.transpose(2, 3, 0, 1).reshape(-1, w.shape[1]), target)


def _gather_at_once(x, u, w, stride, padding, dilation, last):
    """_gather for a kernel whose size the stride divides: all phases read the same pixels of u, so one product does them all.

    With r = stride o + f, x[stride q + f - padding] = the sum over o of u[q - o] w[..., stride o + f].
    """
    o, c, *kernel = w.shape
    taps = [k // s for k, s in zip(kernel, stride)]
    low = [-(-(p - s + 1) // s) for p, s in zip(padding, stride)]  # the least q that a phase needs; the last is end - 1
    end = [-(-(size + p) // s) for size, p, s in zip(x.shape[:2], padding, stride)]
    count = [stop - start for start, stop in zip(low, end)]
    source = _window(u, [start + 1 - t for start, t in zip(low, taps)], end)
    columns = _Columns(source, taps, count, (1, 1), (1, 1), last)
    # The highest o comes first in the columns, so the taps are in falling order.
    matrix = w.reshape(o, c, taps[0], stride[0], taps[1], stride[1])[:, :, ::-1, :, ::-1].transpose(2, 4, 0, 3, 5, 1)
    n = u.shape[3 if last else 2]
    found = np.empty((*count, *_pixel(n, stride[0] * stride[1] * c, last)), u.dtype)
    columns.times(matrix.reshape(taps[0] * taps[1] * o, -1), found)
    if last:
        found = found.reshape(*count, *stride, c, n)
    else:
        found = found.reshape(*count, n, *stride, c).transpose(0, 1, 3, 4, 2, 5)
    for f in range(stride[0]):
        for g in range(stride[1]):
            first = [-(-(p - phase) // s) for p, phase, s in zip(padding, (f, g), stride)]  # q of x's first pixel of the phase
            i, j = (s * q + phase - p for s, q, phase, p in zip(stride, first, (f, g), padding))
            target, (q, r) = x[i :: stride[0], j :: stride[1]], (a - b for a, b in zip(first, low))
            target[...] = found[q : q + len(target), r : r + target.shape[1], f, g]


class _Phase(NamedTuple):
    """Along one axis, the elements x[start + stride * k], k < count, and the taps r that contribute to them.

    With q = first + k, x gets u[q - offset] times the tap, for every tap and its offset; spacing: the step between offsets.
    """

    start: int
    first: int
    count: int  # type: ignore[assignment]  # not tuple.count
    taps: list
    offsets: list
    spacing: int


def _phase(f, size, kernel, padding, stride, dilation):
    """From p*stride + r*dilation - padding = i: the i with (i + padding) % stride = f, and the r that fit them."""
    taps = [r for r in range(kernel) if (r * dilation - f) % stride == 0]
    offsets = [(r * dilation - f) // stride for r in taps]
    first = -((f - padding) // stride)  # the smallest q whose i = f - padding + stride * q is not negative
    start = f - padding + stride * first
    return _Phase(start, first, max(0, -(-(size - start) // stride)), taps, offsets, dilation // math.gcd(stride, dilation))


def _window(u, low, high):
    """u[low[0]:high[0], low[1]:high[1]], with zeros where that is outside of u."""
    out = np.zeros((high[0] - low[0], high[1] - low[1], *u.shape[2:]), u.dtype)
    inside = [(max(a, 0), min(b, n)) for a, b, n in zip(low, high, u.shape)]
    if all(a < b for a, b in inside):
        (top, bottom), (left, right) = inside
        out[top - low[0] : bottom - low[0], left - low[1] : right - low[1]] = u[top:bottom, left:right]
    return out


def conv2d_weight(x, u, kernel, stride, padding, dilation, groups):
    """w[o,c,r,s] = the sum over n,p,q of x[n,c, p*stride + r*dilation - padding, ...] u[n,o,p,q]."""
    shape = (u.shape[1], x.shape[1] // groups, *kernel)
    if _toom_cook(x, shape, stride, dilation, groups):
        found = toom_cook.conv2d_weight(pixels(x, True), pixels(u, True), shape, stride, padding)
        if found is not None:
            return found
    last, w = images_last(x), np.zeros(shape, x.dtype)
    rows, u_rows = _padded(pixels(x, last), padding), pixels(u, last)
    out = u_rows.shape[:2]
    for inside, outside in groups_of(w, groups):
        columns = _Columns(_channels(rows, inside, last), kernel, out, stride, dilation, last)
        source = _channels(u_rows, outside, last)

        def work(start, stop, columns=columns, source=source):
            total: Any = 0
            for a, b in columns.pieces(start, stop):
                total = total + columns.products(a, b, source[a:b])
            return total

        total: Any = sum(share(work, out[0], columns.rows_worth_a_thread))
        if u.size:
            w[outside] = total.reshape(*kernel, shape[1], -1).transpose(3, 2, 0, 1)
    return w


class _Columns:
    """The elements under the kernel at each output pixel, a few rows of pixels at a time: "im2col".

    rows: the padded x, (H, W, C, N) if `last`, else (H, W, N, C).   columns(a, b): the elements for the output rows a to b, as
    matrices (pixels, kh kw C, N), or as one matrix (pixels N, kh kw C); it is a copy.
    """

    def __init__(self, rows, kernel, out, stride, dilation, last):
        self.rows, self.kernel, self.out, self.stride, self.dilation, self.last = rows, kernel, out, stride, dilation, last
        n, c = rows.shape[:1:-1] if last else rows.shape[2:]
        self.images = n
        self.as_planes = c < FEW_CHANNELS and not last
        s0, s1, s2, s3 = rows.strides
        (dy, dx), (sy, sx) = dilation, stride
        if self.as_planes:
            shape, strides = (*kernel, c, *out, n), (s0 * dy, s1 * dx, s3, s0 * sy, s1 * sx, s2)
        elif last:
            shape, strides = (*out, *kernel, c, n), (s0 * sy, s1 * sx, s0 * dy, s1 * dx, s2, s3)
        else:
            shape, strides = (*out, n, *kernel, c), (s0 * sy, s1 * sx, s2, s0 * dy, s1 * dx, s3)
        self.view = np.lib.stride_tricks.as_strided(rows, shape, strides)
        self.width = kernel[0] * kernel[1] * c
        per_row = max(1, out[1] * n * self.width)
        self.step = max(1, (BLAS_CACHE if get_num_threads() == 1 else CACHE) // (per_row * rows.itemsize))
        self.rows_worth_a_thread = max(1, -(-WORTH_A_THREAD // per_row))

    def pieces(self, start, stop):
        """(a, b) for consecutive blocks of output rows that fit the cache."""
        return ((a, min(a + self.step, stop)) for a in range(start, stop, max(1, self.step)))

    def times(self, matrix, target):
        """target (oh, ow, channels and images) = the columns times the matrix (kh kw C, channels); threads share the rows."""

        def work(start, stop):
            for a, b in self.pieces(start, stop):
                rows = target[a:b]
                if self.last:
                    columns, flat = self(a, b), (-1, matrix.shape[1], self.images)
                    product = lambda out=None, columns=columns: np.matmul(matrix.T, columns, out=out)
                else:
                    columns, flat = self(a, b), (-1, matrix.shape[1])
                    product = lambda out=None, columns=columns: np.matmul(columns, matrix, out=out)
                if rows.flags.c_contiguous:
                    product(rows.reshape(flat))
                else:  # the target is not contiguous: it is one phase of a stride, or one group
                    rows[...] = product().reshape(rows.shape)

        share(work, self.out[0], self.rows_worth_a_thread)

    def products(self, a, b, u):
        """(kh kw C, O): the sum over the pixels of the output rows a to b, and over images, of columns times u."""
        if not self.last:
            return self(a, b).T @ u.reshape(-1, u.shape[3])
        if self.width <= self.images:  # the products of the pixels are small, so that their sum is cheap
            return np.matmul(self(a, b), u.reshape(-1, *u.shape[2:]).swapaxes(1, 2)).sum(0)
        columns = self.view[a:b].transpose(2, 3, 4, 0, 1, 5).reshape(self.width, -1)
        return columns @ u.transpose(0, 1, 3, 2).reshape(-1, u.shape[2])

    def __call__(self, a, b):
        pixels = (b - a) * self.out[1]
        if self.last:
            return self.view[a:b].reshape(pixels, self.width, self.images)
        if self.as_planes:
            return self.view[:, :, :, a:b].reshape(self.width, pixels * self.images).T
        return self.view[a:b].reshape(pixels * self.images, self.width)


def _pixel(images, channels, last):
    """The shape of one pixel of a batch."""
    return (channels, images) if last else (images, channels)


def _channels(pixels, some, last):
    """Some channels (a slice) of pixels (H, W, C, N) or (H, W, N, C)."""
    return pixels[:, :, some] if last else pixels[..., some]


def _padded(rows, padding):
    """The pixels (H, W, ...) in C order with zeros around them: (H + 2 ph, W + 2 pw, ...)."""
    ph, pw = padding
    if not (ph or pw):
        return rows
    h, w, *pixel = rows.shape
    out = np.zeros((h + 2 * ph, w + 2 * pw, *pixel), rows.dtype)
    out[ph : ph + h, pw : pw + w] = rows
    return out


def groups_of(w, groups):
    """(channels of x, channels of y) of each group, as slices."""
    inside, outside = w.shape[1], w.shape[0] // groups
    return [(slice(k * inside, (k + 1) * inside), slice(k * outside, (k + 1) * outside)) for k in range(groups)]


def _kernel_matrix(w):
    """(kh kw C, O): a row for each element under the kernel, in the order of the columns."""
    return w.transpose(2, 3, 1, 0).reshape(-1, w.shape[0])
