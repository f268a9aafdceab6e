"""torch.hub: refused, because minigan downloads no models."""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch.missing import missing_from


def load(*args: Any, **options: Any) -> None:
    """Refused."""
    raise ConfigError("torch.hub: minigan downloads no models; build the network, and load a .safetensors file of its weights")


load_state_dict_from_url = download_url_to_file = _download_url_to_file = load

__getattr__ = missing_from(__name__)
