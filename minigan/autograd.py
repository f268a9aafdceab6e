"""The heart of minigan: record operations, then walk them backwards.  Read this file first (ten minutes).

Node        one recorded call: the op, its inputs, and the Nodes those came from
primitive   an array function with one gradient rule per input       fused      one with a hand-made backward pass
grad        vector-Jacobian products, any order                      backward   the same, added into .grad
vjp         what both do: collect the nodes, select those that lead to a target, walk from the newest to the oldest

The one idea: a rule is written in public ops and plain operators.  An op called with arrays computes and records
nothing; called with a Tensor it records.  So in ordinary backward a rule is plain NumPy, and under create_graph=True the
very same text builds the graph of the next derivative.  There is no second set of rules.

Elsewhere: what a Tensor is (tensor.py), no_grad (grad_mode.py), the rules (ops/), arrays and devices (backend.py), the proof
that the rules are right (gradcheck.py), tools that watch (watch.py).
"""

import weakref
from functools import partial, wraps
from operator import attrgetter

import numpy as np

from minigan import moved
from minigan.backend import MODULES, check_mix, constant
from minigan.errors import CONSTANT, FREED, DTypeError, GraphError, ShapeError, broadcast_advice, stale
from minigan.grad_mode import enable_grad, is_recording, set_recording
from minigan.leaves import add_grad, arrived, earlier, nodes_of
from minigan.tensor import Differentiable, Function, P, Tensor, clock, refuse_graph
from minigan.watch import calling_line, run, watchers


class Node:
    """One recorded call, or a leaf (op None): a tensor the user asked derivatives for.

    A node points at its parents only, and at a leaf's tensor only weakly.  Nothing points forward, so there is no cycle,
    and memory goes back the moment the last tensor of a graph does, without the garbage collector.
    """

    __slots__ = ("cells", "dtype", "inputs", "leaf", "op", "order", "output", "params", "parents", "shape", "site")

    def __init__(self, op, inputs, params, parents, cells, output, shape, dtype, site=None):
        self.order = next(clock)
        self.op = op
        self.inputs = inputs  # the arrays that the rules may read; None where the op did not save them
        self.params = params  # (positional, keyword) arguments that are not differentiated
        self.parents = parents  # one Node or None per input; None as a whole once freed
        self.cells = cells  # the `changed` cells of what is saved: of each input, and last of the output
        self.output = output  # the output array, if saved; of a fused op what its forward kept
        self.shape, self.dtype = shape, dtype  # of the output
        self.site = site  # the line that made the call, if somebody watched


def leaf(tensor: Tensor) -> Node:
    """The node of a tensor the user wants derivatives for.  DTypeError unless its dtype is a float."""
    if tensor.data.dtype.kind != "f":
        raise DTypeError(f"requires_grad needs a float dtype, got {tensor.data.dtype}; use .astype('float32')")
    node = earlier(tensor)
    if node is None:
        node = Node(None, (), None, (), (), None, tensor.data.shape, tensor.data.dtype)
        node.leaf = weakref.ref(tensor)  # type: ignore[attr-defined]  # a slot that only leaves fill
        tensor.leaves = (*getattr(tensor, "leaves", ()), node)
    return node


NO_PARAMS = ((), {})  # shared: the fewer objects a graph has, the less Python's collector walks

# --------------------------------------------------------------------------------------------------------- recording ---


class Op:
    """What the engine knows of an op; the public function carries it as `.op`.  count: of inputs, None for any number."""

    def __init__(self, forward, count, rule=None, broadcasts=False, saves="both", views=False, backward=None,
                 composition=None):
        self.name, self.forward, self.count, self.rule = forward.__name__, forward, count, rule
        self.broadcasts, self.views = broadcasts, views
        self.saves_inputs, self.saves_output = saves in ("both", "inputs"), saves in ("both", "output")
        self.backward, self.composition = backward, composition


