"""Networks: modules, layers, initialisers under PyTorch's names.

module   Module, Parameter, Sequential: read this one first       functional   the functions behind the layers
layers   dense, convolutions, activations, pixels, losses         init         initialisers
norm     batch, instance, layer, group normalisation              rnn          LSTM, GRU and their cells
utils    spectral norm, clipping, summary
"""

from minigan.arguments import checked as _checked, explained as _explained
from minigan.nn import functional, init, utils
from minigan.nn.layers import (
    ELU, GELU, AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, BCELoss, BCEWithLogitsLoss, Conv1d, Conv2d,
    ConvTranspose2d, CrossEntropyLoss, Dropout, Dropout2d, Embedding, Flatten, HuberLoss, Identity, KLDivLoss, L1Loss,
    LeakyReLU, Linear, LogSoftmax, MaxPool2d, MSELoss, NLLLoss, PixelShuffle, PixelUnshuffle, PReLU, ReflectionPad2d,
    ReLU, ReplicationPad2d, Sigmoid, SiLU, SmoothL1Loss, Softmax, Softplus, Tanh, Unflatten, Upsample, ZeroPad2d)
from minigan.nn.module import Module, ModuleDict, ModuleList, Parameter, Sequential
from minigan.nn.norm import BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm
from minigan.nn.adversarial import MinibatchDiscrimination, VirtualBatch, VirtualBatchNorm
from minigan.nn.rnn import GRU, LSTM, GRUCell, LSTMCell
from minigan.nn.utils import summary

# What a user makes a layer from, and gives it, is looked at: one line that names the argument (arguments.py).
for _layer in list(globals().values()):
    if isinstance(_layer, type) and issubclass(_layer, Module) and _layer.__module__ != Module.__module__:
        for _method, _looks in (("__init__", _checked), ("forward", _explained)):
            setattr(_layer, _method, _looks(getattr(_layer, _method)))
del _layer, _method, _looks

__all__ = [name for name in dir() if not name.startswith("_")]
