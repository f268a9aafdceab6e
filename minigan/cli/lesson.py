"""minigan lesson."""

import re
import subprocess
import sys
from pathlib import Path

from minigan.errors import ConfigError

_FILE = re.compile(r"(\d+)_\w+\.py")


def add(verbs) -> None:
    """Enter the verb of this file."""
    verb = verbs.add_parser("lesson", help="list the lessons, or run one", allow_abbrev=False,
                            description="List the lessons, or run one: it prints what it checks and saves its figures "
                                        "in lesson-figures/ here.")
    verb.add_argument("which", nargs="?", default="list", metavar="list|N", help="a number, or list (default)")
    verb.add_argument("--fast", action="store_true", help="a run of a few seconds that leaves some claims out")
    verb.set_defaults(run=_lesson)


def find() -> dict[int, Path]:
    """number -> file of each lesson: those beside the package (a checkout), or in ./lessons.  ConfigError if none."""
    places = [Path(__file__).resolve().parents[2] / "lessons", Path.cwd() / "lessons"]
    for place in places:
        files = sorted(place.glob("*.py")) if place.is_dir() else []
        found = {int(match[1]): path for path in files if (match := _FILE.fullmatch(path.name))}
        if found:
            return found
    raise ConfigError("no lessons here: they come with the repository, not with the installed package; get minigan's "
                      "repository and run this command in its folder (looked in "
                      f"{' and '.join(str(place) for place in places)})")


def title(path: Path) -> str:
    """A lesson's first Markdown heading."""
    with open(path, encoding="utf-8") as lines:
        return next((line[4:].strip() for line in lines if line.startswith("# # ")), path.stem)


def show() -> None:
    """Print the titles."""
    lessons = find()
    print("lessons (minigan lesson N):")
    for path in lessons.values():
        print(f"  {title(path)}")
    print(f"they are in {next(iter(lessons.values())).parent}; read one in an editor while you run it")


def _lesson(options):
    if options.which == "list":
        return show()
    lessons = find()
    number = int(options.which) if options.which.isascii() and options.which.isdigit() else None
    if number not in lessons:
        known = ", ".join(map(str, lessons))
        raise ConfigError(f"no lesson {options.which!r}; there are {known}: see `minigan lesson list`")
    path = lessons[number]
    print(f"running {path}", flush=True)
    # A process of its own: the lesson is run as its reader would run it, and an error shows the lesson's line.
    return subprocess.run([sys.executable, str(path), *(["--fast"] if options.fast else [])], check=False).returncode
