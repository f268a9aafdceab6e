"""Losses: one number for how far an output is from its target, in formulas that neither overflow nor lose digits.

mse_loss l1_loss smooth_l1_loss huber_loss               distances between numbers
cross_entropy nll_loss                                   classes, from logits or from log probabilities
binary_cross_entropy_with_logits binary_cross_entropy    yes or no, from logits (take this one) or from probabilities
kl_div gaussian_nll_loss poisson_nll_loss                distributions
hinge_embedding_loss cosine_embedding_loss               pairs that should be near, or far
triplet_margin_loss                                      which of two is nearer
cosine_similarity pairwise_distance                      what the last two use

Names, argument order, defaults and values are those of torch.nn.functional.  For all losses: input is floats of any shape;
reduction is "mean" (over all elements), "sum" or "none"; ConfigError for another reduction, DTypeError if the dtypes
differ.  Unlike torch, a target that has not the input's shape raises ShapeError: (N, 1) with (N,) would broadcast to N x N
differences, and the net would train on nonsense.  The objectives of GANs are in train/objectives.py.
"""

import math
from typing import Any

import numpy as np

from minigan.autograd import fused, primitive
from minigan.backend import beside, is_array, new_array, xp
from minigan.errors import ConfigError, DTypeError, OutOfBoundsError, ShapeError
from minigan.kernels import dispatch
from minigan.ops.elementwise import abs, clip, exp, log, maximum, minimum, softplus, sqrt, square, where
from minigan.ops.index import known_classes, take_along_axis
from minigan.ops.reduce import log_softmax, mean, norm, sum
from minigan.ops.shape import expand_dims, squeeze
from minigan.tensor import Tensor, plain
from minigan.watch import looking


def _reduced(op, loss, reduction):
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction == "none":
        return loss
    raise ConfigError(f"{op}: reduction is 'mean', 'sum' or 'none', not {reduction!r}")


def _as_floats(op, x, like, name="target") -> Any:
    """x, which may be a list, as floats.  ShapeError unless it has the shape of `like`."""
    x = x if isinstance(x, Tensor) or is_array(x) else beside(new_array(x, like.dtype), plain(like))
    if tuple(x.shape) != tuple(like.shape):
        raise ShapeError(
            f"{op}: input is {like.shape} and {name} {x.shape}; they must be equal, nothing is broadcast; "
            f"{name}.reshape(...) or input.reshape(...) first"
        )
    return x


# ----------------------------------------------------------------------------------------------------- distances ---


def mse_loss(input, target, reduction="mean") -> Tensor:
    """(input - target)^2, averaged.   input and target have one shape.

    >>> float(mg.ops.mse_loss([1.0, 2.0], [1.0, 4.0]))
    2.0
    """
    return _reduced("mse_loss", square(input - _as_floats("mse_loss", target, input)), reduction)


def l1_loss(input, target, reduction="mean") -> Tensor:
    """|input - target|, averaged.   The derivative is 0 where they are equal.

    >>> float(mg.ops.l1_loss([1.0, 2.0], [1.0, 4.0]))
    1.0
    """
    return _reduced("l1_loss", abs(input - _as_floats("l1_loss", target, input)), reduction)


