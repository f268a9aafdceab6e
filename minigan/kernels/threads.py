"""Several cores for one kernel: split it into pieces that do not meet, one Python thread each, BLAS on one thread.

set_num_threads   how many threads the large kernels use          share   run a function on the pieces of a range

NumPy releases the interpreter lock inside its loops and BLAS calls, so Python threads do run side by side.  Splitting a
kernel *outside* its steps lets each thread keep its piece in its own cache from the first step to the last; BLAS's own
threads split only the matrix product, and meet again after each.  Both kinds at once get into each other's way, so BLAS is
held to one thread as soon as there are several of ours.

Which is better depends on the net.  Waking a thread of ours takes 20 microseconds: seen on two cores, a DCGAN step takes
ours 0.84 of the time that BLAS's threads need, an MLP GAN's 1.2.  So BLAS has its own at first, and a session that trains
convolutions takes them over (train/session.py); set_num_threads overrules that, whenever it is called.
"""

import os
from typing import Any

_count = 1
_pool: Any = None
_limits = None
_chosen = False  # has set_num_threads been called?


def get_num_threads() -> int:
    """How many threads the large kernels use; 1 until set_num_threads."""
    return _count


def set_num_threads(n: int | None = None) -> None:
    """Let large kernels use n threads (None: one per core this process may run on), and BLAS one.

    n = 1 gives BLAS its own threads back.  Worth it for nets of convolutions; until it is called, a session does so for them.
    The bits of a result can depend on n, not on how the threads happen to run.  ValueError unless n is an int >= 1.
    """
    global _chosen
    if n is None:
        n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n must be an int >= 1, got {n!r}")
    _use(n)
    _chosen = True


def _use(n):
    global _count, _pool, _limits
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    if _limits is not None:
        _limits.restore_original_limits()
    _limits = threadpool_limits(1, user_api="blas") if n > 1 else None
    _pool = ThreadPoolExecutor(n - 1, "minigan") if n > 1 else None
    _count = n


def suit(convolutions: bool) -> None:
    """Threads that suit what comes next, unless set_num_threads has been called: ours, as many as BLAS has, or BLAS's own."""
    if not _chosen:
        from threadpoolctl import threadpool_info

        blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        _use(max(_count, *blas, 1) if convolutions else 1)


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
