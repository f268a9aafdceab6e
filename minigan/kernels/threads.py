"""Several cores for one kernel: split it into independent pieces, one per Python thread, and limit BLAS to one thread.

set_num_threads   how many threads the large kernels use          suit    the same for one run, while it trains
share             run a function on the pieces of a range

NumPy releases the interpreter lock inside its loops and BLAS calls, so Python threads do run at the same time.  We split a
kernel *outside* its steps, so each thread keeps its piece in its own cache from the first step to the last.  BLAS's own
threads split only the matrix product, and wait for each other after each product.  Both kinds of threads together would
compete for the cores, so BLAS is limited to one thread as soon as we use several.

Which is better depends on the net.  Waking a thread of ours takes 20 microseconds: seen on two cores, a DCGAN step takes
ours 0.84 of the time that BLAS's threads need, an MLP GAN's 1.2.  So BLAS has its own at first, and a session that trains
convolutions takes them over while it trains (runs/session.py); set_num_threads overrules that, whenever it is called.
"""

import contextlib
import operator
import os
import threading
from contextvars import ContextVar
from typing import Any, NamedTuple

from minigan.errors import ConfigError


class Team(NamedTuple):
    """`size` threads for one kernel: the thread that calls it, and those of the pool, a ThreadPoolExecutor
    (None for a team of one)."""

    size: int
    pool: Any


ALONE = Team(1, None)
_of_the_process = ALONE
_of_a_run: ContextVar[Team | None] = ContextVar("team", default=None)  # the team of this thread's run
_chosen = False  # has set_num_threads been called?
_lock, _held, _of_blas = threading.Lock(), 0, 1  # _held: how many teams limit BLAS to one thread; _of_blas: BLAS's own number
_limits: Any = None  # the object that gives BLAS its threads back


def _team() -> Team:
    return _of_the_process if _chosen else _of_a_run.get() or _of_the_process


def get_num_threads() -> int:
    """How many threads the large kernels use; 1 until set_num_threads."""
    return _team().size


def set_num_threads(n: int | None = None) -> None:
    """Let large kernels use n threads (None: one per core this process may run on), and BLAS one.

    n = 1 gives BLAS its own threads back.  More threads help nets of convolutions; if you do not call this, a session does the
    same for them.  The bits of a result can depend on n, but not on the order in which threads run.  ConfigError (a ValueError)
    unless n is a whole number >= 1.
    """
    global _chosen, _of_the_process
    if n is None:
        n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        size = 0 if isinstance(n, bool) else operator.index(n)
    except TypeError:
        size = 0
    if size < 1:
        raise ConfigError(f"set_num_threads: n must be an int >= 1, got {n!r}")
    _disband(_of_the_process)
    _of_the_process, _chosen = _gather(size), True


@contextlib.contextmanager
def suit(convolutions: bool):
    """Inside the block, in this thread, use the threads that suit a net, unless set_num_threads has been called.

    For convolutions these are as many threads of ours as BLAS has, else BLAS's own.  The whole process shares BLAS.  So while
    one run limits BLAS to one thread, BLAS has one thread in every other run too, whose bits may then be different."""
    team = ALONE if _chosen else _gather(_threads_of_blas() if convolutions else 1)
    token = _of_a_run.set(team)
    try:
        yield
    finally:
        _of_a_run.reset(token)
        _disband(team)


def _threads_of_blas() -> int:
    """How many threads BLAS has, or had before it was limited to one."""
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
    """A forked child does not have the parent's threads: it uses one thread until it is told to make new ones."""
    global _lock, _held, _of_the_process
    _lock, _held, _of_the_process = threading.Lock(), 0, ALONE
    _of_a_run.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def share(function, n: int, least: int = 1) -> list:
    """[function(start, stop), ...] over pieces of range(n), in order; one piece per thread, each at least `least` long."""
    team = _team()
    pieces = max(1, min(team.size, n // max(1, least)))
    bounds = [n * i // pieces for i in range(pieces + 1)]
    others = [team.pool.submit(function, a, b) for a, b in zip(bounds[1:-1], bounds[2:])]
    first = function(0, bounds[1])
    return [first, *(other.result() for other in others)]
