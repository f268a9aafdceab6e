"""See every op as it runs: the profiler, the search for NaN and the lessons are built on this.

watch         a context manager: call a function after each op and each gradient rule      calling_line   who called?
watchers      .active has those of this thread; the engine calls an op through `run` only if there are any.
              .recorder records a step for mg.capture, or is None            again, looking   what a recorded step calls
              again at every replay

The tools: debug.py, profile.py, capture/.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any

_NOT_THE_USERS = {"minigan", "numpy", *sys.stdlib_module_names} - {"__main__"}


class _Watchers(threading.local):
    active: tuple = ()
    recorder: Any = None


watchers = _Watchers()


@contextlib.contextmanager
def watch(watcher):
    """Inside the block, call watcher(op, phase, inputs, output, seconds, site) after each op and each gradient rule.

    op: its name.  phase: "forward" or "backward".  inputs: the arrays of the call (for a rule: the gradient that arrives).
    output: an array or None (for a rule: the gradient).  seconds: how long it took.  site: "file.py:12", the line
    outside minigan that called the op, or None if no watcher was active when the op was recorded.
    """
    previous, watchers.active = watchers.active, (*watchers.active, watcher)
    try:
        yield watcher
    finally:
        watchers.active = previous


def run(op, phase, site, inputs, function, /, *args, **params) -> Any:
    """Call function(*args, **params), tell the watchers, and return the result."""
    start, recorder = time.perf_counter(), watchers.recorder
    if recorder is None:
        output = function(*args, **params)
    else:
        output = recorder.run(op if phase == "forward" else f"{op} {phase}", site, function, args, params)
    seconds = time.perf_counter() - start
    for value in output if isinstance(output, (tuple, list)) and phase == "backward" else [output]:
        value = value[0] if isinstance(value, tuple) else value  # a fused op returns (output, what it keeps)
        for watcher in watchers.active:
            watcher(op, phase, inputs, getattr(value, "data", value) if hasattr(value, "node") else value, seconds, site)
        seconds = 0.0  # if one call gave several gradients, its time counts only once
    return output


def again(changes: Callable):
    """A decorator for methods that read or count something in Python, such as a learning rate: a captured step (mg.capture)
    calls them again at every replay.   changes(*arguments) gives the Tensors that a call changes."""

    def decorator(method):
        @wraps(method)
        def call(self, *args):
            if watchers.recorder is None:
                return method(self, *args)
            return watchers.recorder.again(method, self, args, changes(self, *args))

        return call

    return decorator


def looking(function, *args) -> Any:
    """Call a function that reads values, such as a check of an op's arguments: a captured step calls it again, too."""
    recorder = watchers.recorder
    return function(*args) if recorder is None else recorder.run(function.__name__, None, function, args, {})


def calling_line() -> str | None:
    """'file.py:12': the innermost line of the call stack that is neither minigan's own nor Python's or NumPy's library.

    None if there is none, as under the commands `minigan` and `python -m minigan`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame.f_globals) in _NOT_THE_USERS:
        frame = frame.f_back
    name = frame and frame.f_code.co_filename.rpartition("/")[2]
    return None if frame is None or (frame.f_back is None and name == "minigan") else f"{name}:{frame.f_lineno}"


def _package(module):
    """The top package of a module, from its globals: "minigan" for minigan's __main__, "__main__" for a user's script."""
    return (module.get("__package__") or module.get("__name__") or "").partition(".")[0]
