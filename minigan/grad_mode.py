"""Whether ops record: `with no_grad():` they compute and record nothing.  Each thread has a mode of its own.

no_grad   record nothing                enable_grad     record again, inside a no_grad block
is_recording   the mode itself          set_recording   either, in a block
"""

from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F")
recording = ContextVar("recording", default=True)
is_recording = recording.get  # no function of ours around it: every recorded op asks
_open: ContextVar[tuple] = ContextVar("open", default=())  # the blocks that this thread is in, the innermost last

GENERATOR, COROUTINE = 0x20, 0x80  # the flags in a function's code (inspect has them, and is slow to import)


class set_recording:
    """Inside the block ops record if `on`, and not otherwise.  As a decorator: while the function runs.

    One object may be used many times, also inside itself and by several threads.  A block that is left in another thread
    than it was entered in, as a forgotten generator may do, changes nothing there.
    """

    def __init__(self, on: bool):
        self.on = on

    def __enter__(self):
        _open.set((*_open.get(), self))
        recording.set(self.on)

    def __exit__(self, *error):
        blocks = list(_open.get())
        if self in blocks:
            del blocks[len(blocks) - 1 - blocks[::-1].index(self)]
            _open.set(tuple(blocks))
            recording.set(blocks[-1].on if blocks else True)

    def __call__(self, decorated: F) -> F:
        function: Any = decorated
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)

        @wraps(function)
        def call(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        @wraps(function)
        def generator(*args, **kwargs):
            return self._resumed(function(*args, **kwargs))

        @wraps(function)
        async def coroutine(*args, **kwargs):
            with self:
                return await function(*args, **kwargs)

        wrapped: Any = generator if flags & GENERATOR else coroutine if flags & COROUTINE else call
        return wrapped

    def _resumed(self, generator):
        """The generator, whose own lines run in this mode, and those that use its values in theirs."""
        resume, argument = generator.send, None
        try:
            while True:
                with self:
                    value = resume(argument)
                try:
                    resume, argument = generator.send, (yield value)
                except GeneratorExit:
                    with self:
                        generator.close()
                    raise
                except BaseException as error:
                    resume, argument = generator.throw, error
        except StopIteration as end:
            return end.value


def no_grad() -> set_recording:
    """Inside `with no_grad():`, or a function or generator decorated with `@no_grad()`, ops compute and record nothing."""
    return set_recording(False)


def enable_grad() -> set_recording:
    """Record again, inside a no_grad block."""
    return set_recording(True)