def huber_loss(input, target, reduction="mean", delta=1.0) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = input - target; averaged.   Huber 1964.

    It is computed as q (d - q / 2) with q = d clipped to +-delta, which covers both cases and cannot overflow.

    >>> mg.ops.huber_loss([0.0, 0.0], [0.5, 10.0], reduction="none").tolist()
    [0.125, 9.5]
    """
    if not delta > 0:
        raise ConfigError(f"huber_loss: delta must be > 0, got {delta}")
    return _reduced("huber_loss", _huber(input - _as_floats("huber_loss", target, input), delta), reduction)


def smooth_l1_loss(input, target, reduction="mean", beta=1.0) -> Tensor:
    """huber_loss / beta: d^2 / (2 beta) where |d| <= beta, else |d| - beta / 2; l1_loss for beta 0.   Girshick 2015.

    >>> float(mg.ops.smooth_l1_loss([0.0], [10.0]))
    9.5
    """
    if not beta >= 0:
        raise ConfigError(f"smooth_l1_loss: beta must be >= 0, got {beta}")
    d = input - _as_floats("smooth_l1_loss", target, input)
    return _reduced("smooth_l1_loss", _huber(d, beta) * (1 / beta) if beta else abs(d), reduction)


def _huber(d, delta):
    q = clip(d, -delta, delta)
    return q * (d - 0.5 * q)


# ------------------------------------------------------------------------------------------------------- classes ---


def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0) -> Tensor:
    """-log softmax(input)[target]: the surprise at the true class.

    input (N, C), (N, C, d1, ...) or (C,): logits, with the classes on axis 1 (or on the only axis).
    target: class numbers 0 .. C-1, of input's shape without the class axis; or floats of input's shape, a probability
    per class: the loss is then -(the sum of target * log softmax(input) over the classes), and target gets derivatives.
    weight (C,): a factor per class, constant.  "mean" divides by the number of targets, or by the sum of their weights;
    with probabilities always by the number.  ignore_index: this class number costs nothing and does not count; if all
    targets are ignored, the "mean" is NaN.
    label_smoothing e: the target becomes (1 - e) target + e / C.   Szegedy et al. 2016, section 7.
    OutOfBoundsError for a class that does not exist.

    >>> round(float(mg.ops.cross_entropy(np.zeros((1, 10)), [3])), 4)  # log 10: each class is as likely
    2.3026
    """
    if not 0 <= label_smoothing <= 1:
        raise ConfigError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}")
    axis = _class_axis("cross_entropy", input)
    labels = plain(target)
    if is_array(labels) and labels.dtype.kind == "f":
        target = _as_floats("cross_entropy", target, input)
        if ignore_index >= 0:
            raise ConfigError(
                f"cross_entropy: ignore_index={ignore_index} is for class numbers, and target is probabilities; "
                f"leave it out, or give such rows the probability 0"
            )
        if label_smoothing:
            target = target * (1 - label_smoothing) + label_smoothing / input.shape[axis]
        if weight is not None:
            target = target * _per_class("cross_entropy", weight, input, axis)
        return _reduced("cross_entropy", -sum(target * log_softmax(input, axis), axis), reduction)
    return _class_loss("cross_entropy", input, target, weight, ignore_index, reduction, label_smoothing)


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean") -> Tensor:
    """-input[target]: cross_entropy of log probabilities, such as log_softmax gives.   For the arguments see cross_entropy.

    >>> round(float(mg.ops.nll_loss(mg.log_softmax(np.zeros((1, 10)), axis=1), [3])), 4)
    2.3026
    """
    return _class_loss("nll_loss", input, target, weight, ignore_index, reduction, 0.0)


def _class_axis(op, input):
    if input.ndim == 0 or input.shape[min(1, input.ndim - 1)] == 0:
        raise ShapeError(f"{op}: input is (N, C), (N, C, d1, ...) or (C,) with C >= 1 classes, got {input.shape}")
    return min(1, input.ndim - 1)


def _per_class(op, weight, input, axis):
    """The weights of the classes as a constant array that broadcasts against input."""
    weight = (
        plain(weight)
        if isinstance(weight, Tensor)
        else beside(weight if is_array(weight) else new_array(weight, input.dtype), plain(input))
    )
    if weight.shape != (input.shape[axis],):
        raise ShapeError(
            f"{op}: weight is {weight.shape}, need ({input.shape[axis]},), one for each class of input {input.shape}"
        )
    if weight.dtype != input.dtype:
        raise DTypeError(f"{op}: weight is {weight.dtype}, but input {input.dtype}; convert it with .astype(...)")
    return weight.reshape(-1, *[1] * (input.ndim - axis - 1))


def _softmax_backward(g, needed, slope, x, *, labels):
    return (xp(g).expand_dims(g, min(1, x.ndim - 1)) * slope,)


def _softmax_composition(x, *, labels):
    axis = min(1, x.ndim - 1)
    return _picked(log_softmax(x, axis), labels, axis)


def _softmax_forward(x, *, labels):
    return dispatch.softmax_loss(x, labels)


_softmax_forward.__name__ = "softmax_loss"
_softmax_loss = fused(_softmax_forward, _softmax_backward, _softmax_composition)  # it is used on a GPU only


def _picked(log_p, labels, axis):
    return -squeeze(take_along_axis(log_p, xp(labels).expand_dims(labels, axis), axis), axis)


def _check_classes(op, labels, classes, shape, ignore_index):
    if isinstance(labels, np.ndarray) and labels.size and not 0 <= labels.min() <= labels.max() < classes:
        bad = int(labels.min() if labels.min() < 0 else labels.max())
        raise OutOfBoundsError(
            f"{op}: target {bad} is not a class: input {shape} has the classes 0 .. "
            f"{classes - 1} (and ignore_index is {ignore_index})"
        )


def _class_loss(op, input, target, weight, ignore_index, reduction, smoothing):
    axis = _class_axis(op, input)
    fuse = op == "cross_entropy" and not smoothing and not isinstance(plain(input), np.ndarray)
    log_p = log_softmax(input, axis) if op == "cross_entropy" and not fuse else input
    classes = log_p.shape[axis]
    labels = plain(target)
    labels = labels if is_array(labels) else np.asarray(labels)
    expected = (*log_p.shape[:axis], *log_p.shape[axis + 1 :])
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{op}: class numbers must be integers, got {labels.dtype}; use .astype('int64')")
    if labels.shape != expected:
        raise ShapeError(
            f"{op}: input {log_p.shape} has {classes} classes on axis {axis}, so target must be {expected}, got {labels.shape}"
        )
    counted = labels != ignore_index
    labels = xp(labels).where(counted, labels, 0)
    looking(_check_classes, op, labels, classes, log_p.shape, ignore_index)
    known, labels = known_classes(labels, classes, plain(log_p))
    counted, m = beside(counted, plain(log_p)), xp(labels)
    loss = _softmax_loss(input, labels=labels) if fuse else _picked(log_p, labels, axis)
    loss = loss if known is None else where(known, loss, math.nan)
    share = counted.astype(log_p.dtype)  # the share of each target in the mean: its weight, or 0 if it is ignored
    if weight is None:
        smooth = -sum(log_p, axis) if smoothing else None
    else:
        per_class = _per_class(op, weight, log_p, axis)
        share = share * per_class.reshape(-1)[labels]
        loss = loss * share
        smooth = -sum(log_p * per_class, axis) if smoothing else None
    if smoothing:
        loss = loss * (1 - smoothing) + smooth * (smoothing / classes)
    loss = where(counted, loss, 0.0)
    if reduction == "mean":
        total = share.sum()
        return sum(loss) * m.where(total == 0, math.nan, 1 / m.where(total == 0, 1, total)).astype(log_p.dtype)
    return _reduced(op, loss, reduction)


# ----------------------------------------------------------------------------------------------------- yes or no ---


def _logits_backward(g, needed, kept, a, t):
    return (dispatch.logits_loss_gradient(g, kept, a, t) if needed[0] else None), (-(g * a) if needed[1] else None)


def _logits_forward(a, t):
    return dispatch.logits_loss(a, t)


_logits_forward.__name__ = "binary_cross_entropy_with_logits"
_logits_loss = fused(_logits_forward, _logits_backward, lambda a, t: softplus(a) - a * t)


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None) -> Tensor:
    """-t log s - (1 - t) log(1 - s) with s = sigmoid(a), for logits a = input and t = target in [0, 1].

    It is computed as max(a, 0) - a t + log(1 + e^-|a|), which is exact at any logit; log(sigmoid(a)) can be -inf.
    The derivative is sigmoid(a) - t, so its size is never above 1.   input and target have one shape.  The constants broadcast
    to it: weight, a factor per element, and pos_weight, a factor on t's term: above 1, a missed "yes" costs more than a
    false one.

    >>> round(float(mg.ops.binary_cross_entropy_with_logits([0.0], [1.0])), 4)  # log 2
    0.6931
    """
    op = "binary_cross_entropy_with_logits"
    target = _as_floats(op, target, input)
    if pos_weight is None:
        loss = _logits_loss(input, target)
    else:
        loss = target * _factor(op, "pos_weight", pos_weight, input) * softplus(-input) + (1 - target) * softplus(input)
    return _reduced(op, loss if weight is None else loss * _factor(op, "weight", weight, input), reduction)


def _factor(op, name, factor, input):
    """A constant factor that broadcasts to the input's shape."""
    factor = (
        plain(factor)
        if isinstance(factor, Tensor)
        else beside(factor if is_array(factor) else new_array(factor, input.dtype), plain(input))
    )
    shape = (1,) * (input.ndim - factor.ndim) + factor.shape
    if len(shape) != input.ndim or any(m not in (n, 1) for m, n in zip(shape, input.shape)):
        raise ShapeError(f"{op}: {name} {factor.shape} does not broadcast to input {input.shape}")
    return factor


