"""Networks: modules, layers, initialisers under PyTorch's names.

module          Module, Parameter, Sequential: read this one first     functional      the functions behind the layers
linear          Linear, Embedding                                      convolution     Conv1d, Conv2d, ConvTranspose2d
activations     ReLU, Tanh, Softmax, ...                               normalisation   batch, instance, layer, group norm
pooling         MaxPool2d, AvgPool2d, adaptive ones                    resizing        Upsample, PixelShuffle, borders
reshaping       Identity, Flatten, Unflatten                           dropout         Dropout, Dropout2d
rnn             LSTM, GRU, RNN, their cells                            adversarial     layers that GANs added
losses          MSELoss, CrossEntropyLoss, ...                         attention       MultiheadAttention, an encoder layer
init, utils     initialisers; spectral norm, clipping

A layer adds parameters to a function, and nothing else; the checks are in the functions (ops/, nn/functional.py).  Names,
arguments, their order and defaults, and the names and shapes of parameters are those of torch.nn.  We left out arguments that
torch has deprecated (size_average), and device and dtype: use module.to(...).
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from minigan import moved
from minigan.arguments import checked as _checked, explained as _explained
from minigan.nn import functional, init, utils
from minigan.nn.activations import (
    ELU, GELU, GLU, SELU, Hardtanh, LeakyReLU, LogSigmoid, LogSoftmax, Mish, PReLU, ReLU, Sigmoid, SiLU, Softmax,
    Softplus, Tanh)
from minigan.nn.attention import MultiheadAttention, TransformerEncoderLayer
from minigan.nn.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minigan.nn.dropout import Dropout, Dropout2d
from minigan.nn.linear import Embedding, Linear
from minigan.nn.losses import (
    BCELoss, BCEWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, GaussianNLLLoss, HingeEmbeddingLoss, HuberLoss,
    KLDivLoss, L1Loss, MSELoss, NLLLoss, PoissonNLLLoss, SmoothL1Loss, TripletMarginLoss)
from minigan.nn.module import Module, ModuleDict, ModuleList, Parameter, Sequential
from minigan.nn.normalisation import BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm, RMSNorm
from minigan.nn.pooling import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d, MaxUnpool2d
from minigan.nn.reshaping import Flatten, Identity, Unflatten
from minigan.nn.resizing import (
    CircularPad2d, ConstantPad2d, PixelShuffle, PixelUnshuffle, ReflectionPad2d, ReplicationPad2d, Upsample, ZeroPad2d)
from minigan.nn.adversarial import MinibatchDiscrimination, VirtualBatch, VirtualBatchNorm
from minigan.nn.rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from minigan.nn.utils import summary

__all__ = [
    "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "AvgPool1d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d",
    "BatchNorm2d", "CircularPad2d", "ConstantPad2d", "Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d",
    "CosineEmbeddingLoss", "CrossEntropyLoss", "Dropout", "Dropout2d", "ELU", "Embedding", "Flatten", "GELU", "GLU", "GRU",
    "GRUCell", "GaussianNLLLoss", "GroupNorm", "Hardtanh", "HingeEmbeddingLoss", "HuberLoss", "Identity", "InstanceNorm1d",
    "InstanceNorm2d", "KLDivLoss", "L1Loss", "LSTM", "LSTMCell", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid",
    "LogSoftmax", "MSELoss", "MaxPool1d", "MaxPool2d", "MaxUnpool2d", "MinibatchDiscrimination", "Mish", "Module",
    "ModuleDict", "ModuleList", "MultiheadAttention", "NLLLoss", "PReLU", "Parameter", "PixelShuffle", "PixelUnshuffle",
    "PoissonNLLLoss", "RMSNorm", "RNN", "RNNCell", "ReLU", "ReflectionPad2d", "ReplicationPad2d", "SELU", "Sequential",
    "SiLU", "Sigmoid", "SmoothL1Loss", "Softmax", "Softplus", "Tanh", "TransformerEncoderLayer", "TripletMarginLoss",
    "Unflatten", "Upsample", "VirtualBatch", "VirtualBatchNorm", "ZeroPad2d", "functional", "init", "summary", "utils"]

moved.guard(__name__)


def __dir__():
    return __all__


# Constructors and forwards check what the user gives: the error is one line that names the argument (arguments.py).
for _layer in list(globals().values()):
    if isinstance(_layer, type) and issubclass(_layer, Module) and _layer.__module__ != Module.__module__:
        for _method, _looks in (("__init__", _checked), ("forward", _explained)):
            setattr(_layer, _method, _looks(getattr(_layer, _method)))
del _layer, _method, _looks
