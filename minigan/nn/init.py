"""Initialisers: fill a tensor in place with the numbers that training starts from.   torch.nn.init's functions.

zeros_ ones_ constant_                   one number             uniform_ normal_ trunc_normal_    a distribution
xavier_uniform_ xavier_normal_           variance 2 / (fan_in + fan_out): Glorot and Bengio 2010
kaiming_uniform_ kaiming_normal_         variance gain^2 / fan: He et al. 2015
orthogonal_                              orthogonal rows or columns: Saxe et al. 2014

All return the tensor.  Random ones draw float32 numbers from the stream "init", or from `generator`, a numpy Generator;
so a seed gives the same weights on every device and in every dtype.
"""

import math
from functools import wraps

import numpy as np

from minigan.errors import ConfigError, DTypeError, ShapeError, suggestion
from minigan.streams import streams
from minigan.tensor import Tensor


def constant_(tensor, val):
    """Set every element to val.

    >>> nn.init.constant_(mg.zeros(2), 0.5).tolist()
    [0.5, 0.5]
    """
    tensor.data[...] = val
    tensor.touch()
    return tensor


def zeros_(tensor):
    """Set every element to 0."""
    return constant_(tensor, 0)


def ones_(tensor):
    """Set every element to 1."""
    return constant_(tensor, 1)


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Uniform between a and b."""
    values = (generator or streams("init")).random(tensor.shape, np.float32)
    values *= b - a
    values += a
    return tensor.copy_(values)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Normal with this mean and standard deviation."""
    values = (generator or streams("init")).standard_normal(tensor.shape, np.float32)
    values *= std
    values += mean
    return tensor.copy_(values)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Normal, but numbers outside [a, b] are drawn again.  a, b are values, not multiples of std.

    ConfigError if less than 1 in 100 draws would fall inside.
    """
    inside = 0.5 * (math.erf((b - mean) / (std * math.sqrt(2))) - math.erf((a - mean) / (std * math.sqrt(2))))
    if inside < 0.01:
        raise ConfigError(
            f"trunc_normal_: [{a}, {b}] holds {inside:.2%} of the normal distribution with mean {mean} "
            f"and std {std}; widen it (a and b are values, not multiples of std)"
        )
    generator = generator or streams("init")
    low, high = _inwards(a, b)
    values = np.empty(tensor.shape, np.float32).reshape(-1)
    todo = np.arange(values.size)
    while todo.size:
        values[todo] = mean + std * generator.standard_normal(todo.size, np.float32)
        todo = todo[(values[todo] < low) | (values[todo] > high)]
    return tensor.copy_(values.reshape(tensor.shape))


def _inwards(a, b):
    """The smallest float32 >= a and the largest <= b, so that rounding does not move a value out of the bounds."""
    low, high = np.float32(a), np.float32(b)
    return (
        low if low >= a else np.nextafter(low, np.float32(np.inf)),
        high if high <= b else np.nextafter(high, np.float32(-np.inf)),
    )


def fans(tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs one output sums, and to how many outputs one input contributes.

    For weight (out, in, *kernel) these are in * kernel size and out * kernel size.  ShapeError for fewer than two axes.

    >>> nn.init.fans(mg.zeros((32, 16, 4, 4)))
    (256, 512)
    """
    if tensor.ndim < 2:
        raise ShapeError(f"fan in and fan out need a weight of at least two axes (out, in, ...), got {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


# A gain makes up for what an activation does to the standard deviation.  tanh's is torch's choice; it is exact for no input.
_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity, param=None) -> float:
    """The factor for the weights' std that makes up for the activation: relu sqrt(2), tanh 5/3, linear and sigmoid 1, ...

    param: the negative slope a of leaky_relu, by default 0.01; the gain is sqrt(2 / (1 + a^2)).
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ConfigError(
            f"calculate_gain: unknown nonlinearity {nonlinearity!r}" + suggestion(str(nonlinearity), [*_GAINS, "leaky_relu"])
        )
    return _GAINS[nonlinearity]


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Uniform in +-gain sqrt(6 / (fan_in + fan_out)): variance 2 gain^2 / (fan_in + fan_out).   Glorot and Bengio 2010."""
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Normal with std gain sqrt(2 / (fan_in + fan_out)).   Glorot and Bengio 2010."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def _kaiming_std(op, tensor, a, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out"):
        raise ConfigError(f"{op}: mode is 'fan_in' (keeps the scale forward) or 'fan_out' (backward), not {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def kaiming_uniform_(tensor, a: float = 0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Uniform in +-gain sqrt(3 / fan): variance gain^2 / fan.   a: the negative slope of leaky_relu.   He et al. 2015.

    a = sqrt(5) makes it +-1 / sqrt(fan), with which Linear and the convolutions start.
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a: float = 0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Normal with std gain / sqrt(fan).   a: the negative slope of leaky_relu.   He et al. 2015.

    >>> w = nn.init.kaiming_normal_(mg.zeros((256, 256)))
    >>> abs(float(w.std()) - (2 / 256) ** 0.5) < 1e-3
    True
    """
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor, gain=1.0, generator=None):
    """gain times a random matrix with orthonormal rows, or columns if these are fewer; all axes after the first count as one.

    Saxe et al. 2014.  It is uniform over all such matrices, because R's diagonal is made positive (Mezzadri 2007).

    >>> w = nn.init.orthogonal_(mg.zeros((3, 3)))
    >>> np.allclose(w @ w.T, np.eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: needs at least two axes, got {tensor.shape}")
    if not tensor.size:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    drawn = (generator or streams("init")).standard_normal((rows, columns), np.float32).astype(np.float64)
    q, r = np.linalg.qr(drawn if rows >= columns else drawn.T)
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    q = gain * (q if rows >= columns else q.T)
    return tensor.copy_(q.reshape(tensor.shape).astype(tensor.dtype))


def _of_a_tensor(fill):
    @wraps(fill)
    def call(tensor, *args, **params):
        if not isinstance(tensor, Tensor):
            raise DTypeError(
                f"{fill.__name__} fills a Tensor, not {type(tensor).__name__}: pass the weight itself, without .data"
            )
        return fill(tensor, *args, **params)

    return call


for _fill in [value for name, value in list(globals().items()) if name.endswith("_") and callable(value)]:
    globals()[_fill.__name__] = _of_a_tensor(_fill)
