"""Losses whose gradient is worth a kernel of its own on a card.  Here they are array expressions."""

import numpy as np

from minigan.kernels.cpu.activation import sigmoid


def logits_loss(a, t):
    """max(a, 0) - a t + log(1 + e^-|a|), elementwise, and nothing kept: the gradient is computed when it is asked for."""
    return np.maximum(a, 0) - a * t + np.log1p(np.exp(-np.abs(a))), None


def logits_loss_gradient(g, kept, a, t):
    """g (sigmoid(a) - t)."""
    return g * (sigmoid(a) - t)
