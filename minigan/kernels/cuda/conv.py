"""The three convolution kernels on a GPU: each is one matrix product per group, with a rearrangement (conv.cu) around it.

Functions, arguments and results are those of kernels/cpu/conv.py.  Activations are logically (N, C, H, W) and in memory
(C, N, H, W), with a transposed view: then the matrix product gives the output in its memory order.  x may also have the
order (N, C, H, W); any other array is copied once at the start.

The gathered columns are kh kw times as large as x, so we make them for a few images at a time.
"""

from minigan.backend import xp
from minigan.kernels.cpu.conv import groups_of
from minigan.kernels.cuda.gemm import gemm
from minigan.kernels.cuda.launcher import launch

# We make so many bytes of columns at a time: enough to keep any GPU busy, but little compared with its memory.
COLUMNS = 2**28


def conv2d(x, w, out, stride, padding, dilation, groups):
    """y[n,o,p,q] = the sum over c,r,s of x[n,c, p*stride + r*dilation - padding, ...] w[o,c,r,s], y of size out (oh, ow)."""
    x = _dense(x)
    y = xp(x).empty((w.shape[0], x.shape[0], *out), x.dtype)
    matrix, pixels = _matrix(w, groups), out[0] * out[1]
    for first, count in _pieces(x.shape[0], w[0].size * pixels * x.itemsize):
        for group, (inside, outside) in enumerate(groups_of(w, groups)):
            columns = _columns(x, inside, first, count, w.shape[2:], out, stride, padding, dilation)
            target = y.reshape(w.shape[0], -1)[outside, first * pixels : (first + count) * pixels]
            gemm(matrix[group], columns, target)
    return y.transpose(1, 0, 2, 3)


def conv2d_adjoint(u, w, size, stride, padding, dilation, groups):
    """x[n,c,i,j] = the sum over o,p,q,r,s of u[n,o,p,q] w[o,c,r,s] where i = p*stride + r*dilation - padding, j likewise."""
    m, (n, _, oh, ow) = xp(u), u.shape
    u = channels_first(u)
    x = m.empty((w.shape[1] * groups, n, *size), u.dtype)
    matrix, pixels = _matrix(w, groups), oh * ow
    for first, count in _pieces(n, max(w[0].size * pixels, w.shape[1] * size[0] * size[1]) * u.itemsize):
        for group, (inside, outside) in enumerate(groups_of(w, groups)):
            source = u.reshape(u.shape[0], -1)[outside, first * pixels : (first + count) * pixels]
            if _is_identity(w.shape[2:], stride, padding):
                gemm(matrix[group].T, source, x.reshape(x.shape[0], -1)[inside, first * pixels : (first + count) * pixels])
                continue
            columns = m.empty((matrix.shape[2], count * pixels), u.dtype)
            gemm(matrix[group].T, source, columns)
            launch(
                "conv",
                "col2im",
                w.shape[1] * count * size[0] * size[1],
                columns,
                x,
                x.shape[0],
                n,
                *size,
                inside.start,
                w.shape[1],
                first,
                count,
                oh,
                ow,
                *w.shape[2:],
                *stride,
                *padding,
                *dilation,
            )
    return x.transpose(1, 0, 2, 3)


def conv2d_weight(x, u, kernel, stride, padding, dilation, groups):
    """w[o,c,r,s] = the sum over n,p,q of x[n,c, p*stride + r*dilation - padding, ...] u[n,o,p,q]."""
    x, out, pixels = _dense(x), u.shape[2:], u.shape[2] * u.shape[3]
    u = channels_first(u)
    per_group = x.shape[1] // groups
    w = (xp(x).empty if x.shape[0] else xp(x).zeros)((u.shape[0], per_group, *kernel), x.dtype)  # the first piece fills it
    matrix = w.reshape(groups, u.shape[0] // groups, -1)
    for first, count in _pieces(x.shape[0], w[0].size * pixels * x.itemsize):
        for group, (inside, outside) in enumerate(groups_of(w, groups)):
            columns = _columns(x, inside, first, count, kernel, out, stride, padding, dilation)
            source = u.reshape(u.shape[0], -1)[outside, first * pixels : (first + count) * pixels]
            gemm(source, columns.T, matrix[group], accumulate=first > 0)
    return w


def channels_first(x):
    """x (N, C, H, W) as the array (C, N, H, W) in C order: a view if its memory has that order."""
    return xp(x).ascontiguousarray(x.transpose(1, 0, 2, 3))


def _dense(x):
    """x itself if its memory has the order (N, C, H, W) or (C, N, H, W), else a copy in the second order."""
    if x.flags.c_contiguous or x.transpose(1, 0, 2, 3).flags.c_contiguous:
        return x
    return channels_first(x).transpose(1, 0, 2, 3)


def _matrix(w, groups):
    """w (O, C/groups, kh, kw) as (groups, O/groups, C/groups kh kw), with a row for each output channel."""
    return xp(w).ascontiguousarray(w).reshape(groups, w.shape[0] // groups, -1)


def _pieces(images, bytes_per_image):
    """(first image, number of images) of each piece; the columns of a piece fit COLUMNS bytes."""
    step = max(1, min(images, COLUMNS // max(1, bytes_per_image)))
    return [(first, min(step, images - first)) for first in range(0, images, step)]


def _is_identity(kernel, stride, padding):
    """Does the kernel cover, at each output pixel, only that pixel of x?"""
    return tuple(kernel) == (1, 1) and tuple(stride) == (1, 1) and tuple(padding) == (0, 0)


def _columns(x, inside, first, count, kernel, out, stride, padding, dilation):
    """The columns (C/groups kh kw, count oh ow) of some images and channels of x."""
    n, c, height, width = x.shape
    plane = height * width
    in_c_order = x.flags.c_contiguous
    flat = x if in_c_order else x.transpose(1, 0, 2, 3)
    if not in_c_order and _is_identity(kernel, stride, padding):
        return flat.reshape(c, -1)[inside, first * plane : (first + count) * plane]
    channels = inside.stop - inside.start
    columns = xp(x).empty((channels * kernel[0] * kernel[1], count * out[0] * out[1]), x.dtype)
    launch(
        "conv",
        "im2col",
        channels * count * out[0] * out[1],
        flat,
        columns,
        c,
        n,
        height,
        width,
        *((plane, c * plane) if in_c_order else (n * plane, plane)),
        inside.start,
        channels,
        first,
        count,
        *out,
        *kernel,
        *stride,
        *padding,
        *dilation,
    )
    return columns
