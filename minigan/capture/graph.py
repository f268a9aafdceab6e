"""Work on a GPU as a CUDA graph: recorded once on a stream of its own, then launched again and again.

A graph repeats exactly the recorded work: the same kernels, the same addresses, the same numbers from the host.  It has its own
memory pool, because nothing else may use its memory between two launches.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from minigan.backend import kept


class Graph:
    """`with graph.its_stream(): graph.record(function)`, then `graph.launch()` in such a block, as often as you like.

    recorded: is there something to launch?   cupy: the module."""

    def __init__(self, cupy):
        self.cupy, self.recorded = cupy, False
        self._stream, self._pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
        self._graph: Any = None

    @contextlib.contextmanager
    def its_stream(self):
        """Run the work inside on a stream that can be recorded.  It starts after all earlier work, and later work waits for
        it."""
        outside = self.cupy.cuda.get_current_stream()
        self._stream.wait_event(outside.record())
        try:
            with self._stream:
                yield
        finally:
            outside.wait_event(self._stream.record())

    def record(self, function: Callable) -> Any:
        """Write down the work of function(), which computes nothing yet; return its result.

        Its errors are raised; then nothing is recorded."""
        self.recorded = False
        with self.cupy.cuda.using_allocator(self._pool.malloc):
            self._stream.begin_capture()
            try:
                result = function()
            except BaseException:
                with contextlib.suppress(Exception):  # its error would hide the first one, which names the cause
                    self._stream.end_capture()
                raise
            self._graph = self._stream.end_capture()
        self._constants = kept()  # the graph reads these arrays at their addresses, so they must stay alive
        self.recorded = True
        return result

    def launch(self) -> None:
        """Do the recorded work."""
        self._graph.launch(self._stream)
