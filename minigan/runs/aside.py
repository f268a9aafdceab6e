"""What stands beside the training must not end it: words for a reader who may have gone, pictures, metrics, alarms.

say         a line on stderr, if somebody can read it
quietly     a function that is called during training: an error in it becomes one line, and training goes on
"""

import contextlib
import functools
import sys
from collections.abc import Callable


def say(text: str) -> None:
    """Print a line on stderr.   If that is closed, full or without a reader, nothing happens."""
    # ValueError: it is closed.  RuntimeError: a signal arrived in the middle of another print.
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)


def quietly(what: str, function: Callable, told: set) -> Callable:
    """The function, but an Exception in it is told once, as "what: ...; training goes on", and gives None.

    told: what was told already in this run."""

    @functools.wraps(function)
    def call(*arguments):
        try:
            return function(*arguments)
        except Exception as error:
            if what not in told:
                told.add(what)
                lines = str(error).splitlines() or [type(error).__name__]
                say(f"warning: {what}: {lines[0]}; training goes on")
            return None

    return call
