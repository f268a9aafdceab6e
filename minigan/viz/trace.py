"""Backpropagation as a page: step through a computation and its derivatives, op by op, forwards and backwards.

trace      write the page of a Tensor, or of what a function returns
watching   a context that traces the n-th gradient that a program asks for, and ends the program there

The page shows, for each node, its value, the gradient that arrives, the local derivative and their product, where gradients
add up, where a broadcast is undone, the line of code of the rule, and a finite difference beside the gradient.   How it
knows: values that the engine did not keep are computed again by the ops' forwards from those that it kept; then the walk of
autograd.py is repeated, and every number is written down.   The page is one file, and asks for nothing else.   Elsewhere: its
frame, style and keys (trace.html), the drawing (graph.py).
"""

import contextlib
import inspect
import json
import linecache
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minigan import autograd
from minigan.backend import device_of, is_array, to_device, xp
from minigan.errors import CONSTANT, GraphError, stale
from minigan.serialize import replacing
from minigan.tensor import Tensor
from minigan.viz.graph import DEPTHS, STYLE, Graph, calls, drawing, frame, names_of
from minigan.watch import watch

SIDE = 8  # rows and columns of an array that are shown
JACOBIAN = 12  # outputs and inputs up to which the local derivative is shown as a matrix
STEP = 1e-6  # of a finite difference, in float64, relative to the number
NEAR, NOISE = 1e-3, 1e-5  # how far the gradient may be from it: relative to itself, and to the greatest gradient of the page
EFFORT = 2e8  # elements that all finite differences together may compute; beyond it the page says "not checked"


def trace(
    what: Tensor | Callable[[], Tensor], path: str | Path = "trace.html", names: dict[str, Any] | None = None, title: str = ""
) -> Path:
    """Write the page of a Tensor's graph, or of the Tensor that a function returns, and return its path.

    what: a Tensor with a graph (of any shape: the walk starts with ones, as for its sum), or a function without arguments that
    returns one; only for a function the page can close layers, and name the lines that called the ops.   path: of the page.
    names: {name: Tensor or Module} (default: the variables of the caller).   Raises GraphError for a Tensor without a graph,
    with a freed graph, or with one whose values were changed in place since.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.viz.trace((x * x).sum(), "square.html").name
    'square.html'
    """
    if names is None:
        caller: Any = sys._getframe(1)
        names = {**caller.f_globals, **caller.f_locals}
    noted = []
    if not isinstance(what, Tensor):
        with calls() as noted, watch(lambda *_: None):
            what = what()
    if not isinstance(what, Tensor) or what.node is None:
        raise GraphError(f"trace: this tensor has no graph: {CONSTANT}")
    start = np.ones(what.shape, what.dtype)
    return _write([(what.node, start)], names_of(names), noted, path, title or "One backward pass")


class Traced(BaseException):
    """Ends a program whose gradient has been traced; no `except Exception` of the program stops it."""


@contextlib.contextmanager
def watching(path, number: int = 1, names: dict[str, Any] | None = None, title: str = "") -> Iterator[Callable[[], int]]:
    """Inside the block, the gradient that is asked for as the `number`-th (by grad or backward) is traced into the page `path`,
    and the program then ends with Traced.   It gives a function: how many were asked for.   names: {name: Tensor or Module}
    (default: the variables around the line that asks)."""
    before, asked = autograd.vjp, 0

    def vjp(roots, *arguments, **options):
        nonlocal asked
        asked += 1
        if asked < number:
            autograd.vjp = before  # what an op does inside is no question of the program's
            try:
                return before(roots, *arguments, **options)
            finally:
                autograd.vjp = vjp
        autograd.vjp = before
        found = _names_around() if names is None else names_of(names)
        raise Traced(_write(list(roots), found, noted, path, title))

    autograd.vjp = vjp
    try:
        with calls() as noted, watch(lambda *_: None):
            yield lambda: asked
    finally:
        autograd.vjp = before


def _names_around():
    """Names of the Tensors and nets in the calling frames that are not minigan's own, the innermost first."""
    names: dict[int, str] = {}
    here: Any = sys._getframe(2)
    while here is not None:
        if not here.f_globals.get("__name__", "").startswith("minigan."):
            found = names_of({**here.f_globals, **here.f_locals})
            names = {**found, **names}
        here = here.f_back
    return names


