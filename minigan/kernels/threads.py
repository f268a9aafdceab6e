"""Several cores for one kernel: split it into pieces that do not meet, one Python thread each, BLAS on one thread.

set_num_threads   how many threads the large kernels use          share   run a function on the pieces of a range

NumPy releases the interpreter lock inside its loops and BLAS calls, so Python threads do run side by side.  Splitting a
kernel *outside* its steps lets each thread keep its piece in its own cache from the first step to the last; BLAS's own
threads split only the matrix product, and meet again after each.  Both kinds at once get into each other's way, so BLAS is
held to one thread as soon as there are several of ours.

Which is better depends on the net.  Waking a thread of ours takes 20 microseconds: seen on two cores, a DCGAN step takes
ours 0.84 of the time that BLAS's threads need, an MLP GAN's 1.2.  So BLAS has its own until the first convolution layer is
made (nn/layers.py); set_num_threads overrules that, whenever it is called.
"""

import os

_count = 1
_pool = None
_limits = None
_chosen = False  # has set_num_threads been called?


def get_num_threads() -> int:
    """How many threads the large kernels use; 1 until set_num_threads."""
    return _count


def set_num_threads(n: int | None = None) -> None:
    """Let large kernels use n threads (None: one per core this process may run on), and BLAS one.

    n = 1 gives BLAS its own threads back.  Until it is called, the first convolution layer made sets n to BLAS's threads.
    The bits of a result can depend on n, not on how the threads happen to run.  ValueError unless n is an int >= 1.
    """
    global _count, _pool, _limits, _chosen
    if n is None:
        n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n must be an int >= 1, got {n!r}")
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    if _limits is not None:
        _limits.restore_original_limits()
    _limits = threadpool_limits(1, user_api="blas") if n > 1 else None
    _pool = ThreadPoolExecutor(n - 1, "minigan") if n > 1 else None
    _count, _chosen = n, True


def expect_convolutions() -> None:
    """There will be convolutions: let our threads do what BLAS's did, unless set_num_threads has been called."""
    if not _chosen:
        from threadpoolctl import threadpool_info

        set_num_threads(max([lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"], default=1))


def _after_fork():
    """In a forked child the parent's threads do not exist: make new ones when asked again, work alone until then."""
    global _count, _pool
    _count, _pool = 1, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def share(function, n: int, least: int = 1) -> list:
    """[function(start, stop), ...] over pieces of range(n), one per thread, each of at least `least`; results in order."""
    pieces = max(1, min(_count, n // max(1, least)))
    bounds = [n * i // pieces for i in range(pieces + 1)]
    others = [_pool.submit(function, a, b) for a, b in zip(bounds[1:-1], bounds[2:])]
    first = function(0, bounds[1])
    return [first, *(other.result() for other in others)]
