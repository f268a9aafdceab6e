"""torch.nn.parallel: one device computes the whole batch, so DataParallel only holds the module, as `.module`."""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch.missing import missing_from
from minigan.torch.nn.module import Module


class DataParallel(Module):
    """The module, under the name `module`: as PyTorch's on one device."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0):
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module returns."""
        return self.module(*inputs, **options)


class DistributedDataParallel(Module):
    """Refused."""

    def __init__(self, *args: Any, **options: Any):
        raise ConfigError("DistributedDataParallel: minigan trains in one process; use the module itself")


def data_parallel(module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> Any:
    """module(inputs)."""
    return module(*inputs) if isinstance(inputs, tuple) else module(inputs)


__getattr__ = missing_from(__name__)
