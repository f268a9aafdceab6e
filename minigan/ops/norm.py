"""Normalisation: shift and scale activations to mean 0 and variance 1 over some axes, then by learned numbers.

batch_norm    over the batch, per channel
layer_norm, rms_norm    over the last axes, per sample    instance_norm, group_norm    over pixels, per sample, channel(s)
batch_norm, layer_norm and group_norm are fused, because benchmarks/steps.py showed that it is worth it
"""

import math

import numpy as np

from minigan.arguments import sizes, whole
from minigan.autograd import fused
from minigan.errors import ConfigError, ShapeError
from minigan.kernels import dispatch
from minigan.kernels.cpu import norm
from minigan.ops.elementwise import sqrt, square
from minigan.ops.reduce import mean, var
from minigan.ops.shape import reshape
from minigan.tensor import Tensor, plain


def _standardised(op, x, axes, eps):
    _check_eps(op, eps)
    return (x - mean(x, axes, True)) / sqrt(var(x, axes, 0, True) + eps)


def _check_eps(op, eps):
    if not eps > 0:
        raise ConfigError(f"{op}: eps must be > 0, got {eps}; it prevents a division by 0 if all values are equal")


def _per_channel(p, ndim):
    return reshape(p, (1, -1) + (1,) * (ndim - 2))


def _check_channels(op, x, **parameters):
    """ShapeError unless every parameter has one number for each channel; a single number would be broadcast without a word."""
    for name, p in parameters.items():
        if p is not None and tuple(p.shape) != (x.shape[1],):
            raise ShapeError(f"{op}: {name} is {p.shape}, but x {x.shape} has {x.shape[1]} channels")


def _affine(y, weight, bias):
    y = y if weight is None else y * _per_channel(weight, y.ndim)
    return y if bias is None else y + _per_channel(bias, y.ndim)


def _batch_norm_composition(x, weight, bias, *, centered, inv_std, eps):
    axes = tuple(i for i in range(x.ndim) if i != 1)
    return _affine(_standardised("batch_norm", x, axes, eps), weight, bias)


def _batch_norm_forward(x, weight, bias, *, centered, inv_std, eps):
    return dispatch.batch_norm_forward(centered, inv_std, weight, bias, x.shape), None


def _batch_norm_backward(g, needed, kept, x, weight, bias, *, centered, inv_std, eps):
    gradients = dispatch.batch_norm_backward(g, centered, inv_std, weight)
    return [h if need else None for h, need in zip(gradients, needed)]


_batch_norm_forward.__name__ = "batch_norm"
_batch_norm = fused(_batch_norm_forward, _batch_norm_backward, _batch_norm_composition)


