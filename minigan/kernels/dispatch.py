"""Which kernel runs where: the table that the ops import.  The arrays decide, as everywhere.

A row names the function for NumPy's arrays and the function for a GPU's arrays.  The second is text, "file.function" in
kernels/cuda/, because that file is imported only when an array on a GPU first needs it.
"""

from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

from minigan.backend import xp
from minigan.kernels.cpu import activation, conv, linalg, loss, norm
from minigan.watch import watchers


def on_card(name: str) -> Any:
    """A function that calls the function `name` of kernels/cuda, whose file is imported at the first call."""
    file, _, function = name.partition(".")

    def call(*args):
        return getattr(import_module(f"minigan.kernels.cuda.{file}"), function)(*args)

    call.__name__ = name
    return call


def by_array(cpu, card: str) -> Any:
    """A function that calls `cpu`, or the function `card` of kernels/cuda if its arrays are on a GPU.

    Its first argument is an array or a list of arrays.  DeviceError when the arrays are on different devices.
    """
    there = on_card(card)

    @wraps(cpu)
    def call(x, *args):
        if type(x) is np.ndarray:
            return cpu(x, *args)
        arrays = x if isinstance(x, (list, tuple)) else (x, *args)
        if xp(*arrays) is not np:
            return there(x, *args)
        recorder = watchers.recorder
        return cpu(x, *args) if recorder is None else recorder.run(cpu.__name__, None, cpu, (x, *args), {})

    call.card = there  # type: ignore[attr-defined]  # so that a caller can get the GPU's function
    return call


# name                           on the CPU                       on a GPU
matmul = by_array(linalg.matmul, "linalg.matmul")
conv2d = by_array(conv.conv2d, "conv.conv2d")
conv2d_adjoint = by_array(conv.conv2d_adjoint, "conv.conv2d_adjoint")
conv2d_weight = by_array(conv.conv2d_weight, "conv.conv2d_weight")
add_bias = by_array(activation.add_bias, "activation.add_bias")
bias_gradient = by_array(activation.bias_gradient, "activation.bias_gradient")
leaky_relu = by_array(activation.leaky_relu, "activation.leaky_relu")
leaky_relu_gradient = by_array(activation.leaky_relu_gradient, "activation.leaky_relu_gradient")
softplus = by_array(activation.softplus, "activation.softplus")
sigmoid = by_array(activation.sigmoid, "activation.sigmoid")
bell = by_array(activation.bell, "activation.bell")
kept = by_array(activation.kept, "activation.kept")
batch_norm_moments = by_array(norm.moments, "norm.moments")
batch_norm_follow = by_array(norm.follow, "norm.follow")
batch_norm_forward = by_array(norm.forward, "norm.forward")
batch_norm_backward = by_array(norm.backward, "norm.backward")
logits_loss = by_array(loss.logits_loss, "loss.logits_loss")
logits_loss_gradient = by_array(loss.logits_loss_gradient, "loss.logits_loss_gradient")
concatenate = by_array(np.concatenate, "memory.concatenate")

# These have no kernel on the CPU: ops/loss.py makes the first from other ops, and optim/rules.py has the lines of the second.
softmax_loss = on_card("loss.softmax_loss")
adam = on_card("adam.update")
adam_clock = on_card("adam.Clock")
