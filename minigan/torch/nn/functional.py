"""torch.nn.functional over minigan's: the same functions on this package's Tensors, and the arguments that only PyTorch has.

Those are `inplace` (the tensor that was given then shows the result, too), the old `size_average` and `reduce` of losses
(`reduction` replaced them), a missing `dim` of softmax, and a few that minigan's functions lack, which must have their
usual value.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any

import minigan as mg
from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.missing import missing_from
from minigan.torch.tensor import lift, lower

_engine = mg.nn.functional

# PyTorch's arguments that minigan's function lacks: refused unless they have PyTorch's default.
_LACKING: dict[str, dict[str, Any]] = {
    "avg_pool2d": {"divisor_override": None},
    "embedding": {"max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "sparse": False},
    "interpolate": {"recompute_scale_factor": None, "antialias": False},
    "huber_loss": {"weight": None},
    "l1_loss": {"weight": None},
    "mse_loss": {"weight": None},
    "normalize": {"out": None},
}
_INPLACE = {"dropout", "dropout2d", "elu", "hardtanh", "leaky_relu", "mish", "relu", "selu", "silu"}


def over(function: Any, lacking: Any = (), inplace: bool = False) -> Any:
    """The function of minigan as one of Tensors of this package."""
    lacking, is_loss = dict(lacking), "reduction" in inspect.signature(function).parameters

    @wraps(function)
    def call(*args, **options):
        in_place = inplace and options.pop("inplace", False)
        for name in [name for name in options if name in lacking]:
            if options.pop(name) != lacking[name]:
                raise ConfigError(f"{function.__name__}: minigan has no {name}; leave it out")
        if is_loss:
            with_reduction(options)
        y = lift(function(*map(lower, args), **{name: lower(value) for name, value in options.items()}))
        return args[0].become(y) if in_place else y

    return call


def with_reduction(options: dict) -> None:
    """Replace the old arguments size_average and reduce, in these options of a loss, by `reduction`."""
    average, reduce = options.pop("size_average", None), options.pop("reduce", None)
    if average is not None or reduce is not None:
        options["reduction"] = "none" if reduce is False else "sum" if average is False else "mean"


for _name in _engine.__all__:
    globals()[_name] = over(getattr(_engine, _name), _LACKING.get(_name, ()), _name in _INPLACE)

hardtanh, interpolate, leaky_relu, relu = (globals()[_name] for _name in ("hardtanh", "interpolate", "leaky_relu", "relu"))


def implicit_dim(input: Any) -> int:
    """The axis of a softmax without `dim`: PyTorch's old rule, 0 for 0, 1 or 3 axes, else 1."""
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """e^input / (the sum of e^input along dim)."""
    input = input if dtype is None else input.to(dtype)
    return lift(_engine.softmax(input.engine, implicit_dim(input) if dim is None else dim))


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """log(softmax(input, dim)), without overflow."""
    input = input if dtype is None else input.to(dtype)
    return lift(_engine.log_softmax(input.engine, implicit_dim(input) if dim is None else dim))


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels: input (N, C, H, W), or as old scripts give it, (N, C, L) or (N, C)."""
    shape = tuple(input.shape)
    y = lift(_engine.dropout2d(mg.reshape(input.engine, shape + (1,) * (4 - len(shape))), p, training)).reshape(shape)
    return input.become(y) if inplace else y


def softmin(input: Any, dim: int | None = None) -> Any:
    """softmax(-input, dim)."""
    return softmax(-input, dim)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """int64 (*tensor.shape, num_classes): 1 at the place of each index, else 0.   num_classes: by default the largest + 1."""
    count = int(tensor.max()) + 1 if num_classes == -1 else num_classes
    return lift(_engine.one_hot(tensor.engine, count, dtype="int64"))


def upsample(input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None) -> Any:
    """interpolate, by its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def softsign(input: Any) -> Any:
    """input / (1 + |input|)."""
    return input / (1 + abs(input))


def relu6(input: Any, inplace: bool = False) -> Any:
    """input limited to [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace=inplace)


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """softmax((logits + Gumbel noise) / tau); hard: the largest becomes 1, with the gradient of the soft one.

    Jang et al. 2017 (arXiv:1611.01144).
    """
    noise = -torch.log(-torch.log(torch.rand(logits.shape, dtype=logits.dtype, device=logits.device).clamp(min=1e-20)))
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    ones = torch.zeros_like(soft).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)
    return ones - soft.detach() + soft


def relu_(input: Any) -> Any:
    """max(input, 0), in place."""
    return relu(input, inplace=True)


def leaky_relu_(input: Any, negative_slope: float = 0.01) -> Any:
    """leaky_relu, in place."""
    return leaky_relu(input, negative_slope, inplace=True)


__getattr__ = missing_from(__name__)
