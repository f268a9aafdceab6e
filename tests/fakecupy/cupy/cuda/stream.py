"""cupy.cuda streams and events.  All work is done when a call returns, so there is nothing to wait for, only to count."""

import time

from cupy import _fake


class Stream:
    """An order of work.  `with stream:` makes it the current one."""

    null = None  # filled in below

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.ptr = 0 if null else id(self)
        self.is_non_blocking = non_blocking
        self._before = []

    def __enter__(self):
        global _current
        self._before.append(_current)
        _current = self
        return self

    def __exit__(self, *_):
        global _current
        _current = self._before.pop()

    def use(self):
        """Make it the current one."""
        global _current
        _current = self
        return self

    def synchronize(self):
        """Wait for it."""
        _fake.synchronise("Stream.synchronize()")

    @property
    def done(self):
        """Always; asking is refused in a capture."""
        _fake.refuse_in_capture("stream.done")
        return True

    def record(self, event=None):
        """An event at this place."""
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event):
        """Work after this waits for the event."""

    def begin_capture(self, mode=None):
        """Write down instead of doing."""
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream; create one: cupy.cuda.Stream(non_blocking=True)")
        if _fake.recording is not None:
            raise RuntimeError("a capture is under way")
        if _current is not self:
            raise RuntimeError("capturing on a stream that is not the current one: the work would go elsewhere")
        _fake.recording = _fake.Recording()

    def end_capture(self):
        """The Graph of what was written down."""
        from cupy.cuda.graph import Graph

        recording, _fake.recording = _fake.recording, None
        if recording is None:
            raise RuntimeError("no capture is under way")
        recording.end()
        if recording.broken:  # stricter than CuPy, where what its Python text refuses does not reach the driver
            raise RuntimeError("cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during capture")
        return Graph._of(recording)

    def is_capturing(self):
        """Between begin and end?"""
        return _fake.recording is not None and _current is self


Stream.null = _current = Stream(null=True)


def get_current_stream(device_id=-1):
    """The current one."""
    return _current


class Event:
    """A place in a stream."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self._time = None

    def record(self, stream=None):
        """Now."""
        self._time = time.perf_counter()

    def synchronize(self):
        """Wait for it."""
        _fake.synchronise("Event.synchronize()")

    @property
    def done(self):
        """Always."""
        return True


def get_elapsed_time(start_event, end_event):
    """Milliseconds between two events."""
    return (end_event._time - start_event._time) * 1e3
