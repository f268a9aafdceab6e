"""Layers: parameters added to a function, and nothing else.  Checks live in the functions (ops/, nn/functional.py).

dense, lookup   Linear Embedding                        activations   ReLU LeakyReLU PReLU ELU GELU SiLU Tanh ...
convolutions    Conv1d Conv2d ConvTranspose2d           shapes        Identity Flatten Unflatten
pixels          MaxPool2d AvgPool2d AdaptiveAvgPool2d   padding       ZeroPad2d ReflectionPad2d ReplicationPad2d
                AdaptiveMaxPool2d Upsample              noise         Dropout Dropout2d
                PixelShuffle PixelUnshuffle
losses          MSELoss L1Loss SmoothL1Loss HuberLoss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss

Names, arguments, their order and defaults, and the names and shapes of parameters are those of torch.nn.  Left out are
arguments that torch itself has deprecated (size_average), and device and dtype: use module.to(...).  `inplace` is
accepted, so that PyTorch's networks can be copied as they are, and ignored: no op changes its input.

Elsewhere: normalisation (norm.py), recurrent layers (rnn.py), spectral norm (utils.py).
"""

import math

import numpy as np

from minigan import ops
from minigan.arguments import sizes, whole
from minigan.errors import ConfigError, ShapeError
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.module import Module, Parameter
from minigan.ops.conv import pair
from minigan.ops.elementwise import kept
from minigan.ops.noise import dropout, dropout2d
from minigan.ops.shape import axis_of
from minigan.tensor import plain


def _empty(*shape):
    return Parameter(np.empty(shape, np.float32))


def _reset_affine(layer):
    """Weight and bias uniform in +-1/sqrt(fan_in), as torch's Linear and convolutions start."""
    init.kaiming_uniform_(layer.weight, a=math.sqrt(5))
    if layer.bias is not None:
        fan_in = init.fans(layer.weight)[0]
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(layer.bias, -bound, bound)


# ------------------------------------------------------------------------------------------------- dense, lookup ---


class Linear(Module):
    """y = x W^T + b.   x (..., in_features) -> (..., out_features);  weight (out_features, in_features), bias or None.

    Both start uniform in +-1/sqrt(in_features).   torch.nn.Linear.
    Linear(100, 32)(mg.ones((64, 100))).shape == (64, 32)
    """

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = _empty(out_features, in_features)
        self.bias = _empty(out_features) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the weights anew."""
        _reset_affine(self)

    def forward(self, x):
        """x W^T + b."""
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A row of the table for each index.   x: integers 0 .. num_embeddings-1, any shape -> (*x.shape, embedding_dim).

    weight (num_embeddings, embedding_dim) starts normal (0, 1).  padding_idx: a row that starts at 0 and gets no
    gradient.   torch.nn.Embedding.
    """

    def __init__(self, num_embeddings, embedding_dim, padding_idx=None):
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ShapeError(f"Embedding: padding_idx {padding_idx} is not one of the {num_embeddings} rows")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = _empty(num_embeddings, embedding_dim)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.touch()

    def forward(self, x):
        """weight[x]."""
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self):
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


# ------------------------------------------------------------------------------------------------- convolutions ---


