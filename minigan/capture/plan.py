"""From noted calls to a flat list of functions: which memory each value gets, and what is called at a replay.

A value needs memory from the call that makes it to the last call that uses it.  Values whose lives do not meet can have the
same buffer; a compiler does the same with the registers of a processor.  Each value gets the smallest free buffer that is large
enough.  Then the arguments of the calls become views of the buffers.
"""

from functools import partial
from typing import Any

import numpy as np

from minigan.capture.structure import arrays_in, items_in, mapped
from minigan.capture.traced import Call, Held, Memory, Recorder, found
from minigan.errors import CaptureError

ALIGNMENT = 64  # bytes: a line of the cache, and the widest registers


class Plan:
    """The buffers of a recorded step, and its calls as functions without arguments."""

    def __init__(self, recorder: Recorder, kept):
        """kept: arrays that are read after the last call, such as results."""
        self._memory = recorder.memory
        calls = recorder.calls
        for number, call in enumerate(calls):
            for memory in self._used(call.arrays()):
                memory.first = number if memory.first < 0 else memory.first
                memory.last = number
        for memory in self._used(kept):
            memory.kept, memory.last = True, len(calls)
        values = [memory for memory in recorder.values if memory.last >= 0]
        self.sizes = self._place(sorted(values, key=lambda memory: memory.first))
        self.values, self.unshared = len(values), sum(memory.root.nbytes for memory in values)
        self.buffers = [_aligned(size) for size in self.sizes]
        self.tensors = {id(m.root) for call in calls for m in self._used(call.arrays()) if m.tensor is not None}
        self.rows = [self._row(number, call) for number, call in enumerate(calls)]
        self.functions = [function_of(self._moved(call)) for call in calls]

    def forget(self) -> None:
        """Drop the arrays of the recording, which are no longer needed."""
        self._memory = {}

    def _used(self, arrays) -> list[Memory]:
        """The memory of arrays; constants have none."""
        return [self._memory[id(a)][1] for a in arrays if id(a) in self._memory]

    def _place(self, values):
        """Give every value the number of a buffer; return the sizes of the buffers in bytes."""
        sizes: list[int] = []
        busy: list[int] = []  # the last call that uses each buffer
        for value in values:
            free = [i for i, last in enumerate(busy) if last < value.first and sizes[i] >= value.root.nbytes]
            if value.kept or not free:
                value.number = len(sizes)
                sizes.append(value.root.nbytes)
                busy.append(value.last)
            else:
                value.number = min(free, key=lambda i: (sizes[i], -busy[i]))  # the one used last is still in the cache
                busy[value.number] = value.last
        return sizes

    def moved(self, x) -> Any:
        """An array of the recording as a view of its buffer; anything else as it is."""
        memory = self._memory[id(x)][1] if isinstance(x, np.ndarray) and id(x) in self._memory else None
        if memory is None or memory.tensor is not None:
            return x
        offset = _address(x) - _address(memory.root)
        return np.ndarray(x.shape, x.dtype, self.buffers[memory.number].data, offset, x.strides)

    def _moved(self, call):
        args, kwargs, out = (mapped(self.moved, part) for part in (call.args, call.kwargs, call.out))
        return Call(call.op, call.site, call.function, args, kwargs, out, call.how, call.name)

    # ------------------------------------------------------------------------------------------------- the listing ---

    def listing(self, inputs) -> str:
        """All calls, one a line."""
        sizes = f"{sum(self.sizes):,} bytes instead of {self.unshared:,}"
        lines = [f"{len(self.rows)} calls; {self.values} values share {len(self.sizes)} buffers, {sizes}"]
        lines += [f"argument {i}: {x.dtype} {x.shape}" for i, x in enumerate(inputs)]
        number, op, text = (max((len(row[i]) for row in self.rows), default=0) for i in range(3))
        lines += [f"{a:>{number}}  {b:{op}}  {c:{text}}  {d}".rstrip() for a, b, c, d in self.rows]
        return "\n".join(lines)

    def _row(self, number, call):
        """The number of a call, its op and line, what it computes, and the dtype and shape of its result."""
        made = arrays_in(call.out)[:1]
        writes = call.how == "write" and not call.draws
        given = [] if call.how == "method" or call.draws else items_in((call.args, call.kwargs))
        given = [x for x in given if call.how != "again" or isinstance(x, np.ndarray)]  # numbers of a kernel tell little
        text = f"{call.name}({', '.join(self._shown(a) for a in given if a is not None)})"
        return (
            str(number),
            call.op + (f" ({call.site})" if call.site else ""),
            text if writes or not made else f"{self._shown(made[0])} = {text}",
            "".join(f"{a.dtype} {a.shape}" for a in made),
        )

    def _shown(self, x) -> str:
        """An argument in the listing: b3 is buffer 3."""
        if isinstance(x, np.ndarray) and id(x) in self._memory:
            memory = self._memory[id(x)][1]
            return f"b{memory.number}" if memory.tensor is None else f"{type(memory.tensor).__name__} {memory.root.shape}"
        if isinstance(x, np.ndarray):
            return f"constant {x.shape}" if x.ndim else str(x)
        if isinstance(x, (bool, int, float, str)):
            return str(x)
        return "..." if x is ... else getattr(x, "__name__", type(x).__name__)


def _aligned(size):
    """A new buffer."""
    whole = np.empty(size + ALIGNMENT, np.uint8)
    start = -_address(whole) % ALIGNMENT
    return whole[start : start + size]


def _address(array):
    return array.__array_interface__["data"][0]


# ------------------------------------------------------------------------------------------------------- the replay ---


def function_of(call: Call) -> Any:
    """A function without arguments that makes the call again."""
    function, args, kwargs, out = call.function, call.args, call.kwargs, call.out
    if call.how == "out":
        if call.name.endswith(".reduce") and set(kwargs) == {"axis", "keepdims"}:  # positions are passed faster than names
            return partial(function, *args, kwargs["axis"], None, out, kwargs["keepdims"])
        return partial(function, *args, **kwargs, out=out)
    if call.how == "write":
        return partial(function, *args, **kwargs)
    if call.how == "copy":
        return lambda: _store(call, out, function(*args, **kwargs))
    places, held = items_in(out) if out is not None else [], arrays_in((args, kwargs), Held)

    def again():
        given, named = (mapped(found, args), mapped(found, kwargs)) if held else (args, kwargs)
        y = function(*given, **named)
        if places:
            results = items_in(y)
            if len(results) != len(places):
                raise _changed(call, f"gives {len(results)} results, not {len(places)}")
            for place, result in zip(places, results):
                _store(call, place, result)

    return again


def _store(call, place, result):
    """Put one result of a call to the place where the later calls read it."""
    if isinstance(place, np.ndarray):
        if np.shape(result) != place.shape:
            raise _changed(call, f"gives the shape {np.shape(result)}, not {place.shape}")
        np.copyto(place, result)
    elif type(place) is Held:
        place.value = result
    elif not (result is place or result == place):
        raise _changed(call, f"gives {result}, not {place}")


def _changed(call, what) -> CaptureError:
    return CaptureError(
        f"capture: {call.op}{f' ({call.site})' if call.site else ''} {what} as when the step was recorded; its values "
        "decide this, so the step cannot be replayed"
    )
