"""Pooling: each window of an image becomes one number, the largest or the average.

max_pool2d, max_pool1d   the gradient goes to the first largest element     adaptive_max_pool2d   with the output size
avg_pool2d, avg_pool1d   every element of the window gets an equal share    adaptive_avg_pool2d   given, not the kernel

Two pairs of ops are each other's gradients, which makes every order of derivative possible: _pick and _put (take one element
per window, put it back there), sum_windows and spread_windows.  As in convolution, the work is one loop over the kernel's
elements ("taps"); each tap handles a whole slice of the images, whose pixels come first in memory (kernels/cpu/memory.py).
The padding is never stored: a tap leaves out the outputs for which it would read the padding.

Names, argument order and shapes are those of torch.nn.functional: x (N, C, H, W) or (C, H, W).
"""

from itertools import product
from typing import Any

import numpy as np

from minigan.autograd import primitive
from minigan.backend import kept_beside, xp
from minigan.errors import DTypeError, ShapeError
from minigan.kernels import dispatch
from minigan.kernels.cpu import memory
from minigan.ops.conv import pair
from minigan.ops.index import scatter_into
from minigan.ops.reduce import mean
from minigan.ops.shape import concatenate, expand_dims, reshape, squeeze
from minigan.tensor import Size, Tensor, plain

# --------------------------------------------------------------------------------------- windows, one tap at a time ---


def taps(size, kernel, stride, padding, dilation, out):
    """For each element (r, s) of the kernel, row by row: the outputs to which it contributes, and the inputs that it reads.

    It yields ((r, s), (slice, slice) of the output, (slice, slice) of the input): output p reads input
    p*stride + r*dilation - padding.  If that is in the padding, p is left out.
    """
    rows, columns = (
        [_reach(t * d - p, n, s, o) for t in range(k)] for n, k, s, p, d, o in zip(size, kernel, stride, padding, dilation, out)
    )
    for (r, (p, i)), (s, (q, j)) in product(enumerate(rows), enumerate(columns)):
        yield (r, s), (p, q), (i, j)


