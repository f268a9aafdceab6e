"""The heart of minigan: record operations, then walk them backwards.  Read this file first (ten minutes).

Node        one recorded call: the op, its inputs, and the Nodes those came from
primitive   an array function with one gradient rule per input       fused      one with a hand-made backward pass
grad        vector-Jacobian products, any order                      backward   the same, added into .grad
vjp         what both do: collect the nodes, select those that lead to a target, walk from the newest to the oldest

The main idea: a rule is written in public ops and plain operators.  If an op gets arrays, it computes and records nothing.
If it gets a Tensor, it also records the call.  So in an ordinary backward pass a rule is plain NumPy, and with
create_graph=True the same lines build the graph of the next derivative.  There is no second set of rules.

Elsewhere: what a Tensor is (tensor.py), no_grad (grad_mode.py), the rules (ops/), arrays and devices (backend.py), the proof
that the rules are right (gradcheck.py), tools that watch (watch.py).
"""

import weakref
from functools import partial, wraps
from operator import attrgetter

import numpy as np

from minigan import errors, moved
from minigan.backend import MODULES, check_mix, constant
from minigan.errors import CONSTANT, FREED, DTypeError, GraphError, ShapeError, broadcast_advice, stale
from minigan.grad_mode import enable_grad, is_recording, set_recording
from minigan.leaves import add_grad, arrived, earlier, nodes_of
from minigan.tensor import Differentiable, Function, P, Tensor, clock, refuse_graph
from minigan.watch import calling_line, run, watchers


class Node:
    """One recorded call, or a leaf: a tensor for which the user wants derivatives (its op is None).

    A node points at its parents only, and has only a weak reference to a leaf's tensor.  Nothing points forward, so there is
    no cycle, and the memory of a graph is freed together with its last tensor, without the garbage collector.
    """

    __slots__ = ("cells", "dtype", "inputs", "leaf", "op", "order", "output", "params", "parents", "shape", "site")

    def __init__(self, op, inputs, params, parents, cells, output, shape, dtype, site=None):
        self.order = next(clock)
        self.op = op
        self.inputs = inputs  # the arrays that the rules may read; None for an array that the op did not save
        self.params = params  # (positional, keyword) arguments that are not differentiated
        self.parents = parents  # a Node or None for each input; the whole tuple becomes None when the graph is freed
        self.cells = cells  # the `changed` cells of what is saved: one for each input, and the output's at the end
        self.output = output  # the output array, if it is saved; for a fused op, what its forward kept
        self.shape, self.dtype = shape, dtype  # of the output
        self.site = site  # the line that made the call, if a watcher was active


def leaf(tensor: Tensor) -> Node:
    """The node of a tensor for which the user wants derivatives.  DTypeError unless its dtype is a float."""
    if tensor.data.dtype.kind != "f":
        raise DTypeError(f"requires_grad needs a float dtype, got {tensor.data.dtype}; use .astype('float32')")
    node = earlier(tensor)
    if node is None:
        node = Node(None, (), None, (), (), None, tensor.data.shape, tensor.data.dtype)
        node.leaf = weakref.ref(tensor)  # type: ignore[attr-defined]  # a slot that only leaves fill
        tensor.leaves = (*getattr(tensor, "leaves", ()), node)
    return node


NO_PARAMS = ((), {})  # all nodes share it, because Python's collector is faster on a graph of fewer objects

# --------------------------------------------------------------------------------------------------------- recording ---


class Op:
    """What the engine knows of an op; the public function has it as `.op`.  count: the number of inputs; None: any number."""

    def __init__(self, forward, count, rule=None, broadcasts=False, saves="both", views=False, backward=None, composition=None):
        self.name, self.forward, self.count, self.rule = forward.__name__, forward, count, rule
        self.broadcasts, self.views = broadcasts, views
        self.adds = None  # adds(total, g, *params) adds what the only rule gives to an array in place; see _getitem
        self.saves_inputs, self.saves_output = saves in ("both", "inputs"), saves in ("both", "output")
        self.backward, self.composition = backward, composition


def primitive(
    forward: Function[P], *rules, name=None, broadcasts=False, saves="both", views=False, variadic=False
) -> Differentiable[P]:
    """A differentiable op: if it gets arrays, it computes; if it gets a Tensor, it also records the call.

    forward(*inputs, *params) -> array: plain array code.  The first len(rules) arguments are the inputs.
    rules[i](g, y, *inputs, *params) -> the gradient for input i, where g is the gradient that arrives at the output y.
        A rule is written in public ops and plain operators, so that it can be differentiated too.  It returns g, a view of
        g, or a new array, which has exactly the input's shape and dtype; None stands for zeros.
    name: is used in errors and reports; forward.__name__ by default.
    broadcasts: forward broadcasts its inputs; the engine then sums the rules' results back to the inputs' shapes.
    saves: which arrays the rules read: "both", "inputs", "output", or "neither".  The engine does not keep the others; the
        rules get a substitute that has only their shape, dtype and ndim.
    views: the output shares memory with the first input, so an in-place change of one also changes the other.
    variadic: the op takes any number of inputs, all positional, and has one rule: rule(i, g, y, *inputs, **params).
    """
    forward.__name__ = name or forward.__name__
    count, rule = (None, lambda i: partial(rules[0], i)) if variadic else (len(rules), rules.__getitem__)
    return _callable(Op(forward, count, rule, broadcasts, saves, views))