class _Conv(Module):
    """What the convolutions share.  The kernel has `axes` spatial axes."""

    axes = 2
    transposed = False
    padding_modes = ("zeros", "reflect", "replicate")

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                 output_padding=0):
        super().__init__()
        name = type(self).__name__
        in_channels, out_channels, groups = (whole(name, *v) for v in (
            ("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)))
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(f"{name}: groups={groups} must divide in_channels={in_channels} and "
                             f"out_channels={out_channels}")
        if padding_mode not in self.padding_modes or (self.transposed and padding_mode != "zeros"):
            known = ("zeros",) if self.transposed else self.padding_modes
            raise ConfigError(f"{name}: padding_mode is one of {', '.join(known)}, not {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = self._sizes(kernel_size, "kernel_size", 1)
        self.stride, self.dilation = self._sizes(stride, "stride", 1), self._sizes(dilation, "dilation", 1)
        self.padding = padding if isinstance(padding, str) else self._sizes(padding, "padding", 0)
        self.output_padding = self._sizes(output_padding, "output_padding", 0)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = _empty(first, second // groups, *self.kernel_size)
        self.bias = _empty(out_channels) if bias else None
        self.reset_parameters()

    def _sizes(self, value, name, least):
        if self.axes == 2:
            return pair(value, name, type(self).__name__, least)
        value = value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value
        return (whole(type(self).__name__, name, value, least),)

    def reset_parameters(self):
        """Draw the weights anew."""
        _reset_affine(self)

    def _padded(self, x):
        """x, and the padding that the convolution has still to do: none, if it was not with zeros."""
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


class Conv2d(_Conv):
    """y[n,o] = bias[o] + the sum over c of x[n,c] correlated with weight[o,c].   x (N, C, H, W) -> (N, O, oh, ow).

    oh = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, ow alike.  weight (O, C/groups, kh, kw)
    and bias (O,) start uniform in +-1/sqrt(C/groups kh kw).  padding_mode: "zeros", "reflect" or "replicate".
    torch.nn.Conv2d.   Conv2d(3, 8, 4, stride=2, padding=1) halves an image.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode="zeros"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)

    def forward(self, x):
        """The convolution of x, plus bias."""
        x, padding = self._padded(x)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Conv2d with one spatial axis.   x (N, C, L) -> (N, O, length);  weight (O, C/groups, k), bias (O,)."""

    axes = 1

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode="zeros"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)

    def forward(self, x):
        """The convolution of x, plus bias."""
        x, padding = self._padded(x)
        return F.conv1d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose2d(_Conv):
    """Conv2d's adjoint: every pixel of x is spread over the output by the kernel.   x (N, C, H, W) -> (N, O, oh, ow).

    oh = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1, ow alike.
    weight (C, O/groups, kh, kw) and bias (O,) start uniform in +-1/sqrt(O/groups kh kw): torch counts the fan of the
    weight as it lies.
    torch.nn.ConvTranspose2d.   ConvTranspose2d(8, 3, 4, stride=2, padding=1) doubles an image.
    """

    transposed = True

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, padding_mode="zeros"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         output_padding)

    def forward(self, x):
        """The transposed convolution of x, plus bias."""
        return F.conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding, self.output_padding,
                                  self.groups, self.dilation)


# -------------------------------------------------------------------------------------------------- activations ---


class Identity(Module):
    """y = x.   Takes any arguments and ignores them, so that it can stand in for any layer."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, x):
        """x."""
        return x


class ReLU(Module):
    """y = max(x, 0)."""

    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x):
        """max(x, 0)."""
        return ops.relu(x)


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope x.   Maas, Hannun and Ng 2013.  GANs like 0.2 (Radford et al. 2016)."""

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x):
        """x, or negative_slope x where x <= 0."""
        return ops.leaky_relu(x, self.negative_slope)

    def extra_repr(self):
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """LeakyReLU with a learned slope: y = x where x > 0, else weight x.   He et al. 2015.

    weight (num_parameters,): one for all, or one for each channel (axis 1 of x).  Starts at `init`.
    """

    def __init__(self, num_parameters=1, init=0.25):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, x):
        """x, or weight x where x <= 0."""
        if self.num_parameters not in (1, x.shape[1] if x.ndim > 1 else 1):
            raise ShapeError(f"PReLU: {self.num_parameters} slopes for x {x.shape}; need 1, or one for each channel")
        slope = ops.reshape(self.weight, (1, -1) + (1,) * (x.ndim - 2)) if x.ndim > 1 else self.weight
        positive = plain(x) > 0
        return ops.where(positive, x, slope * kept(x, ~positive))  # of x = inf the slope's gradient is 0, not 0 * inf

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """y = x where x > 0, else alpha (e^x - 1).   Clevert et al. 2016."""

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha = alpha

    def forward(self, x):
        """x, or alpha (e^x - 1) where x <= 0."""
        return ops.elu(x, self.alpha)

    def extra_repr(self):
        return f"alpha={self.alpha}"


class GELU(Module):
    """y = x Phi(x), Phi the normal distribution function; approximate="tanh": within 5e-4.   Hendrycks, Gimpel 2016."""

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, x):
        """x Phi(x)."""
        return ops.gelu(x, self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """y = x sigmoid(x), also called swish.   Elfwing et al. 2018."""

    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x):
        """x sigmoid(x)."""
        return ops.silu(x)


class Tanh(Module):
    """y = tanh x, in (-1, 1)."""

    def forward(self, x):
        """tanh x."""
        return ops.tanh(x)


class Sigmoid(Module):
    """y = 1 / (1 + e^-x), in (0, 1).   Where a loss takes logits, leave it out."""

    def forward(self, x):
        """1 / (1 + e^-x)."""
        return ops.sigmoid(x)


