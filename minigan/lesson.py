"""Tools for the lesson scripts.  They only present results; the mathematics is in minigan and in the lessons.

Lesson(name)    .claim     check a number that the text states                     .figure   draw, and save as PNG
                .exercise  check a function that the reader writes                 .fast     is this the short run?
                .end       print how many claims were true
FalseClaim      raised when the text and the computed value disagree
Elsewhere: the lessons themselves (lessons/ beside the package), the command that runs them (cli/lesson.py).

The short run (MINIGAN_FAST=1 in the environment, or --fast on the command line) takes a few seconds: it has the same cells
with fewer steps.  A claim that only the full run can check has full=True; the short run prints that it left it out.
"""

import contextlib
import os
import sys
import time
from pathlib import Path

import numpy as np

from minigan.errors import MiniganError
from minigan.grad_mode import no_grad

FOLDER = "lesson-figures"  # created in the current folder


class FalseClaim(MiniganError, AssertionError):
    """A lesson states a value that differs from the computed one."""


class Lesson:
    """One run of a lesson.   name: the name of its file without .py; figures are saved in lesson-figures/<name>/.

    From now on, matrix products use one thread.  More threads do not help with the small matrices of a lesson, and on a busy
    machine they wait for each other.  With one thread, the last bits also do not depend on the number of cores.

        lesson = Lesson("01_tape")
        lesson.claim(0.1 + 0.2, 0.3, atol=1e-12, says="0.1 + 0.2 is nearly 0.3")
        lesson.end()
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
        """Check that |value - expected| <= atol in every element, and print the claim with a tick; otherwise raise FalseClaim.

        value, expected: numbers, booleans, arrays, Tensors, or lists of numbers, of the same shape.  NaN equals nothing.
        says: the claim in words.   full: only the full run can check it; the short run prints that it left the claim out.
        """
        if full and self.fast:
            self.left_out += 1
            return _say(f"  -  left out, needs the full run: {says}")
        if not _near(value, expected, atol):
            raise FalseClaim(
                f"{self.name}: {says}: the text says {_short(expected)} within {atol:g}, but "
                f"this machine computes {_short(value)}"
            )
        self.held += 1
        return _say(f"  {_sign('✓', 'ok')} {says}: {_short(value)}")

    def exercise(self, name, value, expected, atol=0.0) -> bool:
        """Print the state of an exercise and return True if it is solved.

        value: what the reader's function returns; None means that the exercise is open.   expected, atol: as for `claim`."""
        if value is None:
            _say(f"  ?  exercise {name}: open; replace the `return None` in the cell above and run again")
            return False
        right = _near(value, expected, atol)
        mark = _sign("✓", "ok") if right else _sign("✗", "no")
        _say(f"  {mark} exercise {name}: " + ("right" if right else f"not yet; it gives {_short(value)}"))
        return right

    @contextlib.contextmanager
    def figure(self, name, width=7.0, height=4.0):
        """A context that gives a matplotlib Figure and then saves it as a PNG.   width, height: in inches, 110 pixels each.
        `with lesson.figure("graph") as figure: ...` writes lesson-figures/<lesson>/graph.png."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height), dpi=110, layout="constrained", facecolor="white")
        yield figure
        self.folder.mkdir(parents=True, exist_ok=True)
        FigureCanvasAgg(figure).print_png(self.folder / f"{name}.png")
        _say(f"  figure {self.folder / name}.png")

    def end(self) -> None:
        """Print how many claims were true, how many the short run left out, and how long the lesson took."""
        left_out = f", {self.left_out} left out by the short run" if self.left_out else ""
        _say(f"{self.name}: {self.held} claims hold{left_out}, {time.perf_counter() - self._start:.1f} s")


@no_grad()  # a claim takes numbers out of graphs, and nobody differentiates them afterwards
def _near(value, expected, atol):
    value, expected = np.asarray(value, np.float64), np.asarray(expected, np.float64)
    if value.shape != expected.shape:
        return False
    with np.errstate(invalid="ignore"):  # inf - inf gives NaN, and "<=" is False for NaN
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
    """Return `sign`, or `plain` if standard output cannot encode it, as on Windows when it is redirected into a file."""
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return plain
    return sign + " "


def _say(line):
    print(line, flush=True)  # flushed, because the reader follows the lesson while it runs, perhaps in a file
