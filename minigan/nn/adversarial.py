"""Layers that were invented for GANs: MinibatchDiscrimination for D, VirtualBatchNorm (inside a VirtualBatch) for G."""

import numpy as np

from minigan.arguments import whole
from minigan.errors import ConfigError, ShapeError
from minigan.nn import init
from minigan.nn.module import Module, Parameter
from minigan.nn.normalisation import _ones_and_zeros
from minigan.ops import abs as absolute
from minigan.ops import concatenate, exp, matmul, mean, reshape, sqrt, square
from minigan.ops import sum as total
from minigan.tensor import Tensor


class MinibatchDiscrimination(Module):
    """x (N, in_features) -> (N, in_features + kernels): it adds to each sample how close the others of the batch are to it.

    M_i = x_i T, a matrix (kernels, kernel_size);   c_b(i, j) = exp(-|M_ib - M_jb|_1);   o_b(i) = sum over j != i of c_b(i, j).
    So D sees it if a generator makes the same sample again and again.   weight T (in_features, kernels, kernel_size) starts
    normal with standard deviation 1/sqrt(in_features).   Salimans et al. 2016, section 3.2.
    """

    def __init__(self, in_features: int, kernels: int = 32, kernel_size: int = 8):
        super().__init__()
        kernel_size = whole("MinibatchDiscrimination", "kernel_size", kernel_size, 1)
        self.in_features, self.kernels, self.kernel_size = in_features, kernels, kernel_size
        self.weight = Parameter(np.empty((in_features, kernels, kernel_size), np.float32))
        init.normal_(self.weight, 0.0, in_features**-0.5)

    def forward(self, x) -> Tensor:
        """x with the closeness features after its own."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ShapeError(f"MinibatchDiscrimination: x must be (N, {self.in_features}), got {x.shape}")
        n, b, c = len(x), self.kernels, self.kernel_size
        m = reshape(matmul(x, reshape(self.weight, (self.in_features, b * c))).T, (b, c, n))
        # We add one of the c numbers at a time to (b, n, n): twice as fast as a sum over (b, c, n, n), and c times less memory.
        apart = sum(absolute(m[:, i, :, None] - m[:, i, None, :]) for i in range(c))
        return concatenate([x, total(exp(-apart), axis=2).T - 1], axis=1)  # - 1: the sample itself

    def extra_repr(self):
        return f"{self.in_features}, kernels={self.kernels}, kernel_size={self.kernel_size}"


class VirtualBatchNorm(Module):
    """y = weight (x - mu) / sqrt(var + eps) + bias with statistics of a fixed reference batch and of the sample itself.

    x (R + n, C) or (R + n, C, H, W); its first R rows are the reference batch.  mu and the mean square are
    (R * those of the reference rows + those of the sample) / (R + 1), per channel; they give var.  So a sample does not
    depend on its neighbours, unlike in batch norm.  Use it only inside a VirtualBatch.   Salimans et al. 2016, section 3.5.
    """

    def __init__(self, num_features: int, reference: int, eps: float = 1e-5):
        super().__init__()
        self.num_features, self.reference, self.eps = num_features, reference, eps
        _ones_and_zeros(self, num_features)

    def forward(self, x) -> Tensor:
        """x, normalised.  ShapeError unless x has the reference batch and at least one more sample."""
        r = self.reference
        if x.ndim not in (2, 4) or x.shape[1] != self.num_features or len(x) <= r:
            raise ShapeError(
                f"VirtualBatchNorm: x must be (R + n, {self.num_features}) or (R + n, {self.num_features}, H, W) "
                f"with R = {r} reference rows in front, got {x.shape}; call the net through VirtualBatch"
            )
        pixels = tuple(range(2, x.ndim))
        m = mean(x, axis=pixels, keepdims=True) if pixels else x  # of each sample (R + n, C, 1, 1)
        m_reference = mean(m[:r], axis=0, keepdims=True)
        mu = (r * m_reference + m) / (r + 1)
        spread = square(x - mu)
        var = r * (mean(square(x[:r] - m_reference), axis=(0, *pixels), keepdims=True) + square(m_reference - mu))
        var = (var + (mean(spread, axis=pixels, keepdims=True) if pixels else spread)) / (r + 1)
        shape = (1, -1, *[1] * len(pixels))
        y = (x - mu) / sqrt(var + self.eps)
        return y * reshape(self.weight, shape) + reshape(self.bias, shape)

    def extra_repr(self):
        return f"{self.num_features}, reference={self.reference}, eps={self.eps}"


class VirtualBatch(Module):
    """net(x), computed as VirtualBatchNorm needs it: with the reference batch before x, whose rows are then cut off.

    reference (R, ...): is chosen once and saved with the net.  ConfigError if the net has no VirtualBatchNorm for R rows.
    """

    def __init__(self, net: Module, reference):
        super().__init__()
        self.net = net
        self.register_buffer("rows", Tensor(np.asarray(reference)))
        layers = [m for m in net.modules() if isinstance(m, VirtualBatchNorm)]
        if not layers or any(m.reference != len(self.rows) for m in layers):
            raise ConfigError(f"VirtualBatch: the net needs VirtualBatchNorm layers with reference={len(self.rows)}")

    def forward(self, x) -> Tensor:
        """The net's output for x only, without the reference rows."""
        return self.net(concatenate([self.rows, x], axis=0))[len(self.rows) :]
