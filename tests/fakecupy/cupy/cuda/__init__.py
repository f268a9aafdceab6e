"""cupy.cuda: devices, streams, events, memory pools, graphs, emulated as far as the project needs them."""

import contextlib

from cupy import _fake
from cupy._surface import SURFACE
from cupy.cuda import memory, nvrtc, runtime
from cupy.cuda.graph import Graph
from cupy.cuda.memory import MemoryPool, MemoryPointer, PinnedMemoryPool, alloc_pinned_memory
from cupy.cuda.stream import Event, Stream, get_current_stream, get_elapsed_time


def is_available():
    """Can a GPU be used?"""
    return _fake.machine.driver >= 13000 and _fake.machine.cards > 0


class Device:
    """A GPU; `with Device(1):` makes it the current one."""

    def __init__(self, device=None):
        self.id = _fake.current_device if device is None else int(device)
        self._before = []

    def use(self):
        """Make it the current one."""
        runtime._check(self.id)
        _fake.current_device = self.id

    def __enter__(self):
        self._before.append(_fake.current_device)
        self.use()
        return self

    def __exit__(self, *_):
        _fake.current_device = self._before.pop()

    def __eq__(self, other):
        return isinstance(other, Device) and other.id == self.id

    def __hash__(self):
        return hash(self.id)

    def __int__(self):
        return self.id

    def __repr__(self):
        return f"<CUDA Device {self.id}>"

    compute_capability = "90"

    @property
    def mem_info(self):
        """(free, total) bytes."""
        return _fake.machine.memory, _fake.machine.memory

    @property
    def attributes(self):
        """Of the pretended card."""
        return {"MultiProcessorCount": 132, "MaxThreadsPerBlock": 1024, "WarpSize": 32}

    def synchronize(self):
        """Wait for all streams."""
        _fake.synchronise("Device.synchronize()")


def get_device_id():
    """Of the current one."""
    return _fake.current_device


_default_pool, _default_pinned_pool = MemoryPool(), PinnedMemoryPool()


@contextlib.contextmanager
def using_allocator(allocator=None):
    """Inside, arrays come from this allocator: pool.malloc."""
    _fake.allocators.append(allocator)
    try:
        yield
    finally:
        _fake.allocators.pop()


def get_default_memory_pool():
    """Where arrays come from unless one says otherwise."""
    return _default_pool


def __getattr__(name):
    if name not in SURFACE["cupy.cuda"]:
        raise AttributeError(f"module 'cupy.cuda' has no attribute {name!r}")
    raise NotImplementedError(f"the stand-in has no cupy.cuda.{name}, which the real package has: add it")
