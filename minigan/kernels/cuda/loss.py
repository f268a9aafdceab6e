"""Losses on a GPU; each computes its gradient too, in one pass over the logits (loss.cu)."""

import numpy as np

from minigan.backend import xp
from minigan.kernels.cuda.launcher import launch
from minigan.kernels.cuda.memory import around, back, in_order, order_of


def logits_loss(a, t):
    """Binary cross-entropy with logits, elementwise, and its slope sigmoid(a) - t.   a and t have one shape."""
    order = order_of(a)
    a, t = in_order(a, order), in_order(t.astype(a.dtype, copy=False), order)  # t may be booleans
    loss, slope = xp(a).empty(a.shape, a.dtype), xp(a).empty(a.shape, a.dtype)
    launch("loss", "logits_loss", a.size, a, t, loss, slope, a.size)
    return back(loss, order), back(slope, order)


def logits_loss_gradient(g, kept, a, t):
    """g times the slope that was kept."""
    return g * kept


def softmax_loss(x, labels):
    """-log softmax(x)[label] along axis 1 of x (N, C, ...), or the only one, and its gradient softmax(x) - (1 at the label).

    labels: integers, with x's other axes.  A label that is not a class gives NaN.
    """
    axis = min(1, x.ndim - 1)
    x, labels = in_order(x, tuple(range(x.ndim))), in_order(labels.astype(np.int64, copy=False), tuple(range(labels.ndim)))
    loss, slope = xp(x).empty(labels.shape, x.dtype), xp(x).empty(x.shape, x.dtype)
    launch("loss", "softmax_loss", labels.size, x, labels, loss, slope, *around(x.shape, axis))
    return loss, slope
