"""cupy.cuda.memory: pools in name; the memory is NumPy's."""

import numpy as np

from cupy import _fake


class OutOfMemoryError(MemoryError):
    """No room on the card."""

    def __init__(self, size, total, limit=0):
        super().__init__(
            f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes"
            + (f", limit set to: {limit:,} bytes)." if limit else ").")
        )


class MemoryPointer:
    """An address."""


class MemoryPool:
    """Its malloc is what using_allocator takes.   Arrays do not keep it alive: with it goes their memory."""

    def __init__(self, allocator=None):
        self._limit, self._given = 0, []

    def __del__(self):
        for given in self._given:
            memory = given()
            if memory is not None:
                _fake.poison(memory)

    def malloc(self, size):
        """Memory; nothing in the project calls it itself."""
        raise NotImplementedError("the stand-in's arrays bring their own memory")

    def used_bytes(self):
        """Not tracked: 0."""
        return 0

    def total_bytes(self):
        """Not tracked: 0."""
        return 0

    def free_bytes(self):
        """Not tracked: 0."""
        return 0

    def free_all_blocks(self, stream=None):
        """Give unused memory back; waits for the card."""
        _fake.synchronise("free_all_blocks()")

    def set_limit(self, size=None, fraction=None):
        """No array may be larger."""
        self._limit = size or 0

    def get_limit(self):
        """As set."""
        return self._limit


class PinnedMemoryPool:
    """Of host memory that the card can read."""

    def free_all_blocks(self):
        """Nothing to free."""


def alloc_pinned_memory(size):
    """Host memory that the card can read."""
    _fake.refuse_in_capture("an allocation of pinned memory")
    return np.empty(size, np.uint8).data
