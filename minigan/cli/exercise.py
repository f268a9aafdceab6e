"""The verb exercise: list the exercises of the lessons, start one in a file of one's own, check it.

Files, in the current folder: exercise_3_1.py is the reader's own; exercises.json keeps what was reached, and how many hints
were shown.  A check runs the reader's file in a process of its own, and ends it after LIMIT seconds."""

import datetime
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from minigan import exercises, lesson_files
from minigan.errors import ConfigError
from minigan.exercises import Exercise
from minigan.lesson_files import environment
from minigan.paths import command
from minigan.paths import path as given
from minigan.schema import Misfit, Named, Record, Text, Whole
from minigan.serialize import replacing

PROGRESS = Path("exercises.json")
LIMIT = 60  # seconds; the slowest check takes a few
STATES = ("open", "wrong", "right")
STATE = Text(5, STATES.__contains__, f"one of {', '.join(STATES)}")
SHAPE = Named(Record({"state": STATE, "tries": Whole(), "hints": Whole(), "first_right": Text(10)}))
HEAD = '''\
"""Exercise {name}: {title}.

{text}

Write your answer in place of `return None`, then: {check}
"""

import math

import numpy as np

import minigan as mg
from minigan import nn


'''


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "exercise",
        help="list the exercises of the lessons, start one, check it",
        allow_abbrev=False,
        description="The exercises of the lessons.  `start 3.1` writes exercise_3_1.py into the current folder, with a "
        "function to complete; `check 3.1` says in a sentence what is wrong with it, or that it is right.  `start 3` and "
        "`check 3` take all exercises of lesson 3.  exercises.json in the same folder keeps what you have reached.",
        epilog="Exit code of check: 0 if every exercise that it looked at is right, otherwise 1.",
    )
    verb.add_argument("what", nargs="?", default="list", choices=("list", "start", "check"), help="list is the default")
    verb.add_argument("which", nargs="?", metavar="N", help="an exercise (3.1), a lesson (3), or all")
    verb.add_argument("file", nargs="?", metavar="FILE.py", help="check this file (default: exercise_3_1.py and so on)")
    verb.add_argument("--hint", action="store_true", help="with check: show the next hint")
    verb.add_argument("--answer", action="store_true", help="with check: show a right answer")
    verb.add_argument("--json", action="store_true", help="print the results as JSON, for a class")
    verb.set_defaults(run=_exercise)


def _exercise(options):
    progress = _progress()
    if options.what == "list":
        return _list(progress, options)
    if options.which is None:
        raise ConfigError(f"name an exercise, such as `{command('exercise', options.what, '1.1')}`")
    wanted = exercises.find(options.which)
    if options.what == "start":
        return _start(wanted)
    if options.file is not None and len(wanted) > 1:
        raise ConfigError(f"a file belongs to one exercise; name it, such as {wanted[0].name}")
    if options.hint or options.answer:
        return _help(wanted, progress, options)
    return _check(wanted, progress, options)


def _list(progress, options):
    if options.json:
        return print(json.dumps({name: progress.get(name, {"state": "open"}) for name in exercises.exercises()}, indent=1))
    titles = lesson_files.find()
    lesson = None
    for name, exercise in exercises.exercises().items():
        number = int(name.partition(".")[0])
        if number != lesson:
            lesson = number
            print(f"lesson {lesson_files.title(titles[number])}" if number in titles else f"lesson {number}")
        state = progress.get(name, {}).get("state", "open")
        print(f"  {name:5} {exercise.title}{'' if state == 'open' else f'   ({state})'}")
    print(f"To begin: {command('exercise', 'start', next(iter(exercises.exercises())))}")


def _start(wanted):
    files = [_file(exercise) for exercise in wanted]
    there = [str(file) for file in files if file.exists()]
    if len(there) == len(files):
        raise ConfigError(f"{there[0]}: is there already; delete or rename it to begin again")
    for exercise, file in zip(wanted, files):
        if str(file) in there:
            print(f"{file}: is there already, and stays as it is")
            continue
        check = command("exercise", "check", exercise.name)
        head = HEAD.format(name=exercise.name, title=exercise.title, text=textwrap.fill(exercise.text, 100), check=check)
        with open(file, "x", encoding="utf-8") as out:
            out.write(head + exercise.start)
        print(f"{file}: complete the function in an editor, then: {check}")


def _check(wanted, progress, options):
    results = []
    for exercise in wanted:
        file = given(options.file, "FILE.py") if options.file else _file(exercise)
        if not file.is_file():
            if len(wanted) == 1:
                raise ConfigError(f"{file}: no such file; `{command('exercise', 'start', exercise.name)}` writes it")
            state, says = "open", f"not begun: {command('exercise', 'start', exercise.name)}"
        else:
            state, says = _judged(exercise, file)
            _note(progress, exercise.name, state)
        results.append({"name": exercise.name, "state": state, "says": says})
        if not options.json:
            print(f"exercise {exercise.name}: {says}")
    right = [result["state"] == "right" for result in results]
    if options.json:
        print(json.dumps({"ok": all(right), "exercises": results}, indent=1))
    elif not all(right) and len(wanted) == 1 and wanted[0].hints:
        print(f"a hint: {command('exercise', 'check', wanted[0].name, '--hint')}")
    elif len(wanted) > 1:
        print(f"{sum(right)} of {len(right)} are right")
    return 0 if all(right) else 1


def _judged(exercise: Exercise, file: Path) -> tuple[str, str]:
    """(state, what to say) of an exercise in this file."""
    words = [sys.executable, "-m", "minigan.exercises", exercise.name, str(file)]
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, env=environment(), timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return "wrong", f"not yet; it did not end within {LIMIT} seconds: is there a loop without an end?"
    try:
        state, says = json.loads(done.stdout)
    except ValueError:
        return "wrong", f"not yet; the file ended Python itself (exit code {done.returncode})"
    return state, says


def _help(wanted, progress, options):
    if len(wanted) > 1:
        raise ConfigError(f"name one exercise, such as {wanted[0].name}")
    exercise = wanted[0]
    if options.hint:
        shown = progress.get(exercise.name, {}).get("hints", 0)
        for i, hint in enumerate(exercise.hints[: shown + 1], start=1):
            print(f"hint {i} of {len(exercise.hints)}: {hint}")
        _note(progress, exercise.name, hints=min(shown + 1, len(exercise.hints)))
    if options.answer:
        print(exercise.answer.strip("\n"))
    return 0


def _file(exercise) -> Path:
    return Path(f"exercise_{exercise.name.replace('.', '_')}.py")


def _progress() -> dict[str, Any]:
    """What exercises.json says; {} if there is none.   Raises ConfigError for a damaged one."""
    if not PROGRESS.exists():
        return {}
    try:
        progress = json.loads(PROGRESS.read_bytes())
        SHAPE.check(progress, "exercises")
    except (ValueError, Misfit) as error:
        raise ConfigError(
            f"{PROGRESS.absolute()}: is damaged ({error}); delete it: your own files stay, only the marks go"
        ) from None
    return progress


def _note(progress, name, state=None, hints=None):
    """Write into exercises.json what was reached."""
    about = progress.setdefault(name, {"state": "open", "tries": 0, "hints": 0, "first_right": ""})
    if hints is not None:
        about["hints"] = hints
    if state is not None:
        about["state"], about["tries"] = state, about["tries"] + (state != "open")
        if state == "right" and not about["first_right"]:
            about["first_right"] = datetime.date.today().isoformat()
    with replacing(PROGRESS) as file:
        file.write(json.dumps(progress, indent=1).encode())
