"""torch.distributed: minigan trains in one process, so there is nothing to distribute; scripts may ask."""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch.missing import missing_from


def is_available() -> bool:
    """No."""
    return False


is_initialized = is_available


def init_process_group(*args: Any, **options: Any) -> None:
    """Refused."""
    raise ConfigError("torch.distributed: minigan trains in one process; run the script without torchrun")


destroy_process_group = init_process_group

__getattr__ = missing_from(__name__)
