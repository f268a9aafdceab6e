"""The verb lesson: list the lessons, run one, or copy one to change it."""

import json
import subprocess
import sys
from pathlib import Path

from minigan.cli.output import path_argument
from minigan.errors import ConfigError
from minigan.lesson_files import environment, find, times, title
from minigan.paths import command
from minigan.paths import path as given


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "lesson",
        help="list the lessons, run one, or copy one to change it",
        allow_abbrev=False,
        description="List the lessons, or run one.  A lesson prints the claims that it checks, says how its exercises stand, "
        "and saves its figures in lesson-figures/ in the current folder.  To change a lesson and to do its exercises, copy it "
        "here first: --copy.",
        epilog="Exit code: 0 if no claim was false and no exercise was wrong (it may be open), otherwise 1.",
    )
    verb.add_argument(
        "which",
        nargs="?",
        default="list",
        metavar="list|N|FILE.py|build",
        help="the lesson's number, your copy of it, list (default), or build: write all lessons as pages",
    )
    verb.add_argument("--fast", action="store_true", help="take only a few seconds, and leave some claims out")
    verb.add_argument("--strict", action="store_true", help="stop at the first false claim")
    verb.add_argument(
        "--json", action="store_true", help="print the results as JSON, for a teacher; the lesson prints on stderr"
    )
    verb.add_argument("--copy", action="store_true", help="do not run the lesson: write a copy of it into the current folder")
    verb.add_argument("--out", type=path_argument, default=Path("site"), metavar="FOLDER", help="for build (default: site)")
    verb.set_defaults(run=_lesson)


def show() -> None:
    """Print the titles of all lessons."""
    lessons, stated = find(), times()
    print("lessons (minigan lesson N):")
    for path in lessons.values():
        seconds = f"   ({stated[path.stem][0]:g} s)" if path.stem in stated else ""
        print(f"  {title(path)}{seconds}")
    print(f"The files are in {next(iter(lessons.values())).parent}; read a lesson in an editor while you run it.")
    print(f"To change a lesson, copy it into this folder: {command('lesson', next(iter(lessons)), '--copy')}")


def _lesson(options):
    if options.which == "list":
        return show()
    if options.which == "build":
        return _build(options)
    path = _file(options.which)
    if options.copy:
        return _copy(path)
    # A new process, because a reader would also run the file itself, and an error then shows the lesson's line.
    words = [f"--{name}" for name in ("fast", "strict", "json") if getattr(options, name)]
    print(f"running {path}", flush=True, file=sys.stderr if options.json else sys.stdout)
    done = subprocess.run(
        [sys.executable, str(path), *words], check=False, env=environment(), stdout=subprocess.PIPE if options.json else None
    )
    if options.json:  # a file with a syntax error, or without a Lesson, prints nothing
        nothing = {"lesson": path.stem, "ok": False, "finished": False, "error": "it ended before its Lesson was made"}
        print(done.stdout.decode("utf-8").strip() or json.dumps(nothing, indent=1))
    return done.returncode


def _build(options):
    from minigan.site import build

    good = build(options.out, fast=options.fast)
    print(f"open {options.out / 'index.html'} in a browser" if good else "a claim does not hold, see above")
    return 0 if good else 1


def _file(which) -> Path:
    """The file of a lesson that was named by its number, its name or its path.   Raises ConfigError for any other text."""
    if which.endswith(".py"):
        path = given(which, "FILE.py")
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; give the number of a lesson, or a copy of one that you have changed")
        return path
    lessons = find()
    names = {str(number): path for number, path in lessons.items()} | {path.stem: path for path in lessons.values()}
    number = str(int(which)) if which.isascii() and which.isdigit() else which
    if number not in names:
        known = ", ".join(map(str, lessons))
        raise ConfigError(f"there is no lesson {which!r}; the lessons are {known}: see `{command('lesson', 'list')}`")
    return names[number]


def _copy(path):
    copy = Path(path.name)
    try:
        with open(copy, "x", encoding="utf-8") as file:
            file.write(path.read_text(encoding="utf-8"))
    except FileExistsError:
        raise ConfigError(f"{copy}: is there already; delete or rename it to get a new copy") from None
    print(f"{copy}: change it in an editor, and run it with `{command('lesson', copy)}`")
    print(f"a notebook of it: pip install jupytext notebook, then `jupytext --to notebook {copy}`")
