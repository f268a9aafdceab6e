"""The exercises of the lessons: a function with a hole, and a check that answers in a sentence.

Exercise      one exercise: its text, its hole, its check, hints, the answer, and what to say about usual wrong answers
exercises     {name: Exercise} of all lessons, in their order
find          the exercises that "3.1", "3" or "all" name
Each lesson has a file here, lesson_01.py and so on, with a list EXERCISES.   A lesson shows the same holes and calls the same
checks (`Lesson.exercise`).   Elsewhere: how an answer is judged (judge.py), the command (cli/exercise.py).
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from minigan.errors import ConfigError, suggestion


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    name: such as "3.1", the first exercise of lesson 3.   title, text: what to do.
    start: the source of a function with a hole, `return None`.   answer: the source of a right one.   hints: one after another.
    through: calls the reader's function and returns numbers; its docstring says which.   expected, atol: these numbers, if the
    function is right, within atol.   parts: how many values the function returns.
    usual: pairs (what the wrong answer gives, the sentence to say).  What it gives: the first of the numbers that the check
    computes, or words of the error that it causes.   wrong: sources of usual wrong answers, with which the tests try `usual`.
    """

    name: str
    through: Callable[[Callable], Any]
    expected: Any
    atol: float = 0.0
    parts: int = 1
    title: str = ""
    text: str = ""
    start: str = ""
    hints: Sequence[str] = ()
    answer: str = ""
    usual: Sequence[tuple[Any, str]] = field(default=(), repr=False)
    wrong: Sequence[str] = field(default=(), repr=False)

    @property
    def function(self) -> str:
        """The name of the function that the reader writes: of the first one whose `return None` is the hole."""
        return re.findall(r"(?m)^def (\w+)", self.start[: self.start.index("return None")])[-1]


@cache
def exercises() -> dict[str, Exercise]:
    """All exercises, {name: Exercise}, in the order of the lessons."""
    files = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name.startswith("lesson_"))
    found = [exercise for file in files for exercise in importlib.import_module(f"{__name__}.{file}").EXERCISES]
    return {exercise.name: exercise for exercise in found}


def find(which: str) -> list[Exercise]:
    """The exercises that `which` names: "3.1", "3" (those of lesson 3) or "all".   Raises ConfigError if there are none.

    >>> [exercise.name for exercise in find("1")]
    ['1.1', '1.2']"""
    found = [one for name, one in exercises().items() if which in ("all", name, name.partition(".")[0])]
    if not found:
        raise ConfigError(
            f"there is no exercise {which!r}{suggestion(which, exercises())}; give one (3.1), a lesson (3), or all: "
            f"`minigan exercise list` shows them"
        )
    return found