def _write(roots, names, noted, path, title):
    roots = [(node, g.data if isinstance(g, Tensor) else g) for node, g in roots]
    with np.errstate(all="ignore"):  # an infinity is shown, not warned of
        story = Story(Graph([node for node, _ in roots], names, noted), roots)
    depths = {}
    for depth in DEPTHS if noted else ("ops",):
        boxes = story.graph.boxes(depth)
        depths[depth] = {
            "svg": f"<svg {frame(boxes)} role='group' aria-label='the graph'>{drawing(boxes)}</svg>",
            "boxes": [{"name": box.name, "members": box.members} for box in boxes],
        }
    page = (Path(__file__).parent / "trace.html").read_text(encoding="utf-8")
    told = {"title": title, "depths": depths, "nodes": story.nodes, "events": story.events}
    content = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    page = page.replace("/*STYLE*/", STYLE).replace("/*CONTENT*/null", content.replace("</", "<\\/"))
    with replacing(path) as file:
        file.write(page.encode())
    return Path(path)


class Story:
    """All that the page tells: nodes, each with its value, gradient and check, and events, the steps forwards and backwards."""

    def __init__(self, graph: Graph, roots):
        self.graph = graph
        self.values = self._forward()
        self.exact = [np.asarray(v, np.float64) if v.dtype.kind == "f" else v for v in self.values]
        self.events: list[dict] = []
        self.nodes: list[dict] = []
        for i, node in enumerate(graph.nodes):
            self.nodes.append(self._node(i, node))
            self.events.append({"node": i, "kind": "forward", "says": self._forward_says(i, node)})
        self.grads: dict = {}
        self._backward(roots)
        self._check(roots)

    # ---- forwards

    def _forward(self):
        """The value of each node, as an array on the CPU."""
        values: list[np.ndarray] = []
        for node in self.graph.nodes:
            if node.op is None:
                values.append(self._leaf(node))
                continue
            for k, cell in enumerate(node.cells):
                if cell is not None and cell[0] > node.order:
                    raise GraphError(stale(node.op.name, node.site, k, node.parents))
            values.append(self._value(node, values))
        return values

    def _leaf(self, node):
        tensor = node.leaf()
        used = min((other.order for other in self.graph.nodes if other.op and node in other.parents), default=math.inf)
        if tensor is None or tensor.data.shape != node.shape or tensor.data.dtype != node.dtype or tensor.changed[0] > used:
            name = "a leaf" if tensor is None else self.graph.name(node)
            raise GraphError(
                f"trace: {name} {node.shape} is gone, or has changed since it was used; trace before the update "
                "(optimizer.step(), x[...] = ...), or compute the loss again"
            )
        return np.asarray(to_device(tensor.data, "cpu"))

    def _value(self, node, values, changed=False):
        """What a node's op gives, from the values of its parents.   changed: compute in float64, as for a finite difference."""
        number, inputs = self.graph.number, []
        for array, parent in zip(node.inputs, node.parents):
            value = values[number[parent]] if parent is not None else to_device(array, "cpu") if is_array(array) else array
            exact = changed and getattr(value, "dtype", np.dtype(bool)).kind == "f"
            inputs.append(np.asarray(value, np.float64) if exact else value)
        rest, params = node.params
        if changed and node.op.composition is not None:  # a fused forward may get parts of its work done, as batch norm's mean
            return _host(node.op.composition(*inputs, *rest, **params))
        y = node.op.forward(*inputs, *rest, **params)
        return np.asarray(y[0] if node.op.backward is not None else y)

    def _node(self, i, node):
        about = {"name": self.graph.name(node), "value": summary(self.values[i]), "site": node.site, "op": node.op is not None}
        if node.op is not None:
            about["formula"] = _first_line(node.op.forward.__doc__)
            about["inputs"] = [self._input(node, k) for k in range(len(node.inputs))]
        return about

    def _input(self, node, k):
        parent = node.parents[k]
        if parent is None:
            return {"name": self._constant(node.inputs[k]), "value": summary(node.inputs[k])}
        return {"node": self.graph.number[parent]}

    def _constant(self, array):
        return self.graph.names.get(id(array), "a constant")

    def _forward_says(self, i, node):
        value = _words(self.values[i])
        if node.op is None:
            return f"{self.graph.name(node)} is given: {value}."
        parents = [
            self._constant(array) if parent is None else self.graph.name(parent)
            for array, parent in zip(node.inputs, node.parents)
            if parent is not None or np.ndim(array) or type(array) in (int, float) or is_array(array)
        ]
        return f"{node.op.name} of {_list(parents)} gives {value}."

    # ---- backwards

    def _backward(self, roots):
        """The walk of autograd.vjp, with every number noted."""
        graph, number = self.graph, self.graph.number
        grads: dict = {}
        for node, g in roots:
            grads[node] = grads[node] + g if node in grads else g
            start = self.graph.name(node)
            self.events.append(
                {"node": number[node], "kind": "start", "says": f"Backwards: d {start} / d {start} is {_words(g)}."}
            )
        wanted = set(graph.nodes)
        for node in reversed(graph.nodes):
            g = grads.get(node)
            if g is None:
                continue
            self.nodes[number[node]]["gradient"] = summary(g)
            if node.op is None:
                continue
            alone = self._of_ones(node, g, wanted)
            for i, parent, h in autograd.contributions(node, g, wanted, False):
                h = np.asarray(h) if isinstance(h, np.generic) else h
                fitted = h if h.shape == parent.shape and h.dtype == parent.dtype else autograd.fitted(h, parent, node.op, i)
                before = grads.get(parent)
                total = fitted if before is None else before + fitted
                grads[parent] = np.asarray(total) if isinstance(total, np.generic) else total
                self.events.append(self._edge(node, i, parent, (g, h, fitted, before, grads[parent]), alone.get(i)))
        self.grads = {number[node]: _host(g) for node, g in grads.items()}

    def _of_ones(self, node, g, wanted):
        """{input: its gradient if ones arrive}: the local derivatives, if the op works element by element."""
        return {i: _host(h) for i, _, h in autograd.contributions(node, xp(g).ones_like(g), wanted, False)}

    def _edge(self, node, i, parent, arrays, alone):
        """What a node hands to its input i.   arrays: the gradient that arrives at the node, what its rule makes of it, the
        same fitted to the input's shape, what was there before (or None), and their sum."""
        graph, number, device = self.graph, self.graph.number, device_of(arrays[0])
        g, h, fitted, after = (_host(arrays[k]) for k in (0, 1, 2, 4))
        before = None if arrays[3] is None else _host(arrays[3])
        name, to = node.op.name, graph.name(parent)
        event: dict = {"node": number[node], "kind": "back", "to": number[parent], "input": i, "product": summary(h)}
        event["rule"], event["where"] = _rule(node.op, i)
        elementwise = alone is not None and alone.shape == g.shape == h.shape and _near(h, g * alone)
        matrix = None if elementwise else self._jacobian(node, i, device)
        if elementwise:
            event["local"] = summary(alone)
            at = _largest(h)
            says = f"{name} hands {_number(g[at])} × {_bracketed(alone[at])} = {_number(h[at])} to {to}"
            says += f" (element {list(map(int, at))})" if at else ""
        elif matrix is not None:
            event["matrix"] = summary(matrix, SIDE + 4)
            says = f"{name} multiplies the gradient with its matrix of derivatives, and hands the result to {to}"
        else:
            size = int(np.prod(node.shape)) * int(np.prod(parent.shape))
            says = (
                f"{name} hands a gradient to {to}; its derivatives are a matrix of {size:,} numbers, which no rule needs whole"
            )
        if h.shape != fitted.shape:
            event["fitted"] = summary(fitted)
            says += f". The broadcast is undone: {h.shape} is summed to {fitted.shape}"
        if before is not None:
            event["before"], event["after"] = summary(before), summary(after)
            at = _largest(fitted)
            sums = f"{_number(before[at])} + {_bracketed(fitted[at])} = {_number(after[at])}"
            says += f". {to} is used more than once, so its gradients add up: {sums}"
        event["says"] = says + "."
        return event

    def _jacobian(self, node, i, device):
        """The matrix (outputs, inputs) of a small op's derivatives in input i; else None."""
        outputs, inputs = math.prod(node.shape), math.prod(node.parents[i].shape)
        if not 0 < outputs <= JACOBIAN or not 0 < inputs <= JACOBIAN:
            return None
        rows = []
        for k in range(outputs):
            one = np.zeros(outputs, node.dtype)
            one[k] = 1
            found = autograd.contributions(node, to_device(one.reshape(node.shape), device), {node.parents[i]}, False)
            h = [_host(autograd.fitted(h, parent, node.op, i)) for j, parent, h in found if j == i]
            rows.append(h[0].reshape(-1) if h else np.zeros(inputs))
        return np.array(rows)

    # ---- the check

    def _check(self, roots):
        """Beside each gradient a central difference of one of its elements, the largest, in float64."""
        graph, effort = self.graph, 0
        weights = [(graph.number[node], _host(g).astype(np.float64)) for node, g in roots]
        greatest = max(float(np.abs(g).max(initial=0)) for g in self.grads.values())
        plain = all(node.op is None or len(node.parents) == len(node.inputs) for node in graph.nodes)
        for i in reversed(range(len(graph.nodes))):
            g = self.grads.get(i)
            if g is None or self.exact[i].dtype.kind != "f":
                continue
            later = self._after(i)
            effort += 2 * sum(self.exact[j].size for j in later)
            if not plain or effort > EFFORT:
                self.nodes[i]["check"] = None
                continue
            at = _largest(g)
            h = STEP * max(1.0, abs(float(self.exact[i][at])))
            up, down = (self._moved(i, at, step, later, weights) for step in (h, -h))
            difference, found = (up - down) / (2 * h), float(g[at])
            near = abs(difference - found) <= NEAR * abs(found) + NOISE * greatest
            self.nodes[i]["check"] = {"at": list(map(int, at)), "difference": difference, "gradient": found, "near": bool(near)}

    def _after(self, i):
        """The nodes that depend on node i, in order."""
        found = {i}
        for j in range(i + 1, len(self.graph.nodes)):
            if not found.isdisjoint(self.graph.parents(self.graph.nodes[j])):
                found.add(j)
        return sorted(found - {i})

    def _moved(self, i, at, step, later, weights):
        """The sum of the roots, each times its gradient, if element `at` of node i is moved by `step`."""
        values = list(self.exact)
        values[i] = values[i].copy()
        values[i][at] += step
        for j in later:
            values[j] = self._value(self.graph.nodes[j], values, changed=True)
        return sum(float(np.sum(values[k] * g)) for k, g in weights)


