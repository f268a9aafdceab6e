"""torch.cuda: is there a GPU that minigan can use?   Mixed precision (amp) is accepted where it is switched off."""

from __future__ import annotations

from typing import Any

import minigan as mg
from minigan.torch import amp as amp
from minigan.torch.creation import TYPES, manual_seed, tensor_type
from minigan.torch.missing import missing_from

for _name, _kind in TYPES.items():
    globals()[_name] = tensor_type(_name, _kind, on_gpu=True)
manual_seed_all = manual_seed
is_available = mg.cuda.is_available


def device_count() -> int:
    """1 if there is a GPU, else 0."""
    return int(mg.cuda.is_available())


def current_device() -> int:
    """0."""
    return 0


def set_device(device: Any) -> None:
    """Nothing: minigan uses the GPU that a tensor is on."""


def is_bf16_supported() -> bool:
    """No: minigan computes in float32 and float64."""
    return False


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has finished."""
    if mg.cuda.is_available():
        import cupy

        cupy.cuda.get_current_stream().synchronize()


def empty_cache() -> None:
    """Nothing: CuPy keeps its memory."""


__getattr__ = missing_from(__name__)
