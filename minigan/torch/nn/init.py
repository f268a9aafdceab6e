"""torch.nn.init: fill a Tensor in place, `layer.weight` or `layer.weight.data`.  minigan's initialisers do it.

The random ones draw from the stream "init" of minigan, so a seed gives other numbers than PyTorch's.  The old names without
"_" at the end (`init.normal`) are there, too.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import minigan as mg
from minigan.errors import ShapeError
from minigan.torch.missing import missing_from

_engine = mg.nn.init
calculate_gain = _engine.calculate_gain


def _over(function):
    @wraps(function)
    def fill(tensor, *args, **options):
        function(tensor.engine, *args, **options)
        return tensor

    return fill


for _name in (
    "constant_", "zeros_", "ones_", "uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_",
    "kaiming_uniform_", "kaiming_normal_", "orthogonal_",
):  # fmt: skip
    globals()[_name] = _over(getattr(_engine, _name))


def eye_(tensor: Any) -> Any:
    """The identity matrix: 1 on the diagonal, else 0."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: needs a matrix, got {tuple(tensor.shape)}")
    tensor.engine.copy_(mg.eye(tensor.shape[0], tensor.shape[1], tensor.engine.dtype).data)
    return tensor


for _name in [name for name in globals() if name.endswith("_") and not name.startswith("_")]:
    globals()[_name.removesuffix("_")] = globals()[_name]

__getattr__ = missing_from(__name__)
