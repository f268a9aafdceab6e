"""Lessons in other languages: only their prose, keyed by cell, with a hash of the English cell that it was written from.

lessons/zh/01_tape.md holds the cells of lessons/01_tape.py, each under a line such as

    <!-- cell: promise 3f2a9c1b -->

stamp         the hash of an English cell
read          {cell: (hash, text)} of a translation
problems      what is missing, unknown or stale in a translation, one line each
translated    the cells of a lesson with the prose of a translation, and the names of the stale ones
"""

import hashlib
import re
from pathlib import Path

from minigan import lesson_files
from minigan.lesson_files import Cell

_START = re.compile(r"(?m)^<!-- cell: ([\w-]+) ([0-9a-f]{8}) -->\n")


def stamp(cell: Cell) -> str:
    """The first eight hexadecimal digits of the SHA-256 of a cell's text."""
    return hashlib.sha256(cell.text.strip().encode()).hexdigest()[:8]


def file(lesson: Path, language: str) -> Path:
    """Where the translation of a lesson is, if there is one."""
    return lesson.parent / language / f"{lesson.stem}.md"


def read(path: Path) -> dict[str, tuple[str, str]]:
    """{name of a cell: (hash, text)} of a translation."""
    _, *parts = _START.split(path.read_text(encoding="utf-8"))
    return {name: (found, text.strip() + "\n") for name, found, text in zip(*[iter(parts)] * 3)}


def problems(lesson: Path, language: str) -> list[str]:
    """What is wrong with a translation, one line for each cell; [] if all is well."""
    prose = [cell for cell in lesson_files.cells(lesson) if cell.kind == "markdown"]
    found, lines = read(file(lesson, language)), []
    for cell in prose:
        if cell.name not in found:
            lines.append(f"{lesson.stem}: {cell.name} is missing; begin it with <!-- cell: {cell.name} {stamp(cell)} -->")
        elif found[cell.name][0] != stamp(cell):
            lines.append(
                f"{lesson.stem}: {cell.name} is stale: the English cell has changed, and has the hash {stamp(cell)} now"
            )
    known = {cell.name for cell in prose}
    return lines + [f"{lesson.stem}: {name} is no cell of the lesson" for name in found if name not in known]


def translated(lesson: Path, language: str) -> tuple[list[Cell] | None, set[str]]:
    """(the cells with the translated prose, the names of stale ones); (None, empty) if there is no translation.   A cell that
    is missing stays English."""
    path = file(lesson, language)
    if not path.is_file():
        return None, set()
    found, cells, stale = read(path), [], set()
    for cell in lesson_files.cells(lesson):
        if cell.kind == "markdown":
            mark, text = found.get(cell.name, ("", cell.text))
            if mark != stamp(cell):
                stale.add(cell.name)
            cell = cell._replace(text=text)
        cells.append(cell)
    return cells, stale
