"""Tools for the lesson scripts.  They only present results; the mathematics is in minigan and in the lessons.

Lesson(name)    .claim     check a number that the text states         .figure   draw, save as PNG, show in a notebook
                .exercise  check a function that the reader writes     .fast     is this the short run?
                .end       print how many claims were true, and set the exit code
raises          does this call raise this error?
FalseClaim      raised in a strict run when the text and the computed value disagree
Elsewhere: the lessons themselves (lessons/ beside the package), the command that runs them (cli/lesson.py).

A lesson takes options, on its command line or as environment variables (set to 1):
  --fast, MINIGAN_FAST      take a few seconds: the same cells with fewer steps.  A claim that only the full run can check has
                            full=True; the short run prints that it left it out.
  --strict, MINIGAN_STRICT  stop at the first false claim.  Without it a false claim gets a cross and the lesson goes on: a
                            reader who has changed a line wants to see what comes of it.
  --json                    print the results as JSON at the end, and everything else on standard error.
Exit code: 0 if no claim was false and no exercise was wrong (it may be open), otherwise 1.
"""

import atexit
import contextlib
import json
import os
import sys
import time
from pathlib import Path

from minigan.errors import MiniganError, choose
from minigan.exercises import Exercise, exercises
from minigan.exercises.judge import judge, near, short

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
        self.fast, self.strict = _wanted("fast"), _wanted("strict")
        self.claims: list[dict] = []
        self.exercises: dict[str, dict] = {}  # by name: in a notebook an exercise is often run again, and the last state counts
        self._start, self._ended, self._error = time.perf_counter(), False, None
        if "--json" in sys.argv[1:]:
            self._print_json_at_exit()
        _say(f"lesson {name}, {'short' if self.fast else 'full'} run")

    def claim(self, value, expected, atol=0.0, says="", full=False) -> None:
        """Check that |value - expected| <= atol in every element, and print the claim with a tick or a cross.   Raises
        FalseClaim for a false one if the run is strict.

        value, expected: numbers, booleans, arrays, Tensors, or lists of numbers, of the same shape.  NaN equals nothing.
        says: the claim in words.   full: only the full run can check it; the short run prints that it left the claim out.
        """
        about = {"says": says, "value": None, "expected": short(expected), "within": atol}
        if full and self.fast:
            self.claims.append({**about, "state": "left out"})
            return _say(f"  -  left out, needs the full run: {says}")
        about["value"] = short(value)
        if near(value, expected, atol):
            self.claims.append({**about, "state": "true"})
            return _say(f"  {_sign('✓', 'ok')} {says}: {about['value']}")
        self.claims.append({**about, "state": "false"})
        text = f"{says}: the text says {about['expected']} within {atol:g}, but this machine computes {about['value']}"
        if self.strict:
            raise FalseClaim(f"{self.name}: {text}")
        return _say(f"  {_sign('✗', 'no')} {text}")

    def exercise(self, which: str | Exercise, function) -> None:
        """Check a function that the reader writes, and print in a sentence what is wrong with it.

        which: the name of an exercise (minigan/exercises/), or an Exercise of one's own.   function: the reader's; if it
        returns None, the exercise is open.   Raises ConfigError if there is no such exercise."""
        exercise = which if isinstance(which, Exercise) else choose("exercise", which, exercises())
        state, says = judge(exercise, function)
        name = exercise.name
        self.exercises[name] = {"name": name, "state": state, "says": says}
        mark = {"open": "? ", "right": _sign("✓", "ok"), "wrong": _sign("✗", "no")}[state]
        _say(f"  {mark} exercise {name}: {says}")

    @contextlib.contextmanager
    def figure(self, name, width=7.0, height=4.0):
        """A context that gives a matplotlib Figure, then saves it as a PNG, and shows it if this is a notebook.

        width, height: in inches, 110 pixels each.
        `with lesson.figure("graph") as figure: ...` writes lesson-figures/<lesson>/graph.png."""
        from minigan.viz import figures

        figure = figures.new(width, height, dpi=110)
        yield figure
        path = self.folder / f"{name}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(figures.png(figure))
        if _in_notebook():
            from IPython.display import Image, display

            display(Image(filename=str(path), metadata={"alt": name}))
        _say(f"  figure {path}")

    def end(self) -> None:
        """Print how many claims were true, how many the short run left out, and how long the lesson took.   Ends the process
        with exit code 1 if a claim was false or an exercise wrong, except in a notebook."""
        self._ended = True
        counts = {state: [c["state"] for c in self.claims].count(state) for state in ("true", "false", "left out")}
        parts = [f"{counts['true']} claims hold"]
        parts += [f"{counts['false']} {'does' if counts['false'] == 1 else 'do'} not"] if counts["false"] else []
        parts += [f"{counts['left out']} left out by the short run"] if counts["left out"] else []
        _say(f"{self.name}: {', '.join(parts)}, {time.perf_counter() - self._start:.1f} s")
        if self.exercises:
            _say("exercises: " + ", ".join(f"{about['name']} {about['state']}" for about in self.exercises.values()))
        if self._failed() and not _in_notebook():
            raise SystemExit(1)

    def _failed(self) -> bool:
        return "false" in [c["state"] for c in self.claims] or "wrong" in [e["state"] for e in self.exercises.values()]

    def _print_json_at_exit(self):
        """From now on, print on standard error; when the process ends, however it ends, print the results as JSON."""
        out, sys.stdout, before = sys.stdout, sys.stderr, sys.excepthook

        def note(kind, error, trace):
            self._error = f"{kind.__name__}: {error}"
            before(kind, error, trace)

        def write():
            about = {"lesson": self.name, "run": "short" if self.fast else "full", "ok": self._ended and not self._failed()}
            about |= {"finished": self._ended, "error": self._error}
            about |= {"exercises": list(self.exercises.values()), "claims": self.claims}
            print(json.dumps(about, indent=1), file=out, flush=True)

        sys.excepthook = note
        atexit.register(write)


def raises(error: type[BaseException], call) -> bool:
    """Does call() raise this error?   Any other error is not caught.

    >>> raises(ZeroDivisionError, lambda: 1 / 0), raises(ZeroDivisionError, lambda: 1 / 2)
    (True, False)"""
    try:
        call()
    except error:
        return True
    return False


def _wanted(option):
    """Is this option of a lesson on the command line or in the environment?"""
    return f"--{option}" in sys.argv[1:] or os.environ.get(f"MINIGAN_{option.upper()}", "0") not in ("", "0")


def _in_notebook():
    if "IPython" not in sys.modules:
        return False
    from minigan.runs import notebook  # not at the top: it imports the training loop

    return notebook.inside()


def _sign(sign, plain):
    """Return `sign`, or `plain` if standard output cannot encode it, as on Windows when it is redirected into a file."""
    try:
        sign.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return plain
    return sign + " "


def _say(line):
    try:
        print(line, flush=True)  # flushed, because the reader follows the lesson while it runs, perhaps in a file
    except BrokenPipeError:  # the program that reads our output (head, less) has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
