"""What a test sets and reads of the stand-in: the machine it pretends to be, what was counted, what is refused now.

machine      cards (how many GPUs there are; at first $FAKECUPY_CARDS, or 1), memory (bytes that one allocation may have),
             driver (the newest CUDA it knows, 13020 for 13.2; 0: none installed), nvrtc (is the compiler there?)
counts       h2d, d2h, sync, op (array operations), launch (kernels of RawModule) since counts.reset(); a number that is read to
             decide what to do next is a d2h and a sync
capturable   `with capturable():` whatever a CUDA graph cannot hold raises, as it does while a stream captures
lenient      a test for "does a host array, asked for by this call, count as the test's own?"; None: nothing is let pass
compute, mutate, new    through these three every operation of the stand-in goes; a capture records them
"""

import contextlib
import os
import weakref

import numpy as np


class _Machine:
    cards, memory, driver, nvrtc = int(os.environ.get("FAKECUPY_CARDS", "1")), 2**40, 13020, True


class Counts:
    """How often each thing happened since reset()."""

    def __init__(self):
        self.reset()

    def reset(self):
        """All counts to zero."""
        self.h2d = self.d2h = self.sync = self.op = self.launch = 0

    def __repr__(self):
        return f"h2d={self.h2d} d2h={self.d2h} sync={self.sync} op={self.op} launch={self.launch}"


machine, counts = _Machine(), Counts()
lenient = None
current_device = 0
allocators: list = []  # of using_allocator, the innermost last
_capturable = 0
recording = None  # the Recording of the stream that captures


@contextlib.contextmanager
def capturable():
    """Inside, whatever cannot be captured raises; everything else runs as usual."""
    global _capturable
    _capturable += 1
    try:
        yield
    finally:
        _capturable -= 1


def refuse_in_capture(what):
    """NotImplementedError for this, if a stream captures or the block is capturable()."""
    if recording is not None:
        recording.broken = True
    if recording is not None or _capturable:
        raise NotImplementedError(f"{what} cannot be part of a CUDA graph")


def transfer(kind, bytes=0):
    """Count a copy between host and device ("h2d", "d2h")."""
    refuse_in_capture(f"a copy between host and device ({kind})")
    setattr(counts, kind, getattr(counts, kind) + 1)


def synchronise(what="a synchronisation"):
    """Count one."""
    refuse_in_capture(what)
    counts.sync += 1


def read(what, times=1):
    """Count numbers that CuPy reads from the card to go on: each is a copy to the host, and waited for."""
    for _ in range(times):
        refuse_in_capture(what)
        counts.d2h += 1
        counts.sync += 1


def let_pass() -> bool:
    """Is this use of a host array the test's own?  Then it is not counted either."""
    return lenient is not None and lenient()


# ------------------------------------------------------------------------------------------- operations, recorded ---


class Recording:
    """What happened since begin_capture: to be run again, in the same memory."""

    def __init__(self):
        self.steps, self.broken = [], False
        self.new = {}  # id -> memory that was allocated during the capture; kept, or the ids would be used again
        self.before = {}  # id -> (memory that was there already, and is changed; what it held)

    def end(self):
        """Undo: a capture computes nothing, it only writes down."""
        for memory, copy in reversed(self.before.values()):  # the oldest copy of a memory under several names is the last
            memory[...] = copy
        for memory in self.new.values():
            poison(memory)


def poison(array):
    """Fill with what is surely wrong: NaN, or for integers a large number, for booleans True."""
    if array.dtype.kind in "fc":
        array.fill(np.nan)
    elif array.dtype.kind in "iub":
        array.fill(np.iinfo(array.dtype).max // 2 if array.dtype.kind != "b" else True)


def _root(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def new(shape, dtype, order="C"):
    """Memory of a device, poisoned."""
    array = np.empty(shape, dtype, order)
    _allocated(array)
    poison(array)
    return array


def _allocated(array):
    if array.nbytes > machine.memory:
        from cupy.cuda.memory import OutOfMemoryError

        raise OutOfMemoryError(array.nbytes, 0, machine.memory)
    pool = getattr(allocators[-1], "__self__", None) if allocators else None
    if hasattr(pool, "_given"):
        pool._given.append(weakref.ref(_root(array)))
    if recording is not None:
        if not allocators:
            raise RuntimeError(
                "memory from the default pool inside a capture: somebody else may be given it between two "
                "launches; use cupy.cuda.using_allocator(pool.malloc) with a pool of the graph's own"
            )
        recording.new[id(_root(array))] = _root(array)


def compute(function, *inputs, order="C"):
    """The array that function() returns, in memory of its own (order "C", or "K": as it is) unless it is a view of an input."""
    with np.errstate(all="ignore"):
        result = np.asarray(function())
    if any(np.may_share_memory(result, x) for x in inputs) and _root(result) in [_Same(_root(x)) for x in inputs]:
        return result  # a view: metadata, no operation
    if result.base is not None or (order == "C" and not result.flags.c_contiguous):
        result = result.copy(order)
    counts.op += 1
    _allocated(result)
    if recording is not None:
        recording.steps.append(lambda: np.copyto(result, function()))
    return result


class _Same:
    """Equal to one very object."""

    def __init__(self, thing):
        self.thing = thing

    def __eq__(self, other):
        return other is self.thing


def mutate(function, *written, kind="op"):
    """Run function(), which changes the arrays `written` in place.   ValueError if two of one's elements are one place."""
    for array in written:
        if overlaps_itself(array):
            raise ValueError("several elements of the array written to are one place in memory: a race on a card")
    if recording is not None:
        for array in written:
            memory = _root(array)
            if id(memory) not in recording.new and id(memory) not in recording.before:
                recording.before[id(memory)] = memory, memory.copy()
        recording.steps.append(function)
    setattr(counts, kind, getattr(counts, kind) + 1)
    with np.errstate(all="ignore"):
        function()


def overlaps_itself(array) -> bool:
    """Are two of its elements one place, as in a broadcast view or a sliding window?"""
    end = array.itemsize  # of the part that the axes with smaller strides reach
    for stride, n in sorted((abs(s), n) for s, n in zip(array.strides, array.shape) if n > 1):
        if stride < end and array.size:
            return True
        end += stride * (n - 1)
    return False


def overlap(a, b) -> bool:
    """May the two share memory?  As CuPy asks: by their first and last bytes."""
    return a.size > 0 and b.size > 0 and np.may_share_memory(a, b)
