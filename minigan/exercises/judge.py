"""Judge what a reader's function returns, and say in a sentence what is wrong with it.

judge     the state of an exercise, and the sentence
near      are two values equal within a tolerance?          short      a value in a few characters
ERRORS    pairs for every exercise: words of an error, what to say
Elsewhere: the exercises and their own usual wrong answers (lesson_01.py and so on).
"""

import functools
import linecache
import traceback
from typing import Any

import numpy as np

from minigan.exercises import Exercise
from minigan.grad_mode import no_grad

ERRORS = [
    ("operand type(s) for ^", "in Python a power is written **, and ^ is something else"),
    ("^ and ~ need booleans", "in Python a power is written **, and ^ is something else"),
    ("must be real number", "the functions of `math` know only plain numbers; use operators, or the functions of this lesson"),
    ("is not defined", "it uses a name that does not exist here; look for a typing mistake"),
]


class _Open(Exception):
    """The reader's function returned None: the exercise is not done yet."""


class _Wrong(Exception):
    """What the reader's function returned cannot be right; its text says why."""


def judge(exercise: Exercise, function) -> tuple[str, str]:
    """("open", "wrong" or "right", what to say) about the reader's function.   It never raises what the function raises."""
    usual = [*exercise.usual, *ERRORS]

    def checked(*arguments):
        return _checked(function(*arguments), exercise.parts)

    functools.update_wrapper(checked, function)  # so that a check can find what stands beside the function
    try:
        value = exercise.through(checked)
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
    if near(value, exercise.expected, exercise.atol):
        return "right", "right"
    for pattern, says in usual:
        if not isinstance(pattern, str) and _starts(value, pattern, max(exercise.atol, 1e-9)):
            return "wrong", f"not yet; {says}"
    doc = exercise.through.__doc__
    what = f" ({doc.strip()})" if doc else ""  # python -OO has no docstrings
    return "wrong", f"not yet; it gives {short(value)}, and right would be {short(exercise.expected)}{what}"


@no_grad()  # a claim takes numbers out of graphs, and nobody differentiates them afterwards
def near(value: Any, expected: Any, atol: float) -> bool:
    """Is |value - expected| <= atol in every element?   False for other shapes, NaN, and what is no number."""
    try:
        value, expected = np.asarray(value, np.float64), np.asarray(expected, np.float64)
    except (TypeError, ValueError):  # after an edit, the value may be None or anything else
        return False
    if value.shape != expected.shape:
        return False
    with np.errstate(invalid="ignore"):  # inf - inf gives NaN, and "<=" is False for NaN
        return bool(np.all((value == expected) | (np.abs(value - expected) <= atol)))


@no_grad()
def short(value: Any) -> str:
    """A value for a message: seven digits of a number, up to eight numbers of a list."""
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
        return f"[{', '.join(short(number) for number in array)}]"
    if array.ndim:
        return np.array2string(array, precision=7, separator=", ", max_line_width=200)
    return f"{array.item():.7g}"


def _starts(value, pattern, atol):
    """Is the value a list of numbers that starts with those of the pattern?"""
    return np.ndim(value) == 1 and near(value[: len(pattern)], pattern, atol)


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
