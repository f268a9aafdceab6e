"""`import minigan.torch as torch`: PyTorch's names and meanings over minigan's engine.

tensor.py      Tensor, around one of minigan's            methods.py                what one does with it
functions.py   torch.* of Tensors: elementwise.py, reductions.py, shapes.py, indexing.py; what these share: tables.py
creation.py    new Tensors, random numbers                autograd.py                grad, no_grad, Variable
kinds.py       dtype, device, Size                        serialization.py           save, load
core.py        all of these together                      nn/  optim/  utils/data/  distributions/  torchvision/   over core
runner.py      `python -m minigan.torch script.py` runs an unchanged script          missing.py   what is not here
"""

from minigan.torch import distributions, distributed, hub, nn, onnx, optim, torchvision, utils
from minigan.torch.core import *
from minigan.torch.missing import missing_from
from minigan.torch.serialization import load, save

__version__ = "2.0.0+minigan"
__getattr__ = missing_from(__name__)
