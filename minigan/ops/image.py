"""Ops that resize images, rearrange their pixels, or take them apart into windows.

interpolate                      to another height and width: nearest pixel, or linear between pixels
pixel_shuffle, pixel_unshuffle   channels into pixels and back: the sub-pixel upsampling of super-resolution
unfold, fold                     every window as a column, and columns added back into an image: each other's gradient

Names, argument order and shapes are those of torch.nn.functional.  pool.py reduces each window to one number.
"""

import math

import numpy as np

from minigan.arguments import whole
from minigan.autograd import primitive
from minigan.backend import kept_beside, xp
from minigan.errors import ConfigError, DTypeError, ShapeError, suggestion
from minigan.ops.conv import pair
from minigan.ops.linalg import matmul
from minigan.ops.pool import adaptive_avg_pool2d, spread_windows, taps
from minigan.ops.shape import expand_dims, reshape, squeeze, transpose
from minigan.tensor import Size, Tensor, plain

# ------------------------------------------------------------------------------------------------------- resizing ---


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=False) -> Tensor:
    """x resized to `size`, or to floor(scale_factor * its size).   torch.nn.functional.interpolate.

    x (N, C, H, W)  ->  (N, C, oh, ow); give either size or scale_factor, as a number or a (vertical, horizontal) pair.
    mode "nearest": y[p] = x[floor(p H / oh)].  "bilinear": pixels are squares, so y[p] is at (p + 1/2) H / oh - 1/2
    and mixes the two pixels beside it; outside the outermost centres the border is repeated.  align_corners: the *centres*
    of the corner pixels of both images coincide instead, so y[p] is at p (H - 1) / (oh - 1).  "bicubic": the same places, but
    four pixels are mixed, by Keys' cubic with a = -0.75 (Keys 1981).  "area": y[p] is the mean of the pixels that it covers.
    If you give scale_factor, it replaces oh / H, as in torch.
    x (N, C, L) has one axis to resize, with mode "nearest", "linear" or "area".
    ConfigError for an unknown mode; ShapeError for a size below 1.

    >>> mg.ops.interpolate([[[1.0, 3.0]]], size=4, mode="linear").tolist()
    [[[1.0, 1.5, 2.5, 3.0]]]
    """
    if x.ndim == 3:
        if mode not in ("nearest", "linear", "area"):
            raise ConfigError(
                f"interpolate: x {x.shape} has one spatial axis, so mode is 'nearest', 'linear' or 'area', not "
                f"{mode!r}; an image is (N, C, H, W), also a single one"
            )
        if size is not None:
            size = (1, *(size if isinstance(size, (tuple, list)) else (size,)))
        if scale_factor is not None:
            scale_factor = (1, *(scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,)))
        mode = "bilinear" if mode == "linear" else mode
        return squeeze(interpolate(expand_dims(x, 2), size, scale_factor, mode, align_corners), 2)
    if x.ndim != 4:
        raise ShapeError(f"interpolate: x is (N, C, H, W) or (N, C, L), got {x.shape}")
    modes = ("nearest", "bilinear", "bicubic", "area")
    if mode not in modes:
        raise ConfigError(f"interpolate: unknown mode {mode!r}{suggestion(str(mode), modes)}")
    if align_corners and mode in ("nearest", "area"):
        raise ConfigError(f"interpolate: align_corners is for 'bilinear' and 'bicubic'; mode {mode!r} has nothing to align")
    out, steps = _out_size(x.shape[2:], size, scale_factor)
    if mode == "nearest":
        return _nearest(x, out, steps)
    if mode == "area":
        return adaptive_avg_pool2d(x, out)
    if x.dtype.kind != "f":
        raise DTypeError(f"interpolate: mode {mode!r} needs a float dtype, got {x.dtype}; use .astype('float32')")
    rows, columns = (
        kept_beside(_mixing(n, o, step, align_corners, mode == "bicubic").astype(x.dtype), plain(x))
        for n, o, step in zip(x.shape[2:], out, steps)
    )
    n, c, h, w = x.shape
    pixels = reshape(transpose(x, (2, 3, 0, 1)), (h, w * n * c))  # (H, W N C), so that one matrix product does all rows
    pixels = reshape(matmul(rows, pixels), (out[0], w, n * c))
    return transpose(reshape(matmul(columns, pixels), (*out, n, c)), (2, 3, 0, 1))


