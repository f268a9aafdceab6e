"""Activations: elementwise functions between the layers, and softmax along an axis.

They accept `inplace`, so that you can copy PyTorch's networks as they are, but ignore it: no op changes its input.
"""

import numpy as np

from minigan import ops
from minigan.errors import ShapeError
from minigan.nn import functional as F
from minigan.nn.module import Module, Parameter
from minigan.ops.elementwise import kept
from minigan.tensor import Tensor, plain


class ReLU(Module):
    """y = max(x, 0)."""

    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x) -> Tensor:
        """max(x, 0)."""
        return ops.relu(x)


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope x.   Maas, Hannun and Ng 2013.  GANs often use 0.2 (Radford et al. 2016)."""

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x) -> Tensor:
        """x, or negative_slope x where x <= 0."""
        return ops.leaky_relu(x, self.negative_slope)

    def extra_repr(self):
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """LeakyReLU with a learned slope: y = x where x > 0, else weight x.   He et al. 2015.

    weight (num_parameters,): one for all channels, or one for each channel (axis 1 of x).  It starts at `init`.
    """

    def __init__(self, num_parameters=1, init=0.25):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, x) -> Tensor:
        """x, or weight x where x <= 0."""
        if self.num_parameters not in (1, x.shape[1] if x.ndim > 1 else 1):
            raise ShapeError(f"PReLU: {self.num_parameters} slopes for x {x.shape}; need 1, or one for each channel")
        slope = ops.reshape(self.weight, (1, -1) + (1,) * (x.ndim - 2)) if x.ndim > 1 else self.weight
        positive = plain(x) > 0
        return ops.where(positive, x, slope * kept(x, ~positive))  # kept: for x = inf the slope's gradient is 0, not 0 * inf

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """y = x where x > 0, else alpha (e^x - 1).   Clevert et al. 2016."""

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha = alpha

    def forward(self, x) -> Tensor:
        """x, or alpha (e^x - 1) where x <= 0."""
        return ops.elu(x, self.alpha)

    def extra_repr(self):
        return f"alpha={self.alpha}"


class GELU(Module):
    """y = x Phi(x), with the normal distribution function Phi; "tanh" is exact to 5e-4.   Hendrycks and Gimpel 2016."""

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, x) -> Tensor:
        """x Phi(x)."""
        return ops.gelu(x, self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """y = x sigmoid(x), also called swish.   Elfwing et al. 2018."""

    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x) -> Tensor:
        """x sigmoid(x)."""
        return ops.silu(x)


class Tanh(Module):
    """y = tanh x, in (-1, 1)."""

    def forward(self, x) -> Tensor:
        """tanh x."""
        return ops.tanh(x)


class Sigmoid(Module):
    """y = 1 / (1 + e^-x), in (0, 1).   Leave it out if the loss takes logits."""

    def forward(self, x) -> Tensor:
        """1 / (1 + e^-x)."""
        return ops.sigmoid(x)


class Softplus(Module):
    """y = ln(1 + e^(beta x)) / beta, a smooth ReLU; as in torch, y = x where beta x > threshold."""

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x) -> Tensor:
        """ln(1 + e^(beta x)) / beta."""
        return F.softplus(x, self.beta, self.threshold)

    def extra_repr(self):
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """y = e^x / (the sum of e^x along dim): positive numbers with sum 1."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x) -> Tensor:
        """e^x / (the sum of e^x along dim)."""
        return ops.softmax(x, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """y = x - log(the sum of e^x along dim): the log of Softmax, without overflow."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x) -> Tensor:
        """x - log(the sum of e^x along dim)."""
        return ops.log_softmax(x, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class LogSigmoid(Module):
    """y = log(1 / (1 + e^-x)), finite even for a very negative x."""

    def forward(self, x) -> Tensor:
        """log sigmoid x."""
        return F.logsigmoid(x)


class GLU(Module):
    """y = a sigmoid(b), where a and b are the halves of x along dim.   Dauphin et al. 2017."""

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, x) -> Tensor:
        """a sigmoid(b)."""
        return F.glu(x, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class Hardtanh(Module):
    """y = x limited to [min_val, max_val]."""

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False):
        super().__init__()
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x) -> Tensor:
        """x between the limits."""
        return F.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self):
        return f"min_val={self.min_val}, max_val={self.max_val}"


class SELU(Module):
    """y = scale * elu(x, alpha), with the constants that keep mean 0 and variance 1.   Klambauer et al. 2017."""

    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x) -> Tensor:
        """scale * elu(x, alpha)."""
        return F.selu(x)


class Mish(Module):
    """y = x tanh(softplus x).   Misra 2020."""

    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x) -> Tensor:
        """x tanh(softplus x)."""
        return F.mish(x)
