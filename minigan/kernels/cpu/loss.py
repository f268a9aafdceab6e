"""Losses whose gradient is worth a kernel of its own on a card.  Here they are array expressions."""

import numpy as np


def logits_loss(a, t):
    """max(a, 0) - a t + log(1 + e^-|a|), elementwise, and nothing kept: the gradient is computed when it is asked for."""
    return np.maximum(a, 0) - a * t + np.log1p(np.exp(-np.abs(a))), None


def logits_loss_gradient(g, kept, a, t):
    """g (sigmoid(a) - t), for a > 0 as (1 - t) - sigmoid(-a): where t is 1, nothing cancels."""
    t = np.asarray(t, a.dtype)  # it may be booleans, from which 1 - t would make integers
    e = np.exp(-np.abs(a))
    far = e / (1 + e)
    return g * np.where(a > 0, (1 - t) - far, far - t)
