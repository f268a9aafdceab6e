"""Several cores for one kernel: split it into independent pieces, one per Python thread, and limit BLAS to one thread.

set_num_threads          how many threads the large kernels use       suit     the same for one run, while it trains
new_loop, note, settle   the same for a loop of the user's own        choice   what was chosen, in words
share                    run a function on the pieces of a range

NumPy releases the interpreter lock inside its loops and BLAS calls, so Python threads do run at the same time.  We split a
kernel *outside* its steps, so each thread keeps its piece in its own cache from the first step to the last.  BLAS's own
threads split only the matrix product, and wait for each other after each product.  Both kinds of threads together would
compete for the cores, so BLAS is limited to one thread as soon as we use several.

Which is better depends on the net.  Waking a thread of ours takes 20 microseconds: seen on two cores, a DCGAN step takes
ours 0.84 of the time that BLAS's threads need, an MLP GAN's 1.2.  A net of small products gains nothing from BLAS's threads,
and they wait in a loop that keeps a core busy: beside one other program, a step of a 2-D GAN took 30 times as long with two of
them as with one.  So a session that trains convolutions uses our threads while it trains (runs/session.py), and in a loop of
the user's own the first step decides:

    a convolution of more than LARGE multiplications      our threads, from that call on
    no product of more than SMALL multiplications         one thread of BLAS
    else                                                  BLAS's own threads

A new optimizer begins a new loop, which chooses anew.  set_num_threads overrules all this, whenever it is called.
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

LARGE, SMALL = 2**25, 2**22  # multiplications
watching = True  # is the choice for the user's loop still open?  Kernels call `note` only while it is
_largest = 0  # the multiplications of the largest product that this loop has done
_of_a_loop, _one_is_enough = ALONE, False  # what was chosen


def _team() -> Team:
    return _of_the_process if _chosen else _of_a_run.get() or _of_a_loop


def get_num_threads() -> int:
    """How many threads the large kernels use; 1 until set_num_threads, or until a loop with a large convolution begins."""
    return _team().size


def set_num_threads(n: int | None = None) -> None:
    """Let large kernels use n threads (None: one per core this process may run on), and BLAS one.

    n = 1 gives BLAS its own threads back.  More threads help nets of convolutions; if you do not call this, a session does the
    same for them, and a loop of your own chooses at its first step.  The bits of a result can depend on n, but not on the order
    in which threads run.  ConfigError (a ValueError) unless n is a whole number >= 1.
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
    new_loop()
    _disband(_of_the_process)
    _of_the_process, _chosen = _gather(size), True


@contextlib.contextmanager
def suit(convolutions: bool, largest: int | None = None):
    """Inside the block, in this thread, use the threads that suit a net, unless set_num_threads has been called.

    For convolutions these are as many threads of ours as BLAS has, else BLAS's own; but one, if the net's largest product has
    at most SMALL multiplications (`largest`), because two threads of BLAS that wait for each other suffer from every other
    program.  This follows from the net alone, so a resumed run has the same threads.  The whole process shares BLAS.  So while
    one run limits BLAS to one thread, BLAS has one thread in every other run too, whose bits may then be different."""
    team = ALONE if _chosen else _gather(_threads_of_blas() if convolutions else 1)
    one_is_enough = not _chosen and not convolutions and largest is not None and largest <= SMALL
    token = _of_a_run.set(team)
    if one_is_enough:
        _hold()
    try:
        yield
    finally:
        _of_a_run.reset(token)
        _disband(team)
        if one_is_enough:
            _release()


def note(multiplications: int, convolution: bool = False) -> None:
    """A kernel is about to do a product of so many multiplications, and the threads of this loop are not chosen yet."""
    global _largest, _of_a_loop, watching
    if _chosen or _of_a_run.get() is not None:
        return
    _largest = max(_largest, multiplications)
    if convolution and multiplications > LARGE:
        watching, _of_a_loop = False, _gather(_threads_of_blas())


def settle() -> None:
    """The first step of this loop is done: if it had small products only, one thread of BLAS is enough."""
    global _one_is_enough, watching
    if _chosen or _of_a_run.get() is not None or not watching:
        return
    watching = False
    if 0 < _largest <= SMALL and _threads_of_blas() > 1:
        _one_is_enough = True
        _hold()


def new_loop() -> None:
    """A new loop begins, which chooses its threads anew."""
    global _largest, _of_a_loop, _one_is_enough, watching
    team, held = _of_a_loop, _one_is_enough
    _largest, _of_a_loop, _one_is_enough, watching = 0, ALONE, False, True
    _disband(team)
    if held:
        _release()


def choice() -> str:
    """Which threads large kernels and products use now, and why, in words."""
    if get_num_threads() > 1:
        return f"{get_num_threads()} of minigan's, {'as you set' if _chosen else 'because the net has large convolutions'}"
    if _one_is_enough:
        return "1, because the net has small products only"
    return f"BLAS's own, {_threads_of_blas()}"


def _threads_of_blas() -> int:
    """How many threads BLAS has, or had before it was limited to one."""
    from threadpoolctl import threadpool_info

    return _of_blas if _held else max([lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"], default=1)


def _gather(n: int) -> Team:
    """A team of n; while there is one with several threads, BLAS has one."""
    if n == 1:
        return ALONE
    from concurrent.futures import ThreadPoolExecutor

    _hold()
    return Team(n, ThreadPoolExecutor(n - 1, "minigan"))


def _disband(team: Team) -> None:
    if team is not ALONE:
        team.pool.shutdown(wait=False)
        _release()


def _hold() -> None:
    """BLAS has one thread until as many calls of _release."""
    global _held, _limits, _of_blas
    from threadpoolctl import threadpool_limits

    with _lock:
        if not _held:
            _of_blas, _limits = _threads_of_blas(), threadpool_limits(1, user_api="blas")
        _held += 1


def _release() -> None:
    global _held
    with _lock:
        _held -= 1
        if not _held:
            _limits.restore_original_limits()


def _after_fork():
    """A forked child does not have the parent's threads: it uses one thread until it is told to make new ones."""
    global _lock, _held, _of_the_process, _of_a_loop, _one_is_enough, watching
    _lock, _held, _of_the_process, _of_a_loop, _one_is_enough, watching = threading.Lock(), 0, ALONE, ALONE, False, True
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
