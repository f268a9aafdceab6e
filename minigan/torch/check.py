"""`--check`: is the gradient of a script's own loss right?   Its graph is computed again in float64, with some weights moved.

loss_check   gradcheck of a loss by some coordinates of the parameters that lead to it
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.autograd import collect, record
from minigan.errors import GraphError
from minigan.gradcheck import Report

COORDINATES = 3  # of each parameter
# A unit of a move, relative to the weights: a layer of thousands of ReLUs has a kink nearby, so only small moves see none.
NEAR = 1e-3
PARAMETERS = 12  # at most; the first and the last ones, because an error often sits at one end


def loss_check(loss: mg.Tensor, seed: int = 0) -> tuple[Report, int, int]:
    """(what gradcheck found, number of coordinates, number of parameters).   GradientMismatch if the gradient is wrong.

    The graph of the loss remembers every op with its constants: masks of dropout, noise, the batch.  So the loss is a function
    of the parameters that can be computed again.  Non-smooth places (relu at 0) are skipped.
    """
    nodes = collect([loss.node], ())
    leaves = {node: node.leaf() for node in nodes if node.op is None}
    trained = [node for node, leaf in leaves.items() if isinstance(leaf, mg.nn.Parameter)]
    if not trained:
        raise GraphError("--check: the first loss depends on no parameter, so there is nothing to check")
    half = PARAMETERS // 2
    trained = trained if len(trained) <= PARAMETERS else trained[:half] + trained[-half:]
    rng = np.random.default_rng(seed)
    places = {
        node: np.unravel_index(rng.choice(leaves[node].size, min(COORDINATES, leaves[node].size), replace=False), node.shape)
        for node in trained
    }
    counts = [np.size(places[node][0]) if node.shape else 1 for node in trained]
    ends = np.cumsum([0, *counts])
    typical = max(_size(leaves[node].data) for node in trained) or 1.0  # for biases that are still 0

    def loss_of(moves):
        moved = {}
        for node, start, end in zip(trained, ends, ends[1:]):
            value = leaves[node].data.astype(np.float64)
            part = moves[start:end] * (NEAR * (_size(value) or typical))
            moved[node] = value + (mg.ops.scatter_into(part, node.shape, places[node]) if node.shape else part[0])
        return _again(nodes, leaves, moved)[loss.node]

    report = mg.gradcheck(loss_of, np.zeros(ends[-1]), kinks="skip", name="loss")
    return report, int(ends[-1]), len(trained)


def _size(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _again(nodes, leaves, moved):
    """{node: its value}, in float64, where the nodes in `moved` have new values."""
    values: dict[Any, Any] = dict(moved)
    for node in nodes:
        if node in values:
            continue
        if node.op is None:
            leaf = leaves[node]
            if leaf is None:
                raise GraphError("--check: a leaf of the loss's graph is gone, so the loss can't be computed again")
            values[node] = _wide(leaf.data)
            continue
        rest, params = node.params
        args = [_wide(x) if parent is None else values[parent] for x, parent in zip(node.inputs, node.parents)]
        if node.op.name == "astype":  # everything stays in float64
            values[node] = args[0]
        elif node.op.composition is not None:  # a fused forward may get parts of its work done, as batch norm its batch's mean
            values[node] = node.op.composition(*args, *rest, **params)
        elif any(isinstance(x, mg.Tensor) for x in args):
            values[node] = record(node.op, (*args, *rest), params)
        else:
            y = node.op.forward(*args, *rest, **params)
            values[node] = y[0] if node.op.backward is not None else y
    return values


def _wide(x):
    return x.astype(np.float64) if getattr(x, "dtype", None) is not None and x.dtype.kind == "f" else x
