"""torch.nn.functional's functions, with its names and its arguments in its order (`dim` where NumPy has `axis`).

Most are ops without a change; the functions written here differ from the op in a name or in an argument.  We left out
arguments that torch has deprecated (size_average, reduce), and `inplace`, because no op changes its input.
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from functools import wraps as _wraps
from inspect import signature as _signature
from typing import Any as _Any

from minigan import ops
from minigan.arguments import public as _public, sizes as _sizes
from minigan.errors import ConfigError, ShapeError
from minigan.ops import (
    adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, batch_norm, binary_cross_entropy,
    binary_cross_entropy_with_logits, conv1d, conv2d, conv_transpose1d, conv_transpose2d, cosine_embedding_loss,
    cosine_similarity, cross_entropy, elu, embedding, fold, gaussian_nll_loss, gelu, group_norm, hinge_embedding_loss,
    huber_loss, interpolate, kl_div, l1_loss, layer_norm, leaky_relu, linear, max_pool1d, max_pool2d, max_unpool2d, mse_loss,
    nll_loss, one_hot, pairwise_distance, pixel_shuffle, pixel_unshuffle, poisson_nll_loss, relu, rms_norm,
    scaled_dot_product_attention, sigmoid, silu, smooth_l1_loss, tanh, triplet_margin_loss, unfold)
from minigan.ops.noise import dropout, dropout2d
from minigan.ops.shape import axis_of as _axis_of
from minigan.tensor import plain

__all__ = [
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool1d", "avg_pool2d", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "cosine_embedding_loss",
    "cosine_similarity", "cross_entropy", "dropout", "dropout2d", "elu", "embedding", "fold", "gaussian_nll_loss", "gelu",
    "glu", "group_norm", "hardtanh", "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div",
    "l1_loss", "layer_norm", "leaky_relu", "linear", "log_softmax", "logsigmoid", "max_pool1d", "max_pool2d", "max_unpool2d",
    "mish", "mse_loss", "nll_loss", "normalize", "one_hot", "pad", "pairwise_distance", "pixel_shuffle", "pixel_unshuffle",
    "poisson_nll_loss", "relu", "rms_norm", "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss",
    "softmax", "softplus", "tanh", "triplet_margin_loss", "unfold"]


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


def glu(input, dim=-1):
    """a sigmoid(b), where a and b are the halves of input along dim.   Dauphin et al. 2017."""
    dim = _axis_of("glu", dim, input.ndim)
    if input.shape[dim] % 2:
        raise ShapeError(f"glu: axis {dim} of {input.shape} has no two halves")
    a, b = ops.split(input, 2, dim)
    return a * ops.sigmoid(b)


def hardtanh(input, min_val=-1.0, max_val=1.0):
    """input limited to [min_val, max_val].   The derivative is 1 strictly between them, as in torch; mg.clip has 1 on them,
    too.
    """
    if not min_val < max_val:
        raise ConfigError(f"hardtanh: needs min_val < max_val, got {min_val} and {max_val}")
    array = plain(input)
    return ops.where(array <= min_val, min_val, ops.where(array >= max_val, max_val, input))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805    # Klambauer et al. 2017, equation 14


def selu(input):
    """scale * elu(input, alpha), with the constants that keep mean 0 and variance 1.   Klambauer et al. 2017."""
    return ops.elu(input, SELU_ALPHA) * SELU_SCALE


def mish(input):
    """input tanh(softplus(input)).   Misra 2020."""
    return input * ops.tanh(ops.softplus(input))


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
    """input / max(|input|_p along dim, eps).   The gradient is finite at length 0."""
    if not eps > 0:
        raise ConfigError(f"normalize: eps must be > 0, got {eps}; it prevents a division by a length of 0")
    return input / ops.maximum(ops.norm(input, dim, True, p), eps)


# --------------------------------------------------------------------------------------------------------- padding ---


def pad(input, pad, mode="constant", value=0.0):
    """input with more elements around it.   pad = (left, right, top, bottom, ...): pairs, the *last* axis first.

    mode: "constant" (fills with value), "reflect" (mirrors without repeating the border), "replicate" (repeats the border) or
    "circular" (goes on at the other end).  Negative numbers cut elements off.   mg.pad takes NumPy's widths, first axis
    first.   ShapeError if pad is not pairs.
    """
    widths = _sizes("pad", "pad", pad)
    if len(widths) % 2 or len(widths) > 2 * input.ndim:
        raise ShapeError(f"pad: pad={pad} must be pairs of ints for at most the {input.ndim} axes of {input.shape}, "
                         f"last axis first")
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if mode not in modes:
        raise ConfigError(f"pad: mode is {', '.join(map(repr, modes))}, not {mode!r}")
    pairs = [(0, 0)] * (input.ndim - len(widths) // 2) + list(zip(widths[::2], widths[1::2]))[::-1]
    for axis, (n, (before, after)) in enumerate(zip(input.shape, pairs)):
        if before + after + n < 0 or min(before, after) < -n:
            raise ShapeError(f"pad: ({before}, {after}) cuts more than there is on axis {axis} of {input.shape}")
    if any(n < 0 for pair in pairs for n in pair):
        input = input[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, pairs))]
    pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    return ops.pad(input, pairs, modes[mode], 0.0 if value is None else value)


# As in ops/__init__.py, users call versions that check their arguments if a call fails.
for _f in (softplus, logsigmoid, glu, hardtanh, selu, mish, softmax, log_softmax, instance_norm, normalize, dropout, dropout2d):
    globals()[_f.__name__] = _public(_f)
pad = _public(pad, moves=True)


def _named_as_in_torch(op):
    """The op, with `input` as the name of its first argument, which is x (or indices) in minigan's own ops."""
    asked = _signature(op)
    first, *rest = asked.parameters.values()

    @_wraps(op)
    def renamed(input, *args, **params):
        return op(input, *args, **params)

    call: _Any = renamed
    call.__qualname__ = op.__name__
    call.__signature__ = asked.replace(parameters=[first.replace(name="input"), *rest])
    return call


for _name in __all__:
    if next(iter(_signature(globals()[_name]).parameters)) in ("x", "indices"):
        globals()[_name] = _named_as_in_torch(globals()[_name])
