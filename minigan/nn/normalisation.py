"""Normalisation layers: the functions of ops/norm.py with their weights, biases and running statistics.

BatchNorm1d, BatchNorm2d          over the batch         LayerNorm, RMSNorm    over a sample's last axes
InstanceNorm1d, InstanceNorm2d    over a sample          GroupNorm             over groups of a sample's channels
"""

import math

import numpy as np

from minigan.arguments import sizes
from minigan.errors import ShapeError
from minigan.nn import functional as F
from minigan.nn.module import Module, Parameter
from minigan.ops import group_norm, instance_norm, layer_norm, mean, var
from minigan.tensor import Tensor, plain


def _ones_and_zeros(module, shape, weight=True, bias=True):
    """Give the module weight 1 and bias 0 of this shape, or None instead."""
    module.weight = Parameter(np.ones(shape, np.float32)) if weight else None
    module.bias = Parameter(np.zeros(shape, np.float32)) if bias else None


class _Running(Module):
    """The common part of batch and instance norm: weight and bias per channel, running mean and variance, and their repr."""

    axes: tuple[int, ...] = ()

    def __init__(self, num_features, eps, momentum, affine, track_running_stats):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        _ones_and_zeros(self, num_features, affine, affine)
        tracked = track_running_stats
        self.register_buffer("running_mean", Tensor(np.zeros(num_features, np.float32)) if tracked else None)
        self.register_buffer("running_var", Tensor(np.ones(num_features, np.float32)) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(np.zeros((), np.int64)) if tracked else None)

    def _check(self, x):
        if x.ndim not in self.axes:
            known = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)"}
            shapes = " or ".join(known[n] for n in self.axes)
            raise ShapeError(f"{type(self).__name__}: x is {x.shape}, but must be {shapes}")
        if x.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: x {x.shape} has {x.shape[1]} channels, but num_features is {self.num_features}"
            )

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def _batches(self) -> int:
        """num_batches_tracked; it is read only after a change from outside, because a read from a GPU makes the CPU wait."""
        time, count = self.__dict__.get("_counted", (None, 0))
        if self.momentum is None and self.num_batches_tracked.changed[0] != time:
            count = int(self.num_batches_tracked)
        return count

    def forward(self, x) -> Tensor:
        """x, normalised: in training with this batch's statistics, in evaluation with the running ones."""
        self._check(x)
        tracked, momentum = self.track_running_stats, self.momentum
        if tracked and self.training:
            count = self._batches()
            self.num_batches_tracked.data += 1
            self.num_batches_tracked.touch()
            self._counted = self.num_batches_tracked.changed[0], count + 1
            momentum = 1 / (count + 1) if momentum is None else momentum
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training or not tracked, momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, per feature over the batch.   x (N, C) or (N, C, L).

    In training, mean and var are the batch's, and the running ones move by `momentum` towards them (None: they become
    the average of all batches).  In evaluation the running ones are used.  torch.nn.BatchNorm1d; Ioffe and Szegedy 2015.
    Keras' momentum is 1 minus this one.
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """BatchNorm1d for images: per channel, over the batch and all pixels.   x (N, C, H, W).   torch.nn.BatchNorm2d.

    >>> norm = nn.BatchNorm2d(8)
    >>> y = norm(mg.tensor(np.random.default_rng(0).normal(5, 2, (64, 8, 4, 4)).astype("float32")))
    >>> round(float(y.mean()), 4) == 0, round(float(y.std()), 2)
    (True, 1.0)
    """

    axes = (4,)


class _InstanceNorm(_Running):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False):
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x) -> Tensor:
        """x, normalised with its own statistics; with track_running_stats, in evaluation with the running ones."""
        self._check(x)
        if self.track_running_stats and not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        y = instance_norm(x, self.weight, self.bias, self.eps)
        if self.track_running_stats:
            momentum, array = self.momentum, plain(x)
            pixels, axes = math.prod(array.shape[2:]), tuple(range(2, array.ndim))
            for running, batch in (
                (self.running_mean, mean(array, axes)),
                (self.running_var, var(array, axes) * (pixels / (pixels - 1))),
            ):
                running.data[...] = (1 - momentum) * running.data + momentum * mean(batch, 0)
                running.touch()
        return y


class InstanceNorm1d(_InstanceNorm):
    """Gives each channel of each sample mean 0 and variance 1.   x (N, C, L).   Ulyanov et al. 2016.

    affine: learn a weight and a bias per channel.  track_running_stats: in evaluation use running averages instead of the
    sample's own mean and variance (num_batches_tracked stays 0, as in torch).  torch.nn.InstanceNorm1d.

    >>> nn.InstanceNorm1d(6)(mg.ones((2, 6, 4))).shape
    (2, 6, 4)
    """

    axes = (3,)


class InstanceNorm2d(_InstanceNorm):
    """InstanceNorm1d for images: per channel of each image.   x (N, C, H, W).   torch.nn.InstanceNorm2d.

    >>> nn.InstanceNorm2d(6)(mg.ones((2, 6, 4, 4))).shape
    (2, 6, 4, 4)
    """

    axes = (4,)


class LayerNorm(Module):
    """Gives each sample mean 0 and variance 1 over its last axes, of sizes normalized_shape (an int: one axis).

    weight, bias: of shape normalized_shape, learned if elementwise_affine.   torch.nn.LayerNorm; Ba et al. 2016.

    >>> nn.LayerNorm(6)(mg.ones((2, 6))).shape
    (2, 6)
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True):
        super().__init__()
        self.normalized_shape = sizes("LayerNorm", "normalized_shape", normalized_shape, 0)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        _ones_and_zeros(self, self.normalized_shape, elementwise_affine, elementwise_affine and bias)

    def forward(self, x) -> Tensor:
        """x (..., *normalized_shape), normalised, with the same shape."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """y = x / sqrt(mean x^2 + eps) * weight over the last axes, of sizes normalized_shape (an int: one axis).

    eps None: the distance from 1 to the next number of x's dtype.   torch.nn.RMSNorm; Zhang and Sennrich 2019.
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        super().__init__()
        self.normalized_shape = sizes("RMSNorm", "normalized_shape", normalized_shape, 0)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape, np.float32)) if elementwise_affine else None

    def forward(self, x) -> Tensor:
        """x (..., *normalized_shape), with mean square 1 times weight."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """The channels form num_groups groups; each group of each sample gets mean 0 and variance 1.   Wu and He 2018.

    x (N, num_channels, ...);  weight, bias (num_channels,), learned if affine.   torch.nn.GroupNorm.

    >>> nn.GroupNorm(3, 6)(mg.ones((2, 6, 4, 4))).shape
    (2, 6, 4, 4)
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True):
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ShapeError(f"GroupNorm: num_groups={num_groups} does not divide num_channels={num_channels}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        _ones_and_zeros(self, num_channels, affine, affine)

    def forward(self, x) -> Tensor:
        """x, normalised, with the same shape."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ShapeError(f"GroupNorm: x is {x.shape}, but must be (N, {self.num_channels}, ...)")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
