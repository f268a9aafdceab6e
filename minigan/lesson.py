"""What a lesson script uses besides minigan itself.  Presentation only: nothing here computes.

Lesson(name)    .claim     a number of the text, checked while the lesson runs     .figure   draw, and save as PNG
                .exercise  a hole for the reader to fill                           .fast     is this the short run?
                .end       the last line: how many claims held
FalseClaim      raised where the text and the machine disagree
Elsewhere: the lessons themselves (lessons/ beside the package), the command that runs them (cli/lesson.py).

The short run (MINIGAN_FAST=1 in the environment, or --fast on the command line) has a few seconds: the same cells with
fewer steps.  A claim about the long run is marked full=True; the short run prints that it left it out.
"""

import contextlib
import os
import sys
import time
from pathlib import Path

import numpy as np

from minigan.errors import MiniganError
from minigan.grad_mode import no_grad

FOLDER = "lesson-figures"  # in the folder where the lesson is run


class FalseClaim(MiniganError, AssertionError):
    """A lesson says a number that the machine does not find."""


class Lesson:
    """One run of one lesson.   name: its file's, without .py; figures go to lesson-figures/<name>/.

    Matrix products use one thread from here on.  For a lesson's small matrices more threads gain nothing, on a busy
    machine they wait for each other, and with one the last bits do not depend on the number of cores.
    """

    def __init__(self, name: str):
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, user_api="blas")
        self.name, self.folder = name, Path(FOLDER) / name
        self.fast = os.environ.get("MINIGAN_FAST", "0") not in ("", "0") or "--fast" in sys.argv[1:]
        self.held = self.left_out = 0
        self._start = time.perf_counter()
        _say(f"lesson {name}, {'short' if self.fast else 'full'} run")

    def claim(self, value, expected, atol=0.0, says="", full=False) -> None:
        """Print says with a tick if |value - expected| <= atol in every element, else raise FalseClaim.

        value, expected: numbers, booleans, arrays, Tensors, or lists of numbers, of one shape; NaN is never right.
        full: only the full run can tell; the short run leaves the claim out and says so.
        """
        if full and self.fast:
            self.left_out += 1
            return _say(f"  -  left out, needs the full run: {says}")
        if not _near(value, expected, atol):
            raise FalseClaim(f"{self.name}: {says}: the text says {_short(expected)} within {atol:g}, "
                             f"this machine finds {_short(value)}")
        self.held += 1
        return _say(f"  {_sign('✓', 'ok')} {says}: {_short(value)}")

    def exercise(self, name, value, expected, atol=0.0) -> bool:
        """Say how far an exercise is: open while its function returns None, else right or not yet.  True when right."""
        if value is None:
            _say(f"  ?  exercise {name}: open; replace the `return None` in the cell above and run again")
            return False
        right = _near(value, expected, atol)
        mark = _sign("✓", "ok") if right else _sign("✗", "no")
        _say(f"  {mark} exercise {name}: " + ("right" if right else f"not yet; it gives {_short(value)}"))
        return right

    @contextlib.contextmanager
    def figure(self, name, width=7.0, height=4.0):
        """with lesson.figure("graph") as figure: draw on a matplotlib Figure; it is saved as <folder>/graph.png."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height), dpi=110, layout="constrained", facecolor="white")
        yield figure
        self.folder.mkdir(parents=True, exist_ok=True)
        FigureCanvasAgg(figure).print_png(self.folder / f"{name}.png")
        _say(f"  figure {self.folder / name}.png")

    def end(self) -> None:
        """Say how many claims held, how many the short run left out, and how long it took."""
        left_out = f", {self.left_out} left out by the short run" if self.left_out else ""
        _say(f"{self.name}: {self.held} claims hold{left_out}, {time.perf_counter() - self._start:.1f} s")


@no_grad()  # a claim takes numbers out of graphs, and nobody differentiates them afterwards
def _near(value, expected, atol):
    value, expected = np.asarray(value, np.float64), np.asarray(expected, np.float64)
    if value.shape != expected.shape:
        return False
    with np.errstate(invalid="ignore"):  # inf - inf is NaN; "<=" is False for NaN, so NaN is never near
        return bool(np.all((value == expected) | (np.abs(value - expected) <= atol)))


@no_grad()
def _short(value):
    array = np.asarray(value)
    if array.dtype.kind in "biu" and not array.ndim:
        return str(array.item())
    if array.size > 8:
        return f"all {array.size} numbers"
    if array.ndim:
        return np.array2string(array, precision=7, separator=", ", max_line_width=200)
    return f"{float(array):.7g}"


def _sign(sign, plain):
    """The sign, or plain where standard output cannot write it (Windows, redirected into a file)."""
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return plain
    return sign + " "


def _say(line):
    print(line, flush=True)  # at once, also into a file: a lesson is read while it runs