def _out_size(shape, size, scale_factor):
    """The output's (height, width), and how many input pixels one output pixel covers along each axis."""
    if (size is None) == (scale_factor is None):
        raise ConfigError(f"interpolate: give size or scale_factor, and not both; got size={size}, scale_factor={scale_factor}")
    if size is not None:
        out = pair(size, "size", "interpolate", 1)
        steps = [n / o for n, o in zip(shape, out)]
    else:
        factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor, scale_factor)
        if len(factors) != 2 or not all(f > 0 for f in factors):
            raise ShapeError(f"interpolate: scale_factor must be a number > 0 or two of them, got {scale_factor!r}")
        out = tuple(math.floor(n * f) for n, f in zip(shape, factors))
        steps = [1 / f for f in factors]
    if min(out) < 1 or min(shape) < 1:
        raise ShapeError(f"interpolate: cannot resize {shape[0]}x{shape[1]} to {out[0]}x{out[1]}; sizes must be >= 1")
    return out, steps


def _nearest(x, out, steps):
    indices, factors = [], []
    for n, o, step in zip(x.shape[2:], out, steps):
        # We use float32, as torch does: if p * step is nearly whole, its rounding decides which pixel is taken.
        index = np.floor(np.arange(o, dtype=np.float32) * np.float32(step)).astype(np.int64)
        whole = o in (n, 2 * n)  # torch copies or doubles for these sizes, for every scale_factor
        indices.append(np.arange(o) * n // o if whole else np.minimum(index, n - 1))
        factors.append(max(o // n, 1))
    if all(o == n * k and (index == np.arange(o) // k).all() for n, o, k, index in zip(x.shape[2:], out, factors, indices)):
        return spread_windows(x, tuple(factors), tuple(factors), (0, 0), out)  # each pixel becomes a block
    rows, columns = (kept_beside(index, plain(x)) for index in indices)
    return x[:, :, rows][:, :, :, columns]


def _mixing(n, out, step, align_corners, cubic):
    """The (out, n) matrix of an interpolation: each row has at most two entries (cubic: four), and they sum to 1."""
    if n == out:  # also if a scale_factor such as 1.1 does not change the size, as in torch
        place = np.arange(out) + 0.0
    elif align_corners:
        place = np.arange(out) * ((n - 1) / (out - 1) if out > 1 else 0.0)
    else:
        place = (np.arange(out) + 0.5) * step - 0.5
        place = place if cubic else np.maximum(place, 0.0)
    left = np.floor(place).astype(np.int64)
    left = left if cubic else np.minimum(left, n - 1)
    t = place - left
    a = -0.75
    weights = {0: np.clip(1 - t, 0.0, 1.0), 1: np.clip(t, 0.0, 1.0)}
    if cubic:
        near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1  # Keys' kernel at a distance d <= 1, and at 1 < d <= 2
        far = lambda d: a * (((d - 5) * d + 8) * d - 4)
        weights = {-1: far(t + 1), 0: near(t), 1: near(1 - t), 2: far(2 - t)}
    matrix = np.zeros((out, n))
    for offset, weight in weights.items():  # outside, the border is repeated
        np.add.at(matrix, (np.arange(out), np.clip(left + offset, 0, n - 1)), weight)
    return matrix


# ------------------------------------------------------------------------------------------------- channels, pixels ---


def pixel_shuffle(x, upscale_factor) -> Tensor:
    """y[..., c, h r + i, w r + j] = x[..., c r^2 + i r + j, h, w] with r = upscale_factor.   Shi et al. 2016.

    (..., C r^2, H, W)  ->  (..., C, H r, W r): r^2 channels of a pixel become a block of r x r pixels.

    >>> mg.ops.pixel_shuffle(mg.ones((1, 8, 7, 7)), 2).shape
    (1, 2, 14, 14)
    """
    r = _factor("pixel_shuffle", "upscale_factor", upscale_factor, x)
    *lead, c, h, w = x.shape
    if c % (r * r):
        raise ShapeError(f"pixel_shuffle: {c} channels (x {x.shape}) do not divide into blocks of {r}x{r} pixels")
    k = len(lead)
    y = transpose(reshape(x, (*lead, c // (r * r), r, r, h, w)), (*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return reshape(y, (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(x, downscale_factor) -> Tensor:
    """The inverse of pixel_shuffle: (..., C, H r, W r)  ->  (..., C r^2, H, W) with r = downscale_factor.

    >>> mg.ops.pixel_unshuffle(mg.ones((1, 2, 14, 14)), 2).shape
    (1, 8, 7, 7)
    """
    r = _factor("pixel_unshuffle", "downscale_factor", downscale_factor, x)
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle: {h}x{w} pixels (x {x.shape}) do not divide into blocks of {r}x{r}")
    k = len(lead)
    y = transpose(reshape(x, (*lead, c, h // r, r, w // r, r)), (*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return reshape(y, (*lead, c * r * r, h // r, w // r))


def _factor(op, name, r, x):
    r = whole(op, name, r, 1)
    if x.ndim < 3:
        raise ShapeError(f"{op}: x needs the axes (..., C, H, W), got {x.shape}")
    return r


# --------------------------------------------------------------------------------------------- windows as columns ---


def _unfold_forward(x, kernel, stride, padding, dilation, out):
    columns = xp(x).zeros((*x.shape[:2], *kernel, *out), x.dtype)
    for (r, s), o, i in taps(x.shape[2:], kernel, stride, padding, dilation, out):
        columns[(slice(None), slice(None), r, s, *o)] = x[(slice(None), slice(None), *i)]
    return columns


def _fold_forward(u, size, kernel, stride, padding, dilation, out):
    x = xp(u).zeros((*u.shape[:2], *size), u.dtype)
    for (r, s), o, i in taps(size, kernel, stride, padding, dilation, out):
        x[(slice(None), slice(None), *i)] += u[(slice(None), slice(None), r, s, *o)]
    return x


# x is (N, C, H, W) and u (N, C, kh, kw, oh, ow); how = (kernel, stride, padding, dilation, out), all pairs.
_unfold = primitive(_unfold_forward, lambda g, y, x, *how: _fold(g, x.shape[2:], *how), name="unfold", saves="neither")
_fold = primitive(_fold_forward, lambda g, y, u, size, *how: _unfold(g, *how), name="fold", saves="neither")


def unfold(x, kernel_size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """Every window under the kernel as a column ("im2col").

    y[n, (c kh + r) kw + s, p ow + q] = x[n, c, p*stride + r*dilation - padding, ...], zero in the padding.
    x (N, C, H, W) or (C, H, W)  ->  (N, C kh kw, L) with L = oh ow, the number of windows; see conv2d for oh.
    A convolution is weight.reshape(O, -1) @ unfold(x).   ShapeError if the kernel is larger than the padded image.

    >>> mg.ops.unfold(mg.ones((1, 3, 4, 4)), 2).shape
    (1, 12, 9)
    """
    if x.ndim not in (3, 4):
        raise ShapeError(f"unfold: x is (N, C, H, W) or (C, H, W), got {x.shape}")
    if x.ndim == 3:
        return squeeze(unfold(expand_dims(x, 0), kernel_size, dilation, padding, stride), 0)
    how = _how("unfold", x.shape[2:], kernel_size, stride, padding, dilation)
    return reshape(_unfold(x, *how), (x.shape[0], x.shape[1] * math.prod(how[0]), math.prod(how[-1])))


def fold(x, output_size, kernel_size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """Add columns into an image, each at the place from which unfold takes it; overlapping windows are summed ("col2im").

    x (N, C kh kw, L) or (C kh kw, L)  ->  (N, C, *output_size).  It is the adjoint of unfold, not the inverse:
    <unfold(x), u> = <x, fold(u)>; fold(unfold(x)) is x times the number of windows over each pixel.
    ShapeError unless L is the number of windows of an image of output_size.

    >>> mg.ops.fold(mg.ops.unfold(mg.ones((1, 1, 3, 3)), 2), (3, 3), 2).tolist()  # how many windows see each pixel
    [[[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]]
    """
    if x.ndim not in (2, 3):
        raise ShapeError(f"fold: x is (N, C kh kw, L) or (C kh kw, L), got {x.shape}")
    if x.ndim == 2:
        return squeeze(fold(expand_dims(x, 0), output_size, kernel_size, dilation, padding, stride), 0)
    size = pair(output_size, "output_size", "fold", 1)
    how = _how("fold", size, kernel_size, stride, padding, dilation)
    kernel, out = how[0], how[-1]
    if x.shape[1] % math.prod(kernel) or x.shape[2] != math.prod(out):
        raise ShapeError(
            f"fold: x is {x.shape}, need (N, C * {math.prod(kernel)}, {math.prod(out)}): a {kernel[0]}x{kernel[1]} "
            f"kernel has {out[0]}x{out[1]} places in an image of {size[0]}x{size[1]}"
        )
    columns = reshape(x, (x.shape[0], x.shape[1] // math.prod(kernel), *kernel, *out))
    return _fold(columns, size, *how)


def _how(op, size, kernel, stride, padding, dilation):
    kernel, stride = pair(kernel, "kernel_size", op, 1), pair(stride, "stride", op, 1)
    padding, dilation = pair(padding, "padding", op), pair(dilation, "dilation", op, 1)
    out = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, padding, dilation))
    if min(out) < 1:
        raise ShapeError(
            f"{op}: the kernel {kernel} (dilation {dilation}) exceeds the image of {size[0]}x{size[1]} "
            f"with padding {padding}; use more padding or a smaller kernel"
        )
    return kernel, stride, padding, dilation, out