def _reach(offset, n, stride, out):
    """The outputs p for which 0 <= p*stride + offset < n, and the inputs at these places: two slices."""
    first, last = max(0, -(offset // stride)), min(out, (n - 1 - offset) // stride + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(first * stride + offset, (last - 1) * stride + offset + 1, stride)


def _pixels(x):
    """x (N, C, H, W) with its pixels first, in the memory order that suits its device; a view if its memory has that order."""
    return memory.pixels(x, memory.images_last(x)) if xp(x) is np else xp(x).ascontiguousarray(x.transpose(2, 3, 0, 1))


def _images(pixels, x):
    """The inverse of _pixels(x), for an array of other pixels."""
    return memory.in_order(pixels, xp(x) is np and memory.images_last(x))


# --------------------------------------------------------------------------------------------------------- maximum ---


def _max_forward(x, kernel, stride, padding, dilation, out):
    m, pixels = xp(x), _pixels(x)
    y = m.full((*out, *pixels.shape[2:]), -np.inf, x.dtype)
    for _, o, i in taps(x.shape[2:], kernel, stride, padding, dilation, out):
        largest = y[o]
        m.maximum(largest, pixels[i], out=largest)  # CuPy would copy an input that is another view of the memory of out
    return _images(y, x)


def _first_maxima(x, y, how):
    """One boolean array per tap, (oh, ow, N, C) or the part that the tap reaches: is the first maximum of the window here?"""
    pixels, y = _pixels(x), _pixels(y)
    free = xp(y).ones(y.shape, bool)  # the windows whose maximum is not found yet
    found = []
    for _, o, i in taps(x.shape[2:], *how):
        tap = pixels[i]
        here = tap == y[o]
        here |= tap != tap  # a NaN makes y NaN too, and == never finds it
        here &= free[o]
        free[o] ^= here
        found.append(here)
    return found


def _pick_forward(x, found, how):
    pixels = _pixels(x)
    y = xp(x).zeros((*how[-1], *pixels.shape[2:]), x.dtype)
    for (_, o, i), here in zip(taps(x.shape[2:], *how), found):
        y[o] += dispatch.kept(pixels[i], here)
    return _images(y, x)


def _put_forward(u, found, how, size):
    kernel, stride, _, dilation, _ = how
    pixels = _pixels(u)
    x = xp(u).zeros((*size, *pixels.shape[2:]), u.dtype)
    apart = all(s > d * (k - 1) for k, s, d in zip(kernel, stride, dilation))
    for (_, o, i), here in zip(taps(size, *how), found):
        if apart:  # the windows do not overlap, so there is nothing to add to
            x[i] = dispatch.kept(pixels[o], here)
        else:
            x[i] += dispatch.kept(pixels[o], here)
    return _images(x, u)


# how = (kernel, stride, padding, dilation, out), all (vertical, horizontal) pairs.  found: from _first_maxima; constants.
_max = primitive(
    _max_forward, lambda g, y, x, *how: _put(g, _first_maxima(plain(x), plain(y), how), how, x.shape[2:]), name="max_pool2d"
)
_pick = primitive(
    _pick_forward, lambda g, y, x, found, how: _put(g, found, how, x.shape[2:]), name="pool_pick", saves="neither"
)
_put = primitive(_put_forward, lambda g, y, u, found, how, size: _pick(g, found, how), name="pool_put", saves="neither")


def max_pool2d(
    x, kernel_size, stride=None, padding: Size = 0, dilation: Size = 1, ceil_mode=False, return_indices=False
) -> Any:
    """y[n,c,p,q] = the largest x[n, c, p*stride + r*dilation - padding, ...] over the elements (r, s) of the kernel.

    x (N, C, H, W) or (C, H, W)  ->  (N, C, oh, ow) with oh = floor((H + 2 padding - dilation (kh - 1) - 1) / stride)
    + 1, and ow likewise; ceil_mode rounds up instead, but no window starts in the padding at the end.  Each argument is an int
    or a (vertical, horizontal) pair; stride None is the kernel size.  The padding counts as -inf, so it is never the maximum.
    dy/dx = 1 at the first maximum of a window, row by row, else 0, as in torch.  A window with a NaN gives NaN, and its
    gradient goes to the first NaN.  return_indices: return (y, the place of each maximum in its image, row W + column, int64),
    from which max_unpool2d can put it back.
    ShapeError if the kernel is larger than the padded input, or the padding larger than half the kernel; DTypeError unless
    x is floats.

    >>> mg.ops.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    x, kernel, stride, padding, dilation, out, batched = _window(
        "max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode
    )
    y = _max(x, kernel, stride, padding, dilation, out)
    if not return_indices:
        return y if batched else squeeze(y, 0)
    places = _places(plain(x), plain(y), (kernel, stride, padding, dilation, out))
    places = Tensor(places) if isinstance(x, Tensor) else places
    return (y, places) if batched else (squeeze(y, 0), squeeze(places, 0))


def _places(x, y, how):
    """row W + column of each window's first maximum, (N, C, oh, ow)."""
    m, width = xp(x), x.shape[3]
    index = m.arange(x.shape[2] * width).reshape(x.shape[2], width, 1, 1)
    places = m.zeros_like(_pixels(y), dtype=np.int64)
    for (_, o, i), here in zip(taps(x.shape[2:], *how), _first_maxima(x, y, how)):
        places[o] += index[i] * here
    return _images(places, y)


def max_unpool2d(x, indices, kernel_size, stride=None, padding: Size = 0, output_size=None) -> Tensor:
    """Zeros, with every x at the place that `indices` names: max_pool2d's way back.   dy/dx = 1 there.

    x, indices (N, C, H, W) or (C, H, W), indices from max_pool2d(..., return_indices=True)  ->  (N, C, oh, ow) with oh = (H -
    1) stride - 2 padding + kernel_size, or output_size.  If two x have one place, they are added.   OutOfBoundsError for an
    index outside the output.

    >>> y, places = mg.max_pool2d(mg.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> mg.max_unpool2d(y, places, 2).tolist()
    [[[0.0, 0.0], [4.0, 0.0]]]
    """
    x, batched = _as_batch("max_unpool2d", x)
    indices = indices if batched else indices[None]
    kernel = pair(kernel_size, "kernel_size", "max_unpool2d", 1)
    stride = kernel if stride is None else pair(stride, "stride", "max_unpool2d", 1)
    padding = pair(padding, "padding", "max_unpool2d")
    if tuple(indices.shape) != tuple(x.shape):
        raise ShapeError(f"max_unpool2d: x is {x.shape} and indices {indices.shape}; each x needs one index")
    size = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[2:], stride, padding, kernel))
    if output_size is not None:
        size = pair(
            tuple(output_size)[-2:] if isinstance(output_size, (tuple, list)) else output_size, "output_size", "max_unpool2d", 1
        )
    n, c = x.shape[:2]
    flat = reshape(indices, (n, c, -1))
    m = xp(plain(x))
    where_to = (m.arange(n)[:, None, None], m.arange(c)[:, None], plain(flat))
    y = reshape(scatter_into(reshape(x, (n, c, -1)), (n, c, size[0] * size[1]), where_to), (n, c, *size))
    return y if batched else squeeze(y, 0)


