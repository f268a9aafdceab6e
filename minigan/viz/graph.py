"""The graph of a computation, as the engine recorded it: a drawing (SVG) or a text.

graph      read the graph behind a Tensor: print it, save it, or look at it in a notebook
Graph      its boxes and arrows, at three depths: every op, layers closed, nets closed
calls      a context: note which layer made which op, so that layers can be closed
names_of   the names under which Tensors and the parameters of nets are known
Elsewhere: the same graph with its numbers, step by step (trace.py); what a Node is (autograd.py).
"""

import contextlib
import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from minigan.autograd import Node, collect
from minigan.errors import CONSTANT, GraphError
from minigan.nn import Module
from minigan.serialize import replacing
from minigan.tensor import Tensor, clock

WIDE, HIGH, ACROSS, DOWN = 132, 40, 20, 30  # a box in pixels, and the gaps between boxes
DEPTHS = ("nets", "layers", "ops")
STYLE = """
.graph text { font: 12px system-ui, sans-serif; text-anchor: middle; fill: var(--ink, #1a1a1a); }
.graph .small { font-size: 10px; fill: var(--soft, #555); }
.graph rect { fill: var(--paper, #fff); stroke: var(--soft, #777); } .graph .leaf rect { fill: var(--tint, #e8f1f8); }
.graph .layer rect { stroke-width: 2; } .graph path { fill: none; stroke: var(--soft, #777); stroke-width: 1.2; }
"""


class Call(NamedTuple):
    """One call of a module: the ticks of the engine's clock between which its ops were recorded."""

    first: int
    last: int
    module: Module


@contextlib.contextmanager
def calls() -> Iterator[list[Call]]:
    """Inside the block, every call of a module is noted in the list that it gives."""
    noted: list[Call] = []
    before = Module.__call__

    def call(self, *inputs, **options):
        first = next(clock)
        output = before(self, *inputs, **options)
        noted.append(Call(first, next(clock), self))
        return output

    Module.__call__ = call  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        Module.__call__ = before  # type: ignore[method-assign]


def names_of(things: dict[str, Any]) -> dict[int, str]:
    """{id: name} of the Tensors and Modules in a dict such as locals(); a net's layers and parameters are named after it."""
    names: dict[int, str] = {}
    for name, thing in things.items():
        if isinstance(thing, Tensor):
            names.setdefault(id(thing), name)
            names.setdefault(id(thing.data), name)  # where it is a constant, the graph knows only its array
        elif isinstance(thing, Module):
            for path, module in thing.named_modules():
                names.setdefault(id(module), f"{name}.{path}".rstrip("."))
            for path, parameter in thing.named_parameters():
                names.setdefault(id(parameter), f"{name}.{path}")
    return names


@dataclass
class Box:
    """A leaf, an op, or several ops of one layer or net.   members: the numbers of its nodes, the output's last.
    parents: the boxes whose values it uses.   x, y: the place of its middle."""

    name: str
    kind: str
    members: list[int]
    parents: list[int] = field(default_factory=list)
    shape: tuple[int, ...] | None = None
    x: float = 0.0
    y: float = 0.0

    @property
    def about(self) -> str:
        """The shape of its value, or how many tensors it holds."""
        return f"{len(self.members)} tensors" if self.shape is None else str(self.shape)


def graph(output: Tensor, names: dict[str, Any] | None = None, noted: Iterable[Call] = ()) -> "Graph":
    """The graph behind a Tensor.   names: {name: Tensor or Module}, such as locals().   noted: from `calls`.
    Raises GraphError if the Tensor has no graph, or a freed one.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> print(mg.viz.graph((x * x).sum(), {"x": x}))
     1  x                         (2,)
     2  multiply   1, 1           (2,)
     3  sum        2              ()
    """
    if not isinstance(output, Tensor) or output.node is None:
        raise GraphError(f"this tensor has no graph: {CONSTANT}")
    return Graph([output.node], names_of(names or {}), list(noted))


