"""Whether ops record: `with no_grad():` they compute and record nothing.  Each thread has a mode of its own.

no_grad         record nothing                          enable_grad     record again, inside a no_grad block
is_recording    False inside no_grad                    set_recording   either of the two, in a block
"""

import contextlib
from contextvars import ContextVar

_mode = ContextVar("recording", default=True)
is_recording = _mode.get  # the method itself: every op asks, and a function around it would cost one more call


@contextlib.contextmanager
def set_recording(on: bool):
    """Inside the block ops record if `on`, and not otherwise."""
    token = _mode.set(on)
    try:
        yield
    finally:
        _mode.reset(token)


def no_grad():
    """Inside `with no_grad():`, or a function decorated with `@no_grad()`, ops compute and record nothing."""
    return set_recording(False)


def enable_grad():
    """Record again, inside a no_grad block."""
    return set_recording(True)
