"""What a file may hold: the type and the range of each of its fields, said once, beside the code that reads the file.

Number, Whole, Text, Truth, Anything    one value         Maybe, Either    null too; a value of one of several fields
Many, Named, Record           a list, a dict of any names, a dict with known names
Array                         an array of finite numbers
Each has check(value, where), which raises Misfit for a value that does not fit, with the place of the value.
like                          check a saved state by one that is known to be good
shown, printable              a value, and a text, of a file for a message: always printable and short

A value is never converted.  Names must be printable, since they end up in tables, pictures and messages.

>>> Named(Number(0)).check({"10": "abc"}, "seconds")
Traceback (most recent call last):
minigan.schema.Misfit: seconds.10: must be a number from 0, got 'abc'

Elsewhere: what users give (arguments.py, train/settings.py).
"""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SHOWN = 60  # characters of a value in a message
MOST = 100_000  # entries of a list or a dict
HUGE = sys.float_info.max


class Misfit(ValueError):
    """A value that does not fit its field."""


def shown(value) -> str:
    """A value for a message.

    >>> shown("gan\\x1b[2J"), shown({"a": 1, "b": 2}), shown("x" * 1000)[-6:]
    ("'gan\\\\x1b[2J'", '2 entries', 'xxx...')"""
    if isinstance(value, dict | list | tuple):
        return f"{len(value)} entries"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, int) and abs(value) >= 10**SHOWN:  # Python itself refuses to print more than 4300 digits
        return f"a whole number of more than {SHOWN} digits"
    text = ascii(value[: 2 * SHOWN] if isinstance(value, str | bytes) else value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def printable(text: str, most: int = 200) -> str:
    """A text for a message: what cannot be printed is escaped, and what is too long is cut.

    >>> printable("gan\\x1b[2J")
    'gan\\\\x1b[2J'"""
    text = text if len(text) <= most else f"{text[: most - 3]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _refuse(where, what, value):
    raise Misfit(f"{printable(where) or 'the file'}: {what}, got {shown(value)}")


@dataclass(frozen=True)
class Number:
    """A finite number from `least` to `most`.  A whole one is a number too; true and false are not."""

    least: float = -HUGE
    most: float = HUGE

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.least <= value <= self.most:
            _refuse(where, f"must be a number{self._range()}", value)

    def _range(self):
        low = f" from {self.least:g}" if self.least > -HUGE else ""
        return low + (f" to {self.most:g}" if self.most < 2**63 - 1 else "")


@dataclass(frozen=True)
class Whole(Number):
    """A whole number from `least` to `most`."""

    least: float = 0
    most: float = 2**63 - 1

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            _refuse(where, f"must be a whole number{self._range()}", value)


@dataclass(frozen=True)
class Text:
    """A text of at most `most` characters.   fits: a function that is true of the texts that are meant;  says: what they are,
    for the message."""

    most: int = 100_000
    fits: Callable[[str], Any] = field(default=lambda text: True)
    says: str = "a text"

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if not isinstance(value, str) or len(value) > self.most or not self.fits(value):
            _refuse(where, f"must be {self.says} of at most {self.most:,} characters", value)


NAME = Text(300, str.isprintable, "a printable text")


@dataclass(frozen=True)
class Truth:
    """true or false."""

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if not isinstance(value, bool):
            _refuse(where, "must be true or false", value)


@dataclass(frozen=True)
class Anything:
    """Every value."""

    def check(self, value, where) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Maybe:
    """null, or a value of another field."""

    of: Any

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if value is not None:
            self.of.check(value, where)


@dataclass(frozen=True)
class Either:
    """A value of one of several fields.   says: what all of them are, for the message."""

    fields: tuple
    says: str

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        for one in self.fields:
            try:
                return one.check(value, where)
            except Misfit:
                continue
        _refuse(where, f"must be {self.says}", value)


@dataclass(frozen=True)
class Many:
    """A list of `least` to `most` values of one field."""

    of: Any
    least: int = 0
    most: int = MOST

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if not isinstance(value, list | tuple) or not self.least <= len(value) <= self.most:
            _refuse(where, f"must be a list of {self.least:,} to {self.most:,} entries", value)
        for i, item in enumerate(value):
            self.of.check(item, f"{where}[{i}]")


@dataclass(frozen=True)
class Record:
    """A dict.   needs: {name: field} of the names that must be there;  may: of those that may be;  others: the field of all
    other names, or None if there may be none;  names: the field of every name."""

    needs: Mapping[str, Any] = field(default_factory=dict)
    may: Mapping[str, Any] = field(default_factory=dict)
    others: Any = None
    names: Text = NAME

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if not isinstance(value, dict) or len(value) > MOST:
            _refuse(where, f"must be a table of at most {MOST:,} names", value)
        for name in self.needs:
            if name not in value:
                raise Misfit(f"{printable(where)}: the entry {name!r} is missing".lstrip(": "))
        for name, item in value.items():
            self.names.check(name, f"{where or 'the file'}, a name")
            one = self.needs.get(name) or self.may.get(name) or self.others
            if one is None:
                raise Misfit(f"{printable(where)}: the entry {shown(name)} is unknown".lstrip(": "))
            one.check(item, f"{where}.{name}".lstrip("."))


def Named(of, names: Text = NAME) -> Record:
    """A dict of any names, each with a value of one field."""
    return Record(others=of, names=names)


@dataclass(frozen=True)
class Array:
    """A NumPy array of finite real numbers."""

    def check(self, value, where) -> None:
        """Raise Misfit if the value does not fit."""
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fiub":
            _refuse(where, "must be an array of numbers", value)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise Misfit(f"{printable(where)}: holds NaN or infinite numbers")


def like(value, example, where) -> None:
    """Raise Misfit unless a saved state has the form of a state that the same program has made.

    Every array is one of finite numbers; a number, a text, a list and a table are where the example has them.  A whole number
    counts something, or is part of a generator's state: it is -1 or more.  Names that only one side has are not compared,
    because a state may grow.   example: None where the program has nothing to compare with."""
    if isinstance(value, np.ndarray | np.generic):
        Array().check(value, where)
        if isinstance(example, np.ndarray | np.generic) and value.shape != example.shape:
            raise Misfit(f"{printable(where)}: must have the shape {example.shape}, got {value.shape}")
    elif isinstance(value, dict):
        if not isinstance(example, dict | None):
            _refuse(where, f"must be {shown(example)}", value)
        for name, item in value.items():
            like(item, (example or {}).get(name), f"{where}.{name}")
    elif isinstance(value, list | tuple):
        if not isinstance(example, list | tuple | None):
            _refuse(where, "must be another value", value)
        for i, item in enumerate(value):
            like(item, example[min(i, len(example) - 1)] if example else None, f"{where}[{i}]")
    elif isinstance(example, bool | str | dict | list | tuple | np.ndarray):
        if type(value) is not type(example):
            _refuse(where, f"must be of the type of {shown(example)}", value)
    elif isinstance(example, int | float):
        if isinstance(example, int) and not isinstance(value, bool) and isinstance(value, int):
            Whole(-1, 2**128).check(value, where)
        elif not (isinstance(value, float) and math.isinf(value) and math.isinf(example)):  # a best value may be infinite
            Number().check(value, where)


PLAIN = Either((Truth(), Number(), Text()), "a number, a text, true or false")
