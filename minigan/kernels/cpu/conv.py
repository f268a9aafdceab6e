"""The three convolution kernels: forward, adjoint in x, weight gradient.  Each is a sequence of matrix products.

Arrays are logically x (N, C, H, W), w (O, C/groups, kh, kw), u (N, O, oh, ow).  In memory activations have the order
(H, W, N, C), "HWNC", and a transposed view shows them as (N, C, H, W).  Then every pixel is a contiguous (N, C) matrix, and
to gather the pixels under the kernel we copy runs of N*C or C floats instead of single ones (a third of the time of NCHW,
measured at 64 channels).  Input in any other order is converted once at the start.

The work goes by rows of the output, so that the gathered columns of a few rows stay in the cache until the product has read
them.  Threads share the rows (threads.py).  Where it is faster, toom_cook.py does the same with fewer multiplications.

stride, padding, dilation are (vertical, horizontal) pairs.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from minigan.errors import ConfigError
from minigan.kernels.cpu import toom_cook
from minigan.kernels.cpu.linalg import matmul
from minigan.kernels.cpu.memory import pixels_first
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
    x = pixels_first(x)
    if _toom_cook(x, w.shape, stride, dilation, groups):
        y = toom_cook.conv2d(_hwnc(x), w, out, stride, padding)
        if y is not None:
            return y.transpose(2, 3, 0, 1)
    rows = _padded(x, padding)
    y = np.empty((*out, x.shape[0], w.shape[0]), x.dtype)
    for inside, outside in groups_of(w, groups):
        columns = _Columns(rows[..., inside], w.shape[2:], out, stride, dilation)
        columns.times(_kernel_matrix(w[outside]), y[..., outside])
    return y.transpose(2, 3, 0, 1)


def conv2d_adjoint(u, w, size, stride, padding, dilation, groups):
    """x[n,c,i,j] = the sum over o,p,q,r,s of u[n,o,p,q] w[o,c,r,s] where i = p*stride + r*dilation - padding, j likewise.

    <conv2d(x, w), u> = <x, conv2d_adjoint(u, w, size)> for every x of that size (H, W).
    """
    u = pixels_first(u)
    if _toom_cook(u, w.shape, stride, dilation, groups):
        x = toom_cook.conv2d_adjoint(_hwnc(u), w, size, stride, padding)
        if x is not None:
            return x.transpose(2, 3, 0, 1)
    spread = _scatter if w.shape[1] < FEW_CHANNELS else _gather
    if spread is _gather and dilation == (1, 1) and all(k % s == 0 for k, s in zip(w.shape[2:], stride)):
        spread = _gather_at_once
    new = np.empty if spread is _gather_at_once else np.zeros  # _gather_at_once writes every element of x
    x = new((*size, u.shape[0], w.shape[1] * groups), u.dtype)
    for outside, inside in groups_of(w, groups):
        spread(x[..., outside], _hwnc(u)[..., inside], w[inside], stride, padding, dilation)
    return x.transpose(2, 3, 0, 1)


def _scatter(x, u, w, stride, padding, dilation):
    """Add every tap's plane at its place.  This is for few channels: their planes are cheap to add and too thin to gather."""
    kernel, out, n = w.shape[2:], u.shape[:2], u.shape[2]
    (top, left), (height, width) = padding, x.shape[:2]
    whole = np.zeros((height + 2 * top, width + 2 * left, n, w.shape[1]), u.dtype)
    taps = matmul(_kernel_matrix(w), u.reshape(-1, u.shape[3]).T).reshape(*kernel, w.shape[1], *out, n)
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            i, j = r * dilation[0], s * dilation[1]
            under = whole[i : i + (out[0] - 1) * stride[0] + 1 : stride[0], j : j + (out[1] - 1) * stride[1] + 1 : stride[1]]
            under += taps[r, s].transpose(1, 2, 3, 0)
    x[...] = whole[top : top + height, left : left + width]


def _gather(x, u, w, stride, padding, dilation):
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
            columns = _Columns(
                corner, [len(p.offsets) for p in both], [p.count for p in both], (1, 1), [p.spacing for p in both]
            )
            # The highest offset comes first in the columns, so the taps are in falling order.
            some = w[:, :, vertical.taps[::-1]][:, :, :, horizontal.taps[::-1]]
            target = x[tuple(slice(p.start, None, s) for p, s in zip(both, stride))][: vertical.count, : horizontal.count]
            columns.times(some.transpose(2, 3, 0, 1).reshape(-1, w.shape[1]), target)