def fused(forward: Function[P], backward, composition=None, rules=(), saves="both") -> Differentiable[P]:
    """A differentiable op that has a hand-made backward pass, for speed, and an equal composition of simpler ops, or rules.

    forward(*inputs, **params) -> (y, kept);   backward(g, needed, kept, *inputs, **params) -> one gradient per input
    (None where needed[i] is False);   composition(*inputs, **params) -> y, in public ops.  With create_graph=True the engine
    differentiates the composition, or uses the rules, whose y is then unknown; tests check that both give the same.
    """
    count = len(rules) or composition.__code__.co_argcount - len(composition.__defaults__ or ())
    rule = rules.__getitem__ if rules else None
    return _callable(Op(forward, count, rule, saves=saves, backward=backward, composition=composition))


def _callable(op):
    """The public function of an op; it has the forward's name, docstring and signature."""
    count, forward, is_fused = op.count, op.forward, op.backward is not None

    @wraps(forward)
    def call(*args, **params):
        if count is not None and len(args) < count:
            from inspect import signature  # it is slow to import, and needed only if inputs are given by name

            bound = signature(forward).bind(*args, **params)
            args, params = bound.args, bound.kwargs
        for x in args if count is None or len(args) == count else args[:count]:
            if isinstance(x, Tensor):
                return record(op, args, params)
        return forward(*args, **params)[0] if is_fused else forward(*args, **params)

    call.op = op  # type: ignore[attr-defined]  # a function may have any attribute
    return call


def record(op, args, params):
    """Call op with Tensors among its inputs; return a Tensor that remembers the call if a derivative may be asked for."""
    count = op.count
    inputs, rest = (args, ()) if count is None or len(args) == count else (args[:count], args[count:])
    arrays, parents, cells, tracked, first, site = [], [], [], False, None, None
    for x in inputs:
        if isinstance(x, Tensor):
            array, node, cell = x.data, x.node, x.changed
            tracked = tracked or node is not None
        else:
            array, node, cell = x if type(x) in MODULES else constant(x, inputs), None, None
        arrays.append(array)
        parents.append(node)
        cells.append(cell)
        if type(array) in MODULES:
            if first is None:
                first = array
            elif array.dtype != first.dtype or array.device != first.device:
                check_mix(op.name, arrays)
    if rest or params:
        refuse_graph(op.name, (*rest, *params.values()))
    try:
        if watchers.active:
            site = calling_line()
            y = run(op.name, "forward", site, arrays, op.forward, *arrays, *rest, **params)
        else:
            y = op.forward(*arrays, *rest, **params)
    except ValueError as error:
        if op.broadcasts and "broadcast" in str(error):
            raise ShapeError(broadcast_advice(op.name, [np.shape(a) for a in arrays])) from None
        raise
    kept = None
    if op.backward is not None:
        y, kept = y
    if type(y) not in MODULES:
        y = np.asarray(y)
    shared = op.views and (y is arrays[0] or (y.base is not None and (y.base is arrays[0] or y.base is arrays[0].base)))
    out = Tensor(y, None, cells[0] if shared else None)  # a copy (for example of a mask's elements) does not share the cell
    if tracked and is_recording():
        if not op.saves_inputs:  # constants stay, because a rule may read their shapes; the others' shapes are in their nodes
            arrays, cells[:] = [a if node is None else None for a, node in zip(arrays, parents)], [None] * len(arrays)
        cells.append(out.changed if op.saves_output else None)
        output = kept if op.backward is not None else y if op.saves_output else None
        constants = (rest, params) if rest or params else NO_PARAMS
        out.node = Node(op, tuple(arrays), constants, tuple(parents), tuple(cells), output, y.shape, y.dtype, site)
    return out


# --------------------------------------------------------------------------------------------------------- backwards ---


class _Unsaved:
    """A substitute for an array that an op did not save: rules may read its shape, dtype and ndim."""

    __slots__ = ("dtype", "ndim", "shape")

    def __init__(self, node):
        self.shape, self.dtype, self.ndim = node.shape, node.dtype, len(node.shape)