class Graph:
    """The nodes behind some roots, the oldest first.   str() is a table, `svg` a drawing, `save` writes it."""

    def __init__(self, roots: list[Node], names: dict[int, str], noted: list[Call]):
        self.nodes = collect(roots, ())
        self.number = {node: i for i, node in enumerate(self.nodes)}
        self.names, self.noted = names, sorted(noted, key=lambda call: call.first)

    def name(self, node: Node) -> str:
        """What a node is called: the op's name, or a leaf's own."""
        if node.op is not None:
            return node.op.name
        tensor: Any = node.leaf()  # type: ignore[attr-defined]
        return self.names.get(id(tensor), "parameter" if type(tensor).__name__ == "Parameter" else "leaf")

    def parents(self, node: Node) -> list[int]:
        """The numbers of the nodes that a node was made from; constants have none."""
        return [self.number[parent] for parent in node.parents if parent is not None]

    def boxes(self, depth: str = "ops") -> list[Box]:
        """The boxes with their places.   depth: "ops", "layers" (the innermost module of an op is one box) or "nets" (the
        outermost)."""
        owner = self._owners(depth)
        inside: dict[Any, list[int]] = {}
        for i, one in enumerate(owner):
            inside.setdefault(i if one is None else one, []).append(i)
        boxes, box_of = [], {}
        for i, node in enumerate(self.nodes):
            one = owner[i]
            members = inside[i if one is None else one]
            if i != members[-1]:
                continue
            kind = "leaf" if node.op is None else "op" if one is None else "layer"
            if len(members) > 1 and node.op is None:
                boxes.append(Box(f"{self.names.get(id(one), type(one).__name__)} weights", kind, members))
            else:
                boxes.append(
                    Box(self.name(node) if kind != "layer" else self._title(one.module), kind, members, shape=node.shape)
                )
            for member in members:
                box_of[member] = len(boxes) - 1
        for k, box in enumerate(boxes):
            found = [box_of[p] for member in box.members for p in self.parents(self.nodes[member])]
            box.parents = sorted({p for p in found if p != k})
        _place(boxes)
        return boxes

    def _owners(self, depth):
        """For each node the Call that made it, for a leaf the Module that alone uses it; None if there is none."""
        owners: list[Any] = [None] * len(self.nodes)
        users: list[set] = [set() for _ in self.nodes]
        for i, node in enumerate(self.nodes if depth != "ops" else ()):
            if node.op is not None:
                around = [call for call in self.noted if call.first < node.order < call.last]
                owners[i] = (around[0] if depth == "nets" else around[-1]) if around else None
                for p in self.parents(node):
                    users[p].add(None if owners[i] is None else owners[i].module)
        for i, node in enumerate(self.nodes):
            if node.op is None and len(users[i]) == 1:
                owners[i] = users[i].pop()
        return owners

    def _title(self, module):
        name, kind = self.names.get(id(module)), type(module).__name__
        return kind if name is None else f"{name} ({kind})" if "." in name else name

    def __str__(self):
        lines = []
        for i, node in enumerate(self.nodes):
            made_from = ", ".join(str(p + 1) for p in self.parents(node))
            lines.append(f"{i + 1:2}  {self.name(node):<10} {made_from:<14} {node.shape}")
        return "\n".join(lines)

    def svg(self, depth: str = "ops") -> str:
        """The drawing: inputs at the top, the output at the bottom, an arrow for each value that is used."""
        boxes = self.boxes(depth)
        words = f"{len(boxes)} boxes: " + ", ".join(box.name for box in boxes[-8:])
        label = html.escape(words, quote=True)
        return f"<svg {frame(boxes)} role='img' aria-label='{label}'><style>{STYLE}</style>{drawing(boxes)}</svg>"

    def _repr_svg_(self):
        return self.svg("layers" if self.noted else "ops")

    def save(self, path, depth: str = "ops") -> None:
        """Write the drawing as an .svg file."""
        with replacing(path) as file:
            file.write(self.svg(depth).encode())


def frame(boxes: list[Box]) -> str:
    """The attributes of an <svg> that holds the boxes."""
    wide = round(max(box.x for box in boxes) + WIDE / 2 + 8)
    high = round(max(box.y for box in boxes) + HIGH / 2 + 8)
    size = f"viewBox='0 0 {wide} {high}' width='{wide}' height='{high}'"
    return f"class='graph' xmlns='http://www.w3.org/2000/svg' {size}"


def drawing(boxes: list[Box]) -> str:
    """The arrows and the boxes as SVG.   Box k has the id b<k>, the arrow from box p to box k the id e<p>-<k>."""
    parts = []
    for k, box in enumerate(boxes):
        for p in box.parents:
            start, end, top, bottom = boxes[p].x, box.x, boxes[p].y + HIGH / 2, box.y - HIGH / 2
            middle = (top + bottom) / 2
            curve = f"C{start:.0f} {middle:.0f} {end:.0f} {middle:.0f} {end:.0f} {bottom:.0f}"
            parts.append(f"<path id='e{p}-{k}' d='M{start:.0f} {top:.0f}{curve}'/>")
    for k, box in enumerate(boxes):
        name = box.name if len(box.name) <= 20 else f"{box.name[:8]}…{box.name[-11:]}"
        parts.append(
            f"<g id='b{k}' class='{box.kind}'><rect x='{box.x - WIDE / 2:.0f}' y='{box.y - HIGH / 2:.0f}' width='{WIDE}' "
            f"height='{HIGH}' rx='6'/><text x='{box.x:.0f}' y='{box.y - 2:.0f}'>{html.escape(name)}</text>"
            f"<text class='small' x='{box.x:.0f}' y='{box.y + 13:.0f}'>{html.escape(box.about)}</text></g>"
        )
    return "".join(parts)


def _place(boxes) -> None:
    """Give each box its place: an op stands below all that it uses, a leaf directly above its first user; then each row is
    sorted by the middle of its neighbours, so that few arrows cross."""
    row = [0] * len(boxes)
    children: list[list[int]] = [[] for _ in boxes]
    for k, box in enumerate(boxes):
        row[k] = max((row[p] + 1 for p in box.parents), default=0)
        for p in box.parents:
            children[p].append(k)
    for k in reversed(range(len(boxes))):
        if not boxes[k].parents and children[k]:
            row[k] = min(row[c] for c in children[k]) - 1
    rows: list[list[int]] = [[] for _ in range(max(row) + 1)]
    for k in range(len(boxes)):
        rows[row[k]].append(k)
    for members in rows:
        for i, k in enumerate(members):
            boxes[k].x = i
    for sweep in range(6):
        for members in rows if sweep % 2 else reversed(rows):
            middle = {}
            for k in members:
                near = boxes[k].parents + children[k]
                middle[k] = sum(boxes[n].x for n in near) / len(near) if near else boxes[k].x
            members.sort(key=lambda k: middle[k])
            _spread(boxes, members, middle)
    left = min(box.x for box in boxes)
    for k, box in enumerate(boxes):
        box.x, box.y = (box.x - left) * (WIDE + ACROSS) + WIDE / 2 + 8, row[k] * (HIGH + DOWN) + HIGH / 2 + 8


def _spread(boxes, members, wanted) -> None:
    """Places for the boxes of a row, at least 1 apart, near the wanted ones."""
    places: list[float] = []
    for k in members:
        places.append(max(wanted[k], places[-1] + 1) if places else wanted[k])
    shift = sum(wanted[k] - place for k, place in zip(members, places)) / max(1, len(places))
    for k, place in zip(members, places):
        boxes[k].x = place + shift
