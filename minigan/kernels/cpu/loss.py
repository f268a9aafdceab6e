"""Losses that have their own kernel on a GPU, with the gradient.  Here they are array expressions."""

import numpy as np

from minigan.kernels.cpu.memory import mapped


def logits_loss(a, t):
    """(max(a, 0) - a t + log(1 + e^-|a|) elementwise, None): nothing is kept, because the gradient is computed when needed."""
    return np.maximum(a, 0) - a * t + np.log1p(np.exp(-np.abs(a))), None


def logits_loss_gradient(g, kept, a, t):
    """g (sigmoid(a) - t); for a > 0 it is computed as (1 - t) - sigmoid(-a), which loses no digits if t is 1.

    A factor of 1 or -1 chooses, because np.where would take twice as long as all the rest together.
    """

    def piece(out, a, t, g):
        far, beyond = np.empty_like(a), np.empty_like(a)
        np.exp(np.negative(np.abs(a, out=far), out=far), out=far)
        far /= np.add(far, 1, out=beyond)  # sigmoid(-|a|)
        np.greater(a, 0, out=out)  # 1 or 0
        far *= np.subtract(1, np.multiply(out, 2, out=beyond), out=beyond)
        out -= t
        out += far
        out *= g

    return mapped(piece, a, np.asarray(t, a.dtype), g)  # t may be booleans
