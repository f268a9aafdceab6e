"""minigan: a deep-learning engine on NumPy and CuPy, small enough to read in an evening.

Start with autograd.py.  Arrays follow NumPy's names, networks PyTorch's.  Importing this imports NumPy and nothing heavier.
"""

from minigan import errors, nn
from minigan.autograd import enable_grad, fused, grad, no_grad, primitive
from minigan.backend import seed
from minigan.methods import arange, eye, full, ones, ones_like, tensor, zeros, zeros_like
from minigan.ops import *  # noqa: F403  every op is mg.<NumPy name>
from minigan.ops import __all__ as _ops
from minigan.tensor import Tensor, from_dlpack
from minigan.debug import debug
from minigan.watch import watch

__version__ = "0.1.0"
__all__ = [
    "Tensor", "arange", "debug", "enable_grad", "errors", "nn", "eye", "from_dlpack", "full", "fused", "grad", "no_grad", "ones",
    "ones_like", "primitive", "seed", "tensor", "watch", "zeros", "zeros_like", *_ops]