def _log_forward(x):
    m = xp(x)
    return m.maximum(m.log(m.maximum(x, 1e-44)), -100)  # because log(0) would warn; every float below e^-100 gives -100


def _log_rest_forward(p):
    m = xp(p)
    return m.maximum(m.where(p < 1, m.log1p(-m.where(p < 1, p, 0)), -100), -100)  # log(1 - p), exact for small p


_log_above = primitive(_log_forward, lambda g, y, x: g / maximum(x, 1e-12), name="log_above", saves="inputs")
_log_rest = primitive(_log_rest_forward, lambda g, y, p: -(g / maximum(1 - p, 1e-12)), name="log_rest", saves="inputs")


def _probability_forward(p, t):
    return -(t * _log_forward(p) + (1 - t) * _log_rest_forward(p))


_probability_loss = primitive(
    _probability_forward,
    lambda g, y, p, t: g * ((p - t) / maximum(p * (1 - p), 1e-12)),
    lambda g, y, p, t: g * (_log_rest(p) - _log_above(p)),
    name="binary_cross_entropy",
    saves="inputs",
)


def _check_probabilities(p):
    if isinstance(p, np.ndarray) and p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ConfigError(
            f"binary_cross_entropy: input must be probabilities in [0, 1], got {p.min()} .. {p.max()}; "
            f"for logits use binary_cross_entropy_with_logits"
        )


