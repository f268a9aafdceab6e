"""Convolutions: Conv2d, Conv1d, and their adjoints ConvTranspose2d, ConvTranspose1d."""

from typing import Any

from minigan.arguments import whole
from minigan.errors import ConfigError, ShapeError
from minigan.nn import functional as F
from minigan.nn.linear import empty, reset_affine
from minigan.nn.module import Module
from minigan.ops.conv import pair
from minigan.tensor import Size, Tensor


class _Conv(Module):
    """The common part of the convolutions.  The kernel has `axes` spatial axes."""

    axes = 2
    transposed = False
    padding_modes = ("zeros", "reflect", "replicate", "circular")

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        groups,
        bias,
        padding_mode,
        output_padding: Size = 0,
    ):
        super().__init__()
        name = type(self).__name__
        in_channels, out_channels, groups = (
            whole(name, *v) for v in (("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups))
        )
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(f"{name}: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}")
        if padding_mode not in self.padding_modes or (self.transposed and padding_mode != "zeros"):
            known = ("zeros",) if self.transposed else self.padding_modes
            raise ConfigError(f"{name}: padding_mode is one of {', '.join(known)}, not {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = self._sizes(kernel_size, "kernel_size", 1)
        self.stride, self.dilation = self._sizes(stride, "stride", 1), self._sizes(dilation, "dilation", 1)
        self.padding: Any = padding if isinstance(padding, str) else self._sizes(padding, "padding", 0)
        self.output_padding = self._sizes(output_padding, "output_padding", 0)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = empty(first, second // groups, *self.kernel_size)
        self.bias = empty(out_channels) if bias else None
        self.reset_parameters()

    def _sizes(self, value, name, least):
        if self.axes == 2:
            return pair(value, name, type(self).__name__, least)
        value = value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value
        return (whole(type(self).__name__, name, value, least),)

    def reset_parameters(self):
        """Draw new weights."""
        reset_affine(self)

    def _padded(self, x):
        """(x, padding): a border that is not zeros is added here; the convolution itself adds `padding` zeros."""
        if self.padding_mode == "zeros":
            return x, self.padding
        if isinstance(self.padding, str):
            total = [d * (k - 1) if self.padding == "same" else 0 for d, k in zip(self.dilation, self.kernel_size)]
            widths = [(t // 2, t - t // 2) for t in total]
        else:
            widths = [(p, p) for p in self.padding]
        return F.pad(x, [n for pair in reversed(widths) for n in pair], self.padding_mode), (0,) * self.axes

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", 0), ("output_padding", 0), ("dilation", 1)):
            if getattr(self, name) != (usual,) * self.axes:
                text += f", {name}={getattr(self, name)}"
        text += f", groups={self.groups}" if self.groups != 1 else ""
        text += ", bias=False" if self.bias is None else ""
        return text + (f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else "")


class _Correlation(_Conv):
    """The common part of Conv2d and Conv1d: the function of nn.functional whose name is `function`."""

    function = ""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups=1,
        bias=True,
        padding_mode="zeros",
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)

    def forward(self, x) -> Tensor:
        """The convolution of x, plus bias."""
        x, padding = self._padded(x)
        return getattr(F, self.function)(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Correlation):
    """y[n,o] = bias[o] + the sum over c of x[n,c] correlated with weight[o,c].   x (N, C, H, W) -> (N, O, oh, ow).

    oh = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, ow likewise.  weight (O, C/groups, kh, kw)
    and bias (O,) start uniform in +-1/sqrt(C/groups kh kw).  padding_mode: "zeros", "reflect", "replicate" or "circular".
    torch.nn.Conv2d.   Conv2d(3, 8, 4, stride=2, padding=1) halves an image.

    >>> nn.Conv2d(1, 32, 4, stride=2, padding=1)(mg.ones((64, 1, 28, 28))).shape
    (64, 32, 14, 14)
    """

    function = "conv2d"


class Conv1d(_Correlation):
    """Conv2d with one spatial axis.   x (N, C, L) -> (N, O, length);  weight (O, C/groups, k), bias (O,).

    >>> nn.Conv1d(3, 8, 5, padding=2)(mg.ones((64, 3, 100))).shape
    (64, 8, 100)
    """

    axes = 1
    function = "conv1d"


class _Transposed(_Conv):
    """The common part of ConvTranspose2d and ConvTranspose1d."""

    transposed = True
    function = ""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups=1,
        bias=True,
        dilation: Size = 1,
        padding_mode="zeros",
    ):
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, output_padding
        )

    def forward(self, x) -> Tensor:
        """The transposed convolution of x, plus bias."""
        return getattr(F, self.function)(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class ConvTranspose2d(_Transposed):
    """Conv2d's adjoint: every pixel of x is spread over the output by the kernel.   x (N, C, H, W) -> (N, O, oh, ow).

    oh = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1, ow likewise.
    weight (C, O/groups, kh, kw) and bias (O,) start uniform in +-1/sqrt(O/groups kh kw), because torch takes fan_in from
    axis 1 of the weight, here too.
    torch.nn.ConvTranspose2d.   ConvTranspose2d(8, 3, 4, stride=2, padding=1) doubles an image.

    >>> nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1)(mg.ones((64, 32, 14, 14))).shape
    (64, 1, 28, 28)
    """

    function = "conv_transpose2d"


class ConvTranspose1d(_Transposed):
    """ConvTranspose2d with one spatial axis.   x (N, C, L) -> (N, O, length);  weight (C, O/groups, k), bias (O,)."""

    axes = 1
    function = "conv_transpose1d"
