"""Convolution, its transpose and its weight gradient: three ops that are each other's gradients.

    conv(x, w)            dx = adjoint(g, w)      dw = weight(x, g)
    adjoint(u, w)         du = conv(g, w)         dw = weight(g, u)
    weight(x, u)          dx = adjoint(u, g)      du = conv(x, g)

So the set is closed, and stride, padding, dilation and groups are right at every order of derivative.  The ops pass sizes
on explicitly, because a stride maps several input sizes to one output size.  Dumoulin and Visin 2016, chapter 4.

The arithmetic is in kernels/.  Names, argument order and shapes are those of torch.nn.functional.
"""

from typing import Any

import numpy as np

from minigan.arguments import shown, whole
from minigan.autograd import fused, primitive
from minigan.errors import ShapeError
from minigan.grad_mode import is_recording
from minigan.kernels import dispatch
from minigan.kernels.cpu import conv
from minigan.ops.shape import broadcast_to, expand_dims, reshape, squeeze
from minigan.tensor import Size, Tensor

# The primitives.  how = (stride, padding, dilation, groups); all but groups are (vertical, horizontal) pairs.
#
# An ordinary backward pass asks for both gradients at once, because on the CPU they share what the forward pass kept.  The
# rules beside it are the same in terms of the three ops.


def _conv_forward(x, w, size, *how):
    """y, and what its gradients can use again."""
    if is_recording() and isinstance(x, np.ndarray):
        return conv.conv2d_kept(x, w, size, *how)
    return dispatch.conv2d(x, w, size, *how), None


def _conv_backward(g, needed, kept, x, w, size, *how):
    d_x, d_w = conv.conv2d_gradients(g, needed, kept, x, w) if kept is not None else (None, None)
    if needed[0] and d_x is None:
        d_x = dispatch.conv2d_adjoint(g, w, x.shape[2:], *how)
    if needed[1] and d_w is None:
        d_w = dispatch.conv2d_weight(x, g, w.shape[2:], *how)
    return d_x, d_w


def _adjoint_forward(u, w, size, *how):
    if is_recording() and isinstance(u, np.ndarray):
        return conv.conv2d_adjoint_kept(u, w, size, *how)
    return dispatch.conv2d_adjoint(u, w, size, *how), None


def _adjoint_backward(g, needed, kept, u, w, size, *how):
    d_u, d_w = conv.conv2d_adjoint_gradients(g, needed, kept, u, w) if kept is not None else (None, None)
    if needed[0] and d_u is None:
        d_u = dispatch.conv2d(g, w, u.shape[2:], *how)
    if needed[1] and d_w is None:
        d_w = dispatch.conv2d_weight(g, u, w.shape[2:], *how)
    return d_u, d_w


_conv_forward.__name__, _adjoint_forward.__name__ = "conv2d", "conv_transpose2d"
_conv = fused(
    _conv_forward,
    _conv_backward,
    rules=(
        lambda g, y, x, w, size, *how: _adjoint(g, w, x.shape[2:], *how),
        lambda g, y, x, w, size, *how: _weight(x, g, w.shape[2:], *how),
    ),
    saves="inputs",
)
_adjoint = fused(
    _adjoint_forward,
    _adjoint_backward,
    rules=(
        lambda g, y, u, w, size, *how: _conv(g, w, u.shape[2:], *how),
        lambda g, y, u, w, size, *how: _weight(g, u, w.shape[2:], *how),
    ),
    saves="inputs",
)
_weight = primitive(
    dispatch.conv2d_weight,
    lambda g, y, x, u, size, *how: _adjoint(u, g, x.shape[2:], *how),
    lambda g, y, x, u, size, *how: _conv(x, g, u.shape[2:], *how),
    name="conv2d_weight",
    saves="inputs",
)
_add_bias = primitive(
    dispatch.add_bias, lambda g, y, x, bias: g, lambda g, y, x, bias: _bias_gradient(g), name="add_bias", saves="neither"
)
_bias_gradient = primitive(
    dispatch.bias_gradient,
    lambda h, y, g: broadcast_to(reshape(h, (1, -1, 1, 1)), g.shape),
    name="bias_gradient",
    saves="neither",
)


