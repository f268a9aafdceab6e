"""torch.amp: minigan computes in float32 or float64, so mixed precision can only be switched off.

autocast     does nothing, and says once that it does nothing if it was asked for float16 or bfloat16
GradScaler   without a scale: scale(loss) is the loss, step(optimizer) a step
"""

from __future__ import annotations

import contextlib
from typing import Any

from minigan.torch.missing import missing_from, said_once


class autocast(contextlib.ContextDecorator):
    """The block computes in the tensors' own precision."""

    def __init__(self, device_type: Any = "cuda", dtype: Any = None, enabled: bool = True, cache_enabled: Any = None):
        if enabled and dtype is not None and "float32" not in str(dtype):
            said_once("torch.autocast: minigan computes in float32, not in a mixed precision")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


class GradScaler:
    """Without a scale, because float32 needs none."""

    def __init__(self, device: Any = "cuda", enabled: bool = True, **options: Any):
        pass

    def scale(self, outputs: Any) -> Any:
        """outputs."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing."""

    def step(self, optimizer: Any, *args: Any, **options: Any) -> Any:
        """optimizer.step()."""
        return optimizer.step(*args, **options)

    def update(self, new_scale: Any = None) -> None:
        """Nothing."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def is_enabled(self) -> bool:
        """No."""
        return False

    def state_dict(self) -> dict:
        """Empty."""
        return {}

    def load_state_dict(self, state_dict: dict) -> None:
        """Nothing."""


__getattr__ = missing_from(__name__)
