"""torch.* without its packages: what nn, optim, utils, distributions and torchvision are written over.

from minigan.torch import core as torch        # inside this package; a user imports minigan.torch
"""

# ruff: noqa: F401, F403  # this file is a list of names

import math
from typing import TYPE_CHECKING, Any

from minigan.torch import amp, autograd, backends, cuda, linalg, methods  # methods puts the methods on Tensor
from minigan.torch.amp import autocast
from minigan.torch.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minigan.torch.creation import *
from minigan.torch.functions import *
from minigan.torch.kinds import ALIASES, DTYPES, Size, bfloat16, device, dtype, finfo, iinfo, promote_types
from minigan.torch.linalg import cross, matrix_power
from minigan.torch.switches import *
from minigan.torch.tensor import Tensor

_dtypes = {**DTYPES, **{name: DTYPES[kind] for name, kind in ALIASES.items()}}
globals().update(_dtypes)

strided = contiguous_format = preserve_format = channels_last = None  # minigan decides itself how memory is ordered
pi, inf, nan, e = math.pi, math.inf, math.nan, math.e
newaxis = None

if TYPE_CHECKING:  # many names come from tables

    def __getattr__(name: str) -> Any: ...


_HELPERS = {"ALIASES", "Any", "DTYPES", "TYPE_CHECKING", "math", "methods"}
__all__ = [_name for _name in list(globals()) if not _name.startswith("_") and _name not in _HELPERS]