def vjp(roots, targets, create_graph=False, retain_graph=False, boundary=()):
    """The gradients that arrive at the target nodes when each (node, g) of roots starts with gradient g.

    targets None: all leaves.  boundary: the walk stops at these nodes, because another walk handles what is behind them.
    Returns {target: g} without the targets on which the roots do not depend.  Each g is an array; with create_graph, a Tensor.
    """
    grads = {}
    for node, g in roots:
        grads[node] = _array(grads[node] + g) if node in grads else g
    nodes = collect(grads, boundary)
    targets, wanted = _select(nodes, targets, boundary)
    return _walk(nodes, grads, targets, wanted, create_graph, retain_graph, boundary)


def collect(roots, boundary):
    """All nodes from which the roots were computed, the oldest first.  GraphError if a part of the graph is freed."""
    nodes, seen, stack = [], set(), list(roots)
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        nodes.append(node)
        if node.parents is None:
            raise GraphError(f"{node.op.name}: {FREED}")
        if node not in boundary:
            stack.extend(node.parents)
    nodes.sort(key=attrgetter("order"))
    return nodes


def _select(nodes, targets, boundary):
    """(targets, the nodes that lead to one).  A child is newer than its parents, so one pass from the oldest finds them all."""
    if targets is None:
        return {node for node in nodes if node.op is None}, set(nodes)
    wanted = set(targets)
    for node in nodes:
        if node not in boundary and not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return targets, wanted


def _walk(nodes, grads, targets, wanted, create_graph, retain_graph, boundary):
    """{target: g}.  grads: {node: what has arrived there}; at the start it has the roots only.

    The walk goes from the newest node to the oldest.  So a node's gradient is complete when its turn comes, because every node
    that used its output is newer.
    """
    results, kinds = {}, (Tensor,) if create_graph else MODULES
    owned = set()  # the nodes whose gradient is an array that only we hold, so we may add to it in place
    while nodes:
        node = nodes.pop()
        if node not in wanted:
            continue
        g = grads.pop(node, None)
        if node in targets:
            results[node] = g if g is None or create_graph or node in owned else g.copy(order="K")
        if node.op is None or node in boundary:
            continue
        if g is not None and node.op.adds and node.parents[0] in owned:
            run(node.op.name, "backward", node.site, [g], node.op.adds, grads[node.parents[0]], g, *node.params[0])
        elif g is not None:
            for i, parent, h in contributions(node, g, wanted, create_graph):
                if h.shape != parent.shape or h.dtype != parent.dtype or type(h) not in kinds:
                    h = fitted(h, parent, node.op, i)
                if parent not in grads:
                    grads[parent] = h
                    # We may add in place to a new array that a rule made; g itself or a view may have other owners.
                    if node.op.rule and not create_graph and h is not g and h.base is None:
                        owned.add(parent)
                elif parent in owned and h.ndim:
                    grads[parent] += h
                else:
                    grads[parent] = _array(grads[parent] + h)
                    if not create_graph:
                        owned.add(parent)
        if not retain_graph:
            node.inputs = node.output = node.parents = node.cells = None
    return results


def contributions(node, g, wanted, create_graph):
    """[(i, parent, gradient of input i), ...] for the wanted inputs of a node with gradient g, without those that are zero."""
    op, cells, parents, y, values = node.op, node.cells, node.parents, node.output, node.inputs
    if values is None:  # freed since `collect`; `inputs` is freed first, so the attributes that were read before it are whole
        raise GraphError(f"{op.name}: {FREED}")
    for cell in cells:
        if cell is not None and cell[0] > node.order:
            raise GraphError(stale(op.name, node.site, [c is cell for c in cells].index(True), parents))
    shown = partial(run, op.name, "backward", node.site, [g]) if watchers.active else None
    rest, params = node.params
    if op.rule is None or (op.backward is not None and not create_graph):
        needed = [parent in wanted for parent in parents]
        if create_graph or op.backward is None:
            results = _through_composition(node, g, needed, create_graph)
        else:
            backward = partial(shown, op.backward) if shown else op.backward
            results = backward(g, needed, y, *values, *rest, **params)
        return [(i, parents[i], h) for i, h in enumerate(results) if h is not None]
    if not op.saves_inputs:
        values = [_Unsaved(p) if a is None else a for a, p in zip(values, parents)]
    elif create_graph:
        values = [a if p is None else Tensor(a, p, cell) for a, p, cell in zip(values, parents, cells)]
    if create_graph and y is not None and op.backward is None:
        y = Tensor(y, node, cells[-1])
    results = []
    for i, parent in enumerate(parents):
        if parent in wanted:
            rule = partial(shown, op.rule(i)) if shown else op.rule(i)
            h = rule(g, y, *values, *rest, **params)
            if h is not None:
                results.append((i, parent, h))
    return results


