"""`import minigan.torch as torch`: PyTorch's names and meanings over minigan's engine.

tensor.py      Tensor, around one of minigan's            functions.py, methods.py   what one does with it
creation.py    new Tensors, random numbers                autograd.py                grad, no_grad, Variable
kinds.py       dtype, device, Size                        serialization.py           save, load
nn/   optim/   utils/data/   distributions/   torchvision/                           written over these
runner.py      `python -m minigan.torch script.py` runs an unchanged script
"""

import math

from minigan.torch import methods  # puts the methods on Tensor
from minigan.torch import amp, autograd, backends, cuda, linalg
from minigan.torch.amp import autocast
from minigan.torch.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minigan.torch.creation import *
from minigan.torch.functions import *
from minigan.torch.kinds import ALIASES, DTYPES, Size, device, dtype, finfo, iinfo
from minigan.torch.missing import missing_from, said_once
from minigan.torch.switches import *
from minigan.torch.tensor import Parameter, Tensor

_dtypes = {**DTYPES, **{name: DTYPES[kind] for name, kind in ALIASES.items()}}
globals().update(_dtypes)

# These are written over what is above.
from minigan.torch import distributions, nn, optim, torchvision, utils  # noqa: E402
from minigan.torch.serialization import load, save  # noqa: E402

strided = contiguous_format = preserve_format = channels_last = None  # minigan decides itself how memory is ordered
pi, inf, nan, e = math.pi, math.inf, math.nan, math.e
newaxis = None
__version__ = "2.0.0+minigan"
__getattr__ = missing_from(__name__)
