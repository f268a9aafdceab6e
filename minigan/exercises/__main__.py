"""Judge one file of a reader: `python -m minigan.exercises NAME FILE` prints [state, sentence] as JSON.

It is a process of its own, because the file may loop without end, call exit(), or break Python.  What the file prints appears
on standard error."""

import json
import sys
from pathlib import Path

from minigan.exercises import Exercise, exercises
from minigan.exercises.judge import judge


def of_file(exercise: Exercise, path: Path) -> tuple[str, str]:
    """The state of the exercise in this file, and what to say.   The file runs as a module, from its first line to its last."""
    space = {"__name__": "exercise", "__file__": str(path)}
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), space)
    except SyntaxError as error:
        return "wrong", f"not yet; line {error.lineno} is no Python: {error.msg}"
    except (Exception, SystemExit) as error:
        return "wrong", f"not yet; the file ends with {type(error).__name__}: {error}"
    function = space.get(exercise.function)
    if not callable(function):
        return "wrong", f"not yet; the file has no function {exercise.function}: `minigan exercise start` writes a new file"
    return judge(exercise, function)


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(of_file(exercises()[sys.argv[1]], Path(sys.argv[2]))), file=out)