def fitted(h, parent, op, i):
    """The gradient h of input i, summed to the input's shape where it was broadcast.  GraphError if the shape cannot fit."""
    if op.broadcasts and h.shape != parent.shape:
        lead = h.ndim - len(parent.shape)
        repeated = [k for k in range(h.ndim) if k < lead or parent.shape[k - lead] == 1 != h.shape[k]]
        h = h.sum(axis=tuple(repeated), keepdims=True).reshape(parent.shape)
    if h.shape != parent.shape or h.dtype != parent.dtype:
        raise GraphError(errors.misfit(op.name, i, h, parent))
    return _array(h)


def _array(x):
    return np.asarray(x) if isinstance(x, np.generic) else x  # NumPy turns 0-d results into scalars


def _through_composition(node, g, needed, create_graph):
    """Gradients of a fused op (or a checkpoint): compute its composition again, record it, and differentiate the record."""
    rest, params = node.params
    inputs = []
    for array, parent, cell in zip(node.inputs, node.parents, node.cells):
        if parent is not None:  # with create_graph the input gets a new node, so that the walk can stop there
            array = Tensor(array, parent, cell).reshape(array.shape) if create_graph else Tensor(array).requires_grad_()
        inputs.append(array)
    ends = [x.node if isinstance(x, Tensor) else None for x in inputs]
    ends += node.parents[len(inputs) :]  # what a checkpoint's function uses beside its inputs
    with enable_grad():
        out = node.op.composition(*inputs, *rest, **params)
        targets = {end for end, need in zip(ends, needed) if need}
        found = vjp([(out.node, g)], targets, create_graph, create_graph, boundary=ends)
    return [found.get(end) if need else None for end, need in zip(ends, needed)]


def _start(output, gradient, argument, create_graph):
    """The gradient with which the walk starts: 1 for a scalar, else what the user gave, after checks."""
    if not isinstance(output, Tensor) or output.node is None:
        raise GraphError(f"this tensor has no graph: {CONSTANT}")
    y = output.data
    if gradient is None:
        if y.ndim:
            raise GraphError(errors.no_scalar(y.shape, argument))
        gradient = MODULES[type(y)].ones_like(y)
    if not isinstance(gradient, Tensor):
        gradient = Tensor(gradient if type(gradient) in MODULES else np.asarray(gradient, y.dtype))
    if gradient.shape != y.shape:
        raise ShapeError(f"{argument} is {gradient.shape}, but the tensor is {y.shape}; they must be equal")
    if gradient.dtype != y.dtype:
        raise DTypeError(f"{argument} is {gradient.dtype}, but the tensor is {y.dtype}; use .astype(...)")
    return gradient if create_graph else gradient.data


def backward(output, gradient=None, retain_graph=False) -> None:
    """Add the derivatives of `output` to the .grad of every leaf from which it was computed.

    gradient: the vector of the vector-Jacobian product, of output's shape; you may leave it out for a scalar.  The walk frees
    the graph, unless retain_graph is true.  Leaves on which the output does not depend stay as they are.
    """
    start = _start(output, gradient, "gradient", False)
    for node, g in vjp([(output.node, start)], None, False, retain_graph).items():
        add_grad(node, g)


def grad(outputs, inputs, grad_outputs=None, create_graph=False, retain_graph=None, allow_unused=False) -> tuple[Tensor, ...]:
    """The gradients of outputs with respect to inputs, as a tuple of Tensors; no .grad changes.

    outputs, inputs, grad_outputs: a Tensor or a sequence of them; you may leave out grad_outputs for scalars.  For several
    outputs the gradients are summed.  create_graph: the results can be differentiated again (torch.autograd.grad).
    retain_graph: keep the graph for another call; by default it has the value of create_graph.  GraphError for an input on
    which the outputs do not depend, unless allow_unused is true: then its place holds None.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    grad_outputs = list(grad_outputs) if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(outputs)
    if len(grad_outputs) != len(outputs):
        raise GraphError(f"grad: {len(outputs)} outputs but {len(grad_outputs)} grad_outputs; give one for each")
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor) or x.node is None:
            raise GraphError(f"grad: input {i} does not require a gradient; make it with requires_grad=True")
    retain_graph = create_graph if retain_graph is None else retain_graph
    roots = [(o.node, _start(o, g, "grad_outputs", create_graph)) for o, g in zip(outputs, grad_outputs)]
    targets = {node for x in inputs for node in nodes_of(x)}
    with set_recording(create_graph or is_recording()):
        found = vjp(roots, targets, create_graph, retain_graph)
    results = []
    for i, x in enumerate(inputs):
        g = arrived(x, found)
        if g is None and not allow_unused:
            raise GraphError(errors.unused(i, x.data.shape))
        results.append(g if g is None or isinstance(g, Tensor) else Tensor(g))
    return tuple(results)  # type: ignore[arg-type]  # it holds None only if allow_unused is true


moved.guard(__name__)
