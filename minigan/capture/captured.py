"""A captured step: when it records, when it proves the recording, when it replays, and how it prints.

Recording    a step on the CPU: its inputs, its plan, its results (launched.py has the same for a GPU)
Captured     the function that mg.capture returns
"""

import gc
import weakref
from collections import OrderedDict
from functools import partial, update_wrapper
from typing import Any

import numpy as np

from minigan.backend import device_of, is_array, xp
from minigan.capture import compare
from minigan.capture.launched import Launched
from minigan.capture.plan import Plan
from minigan.capture.state import same
from minigan.capture.structure import items_in, mapped
from minigan.capture.traced import Recorder, Traced, kinds_of
from minigan.errors import CaptureError
from minigan.grad_mode import is_recording
from minigan.kernels.threads import get_num_threads
from minigan.nn.module import Module
from minigan.streams import in_use
from minigan.tensor import Tensor
from minigan.watch import watchers

KEPT = 8  # recordings: one for each combination of shapes and other arguments; the one used last is kept longest


class Place:
    """Where a replay leaves one result of the step."""

    def __init__(self, array, kind):
        self.array, self.kind = array, kind

    def taken(self):
        """A copy of the result, which the next replay does not overwrite."""
        return self.kind(self.array.copy(order="K"))


class Recording:
    """A step on the CPU for arguments of one kind.   `play` is a call of it."""

    plan: Plan

    def __init__(self, step):
        self.step, self.times = step, 0  # so often was it played since it was recorded

    def play(self, args, kwargs) -> Any:
        """Play the step: record it, prove the recording, or replay it."""
        if not self.times or not self.fits():
            return self._record(args, kwargs)
        self.times += 1
        return self.replay(args, kwargs) if self.times & (self.times - 1) else self.prove(args, kwargs)

    def _record(self, args, kwargs):
        recorder = Recorder()
        given = mapped(recorder.input, (args, kwargs))
        try:
            with recorder.recording():
                result = self.step(*given[0], **given[1])
                old = {id(t) for t, _, _ in recorder.tensors}
                grads = [(t, t.grad) for t, _, _ in recorder.tensors if t.grad is not None and id(t.grad) not in old]
            _refuse_kept([*items_in(given), *items_in(result), *(g for _, g in grads)])
        except BaseException:
            recorder.state.back()
            raise
        places = mapped(_place, result)
        kept = [p.array for p in items_in(places) if type(p) is Place] + [_plain(g).array for _, g in grads]
        self.calls = compare.described(recorder)
        self.plan = Plan(recorder, [*kept, *recorder.inputs])
        result = mapped(_taken, places)
        self.places = mapped(lambda x: Place(self.plan.moved(x.array), x.kind) if type(x) is Place else x, places)
        self.grads = [(leaf, self._grad(g)) for leaf, g in grads]
        self.inputs = [self.plan.moved(a) for a in recorder.inputs]
        self.state = recorder.state
        used = self.plan.tensors | set(self.state.arrays)
        self.tensors = [(t, array, t.node) for t, array, _ in recorder.tensors if id(array) in used]
        self.changed = [t for _, tensors, _ in self.state.arrays.values() for t in tensors]
        self.modes = [(weakref.ref(m), m.training) for m in _modules({id(t) for t, _, _ in self.tensors})]
        self.plan.forget()
        self.times = 1
        return result

    def _grad(self, g):
        """A .grad that the step left: it stays in its buffer, and the next replay overwrites it."""
        place = self.plan.moved(g.data.array)
        place[...] = g.data.array
        g.data, g.node = place, None
        return g

    def fits(self) -> bool:
        """Are the Tensors that it reads, and the modes of their modules, still those of the recording?"""
        return all(t.data is array and t.node is node for t, array, node in self.tensors) and all(
            getattr(module(), "training", mode) is mode for module, mode in self.modes
        )

    def replay(self, args, kwargs) -> Any:
        """Play the step without its Python."""
        for held, x in zip(self.inputs, (x for x in items_in((args, kwargs)) if isinstance(x, (Tensor, np.ndarray)))):
            np.copyto(held, _plain(x))
        with np.errstate(all="ignore"):
            for function in self.plan.functions:
                function()
        for leaf, grad in self.grads:
            leaf.grad = grad
        for tensor in self.changed:
            tensor.touch()
        return mapped(_taken, self.places)

    def listing(self) -> str:
        """The calls, one a line."""
        return self.plan.listing(self.inputs)

    def prove(self, args, kwargs) -> Any:
        """Play the step twice from the same state, by a replay and then by its Python; return what its Python returns.

        CaptureError if any bit of what it returns or changes differs.  The state is then that after the step's Python."""
        before, grads = self.state.now(), [leaf.grad for leaf, _ in self.grads]

        def back():
            before.back()
            for (leaf, _), grad in zip(self.grads, grads):
                leaf.grad = grad

        try:
            replayed = mapped(_numbers, self.replay(args, kwargs)), [np.array(g.data) for _, g in self.grads], self.state.now()
        finally:
            back()
        result = self.step(*args, **kwargs)
        self.state.settle()
        after = self.state.now()
        differing = [] if same(mapped(_numbers, result), replayed[0]) else ["what it returns"]
        differing += [
            f"the .grad of a Tensor {leaf.shape}"
            for (leaf, _), was in zip(self.grads, replayed[1])
            if not same(_numbers(leaf.grad), was)
        ]
        differing += after.differences(replayed[2])
        if differing:
            now = [leaf.grad for leaf, _ in self.grads]
            try:
                why = compare.explain(self.step, args, kwargs, self.calls, back)
            finally:
                after.back()
                for (leaf, _), grad in zip(self.grads, now):
                    leaf.grad = grad
            raise CaptureError(f"capture: a replay would differ from the step in {', '.join(differing[:3])}: {why}")
        return mapped(_constant, result)


