"""The files of the lessons: where they are, and the cells that they are made of.

find           {number: file} of all lessons
title          the first heading of a lesson
times          how long each lesson takes
cells          a lesson as a list of Cells, in order
definitions    what some cells of a lesson define, without running the rest
environment    the environment of a process that runs one
A lesson is a Python script in the percent format: `# %% id="name"` begins a cell of code, `# %% [markdown] id="name"` one of
text, whose lines begin with "# ".  Elsewhere: what a lesson may call (lesson.py), the command that runs one (cli/lesson.py).
"""

import itertools
import math
import os
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

import minigan as mg
from minigan import checkout
from minigan.errors import ConfigError

FILE = re.compile(r"(\d+)_(\w+)\.py")
_START = re.compile(r'(?m)^# %%( \[markdown\])? id="([\w-]+)"\n')


class Cell(NamedTuple):
    """A cell of a lesson.   kind: "code" or "markdown".   name: its id.   text: its lines, in Markdown without the "# "."""

    kind: str
    name: str
    text: str


def find() -> dict[int, Path]:
    """Return {number: file of the lesson}, from the folder beside the package (in a checkout), from the installed package, or
    from ./lessons.   Raises ConfigError if there are none."""

    def look(folder):
        files = sorted(folder.glob("*.py")) if folder.is_dir() else []
        return {int(match[1]): path for path in files if (match := FILE.fullmatch(path.name))}

    return checkout.find("lessons", look)


def title(path: Path) -> str:
    """The first Markdown heading of a lesson, or its file's name if it has none."""
    with open(path, encoding="utf-8") as lines:
        return next((line[4:].strip() for line in lines if line.startswith("# # ")), path.stem)


def times() -> dict[str, tuple[float, float]]:
    """{file without .py: (seconds in full, seconds with --fast)} on one quiet core, from times.toml beside the lessons."""
    path = next(iter(find().values())).parent / "times.toml"
    stated = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: (full, short) for name, (full, short) in stated.items()}


def cells(path: Path) -> list[Cell]:
    """The cells of a lesson, in order.   Raises ConfigError if the file does not begin with a cell that has a name."""
    before, *parts = _START.split(path.read_text(encoding="utf-8"))
    if before.strip() or not parts:
        raise ConfigError(f'{path}: is no lesson; its first line must begin a cell, such as `# %% [markdown] id="promise"`')
    return [
        Cell("markdown", name, re.sub(r"(?m)^# ?", "", text)) if kind else Cell("code", name, text)
        for kind, name, text in zip(*[iter(parts)] * 3)
    ]


def definitions(number: int, *names: str) -> SimpleNamespace:
    """What these cells of code of a lesson define, such as the class that the lesson is about.   They may use itertools, math,
    np and mg.   Raises ConfigError if the lesson has no such cell."""
    code = {cell.name: cell.text for cell in cells(find()[number]) if cell.kind == "code"}
    space = {"itertools": itertools, "math": math, "np": np, "mg": mg}
    for name in names:
        if name not in code:
            raise ConfigError(f"lesson {number} has no cell of code named {name!r}")
        exec(code[name], space)
    return SimpleNamespace(**space)


def environment() -> dict[str, str]:
    """The environment of a process that runs a lesson or a reader's file: it imports the same minigan as this one, also after
    `python -m minigan` in a checkout that is not installed."""
    root = str(Path(__file__).resolve().parents[1])
    environment = dict(os.environ)
    if os.path.realpath(sys.path[0] or ".") == root:
        environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return environment