def _gather_at_once(x, u, w, stride, padding, dilation):
    """_gather for a kernel whose size the stride divides: all phases read the same pixels of u, so one product does them all.

    With r = stride o + f, x[stride q + f - padding] = the sum over o of u[q - o] w[..., stride o + f].
    """
    (o, c, *kernel), n = w.shape, u.shape[2]
    taps = [k // s for k, s in zip(kernel, stride)]
    low = [-(-(p - s + 1) // s) for p, s in zip(padding, stride)]  # the least q that a phase needs; the last is end - 1
    end = [-(-(size + p) // s) for size, p, s in zip(x.shape[:2], padding, stride)]
    count = [stop - start for start, stop in zip(low, end)]
    columns = _Columns(_window(u, [start + 1 - t for start, t in zip(low, taps)], end), taps, count, (1, 1), (1, 1))
    # The highest o comes first in the columns, so the taps are in falling order.
    matrix = w.reshape(o, c, taps[0], stride[0], taps[1], stride[1])[:, :, ::-1, :, ::-1].transpose(2, 4, 0, 3, 5, 1)
    found = np.empty((*count, n, stride[0] * stride[1] * c), u.dtype)
    columns.times(matrix.reshape(taps[0] * taps[1] * o, -1), found)
    found = found.reshape(*count, n, *stride, c)
    for f in range(stride[0]):
        for g in range(stride[1]):
            first = [-(-(p - phase) // s) for p, phase, s in zip(padding, (f, g), stride)]  # q of x's first pixel of the phase
            i, j = (s * q + phase - p for s, q, phase, p in zip(stride, first, (f, g), padding))
            target, (q, r) = x[i :: stride[0], j :: stride[1]], (a - b for a, b in zip(first, low))
            target[...] = found[q : q + len(target), r : r + target.shape[1], :, f, g]


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
    per_group = x.shape[1] // groups
    w = np.zeros((u.shape[1], per_group, *kernel), x.dtype)
    x, u = pixels_first(x), pixels_first(u)
    if _toom_cook(x, w.shape, stride, dilation, groups):
        found = toom_cook.conv2d_weight(_hwnc(x), _hwnc(u), kernel, stride, padding)
        if found is not None:
            return found
    rows, u_rows = _padded(x, padding), _hwnc(u)
    out = u_rows.shape[:2]
    for inside, outside in groups_of(w, groups):
        columns = _Columns(rows[..., inside], kernel, out, stride, dilation)
        source = u_rows[..., outside]

        def work(start, stop, columns=columns, source=source):
            total: Any = 0
            for a, b in columns.pieces(start, stop):
                total = total + columns(a, b).T @ source[a:b].reshape(-1, source.shape[3])
            return total

        total: Any = sum(share(work, out[0], columns.rows_worth_a_thread))
        if u.size:
            w[outside] = total.reshape(*kernel, per_group, -1).transpose(3, 2, 0, 1)
    return w


class _Columns:
    """The elements under the kernel at each output pixel, as a matrix (pixels N, kh kw C), a few rows at a time: "im2col".

    rows: the padded x as (H, W, N, C).   columns(a, b): the matrix for the output rows a to b; it is a copy.
    """

    def __init__(self, rows, kernel, out, stride, dilation):
        self.rows, self.kernel, self.out, self.stride, self.dilation = rows, kernel, out, stride, dilation
        n, c = rows.shape[2:]
        self.as_planes = c < FEW_CHANNELS
        s0, s1, s2, s3 = rows.strides
        (dy, dx), (sy, sx) = dilation, stride
        if self.as_planes:
            shape, strides = (*kernel, c, *out, n), (s0 * dy, s1 * dx, s3, s0 * sy, s1 * sx, s2)
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
        """target (oh, ow, N, channels) = the columns times the matrix; the threads share the rows."""

        def work(start, stop):
            for a, b in self.pieces(start, stop):
                rows = target[a:b]
                if rows.flags.c_contiguous:
                    np.matmul(self(a, b), matrix, out=rows.reshape(-1, matrix.shape[1]))
                else:  # the target is not contiguous: it is one phase of a stride, or one group
                    rows[...] = (self(a, b) @ matrix).reshape(rows.shape)

        share(work, self.out[0], self.rows_worth_a_thread)

    def __call__(self, a, b):
        pixels = (b - a) * self.out[1] * self.rows.shape[2]
        if self.as_planes:
            return self.view[:, :, :, a:b].reshape(self.width, pixels).T
        return self.view[a:b].reshape(pixels, self.width)


def _hwnc(x):
    return pixels_first(x).transpose(2, 3, 0, 1)


def _padded(x, padding):
    """x as (H + 2 ph, W + 2 pw, N, C) in C order, with zeros around it."""
    (ph, pw), rows = padding, _hwnc(x)
    if not (ph or pw):
        return rows
    h, w, n, c = rows.shape
    out = np.zeros((h + 2 * ph, w + 2 * pw, n, c), x.dtype)
    out[ph : ph + h, pw : pw + w] = rows
    return out


def groups_of(w, groups):
    """(channels of x, channels of y) of each group, as slices."""
    inside, outside = w.shape[1], w.shape[0] // groups
    return [(slice(k * inside, (k + 1) * inside), slice(k * outside, (k + 1) * outside)) for k in range(groups)]


def _kernel_matrix(w):
    """(kh kw C, O): a row for each element under the kernel, in the order of the columns."""
    return w.transpose(2, 3, 1, 0).reshape(-1, w.shape[0])
