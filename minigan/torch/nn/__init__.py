"""torch.nn over minigan's layers.

module.py      Module, as PyTorch's behaves       containers.py    Sequential, ModuleList, ...
layers.py      minigan's layers in front of which PyTorch's Parameters stand     transformer.py   written over them
functional.py  the functions behind the layers    init.py, utils/, parallel.py, parameter.py
"""

from minigan.torch.missing import missing_from
from minigan.torch.nn import functional, init, parallel, parameter, utils
from minigan.torch.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from minigan.torch.nn.layers import *
from minigan.torch.nn.module import Module
from minigan.torch.nn.parallel import DataParallel
from minigan.torch.nn.parameter import Parameter
from minigan.torch.nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__getattr__ = missing_from(__name__)