# ---- numbers and words ---------------------------------------------------------------------------------------------------


def summary(array, side: int = SIDE) -> dict:
    """An array for the page: its shape, least, mean and greatest number, and its first rows and columns."""
    array = _host(array)
    shown = array.reshape(-1, *array.shape[-2:])[0] if array.ndim > 2 and array.size else array
    rows = np.atleast_2d(shown)[:side, :side]
    about: dict = {"shape": list(array.shape), "rows": [[_json(x) for x in row] for row in rows]}
    if array.size > rows.size:
        about["of"] = {"least": _json(array.min()), "mean": _json(array.mean()), "greatest": _json(array.max())}
    return about


def _host(array) -> np.ndarray:
    """An array or a number as an array on the CPU."""
    return np.asarray(to_device(array, "cpu") if is_array(array) else array)


def _json(x):
    x = x.item()
    return x if isinstance(x, bool | int) else float(f"{x:.5g}") if math.isfinite(x) else str(x)


def _number(x):
    return f"{float(x):.4g}".replace("-", "\N{MINUS SIGN}")


def _bracketed(x):
    return f"({_number(x)})" if x < 0 else _number(x)


def _words(array):
    array = _host(array)
    return (
        _number(array)
        if array.ndim == 0
        else f"{array.shape}, " + (f"from {_number(array.min())} to {_number(array.max())}" if array.size else "empty")
    )