def primitive(forward: Function[P], *rules, name=None, broadcasts=False, saves="both", views=False,
              variadic=False) -> Differentiable[P]:
    """A differentiable op: called with arrays it computes, called with a Tensor it also records.

    forward(*inputs, *params) -> array: plain array code.  The first len(rules) arguments are the inputs.
    rules[i](g, y, *inputs, *params) -> the gradient for input i, where g is the gradient arriving at the output y.
        Written in public ops and plain operators, so that it can itself be differentiated.  It returns g, a view of g, or
        a new array, of exactly the input's shape and dtype; None stands for zeros.
    name: for errors and reports; forward.__name__ by default.
    broadcasts: forward broadcasts its inputs; the engine then sums the rules' results back to the inputs' shapes.
    saves: which arrays the rules read: "both", "inputs", "output", or "neither".  The others are let go at once; the
        rules then see a stand-in with shape, dtype and ndim.
    views: the output shares memory with the first input, so an in-place change of one is a change of the other.
    variadic: any number of inputs, all positional, and one rule for all: rule(i, g, y, *inputs, **params).
    """
    forward.__name__ = name or forward.__name__
    count, rule = (None, lambda i: partial(rules[0], i)) if variadic else (len(rules), rules.__getitem__)
    return _callable(Op(forward, count, rule, broadcasts, saves, views))


def fused(forward: Function[P], backward, composition) -> Differentiable[P]:
    """A differentiable op with a hand-made backward pass, for speed, and the composition of simpler ops it stands for.

    forward(*inputs, **params) -> (y, kept);   backward(g, needed, kept, *inputs, **params) -> one gradient per input
    (None where needed[i] is False);   composition(*inputs, **params) -> y, in public ops.  Under create_graph=True the
    composition is differentiated; tests hold the two equal.
    """
    count = composition.__code__.co_argcount - len(composition.__defaults__ or ())
    return _callable(Op(forward, count, backward=backward, composition=composition))


def _callable(op):
    """The public function of an op: with the forward's name, docstring and signature."""
    count, forward, is_fused = op.count, op.forward, op.backward is not None
    @wraps(forward)
    def call(*args, **params):
        if count is not None and len(args) < count:
            from inspect import signature  # slow to import, and seldom needed: inputs given by name
            bound = signature(forward).bind(*args, **params)
            args, params = bound.args, bound.kwargs
        for x in args if count is None or len(args) == count else args[:count]:
            if isinstance(x, Tensor):
                return record(op, args, params)
        return forward(*args, **params)[0] if is_fused else forward(*args, **params)

    call.op = op  # type: ignore[attr-defined]  # a function may carry what it likes
    return call


def record(op, args, params):
    """Call op with Tensors among its inputs; return a Tensor that remembers the call if a derivative may be asked for."""
    count = op.count
    inputs, rest = (args, ()) if count is None or len(args) == count else (args[:count], args[count:])
    arrays, parents, cells = [], [], []
    tracked, first = False, None
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
    site = None
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
    out = Tensor(y, None, cells[0] if shared else None)  # a copy (of a mask's elements, say) has a life of its own
    if tracked and is_recording():
        if not op.saves_inputs:  # constants stay, their shapes may be asked for; the others' shapes stand in their nodes
            arrays, cells[:] = [a if node is None else None for a, node in zip(arrays, parents)], [None] * len(arrays)
        cells.append(out.changed if op.saves_output else None)
        output = kept if op.backward is not None else y if op.saves_output else None
        out.node = Node(op, tuple(arrays), (rest, params) if rest or params else NO_PARAMS, tuple(parents), tuple(cells),
                        output, y.shape, y.dtype, site)
    return out


# --------------------------------------------------------------------------------------------------------- backwards ---


class _Unsaved:
    """Stands for an array that an op did not save: rules may ask for its shape, dtype and ndim."""

    __slots__ = ("dtype", "ndim", "shape")

    def __init__(self, node):
        self.shape, self.dtype, self.ndim = node.shape, node.dtype, len(node.shape)


