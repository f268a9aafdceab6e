"""checkpoint: trade time for memory.  It keeps a function's inputs, drops the rest, and computes it again in backward.

The engine can already differentiate an op through its composition (autograd.fused).  A checkpoint is a new op of this kind,
whose composition is the function itself.  Chen et al. 2016, arXiv:1604.06174.
"""

from minigan.autograd import Node, Op
from minigan.errors import GraphError
from minigan.streams import streams
from minigan.tensor import Tensor, clock


def checkpoint(function):
    """checkpoint(f)(*xs) is f(*xs), a Tensor, but keeps only its inputs and output in memory; backward runs f once more.

    f may use other tensors too, such as a module's parameters; they get their gradients.  The second run draws the same random
    numbers from minigan's streams (dropout) as the first.  Every order of derivative works.  f must compute the same values
    again, so constants that it uses beside its inputs must not change between the runs.  What f changes in place (the running
    statistics of batch norm) it changes twice.
    GraphError if f does not return one Tensor.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> np.allclose(mg.grad(mg.checkpoint(mg.exp)(x).sum(), x)[0], np.exp([1, 2]))
    True
    """

    def call(*xs):
        before, start = streams.state_dict(), next(clock)
        tensors = [isinstance(x, Tensor) for x in xs]
        inputs = [x.detach().requires_grad_() if isinstance(x, Tensor) and x.requires_grad else x for x in xs]
        out = function(*inputs)
        if not isinstance(out, Tensor):
            raise GraphError(f"checkpoint: the function must return one Tensor, it returned {type(out).__name__}")
        result = out.detach()
        if out.node is None:
            return result
        others = _older(out.node, start)

        def again(*values):
            now = streams.state_dict()
            streams.load_state_dict(before)
            try:
                return function(
                    *(Tensor(v) if constant and not isinstance(v, Tensor) else v for v, constant in zip(values, tensors))
                )
            finally:
                streams.load_state_dict(now)

        again.__name__ = "checkpoint"
        op = Op(again, None, composition=again)
        ours = [x if isinstance(x, Tensor) else Tensor(x) for x in xs]
        cells = [x.changed for x in ours] + [node.leaf().changed if node.op is None else None for node in others]
        result.node = Node(
            op, [x.data for x in ours], ((), {}), [x.node for x in ours] + others, cells, None, out.shape, out.dtype
        )
        return result

    return call


def _older(root, start):
    """The nodes made before `start` that a function reached on its own: parameters, or tensors it closed over."""
    found, seen, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.order < start:
            found.append(node)
        else:
            stack.extend(node.parents)
    return found
