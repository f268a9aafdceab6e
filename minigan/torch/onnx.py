"""torch.onnx: refused."""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch.missing import missing_from


def export(*args: Any, **options: Any) -> None:
    """Refused."""
    raise ConfigError("torch.onnx.export: minigan writes no ONNX; save model.state_dict() as .safetensors for other programs")


__getattr__ = missing_from(__name__)