def binary_cross_entropy(input, target, weight=None, reduction="mean") -> Tensor:
    """-t log p - (1 - t) log(1 - p), for probabilities p = input in [0, 1] and t = target.

    As in torch, both logarithms are at least -100, and the denominator of the derivative (p - t) / (p (1 - p)) is at least
    1e-12.  So a p that is certain and wrong costs 100, not inf.  binary_cross_entropy_with_logits needs neither bound.
    weight: a factor per element, which broadcasts to input's shape.   ConfigError for p outside [0, 1].

    >>> round(float(mg.ops.binary_cross_entropy([0.5], [1.0])), 4)
    0.6931
    """
    target = _as_floats("binary_cross_entropy", target, input)
    looking(_check_probabilities, plain(input))
    loss = _probability_loss(input, target)
    if weight is not None:
        loss = loss * _factor("binary_cross_entropy", "weight", weight, input)
    return _reduced("binary_cross_entropy", loss, reduction)


# ------------------------------------------------------------------------------------------------- distributions ---


def kl_div(input, target, reduction="mean", log_target=False) -> Tensor:
    """t (log t - input) for log probabilities `input` and probabilities t = target: KL(target || e^input), per element.

    log_target: target holds log t.   0 log 0 is 0, with derivative 0.   reduction may also be "batchmean": the sum divided by
    input.shape[0], which is the divergence; "mean" divides by the number of all elements, as torch does.

    >>> float(mg.ops.kl_div(mg.log_softmax([0.0, 0.0]), [0.5, 0.5], reduction="sum"))
    0.0
    """
    target = _as_floats("kl_div", target, input)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        loss = target * (log(where(plain(target) == 0, 1.0, target)) - input)
    if reduction == "batchmean":
        return sum(loss) * (1 / input.shape[0])
    return _reduced("kl_div", loss, reduction)


