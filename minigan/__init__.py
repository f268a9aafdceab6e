"""minigan: a deep-learning engine on NumPy and CuPy whose heart you can read in an evening.

Start with autograd.py.  Array functions have NumPy's names, networks have PyTorch's.  `import minigan` imports NumPy and
nothing larger; `mg.data`, `mg.train`, `mg.systems`, `mg.runs`, `mg.viz` and `mg.metrics` load on first use.
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
import importlib
from typing import TYPE_CHECKING

from minigan import cuda, errors, moved, names, nn, ops, optim
from minigan.arguments import makes as _makes
from minigan.autograd import fused, grad, primitive
from minigan.capture import capture
from minigan.checkpointing import checkpoint
from minigan.debug import debug
from minigan.grad_mode import enable_grad, no_grad
from minigan.gradcheck import gradcheck
from minigan.kernels.cpu.conv import get_conv_algorithm, set_conv_algorithm
from minigan.kernels.threads import get_num_threads, set_num_threads
from minigan.methods import arange, eye, full, linspace, ones, ones_like, tensor, zeros, zeros_like
from minigan.ops import *  # every op is mg.<NumPy name>
from minigan.profile import profile
from minigan.streams import seed
from minigan.tensor import Tensor, from_dlpack
from minigan.version import __version__
from minigan.watch import watch

for _f in (zeros, ones, full, eye):  # so that an error for a wrong size names the argument
    globals()[_f.__name__] = _makes(_f)

__all__ = [
    "Tensor", "arange", "capture", "checkpoint", "cuda", "data", "debug", "enable_grad", "errors", "eye", "from_dlpack",
    "full", "fused", "get_conv_algorithm", "get_num_threads", "grad", "gradcheck", "linspace", "load", "metrics", "nn",
    "no_grad", "ones", "ones_like", "optim", "primitive", "profile", "runs", "save", "seed", "set_conv_algorithm",
    "set_num_threads", "systems", "tensor", "train", "viz", "watch", "zeros", "zeros_like"]
__all__ += ops.__all__

if TYPE_CHECKING:
    from minigan import data, metrics, runs, systems, train, viz
    from minigan.serialize import load, save
else:

    def __getattr__(name):
        """Load a part that needs more than NumPy, or that training does not need, on first use."""
        if name in ("data", "metrics", "runs", "systems", "train", "viz"):
            return importlib.import_module(f"minigan.{name}")
        if name in ("load", "save"):
            return getattr(importlib.import_module("minigan.serialize"), name)
        if advice := names.instead(name):
            raise errors.MissingAttribute(f"mg.{name} does not exist: {advice}")
        moved.refuse(__name__, name)


def __dir__():
    return sorted(__all__)
