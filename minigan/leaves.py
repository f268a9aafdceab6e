"""Leaves: tensors that the user wants derivatives for, frozen, converted or moved as they may be after they were used.

earlier     the node a leaf had, if there is one that fits        nodes_of    where gradients for a tensor arrive
arrived     the gradient of a tensor in what a walk has found     add_grad    what backward() does with it
"""

import threading
from typing import Any

import numpy as np

from minigan.backend import MODULES, to_device
from minigan.tensor import Tensor, plain


def earlier(tensor):
    """The node that the tensor had as a leaf of its present shape and dtype, or None.

    A leaf that is frozen and unfrozen keeps its node, so that graphs from before still lead to it.
    """
    now = tensor.data.shape, tensor.data.dtype
    return next((node for node in getattr(tensor, "leaves", ()) if (node.shape, node.dtype) == now), None)


def nodes_of(x):
    """Where gradients for x arrive: at its node; of a leaf that was converted, also at those of its former dtypes."""
    return x.leaves if x.node.op is None else (x.node,)


def arrived(x, found):
    """The gradient of x in found, {node: gradient or None for zeros}; None if x was not reached."""
    reached = [found[node] for node in nodes_of(x) if node in found]
    gradients = [g if x.node.op else _as_now(g, x) for g in reached if g is not None]
    if reached and not gradients:  # every rule on the way said "zero"
        return MODULES[type(x.data)].zeros_like(x.data)
    return _total(gradients) if gradients else None


def _as_now(g, leaf) -> Any:
    """The gradient g with the dtype and on the device that the leaf has now."""
    if g.dtype != leaf.data.dtype:
        g = g.astype(leaf.data.dtype)
    if isinstance(g, Tensor):
        return g.to(leaf.device)
    return g if type(g) is type(leaf.data) else to_device(g, leaf.device)


def _total(gradients) -> Any:
    total = gradients[0]
    for g in gradients[1:]:
        total = total + g
    return np.asarray(total) if isinstance(total, np.generic) else total  # NumPy turns 0-d results into scalars


_adding = threading.Lock()  # several threads may call backward() for graphs that share leaves


def add_grad(node, g):
    """Add g into the .grad of the leaf with this node, unless it is gone, or frozen by now."""
    leaf = node.leaf()
    if leaf is None or leaf.node is None or g is None:
        return
    g = _as_now(g, leaf)
    with _adding:
        leaf.grad = Tensor(g if leaf.grad is None else _total([plain(leaf.grad), g]))
