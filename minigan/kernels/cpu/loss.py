"""Losses that have their own kernel on a GPU, with the gradient.  Here they are array expressions."""

import numpy as np


def logits_loss(a, t):
    """(max(a, 0) - a t + log(1 + e^-|a|) elementwise, None): nothing is kept, because the gradient is computed when needed."""
    return np.maximum(a, 0) - a * t + np.log1p(np.exp(-np.abs(a))), None


def logits_loss_gradient(g, kept, a, t):
    """g (sigmoid(a) - t); for a > 0 it is computed as (1 - t) - sigmoid(-a), which loses no digits if t is 1."""
    t = np.asarray(t, a.dtype)  # t may be booleans, and then 1 - t would be integers
    e = np.exp(-np.abs(a))
    far = e / (1 + e)
    return g * np.where(a > 0, (1 - t) - far, far - t)
