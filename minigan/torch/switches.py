"""Switches of the whole library: default dtype, threads, the compiler, and what else PyTorch has and scripts call once."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.errors import ConfigError
from minigan.torch import creation, kinds
from minigan.torch.missing import said_once


def compile(model: Any = None, **options: Any) -> Any:
    """model, as it is: minigan has no compiler.   It says so once."""
    said_once("torch.compile: minigan has no compiler; the function runs as it is")
    return model if model is not None else compile


def set_default_dtype(d: Any) -> None:
    """The dtype of zeros, randn and others that are not told one: float32 or float64."""
    d = kinds.to_numpy(d)
    if d not in (np.dtype("float32"), np.dtype("float64")):
        raise ConfigError(f"set_default_dtype: float32 or float64, not {d}; minigan computes in these")
    creation.DEFAULT["dtype"] = d


def get_default_dtype() -> kinds.dtype:
    """That dtype."""
    return kinds.of_numpy(creation.DEFAULT["dtype"])


def set_default_tensor_type(t: Any) -> None:
    """The same, by the name of a type of tensors."""
    name = t if isinstance(t, str) else t.__name__
    set_default_dtype(creation.TYPES[name.rpartition(".")[2]])


def set_printoptions(**options: Any) -> None:
    """Nothing: Tensors print four digits."""


def set_float32_matmul_precision(precision: str) -> None:
    """Nothing: float32 products are float32."""


def use_deterministic_algorithms(mode: bool, **options: Any) -> None:
    """Nothing: minigan's kernels on the CPU give the same bits every time."""


get_num_threads, set_num_threads = mg.get_num_threads, mg.set_num_threads


class accelerator:
    """torch.accelerator: the GPU, if there is one."""

    @staticmethod
    def is_available() -> bool:
        """Is there a GPU?"""
        return mg.cuda.is_available()

    @staticmethod
    def current_accelerator(check_available: bool = False) -> Any:
        """Its device, or None."""
        return kinds.device("cuda") if mg.cuda.is_available() else None

    @staticmethod
    def device_count() -> int:
        """1 if there is a GPU, else 0."""
        return int(mg.cuda.is_available())

    @staticmethod
    def synchronize(device: Any = None) -> None:
        """Wait until the GPU has finished."""
        from minigan.torch import cuda

        cuda.synchronize()


__all__ = [name for name, value in list(globals().items()) if getattr(value, "__module__", None) == __name__] + [
    "get_num_threads",
    "set_num_threads",
]
