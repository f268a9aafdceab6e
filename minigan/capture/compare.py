"""Why does a replay differ from its step?   The step is recorded once more, from the same state: which call is another one?

described    the calls of a recording as texts          explain    the first call that differs, in words
"""

import contextlib
import zlib
from itertools import zip_longest

import numpy as np

from minigan.capture.structure import items_in, mapped
from minigan.capture.traced import YOURS, Recorder, Traced
from minigan.watch import watch

CHANGING = (
    "numbers and arrays that change from call to call must be arguments of the step, Tensors, or draws from minigan's streams"
)


def described(recorder):
    """[(op, site, function, argument, ...), ...]: the calls, in words that are equal for equal calls."""
    numbers = {id(memory): i for i, memory in enumerate(recorder.values)}

    def text(x):
        if not isinstance(x, np.ndarray):
            return repr(x) if isinstance(x, (bool, int, float, str)) else type(x).__name__
        if id(x) not in recorder.memory:
            shown = str(x) if x.size == 1 else f"array {x.shape} that starts with {x.reshape(-1)[0]}" if x.size else "array"
            return f"the constant {shown} #{zlib.crc32(x.tobytes())}"
        memory = recorder.memory[id(x)][1]
        if memory.tensor is not None:
            return f"the {type(memory.tensor).__name__} {memory.root.shape} #{id(memory.root)}"
        return f"value {numbers[id(memory)]}"

    def arguments(call):  # a method may read other numbers each time, such as a learning rate
        return [x for x in items_in((call.args, call.kwargs)) if call.how != "method" or isinstance(x, np.ndarray)]

    return [(call.op, call.site, call.name, *map(text, arguments(call))) for call in recorder.calls]


def explain(step, args, kwargs, calls, back) -> str:
    """Why a replay of these calls differs from the step.   back(): go back to where both start.  The step is played again."""
    back()
    now = described(_record(step, args, kwargs, None))
    for old, new in zip_longest(calls, now):
        if old != new:
            return _difference(old, new)
    back()
    outputs: list = []
    _record(step, args, kwargs, outputs)
    back()
    eager: list = []
    with watch(_into(eager)):
        step(*args, **kwargs)
    for ours, theirs in zip(outputs, eager):
        if ours != theirs:
            op, phase, site, _ = theirs
            return f"{op} {phase}{f' ({site})' if site else ''} gives other bits when it is recorded"
    return "every op is the same, so Python changes this without one, as a schedule does; do it outside of the step"


def _difference(old, new):
    """What differs in two calls; None stands for a missing call."""
    if old is None or new is None or old[:3] != new[:3]:
        call, what = (new, "is not called in a replay") if new is not None else (old, "is called only in a replay")
        return f"{_named(call)} {what}; Python chose another way, so leave the choice outside of the step"
    for a, b in zip_longest(old[3:], new[3:]):
        if a != b:
            return f"{_named(new)} gets {_short(b)}, but got {_short(a)} when it was recorded; {CHANGING}"
    return f"{_named(new)} differs"


def _named(call):
    op, site, function, *_ = call
    what = function if op == YOURS else op if function in op else f"{op} ({function})"
    return f"{what}{f' at {site}' if site else ''}"


def _short(text):
    return "nothing" if text is None else text.partition(" #")[0]


def _record(step, args, kwargs, outputs):
    recorder = Recorder()
    args, kwargs = mapped(recorder.input, (args, kwargs))
    with recorder.recording(), contextlib.nullcontext() if outputs is None else watch(_into(outputs)):
        step(*args, **kwargs)
    return recorder


def _into(outputs):
    """A watcher that adds the bits of every op's result to a list."""
    return lambda op, phase, inputs, y, seconds, site: outputs.append((op, phase, site, _bits(y)))


def _bits(y):
    y = y.array if type(y) is Traced else y
    return np.asarray(y).tobytes() if isinstance(y, (np.ndarray, np.generic)) else y
