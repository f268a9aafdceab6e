"""Networks: modules, layers, initialisers under PyTorch's names.

module   Module, Parameter, Sequential: read this one first       functional   the functions behind the layers
layers   dense, convolutions, activations, pixels, losses         init         initialisers
norm     batch, instance, layer, group normalisation              rnn          LSTM, GRU and their cells
utils    spectral norm, clipping, summary
"""

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

__all__ = [
    "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d",
    "Conv1d", "Conv2d", "ConvTranspose2d", "CrossEntropyLoss", "Dropout", "Dropout2d", "ELU", "Embedding", "Flatten", "GELU",
    "GRU", "GRUCell", "GroupNorm", "HuberLoss", "Identity", "InstanceNorm2d", "KLDivLoss", "L1Loss", "LSTM", "LSTMCell",
    "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MSELoss", "MaxPool2d", "MinibatchDiscrimination", "Module",
    "ModuleDict", "ModuleList", "NLLLoss", "PReLU", "Parameter", "PixelShuffle", "PixelUnshuffle", "ReLU", "ReflectionPad2d",
    "ReplicationPad2d", "Sequential", "SiLU", "Sigmoid", "SmoothL1Loss", "Softmax", "Softplus", "Tanh", "Unflatten",
    "Upsample", "VirtualBatch", "VirtualBatchNorm", "ZeroPad2d", "functional", "init", "summary", "utils"]


def __dir__():
    return __all__
