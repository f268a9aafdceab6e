"""Reparametrisations by a hook: before each forward the weight is computed anew from other parameters.

spectral_norm   weight / its largest singular value: Miyato et al. 2018
weight_norm     g v / |v|: Salimans and Kingma 2016

The parameter `weight` leaves the module; weight_orig, or weight_g and weight_v, take its place among the parameters, under
PyTorch's names, so that a state_dict fits.
"""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.nn import init
from minigan.torch.nn.layers import ConvTranspose1d, ConvTranspose2d  # type: ignore[attr-defined]  # made there
from minigan.torch.tensor import Parameter


class _Norm:
    """The hook.   A subclass says how the weight is computed (`weight`), and what it is called in errors (`title`)."""

    title = ""

    def __init__(self, name, dim):
        self.name, self.dim = name, dim

    def weight(self, module):
        """The weight, from the module's other parameters."""
        raise NotImplementedError

    def __call__(self, module, inputs):
        vars(module)[self.name] = self.weight(module)

    @classmethod
    def of(cls, module, name):
        """(key, hook) of this kind for the parameter, or (None, None)."""
        hooks = module._forward_pre_hooks.items()
        return next(((k, hook) for k, hook in hooks if isinstance(hook, cls) and hook.name == name), (None, None))

    def install(self, module):
        """Take the parameter out and return it, after a check; register the hook."""
        if self.of(module, self.name)[1] is not None:
            raise ConfigError(f"{self.title}: {type(module).__name__}.{self.name} has it already")
        weight = module._parameters.get(self.name)
        if weight is None:
            raise ConfigError(
                f"{self.title}: {type(module).__name__} has no parameter {self.name!r}; apply it to a layer that has"
            )
        del module._parameters[self.name]
        module.register_forward_pre_hook(self)
        return weight

    @classmethod
    def remove(cls, module, name):
        """Make the present weight an ordinary parameter again; returns the module."""
        key, hook = cls.of(module, name)
        if hook is None:
            raise ConfigError(f"remove_{cls.title}: {type(module).__name__}.{name} has none")
        with torch.no_grad():
            weight = hook.weight(module)
        del module._forward_pre_hooks[key]
        for suffix in ("", "_orig", "_u", "_v", "_g"):
            if name + suffix in (*vars(module), *module._parameters, *module._buffers):
                delattr(module, name + suffix)
        module.register_parameter(name, Parameter(weight))
        return module


class _Spectral(_Norm):
    title = "spectral_norm"

    def __init__(self, name, dim, n_power_iterations, eps):
        super().__init__(name, dim)
        self.n_power_iterations, self.eps = n_power_iterations, eps

    def matrix(self, weight):
        """The weight with axis dim as rows and all others as columns."""
        return (
            weight.transpose(0, self.dim).reshape(weight.shape[self.dim], -1)
            if self.dim
            else weight.reshape(weight.shape[0], -1)
        )

    def unit(self, x):
        """x with length 1."""
        return x / x.norm().clamp(min=self.eps)

    def weight(self, module):
        """weight_orig / sigma; in training, after one more step of the power method for sigma."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        matrix = self.matrix(weight)
        if module.training:
            with torch.no_grad():
                for _ in range(self.n_power_iterations):
                    v = self.unit(matrix.t() @ u)
                    u = self.unit(matrix @ v)
            # New tensors, not the old ones changed: the graph of an earlier forward needs those.
            module._buffers[self.name + "_u"], module._buffers[self.name + "_v"] = u, v
        return weight / (u * (matrix @ v)).sum()


class _Weight(_Norm):
    title = "weight_norm"

    def length(self, v):
        """The norm of v over all axes but dim (None: over all), with those axes kept."""
        axes = tuple(i for i in range(v.ndim) if self.dim is None or i != self.dim % v.ndim)
        return (v**2).sum(axes, keepdim=True).sqrt()

    def weight(self, module):
        """g v / |v|."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / self.length(v))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Let the module compute with weight / sigma, sigma being the largest singular value; returns the module.

    minigan.nn.utils.spectral_norm explains it.   The new parameter is <name>_orig; the buffers are <name>_u and <name>_v.
    """
    if n_power_iterations < 1:
        raise ConfigError(f"spectral_norm: n_power_iterations must be >= 1, got {n_power_iterations}")
    if dim is None:
        dim = int(isinstance(module, (ConvTranspose1d, ConvTranspose2d)))
    hook = _Spectral(name, dim, n_power_iterations, eps)
    weight = hook.install(module)
    rows, columns = hook.matrix(weight.detach()).shape
    module.register_parameter(f"{name}_orig", weight)
    for suffix, size in (("_u", rows), ("_v", columns)):
        start = init.normal_(torch.empty(size, dtype=weight.dtype)).to(weight.device)
        module.register_buffer(name + suffix, hook.unit(start))
    vars(module)[name] = weight.detach()
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make weight / sigma an ordinary parameter; returns the module."""
    return _Spectral.remove(module, name)


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Let the module compute with g v / |v|, where the length g and the direction v are trained apart; returns the module."""
    hook = _Weight(name, dim)
    weight = hook.install(module)
    with torch.no_grad():
        length = hook.length(weight)
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    vars(module)[name] = weight.detach()
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make g v / |v| an ordinary parameter; returns the module."""
    return _Weight.remove(module, name)
