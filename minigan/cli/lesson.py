"""The verb lesson: list the lessons, or run one."""

import re
import subprocess
import sys
from pathlib import Path

from minigan.cli import checkout
from minigan.errors import ConfigError

_FILE = re.compile(r"(\d+)_\w+\.py")


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "lesson",
        help="list the lessons, or run one",
        allow_abbrev=False,
        description="List the lessons, or run one.  A lesson prints the claims that it checks, and saves "
        "its figures in lesson-figures/ in the current folder.",
    )
    verb.add_argument("which", nargs="?", default="list", metavar="list|N", help="the lesson's number, or list (default)")
    verb.add_argument("--fast", action="store_true", help="take only a few seconds, and leave some claims out")
    verb.set_defaults(run=_lesson)


def find() -> dict[int, Path]:
    """Return {number: file of the lesson}, from the folder beside the package (in a checkout) or from ./lessons.   Raises
    ConfigError if there are none."""

    def look(folder):
        files = sorted(folder.glob("*.py")) if folder.is_dir() else []
        return {int(match[1]): path for path in files if (match := _FILE.fullmatch(path.name))}

    return checkout.find("lessons", __file__, look)


def title(path: Path) -> str:
    """The first Markdown heading of a lesson, or its file's name if it has none."""
    with open(path, encoding="utf-8") as lines:
        return next((line[4:].strip() for line in lines if line.startswith("# # ")), path.stem)


def show() -> None:
    """Print the titles of all lessons."""
    lessons = find()
    print("lessons (minigan lesson N):")
    for path in lessons.values():
        print(f"  {title(path)}")
    print(f"The files are in {next(iter(lessons.values())).parent}; read a lesson in an editor while you run it.")


def _lesson(options):
    if options.which == "list":
        return show()
    lessons = find()
    number = int(options.which) if options.which.isascii() and options.which.isdigit() else None
    if number not in lessons:
        known = ", ".join(map(str, lessons))
        raise ConfigError(f"there is no lesson {options.which!r}; the lessons are {known}: see `minigan lesson list`")
    path = lessons[number]
    print(f"running {path}", flush=True)
    # A new process, because a reader would also run the file itself, and an error then shows the lesson's line.
    return subprocess.run([sys.executable, str(path), *(["--fast"] if options.fast else [])], check=False).returncode