# --------------------------------------------------------------------------------------------------------- average ---


def _sum_forward(x, kernel, stride, padding, out):
    """y[n,c,p,q] = the sum of x[n, c, p*stride + r - padding, ...] over the elements (r, s) of the kernel.

    x (N, C, H, W) -> (N, C, *out); kernel, stride, padding, out: (vertical, horizontal) pairs.  Its adjoint is
    spread_windows: <sum_windows(x), u> = <x, spread_windows(u)>.
    """
    pixels = _pixels(x)
    for axis in (0, 1):  # first rows, then columns, which needs kh + kw taps instead of kh * kw
        n, o = pixels.shape[axis], out[axis]
        sums = xp(x).zeros((*pixels.shape[:axis], o, *pixels.shape[axis + 1 :]), x.dtype)
        for t in range(kernel[axis]):
            p, i = _reach(t - padding[axis], n, stride[axis], o)
            sums[_along(axis, p)] += pixels[_along(axis, i)]
        pixels = sums
    return _images(pixels, x)


def _spread_forward(u, kernel, stride, padding, size):
    """x[n,c,i,j] = the sum of u[n,c,p,q] over the windows (p, q) that hold pixel (i, j): the adjoint of sum_windows.

    u (N, C, oh, ow) -> (N, C, *size).  With stride = kernel it repeats every element kernel times.
    """
    pixels = _pixels(u)
    for axis in (0, 1):
        n, o = size[axis], pixels.shape[axis]
        spread = xp(u).zeros((*pixels.shape[:axis], n, *pixels.shape[axis + 1 :]), u.dtype)
        for t in range(kernel[axis]):
            p, i = _reach(t - padding[axis], n, stride[axis], o)
            if kernel[axis] <= stride[axis]:  # the windows do not overlap, so there is nothing to add to
                spread[_along(axis, i)] = pixels[_along(axis, p)]
            else:
                spread[_along(axis, i)] += pixels[_along(axis, p)]
        pixels = spread
    return _images(pixels, u)


def _along(axis, part):
    return (slice(None),) * axis + (part,)


sum_windows = primitive(
    _sum_forward,
    lambda g, y, x, kernel, stride, padding, out: spread_windows(g, kernel, stride, padding, x.shape[2:]),
    name="sum_windows",
    saves="neither",
)
spread_windows = primitive(
    _spread_forward,
    lambda g, y, u, kernel, stride, padding, size: sum_windows(g, kernel, stride, padding, u.shape[2:]),
    name="spread_windows",
    saves="neither",
)