def pair(value: Size, name, op, least=0) -> tuple[int, int]:
    """(vertical, horizontal) from an int or a pair of ints >= least.  ShapeError otherwise."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) == 2 and type(values[0]) is type(values[1]) is int and min(values) >= least:
        return values
    try:
        first, second = (whole(op, name, v, least) for v in values)
    except ValueError:  # there are not two, or `whole` raised a ShapeError for one of them
        raise ShapeError(f"{op}: {name} must be an int >= {least} or two of them, got {shown(value)}") from None
    return first, second


def conv2d(x, weight, bias=None, stride: Size = 1, padding: Size | str = 0, dilation: Size = 1, groups=1) -> Tensor:
    """y[n,o,p,q] = bias[o] + sum over c,r,s of x[n, c, p*stride + r*dilation - padding, ...] * weight[o,c,r,s].

    x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,)  ->  (N, O, oh, ow) with
    oh = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1, and ow likewise.  stride, padding, dilation: an int or a
    (vertical, horizontal) pair; groups: the channels form so many groups, which do not mix.  padding may be "valid"
    (0) or "same" (only for stride 1: the output has the size of the input).
    ShapeError if the channels do not fit or the kernel is larger than the padded input.

    >>> mg.ops.conv2d(mg.ones((64, 1, 28, 28)), mg.ones((32, 1, 4, 4)), stride=2, padding=1).shape
    (64, 32, 14, 14)
    """
    _check_axes("conv2d", x, weight)
    stride, dilation = pair(stride, "stride", "conv2d", 1), pair(dilation, "dilation", "conv2d", 1)
    if isinstance(padding, str):
        x, padding = _named_padding(x, weight, padding, stride, dilation)
    padding = pair(padding, "padding", "conv2d")
    expected = weight.shape[1] * whole("conv2d", "groups", groups)
    if x.shape[1] != expected:
        hint = "; if x is (N, H, W, C), pass x.transpose(0, 3, 1, 2)" if x.shape[3] == expected else ""
        raise ShapeError(
            f"conv2d: x has {x.shape[1]} channels, weight expects {expected} "
            f"(x {x.shape}, weight {weight.shape}, groups={groups}){hint}"
        )
    _check_groups("conv2d", weight.shape[0], groups, bias, weight.shape[0])
    size = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    )
    for n, k, p, d, out in zip(x.shape[2:], weight.shape[2:], padding, dilation, size):
        if out < 1:
            raise ShapeError(
                f"conv2d: kernel {k} (dilation {d} -> {d * (k - 1) + 1}) exceeds the padded input of {n + 2 * p} "
                f"(x {x.shape}, weight {weight.shape}, padding {padding}); use more padding or a smaller kernel"
            )
    return _with_bias(_conv(x, weight, size, stride, padding, dilation, groups), bias)


def conv_transpose2d(
    x, weight, bias=None, stride: Size = 1, padding: Size = 0, output_padding: Size = 0, groups=1, dilation: Size = 1
) -> Tensor:
    """The adjoint of conv2d in its input: every x[n,c,p,q] is spread over the output by the kernel weight[c,o].

    x (N, C, H, W), weight (C, O/groups, kh, kw), bias (O,)  ->  (N, O, oh, ow) with
    oh = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and ow likewise.  output_padding, which is below
    stride or dilation, chooses one of the output sizes that conv2d would map back to H.
    ShapeError if the channels do not fit or the output would be empty.

    >>> mg.ops.conv_transpose2d(mg.ones((64, 32, 14, 14)), mg.ones((32, 1, 4, 4)), stride=2, padding=1).shape
    (64, 1, 28, 28)
    """
    _check_axes("conv_transpose2d", x, weight)
    stride, dilation = (pair(v, name, "conv_transpose2d", 1) for v, name in ((stride, "stride"), (dilation, "dilation")))
    padding, extra = (
        pair(v, name, "conv_transpose2d") for v, name in ((padding, "padding"), (output_padding, "output_padding"))
    )
    if x.shape[1] != weight.shape[0]:
        raise ShapeError(
            f"conv_transpose2d: x has {x.shape[1]} channels, weight expects {weight.shape[0]} "
            f"(x {x.shape}, weight {weight.shape}); weight is (in, out/groups, kh, kw)"
        )
    _check_groups("conv_transpose2d", weight.shape[0], groups, bias, weight.shape[1] * groups)
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, k, s, p, d, e in zip(x.shape[2:], weight.shape[2:], stride, padding, dilation, extra)
    )
    if min(size) < 1:
        raise ShapeError(
            f"conv_transpose2d: the output would be {size[0]}x{size[1]} (x {x.shape}, weight "
            f"{weight.shape}, stride {stride}, padding {padding}); use less padding"
        )
    for e, s, d in zip(extra, stride, dilation):
        if e >= max(s, d):
            raise ShapeError(
                f"conv_transpose2d: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}"
            )
    return _with_bias(_adjoint(x, weight, size, stride, padding, dilation, groups), bias)


def conv1d(x, weight, bias=None, stride: Size = 1, padding: Size | str = 0, dilation: Size = 1, groups=1) -> Tensor:
    """conv2d with one spatial axis: x (N, C, L), weight (O, C/groups, k), bias (O,)  ->  (N, O, length).

    >>> mg.ops.conv1d(mg.ones((1, 1, 5)), mg.ones((1, 1, 3))).tolist()
    [[[3.0, 3.0, 3.0]]]
    """
    if x.ndim != 3 or weight.ndim != 3:
        raise ShapeError(f"conv1d: needs x (N, C, L) and weight (O, C/groups, k), got {x.shape} and {weight.shape}")
    around = padding if isinstance(padding, str) else (0, _single(padding))
    y = conv2d(expand_dims(x, 2), expand_dims(weight, 2), bias, (1, _single(stride)), around, (1, _single(dilation)), groups)
    return squeeze(y, 2)


def conv_transpose1d(
    x, weight, bias=None, stride: Size = 1, padding: Size = 0, output_padding: Size = 0, groups=1, dilation: Size = 1
) -> Tensor:
    """conv_transpose2d with one spatial axis: x (N, C, L), weight (C, O/groups, k), bias (O,)  ->  (N, O, length).

    >>> mg.conv_transpose1d(mg.ones((1, 1, 2)), mg.ones((1, 1, 2)), stride=2).tolist()
    [[[1.0, 1.0, 1.0, 1.0]]]
    """
    if x.ndim != 3 or weight.ndim != 3:
        raise ShapeError(f"conv_transpose1d: needs x (N, C, L) and weight (C, O/groups, k), got {x.shape} and {weight.shape}")
    around, extra = (0, _single(padding)), (0, _single(output_padding))
    how = (1, _single(stride)), around, extra, groups, (1, _single(dilation))
    y = conv_transpose2d(expand_dims(x, 2), expand_dims(weight, 2), bias, *how)
    return squeeze(y, 2)


def _single(value) -> Any:
    return value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value


def _with_bias(y, bias):
    return y if bias is None else _add_bias(y, bias)


def _check_axes(op, x, weight):
    if x.ndim != 4 or weight.ndim != 4:
        raise ShapeError(
            f"{op}: x and weight need four axes each, got x {x.shape} and weight {weight.shape}; "
            f"x is (N, C, H, W), also for a single image"
        )


def _check_groups(op, channels, groups, bias, out):
    if whole(op, "groups", groups) < 1 or channels % groups:
        raise ShapeError(f"{op}: groups={groups} must be an int >= 1 that divides {channels} channels")
    if bias is not None and tuple(bias.shape) != (out,):
        raise ShapeError(f"{op}: bias is {bias.shape}, need ({out},), one for each output channel")


def _named_padding(x, weight, padding, stride, dilation) -> tuple[Tensor, Size]:
    """(x, padding): x is padded here if the padding is uneven, and `padding` is the even padding that is still to do."""
    from minigan.ops.shape import pad

    if padding == "valid":
        return x, (0, 0)
    if padding != "same" or stride != (1, 1):
        raise ShapeError(
            f"conv2d: padding {padding!r} with stride {stride}; named paddings are 'valid', and 'same' with stride 1"
        )
    total = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation)]
    if not any(t % 2 for t in total):
        return x, tuple(t // 2 for t in total)
    return pad(x, ((0, 0), (0, 0), *((t // 2, t - t // 2) for t in total))), (0, 0)
