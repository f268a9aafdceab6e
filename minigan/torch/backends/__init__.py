"""torch.backends: switches of PyTorch's kernels, which may be set and change nothing here."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Switches(ModuleType):
    """A module whose switches may be set, and whose is_available() says no."""

    enabled = benchmark = deterministic = allow_tf32 = False

    def is_available(self) -> bool:
        """Not here."""
        return False

    is_built = is_available


def _switches(name):
    made: Any = _Switches(f"{__name__}.{name}")
    sys.modules[made.__name__] = made  # for `import torch.backends.cudnn as cudnn`
    return made


cudnn, mps, mkl, cuda = map(_switches, ("cudnn", "mps", "mkl", "cuda"))
cuda.matmul = _switches("cuda.matmul")