def _check_variance(v):
    if isinstance(v, np.ndarray) and v.size and not v.min() >= 0:
        raise ConfigError(f"gaussian_nll_loss: var must be >= 0, its least is {v.min()}; pass a variance, such as exp(log_var)")


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean") -> Tensor:
    """(log v + (input - target)^2 / v) / 2 with v = max(var, eps): the surprise of a normal distribution at target.

    full: log(2 pi) / 2 is added.   Nix and Weigend 1994.  var: has input's shape, or input's shape without its last axis, or
    with size 1 there (one variance for all), or is a number.  As in torch, the bound eps is not differentiated: a var below eps
    gets the derivative at eps.   ConfigError for a negative variance.

    >>> float(mg.ops.gaussian_nll_loss([0.0], [1.0], [1.0]))
    0.5
    """
    target = _as_floats("gaussian_nll_loss", target, input)
    if not eps > 0:
        raise ConfigError(f"gaussian_nll_loss: eps must be > 0, got {eps}; no smaller variance is used as a divisor")
    if isinstance(var, (int, float)):
        var = xp(plain(input)).full(input.shape, var, input.dtype)
    if tuple(var.shape) == tuple(input.shape[:-1]) != tuple(input.shape):
        var = expand_dims(var, -1)
    if tuple(var.shape[:-1]) != tuple(input.shape[:-1]) or var.shape[-1:] not in (tuple(input.shape[-1:]), (1,)):
        raise ShapeError(
            f"gaussian_nll_loss: var is {var.shape}, input {input.shape}; need input's shape, or that "
            f"without the last axis, or with size 1 there"
        )
    v = plain(var)
    looking(_check_variance, v)
    var = var + (xp(v).maximum(v, eps) - v)
    loss = 0.5 * (log(var) + square(input - target) / var)
    return _reduced("gaussian_nll_loss", loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def poisson_nll_loss(input, target, log_input=True, full=False, eps=1e-8, reduction="mean") -> Tensor:
    """rate - target log rate, averaged: the surprise at the counts `target` of a Poisson distribution, without log target!.

    input: log rate, or the rate (log_input=False; eps is added to it in the logarithm).  full: Stirling's approximation of
    log target! is added where target > 1.   torch.nn.functional.poisson_nll_loss.

    >>> float(mg.poisson_nll_loss(mg.tensor([0.0]), mg.tensor([1.0])))
    1.0
    """
    target = _as_floats("poisson_nll_loss", target, input)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        t = plain(target)
        large = t > 1
        t = xp(t).where(large, t, 1)
        loss = loss + large * (t * xp(t).log(t) - t + 0.5 * xp(t).log(2 * math.pi * t))
    return _reduced("poisson_nll_loss", loss, reduction)


# --------------------------------------------------------------------------------------------- pairs and triplets ---


def cosine_similarity(x1, x2, dim=1, eps=1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along dim; the other axes broadcast.

    >>> float(mg.cosine_similarity(mg.tensor([1.0, 0.0]), mg.tensor([2.0, 0.0]), 0))
    1.0
    """
    length = lambda x: maximum(norm(x, dim, True), eps)
    return sum((x1 / length(x1)) * (x2 / length(x2)), dim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False) -> Tensor:
    """|x1 - x2 + eps|_p along the last axis.   eps keeps the derivative finite where they are equal.

    >>> round(float(mg.pairwise_distance(mg.tensor([0.0, 0.0]), mg.tensor([3.0, 4.0]))), 4)
    5.0
    """
    return norm(x1 - x2 + eps, -1, keepdim, p)


def hinge_embedding_loss(input, target, margin=1.0, reduction="mean") -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1, averaged.   input: distances of pairs.   Hadsell et al.
    2006.

    >>> mg.hinge_embedding_loss(mg.tensor([0.5, 0.5]), [1, -1], reduction="none").tolist()
    [0.5, 0.5]
    """
    target = plain(_as_floats("hinge_embedding_loss", target, input))
    loss = where(target != 1, maximum(margin - input, 0.0), 0.0) + where(target != -1, input, 0.0)
    return _reduced("hinge_embedding_loss", loss, reduction)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean") -> Tensor:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1, averaged; cos: of the angle between input1 and input2.

    input1, input2 (N, D), target (N,); or (D,) and ().   torch.nn.functional.cosine_embedding_loss.

    >>> float(mg.cosine_embedding_loss(mg.tensor([[1.0, 0.0]]), mg.tensor([[0.0, 1.0]]), np.array([1])))
    1.0
    """
    _as_floats("cosine_embedding_loss", input2, input1, "input2")
    target = plain(target)
    if input1.ndim not in (1, 2) or np.shape(target) != tuple(input1.shape[:-1]):
        raise ShapeError(
            f"cosine_embedding_loss: needs inputs (N, D) and target (N,), got {input1.shape} and {np.shape(target)}"
        )
    square_of = lambda x: sum(square(x), -1) + 1e-12
    cosine = sum(input1 * input2, -1) / sqrt(square_of(input1) * square_of(input2))
    loss = where(target == 1, 1 - cosine, 0.0) + where(target == -1, maximum(cosine - margin, 0.0), 0.0)
    return _reduced("cosine_embedding_loss", loss, reduction)


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean") -> Tensor:
    """max(0, |anchor - positive|_p - |anchor - negative|_p + margin), averaged.   (N, D) each, or (D,).   Schroff et al. 2015.

    swap: the distance of positive and negative counts if it is smaller than that of anchor and negative.

    >>> a, near, far = mg.tensor([0.0]), mg.tensor([1.0]), mg.tensor([3.0])
    >>> float(mg.triplet_margin_loss(a, near, far, eps=0.0))
    0.0
    """
    for name, x in (("positive", positive), ("negative", negative)):
        _as_floats("triplet_margin_loss", x, anchor, name)
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return _reduced("triplet_margin_loss", maximum(near - far + margin, 0.0), reduction)
