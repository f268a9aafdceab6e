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
import linecache
import os
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from minigan.errors import MiniganError
from minigan.grad_mode import no_grad
from minigan.lesson_answers import ERRORS, USUAL

FOLDER = "lesson-figures"  # created in the current folder


class FalseClaim(MiniganError, AssertionError):
    """A lesson states a value that differs from the computed one."""


class _Open(Exception):
    """The reader's function returned None: the exercise is not done yet."""


class _Wrong(Exception):
    """What the reader's function returned cannot be right; its text says why."""


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
        about = {"says": says, "value": None, "expected": _short(expected), "within": atol}
        if full and self.fast:
            self.claims.append({**about, "state": "left out"})
            return _say(f"  -  left out, needs the full run: {says}")
        about["value"] = _short(value)
        if _near(value, expected, atol):
            self.claims.append({**about, "state": "true"})
            return _say(f"  {_sign('✓', 'ok')} {says}: {about['value']}")
        self.claims.append({**about, "state": "false"})
        text = f"{says}: the text says {about['expected']} within {atol:g}, but this machine computes {about['value']}"
        if self.strict:
            raise FalseClaim(f"{self.name}: {text}")
        return _say(f"  {_sign('✗', 'no')} {text}")

    def exercise(self, name: str, function, through, expected, atol=0.0, parts=1) -> None:
        """Check a function that the reader writes, and print in a sentence what is wrong with it.

        function: the reader's; if it returns None, the exercise is open.   through(function): calls it, and returns numbers.
        expected, atol: these numbers if the function is right, as for `claim`.   parts: how many values the function returns.
        The usual wrong answers have sentences of their own (lesson_answers.py).
        """
        state, says = self._judge(name, function, through, expected, atol, parts)
        self.exercises[name] = {"name": name, "state": state, "says": says}
        mark = {"open": "? ", "right": _sign("✓", "ok"), "wrong": _sign("✗", "no")}[state]
        _say(f"  {mark} exercise {name}: {says}")

    def _judge(self, name, function, through, expected, atol, parts):
        """The state of an exercise, and what to say about it."""
        usual = [*USUAL.get(name, ()), *ERRORS]
        try:
            value = through(lambda *arguments: _checked(function(*arguments), parts))
        except _Open:
            return "open", "open; the function returns None: write your answer in place of `return None`, and run again"
        except _Wrong as wrong:
            return "wrong", f"not yet; {wrong}"
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            where = _line_of(function, error)
            advice = next((says for words, says in usual if isinstance(words, str) and words in text), None)
            if advice:
                return "wrong", f"not yet; {advice} ({where}{text})"
            return "wrong", f"not yet; {where or 'what it returns cannot be used: '}{text}"
        if _near(value, expected, atol):
            return "right", "right"
        for pattern, says in usual:
            if not isinstance(pattern, str) and _starts(value, pattern, max(atol, 1e-9)):
                return "wrong", f"not yet; {says}"
        what = f" ({through.__doc__.strip()})" if through.__doc__ else ""  # python -OO has no docstrings
        return "wrong", f"not yet; it gives {_short(value)}, and right would be {_short(expected)}{what}"

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


@no_grad()  # a claim takes numbers out of graphs, and nobody differentiates them afterwards
def _near(value, expected, atol):
    try:
        value, expected = np.asarray(value, np.float64), np.asarray(expected, np.float64)
    except (TypeError, ValueError):  # after an edit, the value may be None or anything else
        return False
    if value.shape != expected.shape:
        return False
    with np.errstate(invalid="ignore"):  # inf - inf gives NaN, and "<=" is False for NaN
        return bool(np.all((value == expected) | (np.abs(value - expected) <= atol)))


def _starts(value, pattern, atol):
    """Is the value a list of numbers that starts with those of the pattern?"""
    return np.ndim(value) == 1 and _near(value[: len(pattern)], pattern, atol)


@no_grad()
def _short(value):
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            return repr(value)[:80]
    except (TypeError, ValueError):
        return repr(value)[:80]
    if array.dtype.kind in "biu" and not array.ndim:
        return str(array.item())
    if array.size > 8:
        return f"all {array.size} numbers"
    if array.ndim == 1:
        return f"[{', '.join(_short(number) for number in array)}]"
    if array.ndim:
        return np.array2string(array, precision=7, separator=", ", max_line_width=200)
    return f"{array.item():.7g}"


def _checked(answer, parts):
    """What the reader's function returned.   Raises _Open or _Wrong if it cannot be an answer."""
    several = isinstance(answer, tuple | list)
    if answer is None or (several and answer and all(part is None for part in answer)):
        raise _Open
    count = len(answer) if several else 1
    if count != parts or several != (parts > 1):
        wanted = "one value, without a comma" if parts == 1 else f"{parts} values, with a comma between them"
        raise _Wrong(f"the function must return {wanted}; it returns {count if several else 'one'}")
    if several and any(part is None for part in answer):
        raise _Wrong("one of the values that the function returns is None")
    return answer


def _line_of(function, error):
    """Where in the reader's function the error arose: "line 12, `return g / b`: "; "" if it arose elsewhere."""
    code = getattr(function, "__code__", None)
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code is code]
    if not lines:
        return ""
    return f"line {lines[-1]}, `{linecache.getline(code.co_filename, lines[-1]).strip()}`: "


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