class Softplus(Module):
    """y = ln(1 + e^(beta x)) / beta: a smooth ReLU; and y = x where beta x > threshold, as torch has it."""

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x):
        """ln(1 + e^(beta x)) / beta."""
        return F.softplus(x, self.beta, self.threshold)

    def extra_repr(self):
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """y = e^x / (the sum of e^x along dim): positive numbers with sum 1."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        """e^x / (the sum of e^x along dim)."""
        return ops.softmax(x, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """y = x - log(the sum of e^x along dim): the log of Softmax, without overflow."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        """x - log(the sum of e^x along dim)."""
        return ops.log_softmax(x, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


# ------------------------------------------------------------------------------------------------ shapes, padding ---


class Flatten(Module):
    """The axes start_dim .. end_dim made one: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x):
        """x with those axes made one."""
        first, last = axis_of("Flatten", self.start_dim, x.ndim), axis_of("Flatten", self.end_dim, x.ndim)
        if last < first:
            raise ShapeError(f"Flatten: start_dim={self.start_dim} lies behind end_dim={self.end_dim} in {x.shape}")
        size = math.prod(x.shape[first : last + 1])
        return ops.reshape(x, (*x.shape[:first], size, *x.shape[last + 1 :]))

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis dim made several, of sizes unflattened_size; one may be -1: whatever is left."""

    def __init__(self, dim, unflattened_size):
        super().__init__()
        self.dim, self.unflattened_size = dim, sizes("Unflatten", "unflattened_size", unflattened_size)

    def forward(self, x):
        """x with that axis made several."""
        axis = axis_of("Unflatten", self.dim, x.ndim)
        sizes, n = self.unflattened_size, x.shape[axis]
        known = math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) > 1 or (n % known if -1 in sizes and known else n != known):
            raise ShapeError(f"Unflatten: axis {self.dim} of {x.shape} has size {n}, which does not fill {sizes}")
        sizes = tuple(n // known if size == -1 and known else size for size in sizes)
        return ops.reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class _Pad2d(Module):
    mode = "constant"

    def __init__(self, padding):
        super().__init__()
        widths = sizes(type(self).__name__, "padding", padding)
        self.padding = widths * 4 if len(widths) == 1 else widths
        if len(self.padding) != 4:
            raise ShapeError(f"{type(self).__name__}: padding is an int or (left, right, top, bottom), got {padding!r}")

    def forward(self, x):
        """x with a border."""
        return F.pad(x, self.padding, self.mode)

    def extra_repr(self):
        return f"{self.padding}"


class ZeroPad2d(_Pad2d):
    """Zeros around an image (..., H, W).   padding: an int, or (left, right, top, bottom)."""


class ReflectionPad2d(_Pad2d):
    """An image (..., H, W) mirrored at its border, the border not repeated.   padding as ZeroPad2d."""

    mode = "reflect"


class ReplicationPad2d(_Pad2d):
    """The border of an image (..., H, W) repeated.   padding as ZeroPad2d."""

    mode = "replicate"


# --------------------------------------------------------------------------------------------------------- noise ---


class Dropout(Module):
    """In training each element is 0 with probability p, else x / (1 - p); in evaluation y = x.

    A new mask at every call, from the stream "noise".   Srivastava et al. 2014.
    """

    function = staticmethod(dropout)

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ConfigError(f"{type(self).__name__}: p is the probability to drop, between 0 and 1, got {p}")
        self.p = p

    def forward(self, x):
        """x with a part of it dropped."""
        return self.function(x, self.p, self.training)

    def extra_repr(self):
        return f"p={self.p}"


class Dropout2d(Dropout):
    """Dropout of whole channels of x (N, C, H, W).   Tompson et al. 2015."""

    function = staticmethod(dropout2d)


# -------------------------------------------------------------------------------------------------------- pixels ---


class MaxPool2d(Module):
    """The largest pixel of each window.   x (N, C, H, W);  stride: kernel_size by default.   torch.nn.MaxPool2d."""

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        super().__init__()
        if return_indices:
            raise ConfigError("MaxPool2d: return_indices is not supported; leave it out")
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, x):
        """The maxima."""
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self):
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class AvgPool2d(Module):
    """The mean of each window.   x (N, C, H, W);  stride: kernel_size by default.   torch.nn.AvgPool2d.

    count_include_pad: the zeros of the padding are counted in the mean.
    """

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x):
        """The means."""
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _Adaptive(Module):
    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(_Adaptive):
    """Means over windows chosen so that the output is output_size.   AdaptiveAvgPool2d(1): the mean of each channel."""

    def forward(self, x):
        """The means."""
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveMaxPool2d(_Adaptive):
    """Maxima over windows chosen so that the output is output_size."""

    def forward(self, x):
        """The maxima."""
        return F.adaptive_max_pool2d(x, self.output_size)


class Upsample(Module):
    """x (N, C, H, W) enlarged to `size`, or scale_factor times.   mode: "nearest" or "bilinear"."""

    def __init__(self, size=None, scale_factor=None, mode="nearest", align_corners=None):
        super().__init__()
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners

    def forward(self, x):
        """The larger image."""
        return F.interpolate(x, self.size, self.scale_factor, self.mode, bool(self.align_corners))

    def extra_repr(self):
        how = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{how}, mode={self.mode!r}"


class PixelShuffle(Module):
    """(N, C r^2, H, W) -> (N, C, H r, W r): r^2 channels become one of r times the size.   Shi et al. 2016."""

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, x):
        """The larger image of fewer channels."""
        return F.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self):
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, C, H r, W r) -> (N, C r^2, H, W): PixelShuffle undone."""

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, x):
        """The smaller image of more channels."""
        return F.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self):
        return f"downscale_factor={self.downscale_factor}"


