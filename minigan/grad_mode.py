"""Do ops record?  Inside `with no_grad():` they compute and record nothing.  Each thread has its own mode.

no_grad   record nothing                enable_grad     record again, inside a no_grad block
is_recording   the mode itself          set_recording   one or the other, as an argument says
"""

from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F")
recording = ContextVar("recording", default=True)
is_recording = recording.get  # a direct reference, because every op calls it, and a function around it would cost time
_open: ContextVar[tuple] = ContextVar("open", default=())  # the open blocks of this thread; the innermost is the last

GENERATOR, COROUTINE = 0x20, 0x80  # flags in a function's code; inspect has them too, but is slow to import


class set_recording:
    """Inside the block ops record only if `on` is true.  As a decorator it holds while the function runs.

    You may use one object many times, also inside its own block and in several threads.  If a block was entered in one thread
    and is left in another, as can happen with an unfinished generator, the mode of the other thread does not change.
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
        """A generator with the same values: its own lines run in this mode, and the caller keeps the caller's mode."""
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
    """Inside `with no_grad():`, or a function or generator decorated with `@no_grad()`, ops compute and record nothing.

    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> with mg.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    return set_recording(False)


def enable_grad() -> set_recording:
    """Record again, inside a no_grad block."""
    return set_recording(True)