def vjp(roots, targets, create_graph=False, retain_graph=False, boundary=()):
    """The gradients that arrive at the target nodes when each (node, g) of roots starts with gradient g.

    targets None: all leaves.  boundary: nodes to stop at, for what lies behind them belongs to another walk.
    Returns {target: g}; a target that the roots do not depend on is missing.  g are arrays, under create_graph Tensors.
    """
    grads = {}
    for node, g in roots:
        grads[node] = _array(grads[node] + g) if node in grads else g
    nodes = _collect(grads, boundary)
    targets, wanted = _select(nodes, targets, boundary)
    return _walk(nodes, grads, targets, wanted, create_graph, retain_graph, boundary)


def _collect(roots, boundary):
    """All nodes that the roots were computed from, the oldest first.  GraphError if a part of the graph is freed."""
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
    """(targets, the nodes that lead to one).  A child is newer than its parents, so one pass from the oldest finds all."""
    if targets is None:
        return {node for node in nodes if node.op is None}, set(nodes)
    wanted = set(targets)
    for node in nodes:
        if node not in boundary and not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return targets, wanted


def _walk(nodes, grads, targets, wanted, create_graph, retain_graph, boundary):
    """{target: g}.  grads: {node: what has arrived there}, at first at the roots.

    From the newest node to the oldest: a node's gradient is complete when its turn comes, for whatever used its output is
    newer.
    """
    results, kinds = {}, (Tensor,) if create_graph else MODULES
    owned = set()  # the nodes whose gradient is an array of our own, which may be added to in place
    while nodes:
        node = nodes.pop()
        if node not in wanted:
            continue
        g = grads.pop(node, None)
        if node in targets:
            results[node] = g if g is None or create_graph or node in owned else g.copy(order="K")
        if node.op is None or node in boundary:
            continue
        if g is not None:
            for i, parent, h in _gradients(node, g, wanted, create_graph):
                if h.shape != parent.shape or h.dtype != parent.dtype or type(h) not in kinds:
                    h = _fitted(h, parent, node.op, i)
                if parent not in grads:
                    grads[parent] = h
                    # A rule's own array (not g, not a view) may be added to in place; others may have other owners.
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


def _gradients(node, g, wanted, create_graph):
    """[(i, parent, gradient of input i), ...] for the wanted inputs of a node with gradient g; zeros are left out."""
    op, cells, parents, y, values = node.op, node.cells, node.parents, node.output, node.inputs
    if values is None:  # the first to go when a node is freed, so what was read before it is whole
        raise GraphError(f"{op.name}: {FREED}")
    for cell in cells:
        if cell is not None and cell[0] > node.order:
            raise GraphError(stale(op.name, node.site, [c is cell for c in cells].index(True), parents))
    shown = partial(run, op.name, "backward", node.site, [g]) if watchers.active else None
    rest, params = node.params
    if op.rule is None:
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
    if create_graph and y is not None:
        y = Tensor(y, node, cells[-1])
    results = []
    for i, parent in enumerate(parents):
        if parent in wanted:
            rule = partial(shown, op.rule(i)) if shown else op.rule(i)
            h = rule(g, y, *values, *rest, **params)
            if h is not None:
                results.append((i, parent, h))
    return results


def _fitted(h, parent, op, i):
    """The gradient h of input i as an array of the input's shape: a broadcast is undone.  GraphError if it can't be."""
    if op.broadcasts and h.shape != parent.shape:
        lead = h.ndim - len(parent.shape)
        repeated = [k for k in range(h.ndim) if k < lead or parent.shape[k - lead] == 1 != h.shape[k]]
        h = h.sum(axis=tuple(repeated), keepdims=True).reshape(parent.shape)
    if h.shape != parent.shape or h.dtype != parent.dtype:
        raise GraphError(f"{op.name}: the rule of input {i} returned {h.dtype} {h.shape}, but the input is {parent.dtype} "
                         f"{parent.shape}; the rule is wrong")
    return _array(h)