class Captured:
    """What mg.capture returns; see there.   print(captured) lists the calls of the recordings."""

    def __init__(self, step):
        update_wrapper(self, step, updated=())
        self.step = step
        self.recordings: OrderedDict[tuple, Recording | Launched] = OrderedDict()
        self.refused: CaptureError | None = None

    def __call__(self, *args, **kwargs):
        if watchers.recorder is not None or watchers.active:
            # Another captured step records this one, too; and tools such as mg.debug want to see the ops.
            return mapped(_constant, self.step(*args, **kwargs))
        if self.refused is not None:
            raise self.refused
        on_card = next((_plain(x) for x in items_in((args, kwargs)) if xp(_plain(x)) is not np), None)
        key = (get_num_threads(), is_recording(), id(in_use()), _key((args, kwargs)))
        if key not in self.recordings:
            self.recordings[key] = Recording(self.step) if on_card is None else Launched(self.step, on_card)
            while len(self.recordings) > KEPT:
                self.recordings.popitem(last=False)
        self.recordings.move_to_end(key)
        try:
            return self.recordings[key].play(args, kwargs)
        except CaptureError as error:
            self.refused = error
            raise

    def __get__(self, owner, kind=None):
        return self if owner is None else partial(self, owner)  # so that a method can be captured, too

    def __str__(self):
        return "\n\n".join(recording.listing() for recording in self.recordings.values() if recording.times) or (
            "a captured step that was not called yet; its first call records it"
        )


def _key(x) -> Any:
    """The shapes and kinds of the arrays in the arguments, and the other arguments themselves."""
    if isinstance(x, (tuple, list)):
        return (type(x), *map(_key, x))
    if type(x) is dict:
        return (dict, *((name, _key(value)) for name, value in x.items()))
    if isinstance(x, Tensor) or is_array(x):
        if isinstance(x, Tensor) and x.node is not None:
            raise CaptureError(
                f"capture: the step gets a Tensor {x.shape} that requires a gradient or belongs to a graph; pass a constant, "
                "x.detach(), or let the step use the Tensor without being given it"
            )
        array = _plain(x)
        return isinstance(x, Tensor), device_of(array), array.shape, array.dtype, array.strides
    try:
        hash(x)
    except TypeError:
        raise CaptureError(
            f"capture: the step takes Tensors, arrays, numbers and tuples, lists and dicts of them, got {type(x).__name__}"
        ) from None
    return type(x), x


def _plain(x) -> Any:
    return x.data if isinstance(x, Tensor) else x


def _numbers(x) -> Any:
    """The values of a result, to compare them."""
    return np.array(_plain(x)) if isinstance(x, (Tensor, np.ndarray, np.generic)) else x


def _constant(x) -> Any:
    """A result without its graph, because a replay has none."""
    return x.detach() if isinstance(x, Tensor) and not x.is_leaf else x


def _place(x):
    """Where a result of the step is; a Tensor from before the step, and what is no array, stay as they are."""
    if isinstance(x, Tensor) and type(x.data) is Traced:
        return Place(x.data.array, Tensor)
    return Place(x.array, np.asarray) if type(x) is Traced else x


def _taken(x) -> Any:
    return x.taken() if type(x) is Place else x


def _refuse_kept(known):
    """CaptureError if a Tensor that the step made outlives it, but is neither returned nor a .grad."""
    known, kinds = set(map(id, known)), kinds_of(Tensor)

    def left():
        return [
            t for t in gc.get_objects() if type(t) in kinds and type(getattr(t, "data", None)) is Traced and id(t) not in known
        ]

    if left():
        gc.collect()  # cycles may keep some alive
    for tensor in left():
        op = f" made by {tensor.node.op.name}" if tensor.node is not None and tensor.node.op is not None else ""
        raise CaptureError(
            f"capture: the step keeps a Tensor {tensor.shape}{op} in a Python variable, which a replay would not set; return "
            "it from the step, and pass it as an argument if the next call needs it"
        )


def _modules(tensors):
    """The modules, with all their parts, that have one of these Tensors (ids)."""
    modules = [m for m in gc.get_objects() if issubclass(type(m), Module)]
    found = {id(part): part for m in modules if any(id(v) in tensors for v in vars(m).values()) for part in [m]}
    for m in modules:
        parts = list(m.modules())
        if any(id(part) in found for part in parts):
            found |= {id(part): part for part in parts}
    return list(found.values())