def avg_pool2d(x, kernel_size, stride: Any = None, padding: Any = 0, ceil_mode=False, count_include_pad=True) -> Tensor:
    """y[n,c,p,q] = the average of x[n, c, p*stride + r - padding, ...] over the elements (r, s) of the kernel.

    Shapes, arguments and errors are those of max_pool2d.  The zeros of the padding count as elements.  With
    count_include_pad=False they do not: the sum is divided by the number of true pixels in the window.  Elements that ceil_mode
    adds beyond the padding never count.   dy/dx = 1 / that number.

    >>> mg.ops.avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    x, kernel, stride, padding, _, out, batched = _window("avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode)
    counts = []
    for n, k, s, p, o in zip(x.shape[2:], kernel, stride, padding, out):
        first = np.arange(o) * s - p
        end = np.minimum(first + k, n + p)
        counts.append(end - first if count_include_pad else np.minimum(end, n) - np.maximum(first, 0))
    share = 1 / np.multiply.outer(*counts)
    if (share == share[:1, :1]).all():
        share = float(share[0, 0])
    else:
        share = kept_beside(share.astype(x.dtype), plain(x))
    y = sum_windows(x, kernel, stride, padding, out) * share
    return y if batched else squeeze(y, 0)


# -------------------------------------------------------------------------------------------- the output size given ---


def adaptive_avg_pool2d(x, output_size) -> Tensor:
    """y[n,c,p,q] = the average over rows floor(p H / oh) .. ceil((p+1) H / oh) - 1, and columns likewise.

    x (N, C, H, W) or (C, H, W)  ->  (N, C, *output_size).  output_size: an int or (oh, ow); None keeps that size.
    If oh does not divide H, windows can overlap by one row.   torch.nn.functional.adaptive_avg_pool2d.

    >>> mg.ops.adaptive_avg_pool2d(mg.ones((1, 8, 7, 5)), 1).shape
    (1, 8, 1, 1)
    """
    x, size, batched = _adaptive("adaptive_avg_pool2d", x, output_size)
    if all(n % o == 0 for n, o in zip(x.shape[2:], size)):
        kernel = tuple(n // o for n, o in zip(x.shape[2:], size))
        y = avg_pool2d(x, kernel)
    else:
        y = x
        for axis, o in zip((2, 3), size):
            y = concatenate([mean(y[_along(axis, window)], axis, True) for window in _windows(x.shape[axis], o)], axis)
    return y if batched else squeeze(y, 0)


def adaptive_max_pool2d(x, output_size) -> Tensor:
    """y[n,c,p,q] = the largest element in the window that adaptive_avg_pool2d averages; the gradient goes to the first one.

    >>> mg.ops.adaptive_max_pool2d(mg.ones((1, 8, 7, 5)), (3, 2)).shape
    (1, 8, 3, 2)
    """
    x, size, batched = _adaptive("adaptive_max_pool2d", x, output_size)
    if all(n % o == 0 for n, o in zip(x.shape[2:], size)):
        y = max_pool2d(x, tuple(n // o for n, o in zip(x.shape[2:], size)))
    else:
        rows, columns = (_windows(n, o) for n, o in zip(x.shape[2:], size))
        largest = lambda window: max_pool2d(window, window.shape[2:])
        y = concatenate([concatenate([largest(x[:, :, i, j]) for j in columns], 3) for i in rows], 2)
    return y if batched else squeeze(y, 0)


def _windows(n, out):
    """The slices that cut n elements into `out` windows of nearly equal size."""
    return [slice(p * n // out, -(-(p + 1) * n // out)) for p in range(out)]


def _adaptive(op, x, output_size):
    x, batched = _as_batch(op, x)
    sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    if len(sizes) == 2:
        sizes = tuple(n if o is None else o for n, o in zip(x.shape[2:], sizes))
    sizes = pair(sizes, "output_size", op, 1)
    if 0 in x.shape[2:]:
        raise ShapeError(f"{op}: x {x.shape} has no pixels to pool")
    return x, sizes, batched


# ------------------------------------------------------------------------------------------------- one spatial axis ---


def max_pool1d(x, kernel_size, stride=None, padding: Size = 0, dilation: Size = 1, ceil_mode=False) -> Tensor:
    """max_pool2d along one axis: x (N, C, L) or (C, L)  ->  (N, C, length).   Arguments: ints, or tuples of one.

    >>> mg.ops.max_pool1d([[1.0, 4.0, 2.0, 3.0]], 2).tolist()
    [[4.0, 3.0]]
    """
    _one_axis("max_pool1d", x)
    y = max_pool2d(expand_dims(x, -2), *_row(kernel_size, stride, padding), (1, _number(dilation)), ceil_mode)
    return squeeze(y, -2)


def avg_pool1d(x, kernel_size, stride=None, padding: Size = 0, ceil_mode=False, count_include_pad=True) -> Tensor:
    """avg_pool2d along one axis: x (N, C, L) or (C, L)  ->  (N, C, length).   Arguments: ints, or tuples of one.

    >>> mg.ops.avg_pool1d([[1.0, 4.0, 2.0, 3.0]], 2).tolist()
    [[2.5, 2.5]]
    """
    _one_axis("avg_pool1d", x)
    y = avg_pool2d(expand_dims(x, -2), *_row(kernel_size, stride, padding), ceil_mode, count_include_pad)
    return squeeze(y, -2)


def _one_axis(op, x):
    if x.ndim not in (2, 3):
        raise ShapeError(f"{op}: x is (N, C, L) or (C, L), got {x.shape}")


def _row(kernel, stride, padding) -> tuple[Size, Size, Size]:
    """The arguments of 1-D pooling as those of 2-D pooling over a single row."""
    kernel = _number(kernel)
    return (1, kernel), (1, kernel if stride is None else _number(stride)), (0, _number(padding))


def _number(value) -> Any:
    return value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value


# ----------------------------------------------------------------------------------------------------------- checks ---


def _as_batch(op, x):
    """(x as (N, C, H, W), True if x had that form already)."""
    if x.ndim not in (3, 4):
        raise ShapeError(f"{op}: x is (N, C, H, W) or (C, H, W), got {x.shape}")
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: x must be a float array, got {x.dtype}; convert it with .astype('float32')")
    return (x, True) if x.ndim == 4 else (expand_dims(x, 0), False)


def _window(op, x, kernel, stride, padding, dilation, ceil_mode) -> Any:
    """The checked arguments of a pooling op as pairs, and the output size: (x, ..., out, batched)."""
    x, batched = _as_batch(op, x)
    kernel = pair(kernel, "kernel_size", op, 1)
    stride = kernel if stride is None else pair(stride, "stride", op, 1)
    padding, dilation = pair(padding, "padding", op), pair(dilation, "dilation", op, 1)
    out = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation):
        reach = d * (k - 1) + 1
        if 2 * p > reach:
            raise ShapeError(
                f"{op}: padding {p} is more than half of the kernel {k} (dilation {d} -> {reach}), so a "
                f"window could lie in the padding alone; use less padding, or mg.pad"
            )
        o = (n + 2 * p - reach + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (o - 1) * s >= n + p:  # the last window would start in the padding at the end
            o -= 1
        if o < 1 or n == 0:
            raise ShapeError(
                f"{op}: kernel {k} (dilation {d} -> {reach}) exceeds the padded input of {n + 2 * p} "
                f"(x {x.shape}, padding {padding}); use a smaller kernel or a larger image"
            )
        out.append(o)
    return x, kernel, stride, padding, dilation, tuple(out), batched
