"""Whether ops record: `with no_grad():` they compute and record nothing.  Each thread has a mode of its own.

no_grad   record nothing                enable_grad     record again, inside a no_grad block
recording the mode itself: .get()       is_recording    the same as a function         set_recording   either, in a block
"""

import contextlib
from contextvars import ContextVar

recording = ContextVar("recording", default=True)


@contextlib.contextmanager
def set_recording(on: bool):
    """Inside the block ops record if `on`, and not otherwise."""
    token = recording.set(on)
    try:
        yield
    finally:
        recording.reset(token)


def no_grad():
    """Inside `with no_grad():`, or a function decorated with `@no_grad()`, ops compute and record nothing."""
    return set_recording(False)


def enable_grad():
    """Record again, inside a no_grad block."""
    return set_recording(True)


def is_recording() -> bool:
    """False inside no_grad."""
    return recording.get()
