"""The training of a session, from its step to the last one.

train           the loop around game.play: hooks, log, checkpoints, progress, Ctrl-C, SIGTERM and SIGHUP
check_limits    may training end at these limits?
Elsewhere: one iteration (game.py), what happens every n iterations (hooks.py), the objects of a run (session.py).
"""

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from minigan.data.base import whole
from minigan.errors import ConfigError, NotFiniteError
from minigan.kernels.threads import suit
from minigan.nn import Conv2d, ConvTranspose2d
from minigan.runs.aside import quietly, say
from minigan.streams import using
from minigan.train.game import play
from minigan.train.settings import LARGEST

HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none


def check_limits(steps=None, seconds=None) -> None:
    """Raise ConfigError unless training can end at these limits.   None: no limit."""
    if steps is not None:
        whole("steps", steps, least=0, most=LARGEST)
    number = isinstance(seconds, int | float | np.number) and not isinstance(seconds, bool)
    if seconds is not None and not (number and seconds > 0):
        raise ConfigError(f"seconds must be a number above 0, got {seconds!r}")


def train(session, steps=None, seconds=None, report=None) -> bool:
    """Train a session; see Session.train."""
    check_limits(steps, seconds)
    planned = session.settings.steps
    steps = planned if steps is None else steps
    if session.loader is None:
        session.attach()
    nets = session.game.nets.values()
    convolutions = any(isinstance(module, (Conv2d, ConvTranspose2d)) for net in nets for module in net.modules())
    largest = session.settings.batch_size * max((p.size for net in nets for p in net.parameters()), default=0)
    with session.run.writing(), suit(convolutions, largest), using(session.layer_streams), _interruptible(session):
        session.begin()
        with _noting_divergence(session):
            draw = quietly("no picture of samples", session.draw, session.told)
            if session.step == 0:
                draw()
            _iterate(session, planned, steps, seconds, report)
            session.save()
            draw()
            session.finish()
    return session.step >= steps or not session.stopped


def _iterate(session, planned, steps, seconds, report):
    start_step, before = session.step, session.seconds
    refresh = quietly("the report is not up to date", session.finish, session.told)
    while session.step < steps and not session.stopped and (seconds is None or session.seconds - before < seconds):
        start = time.monotonic()
        read = float if _reads(session, start_step) else None
        turn: Callable = session.captured.play if session.captured else partial(play, session.game.at(session.step))
        losses = turn(session.loader, session.streams, min(session.step / planned, 1.0), read)
        session.step += 1
        session.losses = losses or session.losses
        session.seconds += time.monotonic() - start
        # The log is written before the checkpoint: if the run is killed between the two, the line is written again
        # after a resume; in the other order, it would be missing.
        metrics, error = _look(session, losses)
        _log(session, metrics)
        if session.step % session.settings.checkpoint_every == 0 or error:
            session.save()
            refresh()
        if error:
            raise error
        if report:
            try:
                report(session.step, session.losses)
            except Exception:
                session.save()
                raise


def _reads(session, start_step) -> bool:
    """Does the next step read its losses?  On the CPU, always.  On a GPU, reading makes the CPU wait, so only where they
    are needed, and in the first step, for the progress bar."""
    following = session.step + 1
    return (
        session.device == "cpu"
        or session.step == start_step
        or following % session.settings.log_every == 0
        or following % session.settings.checkpoint_every == 0
        or session.schedule.reads(following)
    )


def _look(session, losses) -> tuple[dict, Exception | None]:
    """Call the hooks and the schedule after a step, and return the hooks' metrics, and the first error in one of them: it ends
    the training, but only when this step is saved.   losses: {} if they were not read."""
    metrics, first = {}, None
    for hook in session.hooks:
        try:
            metrics |= hook(session) or {}
        except Exception as error:
            first = first or error
    session.schedule.step(losses if session.device == "cpu" or session.schedule.reads(session.step) else {}, metrics)
    return metrics, first


def _log(session, metrics):
    record = {**session.losses, **session.schedule.rates()} if session.step % session.settings.log_every == 0 else {}
    if metrics:
        record["metrics"] = metrics
    if record:
        session.run.log({"step": session.step, **record})


@contextlib.contextmanager
def _noting_divergence(session):
    """Write a NotFiniteError into the log and the report, and raise it again."""
    try:
        yield
    except NotFiniteError as error:
        session.run.log({"step": session.step + 1, "not finite": str(error)})
        if session.run.fork is None:  # otherwise the run on the disk is still the one before it went back
            session.finish()
        raise


@contextlib.contextmanager
def _interruptible(session):
    """After the first Ctrl-C, SIGTERM or SIGHUP (the terminal has gone), finish the step and save; a second Ctrl-C or SIGTERM
    stops at once."""
    session.stopped, previous = 0, {}

    def stop(number, frame):
        session.stopped = number
        restore()
        if HANGUP in previous:  # a shell may send it again
            signal.signal(HANGUP, signal.SIG_IGN)
        say("\nfinishing this step and saving; press Ctrl-C again to stop at once")

    def restore():
        for number, handler in previous.items():
            signal.signal(number, handler)

    if threading.current_thread() is threading.main_thread():  # Python allows handlers only in the main thread
        for number in {signal.SIGINT, signal.SIGTERM, HANGUP}:
            if signal.getsignal(number) not in (None, signal.SIG_IGN):  # nohup and a shell's "&" ignore some signals
                previous[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        restore()
