"""Several cores for one kernel: split it into pieces that do not meet, one Python thread each, BLAS on one thread.

set_num_threads   how many threads the large kernels use          suit    the same for one run, while it is at work
share             run a function on the pieces of a range

NumPy releases the interpreter lock inside its loops and BLAS calls, so Python threads do run side by side.  Splitting a
kernel *outside* its steps lets each thread keep its piece in its own cache from the first step to the last; BLAS's own
threads split only the matrix product, and meet again after each.  Both kinds at once get into each other's way, so BLAS is
held to one thread as soon as there are several of ours.

Which is better depends on the net.  Waking a thread of ours takes 20 microseconds: seen on two cores, a DCGAN step takes
ours 0.84 of the time that BLAS's threads need, an MLP GAN's 1.2.  So BLAS has its own at first, and a session that trains
convolutions takes them over while it trains (runs/session.py); set_num_threads overrules that, whenever it is called.
"""

import contextlib
import os
import threading
from contextvars import ContextVar
from typing import Any, NamedTuple


class Team(NamedTuple):
    """`size` threads for one kernel: the one that calls it, and those of the pool, a ThreadPoolExecutor
    (None for a team of one)."""

    size: int
    pool: Any


ALONE = Team(1, None)
_of_the_process = ALONE
_of_a_run: ContextVar[Team | None] = ContextVar("team", default=None)  # of the run that is at work in this thread
_chosen = False  # has set_num_threads been called?
_lock, _held, _of_blas = threading.Lock(), 0, 1  # how many teams hold BLAS to one thread; what it had before
_limits: Any = None  # what gives BLAS its threads back


def _team() -> Team:
    return _of_the_process if _chosen else _of_a_run.get() or _of_the_process


def get_num_threads() -> int:
    """How many threads the large kernels use; 1 until set_num_threads."""
    return _team().size


def set_num_threads(n: int | None = None) -> None:
    """Let large kernels use n threads (None: one per core this process may run on), and BLAS one.

    n = 1 gives BLAS its own threads back.  Worth it for nets of convolutions; until it is called, a session does so for them.
    The bits of a result can depend on n, not on how the threads happen to run.  ValueError unless n is an int >= 1.
    """
    global _chosen, _of_the_process
    if n is None:
        n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n must be an int >= 1, got {n!r}")
    _disband(_of_the_process)
    _of_the_process, _chosen = _gather(n), True


@contextlib.contextmanager
def suit(convolutions: bool):
    """Inside the block, in this thread: threads that suit a net, unless set_num_threads has been called.

    Ours, as many as BLAS has, or BLAS's own.  BLAS is the whole process's: beside a run that has taken BLAS's threads over,
    another one has no more than one of them, and its bits may differ from what it gives alone on several."""
    team = ALONE if _chosen else _gather(_threads_of_blas() if convolutions else 1)
    token = _of_a_run.set(team)
    try:
        yield
    finally:
        _of_a_run.reset(token)
        _disband(team)


def _threads_of_blas() -> int:
    """How many threads BLAS has, or had before it was held to one."""
    from threadpoolctl import threadpool_info

    return _of_blas if _held else max([lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"], default=1)


def _gather(n: int) -> Team:
    """A team of n; while there is one with several threads, BLAS has one."""
    global _held, _limits, _of_blas
    if n == 1:
        return ALONE
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    with _lock:
        if not _held:
            _of_blas, _limits = _threads_of_blas(), threadpool_limits(1, user_api="blas")
        _held += 1
    return Team(n, ThreadPoolExecutor(n - 1, "minigan"))


def _disband(team: Team) -> None:
    global _held
    if team is ALONE:
        return
    team.pool.shutdown(wait=False)
    with _lock:
        _held -= 1
        if not _held:
            _limits.restore_original_limits()


def _after_fork():
    """In a forked child the parent's threads do not exist: make new ones when asked again, work alone until then."""
    global _lock, _held, _of_the_process
    _lock, _held, _of_the_process = threading.Lock(), 0, ALONE
    _of_a_run.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def share(function, n: int, least: int = 1) -> list:
    """[function(start, stop), ...] over pieces of range(n), one per thread, each of at least `least`; results in order."""
    team = _team()
    pieces = max(1, min(team.size, n // max(1, least)))
    bounds = [n * i // pieces for i in range(pieces + 1)]
    others = [team.pool.submit(function, a, b) for a, b in zip(bounds[1:-1], bounds[2:])]
    first = function(0, bounds[1])
    return [first, *(other.result() for other in others)]
