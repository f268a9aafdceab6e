"""A captured step on a GPU: a CUDA graph (graph.py), the counters of the host that must follow it, and its proof.

Launched    one recorded step          Noticed    sees which optimizers a step calls, and the numbers that its ops get

The first WARM_UP calls play the step's Python: they compile kernels and set up the optimizers' state.  The next one records,
and proves the graph, in that it plays the step both ways from the same state.  A graph cannot see a number that changes on the
host.  So the GPU counts random draws and Adam's steps itself, and for another learning rate of SGD or RMSprop a new graph is
recorded.
"""

import gc
import zlib
from itertools import zip_longest
from typing import Any

import numpy as np

from minigan.backend import is_array, to_device, xp
from minigan.capture.graph import Graph
from minigan.capture.state import same
from minigan.capture.structure import items_in, mapped
from minigan.capture.traced import kinds_of
from minigan.errors import CaptureError
from minigan.optim import SGD, Adam, RMSprop
from minigan.streams import in_use
from minigan.tensor import Tensor, clock, plain
from minigan.watch import watch, watchers

WARM_UP = 3  # calls


class Noticed:
    """Stands at watchers.recorder while a step's Python runs."""

    def __init__(self):
        self.optimizers: dict[int, list] = {}  # id -> an optimizer, and how often a part of it was stepped
        self.calls: list[tuple] = []  # the ops, with the numbers and the host's arrays that they got

    def again(self, method, owner, args, changes):
        """An optimizer's step."""
        self.optimizers.setdefault(id(owner), [owner, 0])[1] += 1
        return method(owner, *args)

    def run(self, op, site, function, args, params):
        """An op, a rule or a check."""
        host = [x for x in items_in((args, params)) if isinstance(x, (bool, int, float, str, np.ndarray, np.generic))]
        self.calls.append((op, site, *(f"#{zlib.crc32(x.tobytes())}" if isinstance(x, np.ndarray) else repr(x) for x in host)))
        return function(*args, **params)

    def draw(self, streams, name):
        """A draw on the host, whose numbers a graph would freeze."""
        raise CaptureError(
            f'capture: the step draws from the stream "{name}" on the host, and a CUDA graph would repeat these numbers; draw '
            'on the GPU, with streams.on("cuda")(name), or pass the numbers as arguments'
        )

    def play(self, step, args, kwargs):
        """The result of the step's Python."""
        outer, watchers.recorder = watchers.recorder, self
        try:
            with watch(lambda *_: None):
                return step(*args, **kwargs)
        finally:
            watchers.recorder = outer