def _largest(array):
    """The index of the element with the greatest absolute value."""
    array = np.asarray(array)
    return np.unravel_index(int(np.argmax(np.abs(array))), array.shape) if array.size else ()


def _near(a, b):
    with np.errstate(all="ignore"):
        return bool(np.allclose(a, b, rtol=1e-4, atol=1e-6 * float(np.abs(a).max(initial=0)), equal_nan=True))


def _list(names):
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def _first_line(doc):
    return (doc or "").strip().partition("\n")[0]


def _rule(op, i):
    """(the code of the rule of input i, "ops/elementwise.py:54"); a function made by hand gives its first lines."""
    function = op.backward if op.backward is not None else op.rule(i) if op.rule else op.composition
    function = inspect.unwrap(getattr(function, "func", function))
    code = function.__code__
    path, line = code.co_filename, code.co_firstlineno
    place = path.replace("\\", "/").rpartition("minigan/")[2]
    lines = [linecache.getline(path, line + k).rstrip() for k in range(12)]
    if function.__name__ == "<lambda>":
        lines = lines[:1]
    else:
        with contextlib.suppress(OSError, TypeError):
            lines = inspect.getsource(function).splitlines()[:14]
    return inspect.cleandoc("\n".join(lines)).rstrip(","), f"{place}:{line}"