def _array(x):
    return np.asarray(x) if isinstance(x, np.generic) else x  # NumPy turns 0-d results into scalars


def _through_composition(node, g, needed, create_graph):
    """Gradients of a fused op (or a checkpoint): compute its composition again, recorded, and differentiate that."""
    rest, params = node.params
    inputs = []
    for array, parent, cell in zip(node.inputs, node.parents, node.cells):
        if parent is not None:  # under create_graph a new name for the input, so that the walk can stop there
            array = Tensor(array, parent, cell).reshape(array.shape) if create_graph else Tensor(array).requires_grad_()
        inputs.append(array)
    ends = [x.node if isinstance(x, Tensor) else None for x in inputs]
    ends += node.parents[len(inputs):]  # what a checkpoint's function uses beside its inputs
    with enable_grad():
        out = node.op.composition(*inputs, *rest, **params)
        targets = {end for end, need in zip(ends, needed) if need}
        found = vjp([(out.node, g)], targets, create_graph, create_graph, boundary=ends)
    return [found.get(end) if need else None for end, need in zip(ends, needed)]


def _start(output, gradient, argument, create_graph):
    """The gradient that the walk starts with: 1 for a scalar, else what the user gave, checked."""
    if not isinstance(output, Tensor) or output.node is None:
        raise GraphError(f"this tensor has no graph: {CONSTANT}")
    y = output.data
    if gradient is None:
        if y.ndim:
            raise GraphError(f"only a scalar has one gradient and this tensor is {y.shape}; reduce it with .sum() or .mean(), "
                             f"or pass {argument} of that shape")
        gradient = MODULES[type(y)].ones_like(y)
    if not isinstance(gradient, Tensor):
        gradient = Tensor(gradient if type(gradient) in MODULES else np.asarray(gradient, y.dtype))
    if gradient.shape != y.shape:
        raise ShapeError(f"{argument} is {gradient.shape}, but the tensor is {y.shape}; they must be equal")
    if gradient.dtype != y.dtype:
        raise DTypeError(f"{argument} is {gradient.dtype}, but the tensor is {y.dtype}; use .astype(...)")
    return gradient if create_graph else gradient.data


def backward(output, gradient=None, retain_graph=False) -> None:
    """Add the derivatives of `output` into the .grad of every leaf that it was computed from.

    gradient: the vector of the vector-Jacobian product, of output's shape; may be left out for a scalar.  The graph is
    freed on the way unless retain_graph.  Leaves that the output does not depend on are untouched.
    """
    start = _start(output, gradient, "gradient", False)
    for node, g in vjp([(output.node, start)], None, False, retain_graph).items():
        add_grad(node, g)


def grad(outputs, inputs, grad_outputs=None, create_graph=False, retain_graph=None, allow_unused=False) -> tuple[Tensor, ...]:
    """The gradients of outputs with respect to inputs, as a tuple of Tensors; no .grad is touched.

    outputs, inputs, grad_outputs: a Tensor or a sequence of them; grad_outputs may be left out for scalars.  With several
    outputs the gradients are summed.  create_graph: the results can themselves be differentiated (torch.autograd.grad).
    retain_graph: keep the graph for another call; by default what create_graph is.  GraphError for an input that the
    outputs do not depend on, unless allow_unused: then its place holds None.
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
            raise GraphError(f"grad: input {i} {x.data.shape} was not used to compute the outputs (or was used under no_grad() "
                             f"or after detach()); leave it out, or pass allow_unused=True to get None in its place")
        results.append(g if g is None or isinstance(g, Tensor) else Tensor(g))
    return tuple(results)  # type: ignore[arg-type]  # a None only where it was asked for


moved.guard(__name__)