# -------------------------------------------------------------------------------------------------------- losses ---


class _Loss(Module):
    """A loss of (input, target): the function of nn.functional whose name is `function`, with the options kept here.

    weights: name -> Tensor, array or None, kept as buffers, so that they move with the module.
    """

    function = ""

    def __init__(self, reduction="mean", weights=(), **options):
        super().__init__()
        if reduction not in ("mean", "sum", "none", "batchmean"):
            raise ConfigError(f"{type(self).__name__}: reduction is 'mean', 'sum' or 'none', not {reduction!r}")
        self.reduction, self.options = reduction, options
        for name, value in dict(weights).items():
            self.register_buffer(name, value)

    def forward(self, input, target):
        """The loss: a scalar, or with reduction "none" one value per element or sample."""
        weights = {name: getattr(self, name) for name in self._buffers}
        return getattr(F, self.function)(input, target, reduction=self.reduction, **weights, **self.options)

    def extra_repr(self):
        return ", ".join(f"{name}={value!r}" for name, value in {**self.options, "reduction": self.reduction}.items())


class MSELoss(_Loss):
    """(input - target)^2, reduced."""

    function = "mse_loss"

    def __init__(self, reduction="mean"):
        super().__init__(reduction)


class L1Loss(_Loss):
    """|input - target|, reduced."""

    function = "l1_loss"

    def __init__(self, reduction="mean"):
        super().__init__(reduction)


class SmoothL1Loss(_Loss):
    """d = |input - target|: d^2 / (2 beta) below beta, d - beta / 2 from there on, reduced.   Girshick 2015."""

    function = "smooth_l1_loss"

    def __init__(self, reduction="mean", beta=1.0):
        super().__init__(reduction, beta=beta)


class HuberLoss(_Loss):
    """d = |input - target|: d^2 / 2 below delta, delta (d - delta / 2) from there on, reduced.   Huber 1964."""

    function = "huber_loss"

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction, delta=delta)


class CrossEntropyLoss(_Loss):
    """-log softmax(input)[target], reduced.   input: logits (N, K, ...);  target: classes (N, ...) or probabilities."""

    function = "cross_entropy"

    def __init__(self, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        super().__init__(reduction, {"weight": weight}, ignore_index=ignore_index, label_smoothing=label_smoothing)


class NLLLoss(_Loss):
    """-input[target], reduced.   input: log-probabilities (N, K, ...);  target: classes (N, ...)."""

    function = "nll_loss"

    def __init__(self, weight=None, ignore_index=-100, reduction="mean"):
        super().__init__(reduction, {"weight": weight}, ignore_index=ignore_index)


class BCELoss(_Loss):
    """-t log p - (1 - t) log(1 - p), reduced.   input p: probabilities;  target t in [0, 1].

    BCEWithLogitsLoss, without the Sigmoid before it, is exact where p would round to 0 or 1.
    """

    function = "binary_cross_entropy"

    def __init__(self, weight=None, reduction="mean"):
        super().__init__(reduction, {"weight": weight})


class BCEWithLogitsLoss(_Loss):
    """BCELoss of sigmoid(input), without overflow.   input: logits;  target in [0, 1]."""

    function = "binary_cross_entropy_with_logits"

    def __init__(self, weight=None, reduction="mean", pos_weight=None):
        super().__init__(reduction, {"weight": weight, "pos_weight": pos_weight})


class KLDivLoss(_Loss):
    """target (log target - input), reduced.   input: log-probabilities;  target: probabilities, or (log_target) logs.

    reduction "batchmean", the sum divided by the batch size, is the divergence; "mean" divides by all elements.
    """

    function = "kl_div"

    def __init__(self, reduction="mean", log_target=False):
        super().__init__(reduction, log_target=log_target)