def batch_norm(
    x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
) -> Tensor:
    """y = (x - mean) / sqrt(var + eps) * weight + bias, with mean and variance per channel.   Ioffe and Szegedy 2015.

    x (N, C, ...), everything else (C,).  training: mean and the biased variance are those of this batch and all its
    pixels, and derivatives pass through them; running_mean and running_var (Tensors, changed in place) move by `momentum`
    towards this batch's mean and *unbiased* variance.  Otherwise the running mean and variance are used, as constants.
    torch.nn.functional.batch_norm; Keras' momentum is 1 minus this one.
    ShapeError for fewer than two axes, or training on one value per channel, whose variance is 0.

    >>> mg.ops.batch_norm([[1.0, 5.0], [3.0, 5.0]], training=True).round(3).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    if x.ndim < 2:
        raise ShapeError(f"batch_norm: x needs the axes (N, C, ...), got {x.shape}")
    _check_eps("batch_norm", eps)
    _check_channels("batch_norm", x, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    if not training:
        if running_mean is None or running_var is None:
            raise ShapeError("batch_norm: evaluation needs running_mean and running_var; pass them, or training=True")
        scale = 1 / sqrt(plain(running_var) + eps)
        scale = scale if weight is None else weight * scale
        shift = -plain(running_mean) * scale
        return _affine(x, scale, shift if bias is None else shift + bias)
    count = x.shape[0] * math.prod(x.shape[2:])
    if count < 2:
        raise ShapeError(
            f"batch_norm: training needs more than one value per channel, x is {x.shape}; use a larger batch, or module.eval()"
        )
    batch_mean, batch_var, centered = dispatch.batch_norm_moments(plain(x))
    inv_std = dispatch.batch_norm_follow(batch_mean, batch_var, plain(running_mean), plain(running_var), momentum, count, eps)
    for running in (running_mean, running_var):
        if running is not None:
            running.touch()
    return _batch_norm(x, weight, bias, centered=centered, inv_std=inv_std, eps=eps)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5) -> Tensor:
    """y = (x - mean) / sqrt(var + eps) * weight + bias over the last axes, of sizes normalized_shape.

    Ba, Kiros and Hinton 2016.   ShapeError unless weight and bias have the shape normalized_shape.

    >>> mg.ops.layer_norm([[1.0, 3.0]], (2,)).round(3).tolist()
    [[-1.0, 1.0]]
    """
    shape = sizes("layer_norm", "normalized_shape", normalized_shape, 0)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ShapeError(f"layer_norm: the last axes of x {x.shape} are not normalized_shape {shape}")
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and tuple(p.shape) != shape:
            raise ShapeError(f"layer_norm: {name} is {p.shape}, need normalized_shape {shape}")
    weight, bias = (None if p is None else reshape(p, (-1,)) for p in (weight, bias))
    rows = reshape(x, (math.prod(x.shape[: -len(shape)]), math.prod(shape)))
    return reshape(_normalised("layer_norm", rows, weight, bias, eps), x.shape)


def _normalised(op, rows, weight, bias, eps):
    """Every row of a matrix normalised, times weight, plus bias (one number for each column, or None)."""
    _check_eps(op, eps)
    same = rows.dtype.kind == "f" and all(p is None or p.dtype == rows.dtype for p in (weight, bias))
    if isinstance(plain(rows), np.ndarray) and rows.size and same:
        return _layer_norm(rows, weight, bias, eps=eps)
    return _layer_norm_composition(rows, weight, bias, eps=eps)


def _layer_norm_composition(x, weight, bias, *, eps):
    y = _standardised("layer_norm", x, 1, eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _layer_norm_forward(x, weight, bias, *, eps):
    y, unit, inv_std = norm.layer_norm(x, weight, bias, eps)
    return y, (unit, inv_std)


def _layer_norm_backward(g, needed, kept, x, weight, bias, *, eps):
    unit, inv_std = kept
    gradients = norm.layer_norm_gradient(g, unit, inv_std, weight)
    return [h if need else None for h, need in zip(gradients, needed)]


_layer_norm_forward.__name__ = "layer_norm"
_layer_norm = fused(_layer_norm_forward, _layer_norm_backward, _layer_norm_composition)


def rms_norm(x, normalized_shape, weight=None, eps=None) -> Tensor:
    """y = x / sqrt(mean x^2 + eps) * weight over the last axes, of sizes normalized_shape.   Zhang and Sennrich 2019.

    eps None: the distance from 1 to the next number of x's dtype.   ShapeError unless weight has the shape normalized_shape.

    >>> mg.rms_norm(mg.tensor([3.0, 3.0]), 2).round(3).tolist()
    [1.0, 1.0]
    """
    shape = sizes("rms_norm", "normalized_shape", normalized_shape, 0)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ShapeError(f"rms_norm: the last axes of x {x.shape} are not normalized_shape {shape}")
    if weight is not None and tuple(weight.shape) != shape:
        raise ShapeError(f"rms_norm: weight is {weight.shape}, need normalized_shape {shape}")
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    _check_eps("rms_norm", eps)
    y = x / sqrt(mean(square(x), tuple(range(x.ndim - len(shape), x.ndim)), True) + eps)
    return y if weight is None else y * weight


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5) -> Tensor:
    """Normalised over the pixels and channels of each of num_groups groups, per sample.   x (N, C, ...).

    Wu and He 2018.

    >>> mg.ops.group_norm(mg.ones((2, 6, 4, 4)), 3).shape
    (2, 6, 4, 4)
    """
    num_groups = whole("group_norm", "num_groups", num_groups)
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(f"group_norm: num_groups={num_groups} must divide the channels of x {x.shape} (N, C, ...)")
    _check_channels("group_norm", x, weight=weight, bias=bias)
    rows = reshape(x, (x.shape[0] * num_groups, math.prod(x.shape[1:]) // num_groups))
    y = _normalised("group_norm", rows, None, None, eps)
    return _affine(reshape(y, x.shape), weight, bias)


def instance_norm(x, weight=None, bias=None, eps=1e-5) -> Tensor:
    """Normalised over the pixels of each channel of each sample.   Ulyanov et al. 2016.   x (N, C, ...).

    >>> mg.ops.instance_norm(mg.ones((2, 6, 4, 4))).shape
    (2, 6, 4, 4)
    """
    if x.ndim < 3 or math.prod(x.shape[2:]) < 2:
        raise ShapeError(f"instance_norm: needs more than one value per channel and sample, x is {x.shape}")
    _check_channels("instance_norm", x, weight=weight, bias=bias)
    return _affine(_standardised("instance_norm", x, tuple(range(2, x.ndim)), eps), weight, bias)