class Launched:
    """A step for arguments of one kind.   `play` is a call of it."""

    def __init__(self, step, array):
        self.step, self.graph, self.times = step, Graph(xp(array)), 0

    def play(self, args, kwargs) -> Any:
        """Play the step: by its Python at first, then by a launch."""
        self.times += 1
        with self.graph.its_stream():
            if self.times <= WARM_UP:
                noticed = Noticed()
                result = mapped(_constant, noticed.play(self.step, args, kwargs))
                if self.times == WARM_UP - 1:  # the last of these calls compiles what counts on the GPU
                    self._count_on_card(noticed)
                return result
            if not self.graph.recorded or self.rates != self._rates() or not self._fits():
                return self._record(args, kwargs)
            if self.times & (self.times - 1) == 0:
                return self._prove(args, kwargs, lambda: self._launch(args, kwargs))
            return self._launch(args, kwargs)

    def listing(self) -> str:
        """The ops, one a line, with the numbers and the host's arrays that they got."""
        if not self.graph.recorded:
            return f"a step on a GPU, whose first {WARM_UP} calls are played by Python; the next one records it"
        rows = [f"{op}{f' ({site})' if site else ''}  {', '.join(numbers)}".rstrip() for op, site, *numbers in self.calls]
        return "\n".join([f"a CUDA graph of {len(rows)} ops", *rows])

    def _count_on_card(self, noticed):
        """Which optimizers are there, and how often does a call of the step step them?"""
        self.optimizers = [(o, n // sum(map(len, o._flats))) for o, n in noticed.optimizers.values()]
        for optimizer, _ in self.optimizers:
            if type(optimizer) not in (SGD, Adam, RMSprop):
                raise CaptureError(
                    f"capture: on a GPU {type(optimizer).__name__} computes with numbers of the host; use Adam, SGD or RMSprop"
                )
            optimizer.count_on_card()

    def _rates(self):
        """The learning rates that are fixed numbers in the graph.  Adam reads its own from the GPU."""
        return [group["lr"] for o, _ in self.optimizers if not isinstance(o, Adam) for group in o.param_groups]

    def _fits(self):
        return all(t.data is array and t.node is node for t, array, node in self.tensors)

    def _record(self, args, kwargs):
        """Record the graph, and prove it.   Returns what the step's Python returns."""
        self.held = mapped(lambda x: _copied(x) if isinstance(x, Tensor) or is_array(x) else x, (args, kwargs))
        self.rates, before, noticed = self._rates(), next(clock), Noticed()
        tensors = [(t, t.data) for t in _tensors(self.graph.cupy)]
        in_use().advance()  # the recorded draws are counted from here
        for optimizer, _ in self.optimizers:
            optimizer.repeated(0)  # copies Adam's present learning rate to the GPU
        counts = self._counts()

        def recorded():
            result = noticed.play(self.step, *self.held)
            for tensor, array in tensors:
                if tensor.data is not array:  # the next launch still reads the old address
                    array[...], tensor.data = tensor.data, array
            in_use().advance()
            return result

        result = self.graph.record(recorded)
        self.calls, self.result = noticed.calls, mapped(_constant, result)
        old = {id(t) for t, _ in tensors}
        self.grads = [(t, t.grad) for t, _ in tensors if t.grad is not None and id(t.grad) not in old]
        self.changed = [t for t, _ in tensors if t.changed[0] > before]
        self.tensors = [(t, array, t.node) for t, array in tensors if t.node is not None or t.changed[0] > before]

        def first():
            self.graph.launch()
            return mapped(_copied, self.result)

        return self._prove(args, kwargs, first, counts)

    def _launch(self, args, kwargs):
        for held, new in zip(items_in(self.held), items_in((args, kwargs))):
            if isinstance(held, Tensor) or is_array(held):
                plain(held)[...] = plain(new)
        in_use().repeated()
        for optimizer, steps in self.optimizers:
            optimizer.repeated(steps)
        self.graph.launch()
        for leaf, grad in self.grads:
            leaf.grad = grad
        for tensor in self.changed:
            tensor.touch()
        return mapped(_copied, self.result)

    def _counts(self):
        """What the host counts: the steps of every parameter, and the draws."""
        return [list(f.steps) for f in self._flats()], {n: g.state_dict() for n, g in in_use()._on_gpu.items()}

    def _flats(self):
        return [flat for o, _ in self.optimizers for flats in o._flats for flat in flats]

    def _memory(self):
        """The arrays on the GPU that a call changes."""
        clocks = [c.array for o, _ in self.optimizers for c in getattr(o, "_clocks", {}).values()]
        return [t.data for t in self.changed] + [v for f in self._flats() for v in f.state.values()] + clocks

    def _prove(self, args, kwargs, launch, counts=None):
        """Play the step twice from the same state, by a launch and by its Python; return what its Python returns."""
        for optimizer, _ in self.optimizers:
            optimizer.repeated(0)  # copies Adam's present learning rate to the GPU
        steps, draws = counts or self._counts()
        memory, before = self._memory(), [a.copy() for a in self._memory()]
        launched = [_host(x) for x in items_in(launch())], [_host(a) for a in memory]
        for array, old in zip(memory, before):
            array[...] = old
        for flat, old in zip(self._flats(), steps):
            flat.steps = list(old)
        for name, generator in in_use()._on_gpu.items():
            generator.load_state_dict(draws[name])
        noticed = Noticed()
        result = noticed.play(self.step, args, kwargs)
        in_use().advance()
        for tensor, array, _ in self.tensors:
            if tensor.data is not array:
                array[...], tensor.data = tensor.data, array
        if not same(([_host(x) for x in items_in(result)], [_host(a) for a in memory]), launched):
            self.graph.recorded = False
            raise CaptureError(f"capture: a launch would differ from the step: {_difference(self.calls, noticed.calls)}")
        return mapped(_constant, result)


def _difference(recorded, now):
    for old, new in zip_longest(recorded, now):
        if old != new:
            op, site, *_ = new or old
            return (
                f"{op}{f' at {site}' if site else ''} gets other numbers from the host than when it was recorded; numbers and "
                "arrays that change from call to call must be arguments of the step, as Tensors on the GPU, or draws on the GPU"
            )
    return "every op gets the same numbers, so Python changes something without one; do it outside of the step"


def _tensors(cupy):
    kinds = kinds_of(Tensor)
    return [t for t in gc.get_objects() if type(t) in kinds and type(getattr(t, "data", None)) is cupy.ndarray]


def _constant(x):
    """A result without its graph."""
    return x.detach() if isinstance(x, Tensor) and not x.is_leaf else x


def _copied(x):
    if isinstance(x, Tensor):
        return Tensor(x.data.copy())
    return x.copy() if is_array(x) else x


def _host(x):
    """The values of a result, to compare them."""
    x = plain(x)
    return np.array(to_device(x, "cpu")) if is_array(x) else x
