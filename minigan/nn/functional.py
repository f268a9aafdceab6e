"""torch.nn.functional's functions, with its names and its arguments in its order (`dim` where NumPy has `axis`).

Most are ops without a change; the functions written here differ from the op in a name or in an argument.  We left out
arguments that torch has deprecated (size_average, reduce), and `inplace`, because no op changes its input.
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from minigan import ops
from minigan.arguments import public as _public, sizes as _sizes
from minigan.errors import ConfigError, ShapeError
from minigan.ops import (
    adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, batch_norm, binary_cross_entropy,
    binary_cross_entropy_with_logits, conv1d, conv2d, conv_transpose2d, cross_entropy, elu, embedding, fold,
    gaussian_nll_loss, gelu, group_norm, huber_loss, interpolate, kl_div, l1_loss, layer_norm, leaky_relu, linear,
    max_pool1d, max_pool2d, mse_loss, nll_loss, one_hot, pixel_shuffle, pixel_unshuffle, relu, sigmoid, silu,
    smooth_l1_loss, tanh, unfold)
from minigan.ops.noise import dropout, dropout2d
from minigan.ops.shape import axis_of as _axis_of
from minigan.tensor import plain

__all__ = [
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool1d", "avg_pool2d", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "conv1d", "conv2d", "conv_transpose2d", "cross_entropy", "dropout", "dropout2d", "elu",
    "embedding", "fold", "gaussian_nll_loss", "gelu", "group_norm", "huber_loss", "instance_norm", "interpolate", "kl_div",
    "l1_loss", "layer_norm", "leaky_relu", "linear", "log_softmax", "logsigmoid", "max_pool1d", "max_pool2d", "mse_loss",
    "nll_loss", "normalize", "one_hot", "pad", "pixel_shuffle", "pixel_unshuffle", "relu", "sigmoid", "silu", "smooth_l1_loss",
    "softmax", "softplus", "tanh", "unfold"]


def __dir__():
    return __all__


# ----------------------------------------------------------------------------------------------------- activations ---


def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + e^(beta input)) / beta, but input itself where beta input > threshold."""
    if beta == 1:
        smooth = ops.softplus(input)
    else:
        smooth = ops.softplus(input * beta) * (1 / beta)
    return ops.where(plain(input) * beta > threshold, input, smooth)


def logsigmoid(input):
    """log(sigmoid(input)), computed as -log(1 + e^-input), which is finite even for a very negative input."""
    return -ops.softplus(-input)


def softmax(input, dim):
    """e^input / (the sum of e^input along dim, an int)."""
    return ops.softmax(input, _axis_of("softmax", dim, input.ndim))


def log_softmax(input, dim):
    """log(softmax(input, dim)), without overflow."""
    return ops.log_softmax(input, _axis_of("log_softmax", dim, input.ndim))


# ------------------------------------------------------------------------------------------------- normalisation ---


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """Normalised over the pixels of each channel of each sample; weight, bias (C,).   input (N, C, ...).

    ConfigError for running statistics, which torch's instance_norm can keep; here each instance uses its own.
    """
    if running_mean is not None or running_var is not None or not use_input_stats:
        raise ConfigError("instance_norm: running statistics are not kept; leave running_mean, running_var and "
                          "use_input_stats out, or use batch_norm")
    return ops.instance_norm(input, weight, bias, eps)


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """input / max(its Euclidean length along dim, eps).   p must be 2.   The gradient is finite at length 0."""
    if p != 2:
        raise ConfigError(f"normalize: p={p} is not supported, only 2 (Euclidean); divide by your own norm")
    if not eps > 0:
        raise ConfigError(f"normalize: eps must be > 0, got {eps}; it prevents a division by a length of 0")
    return input / ops.maximum(ops.norm(input, dim, True), eps)


# --------------------------------------------------------------------------------------------------------- padding ---


def pad(input, pad, mode="constant", value=0.0):
    """input with more elements around it.   pad = (left, right, top, bottom, ...): pairs, the *last* axis first.

    mode: "constant" (fills with value), "reflect" (mirrors without repeating the border) or "replicate" (repeats the border).
    Negative numbers cut elements off.   mg.pad takes NumPy's widths, first axis first.   ShapeError if pad is not pairs.
    """
    widths = _sizes("pad", "pad", pad)
    if len(widths) % 2 or len(widths) > 2 * input.ndim:
        raise ShapeError(f"pad: pad={pad} must be pairs of ints for at most the {input.ndim} axes of {input.shape}, "
                         f"last axis first")
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
    if mode not in modes:
        raise ConfigError(f"pad: mode is 'constant', 'reflect' or 'replicate', not {mode!r}")
    pairs = [(0, 0)] * (input.ndim - len(widths) // 2) + list(zip(widths[::2], widths[1::2]))[::-1]
    for axis, (n, (before, after)) in enumerate(zip(input.shape, pairs)):
        if before + after + n < 0 or min(before, after) < -n:
            raise ShapeError(f"pad: ({before}, {after}) cuts more than there is on axis {axis} of {input.shape}")
    if any(n < 0 for pair in pairs for n in pair):
        input = input[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, pairs))]
    pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    return ops.pad(input, pairs, modes[mode], 0.0 if value is None else value)


# As in ops/__init__.py, users call versions that check their arguments if a call fails.
for _f in (softplus, logsigmoid, softmax, log_softmax, instance_norm, normalize, dropout, dropout2d):
    globals()[_f.__name__] = _public(_f)
pad = _public(pad, moves=True)
